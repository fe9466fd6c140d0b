#!/bin/bash
# What building and running the program needs: Debian packages, nothing else.
set -eu
# Old names of time zones are a package of their own after Debian 12.
legacy=$(. /etc/os-release; [ "${VERSION_ID:-}" = 12 ] || echo tzdata-legacy)
exec "$(dirname "${BASH_SOURCE[0]}")/apt-install.sh" \
    gcc libc6-dev cmake ninja-build pkg-config bison re2c \
    librdkafka-dev libsnappy-dev libzstd-dev liblz4-dev libjansson-dev libmicrohttpd-dev libroaring-dev \
    uuid-dev libcurl4-openssl-dev libnghttp2-dev libprotobuf-c-dev protobuf-c-compiler libssl-dev \
    ca-certificates tzdata libjs-chart.js $legacy
