#!/usr/bin/python3
"""System calls on the lake are made only in base/disk/; checked on every file below src/.

Tests and the simulator can only make calls fail that they see. So a call that uses or makes a name, opens, maps, locks
or syncs is allowed in base/disk/ only, or in a file of the table below, which is not about the lake. read(), write() and
close() need a descriptor from such a call, and are not checked."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1] / "src"
SEAM = "base/disk/"

CALLS = """
    access creat euidaccess eaccess faccessat fopen fopen64 freopen open open64 openat tmpfile mkostemp mkstemp mkdtemp
    chdir chmod chown getxattr setxattr fchmod fchmodat fchown glob link linkat mkdir mkdirat mkfifo mknod readlink readlinkat realpath
    remove rename renameat renameat2 rmdir symlink symlinkat truncate unlink unlinkat utime utimensat utimes
    fstat fstatat fstatfs fstatvfs lstat stat stat64 statfs statvfs statx
    closedir fdopendir fts_open ftw nftw opendir readdir scandir
    fallocate fdatasync flock fsync ftruncate lockf posix_fallocate sync syncfs sync_file_range
    copy_file_range fcntl madvise mmap pread preadv pwrite pwritev sendfile syscall
""".split()

# What is not part of the lake, and the calls that are made for it.
ELSEWHERE = {
    "base/limit.c": ("fopen", "/proc/self/cgroup and /sys/fs/cgroup"),
    "base/system/confine.c": ("open fstat syscall", "places that Landlock allows, before anything else is opened"),
    "base/system/confine_calls.c": ("syscall", "seccomp()"),
    "base/system/process.c": ("fopen opendir readdir closedir", "/proc/self"),
    "base/system/thread.c": ("syscall", "ioprio_set(), a thread's priority"),
    "core/zone.c": ("open fstat", "the system's time zones"),
    "main.c": ("fcntl open", "descriptors 0 to 2 at the start"),
    "pipeline/source/source_file.c": ("open fstat mmap madvise", "captured records, a source in Kafka's place"),
    "streaming/kafka/capture.c": ("opendir readdir closedir", "captured records, a source in Kafka's place"),
    "streaming/cluster/engine/former_run.c": ("fopen", "/proc/<pid>/cmdline of a Spark server"),
    "streaming/cluster/spark/spark_distribution.c": (
        "access closedir fstat glob mmap open opendir readdir stat", "the user's Spark and its jars"),
    "streaming/cluster/spark/spark_process.c": ("fcntl open", "a child's pipe, and /dev/null"),
    "streaming/cluster/spark/spark_setup.c": ("mkdtemp open unlink rmdir", "a Spark server's properties, in TMPDIR"),
    "surfaces/doctor/doctor_machine.c": ("opendir readdir closedir", "the system's certificates"),
    "surfaces/docs/completion.c": ("readlink", "/proc/self/exe, for the shells"),
    "surfaces/infer/infer_command.c": ("fopen", "files of records, in Kafka's place"),
    "surfaces/settings/variables.c": ("fopen", "the file of settings"),
    "surfaces/terminal/output.c": ("fstat", "standard output"),
}

COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
CALL = re.compile(r"(?<![\w.>])(" + "|".join(CALLS) + r")\s*\(")
TABLE = re.compile(r"\b(disk(?:_real)?)(?:->|\.)\w+\(|\b(disk_ops)\b")


HEADER = '#include "base/disk/disk.h"'  # the table of calls


def found_in(text):
    """(line, word) of each call in a C source."""
    code = COMMENT_OR_TEXT.sub(lambda match: "\n" * match.group().count("\n"), text)
    for pattern in (CALL, TABLE):
        for match in pattern.finditer(code):
            yield code.count("\n", 0, match.start()) + 1, match.group(1) or match.group(2)
    if HEADER in text:
        yield text.count("\n", 0, text.index(HEADER)) + 1, HEADER


def faults_of(place, text):
    if place.startswith(SEAM):
        return
    calls, _ = ELSEWHERE.get(place, ("", ""))
    unused = set(calls.split())
    for line, word in found_in(text):
        if word not in calls.split():
            yield f"src/{place}:{line}: {word}: only {SEAM} touches the lake; or say in check_calls.py what this is about"
        unused.discard(word)
    if unused:
        yield f"check_calls.py: src/{place} does not call {', '.join(sorted(unused))} any more"


def check_itself():
    """That a fault would be found: a check that finds nothing looks like a clean tree."""
    place = "streaming/store/some.c"
    for text in ("int fd = open(path, O_RDONLY);", "if (\n    stat (path, &status))", "(void)disk->unlink(path);",
                 "struct disk_ops ops;", HEADER, "FILE *file = fopen(path, \"re\");"):
        assert list(faults_of(place, text)), text
    for text in ("source->ops->open(source);", "file_open(path);", "// open(path)", 'say("open(%s)", path);'):
        assert not list(faults_of(place, text)), text


def main():
    check_itself()
    sources = sorted(ROOT.rglob("*.[ch]"))
    places = {str(path.relative_to(ROOT)): path for path in sources}
    faults = [f"check_calls.py: there is no src/{place}" for place in sorted(ELSEWHERE.keys() - places.keys())]
    for place, path in places.items():
        faults += faults_of(place, path.read_text())
    print("\n".join(faults) or f"{len(sources)} files leave the lake to {SEAM}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
