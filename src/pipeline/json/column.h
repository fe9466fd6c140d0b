/* column.h: the current JSON value as the value of a column, by the column's type.
 *
 *     bool              true, false
 *     short, int, long  integers in range
 *     byte              integers from -128 to 255, of which those above 127 wrap
 *     float, double     numbers, and strings that are spelled like NaN and the infinities
 *     decimal           numbers, and strings that hold one, in which commas do not count; rounded
 *     string            strings; every other value as its JSON text (json_copy_value())
 *     binary            strings of Base64 (base64.h)
 *     date              strings (core/date_text.h)
 *     timestamp         strings (core/timestamp.h); integers as seconds since 1970, wrapping
 *                       silently
 *     timestamp_ntz     strings without a time zone
 */
#ifndef PIPELINE_JSON_COLUMN_H
#define PIPELINE_JSON_COLUMN_H

#include "base/arena.h"
#include "core/schema.h"
#include "core/timestamp.h"
#include "core/vector.h"
#include "pipeline/json/reader.h"

enum json_column_result {
    JSON_COLUMN_SET,   // the row has the value, or null for null
    JSON_COLUMN_FAULT, // another type, out of range, or not JSON: the row's value is as it was
    JSON_COLUMN_FULL,  // `strings` has no room for the text
};

/* `column`: declares the vector. Moves from a key to its value first. Texts are copied into
 * `strings`. After a fault the reader is where Spark would continue. */
enum json_column_result json_read_column(struct json_reader *reader,
                                         const struct timestamp_context *context,
                                         const struct column *column, struct vector *vector,
                                         size_t row, struct arena *strings);

/* Copies the text's characters into `strings`. False: no room. */
MUST_CHECK bool json_copy_text(struct json_raw raw, struct arena *strings, struct text *text);

/* The current value, which is not a key, as text: as Spark has Jackson write it. Compact, in the
 * order of the record, duplicate keys kept, numbers in Java's form (1.50 becomes 1.5, -0 becomes 0,
 * NaN becomes "NaN" with its quotes). Ends on the value's last token. False: not JSON
 * (the lexer has the problem), or a closing bracket, which Spark can't write on its own. When the
 * output is full, returns true early with output->is_full. At most three bytes per byte of the
 * record. */
MUST_CHECK bool json_copy_value(struct json_reader *reader, struct json_output *output);

#endif
