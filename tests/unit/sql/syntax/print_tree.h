/* print_tree.h: trees of query files as S-expressions, for tests. */
#ifndef TEST_PRINT_TREE_H
#define TEST_PRINT_TREE_H

#include <stdio.h>

#include "sql/syntax/parse.h"

static inline void print_text(FILE *out, const char *text, size_t length) {
    fputc('\'', out);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte < 0x20 || byte == '\'' || byte == '\\' || byte == 0x7f)
            fprintf(out, "\\x%02x", byte);
        else
            fputc(byte, out);
    }
    fputc('\'', out);
}

/* In backticks, unless it is only letters, digits and '_'. */
static inline void print_name(FILE *out, const char *name) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    const char *quote = name[strspn(name, plain)] == '\0' ? "" : "`";
    fprintf(out, "%s%s%s", quote, name, quote);
}

static inline void print_type(FILE *out, const struct data_type *type) {
    struct pool pool;
    pool_init(&pool);
    fputs(data_type_text(type, &pool), out);
    pool_deinit(&pool);
}

static inline void print_node(FILE *out, const struct sql_node *node);

static inline void print_list(FILE *out, const char *head, const struct sql_node *node) {
    fprintf(out, "(%s", head);
    for (size_t i = 0; i < node->child_count; i++) {
        fputc(' ', out);
        print_node(out, node->children[i]);
    }
    fputc(')', out);
}

static inline void print_cast(FILE *out, const char *head, const struct sql_node *node) {
    fprintf(out, "(%s ", head);
    print_node(out, node->children[0]);
    fputc(' ', out);
    print_type(out, node->type);
    fputc(')', out);
}

static inline void print_lambda(FILE *out, const struct sql_node *node) {
    fputs("(lambda (", out);
    for (size_t i = 0; i < node->name_count; i++)
        fprintf(out, "%s%s", i > 0 ? " " : "", node->names[i]);
    fputs(") ", out);
    print_node(out, node->children[0]);
    fputc(')', out);
}

static inline void print_node(FILE *out, const struct sql_node *node) {
    switch (node->kind) {
    case SQL_NULL:
        fputs("NULL", out);
        break;
    case SQL_TRUE:
        fputs("TRUE", out);
        break;
    case SQL_FALSE:
        fputs("FALSE", out);
        break;
    case SQL_NUMBER:
        fputs(node->text, out);
        if (node->type != NULL) {
            fputc(':', out);
            print_type(out, node->type);
        }
        break;
    case SQL_STRING:
        print_text(out, node->text, node->text_length);
        break;
    case SQL_LITERAL:
        print_type(out, node->type);
        print_text(out, node->text, node->text_length);
        break;
    case SQL_NAME:
        print_name(out, node->text);
        break;
    case SQL_FIELD:
        fputs("(. ", out);
        print_node(out, node->children[0]);
        fputc(' ', out);
        print_name(out, node->text);
        fputc(')', out);
        break;
    case SQL_INDEX:
        print_list(out, "[]", node);
        break;
    case SQL_CALL:
        print_list(out, node->text, node);
        break;
    case SQL_CAST:
        print_cast(out, "cast", node);
        break;
    case SQL_TRY_CAST:
        print_cast(out, "try_cast", node);
        break;
    case SQL_CASE:
        print_list(out, "case", node);
        break;
    case SQL_LAMBDA:
        print_lambda(out, node);
        break;
    case SQL_STAR:
        fputc('*', out);
        break;
    }
}

static inline void print_comment(FILE *out, const char *comment) {
    if (comment == NULL)
        return;
    fputs(" comment ", out);
    print_text(out, comment, strlen(comment));
}

static inline void print_fields(FILE *out, const struct sql_field *fields, size_t count) {
    fputs(" (", out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s%s ", i > 0 ? ", " : "", fields[i].name);
        print_type(out, &fields[i].type);
        if (fields[i].required)
            fputs(" required", out);
        print_comment(out, fields[i].comment);
    }
    fputc(')', out);
}

static inline void print_properties(FILE *out, const char *head,
                                    const struct sql_property *properties, size_t count) {
    if (count > 0)
        fprintf(out, " %s (", head);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s%s=", i > 0 ? ", " : "", properties[i].key);
        print_text(out, properties[i].value, strlen(properties[i].value));
    }
    if (count > 0)
        fputc(')', out);
}

static inline void print_topic(FILE *out, const struct sql_topic *topic) {
    fprintf(out, "(topic %s", topic->name);
    print_fields(out, topic->fields, topic->field_count);
    print_properties(out, "options", topic->options, topic->option_count);
    print_comment(out, topic->comment);
    fputs(")", out);
}

static inline void print_view(FILE *out, const struct sql_view *view) {
    fprintf(out, " (%s%s ", view->outer ? "outer " : "",
            view->with_position ? "posexplode" : "explode");
    print_node(out, view->argument);
    fprintf(out, " %s", view->name);
    for (size_t i = 0; i < view->alias_count; i++)
        fprintf(out, " %s", view->aliases[i]);
    fputc(')', out);
}

static inline void print_table(FILE *out, const struct sql_table *table) {
    fprintf(out, "(table %s", table->name);
    if (table->has_columns)
        print_fields(out, table->columns, table->column_count);
    for (size_t i = 0; i < table->partition_column_count; i++)
        fprintf(out, " by %s", table->partition_columns[i].name);
    print_comment(out, table->comment);
    print_properties(out, "properties", table->properties, table->property_count);
    fputs(" (select", out);
    for (size_t i = 0; i < table->item_count; i++) {
        fputc(' ', out);
        print_node(out, table->items[i].node);
        if (table->items[i].alias != NULL)
            fprintf(out, ":%s", table->items[i].alias);
    }
    fprintf(out, ") (%s %s)", table->source_is_kafka ? "kafka" : "from", table->source.name);
    if (table->source_alias != NULL)
        fprintf(out, ":%s", table->source_alias);
    for (size_t i = 0; i < table->view_count; i++)
        print_view(out, &table->views[i]);
    if (table->where != NULL) {
        fputs(" where ", out);
        print_node(out, table->where);
    }
    fputs(")", out);
}

static inline void print_file(FILE *out, const struct sql_file *file) {
    for (size_t i = 0; i < file->topic_count; i++)
        print_topic(out, &file->topics[i]);
    for (size_t i = 0; i < file->table_count; i++)
        print_table(out, &file->tables[i]);
}

#endif
