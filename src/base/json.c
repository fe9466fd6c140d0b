/* json.c: jansson behind our own names, and the only place that knows it.
 *
 * A `struct json` is jansson's value under another name. Documents of our own making never fail to
 * be built: a failure there is a lack of memory or a text that is not UTF-8, so it is checked.
 * Documents from disk may be anything; json_parse() refuses a member that comes twice, because
 * readers would disagree on which one counts. */
#include "base/json.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/checksum.h"
#include "base/utf8.h"

static void *must_have(size_t size) {
    return must_alloc(1, size);
}

void json_begin(void) {
    json_set_alloc_funcs(must_have, free);
}

/* struct json is never defined: its pointers are jansson's. */
static json_t *theirs(const struct json *value) {
    return (json_t *)value;
}

static struct json *ours(json_t *value) {
    check(value != NULL); // out of memory, or a text that isn't UTF-8: both our own mistake
    return (struct json *)value;
}

struct json *json_parse(const char *bytes, size_t size, struct error *err) {
    json_error_t cause;
    json_t *value = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &cause);
    if (value == NULL)
        error_set(err, ERROR_STATE, "invalid JSON at byte %d: %s", cause.position, cause.text);
    return (struct json *)value;
}

void json_free(struct json *value) {
    json_decref(theirs(value));
}

const struct json *json_member(const struct json *object, const char *name) {
    return (const struct json *)json_object_get(theirs(object), name);
}

bool json_member_int(const struct json *object, const char *name, int64_t *value) {
    return json_int(json_member(object, name), value);
}

bool json_member_ms(const struct json *object, const char *name, int64_t *ms) {
    int64_t read;
    if (!json_member_int(object, name, &read) || read < -JSON_MS_MAX || read > JSON_MS_MAX)
        return false;
    *ms = read;
    return true;
}

bool json_member_bool(const struct json *object, const char *name, bool *value) {
    const json_t *member = theirs(json_member(object, name));
    if (!json_is_boolean(member))
        return false;
    *value = json_is_true(member);
    return true;
}

const char *json_member_text(const struct json *object, const char *name) {
    return json_text(json_member(object, name));
}

size_t json_count(const struct json *value) {
    const json_t *counted = theirs(value);
    return json_is_object(counted) ? json_object_size(counted) : json_array_size(counted);
}

const struct json *json_at(const struct json *array, size_t index) {
    return (const struct json *)json_array_get(theirs(array), index);
}

bool json_each(const struct json *object,
               bool (*visit)(void *context, const char *name, const struct json *value),
               void *context) {
    json_t *walked = theirs(object);
    if (!json_is_object(walked))
        return false;
    for (void *at = json_object_iter(walked); at != NULL; at = json_object_iter_next(walked, at)) {
        const struct json *value = (const struct json *)json_object_iter_value(at);
        if (!visit(context, json_object_iter_key(at), value))
            return false;
    }
    return true;
}

bool json_is_an_object(const struct json *value) {
    return json_is_object(theirs(value));
}

bool json_int(const struct json *value, int64_t *number) {
    const json_t *read = theirs(value);
    if (!json_is_integer(read))
        return false;
    *number = json_integer_value(read);
    return true;
}

const char *json_text(const struct json *value) {
    return json_string_value(theirs(value));
}

struct json *json_new_object(void) {
    return ours(json_object());
}

struct json *json_new_array(void) {
    return ours(json_array());
}

struct json *json_duplicate(const struct json *value) {
    return ours(json_deep_copy(theirs(value)));
}

void json_put(struct json *object, const char *name, struct json *value) {
    check(json_object_set_new(theirs(object), name, theirs(value)) == 0);
}

void json_put_int(struct json *object, const char *name, int64_t value) {
    json_put(object, name, ours(json_integer(value)));
}

void json_put_bool(struct json *object, const char *name, bool value) {
    json_put(object, name, ours(json_boolean(value)));
}

/* Bytes that are not UTF-8 become U+FFFD. */
static struct json *text_of_bytes(const char *bytes, size_t size) {
    char *text = must_alloc(size + 1, 3); // U+FFFD takes three bytes, for one at least
    size_t used = 0, length;
    bool valid;
    for (const char *at = bytes, *end = bytes + size; at < end; at += length) {
        uint32_t character = utf8_decode(at, end, &length, &valid);
        used += utf8_encode(character, text + used);
    }
    struct json *value = ours(json_stringn(text, used));
    free(text);
    return value;
}

void json_put_bytes(struct json *object, const char *name, const char *bytes, size_t size) {
    json_put(object, name, text_of_bytes(bytes, size));
}

void json_put_shown(struct json *object, const char *name, const char *value) {
    json_put_bytes(object, name, value, strlen(value));
}

void json_put_shown_or_null(struct json *object, const char *name, const char *value) {
    if (value != NULL)
        json_put_shown(object, name, value);
    else
        json_put_null(object, name);
}

void json_append_shown(struct json *array, const char *value) {
    json_append(array, text_of_bytes(value, strlen(value)));
}

void json_put_text(struct json *object, const char *name, const char *value) {
    json_put(object, name, ours(json_string(value)));
}

void json_put_null(struct json *object, const char *name) {
    json_put(object, name, ours(json_null()));
}

bool json_remove(struct json *object, const char *name) {
    return json_object_del(theirs(object), name) == 0;
}

void json_put_real(struct json *object, const char *name, double value) {
    if (isfinite(value))
        json_put(object, name, ours(json_real(value)));
    else
        json_put_text(object, name, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
}

void json_append(struct json *array, struct json *value) {
    check(json_array_append_new(theirs(array), theirs(value)) == 0);
}

void json_append_text(struct json *array, const char *value) {
    json_append(array, ours(json_string(value)));
}

char *json_print_digits(const struct json *value, int digits) {
    char *text = json_dumps(theirs(value), JSON_COMPACT | JSON_REAL_PRECISION((size_t)digits));
    check(text != NULL);
    return text;
}

char *json_print(const struct json *value) {
    return json_print_digits(value, 15);
}

/* A decimal number of 15 digits survives being a double, and a double survives 17 digits. */
int json_digits(double value) {
    for (int digits = 15; digits < 17; digits++) {
        char text[32];
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            return digits;
    }
    return 17;
}

enum { VERSION_SIZE = 3 }; // "v1\n"

char *json_print_versioned(const struct json *value, int version, size_t *size) {
    check(version >= 1 && version <= 9);
    char *body = json_print(value), *text = NULL;
    int length = asprintf(&text, "v%d\n%s", version, body);
    check(length > 0);
    free(body);
    char *with = checksum_put(text, (size_t)length, (size_t)length, size);
    free(text);
    return with;
}

/* Without its checksum, which is the text's and not the value's. */
static struct json *parse_checked(const char *bytes, size_t size, size_t object_end,
                                  struct error *err) {
    struct json *value = json_parse(bytes + VERSION_SIZE, object_end - VERSION_SIZE, err);
    if (value == NULL)
        return NULL;
    (void)json_remove(value, CHECKSUM_MEMBER);
    if (checksum_check(bytes, size, object_end, err))
        return value;
    json_free(value);
    return NULL;
}

struct json *json_parse_versioned(const char *bytes, size_t size, int newest, int *version,
                                  struct error *err) {
    return json_parse_versioned_head(bytes, size, size, newest, version, err);
}

struct json *json_parse_versioned_head(const char *bytes, size_t size, size_t object_end,
                                       int newest, int *version, struct error *err) {
    if (object_end < VERSION_SIZE || bytes[0] != 'v' || bytes[1] < '1' || bytes[1] > '9' ||
        bytes[2] != '\n') {
        error_set(err, ERROR_STATE, "its first line is not 'v1'");
        return NULL;
    }
    *version = bytes[1] - '0';
    if (*version <= newest)
        return parse_checked(bytes, size, object_end, err);
    error_set(err, ERROR_STATE,
              "its first line is 'v%d', and esports-stream " PROGRAM_VERSION " reads up to 'v%d': "
              "use the newer version of esports-stream that wrote it (docs/upgrading.md)",
              *version, newest);
    return NULL;
}
