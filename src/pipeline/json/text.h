/* text.h: what the text between two quotes means, with Java's strings in between.
 *
 * Ill-formed UTF-8 is U+FFFD (base/utf8.h), a surrogate without its partner '?'. Jackson reads
 * UTF-16: where it stops or counts after one unit, that can be in the middle of a character beyond
 * U+FFFF. Then we are before the last of its four bytes. */
#ifndef PIPELINE_JSON_TEXT_H
#define PIPELINE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text as it is in the record: between its quotes, or a number's. */
struct json_raw {
    const char *bytes;
    size_t size;
    bool plain; // ASCII without escapes: its bytes are its characters
};

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

/* The next UTF-16 unit of [start, end), at *at, which moves on. There must be one. */
uint32_t json_take_unit(const char *start, const char *end, const char **at);

/* The value of a hexadecimal digit, or -1. As in Jackson, of the unit's low byte: a letter of
 * another script can be one. */
int json_hex_value(uint32_t unit);

/* Where its first `units` UTF-16 units end: its own end, if it has no more. */
const char *json_text_skip(struct json_raw raw, size_t units);

#endif
