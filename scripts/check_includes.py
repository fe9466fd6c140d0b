#!/usr/bin/python3
"""The include rules of ARCHITECTURE.md, checked on every file below src/.

A floor includes only itself and the floors below it. A foreign library is included only in the files
that the table "Adapters" of ARCHITECTURE.md names; a header that is neither ours nor the system's
must be in that table."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
INCLUDE = re.compile(r'^#include ([<"])([^>"]+)[>"]', re.M)
ROW = re.compile(r"^\| *[\w ]+ *\| *`<([^>]+)>` *\| *(.*?) *\|$", re.M)

MAY_INCLUDE = {
    "base": {"base"},
    "core": {"core", "base"},
    "schemas": {"schemas", "core", "base"},
    "pipeline": {"pipeline", "core", "base"},
    "streaming": {"streaming", "pipeline", "schemas", "core", "base"},
    "surfaces": {"surfaces", "streaming", "pipeline", "schemas", "core", "base"},
    "main.c": {"surfaces", "streaming", "pipeline", "schemas", "core", "base"},
}

SYSTEM = set("""
    arpa/inet.h assert.h ctype.h dirent.h errno.h fcntl.h fenv.h float.h getopt.h immintrin.h
    inttypes.h limits.h locale.h malloc.h math.h netdb.h netinet/in.h netinet/tcp.h nmmintrin.h poll.h
    pthread.h sanitizer/asan_interface.h sched.h setjmp.h signal.h stdalign.h stdarg.h stdatomic.h
    stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h strings.h time.h unistd.h wchar.h
""".split())
SYSTEM_FOLDERS = ("sys/", "linux/")


def adapters():
    """{header: the files that may include it}."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    return {header: set(re.findall(r"`([\w./]+)`", files)) for header, files in ROW.findall(text)}


def faults_of(path, foreign):
    place = path.relative_to(ROOT / "src")
    for kind, header in INCLUDE.findall(path.read_text()):
        if kind == '"':
            floor = header.split("/")[0]
            if floor not in MAY_INCLUDE[place.parts[0]]:
                yield f"{place}: {place.parts[0]} may not include {header}"
        elif header in foreign:
            if str(place) not in foreign[header]:
                yield f"{place}: <{header}> belongs to {', '.join(sorted(foreign[header]))}"
        elif header not in SYSTEM and not header.startswith(SYSTEM_FOLDERS):
            yield f"{place}: <{header}> is not in the table of adapters in ARCHITECTURE.md"


def main():
    foreign = adapters()
    if not foreign:
        sys.exit("check_includes.py: no table of adapters in ARCHITECTURE.md")
    sources = sorted((ROOT / "src").rglob("*.[ch]"))
    faults = [fault for path in sources for fault in faults_of(path, foreign)]
    print("\n".join(faults) or f"{len(sources)} files keep the include rules")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
