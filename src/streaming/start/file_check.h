/* file_check.h: a start checks once that all files of the table exist (missing_files.h). With
 * MISSING_FILES=report a separate thread checks while the first batches run; with `stop` the check
 * ends before them. */
#ifndef STREAMING_START_FILE_CHECK_H
#define STREAMING_START_FILE_CHECK_H

#include <pthread.h>
#include <stdatomic.h>

#include "streaming/query/query.h"

struct file_check {
    struct query *query;
    bool is_running; // on `thread`
    pthread_t thread;
    atomic_bool end; // asks it to end early
};

/* After recovery. ERROR_STATE: files are missing, and MISSING_FILES=stop; with it also
 * ERROR_STOPPED, or what the disk's retry gave up with. Else it never fails. Driver thread. */
MUST_CHECK bool file_check_begin(struct file_check *self, struct query *query, struct error *err);

/* Before the query's store is closed. `finish`: the query has done all that it was to do, so that
 * its check is finished, too. */
void file_check_end(struct file_check *self, bool finish);

#endif
