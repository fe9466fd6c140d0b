#include "sql/syntax/parse.h"

#include <stdarg.h>
#include <string.h>

#include "base/utf8.h"
#include "sql/syntax/grammar.h" // made by Bison
#include "sql/syntax/input.h"

bool sql_error(struct error *err, const char *path, struct sql_place place, const char *format,
               ...) {
    va_list args;
    va_start(args, format);
    sql_error_list(err, path, place, format, args);
    va_end(args);
    return false;
}

/* Whether the text is UTF-8 without NUL; else it is refused where it is not. */
static void check_characters(struct sql_input *in) {
    struct sql_place place = in->place;
    const char *at = in->cursor;
    while (at < in->limit && !in->failed) {
        size_t size;
        bool valid;
        utf8_decode(at, in->limit, &size, &valid);
        if (!valid)
            sql_refuse(in, place, "the text is not UTF-8");
        else if (*at == '\0')
            sql_refuse(in, place, "found a NUL character");
        place.column++;
        if (*at == '\n')
            place = (struct sql_place){place.line + 1, 1};
        at += size;
    }
}

static bool parse(struct sql_input *in, const char *text, size_t length) {
    static const char mark[] = "\xEF\xBB\xBF"; // that some editors put in front of UTF-8
    in->place = (struct sql_place){1, 1};
    if (length > SQL_FILE_BYTES_MAX) {
        sql_refuse(in, in->place, "the text is too long: %zu bytes (limit: %d)", length,
                   SQL_FILE_BYTES_MAX);
        return false;
    }
    in->text = pool_copy(in->pool, (struct text){text, (uint32_t)length});
    in->limit = in->text + length;
    in->cursor = in->text;
    if (length >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0)
        in->cursor += strlen(mark);
    in->placed = in->cursor;
    check_characters(in);
    return !in->failed && sql_yyparse(in) == 0 && !in->failed;
}

bool sql_parse(const char *path, const char *text, size_t length, struct sql_file *file,
               struct error *err) {
    *file = (struct sql_file){0};
    pool_init(&file->pool);
    struct sql_input in = {
        .pool = &file->pool, .path = path, .err = err, .first_token = TOKEN_START_FILE};
    if (!parse(&in, text, length)) {
        sql_file_deinit(file);
        return false;
    }
    file->path = path != NULL ? pool_copy(&file->pool, text_borrow(path)) : NULL;
    file->topics = in.topics.items;
    file->topic_count = in.topics.count;
    file->tables = in.tables.items;
    file->table_count = in.tables.count;
    return true;
}

void sql_file_deinit(struct sql_file *file) {
    pool_deinit(&file->pool);
    *file = (struct sql_file){0};
}

bool sql_parse_expression(const char *text, size_t length, struct pool *pool,
                          struct sql_node **node, struct error *err) {
    struct sql_input in = {.pool = pool, .err = err, .first_token = TOKEN_START_EXPRESSION};
    if (!parse(&in, text, length))
        return false;
    *node = in.expression;
    return true;
}

bool sql_parse_type(const char *text, size_t length, struct pool *pool, struct data_type *type,
                    struct error *err) {
    struct sql_input in = {.pool = pool, .err = err, .first_token = TOKEN_START_TYPE};
    if (!parse(&in, text, length))
        return false;
    *type = in.type;
    return true;
}
