#!/bin/bash
# embed-queries.sh OUTPUT FILE…: writes the built-in query files as a C file
# (src/streaming/declare/builtin.h).
set -euo pipefail
output=$1
shift

{
    echo '/* Made by scripts/embed-queries.sh. */'
    echo '#include "streaming/declare/builtin.h"'
    for file in "$@"; do
        echo "static const unsigned char $(basename "$file" .sql)[] = {"
        od -An -v -tx1 "$file" | sed 's/ \(..\)/0x\1,/g'
        echo "};"
    done
    echo 'const struct builtin_file builtin_files[] = {'
    for file in "$@"; do
        name=$(basename "$file" .sql)
        echo "    {\"queries/$name.sql\", $name, sizeof $name},"
    done
    echo '    {NULL, NULL, 0},'
    echo '};'
} >"$output.new"
mv "$output.new" "$output"
