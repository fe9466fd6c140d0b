#include "pipeline/derive.h"

#include "base/check.h"
#include "sql/plan/plan.h"

/* The column of the rows that has the input's values. */
static size_t column_of(const struct query_plan *plan, size_t input, const struct schema *schema) {
    switch (plan->inputs[input].kind) {
    case INPUT_RECORD:
        check(input < schema->record_count);
        return input;
    case INPUT_PARTITION:
        return schema->partition;
    case INPUT_OFFSET:
        return schema->offset;
    case INPUT_TIMESTAMP:
        return schema->kafka_timestamp;
    case INPUT_PROCESSING_TIMESTAMP:
        return schema->processing_timestamp;
    default: // refused when the query was declared
        check(false);
        return 0;
    }
}

static void bind(struct derive *derive, const struct query_plan *plan, const struct rows *rows) {
    struct vector outputs[SCHEMA_COLUMNS_MAX];
    struct vector *inputs = must_alloc(plan->input_count, sizeof *inputs);
    for (size_t i = 0; i < plan->input_count; i++)
        inputs[i] = rows->columns[column_of(plan, i, rows->schema)];
    for (size_t k = 0; k < derive->count; k++)
        outputs[k] = rows->columns[derive->columns[k]];
    eval_bind(&derive->eval, inputs, NULL, outputs);
    free(inputs);
}

void derive_init(struct derive *derive, const struct query_plan *plan, const size_t *columns,
                 size_t count, const struct rows *rows, struct zone zone) {
    const struct expr *exprs[SCHEMA_COLUMNS_MAX];
    check(count <= SCHEMA_COLUMNS_MAX && plan->column_count == rows->schema->count);
    *derive = (struct derive){.context = {.zone = zone}, .count = count};
    for (size_t k = 0; k < count; k++) {
        derive->columns[k] = columns[k];
        exprs[k] = plan->columns[columns[k]].expr;
    }
    eval_init(&derive->eval, plan, exprs, count, rows->capacity, &derive->context);
    bind(derive, plan, rows);
}

void derive_init_all(struct derive *derive, const struct query_plan *plan, const struct rows *rows,
                     struct zone zone) {
    size_t columns[SCHEMA_COLUMNS_MAX], count = 0;
    for (size_t i = rows->schema->derived_first; i < rows->schema->count; i++)
        columns[count++] = i;
    derive_init(derive, plan, columns, count, rows, zone);
}

void derive_deinit(struct derive *derive) {
    eval_deinit(&derive->eval);
    *derive = (struct derive){0};
}

bool derive_rows(struct derive *derive, size_t first, size_t count, struct arena *strings) {
    if (derive->count == 0)
        return true;
    int64_t ignored[SCHEMA_COLUMNS_MAX]; // derive_count_faults() counts them when the rows are kept
    for (size_t k = 0; k < derive->count; k++)
        ignored[k] = 0;
    return eval_rows(&derive->eval, first, count, strings, ignored);
}

void derive_count_faults(const struct derive *derive, size_t count, struct decode_counts *counts) {
    for (size_t k = 0; k < derive->count; k++) {
        const uint8_t *faults = eval_faults(&derive->eval, k);
        for (size_t row = 0; faults != NULL && row < count; row++)
            counts->field_faults[derive->columns[k]] += faults[row];
    }
}
