/* file_json.h: a data file as an object in manifests/N and changes/N. */
#ifndef STREAMING_STORE_FILE_JSON_H
#define STREAMING_STORE_FILE_JSON_H

#include "base/error.h"
#include "base/json.h"
#include "core/file_list.h"

/* {"path":"status=live/part-….parquet","staged":"…","size":1,"rows":1,"modifiedMs":1}; without
 * "staged" if it is NULL. */
struct json *data_file_print(const struct data_file *file);

/* The texts in *file are owned by the caller. False: something is missing or impossible, or the
 * path leads out of the table. `staged` is NULL if there is none; rows may be 0. */
MUST_CHECK bool data_file_parse(const struct json *object, struct data_file *file);

#endif
