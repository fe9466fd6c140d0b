/* marked.h: strings with escapes or with characters beyond ASCII, along their stops. */
#ifndef PIPELINE_JSON_MARKED_H
#define PIPELINE_JSON_MARKED_H

#include <stdbool.h>
#include <stdint.h>

/* The text of the string whose opening quote is the stop **stop of `bytes` (stops.h), to `*to`,
 * where the string's size and JSON_STOPS_SLACK more bytes have room. Then *stop is the one of the
 * closing quote, and *to stands behind the text. False: not a string, or one in which a character
 * has to be replaced; *stop and *to are as they were. */
bool json_read_marked(const char *bytes, const uint16_t **stop, char **to);

#endif
