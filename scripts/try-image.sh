#!/bin/bash
# try-image.sh: builds deploy/docker/Dockerfile with buildah and runs the image with podman, both of
# Debian, on a base image made by debootstrap: for machines that reach Debian's packages and no registry
# of images. Run it as root. It takes a minute, leaves nothing, and is not part of make test.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/apt-install.sh debootstrap buildah podman crun

work=$(mktemp -d)
store=$work/store
mkdir "$work/capture"
printf '{"match_id":"M1","status":"live"}\n' >"$work/capture/esports-matches-0.ndjson"
touch "$work/capture/esports-players-0.ndjson"

# In its own mounts: crun needs control groups of version 2 only, and gives the container's user
# the /dev/null that it finds.
inside() {
    set -eu
    mknod -m 666 "$work/null" c 1 3 && mount --bind "$work/null" /dev/null
    umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup
    podman() { command podman --root "$store" --cgroup-manager=cgroupfs "$@"; }

    debootstrap --variant=minbase trixie "$work/root" >"$work/debootstrap.log"
    cp -rL /etc/apt/apt.conf.d "$work/root/etc/apt/"
    tar -C "$work/root" -c . | podman import - docker.io/library/debian:13-slim
    buildah --root "$store" build --format docker --network=host --isolation=chroot \
        -f deploy/docker/Dockerfile -t esports-stream .

    local limits=(--network=host --cgroups=disabled --ulimit nofile=1024:1024 --ulimit nproc=2000:2000)
    podman run -d --name tried "${limits[@]}" --read-only --read-only-tmpfs=false --cap-drop=all \
        -v "$work/capture:/capture:ro" -e KAFKA_BOOTSTRAP_SERVERS=file:/capture \
        esports-stream
    for _ in $(seq 100); do
        podman logs tried 2>&1 | grep -q 'match_stream.*Batch 0 written' && break
        sleep 0.2
    done
    podman logs tried 2>&1 | grep 'match_stream.*Batch 0 written'
    [ "$(podman exec tried id -u)" = 10001 ]
    podman exec tried /usr/lib/esports-stream/healthcheck
    podman stop -t 10 tried
    [ "$(podman inspect tried --format '{{.State.ExitCode}}')" = 0 ]
    podman images
    podman rm -f tried
}
export -f inside
export work store
status=0
unshare -m bash -c inside || status=$?
rm -rf "$work"
[ $status = 0 ] && echo "the image builds, runs as 10001 with a read-only root, is healthy, and stops with 0"
exit $status
