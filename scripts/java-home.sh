#!/bin/bash
# Prints where Java 17 is, the version that Kafka and Spark are tested with: Debian 12's own, or what
# scripts/setup-test.sh has unpacked on a host that has none.
set -eu
cache=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/.cache/java-17
for home in {,"$cache"}/usr/lib/jvm/java-17-openjdk-*; do
    [ -x "$home/bin/java" ] && echo "$home" && exit
done
echo "no Java 17 below /usr/lib/jvm; run scripts/setup-test.sh" >&2
exit 1
