#!/bin/bash
# What only the tests and the bench need, beyond scripts/setup-check.sh: Debian packages; a Python
# environment with Spark 4 and the readers (.venv), one with Spark 3.5 (.venv-spark35); the jars of
# Kafka and of both Sparks' Kafka connectors (.cache/jars); Prometheus and nghttpx, unpacked, and helm
# (.cache); the linter's headers (.cache/clang-14); the libraries of Debian 13, as a root for the
# program (.cache/debian-13); and Java 17 where the host has none (.cache/java-17). Each part is made
# again only when what declares it has changed.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."

. /etc/os-release
case $VERSION_ID in
12)
    host_packages=(openjdk-17-jdk-headless libev4)
    prometheus_packages=(prometheus)
    ;;
13)
    host_packages=(libev4t64)
    prometheus_packages=(prometheus promtool)
    ;;
*)
    echo "the tests are set up on Debian 12 or 13; this is $PRETTY_NAME" >&2
    exit 1
    ;;
esac

scripts/setup-check.sh
scripts/apt-install.sh clang libclang-rt-dev llvm strace maven debootstrap debian-archive-keyring \
    ca-certificates openssl iproute2 protobuf-compiler adduser dpkg-dev file lintian procps systemd docker-compose \
    zsh fish chromium btrfs-progs libfaketime libnghttp2-14 libc-ares2 libjemalloc2 "${host_packages[@]}"

. scripts/setup-steps.sh

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

jars() { # NAME: what tests/rig/NAME.xml depends on
    local version=3.6.1
    rm -rf ".cache/jars/$1"
    JAVA_HOME=$(scripts/java-home.sh) mvn -B -ntp -f "tests/rig/$1.xml" \
        "org.apache.maven.plugins:maven-dependency-plugin:$version:copy-dependencies" \
        -DoutputDirectory="$PWD/.cache/jars/$1"
}

# unpacked NAME PROGRAM PACKAGE...: unpacked only, into .cache/NAME, because installed they are running
# services (Prometheus; nghttpx). What their programs link to is installed above.
unpacked() {
    local directory=.cache/$1 program=$2
    shift 2
    rm -rf "$directory"
    mkdir -p "$directory"
    (cd "$directory" && apt-get -q download "$@") || {
        as_root apt-get -q -y -o DPkg::Lock::Timeout=300 update
        (cd "$directory" && apt-get -q download "$@")
    }
    for package in "$directory"/*.deb; do dpkg-deb --extract "$package" "$directory"; done
    rm "$directory"/*.deb
    "$directory/$program" --version
}

# Where this host's packages come from: another release of Debian is there, too.
mirror() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $VERSION_CODENAME" | head -1
}

# from_12 NAME PACKAGE...: Debian 12's packages, unpacked into .cache/NAME, for what Debian 13 does not have.
from_12() {
    local directory=$PWD/.cache/$1 lists=$PWD/.cache/$1/apt options
    shift
    rm -rf "$directory"
    mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) bookworm main" >"$lists/sources.list"
    options=(-q -o Dir::Etc::SourceList="$lists/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o Dir::State::Lists="$lists/lists" -o Dir::Cache="$lists/cache" -o Acquire::Languages=none)
    apt-get "${options[@]}" update
    (cd "$directory" && apt-get "${options[@]}" download "$@")
    for package in "$directory"/*.deb; do dpkg-deb --extract "$package" "$directory"; done
    rm -r "$lists" "$directory"/*.deb
}

# The newest Java that Spark 3.5 is made for.
java_17() {
    local directory=$PWD/.cache/java-17 link
    from_12 java-17 openjdk-17-jre-headless
    # Its settings are links to /etc, where they are not.
    find "$directory/usr/lib/jvm" -lname '/etc/java-17-openjdk*' | while read -r link; do
        ln -sfn "$directory$(readlink "$link")" "$link"
    done
    "$directory"/usr/lib/jvm/java-17-openjdk-*/bin/java -version
}

# What the program links to in Debian 13, and nothing to build with: stories run it in there with a
# newer librdkafka than Debian 12's.
debian_13() {
    local directory=.cache/debian-13
    as_root rm -rf "$directory"
    as_root debootstrap --variant=minbase --include="$(tr '\n' ',' <<'PACKAGES'
ca-certificates
libcurl4t64
libjansson4
libmicrohttpd12t64
libnghttp2-14
libprotobuf-c1
librdkafka1
libroaring0t64
libsnappy1v5
libuuid1
tzdata-legacy
PACKAGES
    )" trixie "$directory" "$(mirror)"
    as_root rm -rf "$directory"/var/cache/apt "$directory"/var/lib/apt/lists "$directory"/usr/share/{doc,locale,man}
}

environment python .venv tests/requirements.txt
environment python-spark35 .venv-spark35 tests/requirements-spark35.txt
step prometheus "${BASH_SOURCE[0]}" unpacked prometheus usr/bin/promtool "${prometheus_packages[@]}"
step nghttpx "${BASH_SOURCE[0]}" unpacked nghttp2-proxy usr/sbin/nghttpx nghttp2-proxy
step helm scripts/setup-helm.sh scripts/setup-helm.sh
[ "$VERSION_ID" = 12 ] || step java-17 "${BASH_SOURCE[0]}" java_17
# The headers of the compiler itself, which PyPI's clang-tidy comes without.
step clang-14 "${BASH_SOURCE[0]}" from_12 clang-14 libclang-common-14-dev libclang-rt-14-dev
step debian-13 "${BASH_SOURCE[0]}" debian_13
step kafka tests/rig/kafka.xml jars kafka
step spark tests/rig/spark.xml jars spark
step spark35 tests/rig/spark35.xml jars spark35
