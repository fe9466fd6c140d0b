#include "pipeline/json/column.h"

#include "pipeline/json/copy.h"
#include "pipeline/json/number.h"

enum { GROWTH_MAX = 3 }; // bytes of text for one of the record, at most (text.h, copy.h)

static const int64_t micros_per_second = 1000000;

static struct json_output open_output(struct arena *strings, size_t size_max) {
    size_t room = arena_room(strings);
    size_t size = size_max < room ? size_max : room;
    char *bytes = arena_alloc_bytes(strings, size);
    return (struct json_output){bytes, bytes + size, false};
}

/* Keeps what was written since the arena had `used` bytes. */
static struct text keep_output(struct arena *strings, size_t used, struct json_output output) {
    const char *bytes = (const char *)strings->base + used;
    size_t size = (size_t)(output.at - bytes);
    arena_rewind(strings, used + size);
    return (struct text){bytes, (uint32_t)size};
}

static enum json_column_result set_text(struct vector *vector, size_t row, struct text text) {
    vector->texts[row] = text;
    vector->valid[row] = 1;
    return JSON_COLUMN_SET;
}

static enum json_column_result set_plain(struct json_raw raw, struct vector *vector, size_t row,
                                         struct arena *strings) {
    char *bytes = arena_alloc_bytes(strings, raw.size);
    if (bytes == NULL)
        return JSON_COLUMN_FULL;
    memcpy(bytes, raw.bytes, raw.size);
    return set_text(vector, row, (struct text){bytes, (uint32_t)raw.size});
}

static enum json_column_result read_string(struct json_reader *reader, struct vector *vector,
                                           size_t row, struct arena *strings) {
    if (reader->token == JSON_STRING) {
        if (!json_take_string(reader))
            return JSON_COLUMN_FAULT;
        if (reader->value.plain)
            return set_plain(reader->value, vector, row, strings);
    }
    size_t used = strings->used;
    size_t size_max =
        reader->token == JSON_STRING ? reader->value.size : (size_t)(reader->end - reader->start);
    struct json_output output = open_output(strings, GROWTH_MAX * size_max);
    bool copied = true;
    if (reader->token == JSON_STRING)
        json_output_text(&output, reader->value);
    else
        copied = json_copy_value(reader, &output);
    if (!copied || output.is_full) {
        arena_rewind(strings, used);
        return output.is_full ? JSON_COLUMN_FULL : JSON_COLUMN_FAULT;
    }
    return set_text(vector, row, keep_output(strings, used, output));
}

/* The string's characters for as long as it takes to look at them; `strings` is left as it was. */
static bool borrow_text(struct json_reader *reader, struct arena *strings, struct text *text) {
    if (reader->value.plain) {
        *text = (struct text){reader->value.bytes, (uint32_t)reader->value.size};
        return true;
    }
    size_t used = strings->used;
    struct json_output output = open_output(strings, GROWTH_MAX * reader->value.size);
    json_output_text(&output, reader->value);
    *text = keep_output(strings, used, output);
    return !output.is_full;
}

static enum json_column_result read_timestamp(struct json_reader *reader,
                                              const struct timestamp_context *context,
                                              struct vector *vector, size_t row,
                                              struct arena *strings) {
    int64_t micros = 0;
    if (reader->token == JSON_INTEGER) {
        int64_t seconds;
        if (!json_int64(reader->value, &seconds))
            return JSON_COLUMN_FAULT;
        micros = (int64_t)((uint64_t)seconds * (uint64_t)micros_per_second);
    } else {
        if (reader->token != JSON_STRING || !json_take_string(reader))
            return JSON_COLUMN_FAULT;
        size_t used = strings->used;
        struct text text;
        bool fits = borrow_text(reader, strings, &text);
        bool parsed = fits && timestamp_parse(text, context, &micros);
        arena_rewind(strings, used);
        if (!parsed)
            return fits ? JSON_COLUMN_FAULT : JSON_COLUMN_FULL;
    }
    vector->int64s[row] = micros;
    vector->valid[row] = 1;
    return JSON_COLUMN_SET;
}

static bool read_double(struct json_reader *reader, double *value) {
    switch (reader->token) {
    case JSON_INTEGER:
    case JSON_FLOAT:
        *value = json_double(reader->token, reader->value);
        return true;
    case JSON_STRING:
    case JSON_NOT_FINITE:
        return json_not_finite(reader->value, value);
    default:
        return false;
    }
}

/* The types whose values need no room. Nothing is written unless the value fits: a duplicate that
 * does not leaves the one before. */
static bool read_scalar(struct json_reader *reader, struct vector *vector, size_t row) {
    int64_t integer;
    switch (vector->type) {
    case TYPE_BOOL:
        if (reader->token != JSON_TRUE && reader->token != JSON_FALSE)
            return false;
        vector->booleans[row] = reader->token == JSON_TRUE;
        return true;
    case TYPE_INT32:
        if (reader->token != JSON_INTEGER || !json_int64(reader->value, &integer) ||
            integer < INT32_MIN || integer > INT32_MAX)
            return false;
        vector->int32s[row] = (int32_t)integer;
        return true;
    case TYPE_INT64:
        return reader->token == JSON_INTEGER && json_int64(reader->value, &vector->int64s[row]);
    case TYPE_DOUBLE:
        return read_double(reader, &vector->doubles[row]);
    default:
        return false;
    }
}

enum json_column_result json_read_column(struct json_reader *reader,
                                         const struct timestamp_context *context,
                                         struct vector *vector, size_t row, struct arena *strings) {
    if (reader->token == JSON_KEY && !json_next(reader))
        return JSON_COLUMN_FAULT;
    if (reader->token == JSON_NULL || reader->token == JSON_NONE) {
        vector->valid[row] = 0;
        return JSON_COLUMN_SET;
    }
    if (vector->type == TYPE_STRING)
        return read_string(reader, vector, row, strings);
    if (vector->type == TYPE_TIMESTAMP)
        return read_timestamp(reader, context, vector, row, strings);
    // Spark looks at the text of a string even where it wants none: a broken one shows here.
    if (reader->token == JSON_STRING && !json_take_string(reader))
        return JSON_COLUMN_FAULT;
    if (!read_scalar(reader, vector, row))
        return JSON_COLUMN_FAULT;
    vector->valid[row] = 1;
    return JSON_COLUMN_SET;
}
