/* batch_report.h: what a committed batch was, for whoever looks at a running query.
 *
 * A report is one block of memory, never changes once it is made, and is shared by count of
 * references: a reader takes references under a lock and reads without one. */
#ifndef STREAMING_REPORT_BATCH_REPORT_H
#define STREAMING_REPORT_BATCH_REPORT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "core/decoder.h"
#include "core/reject.h"

/* One partition of the topic; also those of which the batch took nothing. */
struct report_range {
    int32_t partition;
    int64_t start, end;
    int64_t topic_end; // when the batch was planned
    int64_t rows, rejects, absent, lost;
};

struct report_faults {
    size_t column; // of the query's schema
    int64_t values;
};

struct batch_report {
    atomic_int references;
    size_t memory; // bytes of the block

    int64_t batch_id;
    int64_t timestamp_ms;             // the plan's
    int64_t started_ms, committed_ms; // wall clock: the trigger's begin, the end of the commit

    int64_t rows, rejects, absent, lost;
    int64_t files, bytes;         // of the table; -1: not known
    int64_t input_bytes;          // of the records' values
    int64_t unknown_keys;         // in rows, as are the faults
    int64_t trailing_bytes;       // records with bytes behind their value
    int64_t oldest_ms, newest_ms; // Kafka timestamps of its rows; 0: none has one
    int64_t lag_after;            // records of the listing it was planned from, not taken yet
    int64_t rejects_by[REJECT_REASON_COUNT];

    int64_t since_trigger_us; // from the begin of the trigger before; 0: it was the first
    int64_t total_us;         // from started to committed
    /* The parts of total_us: their sum is total_us. What workers did side by side is scaled to the
     * time that it took; an attempt that failed counts, with the wait behind it, as fetching when
     * it was the broker, as writing when it was the disk. */
    int64_t stage_us[STAGE_COUNT];
    /* Parts of STAGE_PLAN and STAGE_COMMIT, by Spark's names. */
    int64_t latest_offset_us, query_planning_us, wal_commit_us, commit_offsets_us;

    size_t range_count, fault_count, name_count;
    const struct report_range *ranges; // ascending by partition
    const struct report_faults *faults;
    const struct unknown_name *names; // of unknown keys; the rest of unknown_keys has no name here
};

/* A copy in one block, with one reference. */
struct batch_report *batch_report_create(const struct batch_report *draft);

/* Any thread. */
struct batch_report *batch_report_share(struct batch_report *report); // takes a reference: `report`
void batch_report_release(struct batch_report *report);

/* Rows and rejects: what Spark calls input rows. */
int64_t batch_report_records(const struct batch_report *report);

/* As Spark has them: records by the time since the trigger before (0: there was none), and by the
 * time that the batch took. */
double batch_report_input_rate(const struct batch_report *report);
double batch_report_process_rate(const struct batch_report *report);

#endif
