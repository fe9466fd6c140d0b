/* json.h: small JSON documents (checkpoint, manifests, sink log, settings), read strictly. Records
 * from Kafka have a decoder of their own (pipeline/json/decode_json.h).
 *
 * A value handed out by a reading function belongs to its document and lives as long. A value put
 * into another belongs to that one. Members keep their order. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct json; // a value with all that is in it

#define JSON_MS_MAX (INT64_MAX / 1000)

/* Before anything else of this module: a document that finds no memory ends the process, as
 * must_alloc() does, and is not taken for a damaged one. */
void json_begin(void);

/* The text must be one object or array and nothing else; a name twice in an object is refused.
 * NULL: *err has the cause and its place, kind ERROR_STATE (callers with another policy set it). */
struct json *json_parse(const char *bytes, size_t size, struct error *err);
void json_free(struct json *value); // a document's root only; accepts NULL

/* NULL: no such member, or `object` is not an object. */
const struct json *json_member(const struct json *object, const char *name);

/* False or NULL: missing or of another type. */
bool json_member_int(const struct json *object, const char *name, int64_t *value);
bool json_member_bool(const struct json *object, const char *name, bool *value);
/* A time in ms since 1970, or a span: false also for more than JSON_MS_MAX either way, so that
 * times of a damaged file can be added and subtracted. */
bool json_member_ms(const struct json *object, const char *name, int64_t *ms);
const char *json_member_text(const struct json *object, const char *name);

/* Elements of an array, members of an object; 0 for anything else. */
size_t json_count(const struct json *value);
const struct json *json_at(const struct json *array, size_t index);

/* Calls visit() for each member, in order; a false from it ends the walk and is returned. False for
 * anything but an object, too. */
bool json_each(const struct json *object,
               bool (*visit)(void *context, const char *name, const struct json *value),
               void *context);

bool json_is_an_object(const struct json *value);
bool json_int(const struct json *value, int64_t *number); // false: not a whole number
const char *json_text(const struct json *value);          // NULL: not a text

/* Building. Texts must be valid UTF-8 (checked), unless a function says otherwise. */
struct json *json_new_object(void);
struct json *json_new_array(void);
struct json *json_duplicate(const struct json *value);
void json_put(struct json *object, const char *name, struct json *value); // takes `value` over
void json_put_int(struct json *object, const char *name, int64_t value);
void json_put_bool(struct json *object, const char *name, bool value);
void json_put_text(struct json *object, const char *name, const char *value);
void json_put_null(struct json *object, const char *name);
bool json_remove(struct json *object, const char *name); // false: there was none

/* 15 digits stay. What is not finite is a text, "NaN", "Infinity", "-Infinity", as Spark's to_json
 * has it. */
void json_put_real(struct json *object, const char *name, double value);

/* Texts that are only shown, such as a path: any bytes are accepted, invalid UTF-8 becomes U+FFFD.
 * Never for a document that names a file to somebody who opens it. */
void json_put_shown(struct json *object, const char *name, const char *value);
void json_put_shown_or_null(struct json *object, const char *name, const char *value); // NULL: null
void json_append_shown(struct json *array, const char *value);

/* The same, NUL included. */
void json_put_bytes(struct json *object, const char *name, const char *bytes, size_t size);
void json_append(struct json *array, struct json *value); // takes `value` over
void json_append_text(struct json *array, const char *value);

/* Compact, as Spark prints it: no blanks, non-ASCII as it is. Owned by the caller. */
char *json_print(const struct json *value);

/* The same with so many digits for doubles, where 15 are the usual and 17 show 3.6 as
 * 3.6000000000000001; the other tells how many a value needs to be read back as it is: 15 to 17. */
char *json_print_digits(const struct json *value, int digits);
int json_digits(double value);

/* The same behind a first line "v1" (v2, …), which the files of a checkpoint begin with. A file
 * that says more than version 1 can is of a higher one, so that a program which does not know it
 * refuses the file instead of leaving out what it says. Reading takes versions 1 to `newest`, and
 * refuses a text whose checksum is wrong (base/checksum.h), which printing puts in. */
char *json_print_versioned(const struct json *value, int version, size_t *size);
struct json *json_parse_versioned(const char *bytes, size_t size, int newest, int *version,
                                  struct error *err);

/* The same of a text that continues behind the object, which ends at `object_end`. */
struct json *json_parse_versioned_head(const char *bytes, size_t size, size_t object_end,
                                       int newest, int *version, struct error *err);

#endif
