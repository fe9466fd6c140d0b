#include "pipeline/json/copy.h"

#include <math.h>

#include "core/double_text.h"
#include "pipeline/json/lexer.h"
#include "pipeline/json/number.h"

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
        json_output_quoted(output, reader->value);
        return true;
    case JSON_INTEGER:
        put_integer(output, reader->value);
        return true;
    case JSON_FLOAT:
        put_double(output, json_double(JSON_FLOAT, reader->value));
        return true;
    case JSON_NOT_FINITE:
        (void)json_not_finite(reader->value, &value); // the token is one of its words
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
        return json_fail(reader, reader->at, "expected a value");
    }
}

/* One token; `*needs_comma` says whether a member stands before the next one. */
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
