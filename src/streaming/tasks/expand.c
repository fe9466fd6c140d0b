/* A slice of rows at each level: level 0 has the records, level k the rows of view k. A view's
 * argument is computed for its whole slice. Then rows are gathered into the next level, and each
 * time that this level is full, it is passed on in turn. So memory does not depend on how many
 * elements a record has.
 *
 * The last level's inputs are those of the rows themselves, so that nothing is copied once more;
 * WHERE closes the gaps between the rows that it keeps. Where the texts of a slice are large,
 * because each row repeats those of its record, it is computed and emitted in parts, of which each
 * moves to the front. What must stay true: at each level rows are in the order of the records, and
 * every record is counted once, however many slices its rows are spread over. */
#include "streaming/tasks/expand.h"

#include <stdlib.h>

#include "base/check.h"
#include "sql/eval/eval.h"

struct level {
    size_t count;
    uint32_t *records;         // of each row, its record
    uint32_t *parents;         // of each row, that of the level before
    uint32_t *elements;        // of each row, where its element is in the list of the view
    struct vector *inputs;     // of the plan; those of the rows in the last level
    struct view_values *views; // of the views before this level
    /* Of the view that makes the next level: */
    struct eval argument;
    struct arena strings;
};

struct expand {
    const struct worker_query *query;
    const struct rows *record_rows; // borrowed
    struct timestamp_context context;
    struct pool pool;
    size_t capacity;
    bool *is_gathered;    // of each input: whether anything behind level 0 reads it
    struct level *levels; // view_count + 1
    struct eval where;
    struct vector kept; // its values
    struct eval columns;
    size_t *computed; // of the columns of `columns`, their indexes
    size_t computed_count;
    int64_t *ignored_faults; // eval's own counts: rows are counted when they are kept
    struct schema schema;    // the query's; its nested inputs share the elements of the records
    struct rows rows;
    struct arena strings; // texts of WHERE and of the computed columns
    size_t string_bytes;
    uint32_t *kept_rows;
    uint32_t *exploded_of, *rows_of; // of each record
    const struct expand_call *call;
};

bool expand_is_needed(const struct query_plan *plan) {
    return plan->view_count > 0 || plan->where != NULL;
}

/* ---- life ---- */

static void note_inputs(struct expand *expand, const struct expr *expr) {
    if (expr->kind == EXPR_INPUT)
        expand->is_gathered[expr->index] = true;
    else if (expr->kind == EXPR_COLUMN)
        note_inputs(expand, expand->query->plan->columns[expr->index].expr);
    for (size_t i = 0; i < expr->argument_count; i++)
        note_inputs(expand, expr->arguments[i]);
}

static void find_gathered(struct expand *expand) {
    const struct query_plan *plan = expand->query->plan;
    expand->is_gathered = pool_alloc(&expand->pool, plan->input_count, sizeof(bool));
    for (size_t i = 0; i < plan->column_count; i++)
        note_inputs(expand, plan->columns[i].expr);
    for (size_t i = 1; i < plan->view_count; i++)
        note_inputs(expand, plan->views[i].argument);
    if (plan->where != NULL)
        note_inputs(expand, plan->where);
}

static const struct data_type position_type = {.kind = TYPE_INT32};

/* The vectors of what view `index` gives. */
static void make_parts(struct expand *expand, size_t index, struct vector *parts) {
    const struct data_type *type = &expand->query->plan->views[index].argument->type;
    const struct data_type key = {.kind = TYPE_STRING};
    bool is_map = type->kind == TYPE_MAP;
    parts[VIEW_POSITION] = vector_make(&position_type, expand->capacity, &expand->pool);
    parts[VIEW_ELEMENT] =
        vector_make(is_map ? &key : type->element, expand->capacity, &expand->pool);
    if (is_map)
        parts[VIEW_VALUE] = vector_make(type->element, expand->capacity, &expand->pool);
}

static struct vector *make_inputs(struct expand *expand) {
    const struct query_plan *plan = expand->query->plan;
    struct vector *inputs = pool_alloc(&expand->pool, plan->input_count, sizeof *inputs);
    for (size_t i = 0; i < plan->input_count; i++)
        if (expand->is_gathered[i])
            inputs[i] = vector_make(&plan->inputs[i].type, expand->capacity, &expand->pool);
    return inputs;
}

static void init_level(struct expand *expand, size_t index) {
    const struct query_plan *plan = expand->query->plan;
    struct level *level = &expand->levels[index];
    level->records = pool_alloc(&expand->pool, expand->capacity, sizeof(uint32_t));
    level->parents = pool_alloc(&expand->pool, expand->capacity, sizeof(uint32_t));
    level->elements = pool_alloc(&expand->pool, expand->capacity, sizeof(uint32_t));
    level->views = pool_alloc(&expand->pool, plan->view_count, sizeof *level->views);
    for (size_t i = 0; i < index; i++)
        make_parts(expand, i, level->views[i].parts);
    level->inputs = index == 0                  ? expand->record_rows->inputs
                    : index == plan->view_count ? expand->rows.inputs
                                                : make_inputs(expand);
    if (index == plan->view_count)
        return;
    const struct expr *argument = plan->views[index].argument;
    arena_init(&level->strings, expand->string_bytes);
    eval_init(&level->argument, plan, &argument, 1, expand->capacity, &expand->context);
}

static void init_columns(struct expand *expand) {
    const struct query_plan *plan = expand->query->plan;
    const struct expr **exprs =
        pool_alloc(&expand->pool, plan->column_count, sizeof(struct expr *));
    expand->computed = pool_alloc(&expand->pool, plan->column_count, sizeof(size_t));
    for (size_t i = 0; i < plan->column_count; i++) {
        if (!schema_is_computed(expand->query->schema, i))
            continue;
        exprs[expand->computed_count] = plan->columns[i].expr;
        expand->computed[expand->computed_count++] = i;
    }
    eval_init(&expand->columns, plan, exprs, expand->computed_count, expand->capacity,
              &expand->context);
    expand->ignored_faults = pool_alloc(&expand->pool, expand->computed_count + 1, sizeof(int64_t));
}

static void init_rows(struct expand *expand) {
    const struct schema *schema = expand->query->schema;
    struct column *inputs = pool_alloc(&expand->pool, schema->input_count, sizeof *inputs);
    for (size_t i = 0; i < schema->input_count; i++) {
        inputs[i] = schema->inputs[i];
        inputs[i].nested = NULL;
    }
    expand->schema = *schema;
    expand->schema.inputs = inputs;
    rows_init(&expand->rows, &expand->schema, expand->capacity, 1);
}

struct expand *expand_create(const struct worker_query *query, const struct rows *records,
                             size_t string_bytes, struct zone zone) {
    static const struct data_type truth = {.kind = TYPE_BOOL};
    const struct query_plan *plan = query->plan;
    struct expand *expand = must_alloc(1, sizeof *expand);
    *expand = (struct expand){.query = query,
                              .record_rows = records,
                              .context = {.zone = zone},
                              .capacity = records->capacity,
                              .string_bytes = string_bytes};
    pool_init(&expand->pool);
    init_rows(expand);
    find_gathered(expand);
    expand->levels = pool_alloc(&expand->pool, plan->view_count + 1, sizeof *expand->levels);
    for (size_t i = 0; i <= plan->view_count; i++)
        init_level(expand, i);
    if (plan->where != NULL) {
        expand->kept = vector_make(&truth, expand->capacity, &expand->pool);
        eval_init(&expand->where, plan, &plan->where, 1, expand->capacity, &expand->context);
    }
    init_columns(expand);
    expand->kept_rows = pool_alloc(&expand->pool, expand->capacity, sizeof(uint32_t));
    expand->exploded_of = pool_alloc(&expand->pool, expand->capacity, sizeof(uint32_t));
    expand->rows_of = pool_alloc(&expand->pool, expand->capacity, sizeof(uint32_t));
    return expand;
}

void expand_destroy(struct expand *expand) {
    if (expand == NULL)
        return;
    for (size_t i = 0; i < expand->query->plan->view_count; i++) {
        eval_deinit(&expand->levels[i].argument);
        arena_deinit(&expand->levels[i].strings);
    }
    eval_deinit(&expand->where);
    eval_deinit(&expand->columns);
    arena_deinit(&expand->strings);
    rows_deinit(&expand->rows);
    pool_deinit(&expand->pool);
    free(expand);
}

size_t expand_memory(const struct expand *expand) {
    size_t bytes = expand->pool.total + expand->where.memory + expand->columns.memory +
                   rows_memory(&expand->schema, expand->capacity, expand->string_bytes);
    for (size_t i = 0; i < expand->query->plan->view_count; i++)
        bytes += expand->levels[i].argument.memory + expand->levels[i].strings.capacity;
    return bytes;
}

/* ---- expressions ---- */

/* The memory is for several arenas and the sink. */
static size_t memory_share(const struct expand *expand) {
    return expand->call->memory_max / 4;
}

static bool too_large(const struct expand *expand, struct error *err) {
    return error_set(err, ERROR_CONFIG,
                     "topic %s: the expressions of one row need more memory than a worker has (%zu "
                     "bytes): raise SPARK_DRIVER_MEMORY",
                     expand->query->topic, expand->call->memory_max);
}

/* Computes rows from `first` on, *count of them, or fewer if their texts are large. `strings` is
 * empty, and gets the room that they need. */
static bool compute(struct expand *expand, struct eval *eval, size_t first, size_t *count,
                    struct arena *strings, struct error *err) {
    size_t room = strings->capacity > 0 ? strings->capacity : expand->string_bytes;
    for (;;) {
        if (room > strings->capacity) {
            arena_deinit(strings);
            arena_init(strings, room);
        }
        if (eval_rows(eval, first, *count, strings, expand->ignored_faults))
            return true;
        arena_reset(strings);
        size_t most = *count > 1 ? memory_share(expand) : expand->call->memory_max;
        if (2 * room <= most)
            room *= 2;
        else if (*count > 1)
            *count /= 2;
        else
            return too_large(expand, err);
    }
}

/* ---- the last level ---- */

static void count_faults(struct expand *expand, const struct eval *eval, size_t index,
                         size_t column, size_t first, size_t rows) {
    const uint8_t *faults = eval_faults(eval, index);
    size_t field = schema_field_of_column(expand->query->schema, column);
    for (size_t row = first; faults != NULL && row < first + rows; row++)
        expand->call->counts->field_faults[field] += faults[row];
}

/* The rows of the last level for which WHERE is true. */
static size_t find_kept(struct expand *expand, const struct level *last) {
    size_t count = 0;
    for (size_t row = 0; row < last->count; row++) {
        expand->exploded_of[last->records[row]]++;
        if (expand->query->plan->where != NULL &&
            !(expand->kept.valid[row] && expand->kept.booleans[row]))
            continue;
        expand->rows_of[last->records[row]]++;
        expand->kept_rows[count++] = (uint32_t)row;
    }
    return count;
}

/* The first `count` views of a level, in these rows, to another one. */
static void gather_views(const struct level *from, struct level *to, size_t count,
                         const uint32_t *rows, size_t row_count) {
    for (size_t i = 0; i < count; i++)
        for (size_t part = 0; part < sizeof from->views[i].parts / sizeof *from->views[i].parts;
             part++)
            if (from->views[i].parts[part].valid != NULL)
                vector_gather(&from->views[i].parts[part], rows, row_count,
                              &to->views[i].parts[part], 0);
}

/* Moves `count` of the rows that are kept to the front, from number `start` of them on. */
static void take_kept(struct expand *expand, struct level *last, size_t start, size_t count) {
    const struct query_plan *plan = expand->query->plan;
    const uint32_t *kept = &expand->kept_rows[start];
    if (kept[count - 1] + 1 == count && plan->view_count > 0)
        return; // they are there
    for (size_t i = 0; i < plan->input_count; i++)
        if (expand->is_gathered[i])
            vector_gather(&last->inputs[i], kept, count, &expand->rows.inputs[i], 0);
    gather_views(last, last, plan->view_count, kept, count);
}

/* How many of the first rows have texts that the sink has room for; at least one. */
static size_t count_fitting(const struct expand *expand, size_t count) {
    const struct rows *rows = &expand->rows;
    size_t bytes = 0;
    for (size_t i = 0; i < expand->schema.count; i++) {
        const struct vector *vector = &rows->columns[i];
        if (vector->type == TYPE_STRING || vector->type == TYPE_BINARY)
            for (size_t row = 0; row < count; row++)
                bytes += vector->valid[row] ? vector->texts[row].length : 0;
    }
    for (; bytes > memory_share(expand) && count > 1; bytes /= 2)
        count /= 2;
    return count;
}

/* Computes and emits the rows at the front: *count, or fewer. */
static bool emit_rows(struct expand *expand, size_t *count, struct error *err) {
    struct rows *rows = &expand->rows;
    const struct level *last = &expand->levels[expand->query->plan->view_count];
    struct vector *outputs = must_alloc(expand->computed_count + 1, sizeof *outputs);
    for (size_t k = 0; k < expand->computed_count; k++)
        outputs[k] = rows->columns[expand->computed[k]];
    eval_bind(&expand->columns, rows->inputs, last->views, outputs);
    free(outputs);
    if (!compute(expand, &expand->columns, 0, count, &expand->strings, err))
        return false;
    rows->count = *count = count_fitting(expand, *count);
    for (size_t k = 0; k < expand->computed_count; k++)
        count_faults(expand, &expand->columns, k, expand->computed[k], 0, *count);
    bool emitted = expand->call->emit(expand->call->context, rows, err);
    rows->count = 0;
    arena_reset(&expand->strings);
    return emitted;
}

static bool emit_kept(struct expand *expand, struct level *last, size_t count, struct error *err) {
    size_t most = count;
    for (size_t start = 0; start < count; start += most) {
        size_t taken = count - start < most ? count - start : most;
        most = taken;
        take_kept(expand, last, start, taken);
        if (!emit_rows(expand, &most, err))
            return false;
        // The others have moved as well. Without views, they are still where they were, too.
        for (size_t i = most; i < taken && expand->query->plan->view_count > 0; i++)
            expand->kept_rows[start + i] = (uint32_t)i;
    }
    return true;
}

static bool compute_where(struct expand *expand, const struct level *last, struct error *err) {
    eval_bind(&expand->where, last->inputs, last->views, &expand->kept);
    size_t count;
    for (size_t first = 0; first < last->count; first += count) {
        count = last->count - first;
        if (!compute(expand, &expand->where, first, &count, &expand->strings, err))
            return false;
        arena_reset(&expand->strings); // nothing of WHERE is kept
    }
    return true;
}

static bool finish_rows(struct expand *expand, struct error *err) {
    struct level *last = &expand->levels[expand->query->plan->view_count];
    if (expand->query->plan->where != NULL && !compute_where(expand, last, err))
        return false;
    size_t count = find_kept(expand, last);
    expand->call->outcome->exploded += (int64_t)last->count;
    expand->call->outcome->filtered_rows += (int64_t)(last->count - count);
    expand->call->outcome->rows += (int64_t)count;
    return expand->call->emit == NULL || emit_kept(expand, last, count, err);
}

/* ---- views ---- */

/* What is at rows `parents` of level `index`, with the elements of its view, becomes the level
 * behind it. */
static void fill_level(struct expand *expand, size_t index) {
    const struct query_plan *plan = expand->query->plan;
    const struct level *from = &expand->levels[index];
    struct level *to = &expand->levels[index + 1];
    for (size_t i = 0; i < plan->input_count; i++)
        if (expand->is_gathered[i])
            vector_gather(&from->inputs[i], to->parents, to->count, &to->inputs[i], 0);
    gather_views(from, to, index, to->parents, to->count);
    const struct vector *list = eval_output(&from->argument, 0);
    struct vector *parts = to->views[index].parts;
    for (size_t row = 0; row < to->count; row++) {
        to->records[row] = from->records[to->parents[row]];
        bool is_there = to->elements[row] != VECTOR_NO_ROW;
        parts[VIEW_POSITION].valid[row] = is_there;
        parts[VIEW_POSITION].int32s[row] =
            is_there ? (int32_t)(to->elements[row] - list->lists[to->parents[row]].first) : 0;
    }
    vector_gather(&list->children[0], to->elements, to->count, &parts[VIEW_ELEMENT], 0);
    if (list->type == TYPE_MAP)
        vector_gather(&list->children[1], to->elements, to->count, &parts[VIEW_VALUE], 0);
}

static bool run_level(struct expand *expand, size_t index, struct error *err);

static bool pass_on(struct expand *expand, size_t index, struct error *err) {
    struct level *next = &expand->levels[index + 1];
    if (next->count == 0)
        return true;
    // One record can have billions of rows.
    const atomic_bool *abandon = expand->call->abandon;
    if (abandon != NULL && atomic_load_explicit(abandon, memory_order_relaxed))
        return error_set(err, ERROR_STOPPED, "the batch was aborted");
    fill_level(expand, index);
    bool passed = run_level(expand, index + 1, err);
    next->count = 0;
    return passed;
}

/* One row of the level behind `index`; `element`: VECTOR_NO_ROW for what OUTER adds. */
static bool add_row(struct expand *expand, size_t index, uint32_t parent, uint32_t element,
                    struct error *err) {
    struct level *next = &expand->levels[index + 1];
    next->parents[next->count] = parent;
    next->elements[next->count++] = element;
    return next->count < expand->capacity || pass_on(expand, index, err);
}

static bool explode_row(struct expand *expand, size_t index, uint32_t row, struct error *err) {
    const struct vector *list = eval_output(&expand->levels[index].argument, 0);
    struct list elements = list->valid[row] ? list->lists[row] : (struct list){0};
    if (elements.count == 0)
        return !expand->query->plan->views[index].is_outer ||
               add_row(expand, index, row, VECTOR_NO_ROW, err);
    for (uint32_t i = 0; i < elements.count; i++)
        if (!add_row(expand, index, row, elements.first + i, err))
            return false;
    return true;
}

/* Explodes `count` rows, whose lists were computed. */
static bool explode_rows(struct expand *expand, size_t index, size_t first, size_t count,
                         struct error *err) {
    const struct plan_view *view = &expand->query->plan->views[index];
    if (expand->call->emit != NULL)
        count_faults(expand, &expand->levels[index].argument, 0, view->position_column, first,
                     count);
    for (size_t row = first; row < first + count; row++)
        if (!explode_row(expand, index, (uint32_t)row, err))
            return false;
    return pass_on(expand, index, err);
}

/* Explodes the rows of level `index`, or finishes them. Recursion is as deep as there are views. */
static bool run_level(struct expand *expand, size_t index, struct error *err) {
    struct level *level = &expand->levels[index];
    const struct query_plan *plan = expand->query->plan;
    if (index == plan->view_count)
        return finish_rows(expand, err);
    const struct vector no_output = {.type = plan->views[index].argument->type.kind};
    eval_bind(&level->argument, level->inputs, level->views, &no_output);
    size_t count;
    for (size_t first = 0; first < level->count; first += count) {
        count = level->count - first;
        arena_reset(&level->strings);
        if (!compute(expand, &level->argument, first, &count, &level->strings, err) ||
            !explode_rows(expand, index, first, count, err))
            return false;
    }
    return true;
}

static void count_records(const struct expand *expand, size_t count) {
    struct range_outcome *outcome = expand->call->outcome;
    for (size_t record = 0; record < count; record++) {
        if (expand->exploded_of[record] == 0)
            outcome->empty++;
        else if (expand->rows_of[record] == 0)
            outcome->filtered++;
        else
            outcome->records++;
    }
}

bool expand_records(struct expand *expand, const struct expand_call *call, struct error *err) {
    struct level *records = &expand->levels[0];
    records->count = expand->record_rows->count;
    expand->context.now_ms = call->now_ms;
    expand->call = call;
    for (size_t i = 0; i < records->count; i++) {
        records->records[i] = (uint32_t)i;
        expand->exploded_of[i] = expand->rows_of[i] = 0;
    }
    if (!run_level(expand, 0, err))
        return false;
    count_records(expand, records->count);
    return true;
}

void expand_count_record(const struct expand *expand, size_t index, int64_t *exploded,
                         int64_t *rows) {
    *exploded = expand->exploded_of[index];
    *rows = expand->rows_of[index];
}
