/* disk_versions.h: the newest version of each of our files on disk, the first line of the file.
 *
 * A change of one changes the program's version in CMakeLists.txt, too, and adds a row to the table
 * in docs/upgrading.md; tests/deploy/test_release.py compares them. So one version of the program
 * always reads and writes the same versions of files. */
#ifndef STREAMING_STORE_DISK_VERSIONS_H
#define STREAMING_STORE_DISK_VERSIONS_H

enum {
    MANIFEST_VERSION = 5, // manifests/N
    HISTORY_VERSION = 1,  // history/S
    COVERAGE_VERSION = 5, // coverage/N
    CHANGE_VERSION = 1,   // changes/N
    NOTE_VERSION = 1,     // cluster, kafka, declaration
};

#endif
