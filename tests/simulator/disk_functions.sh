#!/bin/sh
# disk_functions.sh NM ARCHIVE DIRECTORY: prints a C header with the functions and files of the archive's members that
# were made from the directory's files.
set -eu
nm=$1 archive=$2 directory=$3

echo 'static const char *const disk_files[] = {'
for source in "$directory"/*.c; do
    echo "    \"${source##*/}\","
done
echo '};'
echo 'static const char *const disk_functions[] = {'
for source in "$directory"/*.c; do
    "$nm" -A -g --defined-only "$archive" | sed -n "s/^[^:]*:${source##*/}\.o:[0-9a-f]* T \([A-Za-z_0-9]*\)\$/    \"\1\",/p"
done
echo '};'
