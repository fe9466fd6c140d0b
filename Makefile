# Every task of this project, one target for each.
#
#   make run     install what building needs (Debian packages), build, show the demo
#   make check   what a change has to pass first: format, includes, rooms, words, links, unit tests; no JVM, no broker
#   make test    install what testing needs too (JVM, Kafka, Spark, readers) and run every check
#
# They work on a fresh Debian 12 or 13, as root or with sudo, and need no network once they have run.
SHELL := /bin/bash
PREFIX ?= /usr/local

.PHONY: build run check test package image arm64 crash-matrix faults positions fuzz fuzz-spark simulate simulate-calls bench soak lint format install clean setup-build setup-check setup-test

# Tests are left out of this configuration, so that it asks for no test-only package.
build: setup-build
	@cmake --preset release -DBUILD_TESTING=OFF --log-level=WARNING >/dev/null
	@cmake --build --preset release

run: build
	build/release/esports-stream --demo

check: setup-check
	@/usr/bin/python3 scripts/test.py check

test: setup-test
	@/usr/bin/python3 scripts/test.py

# Every call of the crash matrix with every fault; make test takes those that matter most.
crash-matrix: setup-test
	@cmake --preset release -DBUILD_TESTING=ON --log-level=WARNING >/dev/null
	@cmake --build --preset release --target programs
	CRASH_MATRIX=all .venv/bin/python -m pytest tests/stories/test_crash_matrix.py -s

# Every real fault of the host and of Kafka (docs/internals/faults.md); make test takes the short
# ones. FAULTS_ARGS: of pytest, such as -k "disk and not quota". KILLS: how many kills in a row.
faults: setup-test
	@cmake --preset release -DBUILD_TESTING=ON --log-level=WARNING >/dev/null
	@cmake --build --preset release --target programs
	.venv/bin/python -m pytest tests/faults $(FAULTS_ARGS)

# Every case of a position that no longer fits its topic, by real Spark and by us, as a table in
# build/positions.md; make test takes those that have every pair of circumstances.
positions: setup-test
	@cmake --preset release -DBUILD_TESTING=ON --log-level=WARNING >/dev/null
	@cmake --build --preset release --target programs
	POSITIONS=all .venv/bin/python -m pytest tests/stories/test_positions.py -q

# SECONDS of CPU for each target (FUZZ_TARGETS, default all), six times as many for the decoder, Parquet,
# query files, sink log and checkpoint; NUMBERS at random against strtod(). FUZZ_KEEP=--keep adds to
# the committed corpora, FUZZ_KEEP=--record the figures to bench/results/fuzz.md.
SECONDS ?= 60
NUMBERS ?= 10000000
fuzz: setup-test
	.venv/bin/python tests/fuzz/run.py --seconds $(SECONDS) --numbers $(NUMBERS) $(FUZZ_KEEP) $(FUZZ_TARGETS)

# FUZZ_ARGS: --rounds N or --seconds S, --seed N, --count N (messages of each query and round).
fuzz-spark: setup-test
	@cmake --preset dev --log-level=WARNING >/dev/null
	@cmake --build --preset dev --target conformance
	.venv/bin/python tests/fuzz_spark/fuzz.py --conformance build/dev/tests/conformance/conformance $(FUZZ_ARGS)

# LIVES lives in the simulator from seed SEED on, on all processors (docs/internals/simulator.md). Three thousand of them are in make test.
LIVES ?= 10000
SEED ?= 1
simulate: setup-check
	@cmake --preset simulator -DBUILD_TESTING=ON --log-level=WARNING >/dev/null
	@cmake --build --preset simulator --target simulate
	build/simulator/tests/simulator/simulate --lives $(LIVES) --seed $(SEED) --jobs $$(nproc) --demand --report bench/results/simulator.md

# Each call of the disk left out and swapped with the next, in turn, with LIVES lives each; minutes.
simulate-calls: setup-check
	@cmake --preset simulator -DBUILD_TESTING=ON --log-level=WARNING >/dev/null
	@cmake --build --preset simulator --target simulate
	tests/simulator/mutate_sites.py

bench: setup-test
	@cmake --preset release -DBUILD_TESTING=ON --log-level=WARNING >/dev/null
	@cmake --build --preset release
	.venv/bin/python bench/run.py $(BENCH_ARGS)
	.venv/bin/python bench/sink_log.py

# MINUTES of endurance, then the other parts, which take about 15 minutes. SOAK_ARGS: see bench/soak.py --help.
# Needs root: for the lake's own file system, and for a control group.
MINUTES ?= 60
soak: setup-test
	@cmake --preset release -DBUILD_TESTING=ON --log-level=WARNING >/dev/null
	@cmake --build --preset release --target programs
	.venv/bin/python bench/soak.py --minutes $(MINUTES) $(SOAK_ARGS)

lint: setup-test
	@cmake --preset dev --log-level=WARNING >/dev/null
	scripts/lint.sh

format: setup-test
	git ls-files -co --exclude-standard '*.c' '*.h' | xargs .cache/lint/bin/clang-format -i

install: build
	cmake --install build/release --prefix $(PREFIX)

# build/package/esports-stream_VERSION_ARCHITECTURE.deb
package: build
	@scripts/apt-install.sh dpkg-dev file
	@cpack --config build/release/CPackConfig.cmake -B build/package

image:
	scripts/try-image.sh

# Program, package and unit tests for arm64, cross-compiled; the tests run under qemu. Needs root.
arm64:
	@scripts/arm64.sh

clean:
	rm -rf build

setup-build:
	@scripts/setup-build.sh

setup-check:
	@scripts/setup-check.sh

setup-test:
	@scripts/setup-test.sh
