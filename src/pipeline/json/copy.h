/* copy.h: any value as the text of a string column, as Spark has Jackson write it.
 *
 * Compact, in the order of the record, duplicate keys kept, numbers in Java's form (1.50 becomes
 * 1.5, -0 becomes 0, NaN becomes "NaN" with its quotes). */
#ifndef PIPELINE_JSON_COPY_H
#define PIPELINE_JSON_COPY_H

#include "pipeline/json/text.h"

/* Copies the current value, which is not a key, and ends on its last token. False: not JSON
 * (reader->problem), or a closing bracket, which Spark can't write on its own. When the output is
 * full, returns true early with output->is_full. At most three bytes per byte of the record. */
MUST_CHECK bool json_copy_value(struct json_reader *reader, struct json_output *output);

#endif
