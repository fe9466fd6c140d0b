#!/bin/bash
# arm64.sh: cross-compiles the program, its Debian package and the unit tests for arm64 and runs the
# tests under qemu-user.
#
# The cross compiler, arm64's libraries and qemu live in a Debian root of their own, .cache/arm64-SUITE,
# made once by debootstrap; on the host only debootstrap is installed. SUITE=trixie chooses another
# Debian release than the host's. It needs root, for chroot and mounts; the mounts end with the script.
#
# One test is left out, test_check: it aborts while nobody reads stderr, and qemu then blocks in
# writing a line of its own there.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ "$(id -u)" != 0 ]; then
    exec sudo SUITE="${SUITE:-}" "$0" "$@"
fi

suite=${SUITE:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
root=$PWD/.cache/arm64-$suite
log=$PWD/.cache/logs/arm64-$suite.log
mirror=http://deb.debian.org/debian
native=(bison ca-certificates cmake crossbuild-essential-arm64 dpkg-dev file git groff-base libjs-chart.js mandoc
    ninja-build pkg-config protobuf-c-compiler qemu-user re2c tzdata)
arm64=(libc6-dev libcmocka-dev libcurl4-openssl-dev libjansson-dev liblz4-dev libmicrohttpd-dev
    libnghttp2-dev libprotobuf-c-dev librdkafka-dev libroaring-dev libsnappy-dev libssl-dev libzstd-dev
    uuid-dev)

make_root() {
    rm -rf "$root"
    debootstrap --variant=minbase "$suite" "$root" "$mirror"
    cp --remove-destination -L /etc/resolv.conf "$root/etc/resolv.conf"
    chroot "$root" dpkg --add-architecture arm64
    chroot "$root" apt-get -q update
    chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends \
        "${native[@]}" "${arm64[@]/%/:arm64}"
    chroot "$root" apt-get clean
}

# Runs a command in the root, which sees the source at the path that it has outside.
inside() {
    # shellcheck disable=SC2016
    unshare --mount --pid --fork sh -euc '
        root=$1 source=$2
        shift 2
        mkdir -p "$root$source"
        mount --bind "$source" "$root$source"
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount -t tmpfs tmpfs "$root/tmp"
        exec chroot "$root" env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/tmp LANG=C.UTF-8 \
            sh -euc "cd $source; exec \"\$@\"" sh "$@"
    ' sh "$root" "$PWD" "$@"
}

scripts/apt-install.sh debootstrap
mkdir -p .cache/logs
sum=$(sha256sum "${BASH_SOURCE[0]}" | cut -d' ' -f1)
if [ "$(cat "$root/made-by" 2>/dev/null)" != "$sum" ]; then
    echo "making a Debian root for arm64, $root (log: $log)"
    make_root >"$log" 2>&1 </dev/null || {
        tail -20 "$log" >&2
        echo "could not make the Debian root for arm64 (log: $log)" >&2
        exit 1
    }
    echo "$sum" >"$root/made-by"
fi

# cross NAME COMMAND...: in the root, where pkg-config looks for arm64's libraries.
cross() {
    inside env PKG_CONFIG_LIBDIR=/usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig "$@"
}

# A build made in another root would mix their compilers.
build=build/arm64
if [ "$(cat $build/made-in 2>/dev/null)" != "$suite $sum" ]; then
    rm -rf $build
    mkdir -p $build
    echo "$suite $sum" >$build/made-in
fi
cross cmake --preset arm64 -DBUILD_TESTING=ON --log-level=WARNING
cross cmake --build --preset arm64 "$@"
cross ctest --preset arm64 -j "$(nproc)"
cross cpack --config $build/CPackConfig.cmake -B build/package
