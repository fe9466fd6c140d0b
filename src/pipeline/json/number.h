/* number.h: the values of number tokens. */
#ifndef PIPELINE_JSON_NUMBER_H
#define PIPELINE_JSON_NUMBER_H

#include "pipeline/json/reader.h"

/* A JSON_INTEGER. False: beyond int64. */
bool json_int64(struct json_raw number, int64_t *value);

/* A JSON_INTEGER or JSON_FLOAT, too large ones infinite. The integer -0 is 0.0, as in Java. */
double json_double(enum json_token token, struct json_raw number);

/* A JSON_NOT_FINITE, or any text that is spelled like one: NaN, Infinity, +Infinity, -Infinity,
 * +INF, -INF. False: another text. */
bool json_not_finite(struct json_raw word, double *value);

#endif
