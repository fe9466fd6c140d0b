/* operations.h: what an operator does to the directories of one query while it is stopped.
 *
 *     accept     takes a table as it is that another program has changed
 *     adopt      begins a sink log that lists the table's files, for a table of the foreachBatch
 *                job; or takes the offsets for those of another Kafka cluster
 *     release    takes the sink log away again
 *     relocate   rewrites the absolute paths in the logs, after the lake was moved
 *     rewind     takes the newest batches back, so that they can be done again
 *
 * (and streaming/operations/replay.h, which parses rejects again, and care.h, which merges files
 * and lets dates expire)
 *
 * Each takes the checkpoint's lock, prints to `out` what it did, and may be killed at any moment:
 * run again, it finishes. Data files are renamed at most, never deleted. With `dry_run` it prints
 * what it would do instead, changes nothing and takes no lock. ERROR_LOCKED: the query runs;
 * ERROR_CONFIG: paths or numbers that don't fit; ERROR_STATE: a state that must be left alone, with
 * the fix; ERROR_RETRY: the disk. */
#ifndef STREAMING_OPERATIONS_OPERATIONS_H
#define STREAMING_OPERATIONS_OPERATIONS_H

#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "streaming/store/store_options.h"

struct broker;         // streaming/kafka/broker.h
struct offsets;        // streaming/offsets/offset_log.h
struct query_options;  // streaming/query/query_definition.h
struct recovery;       // streaming/recovery/recover.h
struct store;          // streaming/store/store.h
struct verify_options; // streaming/verify/report.h

MUST_CHECK bool operation_adopt(const struct store_options *options, bool dry_run, FILE *out,
                                struct error *err);
/* Takes the table as it is: files that are gone, replaced or merged by another program. The broker
 * of the options is not asked. */
MUST_CHECK bool operation_accept(const struct verify_options *options, bool dry_run, FILE *out,
                                 struct error *err);
/* Notes that the checkpoint's offsets are of the Kafka cluster `id`. */
MUST_CHECK bool operation_adopt_kafka(const struct store_options *options, const char *id,
                                      bool dry_run, FILE *out, struct error *err);
MUST_CHECK bool operation_release(const struct store_options *options, bool dry_run, FILE *out,
                                  struct error *err);
MUST_CHECK bool operation_relocate(const struct store_options *options, bool dry_run, FILE *out,
                                   struct error *err);

/* Which batch is the newest that stays. */
struct rewind_request {
    bool by_time;
    int64_t to_batch;                  // or the newest one that was planned before
    int64_t before_ms;                 // milliseconds since 1970
    struct broker *broker;             // asked whether the records are still there; NULL: nobody is
    const struct query_options *query; // of the store; how files are written that must be split
    int64_t memory_max;                // bytes, for that
};

/* `next`: where the batch after it reads from, owned by the caller also after an error; empty:
 * there was nothing to do. ERROR_BROKER: Kafka does not answer. */
MUST_CHECK bool operation_rewind(const struct store_options *options,
                                 const struct rewind_request *request, bool dry_run,
                                 struct offsets *next, FILE *out, struct error *err);

/* ---- for the operations themselves ---- */

/* Whether there is a checkpoint, and no Spark cluster runs its query. ERROR_CONFIG, ERROR_STATE. */
MUST_CHECK bool operation_check(const struct store_options *options, struct error *err);

/* The store of a query that has run before: locked, or with `dry_run` only to be read, and then
 * `out` gets a line if the query runs now. ERROR_CONFIG: there is no checkpoint. */
MUST_CHECK bool operation_open(const struct store_options *options, bool dry_run, FILE *out,
                               struct store **store, struct error *err);

/* Recovery as at a start; what it did is printed to `out`. With `dry_run` only what it would do;
 * *settled false: the operation can't be shown any further. */
MUST_CHECK bool operation_recover(struct store *store, bool dry_run, struct recovery *recovery,
                                  bool *settled, FILE *out, struct error *err);

/* The first few files with a fault, for the message of a refusal. */
struct examples {   // {0}: none yet
    char text[700]; // "'<path>' <what>, …"; always terminated
    size_t used;
    int64_t count; // all that were added; the first few are in `text`
};

void examples_add(struct examples *examples, const char *path, const char *what);

#endif
