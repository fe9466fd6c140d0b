/* unreadable.h: what is wrong with a value that makes its record a reject, as one sentence:
 *
 *     info.participants[1] is "x", not an object
 *     info.participants[0] is an array, not an object
 *     info cannot be read: expected a key in quotes */
#ifndef PIPELINE_JSON_UNREADABLE_H
#define PIPELINE_JSON_UNREADABLE_H

#include "pipeline/json/fields.h"
#include "pipeline/json/notes.h"
#include "pipeline/json/reader.h"

/* Of the field's column: its value is in the last of the open values, and the reader is where it
 * has failed. */
void json_describe_unreadable(struct json_unreadable *unreadable, const struct json_reader *reader,
                              const struct json_open_value *open, size_t open_count,
                              const struct json_field *field, size_t column);

#endif
