/* nested.h: rows of arrays, maps and structs (tests/sql/nested.py) as vectors. */
#ifndef TEST_SQL_EVAL_NESTED_H
#define TEST_SQL_EVAL_NESTED_H

#include "eval/table.h"

enum { ELEMENTS_MAX = 8192 };

/* A vector that grows, with its children. */
struct growing {
    const struct data_type *type;
    struct vector *vector;
    size_t count;
    struct growing *children;
};

static inline size_t child_count(const struct data_type *type) {
    return type->kind == TYPE_STRUCT  ? type->field_count
           : type->kind == TYPE_MAP   ? 2
           : type->kind == TYPE_ARRAY ? 1
                                      : 0;
}

static inline const struct data_type *child_type(const struct data_type *type, size_t index) {
    static const struct data_type key = {.kind = TYPE_STRING};
    if (type->kind == TYPE_STRUCT)
        return &type->fields[index].type;
    return type->kind == TYPE_MAP && index == 0 ? &key : type->element;
}

static inline struct growing growing_new(struct pool *pool, const struct data_type *type,
                                         struct vector *vector, size_t capacity) {
    size_t count = child_count(type);
    size_t inner = type->kind == TYPE_STRUCT ? capacity : ELEMENTS_MAX;
    struct growing growing = {
        .type = type, .vector = vector, .children = pool_alloc(pool, count, sizeof growing)};
    *vector = (struct vector){.type = type->kind,
                              .scale = type->scale,
                              .valid = pool_alloc(pool, capacity, 1),
                              .children = pool_alloc(pool, count, sizeof *vector)};
    if (type->kind != TYPE_STRUCT)
        vector->values = pool_alloc(pool, capacity, vector_width(type->kind));
    for (size_t i = 0; i < count; i++)
        growing.children[i] = growing_new(pool, child_type(type, i), &vector->children[i], inner);
    return growing;
}

/* A scalar's text up to a delimiter. */
static inline void read_scalar(struct table *table, struct growing *to, char **at) {
    char text[VALUE_TEXT_MAX];
    size_t length = strcspn(*at, ",:]}\t\n");
    snprintf(text, sizeof text, "%.*s", (int)length, *at);
    *at += length;
    text[strcmp(text, "\\E") == 0 ? 0 : length] = '\0';
    if (to->type->kind != TYPE_BINARY || strcmp(text, "\\N") == 0) {
        value_read(table, to->vector, to->count, text);
        return;
    }
    to->vector->valid[to->count] = 1;
    to->vector->texts[to->count] = text_read(text, &table->pool);
}

static inline void read_nested(struct table *table, struct growing *to, char **at);

static inline void read_fields(struct table *table, struct growing *to, char **at) {
    for (size_t i = 0; i < to->type->field_count; i++) {
        (*at)++; // { or ,
        to->children[i].count = to->count;
        read_nested(table, &to->children[i], at);
    }
    (*at)++;
}

static inline void read_list(struct table *table, struct growing *to, char **at) {
    struct list *list = &to->vector->lists[to->count];
    struct growing *last = &to->children[child_count(to->type) - 1];
    *list = (struct list){.first = (uint32_t)last->count};
    for ((*at)++; **at != ']'; list->count++) {
        *at += list->count > 0 ? 1 : 0; // ,
        check(last->count < ELEMENTS_MAX);
        if (to->type->kind == TYPE_MAP) {
            read_nested(table, &to->children[0], at);
            (*at)++; // :
        }
        read_nested(table, last, at);
    }
    (*at)++;
}

static inline void read_nested(struct table *table, struct growing *to, char **at) {
    if (to->type->kind < TYPE_STRUCT) {
        read_scalar(table, to, at);
    } else {
        to->vector->valid[to->count] = strncmp(*at, "\\N", 2) != 0;
        if (to->vector->valid[to->count] == 0)
            *at += 2;
        else if (to->type->kind == TYPE_STRUCT)
            read_fields(table, to, at);
        else
            read_list(table, to, at);
    }
    to->count++;
}

static inline void nested_read(struct table *table, const char *path) {
    struct growing columns[TABLE_COLUMNS_MAX];
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    table_read_columns(table, file);
    for (size_t i = 0; i < table->column_count; i++)
        columns[i] =
            growing_new(&table->pool, &table->types[i], &table->columns[i], TABLE_ROWS_MAX);
    for (; getline(&line, &size, file) > 0; table->row_count++) {
        char *at = line;
        for (size_t i = 0; i < table->column_count; i++, at++)
            read_nested(table, &columns[i], &at);
    }
    free(line);
    (void)fclose(file);
}

/* ---- the cut ---- */

/* The vector with those fields alone that the cut type has. */
static inline struct vector vector_cut(struct pool *pool, const struct vector *from,
                                       const struct data_type *declared,
                                       const struct data_type *cut) {
    struct vector to = *from;
    if (cut->kind < TYPE_STRUCT)
        return to;
    size_t kept = 0;
    to.children = pool_alloc(pool, child_count(declared), sizeof to);
    for (size_t i = 0; i < child_count(declared) && kept < child_count(cut); i++)
        if (cut->kind != TYPE_STRUCT ||
            strcmp(cut->fields[kept].name, declared->fields[i].name) == 0) {
            to.children[kept] = vector_cut(pool, &from->children[i], child_type(declared, i),
                                           child_type(cut, kept));
            kept++;
        }
    check(kept == child_count(cut));
    return to;
}

/* ---- LATERAL VIEW ---- */

enum { EXPLODED_MAX = 4096 };

/* Rows while they are exploded: inputs and parts of the views so far. */
struct exploded {
    struct vector *inputs;
    struct view_values *views;
    size_t count;
};

static inline struct vector gathered(struct pool *pool, const struct vector *from,
                                     const uint32_t *rows, size_t count) {
    struct vector to = {
        .type = from->type, .scale = from->scale, .valid = pool_alloc(pool, count + 1, 1)};
    void *memory = pool_alloc(pool, count + 1, vector_width(from->type));
    if (from->type == TYPE_STRUCT)
        to.rows = memory;
    else
        to.values = memory;
    if (from->valid != NULL) // else nothing reads it
        vector_gather(from, rows, count, &to, 0);
    return to;
}

/* Which row and which element each new row is of. */
struct sources {
    uint32_t rows[EXPLODED_MAX], elements[EXPLODED_MAX];
    int32_t positions[EXPLODED_MAX];
    size_t count;
};

static inline void add_source(struct sources *sources, size_t row, uint32_t element,
                              int32_t position) {
    check(sources->count < EXPLODED_MAX);
    sources->rows[sources->count] = (uint32_t)row;
    sources->elements[sources->count] = element;
    sources->positions[sources->count++] = position;
}

static inline void find_sources(const struct plan_view *view, const struct vector *lists,
                                size_t count, struct sources *sources) {
    sources->count = 0;
    for (size_t row = 0; row < count; row++) {
        struct list list = lists->valid[row] != 0 ? lists->lists[row] : (struct list){0};
        for (uint32_t i = 0; i < list.count; i++)
            add_source(sources, row, list.first + i, (int32_t)i);
        if (list.count == 0 && view->is_outer)
            add_source(sources, row, VECTOR_NO_ROW, -1);
    }
}

static inline void explode(struct pool *pool, const struct query_plan *plan, size_t index,
                           struct exploded *rows, struct arena *strings) {
    static struct sources sources;
    const struct plan_view *view = &plan->views[index];
    struct timestamp_context context = {.now_ms = 1704189600000};
    struct eval eval;
    int64_t faults = 0;
    eval_init(&eval, plan, &view->argument, 1, rows->count + 1, &context);
    eval_bind(&eval, rows->inputs, rows->views, NULL);
    check(eval_rows(&eval, 0, rows->count, strings, &faults));
    const struct vector *lists = eval_output(&eval, 0);
    find_sources(view, lists, rows->count, &sources);
    struct vector *parts = rows->views[index].parts;
    parts[VIEW_POSITION] = vector_new(pool, TYPE_INT32, sources.count + 1);
    for (size_t i = 0; i < sources.count; i++) {
        parts[VIEW_POSITION].int32s[i] = sources.positions[i];
        parts[VIEW_POSITION].valid[i] = sources.positions[i] >= 0;
    }
    for (size_t i = 0; i < child_count(&view->argument->type); i++)
        parts[VIEW_ELEMENT + i] =
            gathered(pool, &lists->children[i], sources.elements, sources.count);
    for (size_t i = 0; i < plan->input_count; i++)
        rows->inputs[i] = gathered(pool, &rows->inputs[i], sources.rows, sources.count);
    for (size_t before = 0; before < index; before++)
        for (int part = VIEW_POSITION; part <= VIEW_VALUE; part++)
            rows->views[before].parts[part] =
                gathered(pool, &rows->views[before].parts[part], sources.rows, sources.count);
    rows->count = sources.count;
    eval_deinit(&eval);
}

/* The expressions x and WHERE of a plan with views, on all rows. Returns how many rows there are.
 */
static inline size_t views_evaluate(struct table *table, const struct query_plan *plan,
                                    struct evaluated *out) {
    const struct expr *exprs[2] = {plan->columns[table_column(plan, "x")].expr, plan->where};
    struct timestamp_context context = {.now_ms = 1704189600000};
    struct vector outputs[2];
    struct exploded rows = {
        .inputs = pool_alloc(&table->pool, plan->input_count, sizeof(struct vector)),
        .views = pool_alloc(&table->pool, plan->view_count, sizeof(struct view_values)),
        .count = table->row_count};
    struct eval eval;
    int64_t faults[2] = {0};
    *out = (struct evaluated){0};
    arena_init(&out->strings, table->string_bytes);
    for (size_t i = 0; i < plan->input_count; i++)
        rows.inputs[i] = table_input(table, &plan->inputs[i]);
    for (size_t i = 0; i < plan->view_count; i++)
        explode(&table->pool, plan, i, &rows, &out->strings);
    size_t count = plan->where != NULL ? 2 : 1;
    for (size_t i = 0; i < count; i++)
        outputs[i] = vector_new(&table->pool, exprs[i]->type.kind, rows.count + 1);
    eval_init(&eval, plan, exprs, count, rows.count + 1, &context);
    eval_bind(&eval, rows.inputs, rows.views, outputs);
    check(eval_rows(&eval, 0, rows.count, &out->strings, faults));
    eval_deinit(&eval);
    uint32_t *kept = pool_alloc(&table->pool, rows.count + 1, sizeof *kept);
    size_t kept_count = 0;
    for (uint32_t row = 0; row < rows.count; row++)
        if (plan->where == NULL || (outputs[1].valid[row] & outputs[1].booleans[row]) != 0)
            kept[kept_count++] = row;
    out->vector = gathered(&table->pool, &outputs[0], kept, kept_count);
    return kept_count;
}

#endif
