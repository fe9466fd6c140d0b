#!/bin/bash
# What `make check` needs beyond scripts/setup-build.sh: Debian packages, no JVM and no broker.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup-build.sh
scripts/apt-install.sh libcmocka-dev libsimdjson-dev g++ clang-format git python3 mandoc groff-base
