#!/bin/bash
# print-completions.sh DIRECTORY PREFIX PROGRAM...: has the program (behind an emulator, if it is of
# another machine) print its completions into the directory, for the place where it will be installed.
set -eu
directory=$1 installed=$2/bin/esports-stream
shift 2
for shell in bash zsh fish; do
    "$@" completion $shell | sed -E "s#(local program=|set -l program )'[^']*'#\1'$installed'#" >"$directory/completion.$shell"
    grep -q "'$installed'" "$directory/completion.$shell"
done
