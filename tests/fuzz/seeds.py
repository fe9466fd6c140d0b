"""Makes seeds of the fuzz targets from a lake that the program wrote (tests/data/lake-*.tar.xz).

    python3 tests/fuzz/seeds.py tests/data/lake-0.3.0.tar.xz

Each seed goes into tests/fuzz/corpus/<target>/ with the byte in front that says what it is. A seed
that exists already stays. tests/fuzz/run.py --keep adds inputs that fuzzing has found.
"""

import pathlib
import sys
import tarfile

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
SIZE_MAX = 4096  # bytes: what is longer is slow to vary

# Where a file is, and the letter of fuzz_checkpoint.c.
CHECKPOINT = {
    "offsets": b"o",
    "sources": b"i",
    "manifests": b"m",
    "coverage": b"v",
    "history": b"h",
    "changes": b"c",
    "metadata": b"x",
    "cluster": b"n",
    "kafka": b"k",
    "declaration": b"d",
    "_esports_stream": b"t",
}
PER_KIND = 3


def keep(target, name, content):
    path = CORPUS / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() and len(content) <= SIZE_MAX:
        path.write_bytes(content)


def kind_of(parts):
    return next((part for part in parts if part in CHECKPOINT), None)


def files(lake):
    with tarfile.open(lake) as archive:
        for member in archive:
            if member.isfile() and not pathlib.Path(member.name).name.startswith("."):
                yield pathlib.Path(member.name), archive.extractfile(member).read()


def main(lake):
    counts = {}
    logs = {}
    for path, content in sorted(files(lake)):
        kind = kind_of(path.parts)
        version = content[:2].decode() if content[:1] == b"v" else "0"
        group = (kind, version)
        if "_spark_metadata" in path.parts:
            logs.setdefault(str(path.parent), []).append((path.name, content))
        elif kind is not None and counts.get(group, 0) < PER_KIND:
            counts[group] = counts.get(group, 0) + 1
            name = f"{kind.strip('_')}-{version}-{counts[group]}"
            keep("checkpoint", name, CHECKPOINT[kind] + content)
        elif path.suffix == ".parquet" and counts.get(path.suffix, 0) < PER_KIND:
            counts[path.suffix] = counts.get(path.suffix, 0) + 1
            keep("parquet", f"lake-{counts[path.suffix]}", content)
    for number, entries in enumerate(logs.values()):
        newest = [content for name, content in entries if name.isdecimal()][:4]
        keep("sink_log", f"log-{number}", b"\x01" + b"\0".join(newest))
        compact = [content for name, content in entries if name.endswith(".compact")][:1]
        keep("sink_log", f"compact-{number}", b"\x00" + b"v1\0" + b"\0".join(compact)[:3000])


main(sys.argv[1])
