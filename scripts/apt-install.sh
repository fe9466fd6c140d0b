#!/bin/bash
# apt-install.sh PACKAGE...: installs the Debian packages that are missing. When none is, it does
# nothing and needs neither network nor privileges.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."

missing=()
for package in "$@"; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "missing Debian packages; as root: apt-get install ${missing[*]}" >&2
        exit 1
    }
    as_root=(sudo)
fi

log=.cache/logs/apt.log
mkdir -p .cache/logs
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null >>"$log" 2>&1
}

echo "installing Debian packages: ${missing[*]}"
: >"$log"
# The lists of a fresh machine are empty, those of an old one name packages that are gone: only then
# are they fetched.
apt install --no-install-recommends "${missing[@]}" ||
    { apt update && apt install --no-install-recommends "${missing[@]}"; } || {
    tail -20 "$log" >&2
    echo "could not install Debian packages: ${missing[*]} (log: $log)" >&2
    exit 1
}
