/* A record is read twice: first to its end, because one that is not JSON must leave no trace, and
 * then value by value into the shapes. Nothing of it is kept but the shapes, so memory does not
 * depend on the number and size of records.
 *
 * Fields are found through one hash table of all objects; the keys of an object mostly come in the
 * same order, so the field after the last one is tried first.
 *
 * An object whose keys are data, such as "1", "2", … or identifiers, is a MAP. That is so
 *   - if all its keys look like identifiers (key_is_identifier()), and there are at least two;
 *   - if it has more than SHAPE_MAP_KEYS keys, and one key is in fewer than 1 of 5 objects on
 *     average;
 *   - if it has more than SHAPE_FIELDS_MAX keys.
 * The root is never one. Recursion goes SHAPE_DEPTH_MAX levels deep. */
#include "surfaces/infer/shape.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "core/date_text.h"
#include "core/timestamp.h"
#include "pipeline/json/reader.h"

enum {
    DECIMAL_DIGITS_MAX = 38,
    MAP_KEYS_EARLY = 16, // so many keys that all look like identifiers make a MAP at once
};

void shapes_init(struct shapes *shapes) {
    memset(shapes, 0, sizeof *shapes);
    pool_init(&shapes->pool);
}

void shapes_deinit(struct shapes *shapes) {
    pool_deinit(&shapes->pool);
}

int64_t shape_total(const struct shape *shape) {
    int64_t total = shape->nulls;
    for (size_t i = 0; i < SHAPE_KINDS; i++)
        total += shape->counts[i];
    return total;
}

/* ---- different values ---- */

static uint64_t hash_of(uint64_t hash, const char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    hash ^= hash >> 32;
    return hash | 1; // never 0
}

static void note_distinct(struct shapes *shapes, struct shape *shape, struct json_raw raw) {
    if (shape->distinct == NULL) {
        if (shapes->distinct_count == SHAPE_DISTINCT_SHAPES)
            return;
        shapes->distinct_count++;
        shape->distinct = pool_alloc(&shapes->pool, 1, sizeof *shape->distinct);
    }
    struct shape_distinct *distinct = shape->distinct;
    if (distinct->count == SHAPE_DISTINCT_MAX)
        return;
    uint64_t hash = hash_of(UINT64_C(0xcbf29ce484222325), raw.bytes, raw.size);
    enum { SLOTS = sizeof distinct->slots / sizeof distinct->slots[0] };
    size_t at = hash / 2 % SLOTS;
    while (distinct->slots[at] != 0 && distinct->slots[at] != hash)
        at = (at + 1) % SLOTS;
    distinct->noted++;
    distinct->count += distinct->slots[at] == 0;
    distinct->slots[at] = hash;
}

int64_t shape_distinct_count(const struct shape *shape) {
    return shape->distinct != NULL ? (int64_t)shape->distinct->count : -1;
}

/* ---- values ---- */

/* Where the bytes are cut: behind a whole character. */
static size_t cut_size(struct json_raw raw) {
    const char *at = raw.bytes, *end = raw.bytes + raw.size;
    size_t size;
    bool valid;
    while (at < end) {
        (void)utf8_decode(at, end, &size, &valid);
        if (at + size - raw.bytes > SHAPE_SAMPLE_BYTES_MAX)
            break;
        at += size;
    }
    return (size_t)(at - raw.bytes);
}

/* The value as it is in JSON, cut. */
static void note_sample(struct shapes *shapes, struct shape *shape, struct json_raw raw,
                        bool is_text) {
    char sample[SHAPE_SAMPLE_BYTES_MAX + sizeof "\"…\""];
    size_t at = 0;
    if (shape->samples[SHAPE_SAMPLES_MAX - 1] != NULL)
        return;
    size_t size = cut_size(raw);
    const char *quote = is_text ? "\"" : "";
    (void)snprintf(sample, sizeof sample, "%s%.*s%s%s", quote, (int)size, raw.bytes,
                   size < raw.size ? "…" : "", quote);
    for (; shape->samples[at] != NULL; at++)
        if (strcmp(shape->samples[at], sample) == 0)
            return;
    shape->samples[at] = pool_copy(&shapes->pool, text_borrow(sample));
}

static void note_whole(struct shape *shape, int64_t number) {
    if (number == 0) {
        shape->has_zero = true;
        return;
    }
    bool is_first = shape->least == 0;
    shape->least = is_first || number < shape->least ? number : shape->least;
    shape->most = is_first || number > shape->most ? number : shape->most;
}

static void note_number(struct shape *shape, enum json_token token, struct json_raw raw) {
    int64_t number;
    shape->counts[SHAPE_NUMBER]++;
    if (token != JSON_INTEGER || raw.size > DECIMAL_DIGITS_MAX)
        shape->has_fraction = true;
    else if (json_int64(raw, &number))
        note_whole(shape, number);
    else
        shape->beyond_int64 = true;
}

/* Whether the text is "dddd-dd-dd"; Spark reads other forms, too, but "2024" is rather a number. */
static bool begins_with_date(struct json_raw raw) {
    static const char form[] = "dddd-dd-dd";
    for (size_t i = 0; i < sizeof form - 1; i++) {
        bool is_digit = i < raw.size && raw.bytes[i] >= '0' && raw.bytes[i] <= '9';
        if (i >= raw.size || (form[i] == 'd' ? !is_digit : raw.bytes[i] != '-'))
            return false;
    }
    return true;
}

static void note_text(struct shape *shape, struct json_raw raw) {
    enum { DATE_SIZE = 10, MOMENT_SIZE = 16 }; // "2024-06-01", "2024-06-01T12:00"
    const struct timestamp_context context = {.now_ms = 0};
    struct text text = {raw.bytes, (uint32_t)raw.size};
    int32_t days;
    int64_t micros;
    bool is_date = raw.plain && raw.size >= DATE_SIZE && raw.size < 64 && begins_with_date(raw);
    shape->counts[SHAPE_TEXT]++;
    if (is_date && raw.size == DATE_SIZE && date_text_parse_lenient(text, &days)) {
        shape->has_date = true;
    } else if (is_date && raw.size >= MOMENT_SIZE && timestamp_parse(text, &context, &micros)) {
        shape->has_moment = true;
        shape->has_local_moment = shape->has_local_moment || timestamp_parse_local(text, &micros);
    } else {
        shape->has_other_text = true;
        shape->has_empty_text = shape->has_empty_text || raw.size == 0;
    }
}

/* ---- fields ---- */

static size_t bucket_of(const struct shape *object, const char *key, size_t size) {
    return hash_of((uint64_t)(uintptr_t)object, key, size) / 2 % SHAPE_BUCKETS;
}

static struct shape_field *find_field(struct shapes *shapes, const struct shape *object,
                                      const char *key, size_t size) {
    struct shape_field *field = object->expected;
    if (field != NULL && field->key_length == size && memcmp(field->key, key, size) == 0)
        return field;
    for (field = shapes->buckets[bucket_of(object, key, size)]; field != NULL;
         field = field->next_in_bucket)
        if (field->object == object && field->key_length == size &&
            memcmp(field->key, key, size) == 0)
            break;
    return field;
}

static struct shape_field *add_field(struct shapes *shapes, struct shape *object, const char *key,
                                     size_t size) {
    struct shape_field *field = pool_alloc(&shapes->pool, 1, sizeof *field);
    size_t bucket = bucket_of(object, key, size);
    field->key = pool_copy(&shapes->pool, (struct text){key, (uint32_t)size});
    field->key_length = (uint32_t)size;
    field->object = object;
    field->next_in_bucket = shapes->buckets[bucket];
    shapes->buckets[bucket] = field;
    if (object->last_field != NULL)
        object->last_field->next = field;
    else
        object->fields = field;
    object->last_field = field;
    object->field_count++;
    shapes->count++;
    shapes->key_bytes += size;
    return field;
}

/* Whether the file can have a field of this name. Control characters could end a comment's line. */
static bool key_is_usable(const char *key, size_t size) {
    size_t step;
    bool valid = true;
    for (const char *at = key, *end = key + size; valid && at < end; at += step)
        valid = !escape_is_control(utf8_decode(at, end, &step, &valid)) && valid;
    return valid && size > 0 && size <= SHAPE_KEY_MAX;
}

/* NULL: there is no room for another. */
static struct shape_field *field_of(struct shapes *shapes, struct shape *object, const char *key,
                                    size_t size) {
    struct shape_field *field = find_field(shapes, object, key, size);
    bool fits = object->field_count < SHAPE_FIELDS_MAX && shapes->count < SHAPES_MAX &&
                shapes->key_bytes + size <= SHAPE_KEYS_BYTES_MAX;
    if (field == NULL && key_is_usable(key, size) && fits)
        field = add_field(shapes, object, key, size);
    return field;
}

/* NULL: there is no room for it. */
static struct shape *element_of(struct shapes *shapes, struct shape *shape) {
    if (shape->element == NULL && shapes->count < SHAPES_MAX) {
        shapes->count++;
        shape->element = pool_alloc(&shapes->pool, 1, sizeof *shape->element);
    }
    return shape->element;
}

/* ---- merging ---- */

static void merge(struct shapes *shapes, struct shape *into, const struct shape *from);

static void merge_fields(struct shapes *shapes, struct shape *into, const struct shape *from) {
    for (const struct shape_field *field = from->fields; field != NULL; field = field->next) {
        struct shape_field *same = field_of(shapes, into, field->key, field->key_length);
        if (same != NULL)
            merge(shapes, &same->shape, &field->shape);
        else
            into->left_out += shape_total(&field->shape);
    }
}

static void merge_element(struct shapes *shapes, struct shape *into, const struct shape *from) {
    struct shape *element = from != NULL ? element_of(shapes, into) : NULL;
    if (element != NULL)
        merge(shapes, element, from);
}

static void become_map(struct shapes *shapes, struct shape *object) {
    struct shape_field *field = object->fields;
    object->is_map = true;
    object->fields = object->last_field = object->expected = NULL;
    object->field_count = 0;
    for (; field != NULL; field = field->next)
        merge_element(shapes, object, &field->shape);
}

static void merge_values(struct shape *into, const struct shape *from) {
    if (from->least != 0) {
        note_whole(into, from->least);
        note_whole(into, from->most);
    }
    into->has_zero |= from->has_zero;
    into->has_fraction |= from->has_fraction;
    into->beyond_int64 |= from->beyond_int64;
    into->has_other_text |= from->has_other_text;
    into->has_date |= from->has_date;
    into->has_moment |= from->has_moment;
    into->has_local_moment |= from->has_local_moment;
    into->has_empty_text |= from->has_empty_text;
    into->is_too_deep |= from->is_too_deep;
}

static void merge(struct shapes *shapes, struct shape *into, const struct shape *from) {
    for (size_t i = 0; i < SHAPE_KINDS; i++)
        into->counts[i] += from->counts[i];
    into->nulls += from->nulls;
    into->left_out += from->left_out;
    merge_values(into, from);
    if (into->samples[0] == NULL)
        memcpy(into->samples, from->samples, sizeof into->samples);
    if (from->is_map && !into->is_map)
        become_map(shapes, into);
    if (into->is_map)
        for (const struct shape_field *field = from->fields; field != NULL; field = field->next)
            merge_element(shapes, into, &field->shape);
    else
        merge_fields(shapes, into, from);
    merge_element(shapes, into, from->element);
}

/* ---- maps ---- */

/* A whole number, or a longer text with several digits, such as a UUID. */
static bool key_is_identifier(const struct shape_field *field) {
    enum { LENGTH_MIN = 16, DIGITS_MIN = 4 };
    size_t digits = 0, sign = field->key[0] == '-' ? 1 : 0;
    for (size_t i = 0; i < field->key_length; i++)
        digits += field->key[i] >= '0' && field->key[i] <= '9';
    return (digits > 0 && digits + sign == field->key_length) ||
           (digits >= DIGITS_MIN && field->key_length >= LENGTH_MIN);
}

static bool keys_are_identifiers(const struct shape *object) {
    for (const struct shape_field *field = object->fields; field != NULL; field = field->next)
        if (!key_is_identifier(field))
            return false;
    return object->field_count >= 2;
}

static bool keys_are_rare(const struct shape *object) {
    enum { RARE = 5 };
    int64_t members = object->left_out;
    for (const struct shape_field *field = object->fields; field != NULL; field = field->next)
        members += shape_total(&field->shape);
    return object->field_count > SHAPE_MAP_KEYS &&
           members * RARE < object->counts[SHAPE_OBJECT] * (int64_t)object->field_count;
}

static bool is_full(const struct shape *object) {
    return object->field_count == SHAPE_FIELDS_MAX && object->left_out > 0;
}

/* ---- reading ---- */

/* The characters of a key, or NULL: they are too many, or not well-formed. */
static const char *key_of(const struct json_reader *reader, char text[static 3 * SHAPE_KEY_MAX + 4],
                          size_t *size) {
    struct json_raw raw = reader->key;
    if (raw.plain) {
        *size = raw.size;
        return raw.bytes;
    }
    struct json_output output = {.at = text, .end = text + 3 * (size_t)SHAPE_KEY_MAX};
    json_output_text(&output, raw);
    *output.at = '\0';
    *size = (size_t)(output.at - text);
    // What has been replaced would not be found under this name.
    return output.is_full || strstr(text, "\xEF\xBF\xBD") != NULL ? NULL : text;
}

/* Where the value of the current key belongs; NULL: nowhere. */
static struct shape *member_shape(struct shapes *shapes, struct shape *object,
                                  const struct json_reader *reader) {
    char text[3 * SHAPE_KEY_MAX + 4];
    size_t size;
    if (object->is_map)
        return element_of(shapes, object);
    const char *key = key_of(reader, text, &size);
    if (key == NULL)
        return NULL;
    struct shape_field *field = field_of(shapes, object, key, size);
    if (field == NULL)
        return NULL;
    object->expected = field->next != NULL ? field->next : object->fields;
    return &field->shape;
}

struct reading {
    struct shapes *shapes;
    struct json_reader reader;
};

static bool read_value(struct reading *reading, struct shape *shape, unsigned depth, bool in_row);

static bool read_object(struct reading *reading, struct shape *object, unsigned depth,
                        bool in_row) {
    struct json_reader *reader = &reading->reader;
    object->expected = object->fields;
    while (json_next(reader) && reader->token == JSON_KEY) {
        struct shape *member = member_shape(reading->shapes, object, reader);
        object->left_out += member == NULL;
        if (!json_next(reader) ||
            !read_value(reading, member, depth + 1, in_row && !object->is_map))
            return false;
        // At once, so that many keys with large values do not use up the shapes.
        if (depth > 0 && object->field_count == MAP_KEYS_EARLY && keys_are_identifiers(object))
            become_map(reading->shapes, object);
    }
    return reader->token == JSON_OBJECT_END;
}

static bool read_array(struct reading *reading, struct shape *array, unsigned depth) {
    struct json_reader *reader = &reading->reader;
    while (json_next(reader) && reader->token != JSON_ARRAY_END)
        if (!read_value(reading, element_of(reading->shapes, array), depth + 1, false))
            return false;
    return reader->token == JSON_ARRAY_END;
}

static bool read_scalar(struct reading *reading, struct shape *shape, bool in_row) {
    struct json_reader *reader = &reading->reader;
    bool is_text = reader->token == JSON_STRING;
    if (is_text && !json_read_string(reader))
        return false;
    struct json_raw raw = reader->lexer.value;
    switch (reader->token) {
    case JSON_STRING:
        note_text(shape, raw);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        shape->counts[SHAPE_BOOLEAN]++;
        break;
    default:
        note_number(shape, reader->token, raw);
        break;
    }
    note_sample(reading->shapes, shape, raw, is_text);
    if (in_row)
        note_distinct(reading->shapes, shape, raw);
    return true;
}

/* The value at the current token. NULL: it is passed over. `in_row`: there is one of it in a
 * record at most. */
static bool read_value(struct reading *reading, struct shape *shape, unsigned depth, bool in_row) {
    struct json_reader *reader = &reading->reader;
    enum json_token token = reader->token;
    bool is_open = token == JSON_OBJECT || token == JSON_ARRAY;
    if (shape == NULL)
        return json_skip_children(reader) && (token != JSON_STRING || json_read_string(reader));
    if (token == JSON_NULL) {
        shape->nulls++;
        return true;
    }
    if (!is_open)
        return read_scalar(reading, shape, in_row);
    shape->counts[token == JSON_OBJECT ? SHAPE_OBJECT : SHAPE_ARRAY]++;
    if (depth == SHAPE_DEPTH_MAX) {
        shape->is_too_deep = true;
        return json_skip_children(reader);
    }
    return token == JSON_OBJECT ? read_object(reading, shape, depth, in_row)
                                : read_array(reading, shape, depth);
}

static bool is_blank(const char *value, size_t size) {
    while (size > 0 && strchr(" \t\r\n", value[size - 1]) != NULL && value[size - 1] != '\0')
        size--;
    return size == 0;
}

/* Whether the value begins with JSON; *is_object says whether that is an object. */
static bool is_json(struct json_reader *reader, const char *value, size_t size, bool *is_object) {
    json_reader_init(reader, value, size);
    reader->skips_usual = true;
    if (!json_next(reader) || reader->token == JSON_NONE)
        return false;
    *is_object = reader->token == JSON_OBJECT;
    return json_skip_children(reader) && (reader->token != JSON_STRING || json_read_string(reader));
}

void shapes_add(struct shapes *shapes, const char *value, size_t size) {
    struct reading reading = {.shapes = shapes};
    bool is_object;
    if (value == NULL) {
        shapes->nulls++;
    } else if (is_blank(value, size)) {
        shapes->blanks++;
    } else if (!is_json(&reading.reader, value, size, &is_object)) {
        shapes->not_json++;
    } else if (!is_object) {
        shapes->not_objects++;
    } else {
        shapes->objects++;
        json_reader_init(&reading.reader, value, size);
        // It has been read once, so it can be read again.
        (void)(json_next(&reading.reader) && read_value(&reading, &shapes->root, 0, true));
    }
}

/* ---- finishing ---- */

/* Names that differ only in case are ambiguous, so the one that came most often stays. */
static void hide_doubles(struct shape *object) {
    for (struct shape_field *field = object->fields; field != NULL; field = field->next)
        for (struct shape_field *other = field->next; other != NULL; other = other->next)
            if (!field->is_hidden && !other->is_hidden && strcasecmp(field->key, other->key) == 0) {
                bool is_rarer = shape_total(&field->shape) < shape_total(&other->shape);
                (is_rarer ? field : other)->is_hidden = true;
            }
}

static void finish(struct shapes *shapes, struct shape *shape, unsigned depth) {
    if (depth > 0 && !shape->is_map &&
        (keys_are_identifiers(shape) || keys_are_rare(shape) || is_full(shape)))
        become_map(shapes, shape);
    for (struct shape_field *field = shape->fields; field != NULL; field = field->next)
        finish(shapes, &field->shape, depth + 1);
    if (shape->element != NULL)
        finish(shapes, shape->element, depth + 1);
    hide_doubles(shape);
}

void shapes_finish(struct shapes *shapes) {
    finish(shapes, &shapes->root, 0);
}
