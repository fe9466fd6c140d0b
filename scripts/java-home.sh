#!/bin/bash
# Prints where Debian keeps Java 17: the version that Kafka and Spark are tested with here.
set -eu
for home in /usr/lib/jvm/java-17-openjdk-*; do
    [ -x "$home/bin/java" ] && echo "$home" && exit
done
echo "no Java 17 below /usr/lib/jvm; run scripts/setup-test.sh" >&2
exit 1
