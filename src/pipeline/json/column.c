/* A value is written into its row only when it is known to fit the column's type. When a key comes
 * twice and its second value does not fit, the row keeps the first one, as in Spark.
 *
 * A text is written behind the arena's last one, in as much room as it may need at most, and the
 * room that it did not need is given back. Any other value becomes text token by token, with its
 * numbers in Java's form. */
#include "pipeline/json/column.h"

#include <math.h>

#include "core/double_text.h"

enum { GROWTH_MAX = 3 }; // bytes of text for one of the record, at most (text.h, json_copy_value())

static const int64_t micros_per_second = 1000000;

static void put_double(struct json_output *output, double value) {
    char text[DOUBLE_TEXT_MAX];
    size_t size = double_format(value, text);
    bool quoted = !isfinite(value);
    if (quoted)
        json_output_put(output, "\"", 1);
    json_output_put(output, text, size);
    if (quoted)
        json_output_put(output, "\"", 1);
}

static void put_integer(struct json_output *output, struct json_raw number) {
    bool minus_zero = number.size == 2 && number.bytes[0] == '-' && number.bytes[1] == '0';
    json_output_put(output, number.bytes + (minus_zero ? 1 : 0),
                    number.size - (minus_zero ? 1 : 0));
}

static bool put_scalar(struct json_reader *reader, struct json_output *output) {
    double value = 0;
    switch (reader->token) {
    case JSON_STRING:
        if (!json_take_string(reader))
            return false;
        json_output_quoted(output, reader->lexer.value);
        return true;
    case JSON_INTEGER:
        put_integer(output, reader->lexer.value);
        return true;
    case JSON_FLOAT:
        put_double(output, json_double(JSON_FLOAT, reader->lexer.value));
        return true;
    case JSON_NOT_FINITE:
        (void)json_not_finite(reader->lexer.value, &value); // the token is one of its words
        put_double(output, value);
        return true;
    case JSON_TRUE:
        json_output_put(output, "true", 4);
        return true;
    case JSON_FALSE:
        json_output_put(output, "false", 5);
        return true;
    case JSON_NULL:
        json_output_put(output, "null", 4);
        return true;
    default:
        return json_fail(&reader->lexer, reader->lexer.at, "expected a value");
    }
}

/* One token; `*needs_comma` says whether a member precedes the next one. */
static bool copy_token(struct json_reader *reader, struct json_output *output, bool *needs_comma) {
    bool closes = reader->token == JSON_OBJECT_END || reader->token == JSON_ARRAY_END;
    if (*needs_comma && !closes)
        json_output_put(output, ",", 1);
    *needs_comma = false;
    switch (reader->token) {
    case JSON_KEY:
        json_output_quoted(output, reader->key);
        json_output_put(output, ":", 1);
        return true;
    case JSON_OBJECT:
        json_output_put(output, "{", 1);
        return true;
    case JSON_ARRAY:
        json_output_put(output, "[", 1);
        return true;
    case JSON_OBJECT_END:
        json_output_put(output, "}", 1);
        break;
    case JSON_ARRAY_END:
        json_output_put(output, "]", 1);
        break;
    default:
        if (!put_scalar(reader, output))
            return false;
    }
    *needs_comma = true;
    return true;
}

bool json_copy_value(struct json_reader *reader, struct json_output *output) {
    if (reader->token != JSON_OBJECT && reader->token != JSON_ARRAY)
        return put_scalar(reader, output);

    bool needs_comma = false;
    if (!copy_token(reader, output, &needs_comma))
        return false;
    for (unsigned open = 1; open > 0 && !output->is_full;) {
        if (!json_next(reader))
            return false;
        if (reader->token == JSON_OBJECT || reader->token == JSON_ARRAY)
            open++;
        else if (reader->token == JSON_OBJECT_END || reader->token == JSON_ARRAY_END)
            open--;
        if (!copy_token(reader, output, &needs_comma))
            return false;
    }
    return true;
}

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
        if (reader->lexer.value.plain)
            return set_plain(reader->lexer.value, vector, row, strings);
    }
    size_t used = strings->used;
    size_t size_max = reader->token == JSON_STRING
                          ? reader->lexer.value.size
                          : (size_t)(reader->lexer.end - reader->lexer.start);
    struct json_output output = open_output(strings, GROWTH_MAX * size_max);
    bool copied = true;
    if (reader->token == JSON_STRING)
        json_output_text(&output, reader->lexer.value);
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
    if (reader->lexer.value.plain) {
        *text = (struct text){reader->lexer.value.bytes, (uint32_t)reader->lexer.value.size};
        return true;
    }
    size_t used = strings->used;
    struct json_output output = open_output(strings, GROWTH_MAX * reader->lexer.value.size);
    json_output_text(&output, reader->lexer.value);
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
        if (!json_int64(reader->lexer.value, &seconds))
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
        *value = json_double(reader->token, reader->lexer.value);
        return true;
    case JSON_STRING:
    case JSON_NOT_FINITE:
        return json_not_finite(reader->lexer.value, value);
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
        if (reader->token != JSON_INTEGER || !json_int64(reader->lexer.value, &integer) ||
            integer < INT32_MIN || integer > INT32_MAX)
            return false;
        vector->int32s[row] = (int32_t)integer;
        return true;
    case TYPE_INT64:
        return reader->token == JSON_INTEGER &&
               json_int64(reader->lexer.value, &vector->int64s[row]);
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
    // Spark looks at the text of a string even where it needs none: a broken one shows here.
    if (reader->token == JSON_STRING && !json_take_string(reader))
        return JSON_COLUMN_FAULT;
    if (!read_scalar(reader, vector, row))
        return JSON_COLUMN_FAULT;
    vector->valid[row] = 1;
    return JSON_COLUMN_SET;
}
