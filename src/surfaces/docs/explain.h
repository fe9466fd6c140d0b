/* explain.h: what --explain prints. It only reads the settings and starts nothing. */
#ifndef SURFACES_DOCS_EXPLAIN_H
#define SURFACES_DOCS_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "surfaces/settings/config.h"

/* Engine, effective settings with their origin, properties for librdkafka (secrets as ***), memory,
 * and per query that would run its topic, paths, partition columns, how many files a day it would
 * write, and schema. */
void explain_print(FILE *out, const struct config *config);

/* The same as one JSON object (explain_json.c). Members are only ever added; what is not known is
 * null. */
void explain_print_json(FILE *out, const struct config *config);

/* ---- the forecast, for the tests, too ---- */

/* How many files a query will write a day, and how large they will be. Pure arithmetic, which
 * docs/operations.md ("Size") explains to people.
 *
 *     batches a day   = 86,400 / trigger, but at most one for each record, and as many as
 *                       MAX_OFFSETS_PER_TRIGGER makes necessary
 *     files a batch   = tasks * partition values, but at most one for each record; a batch is one
 *                       task up to PLANNER_TASK_BYTES of records, else as many as it takes, up to
 *                       the number of workers
 *     bytes of a file = FORECAST_FILE_BYTES + FORECAST_ROW_BYTES * rows
 *
 * Rows are taken to be spread evenly over the partition values. */
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
};

struct forecast_input {
    bool available_now; // then there is no forecast
    int64_t trigger_ms;
    int64_t max_offsets; // of one batch; 0: no limit
    double records_per_second;
    double partition_values; // combinations that occur
    size_t workers;
};

struct forecast {
    double batches, files; // a day
    double file_bytes;     // mean
    bool small;            // more than a few files, and small ones
};

/* Of a query with these settings, except the rate. Nobody knows the partition values before the
 * topic is read: FORECAST_VALUES for each column is a guess. */
struct forecast_input forecast_input_of(const struct config *config, const struct stream *stream);

/* The rates that are forecast, in records a second. */
enum { FORECAST_RATES = 6 };
extern const double forecast_rates[FORECAST_RATES];

struct forecast forecast_make(const struct forecast_input *input);

/* The least of some round triggers, in milliseconds, with which files are not small; 0: there is
 * none up to an hour. */
int64_t forecast_better_trigger(const struct forecast_input *input);

#endif
