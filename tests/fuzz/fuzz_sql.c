/* No matter what a query file says, it is read or refused without a crash. What is refused names a
 * place in the text, and what is read keeps to the promises of tree.h. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/utf8.h"
#include "sql/syntax/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- a refusal ---- */

/* "line:column: message", of a place in the text or just behind it. */
static void check_refusal(const char *text, size_t size, const struct error *err) {
    check(err->kind == ERROR_CONFIG);
    const char *message = err->message;
    char *after_line, *after_column;
    long line = strtol(message, &after_line, 10),
         column = strtol(after_line + 1, &after_column, 10);
    check(*after_line == ':' && strncmp(after_column, ": ", 2) == 0 && after_column[2] != '\0');
    check(line >= 1 && column >= 1);
    const char *at = text, *end = text + size;
    for (long i = 1; i < line; i++) {
        at = memchr(at, '\n', (size_t)(end - at));
        check(at != NULL);
        at++;
    }
    const char *line_end = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
    check(column <= (line_end != NULL ? line_end : end) - at + 1);
    for (const char *in = message; *in != '\0';) {
        size_t character_size;
        bool valid;
        uint32_t character = utf8_decode(in, message + strlen(message), &character_size, &valid);
        check(!escape_is_control(character));
        in += character_size;
    }
}

/* ---- a tree ---- */

static int type_depth(const struct data_type *type) {
    int below = 0;
    check((type->kind == TYPE_ARRAY || type->kind == TYPE_MAP) == (type->element != NULL));
    if (type->element != NULL)
        below = type_depth(type->element);
    for (size_t i = 0; i < type->field_count; i++) {
        int depth = type_depth(&type->fields[i].type);
        below = depth > below ? depth : below;
    }
    return below + 1;
}

/* What we write of a type, we read again. */
static void check_type(const struct data_type *type) {
    struct pool pool;
    struct data_type again;
    struct error err;
    pool_init(&pool);
    check(type_depth(type) <= DATA_TYPE_DEPTH_MAX);
    const char *text = data_type_ddl(type, &pool);
    // An empty name cannot be declared; more is written than was read, which can be too long.
    if (strlen(text) <= SQL_FILE_BYTES_MAX) {
        check(sql_parse_type(text, strlen(text), &pool, &again, &err));
        check(data_type_equals(type, &again));
    }
    pool_deinit(&pool);
}

/* Returns the number of nodes. */
static size_t check_node(const struct sql_node *node) {
    size_t nodes = 1;
    bool has_text = node->kind == SQL_NUMBER || node->kind == SQL_STRING ||
                    node->kind == SQL_LITERAL || node->kind == SQL_NAME ||
                    node->kind == SQL_FIELD || node->kind == SQL_CALL;
    check(node->place.line >= 1 && node->place.column >= 1);
    check(has_text == (node->text != NULL));
    if (has_text)
        check(node->text[node->text_length] == '\0');
    if (node->type != NULL)
        check_type(node->type);
    for (size_t i = 0; i < node->child_count; i++) {
        check(node->children[i]->depth < node->depth);
        nodes += check_node(node->children[i]);
    }
    check(node->depth <= SQL_DEPTH_MAX && nodes == node->nodes && nodes <= SQL_NODES_MAX);
    return nodes;
}

static void check_fields(const struct sql_field *fields, size_t count) {
    check(count <= SQL_COLUMNS_MAX);
    for (size_t i = 0; i < count; i++) {
        check(fields[i].name[0] != '\0');
        check_type(&fields[i].type);
    }
}

static void check_table(const struct sql_table *table) {
    check(table->name[0] != '\0' && table->source.name != NULL);
    check_fields(table->columns, table->column_count);
    check(table->item_count > 0 && table->item_count <= SQL_COLUMNS_MAX);
    for (size_t i = 0; i < table->item_count; i++)
        check_node(table->items[i].node);
    for (size_t i = 0; i < table->view_count; i++) {
        check(table->views[i].alias_count > 0);
        check_node(table->views[i].argument);
    }
    if (table->where != NULL)
        check_node(table->where);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    struct sql_file file;
    struct sql_node *node;
    struct data_type type;
    struct error err;
    if (sql_parse(NULL, text, size, &file, &err)) {
        for (size_t i = 0; i < file.topic_count; i++)
            check_fields(file.topics[i].fields, file.topics[i].field_count);
        for (size_t i = 0; i < file.table_count; i++)
            check_table(&file.tables[i]);
        sql_file_deinit(&file);
    } else {
        check_refusal(text, size, &err);
    }

    struct pool pool;
    pool_init(&pool);
    if (sql_parse_expression(text, size, &pool, &node, &err))
        check_node(node);
    else
        check_refusal(text, size, &err);
    if (sql_parse_type(text, size, &pool, &type, &err))
        check_type(&type);
    else
        check_refusal(text, size, &err);
    pool_deinit(&pool);
    return 0;
}
