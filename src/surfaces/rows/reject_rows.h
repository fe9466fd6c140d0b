/* reject_rows.h: the rows of a query's rejects table: which of them a command is about, by its
 * options --reason, --partition, --offsets, --since and --until, and how one is shown. */
#ifndef SURFACES_ROWS_REJECT_ROWS_H
#define SURFACES_ROWS_REJECT_ROWS_H

#include "pipeline/sink/reject_table.h"
#include "streaming/changes/rejects.h"
#include "surfaces/rows/newest_rows.h"
#include "surfaces/settings/config.h"

/* The columns of the rejects table, as enum reject_column has them. */
extern const struct wanted_column reject_columns[REJECT_COLUMNS];

/* What a reject is identified and counted by. */
struct reject_key {
    struct text reason;
    int32_t partition;
    int64_t offset;
    int64_t processed; // the time of its batch, microseconds since 1970
};

struct reject_filter {
    const char *reason; // NULL: any
    int64_t partition;  // -1: any
    struct number_range offsets;
    int64_t since, until; // of the batch's time, [since, until), microseconds since 1970
};

/* ERROR_CONFIG: a time that is none. */
MUST_CHECK bool reject_filter_init(struct reject_filter *filter, const struct config *config,
                                   struct error *err);
bool reject_filter_takes(const struct reject_filter *filter, const struct reject_key *key);

/* The paths of the query's files of rejects; says so when there is no such table. */
MUST_CHECK bool reject_rows_list(const struct store_options *store, const char *query,
                                 struct reject_files *files, struct error *err);

/* For reading them: with what is kept of files that leave the table meanwhile, if there is a
 * checkpoint. */
struct reject_source {
    struct rows_source rows;
    struct store *store;    // owned; NULL: there is no checkpoint
    struct kept_files kept; // with it
};
MUST_CHECK bool reject_source_open(struct reject_source *source, const struct store_options *store,
                                   struct error *err);
void reject_source_close(struct reject_source *source); // accepts a zeroed struct

/* Calls visit() for each row of one of the files; for none if it has gone meanwhile. `row` has its
 * key, without the batch, and its place. */
MUST_CHECK bool reject_rows_each(const struct reject_source *source, const char *path,
                                 void (*visit)(void *context, const struct reject_key *key,
                                               const struct newest_row *row),
                                 void *context, struct error *err);

/* Which rejects were replayed and are rows by now; none without a checkpoint. */
MUST_CHECK bool reject_rows_resolved(const struct store_options *store,
                                     struct resolved_rejects *resolved, struct error *err);

enum { REJECT_EXCERPT = 2048 }; // bytes

/* One reject, read with reject_columns, as in the HTTP API, without the batch: "valueBase64"
 * has the value's first `value_max` bytes. Owned by the caller. */
struct json *reject_row_json(const struct table_rows *rows, size_t row, size_t value_max);

#endif
