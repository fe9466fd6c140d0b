/* No matter which expression over which values, it is computed without a crash, and a row alone is
 * null and a fault exactly where it is in a slice. The input is the expression, and behind a zero
 * byte the bytes that values are made of. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "core/decimal.h"
#include "sql/eval/eval.h"
#include "sql/plan/plan.h"
#include "sql/syntax/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 8, TEXT_MAX = 24, STRING_BYTES = 1 << 20 };

static const char declaration[] =
    "CREATE TABLE r (bo BOOLEAN, ti TINYINT, sm SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE, p "
    "DECIMAL(10,2), q DECIMAL(38,10), s STRING, u STRING, b BINARY, da DATE, ts TIMESTAMP, nz "
    "TIMESTAMP_NTZ) USING kafka OPTIONS (subscribe 'r');\nCREATE STREAMING TABLE t AS SELECT ";

/* The bytes again and again, each time other ones. */
struct source {
    const uint8_t *data;
    size_t size, at;
    uint8_t change;
};

static uint8_t next_byte(struct source *source) {
    if (source->at == source->size) {
        source->at = 0;
        source->change += 0x5B;
    }
    return source->size == 0 ? source->change++ : source->data[source->at++] ^ source->change;
}

static void fill(struct source *source, void *value, size_t size) {
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)value)[i] = next_byte(source);
}

static void make_value(struct source *source, const struct data_type *type, struct vector *vector,
                       size_t row, struct pool *pool) {
    vector->valid[row] = next_byte(source) % 8 != 0;
    if (type->kind == TYPE_BOOL) {
        vector->booleans[row] = next_byte(source) & 1;
    } else if (type->kind == TYPE_DECIMAL) {
        fill(source, &vector->decimals[row], sizeof(int128_t));
        vector->decimals[row] %= decimal_power(type->precision);
    } else if (type_is_text(type->kind)) {
        uint32_t length = next_byte(source) % TEXT_MAX;
        char *bytes = pool_alloc(pool, length, 1);
        fill(source, bytes, length);
        vector->texts[row] = (struct text){bytes, length};
    } else {
        size_t width = type_width(type->kind);
        fill(source, (char *)vector->values + row * width, width);
    }
}

static struct vector make_vector(const struct data_type *type, struct pool *pool) {
    return (struct vector){.type = type->kind,
                           .scale = type->scale,
                           .valid = pool_alloc(pool, ROWS, 1),
                           .values = pool_alloc(pool, ROWS, type_width(type->kind))};
}

/* `step` rows at a time. */
static void compute(const struct query_plan *plan, const struct expr *expr,
                    const struct vector *inputs, size_t step, const struct vector *out,
                    uint8_t *faults) {
    struct timestamp_context context = {.zone = {.offset = 3600}, .now_ms = 1704189600000};
    struct eval eval;
    struct arena strings;
    arena_init(&strings, STRING_BYTES);
    eval_init(&eval, plan, &expr, 1, ROWS, &context);
    eval_bind(&eval, inputs, out);
    for (size_t row = 0; row < ROWS; row += step) {
        int64_t count = 0;
        check(eval_rows(&eval, row, step, &strings, &count));
        if (eval_faults(&eval, 0) != NULL)
            memcpy(faults + row, eval_faults(&eval, 0) + row, step);
    }
    eval_deinit(&eval);
    arena_deinit(&strings);
}

static void check_expr(const struct query_plan *plan, const struct expr *expr,
                       struct source *source) {
    struct pool pool;
    pool_init(&pool);
    struct vector *inputs = pool_alloc(&pool, plan->input_count, sizeof *inputs);
    for (size_t i = 0; i < plan->input_count; i++) {
        inputs[i] = make_vector(&plan->inputs[i].type, &pool);
        for (size_t row = 0; row < ROWS; row++)
            make_value(source, &plan->inputs[i].type, &inputs[i], row, &pool);
    }
    struct vector slice = make_vector(&expr->type, &pool), alone = make_vector(&expr->type, &pool);
    uint8_t faults[ROWS] = {0}, faults_alone[ROWS] = {0};
    compute(plan, expr, inputs, ROWS, &slice, faults);
    compute(plan, expr, inputs, 1, &alone, faults_alone);
    check(memcmp(slice.valid, alone.valid, ROWS) == 0);
    check(memcmp(faults, faults_alone, ROWS) == 0);
    pool_deinit(&pool);
}

static bool is_scalar_plan(const struct query_plan *plan) {
    for (size_t i = 0; i < plan->input_count; i++)
        if (plan->inputs[i].type.kind >= TYPE_STRUCT)
            return false;
    return plan->view_count == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *end = memchr(data, 0, size);
    size_t length = end != NULL ? (size_t)(end - data) : size;
    struct source source = {.data = data + length, .size = size - length};
    char *text =
        text_format("%s%.*s AS x FROM STREAM r;", declaration, (int)length, (const char *)data);
    struct sql_file file = {0};
    struct query_plan plan;
    struct error err;
    if (sql_parse("f", text, strlen(text), &file, &err) && file.table_count == 1 &&
        plan_make(&file, 0, &plan, &err)) {
        for (size_t i = 0; is_scalar_plan(&plan) && i < plan.column_count; i++)
            if (plan.columns[i].expr->type.kind < TYPE_STRUCT)
                check_expr(&plan, plan.columns[i].expr, &source);
        plan_deinit(&plan);
    }
    sql_file_deinit(&file);
    free(text);
    return 0;
}
