#!/bin/bash
# What `make check` needs beyond scripts/setup-build.sh: Debian packages, and the formatter and the
# linter in the version that the source is written with; no JVM and no broker.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup-build.sh
scripts/apt-install.sh libcmocka-dev libsimdjson-dev g++ git python3 python3-venv mandoc groff-base
. scripts/setup-steps.sh
environment lint .cache/lint tests/requirements-lint.txt
