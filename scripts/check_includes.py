#!/usr/bin/python3
"""A foreign library is included only in its adapters, which the table "Dependencies" of ARCHITECTURE.md
names; checked on every file below src/. What our own files may include: scripts/rooms.py."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
INCLUDE = re.compile(r'^#include ([<"])([^>"]+)[>"]', re.M)
ROW = re.compile(r"^\| ([^|]+) \|[^|]+\| ([^|]+) \|$", re.M)  # library | why | adapters

LIBRARIES = {
    "curl/curl.h": "libcurl",
    "jansson.h": "jansson",
    "librdkafka/rdkafka.h": "librdkafka",
    "librdkafka/rdkafka_mock.h": "librdkafka",
    "lz4.h": "lz4",
    "microhttpd.h": "libmicrohttpd",
    "nghttp2/nghttp2.h": "nghttp2",
    "openssl/bio.h": "OpenSSL",
    "openssl/err.h": "OpenSSL",
    "openssl/ssl.h": "OpenSSL",
    "openssl/x509v3.h": "OpenSSL",
    "roaring/roaring.h": "CRoaring",
    "snappy-c.h": "snappy",
    "streaming/cluster/connect/rpc_status.pb-c.h": "protobuf-c",  # made by the build from our .proto files
    "streaming/cluster/connect/spark_connect.pb-c.h": "protobuf-c",
    "uuid/uuid.h": "libuuid",
    "zstd.h": "zstd",
}

SYSTEM = set("""
    arpa/inet.h assert.h ctype.h dirent.h emmintrin.h errno.h fcntl.h fenv.h float.h getopt.h glob.h immintrin.h
    inttypes.h limits.h locale.h malloc.h math.h netdb.h netinet/in.h netinet/tcp.h nmmintrin.h poll.h
    pthread.h pwd.h sanitizer/asan_interface.h sched.h search.h setjmp.h signal.h stdalign.h stdarg.h stdatomic.h
    stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h strings.h time.h unistd.h wchar.h
""".split())
SYSTEM_FOLDERS = ("sys/", "linux/")


def adapters():
    """{library: the files that may include it}, a file meaning its header and its source."""
    found = {}
    for libraries, files in ROW.findall((ROOT / "ARCHITECTURE.md").read_text()):
        for library in libraries.split(", "):
            found[library] = set(re.findall(r"`([\w/]+)\.c`", files))
    return found


def faults_of(path, allowed):
    place = path.relative_to(ROOT / "src")
    for kind, header in INCLUDE.findall(path.read_text()):
        library = LIBRARIES.get(header)
        if library:
            if str(place.with_suffix("")) not in allowed.get(library, ()):
                yield f"{place}: is not an adapter of {library} in ARCHITECTURE.md"
        elif kind == "<" and header not in SYSTEM and not header.startswith(SYSTEM_FOLDERS):
            yield f"{place}: <{header}> is neither the system's nor a library of ours"


def main():
    allowed = adapters()
    missing = set(LIBRARIES.values()) - allowed.keys()
    if missing:
        sys.exit(f"check_includes.py: ARCHITECTURE.md names no adapters of {', '.join(missing)}")
    sources = sorted(path for path in (ROOT / "src").rglob("*.*") if path.suffix in (".c", ".h", ".y", ".re"))
    faults = [fault for path in sources for fault in faults_of(path, allowed)]
    print("\n".join(faults) or f"{len(sources)} files keep the include rules")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
