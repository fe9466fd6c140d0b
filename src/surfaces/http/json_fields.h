/* json_fields.h: members of JSON objects that are printed in several places. */
#ifndef SURFACES_HTTP_JSON_FIELDS_H
#define SURFACES_HTTP_JSON_FIELDS_H

#include "base/json.h"

/* "2026-11-22T17:47:55.322Z", as Spark prints it. */
void put_time(struct json *object, const char *name, int64_t wall_ms);

/* The same, or null for what is not known (`wall_ms` less than `least`). */
void put_time_or_null(struct json *object, const char *name, int64_t wall_ms, int64_t least);

void put_text(struct json *object, const char *name, const char *text); // any bytes

#endif
