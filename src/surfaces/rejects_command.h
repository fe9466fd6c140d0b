/* rejects_command.h: `rejects ls` and `rejects show`: the records that could not become rows. */
#ifndef SURFACES_REJECTS_COMMAND_H
#define SURFACES_REJECTS_COMMAND_H

#include "surfaces/commands.h"
#include "surfaces/lake_files.h"
#include "surfaces/table_rows.h"

MUST_CHECK bool rejects_ls_command(const struct command_scope *scope, struct error *err);
MUST_CHECK bool rejects_show_command(const struct command_scope *scope, struct error *err);

/* ---- for both ---- */

/* The columns of the rejects table (pipeline/reject.h), in the order of the vectors of a file that
 * is opened with reject_columns. */
enum reject_column {
    REJECT_TOPIC,
    REJECT_PARTITION,
    REJECT_OFFSET,
    REJECT_KAFKA_TIMESTAMP,
    REJECT_KEY,
    REJECT_VALUE,
    REJECT_REASON,
    REJECT_DETAIL,
    REJECT_POSITION,
    REJECT_PROCESSED,
    REJECT_COLUMNS,
};

/* Ended with the last column. */
extern const struct wanted_column reject_columns[REJECT_COLUMNS];

/* The files of the query's rejects table; says so when there is no such table. */
MUST_CHECK bool rejects_list(const struct command_scope *scope, struct lake_files *files,
                             struct error *err);

enum { REJECT_EXCERPT = 2048 }; // bytes

/* One reject as the HTTP API has it, but for the batch: "valueBase64" has the value's first
 * `value_max` bytes. Owned by the caller. */
struct json *reject_json(const struct table_rows *rows, size_t row, size_t value_max);

#endif
