/* missing_files.h: files of the table that must exist, but are gone or changed, and files that
 * should not be there: somebody deleted, moved, replaced or merged them by hand. The sink log says
 * which files the table has, and Spark's readers fail on each that is gone. Without a sink log, the
 * manifests name the files of the newest 100 batches.
 *
 * Only reads. It takes 8 bytes of memory for each file of the table, and no more than 8 MiB: a
 * table of more than a million files is listed several times. */
#ifndef STREAMING_RECOVERY_MISSING_FILES_H
#define STREAMING_RECOVERY_MISSING_FILES_H

#include <stdatomic.h>

#include "base/error.h"
#include "base/system/stop.h"
#include "streaming/store/store_options.h"

enum {
    MISSING_FILES_NAMED = 3,
    MISSING_FILES_TEXT_MAX = 512,
    MISSING_FILES_IN_MEMORY = 1 << 20, // names
};

struct missing_files {
    bool by_log;      // what said that they must be there: the sink log, or manifests
    int64_t expected; // how many must be there
    int64_t count;    // of them, how many are not
    int64_t resized;  // of them, how many have another size
    int64_t unlisted; // not in the sink log, but with offsets of committed batches
    char names[MISSING_FILES_TEXT_MAX]; // the first three, by commas; relative to the table
};

/* What to look at, and how; all is borrowed. */
struct missing_files_search {
    const struct store_options *options;
    size_t names_max;       // in memory
    struct stop *stop;      // ends the search early,
    const atomic_bool *end; // as this does
};

/* As of now; the query may run meanwhile, and the store is opened again to read. ERROR_STOPPED: it
 * was ended early; ERROR_RETRY, ERROR_LIMIT: the disk; ERROR_STATE: a log or manifest is damaged.
 */
MUST_CHECK bool missing_files_find(const struct missing_files_search *search,
                                   struct missing_files *missing, struct error *err);

/* Whether there is anything to be said. */
bool missing_files_any(const struct missing_files *missing);

/* Says so in one sentence, and what to do; there is something. */
void missing_files_describe(const struct missing_files *missing, const char *table,
                            struct error *text);

#endif
