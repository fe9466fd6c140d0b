#!/bin/sh
# The same seeds twice: every line of the traces of all lives is the same.
set -eu
first=$("$1" --lives 100 --seed 5000 --jobs 2 --hash | grep '^hash ')
second=$("$1" --lives 100 --seed 5000 --jobs 2 --hash | grep '^hash ')
other=$("$1" --lives 100 --seed 6000 --jobs 2 --hash | grep '^hash ')
echo "$first, again $second; other seeds $other"
test -n "$first" && test "$first" = "$second" && test "$first" != "$other"
