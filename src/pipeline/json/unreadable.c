/* The path is the keys of the field, then a place in each array and map that is open around the
 * value. All parts are cut, so that there is room for the last: what was expected. */
#include "pipeline/json/unreadable.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "core/nested.h"

enum { PATH_MAX_BYTES = 80, VALUE_MAX_BYTES = 60, STRING_MAX_UNITS = 30 };

/* `room`: so many more bytes at most; what does not fit is an ellipsis. */
static struct json_output part_of(const struct json_output *whole, size_t room) {
    size_t left = (size_t)(whole->end - whole->at);
    return (struct json_output){whole->at, whole->at + (room < left ? room : left), false};
}

/* The beginning of the current string. */
static void put_string(struct json_output *output, struct json_raw raw) {
    size_t size = (size_t)(json_text_skip(raw, STRING_MAX_UNITS) - raw.bytes);
    bool is_cut = size < raw.size;
    raw.size = size;
    json_output_quoted(output, raw);
    if (is_cut)
        json_output_put(output, "…", strlen("…"));
}

static void keep_part(struct json_output *whole, struct json_output part) {
    whole->at = part.at;
    if (part.is_full)
        json_output_put(whole, "…", strlen("…"));
}

static void put(struct json_output *output, const char *text) {
    json_output_put(output, text, strlen(text));
}

/* Character by character, so that it can be cut. Control characters are question marks. */
static void put_text(struct json_output *output, struct text text) {
    const char *at = text.bytes, *end = at + text.length;
    while (at < end && !output->is_full) {
        size_t size;
        bool valid;
        (void)utf8_decode(at, end, &size, &valid);
        bool shown = valid && (unsigned char)*at >= ' ';
        json_output_put(output, shown ? at : "?", shown ? size : 1);
        at += size;
    }
}

/* The element that is being read. */
static void put_index(struct json_output *output, const struct json_open_value *open) {
    uint32_t used = open->place.vector->elements->used;
    char index[16];
    put(output, "[");
    if (open->field->kind == JSON_FIELD_ARRAY) {
        (void)snprintf(index, sizeof index, "%u", used - 1 - open->first);
        put(output, index);
    } else {
        put(output, "\"");
        put_text(output, open->place.vector->children[0].texts[used - 1]);
        put(output, "\"");
    }
    put(output, "]");
}

static void put_path(struct json_output *whole, const struct json_open_value *open,
                     size_t open_count, const struct json_field *field) {
    struct json_output path = part_of(whole, PATH_MAX_BYTES);
    put_text(&path, text_borrow(field->path));
    for (size_t i = 0; i < open_count; i++)
        if (open[i].field->kind == JSON_FIELD_ARRAY || open[i].field->kind == JSON_FIELD_MAP)
            put_index(&path, &open[i]);
    keep_part(whole, path);
}

/* A scalar as the record has it. */
static void put_value(struct json_output *whole, const struct json_reader *reader,
                      const struct json_field *field) {
    struct json_output value = part_of(whole, VALUE_MAX_BYTES);
    struct json_raw raw = reader->lexer.value;
    bool is_binary = field->kind == JSON_FIELD_VALUE && field->declared->type == TYPE_BINARY;
    switch (reader->token) {
    case JSON_OBJECT:
        put(&value, "an object");
        break;
    case JSON_ARRAY:
        put(&value, "an array");
        break;
    case JSON_STRING:
        if (is_binary)
            put(&value, "a string"); // has not been read as text
        else
            put_string(&value, raw);
        break;
    case JSON_OBJECT_END:
    case JSON_ARRAY_END:
        put(&value, "missing");
        break;
    default:
        put_text(&value, (struct text){raw.bytes, (uint32_t)raw.size});
    }
    keep_part(whole, value);
}

static void put_expected(struct json_output *output, const struct json_field *field) {
    if (field->kind == JSON_FIELD_VALUE) {
        put(output, "of type ");
        put(output, column_sql_type(field->declared).text);
    } else {
        put(output, field->kind == JSON_FIELD_ARRAY ? "an array" : "an object");
    }
}

/* Of a scalar its first byte, of a string its quote; else the byte that was read last. */
static size_t position(const struct json_reader *reader) {
    const struct json_lexer *lexer = &reader->lexer;
    if (lexer->problem != NULL)
        return lexer->problem_at; // and there may be no value
    bool is_scalar = reader->token >= JSON_STRING;
    const char *at = is_scalar ? lexer->value.bytes - (reader->token == JSON_STRING)
                               : lexer->at - (lexer->at > lexer->start);
    return (size_t)(at - lexer->start);
}

void json_describe_unreadable(struct json_unreadable *unreadable, const struct json_reader *reader,
                              const struct json_open_value *open, size_t open_count,
                              const struct json_field *field, size_t column) {
    struct json_output output = {unreadable->detail,
                                 unreadable->detail + sizeof unreadable->detail - 1, false};
    put_path(&output, open, open_count, field);
    if (reader->lexer.problem != NULL) {
        put(&output, " cannot be read: ");
        put(&output, reader->lexer.problem);
    } else {
        put(&output, " is ");
        put_value(&output, reader, field);
        put(&output, ", not ");
        put_expected(&output, field);
    }
    *output.at = '\0';
    unreadable->is_set = true;
    unreadable->column = column;
    unreadable->position = position(reader);
}
