/* base64.h: the current string as bytes in Base64, as Jackson reads it (MIME, without line feeds,
 * padding required): whitespace and control characters, even raw ones, are skipped between groups
 * of four characters; a group may be an escape. */
#ifndef PIPELINE_JSON_BASE64_H
#define PIPELINE_JSON_BASE64_H

#include "pipeline/json/reader.h"

/* Writes the bytes to `to`, which has room for three quarters of the record, and sets *size. False:
 * not Base64; the lexer has the problem if it is not even a string, and the reader is where Spark
 * would continue. */
MUST_CHECK bool json_read_base64(struct json_reader *reader, char *to, size_t *size);

#endif
