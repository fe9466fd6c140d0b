#!/bin/bash
# What only the tests and the bench need, beyond scripts/setup-check.sh: Debian packages; a Python
# environment with Spark 4 and the readers (.venv), one with Spark 3.5 (.venv-spark35); the jars of
# Kafka and of both Sparks' Kafka connectors (.cache/jars); Prometheus and nghttpx, unpacked, and helm
# (.cache).
# Each part is made again only when what declares it has changed.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup-check.sh
scripts/apt-install.sh clang clang-tidy libclang-rt-14-dev strace openjdk-17-jdk-headless maven python3-venv \
    ca-certificates openssl iproute2 protobuf-compiler adduser dpkg-dev file lintian procps systemd docker-compose \
    zsh fish chromium libnghttp2-14 libc-ares2 libev4 libjemalloc2

mkdir -p .cache/logs .cache/stamps

# step NAME INPUT COMMAND...: runs the command unless it has been run for these bytes of INPUT.
step() {
    local name=$1 input=$2 sum log=.cache/logs/$1.log
    shift 2
    sum=$(sha256sum "$input" "${BASH_SOURCE[0]}" | sha256sum | cut -d' ' -f1)
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
    # Debian's own interpreter, whatever else comes first in PATH.
    /usr/bin/python3 -m venv "$1"
    "$1/bin/pip" install --disable-pip-version-check -r "$2"
}

jars() { # NAME: what tests/rig/NAME.xml depends on
    local version=3.6.1
    rm -rf ".cache/jars/$1"
    JAVA_HOME=$(scripts/java-home.sh) mvn -B -ntp -f "tests/rig/$1.xml" \
        "org.apache.maven.plugins:maven-dependency-plugin:$version:copy-dependencies" \
        -DoutputDirectory="$PWD/.cache/jars/$1"
}

environment() { # NAME DIRECTORY REQUIREMENTS
    step "$1" "$3" python_environment "$2" "$3"
}

# unpacked PACKAGE PROGRAM: unpacked only, into .cache, because installed it is a running service
# (Prometheus; nghttpx). What its programs link to is installed above.
unpacked() {
    local directory=.cache/$1 as_root=()
    rm -rf "$directory"
    mkdir -p "$directory"
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    (cd "$directory" && apt-get -q download "$1") || {
        "${as_root[@]}" apt-get -q -y -o DPkg::Lock::Timeout=300 update
        (cd "$directory" && apt-get -q download "$1")
    }
    dpkg-deb --extract "$directory/$1"_*.deb "$directory"
    rm "$directory/$1"_*.deb
    "$directory/$2" --version
}

environment python .venv tests/requirements.txt
environment python-spark35 .venv-spark35 tests/requirements-spark35.txt
step prometheus "${BASH_SOURCE[0]}" unpacked prometheus usr/bin/promtool
step nghttpx "${BASH_SOURCE[0]}" unpacked nghttp2-proxy usr/sbin/nghttpx
step helm scripts/setup-helm.sh scripts/setup-helm.sh
step kafka tests/rig/kafka.xml jars kafka
step spark tests/rig/spark.xml jars spark
step spark35 tests/rig/spark35.xml jars spark35
