/* table.h: rows of a recorded file as vectors, and an expression computed on them. */
#ifndef TEST_SQL_EVAL_TABLE_H
#define TEST_SQL_EVAL_TABLE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "core/vector.h"
#include "functions/types.h"
#include "sql/eval/eval.h"
#include "sql/plan/plan.h"
#include "sql/syntax/parse.h"

enum { TABLE_COLUMNS_MAX = 64, TABLE_ROWS_MAX = 256, VALUE_TEXT_MAX = 1024 };

struct table {
    size_t column_count, row_count;
    char names[TABLE_COLUMNS_MAX][32];
    struct data_type types[TABLE_COLUMNS_MAX];
    char declaration[4096]; // CREATE TABLE …
    struct vector columns[TABLE_COLUMNS_MAX];
    struct pool pool;    // values and texts
    struct zone zone;    // of the session
    int64_t now_ms;      // when the batch is
    size_t string_bytes; // of the first attempt
};

/* The values of an expression. */
struct evaluated {
    struct vector vector;
    uint8_t *faults; // NULL: none can be
    int64_t fault_count;
    size_t attempts;
    struct arena strings;
};

static inline struct vector vector_new(struct pool *pool, enum type type, size_t rows) {
    return (struct vector){.type = type,
                           .valid = pool_alloc(pool, rows, 1),
                           .values = pool_alloc(pool, rows, type_width(type))};
}

/* ---- values as texts: see tests/sql/record.py ---- */

static inline int128_t decimal_read(const char *text) {
    int128_t value = 0;
    for (const char *at = text + (*text == '-' ? 1 : 0); *at != '\0'; at++)
        value = value * 10 + (*at - '0');
    return *text == '-' ? -value : value;
}

static inline struct text text_read(const char *text, struct pool *pool) {
    char *bytes = pool_alloc(pool, strlen(text) + 1, 1);
    uint32_t length = 0;
    while (*text != '\0') {
        if (text[0] == '\\') { // \xHH
            const char hexadecimal[] = {text[2], text[3], '\0'};
            bytes[length++] = (char)strtol(hexadecimal, NULL, 16);
            text += 4;
        } else {
            bytes[length++] = *text++;
        }
    }
    return (struct text){bytes, length};
}

static inline void value_read(struct table *table, struct vector *vector, size_t row,
                              const char *text) {
    vector->valid[row] = strcmp(text, "\\N") != 0;
    if (vector->valid[row] == 0)
        return;
    long long number = strtoll(text, NULL, 10);
    switch (vector->type) {
    case TYPE_BOOL:
        vector->booleans[row] = strcmp(text, "true") == 0;
        break;
    case TYPE_INT8:
        vector->int8s[row] = (int8_t)number;
        break;
    case TYPE_INT16:
        vector->int16s[row] = (int16_t)number;
        break;
    case TYPE_INT32:
    case TYPE_DATE:
        vector->int32s[row] = (int32_t)number;
        break;
    case TYPE_FLOAT:
        vector->floats[row] = strtof(text, NULL);
        break;
    case TYPE_DOUBLE:
        vector->doubles[row] = strtod(text, NULL);
        break;
    case TYPE_DECIMAL:
        vector->decimals[row] = decimal_read(text);
        break;
    case TYPE_STRING:
    case TYPE_BINARY:
        vector->texts[row] = text_read(text, &table->pool);
        break;
    default:
        vector->int64s[row] = number;
    }
}

static inline void text_print(struct text value, char *text) {
    for (uint32_t i = 0; i < value.length; i++) {
        unsigned char byte = (unsigned char)value.bytes[i];
        bool plain = byte >= ' ' && byte != '\\' && byte != 0x7F;
        text += sprintf(text, plain ? "%c" : "\\x%02x", byte);
    }
    *text = '\0';
}

static inline void decimal_print(int128_t value, char *text) {
    char reversed[64];
    size_t count = 0;
    bool negative = value < 0;
    for (; count == 0 || value != 0; value /= 10)
        reversed[count++] = (char)('0' + abs((int)(value % 10)));
    if (negative)
        *text++ = '-';
    while (count > 0)
        *text++ = reversed[--count];
    *text = '\0';
}

static inline void value_print(const struct vector *vector, size_t row,
                               char text[static VALUE_TEXT_MAX]) {
    if (vector->valid[row] == 0) {
        sprintf(text, "\\N");
        return;
    }
    switch (vector->type) {
    case TYPE_BOOL:
        sprintf(text, "%s", vector->booleans[row] != 0 ? "true" : "false");
        return;
    case TYPE_INT8:
        sprintf(text, "%d", vector->int8s[row]);
        return;
    case TYPE_INT16:
        sprintf(text, "%d", vector->int16s[row]);
        return;
    case TYPE_INT32:
    case TYPE_DATE:
        sprintf(text, "%d", vector->int32s[row]);
        return;
    case TYPE_FLOAT:
        sprintf(text, "%.9g", (double)vector->floats[row]);
        return;
    case TYPE_DOUBLE:
        sprintf(text, "%.17g", vector->doubles[row]);
        return;
    case TYPE_DECIMAL:
        decimal_print(vector->decimals[row], text);
        return;
    case TYPE_STRING:
    case TYPE_BINARY:
        text_print(vector->texts[row], text);
        return;
    default:
        sprintf(text, "%lld", (long long)vector->int64s[row]);
    }
}

/* ---- rows ---- */

/* The first two lines. */
static inline void table_read_columns(struct table *table, FILE *file) {
    *table = (struct table){.string_bytes = (size_t)1024 * 1024, .now_ms = 1704189600000};
    pool_init(&table->pool);
    char *line = NULL;
    size_t size = 0, used = 0;
    struct error err;
    check(file != NULL && getline(&line, &size, file) > 0);
    for (char *rest = line, *name; (name = strsep(&rest, "\t\n")) != NULL && *name != '\0';)
        snprintf(table->names[table->column_count++], sizeof table->names[0], "%s", name);
    check(getline(&line, &size, file) > 0);
    char *rest = line;
    for (size_t i = 0; i < table->column_count; i++) {
        const char *type = strsep(&rest, "\t\n");
        check(sql_parse_type(type, strlen(type), &table->pool, &table->types[i], &err));
        used = text_append(table->declaration, sizeof table->declaration, used, "%s%s %s",
                           i == 0 ? "CREATE TABLE r (" : ", ", table->names[i], type);
    }
    text_append(table->declaration, sizeof table->declaration, used,
                ") USING kafka OPTIONS (subscribe 'r');\n");
    free(line);
}

static inline void table_read(struct table *table, const char *path) {
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    table_read_columns(table, file);
    for (size_t i = 0; i < table->column_count; i++)
        table->columns[i] = vector_new(&table->pool, table->types[i].kind, TABLE_ROWS_MAX);
    for (; getline(&line, &size, file) > 0; table->row_count++) {
        check(table->row_count < TABLE_ROWS_MAX);
        char *rest = line;
        for (size_t i = 0; i < table->column_count; i++)
            value_read(table, &table->columns[i], table->row_count, strsep(&rest, "\t\n"));
    }
    free(line);
    (void)fclose(file);
}

static inline void table_deinit(struct table *table) {
    pool_deinit(&table->pool);
}

/* The plan of SELECT expression AS x, behind whose FROM is `rest`. */
static inline bool table_plan_of(const struct table *table, const char *expression,
                                 const char *rest, struct query_plan *plan, struct error *err) {
    char *text = text_format("%sCREATE STREAMING TABLE t AS SELECT %s AS x FROM STREAM r %s;\n",
                             table->declaration, expression, rest);
    struct sql_file file = {0};
    bool ok = sql_parse("test.sql", text, strlen(text), &file, err);
    if (ok) {
        ok = plan_make(&file, 0, plan, err);
        sql_file_deinit(&file);
    }
    free(text);
    return ok;
}

static inline bool table_plan(const struct table *table, const char *expression,
                              struct query_plan *plan, struct error *err) {
    return table_plan_of(table, expression, "", plan, err);
}

static inline size_t table_column(const struct query_plan *plan, const char *name) {
    for (size_t i = 0; i < plan->column_count; i++)
        if (strcmp(plan->columns[i].name, name) == 0)
            return i;
    check(false);
    return 0;
}

/* The vector with those fields alone that the cut type has (nested.h). */
static inline struct vector vector_cut(struct pool *pool, const struct vector *from,
                                       const struct data_type *declared,
                                       const struct data_type *cut);

static inline struct vector table_input(struct table *table, const struct plan_input *input) {
    for (size_t i = 0; i < table->column_count; i++)
        if (input->kind == INPUT_RECORD && strcmp(table->names[i], input->path[0]) == 0)
            return vector_cut(&table->pool, &table->columns[i], &table->types[i], &input->type);
    return (struct vector){.type = input->type.kind}; // of a column that is not computed
}

/* `step` rows at a time. */
static inline void table_evaluate_rows(struct table *table, const struct query_plan *plan,
                                       size_t step, struct evaluated *out) {
    const struct expr *expr = plan->columns[table_column(plan, "x")].expr;
    struct timestamp_context context = {.zone = table->zone, .now_ms = table->now_ms};
    struct vector *inputs = pool_alloc(&table->pool, plan->input_count, sizeof *inputs);
    struct eval eval;
    *out = (struct evaluated){.vector = vector_new(&table->pool, expr->type.kind, TABLE_ROWS_MAX)};
    for (size_t i = 0; i < plan->input_count; i++)
        inputs[i] = table_input(table, &plan->inputs[i]);
    arena_init(&out->strings, table->string_bytes);
    eval_init(&eval, plan, &expr, 1, TABLE_ROWS_MAX, &context);
    eval_bind(&eval, inputs, NULL, &out->vector);
    if (eval_faults(&eval, 0) != NULL)
        out->faults = pool_alloc(&table->pool, TABLE_ROWS_MAX, 1);
    for (size_t row = 0; row < table->row_count;) {
        size_t count = table->row_count - row < step ? table->row_count - row : step;
        out->attempts++;
        if (!eval_rows(&eval, row, count, &out->strings, &out->fault_count)) {
            check(step >= table->row_count); // else earlier texts would go
            size_t larger = out->strings.capacity * 2;
            arena_deinit(&out->strings);
            arena_init(&out->strings, larger);
            continue;
        }
        if (out->faults != NULL)
            memcpy(out->faults + row, eval_faults(&eval, 0) + row, count);
        row += count;
    }
    // Texts of constants belong to the evaluator.
    for (size_t row = 0; type_is_text(out->vector.type) && row < table->row_count; row++)
        if (out->vector.valid[row] != 0)
            out->vector.texts[row].bytes = pool_copy(&table->pool, out->vector.texts[row]);
    eval_deinit(&eval);
}

static inline void table_evaluate(struct table *table, const struct query_plan *plan,
                                  struct evaluated *out) {
    table_evaluate_rows(table, plan, table->row_count, out);
}

static inline void evaluated_deinit(struct evaluated *evaluated) {
    arena_deinit(&evaluated->strings);
}

#endif
