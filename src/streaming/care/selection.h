/* selection.h: which files of a table are merged, and why others wait.
 *
 * A file is small below three quarters of the target size; others are never rewritten. A job is
 * small files of one directory that become fewer. Pure: no disk, no clock.
 *
 *     command   every directory, files that are old enough
 *     closed    a directory whose date is over since an hour: what came by then, once; what came
 *               later is merged when there are 10 files of it or none came for a day, and what was
 *               merged before is taken along only if it is no larger than the rest
 *     live      the same, and before: files older than the interval that are not merged yet, when
 *               one of them is twice as old
 *
 * A directory without a date has that of each file's commit for one: files of a day become one, or
 * live, files of an interval; and these become one when they fill a file, or are 100. */
#ifndef STREAMING_CARE_SELECTION_H
#define STREAMING_CARE_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/zone.h"
#include "streaming/care/care_files.h"

enum selection_mode { SELECT_COMMAND, SELECT_CLOSED, SELECT_LIVE };

struct selection_rules {
    enum selection_mode mode;
    int date_level;        // of the directories: where the date is; -1: there is none
    int64_t target_size;   // bytes
    int64_t older_than_ms; // of SELECT_COMMAND (0: any), and the interval of SELECT_LIVE
    int64_t now_ms;
    struct zone zone; // of the dates
};

/* Files of one directory that become few. */
struct merge_job {
    const char *directory; // owned by the selection
    size_t *files;         // owned; indexes, by the time of their commit
    size_t count;
    int64_t bytes;
};

struct merge_wait {
    const char *directory; // likewise
    size_t count;          // small files
    char why[160];
};

struct selection {
    struct merge_job *jobs; // owned
    size_t job_count;
    struct merge_wait *waits; // owned
    size_t wait_count;
    char **directories; // owned
    size_t directory_count;
};

/* `files` are sorted. */
void selection_make(const struct care_files *files, const struct selection_rules *rules,
                    struct selection *selection);
void selection_deinit(struct selection *selection);

/* How many files so many bytes become. */
int64_t selection_files_after(int64_t bytes, int64_t target_size);

#endif
