#!/bin/bash
# lint.sh [format|includes|rooms|words|links|tidy]...: the checks that read the source; all of them by default.
# tidy reads build/dev/compile_commands.json: that preset must have been configured.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH=$PWD/.cache/lint/bin:$PATH # as scripts/setup-check.sh has installed them

sources() { git ls-files -co --exclude-standard -- "$@"; }

format() { sources '*.c' '*.h' | xargs clang-format --dry-run -Werror; }

includes() {
    local failed=0
    /usr/bin/python3 scripts/check_includes.py || failed=1
    /usr/bin/python3 scripts/check_calls.py || failed=1
    return $failed
}

rooms() { /usr/bin/python3 scripts/rooms.py; }

words() { /usr/bin/python3 scripts/check_words.py; }

links() { /usr/bin/python3 scripts/check_links.py; }

# Headers are checked through the files that include them (HeaderFilterRegex).
tidy() {
    local headers=.cache/clang-14/usr/lib/llvm-14/lib/clang/14.0.6
    sources 'src/*.c' 'tests/*.c' |
        xargs -P "$(nproc)" -n 4 clang-tidy -p build/dev --quiet \
            --extra-arg=-Wno-unknown-warning-option --extra-arg=-resource-dir="$PWD/$headers" 2> >(grep -v ' generated\.$' >&2)
}

checks=("$@")
[ $# -gt 0 ] || checks=(format includes rooms words links tidy)

failed=0
for check in "${checks[@]}"; do
    "$check" || { echo "lint: $check found something" >&2; failed=1; }
done
exit $failed
