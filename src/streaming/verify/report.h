/* report.h: what a verification is asked for, and what it has to say: numbers by partition, and
 * sentences, of which all are counted and of each kind the first VERIFY_TEXTS_MAX are kept. */
#ifndef STREAMING_VERIFY_REPORT_H
#define STREAMING_VERIFY_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "streaming/kafka/broker.h"
#include "streaming/store/store_options.h"

struct query_plan;

struct verify_options {
    const struct store_options *store;
    struct broker *broker;
    int64_t memory_max; // bytes; SPARK_DRIVER_MEMORY
    int workers;
    int timeout_ms;                // how long the broker may keep silent
    const struct query_plan *plan; // tells how many rows a record has; NULL: one
};

/* What can be said of a table. The first three are faults. */
enum verify_kind {
    VERIFY_FILE,      // a file that is not as a log says, or that no log knows
    VERIFY_MISSING,   // a range of offsets
    VERIFY_DUPLICATE, // likewise, with the files that hold them
    VERIFY_LOST,      // likewise, to retention
    VERIFY_ABSENT,    // likewise
    VERIFY_NOTE,
    VERIFY_KINDS,
};

enum { VERIFY_TEXTS_MAX = 50 }; // of each kind

struct verify_partition {
    int32_t incarnation; // of the topic: streaming/offsets/incarnation.h
    int32_t partition;
    int64_t start, end;    // what the committed batches took: [start, end)
    int64_t rows, rejects; // rows in the files of the table and of the rejects table, without the
                           // rejects that were replayed: they are resolved by now
    int64_t records;       // offsets that have rows in the table
    int64_t empty, filtered, absent, lost, missing, unproven;
    int64_t expired, accepted; // offsets without a row whose rows left the table with a change
    int64_t duplicates;        // times that an offset was met again; with LATERAL VIEW, a row of it
    // If each record is one row, start + rows + rejects + absent + lost + expired + accepted +
    // missing + unproven - duplicates == end. Otherwise, without duplicates, start + records +
    // rejects + empty + filtered + absent + lost + expired + accepted + missing + unproven == end.
};

struct verify_texts {
    char **texts; // owned; the first VERIFY_TEXTS_MAX
    size_t count; // of all
};

struct verify_report {
    int64_t horizon;     // batch id; -1: no batch is committed yet
    bool sink_log;       // the table has one
    bool row_per_record; // of the query; if not, the counts of records tell more
    size_t partition_count;
    struct verify_partition *partitions; // owned; ascending by incarnation and partition
    struct verify_texts texts[VERIFY_KINDS];
    int64_t damaged_batch; // the oldest one whose files are missing or damaged; -1: none is known
    bool damaged_before;   // or older ones may be: no manifest names a damaged file
    int64_t resolved;      // rows of the rejects table that were replayed
    int64_t table_files, reject_files;
    int64_t bytes; // of these files
    int64_t rows;  // whose offsets were read, each pass counted
    int64_t scan_us;
    int passes;
    int64_t asked; // records that the broker was asked for and gave
};

/* One thread. */
void verify_say(struct verify_report *report, enum verify_kind kind, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* A file of the batch is missing or damaged; -1: of a batch that is not known. */
void verify_note_damaged(struct verify_report *report, int64_t batch_id);

/* How many things are wrong. */
size_t verify_faults(const struct verify_report *report);

void verify_report_deinit(struct verify_report *report);

#endif
