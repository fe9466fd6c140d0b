# Sourced by the set-up scripts: steps that leave something below .cache or a Python environment. Each
# runs again only when what declares it has changed.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p .cache/logs .cache/stamps

# step NAME INPUT COMMAND...: runs the command unless it has been run for these bytes of INPUT, here
# and for the script that asks for it.
step() {
    local name=$1 input=$2 sum log=.cache/logs/$1.log
    shift 2
    sum=$(sha256sum "$input" "$0" "${BASH_SOURCE[0]}" | sha256sum | cut -d' ' -f1)
    [ "$(cat ".cache/stamps/$name" 2>/dev/null)" = "$sum" ] && return
    echo "setting up $name (log: $log)"
    "$@" >"$log" 2>&1 </dev/null || {
        tail -20 "$log" >&2
        echo "setting up $name did not work (log: $log)" >&2
        exit 1
    }
    echo "$sum" >".cache/stamps/$name"
}

python_environment() { # DIRECTORY REQUIREMENTS
    rm -rf "$1"
    # Debian's own interpreter, no matter what comes first in PATH.
    /usr/bin/python3 -m venv "$1"
    "$1/bin/pip" install --disable-pip-version-check -r "$2"
}

environment() { # NAME DIRECTORY REQUIREMENTS
    step "$1" "$3" python_environment "$2" "$3"
}
