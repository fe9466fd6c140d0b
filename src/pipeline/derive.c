#include "pipeline/derive.h"

#include "base/check.h"
#include "sql/plan/plan.h"

static void bind(struct derive *derive, const struct rows *rows) {
    struct vector *outputs = must_alloc(derive->count + 1, sizeof *outputs);
    for (size_t k = 0; k < derive->count; k++)
        outputs[k] = rows->columns[derive->columns[k]];
    eval_bind(&derive->eval, rows->inputs, NULL, outputs);
    free(outputs);
}

void derive_init(struct derive *derive, const struct query_plan *plan, const size_t *columns,
                 size_t count, const struct rows *rows, struct zone zone) {
    check(plan->column_count == rows->schema->count &&
          plan->input_count == rows->schema->input_count);
    *derive = (struct derive){.context = {.zone = zone}, .count = count};
    derive->columns = must_alloc(count + 1, sizeof *derive->columns);
    derive->faults = must_alloc(count + 1, sizeof *derive->faults);
    const struct expr **exprs = must_alloc(count + 1, sizeof(struct expr *));
    for (size_t k = 0; k < count; k++) {
        derive->columns[k] = columns[k];
        exprs[k] = plan->columns[columns[k]].expr;
    }
    eval_init(&derive->eval, plan, exprs, count, rows->capacity, &derive->context);
    bind(derive, rows);
    free(exprs);
}

void derive_init_all(struct derive *derive, const struct query_plan *plan, const struct rows *rows,
                     struct zone zone) {
    size_t *columns = must_alloc(rows->schema->count + 1, sizeof *columns), count = 0;
    for (size_t i = 0; i < rows->schema->count; i++)
        if (schema_is_computed(rows->schema, i))
            columns[count++] = i;
    derive_init(derive, plan, columns, count, rows, zone);
    free(columns);
}

void derive_deinit(struct derive *derive) {
    eval_deinit(&derive->eval);
    free(derive->columns);
    free(derive->faults);
    *derive = (struct derive){0};
}

bool derive_rows(struct derive *derive, size_t first, size_t count, struct arena *strings) {
    // What eval counts is not used: derive_count_faults() counts when the rows are kept.
    return derive->count == 0 || eval_rows(&derive->eval, first, count, strings, derive->faults);
}

void derive_count_faults(const struct derive *derive, const struct schema *schema, size_t count,
                         struct decode_counts *counts) {
    for (size_t k = 0; k < derive->count; k++) {
        const uint8_t *faults = eval_faults(&derive->eval, k);
        for (size_t row = 0; faults != NULL && row < count; row++)
            counts->field_faults[schema_field_of_column(schema, derive->columns[k])] += faults[row];
    }
}
