/* query_history.h: what a query has done since it started: sums, the newest batches, rates over
 * minutes and hours, the newest rejects.
 *
 * The query's driver adds a batch when it is committed; any thread takes copies or references. The
 * lock is held for as long as a copy takes (some microseconds), never for I/O or formatting.
 *
 * Memory of one query: 240 KB for the rates, up to HISTORY_REPORT_BYTES (2 MiB) for batches, up to
 * 250 KB for samples of rejects. With two queries less than 5 MiB of SPARK_DRIVER_MEMORY, taken as
 * it fills. */
#ifndef STREAMING_REPORT_QUERY_HISTORY_H
#define STREAMING_REPORT_QUERY_HISTORY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "core/file_list.h"
#include "core/plan.h"
#include "core/reject.h"
#include "core/schema.h"
#include "streaming/tasks/tally.h"

/* ---- one batch ---- */

/* One partition of the topic; also those of which the batch took nothing. */
struct report_range {
    int32_t partition;
    int64_t start, end;
    int64_t topic_end;           // when the batch was planned
    struct range_outcome counts; // its range is not filled
};

struct report_faults {
    size_t field; // of the query's schema
    int64_t values;
};

/* What a committed batch was. A report is one block of memory, never changes once it is made, and
 * is shared by count of references: a reader takes references under a lock and reads without one.
 */
struct batch_report {
    atomic_int references;
    size_t memory; // bytes of the block

    int64_t batch_id;
    int64_t timestamp_ms;             // the plan's
    int64_t started_ms, committed_ms; // wall clock: the trigger's begin, the end of the commit

    int64_t rows, rejects, absent, lost;
    int64_t accepted;                       // records that are not rejects; without WHERE and
    int64_t empty, filtered, filtered_rows; // LATERAL VIEW each is a row, and these are 0
    int64_t files, bytes;                   // of the table; -1: not known
    int64_t input_bytes;                    // of the records' values
    int64_t unknown_keys;                   // in rows and rejected objects
    int64_t trailing_bytes;                 // rows with bytes behind their value
    int64_t oldest_ms, newest_ms;           // Kafka timestamps of its rows; 0: none has one
    int64_t lag_after;                      // records behind it in the topic; -1: not known
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

/* Accepted ones and rejects: what Spark calls input rows. */
int64_t batch_report_records(const struct batch_report *report);

/* As in Spark: records by the time since the trigger before (0: there was none), and by the
 * time that the batch took. */
double batch_report_input_rate(const struct batch_report *report);
double batch_report_process_rate(const struct batch_report *report);

/* ---- all of them ---- */

enum {
    HISTORY_REPORTS_MAX = 1000,     // batches kept, fewer if they have many partitions:
    HISTORY_REPORT_BYTES = 2 << 20, // of memory for all of them

    FILE_SIZES = 9, // classes: up to 64 KiB, 256 KiB, … 1 GiB (powers of 4), beyond
    FILE_SIZE_SMALLEST = 64 << 10, // bytes
    FILE_SMALL = 1 << 20,          // a smaller file is a small file

    DURATION_BOUNDS = 13,
    DURATION_TOTAL = STAGE_COUNT, // index of a batch's whole duration
    DURATION_COUNT,

    DELAY_BOUNDS = 13,
};

/* Upper bounds in microseconds of the classes of durations; one more class is beyond them. */
extern const int64_t duration_bounds_us[DURATION_BOUNDS];
extern const int64_t delay_bounds_ms[DELAY_BOUNDS]; // likewise, in milliseconds

/* Largest size of a class of files, in bytes; INT64_MAX for the last. */
int64_t file_size_bound(size_t size_class);

/* Of committed batches, since the program started. */
struct query_totals {
    int64_t batches, rows, rejects, absent, lost;
    int64_t accepted, empty, filtered, filtered_rows; // as of a batch
    int64_t files, bytes, small_files;
    int64_t input_bytes, unknown_keys, trailing_bytes;
    int64_t rejects_by[REJECT_REASON_COUNT];
    int64_t field_faults[SCHEMA_FIELDS_MAX];
    struct unknown_keys unknown_names;
    int64_t file_sizes[FILE_SIZES];
    int64_t duration_us[DURATION_COUNT];                    // sums
    int64_t durations[DURATION_COUNT][DURATION_BOUNDS + 1]; // batches by class of duration
    int64_t committed_ms;     // the newest batch; wall clock; 0: none yet
    int64_t newest_record_ms; // the latest Kafka timestamp of a row; 0: not known
    int64_t witness_ms;       // likewise, without batches that have one from the future
    /* From a batch's oldest Kafka timestamp to its commit; batches without a timestamp are left
     * out. */
    int64_t delay_ms, delays[DELAY_BOUNDS + 1];
};

enum history_step { HISTORY_10_S, HISTORY_60_S, HISTORY_STEPS };

enum { HISTORY_POINTS_MAX = 1440 };

/* What was committed in the seconds [begin_s, begin_s + step). */
struct history_point {
    int64_t begin_s; // since 1970; a multiple of the step
    int64_t batches, rows, rejects, accepted;
    int64_t input_records, since_trigger_us; // of the batches that had a trigger before them
    int64_t total_us, stage_us[STAGE_COUNT]; // sums
    int64_t lag_after;                       // of the newest batch; -1: not known
};

struct query_history {
    pthread_mutex_t lock; // guards everything below
    struct query_totals totals;
    struct batch_report *reports[HISTORY_REPORTS_MAX]; // owned, a ring
    size_t report_first, report_count, report_bytes;
    struct history_point *points[HISTORY_STEPS]; // owned rings, by time
    struct reject_samples samples;
};

void query_history_init(struct query_history *history);
void query_history_deinit(struct query_history *history);

/* Driver thread: a batch is committed. Takes over `report` and the samples in `tally`. `files` are
 * those of the table. */
void query_history_add(struct query_history *history, struct batch_report *report,
                       const struct file_list *files, struct tally *tally);

/* Any thread. */
struct query_totals query_history_totals(struct query_history *history);

/* References to the newest `most` of the batches after number `after`, oldest first, to be given
 * back one by one; the number of them. */
size_t query_history_batches(struct query_history *history, int64_t after, size_t most,
                             struct batch_report *out[static HISTORY_REPORTS_MAX]);

/* Seconds of a step, and how many points of it are kept. */
int64_t history_step_seconds(enum history_step step);
size_t history_step_points(enum history_step step);

/* The `count` points up to the one that holds now_s, oldest first; all zero where no batch was. */
void query_history_points(struct query_history *history, enum history_step step, int64_t now_s,
                          size_t count, struct history_point *out);

size_t query_history_rejects(struct query_history *history,
                             struct reject_sample *out[static REJECT_SAMPLES_MAX]);

/* Bytes. */
size_t query_history_memory(struct query_history *history);

#endif
