/* decoder.h: one record's bytes to one row, for any record format. Implemented once per
 * format (pipeline/record_format.h lists them).
 *
 * The row is written at index rows->count of the record's inputs; the caller fills the other inputs
 * and the columns, and counts the row. Texts are copied into rows->strings. One decoder per worker
 * and query: it may remember what records looked like so far, and is not thread-safe. */
#ifndef CORE_DECODER_H
#define CORE_DECODER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "core/record.h"
#include "core/reject.h"
#include "core/rows.h"
#include "core/schema.h"

/* ---- what decoding saw in the records ----
 *
 * Plain data: a copy is a copy. Records that are not objects count nothing. */

enum { UNKNOWN_NAMES_MAX = 24, UNKNOWN_NAME_MAX = 47 };

struct unknown_name {
    char text[UNKNOWN_NAME_MAX + 1]; // UTF-8 without NUL, terminated
    int64_t count;
};

/* How often keys came that are not read, by name. Bounded, because records can hold any keys: the
 * first UNKNOWN_NAMES_MAX names that came are counted, of a long name its beginning. What comes
 * later is only in the sum that its owner keeps. */
struct unknown_keys {
    size_t count; // of names; a name's index never changes
    struct unknown_name names[UNKNOWN_NAMES_MAX];
};

struct decode_counts {
    /* in rows */
    int64_t field_faults[SCHEMA_FIELDS_MAX]; // by field (core/schema.h): values that became null,
                                             // because of their type or range
    int64_t trailing_bytes;                  // records with bytes after the first root value
    /* in rows and in rejected objects */
    int64_t unknown_keys;              // keys that are not read
    struct unknown_keys unknown_names; // of the first names that came
    /* in rejected objects */
    int64_t rejected_values[SCHEMA_COLUMNS_MAX]; // those that had a value for the input
};

/* The name's index; a new one is added. -1: there is no room for another. `name` is well-formed
 * UTF-8. */
int unknown_keys_find(struct unknown_keys *keys, struct text name);

/* Adds name by name. Names that find no room are left out. */
void unknown_keys_add(struct unknown_keys *sum, const struct unknown_keys *more);

/* The same for all counts. */
void decode_counts_add(struct decode_counts *sum, const struct decode_counts *more);

/* The object that is decoded into row rows->count is a reject. */
void decode_counts_note_reject(struct decode_counts *counts, const struct rows *rows);

enum decode_result {
    DECODE_ROW,    // row rows->count is filled (the record's inputs only)
    DECODE_REJECT, // *reject says why; the row and its texts are taken back
    DECODE_FULL, // rows->strings is too small for this record (three bytes for each of the value's
                 // always suffice), or the room for elements of its arrays and maps
                 // (rows_grow_elements() says which); the row is taken back
};

struct decoder_ops;

struct decoder {
    const struct decoder_ops *ops; // first member of every implementation's own struct
    struct decode_counts counts;   // may be set to {0} between two records
    // Set by the caller. Time-only timestamps ("10:30:00") take their day from the plan, so that a
    // batch that runs again gives the same rows. Milliseconds since 1970.
    int64_t batch_time_ms;
};

struct decoder_ops {
    enum decode_result (*decode)(struct decoder *decoder, const struct record *record,
                                 struct rows *rows, struct reject *reject);
    /* See decoder_uncount_row(). */
    void (*uncount_row)(struct decoder *decoder, bool is_reject);
    void (*close)(struct decoder *decoder);
};

/* What a format implements to open a decoder. `record` and `zone_name` (an IANA name from the
 * system's tzdata, or an offset such as "+02:00": the zone of timestamps that name none) are
 * borrowed. ERROR_CONFIG: no such zone. */
typedef bool decoder_open_fn(struct decoder **decoder, const struct record_schema *record,
                             enum parse_mode mode, const char *zone_name, struct error *err);

static inline enum decode_result decode_record(struct decoder *decoder, const struct record *record,
                                               struct rows *rows, struct reject *reject) {
    return decoder->ops->decode(decoder, record, rows, reject);
}

/* The row that was decoded last did not become one after all: it has no room and is decoded again,
 * or nobody needs it, or a later stage rejects it. Takes back what was counted of it, except the
 * unknown keys of a reject. */
static inline void decoder_uncount_row(struct decoder *decoder, bool is_reject) {
    decoder->ops->uncount_row(decoder, is_reject);
}

static inline void decoder_close(struct decoder *decoder) {
    decoder->ops->close(decoder);
}

#endif
