#!/bin/bash
# try-host.sh SUITE TARGET [DIRECTORY]: runs `make TARGET` of what is committed on a bare Debian, which
# debootstrap makes: try-host.sh trixie run, try-host.sh bookworm test. With DIRECTORY the host stays
# there, and the next run continues with it; otherwise nothing is left. As root; no part of make test.
#
# The host has mounts and processes of its own, and this machine's network, certificates and
# environment, so that mirrors which are configured here are reached.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."
suite=$1 target=$2
scripts/apt-install.sh debootstrap git

if [ $# -gt 2 ]; then
    root=$3
else
    work=$(mktemp -d -p /var/tmp)
    trap 'rm -rf "$work"' EXIT
    root=$work/root
fi
[ -e "$root/usr/bin/apt-get" ] || debootstrap --variant=minbase "$suite" "$root" >/dev/null
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
mkdir -p "$root/usr/local/share/ca-certificates"
find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$root/usr/local/share/ca-certificates/" \;
if [ -e "$root/source" ]; then
    git -C "$root/source" fetch -q "$PWD" HEAD
    git -C "$root/source" reset -q --hard FETCH_HEAD
else
    git clone -q --no-hardlinks . "$root/source"
fi

inside() {
    set -eu
    mount --bind "$root" "$root" # so that mounts and machines within it have a root that is a mount
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    cd "$root"
    pivot_root . mnt # and not only chroot: a machine's tests enter mounts by their own root
    exec chroot . env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        bash -euc 'cd /source; apt-get -q update; apt-get -q -y install --no-install-recommends make; make "$0"' \
        "$target"
}
export -f inside
export root target
unshare -mpf bash -c inside </dev/null
