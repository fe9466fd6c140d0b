/* unreadable.h: what is wrong with a value that makes its record a reject, as one sentence:
 *
 *     info.participants[1] is "x", not an object
 *     info.participants[0] is an array, not an object
 *     info cannot be read: expected a key in quotes */
#ifndef PIPELINE_JSON_UNREADABLE_H
#define PIPELINE_JSON_UNREADABLE_H

#include "pipeline/json/objects.h"

/* Sets record->notes->unreadable for the column. The field's value is in the innermost open value,
 * and the reader is where it has failed. */
void json_describe_unreadable(const struct json_objects *objects, const struct json_record *record,
                              const struct json_field *field, size_t column);

#endif
