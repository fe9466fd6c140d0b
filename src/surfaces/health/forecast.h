/* forecast.h: how many files a query will write a day, and how large they will be. Pure arithmetic,
 * which docs/operations.md ("Size") explains to people; --explain and the page show it.
 *
 *     batches a day   = 86,400 / trigger, but at most one for each record; fewer where a batch
 * waits for MIN_OFFSETS_PER_TRIGGER, and as many as MAX_OFFSETS_PER_TRIGGER makes necessary files a
 * batch   = tasks * partition values, but at most one for each record; a batch is one task up to
 * PLANNER_TASK_BYTES of records, else as many as it takes, up to the number of workers bytes of a
 * file = FORECAST_FILE_BYTES + FORECAST_ROW_BYTES * rows compacted       = for each partition value
 * of a day, its bytes / the target size, rounded up sink log        = FORECAST_LOG_COPIES *
 * FORECAST_ENTRY_BYTES * files of the table
 *
 * Rows are taken to be spread evenly over the partition values. */
#ifndef SURFACES_HEALTH_FORECAST_H
#define SURFACES_HEALTH_FORECAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    // Of the generated records, which are like the real ones: a file of one row has 8.6 to 9.0 KB,
    // and in large files a match takes 48 bytes and a player 83 (snappy).
    FORECAST_FILE_BYTES = 8500,
    FORECAST_ROW_BYTES = 70,
    // With `0 seconds` a batch begins when the one before is done: a small one takes 10 ms, and so
    // does looking again when nothing was there.
    FORECAST_LEAST_TRIGGER_MS = 20,
    FORECAST_VALUES = 4, // of a partition column
    // Fewer files hurt nobody, and a file of this size is none too small.
    FORECAST_FEW_FILES = 1000,
    FORECAST_LARGE_FILE = 8 << 20,
    // A line of the sink log, and how many compact files there are in the last 100 batches.
    FORECAST_ENTRY_BYTES = 250,
    FORECAST_LOG_COPIES = 11,
    FORECAST_DAYS = 30, // after which the sink log is forecast
};

enum forecast_compact {
    FORECAST_KEPT,   // files stay as they are
    FORECAST_CLOSED, // merged when their date is over
    FORECAST_LIVE,   // merged when they are old enough, and again when their date is over
};

struct forecast_input {
    bool available_now; // then there is no forecast
    int64_t trigger_ms;
    int64_t max_offsets;  // of one batch; 0: no limit
    int64_t min_offsets;  // that a batch waits for; 0: none
    int64_t max_delay_ms; // for so long at most
    double records_per_second;
    double partition_values; // combinations that occur in a day
    double row_bytes;
    double reject_share; // of the records; negative: not known
    size_t workers;
    enum forecast_compact compact;
    int64_t target_bytes; // of a merged file
};

struct forecast {
    double batches, files; // a day
    double file_bytes;     // mean
    double reject_files;   // a day; negative: not known
    double kept_files;     // that are left of a day's when it has been compacted, as `compact` says
    double kept_bytes;     // mean of these
    double log_bytes;      // of the sink log, after FORECAST_DAYS
    bool small;            // more than a few files, and small ones
};

struct forecast forecast_make(const struct forecast_input *input);

/* The least of some round triggers, in milliseconds, with which files are not small; 0: there is
 * none up to an hour. */
int64_t forecast_better_trigger(const struct forecast_input *input);

#endif
