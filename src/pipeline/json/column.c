/* A value is written into its row only when it is known to fit the column's type. When a key comes
 * twice and its second value does not fit, the row keeps the first one, as in Spark.
 *
 * A text is written behind the arena's last one, in as much room as it may need at most, and the
 * room that it did not need is given back. Any other value becomes text token by token, with its
 * numbers in Java's form. */
#include "pipeline/json/column.h"

#include <math.h>

#include "base/utf8.h"
#include "core/date_text.h"
#include "core/decimal.h"
#include "core/double_text.h"
#include "pipeline/json/base64.h"

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

static bool copy_plain(struct json_raw raw, struct arena *strings, struct text *text) {
    char *bytes = arena_alloc_bytes(strings, raw.size);
    if (bytes == NULL)
        return false;
    memcpy(bytes, raw.bytes, raw.size);
    *text = (struct text){bytes, (uint32_t)raw.size};
    return true;
}

bool json_copy_text(struct json_raw raw, struct arena *strings, struct text *text) {
    if (raw.plain)
        return copy_plain(raw, strings, text);
    size_t used = strings->used;
    struct json_output output = open_output(strings, GROWTH_MAX * raw.size);
    json_output_text(&output, raw);
    if (output.is_full)
        arena_rewind(strings, used);
    else
        *text = keep_output(strings, used, output);
    return !output.is_full;
}

static enum json_column_result read_string(struct json_reader *reader, struct vector *vector,
                                           size_t row, struct arena *strings) {
    if (reader->token == JSON_STRING) {
        struct text text;
        if (!json_take_string(reader))
            return JSON_COLUMN_FAULT;
        return json_copy_text(reader->lexer.value, strings, &text) ? set_text(vector, row, text)
                                                                   : JSON_COLUMN_FULL;
    }
    size_t used = strings->used;
    struct json_output output =
        open_output(strings, GROWTH_MAX * (size_t)(reader->lexer.end - reader->lexer.start));
    bool copied = json_copy_value(reader, &output);
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

/* Whether a number in a string has only characters that a number in JSON has, too. */
static bool is_plain_number(struct text text) {
    for (uint32_t i = 0; i < text.length; i++)
        if (text.bytes[i] == ',' || (signed char)text.bytes[i] < 0)
            return false;
    return true;
}

/* The same without commas, and with ASCII's digits in the place of others. It gets no longer. */
static uint32_t copy_number(struct text text, char *to) {
    const char *at = text.bytes, *end = at + text.length;
    char *start = to;
    while (at < end) {
        size_t size;
        bool valid;
        int digit = utf8_digit_value(utf8_decode(at, end, &size, &valid));
        if (digit >= 0)
            *to++ = (char)('0' + digit);
        else if (*at != ',')
            *to++ = *at; // of a character beyond ASCII, something that is in no number
        at += size;
    }
    return (uint32_t)(to - start);
}

/* `strings` is left as it was. */
static enum json_column_result parse_decimal(struct text text, const struct column *column,
                                             struct arena *strings, int128_t *value) {
    size_t used = strings->used;
    if (!is_plain_number(text)) {
        char *bytes = arena_alloc_bytes(strings, text.length);
        if (bytes == NULL)
            return JSON_COLUMN_FULL;
        text = (struct text){bytes, copy_number(text, bytes)};
    }
    bool parsed = decimal_parse(text, column->precision, column->scale, value);
    arena_rewind(strings, used);
    return parsed ? JSON_COLUMN_SET : JSON_COLUMN_FAULT;
}

/* The value of a string by the column's type, which is none of text. */
static enum json_column_result parse_text(struct text text, const struct timestamp_context *context,
                                          const struct column *column, struct vector *vector,
                                          size_t row, struct arena *strings) {
    enum json_column_result result = JSON_COLUMN_FAULT;
    int64_t micros = 0;
    int32_t days = 0;
    int128_t decimal = 0;
    switch (column->type) {
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        if (column->type == TYPE_TIMESTAMP ? timestamp_parse(text, context, &micros)
                                           : timestamp_parse_local(text, &micros)) {
            vector->int64s[row] = micros;
            result = JSON_COLUMN_SET;
        }
        break;
    case TYPE_DATE:
        if (date_text_parse_lenient(text, &days)) {
            vector->int32s[row] = days;
            result = JSON_COLUMN_SET;
        }
        break;
    default:
        result = parse_decimal(text, column, strings, &decimal);
        if (result == JSON_COLUMN_SET)
            vector->decimals[row] = decimal;
    }
    return result;
}

static enum json_column_result read_text(struct json_reader *reader,
                                         const struct timestamp_context *context,
                                         const struct column *column, struct vector *vector,
                                         size_t row, struct arena *strings) {
    if (!json_take_string(reader))
        return JSON_COLUMN_FAULT;
    size_t used = strings->used;
    struct text text;
    enum json_column_result result = JSON_COLUMN_FULL;
    if (borrow_text(reader, strings, &text))
        result = parse_text(text, context, column, vector, row, strings);
    arena_rewind(strings, used);
    if (result == JSON_COLUMN_SET)
        vector->valid[row] = 1;
    return result;
}

static enum json_column_result read_binary(struct json_reader *reader, struct vector *vector,
                                           size_t row, struct arena *strings) {
    if (reader->token != JSON_STRING)
        return JSON_COLUMN_FAULT;
    size_t size = reader->lexer.value.size, used = strings->used;
    if (reader->string_is_unread) {
        const char *at = reader->lexer.at, *end = reader->lexer.end;
        const char *quote = memchr(at, '"', (size_t)(end - at));
        size = (size_t)((quote == NULL ? end : quote) - at);
    }
    char *bytes = arena_alloc_bytes(strings, size);
    if (bytes == NULL)
        return JSON_COLUMN_FULL;
    bool decoded = json_read_base64(reader, bytes, &size);
    arena_rewind(strings, decoded ? used + size : used);
    return decoded ? set_text(vector, row, (struct text){bytes, (uint32_t)size})
                   : JSON_COLUMN_FAULT;
}

static bool read_float(struct json_reader *reader, float *value) {
    if (reader->token == JSON_INTEGER || reader->token == JSON_FLOAT) {
        *value = json_float(reader->token, reader->lexer.value);
        return true;
    }
    double not_finite;
    if ((reader->token != JSON_STRING && reader->token != JSON_NOT_FINITE) ||
        !json_not_finite(reader->lexer.value, &not_finite))
        return false;
    *value = (float)not_finite;
    return true;
}

static bool read_decimal(struct json_reader *reader, const struct column *column, int128_t *value) {
    struct json_raw number = reader->lexer.value;
    return (reader->token == JSON_INTEGER || reader->token == JSON_FLOAT) &&
           decimal_parse((struct text){number.bytes, (uint32_t)number.size}, column->precision,
                         column->scale, value);
}

/* Seconds since 1970. */
static bool read_seconds(struct json_reader *reader, int64_t *micros) {
    int64_t seconds;
    if (reader->token != JSON_INTEGER || !json_int64(reader->lexer.value, &seconds))
        return false;
    *micros = (int64_t)((uint64_t)seconds * (uint64_t)micros_per_second);
    return true;
}

static bool read_integer(struct json_reader *reader, int64_t min, int64_t max, int64_t *value) {
    return reader->token == JSON_INTEGER && json_int64(reader->lexer.value, value) &&
           *value >= min && *value <= max;
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
static bool read_scalar(struct json_reader *reader, const struct column *column,
                        struct vector *vector, size_t row) {
    int64_t integer;
    switch (column->type) {
    case TYPE_BOOL:
        if (reader->token != JSON_TRUE && reader->token != JSON_FALSE)
            return false;
        vector->booleans[row] = reader->token == JSON_TRUE;
        return true;
    case TYPE_INT8: // as Jackson's getByteValue(): unsigned bytes are let through
        if (!read_integer(reader, INT8_MIN, UINT8_MAX, &integer))
            return false;
        vector->int8s[row] = (int8_t)integer;
        return true;
    case TYPE_INT16:
        if (!read_integer(reader, INT16_MIN, INT16_MAX, &integer))
            return false;
        vector->int16s[row] = (int16_t)integer;
        return true;
    case TYPE_INT32:
        if (!read_integer(reader, INT32_MIN, INT32_MAX, &integer))
            return false;
        vector->int32s[row] = (int32_t)integer;
        return true;
    case TYPE_INT64:
        return read_integer(reader, INT64_MIN, INT64_MAX, &vector->int64s[row]);
    case TYPE_FLOAT:
        return read_float(reader, &vector->floats[row]);
    case TYPE_DOUBLE:
        return read_double(reader, &vector->doubles[row]);
    case TYPE_DECIMAL:
        return read_decimal(reader, column, &vector->decimals[row]);
    case TYPE_TIMESTAMP:
        return read_seconds(reader, &vector->int64s[row]);
    default:
        return false;
    }
}

/* Whether a string can be a value of the type, other than as text. */
static bool has_text_form(enum type type) {
    return type == TYPE_TIMESTAMP || type == TYPE_TIMESTAMP_NTZ || type == TYPE_DATE ||
           type == TYPE_DECIMAL;
}

enum json_column_result json_read_column(struct json_reader *reader,
                                         const struct timestamp_context *context,
                                         const struct column *column, struct vector *vector,
                                         size_t row, struct arena *strings) {
    if (reader->token == JSON_KEY && !json_next(reader))
        return JSON_COLUMN_FAULT;
    if (reader->token == JSON_NULL || reader->token == JSON_NONE) {
        vector->valid[row] = 0;
        return JSON_COLUMN_SET;
    }
    if (column->type == TYPE_STRING)
        return read_string(reader, vector, row, strings);
    if (column->type == TYPE_BINARY)
        return read_binary(reader, vector, row, strings);
    if (reader->token == JSON_STRING && has_text_form(column->type))
        return read_text(reader, context, column, vector, row, strings);
    // Spark looks at the text of a string even where it needs none: a broken one shows here.
    if (reader->token == JSON_STRING && !json_take_string(reader))
        return JSON_COLUMN_FAULT;
    if (!read_scalar(reader, column, vector, row))
        return JSON_COLUMN_FAULT;
    vector->valid[row] = 1;
    return JSON_COLUMN_SET;
}
