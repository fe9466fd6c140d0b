/* decode_json.h: one record's JSON bytes to one row, as Spark 4's from_json in PERMISSIVE mode with
 * the declared schema makes it (the cases are in tests/conformance/).
 *
 * The row is written at index rows->count of the record columns; the caller fills the other columns
 * and counts the row. Texts are copied into rows->strings. One decoder per worker and query: it
 * remembers the order in which keys came, and is not thread-safe. No recursion on input depth. */
#ifndef PIPELINE_JSON_DECODE_JSON_H
#define PIPELINE_JSON_DECODE_JSON_H

#include <stdint.h>

#include "base/error.h"
#include "core/record.h"
#include "core/reject.h"
#include "core/rows.h"
#include "core/schema.h"
#include "pipeline/json/unknown_keys.h"

enum parse_mode {
    PARSE_REJECT,     // a record without its identifier, or that is no JSON object, is a reject
    PARSE_PERMISSIVE, // such a record is a row of nulls, as in Spark; null and blank: rejects
    PARSE_FAILFAST,   // as PARSE_REJECT; the caller stops the query at the first reject
};

enum decode_result {
    DECODE_ROW,    // row rows->count is filled (record columns only)
    DECODE_REJECT, // *reject says why; the row and its texts are taken back
    DECODE_FULL, // rows->strings is too small for this record (three bytes for each of the value's
                 // always suffice); the row is taken back
};

/* What decoding saw in the records that became rows, since decoder_create(); the caller reads it.
 */
struct decode_counts {
    int64_t field_faults[SCHEMA_COLUMNS_MAX]; // values that became null: wrong type, out of range
    int64_t unknown_keys;
    struct unknown_keys unknown_names; // of the first names that came
    int64_t trailing_bytes;            // records with bytes after the first root value
};

struct decoder;

/* `schema` and `zone_name` (an IANA name from the system's tzdata, or an offset such as "+02:00":
 * the zone of timestamps that name none) are borrowed. ERROR_CONFIG: no such zone. */
MUST_CHECK bool decoder_create(struct decoder **decoder, const struct schema *schema,
                               enum parse_mode mode, const char *zone_name, struct error *err);
void decoder_destroy(struct decoder *decoder);

/* Time-only timestamps ("10:30:00") take their day from the plan, so that a batch that runs again
 * gives the same rows. Milliseconds since 1970. */
void decoder_set_batch_time(struct decoder *decoder, int64_t timestamp_ms);

/* How records in the usual form are read. All ways give the same rows, rejects and counts; only
 * tests have a reason to choose. */
enum decode_path {
    DECODE_GENERAL,  // as any other record
    DECODE_PORTABLE, // without what some machines of this architecture lack
    DECODE_FASTEST,  // as this machine can do it best: a new decoder's way
};

void decoder_set_path(struct decoder *decoder, enum decode_path path);

enum decode_result decode_record(struct decoder *decoder, const struct record *record,
                                 struct rows *rows, struct reject *reject);

const struct decode_counts *decoder_counts(const struct decoder *decoder);

/* The row that was decoded last did not become one after all: a later stage refused it, or had no
 * room and has it decoded again. Takes back what was counted of it. */
void decoder_uncount_row(struct decoder *decoder);

#endif
