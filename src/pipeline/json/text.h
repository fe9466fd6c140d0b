/* text.h: what the text between two quotes means, with Java's strings in between.
 *
 * Ill-formed UTF-8 is U+FFFD (base/utf8.h), an escaped surrogate without its partner '?'. */
#ifndef PIPELINE_JSON_TEXT_H
#define PIPELINE_JSON_TEXT_H

#include "pipeline/json/reader.h"

/* Room to write to; `is_full` once something did not fit, and then nothing more is written. */
struct json_output {
    char *at, *end;
    bool is_full;
};

void json_output_put(struct json_output *output, const char *bytes, size_t size);

/* The text's characters in UTF-8; at most three bytes for one of the record. */
void json_output_text(struct json_output *output, struct json_raw raw);

/* The text as a JSON string, as Jackson writes one: in double quotes, escaped where it must be,
 * characters beyond U+FFFF as two escapes. At most three bytes for one of the record. */
void json_output_quoted(struct json_output *output, struct json_raw raw);

/* Where its first `units` UTF-16 units end: its own end, if it has no more. */
const char *json_text_skip(struct json_raw raw, size_t units);

#endif
