/* lambdas.c: functions that take a lambda.
 *
 * The elements of many rows are given to a lambda together, LAMBDA_ROWS at a time. Only aggregate,
 * whose steps depend on each other, takes one element of each row at a time. Spark evaluates a
 * lambda for an element only when it comes to it, so the faults of no other elements count. */
#include "sql/functions/loop.h"
#include "sql/functions/resolve.h"

/* ---- elements, row by row ---- */

struct elements {
    const struct kernel_call *call;
    struct lambda *lambda;
    size_t row;    // of the next element
    uint32_t next; // in the row's list
    size_t count;  // of those at hand
    uint32_t rows[LAMBDA_ROWS], indexes[LAMBDA_ROWS], places[LAMBDA_ROWS];
    int32_t positions[LAMBDA_ROWS];
    uint8_t present[LAMBDA_ROWS];
};

static struct list list_at(const struct operand *lists, size_t row) {
    return is_present(lists, row) ? lists->vector.lists[row] : (struct list){0};
}

static void elements_begin(struct elements *elements, const struct kernel_call *call) {
    elements->call = call;
    elements->lambda = call->lambdas[1];
    elements->row = call->first;
    elements->next = 0;
    for (uint32_t i = 0; i < LAMBDA_ROWS; i++)
        elements->places[i] = i;
    memset(elements->present, 1, sizeof elements->present);
}

/* Takes some more elements. False: there are none. */
static bool elements_take(struct elements *elements) {
    const struct kernel_call *call = elements->call;
    elements->count = 0;
    while (elements->row < call->first + call->count && elements->count < LAMBDA_ROWS) {
        struct list list = list_at(call->arguments[0], elements->row);
        if (elements->next == list.count) {
            elements->row++;
            elements->next = 0;
            continue;
        }
        size_t i = elements->count++;
        elements->rows[i] = (uint32_t)elements->row;
        elements->indexes[i] = list.first + elements->next;
        elements->positions[i] = (int32_t)elements->next++;
    }
    return elements->count > 0;
}

/* The lambda's values of those at hand. False: no room. */
static bool elements_compute(struct elements *elements) {
    const struct kernel_call *call = elements->call;
    const struct vector positions = {
        .type = TYPE_INT32, .valid = elements->present, .int32s = elements->positions};
    const struct lambda_slice slice = {
        .count = elements->count,
        .rows = elements->rows,
        .parameters = {&call->arguments[0]->vector.children[0], &positions},
        .indexes = {elements->indexes, elements->places}};
    return elements->lambda->compute(elements->lambda, &slice, call->strings);
}

/* ---- faults ---- */

static void pass_faults(const struct kernel_call *call, const struct operand *argument) {
    if (call->out->faults == NULL || argument->faults == NULL)
        return;
    for (size_t row = call->first, end = row + call->count; row < end; row++)
        call->out->faults[row] |= argument->faults[row];
}

static bool has_fault(const struct operand *operand, size_t row) {
    return operand->faults != NULL && operand->faults[row] != 0;
}

static void pass_element_faults(const struct elements *elements) {
    const struct operand *result = elements->lambda->result;
    for (size_t i = 0; result->faults != NULL && i < elements->count; i++)
        elements->call->out->faults[elements->rows[i]] |= result->faults[i];
}

static bool is_true(const struct operand *result, size_t i) {
    return is_present(result, i) && result->vector.booleans[i] != 0;
}

/* ---- memory ---- */

static size_t count_elements(const struct kernel_call *call) {
    size_t count = 0;
    for (size_t row = call->first, end = row + call->count; row < end; row++)
        count += list_at(call->arguments[0], row).count;
    return count;
}

/* A vector in `strings`. False: no room. */
static bool make_vector(const struct kernel_call *call, enum type type, size_t rows,
                        struct vector *vector) {
    void *values = arena_alloc(call->strings, rows * vector_width(type));
    *vector = (struct vector){.type = type, .valid = arena_alloc(call->strings, rows)};
    if (type == TYPE_STRUCT)
        vector->rows = values;
    else
        vector->values = values;
    return vector->valid != NULL && values != NULL;
}

/* The child of a new array. NULL: no room. */
static struct vector *make_child(const struct kernel_call *call, size_t rows) {
    const struct data_type *element = call->out->type->element;
    struct vector *child = arena_alloc(call->strings, sizeof *child);
    if (child == NULL || !make_vector(call, element->kind, rows, child))
        return NULL;
    child->scale = element->scale;
    call->out->vector.children = child;
    return child;
}

static void *values_of(const struct vector *vector) {
    return vector->type == TYPE_STRUCT ? vector->rows : vector->values;
}

/* Children are shared: those of all values that a lambda gives are the same. */
static void copy_values(struct vector *to, size_t at, const struct vector *from, size_t first,
                        size_t count) {
    size_t width = vector_width(to->type);
    memcpy((char *)values_of(to) + at * width, (const char *)values_of(from) + first * width,
           count * width);
    memcpy(to->valid + at, from->valid + first, count);
    to->children = from->children;
}

/* ---- transform ---- */

/* The children that values of the type have, without any value. False: no room. Recursion is as
 * deep as the type. */
static bool make_no_children(const struct kernel_call *call, const struct data_type *type,
                             struct vector *vector) {
    size_t count = type->kind == TYPE_STRUCT ? type->field_count : type->kind == TYPE_MAP ? 2 : 1;
    if (type->kind < TYPE_STRUCT)
        return true;
    vector->children = arena_alloc(call->strings, count * sizeof *vector);
    bool ok = vector->children != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        static const struct data_type key = {.kind = TYPE_STRING};
        const struct data_type *of = type->kind == TYPE_STRUCT          ? &type->fields[i].type
                                     : type->kind == TYPE_MAP && i == 0 ? &key
                                                                        : type->element;
        vector->children[i] = (struct vector){.type = of->kind, .scale = of->scale};
        ok = make_no_children(call, of, &vector->children[i]);
    }
    return ok;
}

static bool transform_kernel(const struct kernel_call *call) {
    struct elements elements;
    struct vector *out = &call->out->vector;
    const struct vector *child = make_child(call, count_elements(call));
    if (child == NULL)
        return false;
    uint32_t used = 0;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        out->lists[row] = (struct list){used, list_at(call->arguments[0], row).count};
        used += out->lists[row].count;
    }
    copy_presence(call, call->first, call->first + call->count);
    pass_faults(call, call->arguments[0]);
    elements_begin(&elements, call);
    for (used = 0; elements_take(&elements); used += (uint32_t)elements.count) {
        if (!elements_compute(&elements))
            return false;
        copy_values(out->children, used, &elements.lambda->result->vector, 0, elements.count);
        pass_element_faults(&elements);
    }
    return used > 0 || make_no_children(call, call->out->type->element, out->children);
}

/* ---- filter ---- */

/* Which elements stay, and where each row has them. False: no room. */
static bool find_kept(const struct kernel_call *call, uint32_t *kept, size_t *count) {
    struct elements elements;
    struct list *lists = call->out->vector.lists;
    for (size_t row = call->first, end = row + call->count; row < end; row++)
        lists[row] = (struct list){0};
    elements_begin(&elements, call);
    while (elements_take(&elements)) {
        if (!elements_compute(&elements))
            return false;
        for (size_t i = 0; i < elements.count; i++) {
            struct list *list = &lists[elements.rows[i]];
            if (!is_true(elements.lambda->result, i))
                continue;
            if (list->count++ == 0)
                list->first = (uint32_t)*count;
            kept[(*count)++] = elements.indexes[i];
        }
        pass_element_faults(&elements);
    }
    return true;
}

static bool filter_kernel(const struct kernel_call *call) {
    size_t count = 0;
    uint32_t *kept = arena_alloc(call->strings, count_elements(call) * sizeof *kept);
    if (kept == NULL || !find_kept(call, kept, &count))
        return false;
    struct vector *child = make_child(call, count);
    if (child == NULL)
        return false;
    vector_gather(&call->arguments[0]->vector.children[0], kept, count, child, 0);
    copy_presence(call, call->first, call->first + call->count);
    pass_faults(call, call->arguments[0]);
    return true;
}

/* ---- exists ---- */

/* While elements are looked at, a row's result holds two bits. */
enum { FOUND = 1, UNKNOWN = 2 };

static void look_at(const struct elements *elements, uint8_t *found) {
    const struct operand *result = elements->lambda->result;
    for (size_t i = 0; i < elements->count; i++) {
        size_t row = elements->rows[i];
        if ((found[row] & FOUND) != 0)
            continue;
        if (has_fault(result, i))
            elements->call->out->faults[row] = 1;
        if (!is_present(result, i))
            found[row] |= UNKNOWN;
        else
            found[row] |= result->vector.booleans[i] != 0 ? FOUND : 0;
    }
}

static bool exists_kernel(const struct kernel_call *call) {
    struct elements elements;
    struct vector *out = &call->out->vector;
    memset(out->booleans + call->first, 0, call->count);
    elements_begin(&elements, call);
    while (elements_take(&elements)) {
        if (!elements_compute(&elements))
            return false;
        look_at(&elements, out->booleans);
    }
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        out->valid[row] = is_present(call->arguments[0], row) && out->booleans[row] != UNKNOWN;
        out->booleans[row] &= FOUND;
    }
    pass_faults(call, call->arguments[0]);
    return true;
}

/* ---- aggregate ---- */

struct fold {
    const struct kernel_call *call;
    struct vector so_far; // a value for each row of the call, the first one's at 0
    uint32_t *active;     // rows that have more elements
    size_t active_count;
    uint32_t rows[LAMBDA_ROWS];   // those at hand, as the call counts them
    uint32_t places[LAMBDA_ROWS]; // and in so_far
    uint32_t indexes[LAMBDA_ROWS];
    size_t count;
};

/* Gives values so far, and elements if there are any, to the lambda and keeps what it gives. */
static bool fold_some(struct fold *fold, struct lambda *lambda, const struct vector *elements) {
    const struct kernel_call *call = fold->call;
    const struct lambda_slice slice = {.count = fold->count,
                                       .rows = fold->rows,
                                       .parameters = {&fold->so_far, elements},
                                       .indexes = {fold->places, fold->indexes}};
    if (!lambda->compute(lambda, &slice, call->strings))
        return false;
    for (size_t i = 0; i < fold->count; i++) {
        if (has_fault(lambda->result, i))
            call->out->faults[fold->rows[i]] = 1;
        copy_values(&fold->so_far, fold->places[i], &lambda->result->vector, i, 1);
    }
    return true;
}

/* The element at a position of each row that has one. */
static bool fold_position(struct fold *fold, uint32_t position) {
    const struct vector *lists = &fold->call->arguments[0]->vector;
    size_t left = 0;
    for (size_t done = 0; done < fold->active_count; done += fold->count) {
        fold->count = fold->active_count - done;
        fold->count = fold->count < LAMBDA_ROWS ? fold->count : LAMBDA_ROWS;
        for (size_t i = 0; i < fold->count; i++) {
            uint32_t row = fold->active[done + i];
            fold->rows[i] = row;
            fold->places[i] = (uint32_t)(row - fold->call->first);
            fold->indexes[i] = lists->lists[row].first + position;
        }
        if (!fold_some(fold, fold->call->lambdas[2], &lists->children[0]))
            return false;
        for (size_t i = 0; i < fold->count; i++)
            if (lists->lists[fold->rows[i]].count > position + 1)
                fold->active[left++] = fold->rows[i];
    }
    fold->active_count = left;
    return true;
}

/* The last lambda, which makes the result of the value at the end. */
static bool fold_finish(struct fold *fold) {
    const struct kernel_call *call = fold->call;
    struct lambda *lambda = call->lambdas[3];
    for (size_t done = 0; done < call->count; done += fold->count) {
        fold->count = call->count - done < LAMBDA_ROWS ? call->count - done : LAMBDA_ROWS;
        for (size_t i = 0; i < fold->count; i++) {
            fold->rows[i] = (uint32_t)(call->first + done + i);
            fold->places[i] = (uint32_t)(done + i);
        }
        const struct lambda_slice slice = {.count = fold->count,
                                           .rows = fold->rows,
                                           .parameters = {&fold->so_far},
                                           .indexes = {fold->places}};
        if (!lambda->compute(lambda, &slice, call->strings))
            return false;
        copy_values(&call->out->vector, call->first + done, &lambda->result->vector, 0,
                    fold->count);
        for (size_t i = 0; i < fold->count; i++)
            if (has_fault(lambda->result, i))
                call->out->faults[fold->rows[i]] = 1;
    }
    return true;
}

/* The start's faults count; all of a row without an array do not. */
static void fold_end(const struct kernel_call *call) {
    const struct operand *lists = call->arguments[0];
    pass_faults(call, call->arguments[1]);
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        if (is_present(lists, row))
            continue;
        call->out->vector.valid[row] = 0;
        if (call->out->faults != NULL)
            call->out->faults[row] = 0;
    }
    pass_faults(call, lists);
}

static bool aggregate_kernel(const struct kernel_call *call) {
    struct fold fold = {.call = call};
    const struct operand *start = call->arguments[1];
    fold.active = arena_alloc(call->strings, call->count * sizeof *fold.active);
    if (fold.active == NULL || !make_vector(call, start->vector.type, call->count, &fold.so_far))
        return false;
    copy_values(&fold.so_far, 0, &start->vector, call->first, call->count);
    for (size_t row = call->first, end = row + call->count; row < end; row++)
        if (list_at(call->arguments[0], row).count > 0)
            fold.active[fold.active_count++] = (uint32_t)row;
    for (uint32_t position = 0; fold.active_count > 0; position++)
        if (!fold_position(&fold, position))
            return false;
    if (call->argument_count > 3 && !fold_finish(&fold))
        return false;
    if (call->argument_count <= 3)
        copy_values(&call->out->vector, call->first, &fold.so_far, 0, call->count);
    fold_end(call);
    return true;
}

/* ---- types ---- */

/* Arguments are an ARRAY and a lambda. */
static bool parameters_of(const struct function_use *use, const char *name, size_t count,
                          size_t most, struct data_type *types, struct error *err) {
    if (use->arguments[0].kind != TYPE_ARRAY)
        return use_refuse(err, "%s: the first argument is %s, expected an ARRAY", name,
                          type_sql_name(use->arguments[0].kind));
    if (count > most)
        return use_refuse(err, "%s: the lambda has %zu parameters, expected one%s", name, count,
                          most == 2 ? " or two: the element and its position" : ": the element");
    types[0] = *use->arguments[0].element;
    types[count - 1] = count == 1 ? types[0] : type_of(TYPE_INT32);
    return true;
}

bool parameters_of_transform(const struct function_use *use, size_t index, size_t count,
                             struct data_type *types, struct error *err) {
    (void)index;
    return parameters_of(use, "transform", count, 2, types, err);
}

bool parameters_of_filter(const struct function_use *use, size_t index, size_t count,
                          struct data_type *types, struct error *err) {
    (void)index;
    return parameters_of(use, "filter", count, 2, types, err);
}

bool parameters_of_exists(const struct function_use *use, size_t index, size_t count,
                          struct data_type *types, struct error *err) {
    (void)index;
    return parameters_of(use, "exists", count, 1, types, err);
}

/* (so far, element) -> …, and at the end so far -> … */
bool parameters_of_aggregate(const struct function_use *use, size_t index, size_t count,
                             struct data_type *types, struct error *err) {
    if (use->arguments[0].kind != TYPE_ARRAY)
        return use_refuse(err, "aggregate: the first argument is %s, expected an ARRAY",
                          type_sql_name(use->arguments[0].kind));
    if (count != (index == 2 ? 2 : 1))
        return use_refuse(err, "aggregate: the %s lambda has %zu parameters, expected %s",
                          index == 2 ? "first" : "second", count,
                          index == 2 ? "two: the value so far and the element"
                                     : "one: the value at the end");
    types[0] = use->arguments[1];
    types[count - 1] = index == 2 ? *use->arguments[0].element : types[0];
    return true;
}

static void want_as_they_are(struct function_use *use) {
    for (size_t i = 0; i < use->argument_count; i++)
        use->wanted[i] = use->arguments[i];
}

bool resolve_transform(struct function_use *use, struct error *err) {
    struct data_type *element = pool_alloc(use->pool, 1, sizeof *element);
    *element = use->arguments[1];
    if (element->kind == TYPE_NULL)
        return use_refuse(err, "transform: the lambda gives NULL without a type: write CAST(NULL "
                               "AS STRING), or another type");
    want_as_they_are(use);
    use_set_result(use, (struct data_type){.kind = TYPE_ARRAY, .element = element},
                   transform_kernel);
    use->can_be_null = use->nullable[0];
    return true;
}

static bool want_condition(struct function_use *use, const char *name, struct error *err) {
    if (use->arguments[1].kind != TYPE_BOOL)
        return use_refuse(err, "%s: the lambda gives %s, expected BOOLEAN", name,
                          type_sql_name(use->arguments[1].kind));
    want_as_they_are(use);
    return true;
}

bool resolve_filter(struct function_use *use, struct error *err) {
    if (!want_condition(use, "filter", err))
        return false;
    use_set_result(use, use->arguments[0], filter_kernel);
    use->can_be_null = use->nullable[0];
    return true;
}

bool resolve_exists(struct function_use *use, struct error *err) {
    if (!want_condition(use, "exists", err))
        return false;
    use_set_result(use, type_of(TYPE_BOOL), exists_kernel);
    use->can_be_null = true;
    return true;
}

bool resolve_aggregate(struct function_use *use, struct error *err) {
    const struct data_type *start = &use->arguments[1], *step = &use->arguments[2];
    const struct data_type *type = use->argument_count > 3 ? &use->arguments[3] : start;
    if (start->kind >= TYPE_NULL || type->kind >= TYPE_NULL)
        return use_refuse(err, "aggregate: the value is %s, expected a scalar type",
                          type_sql_name(start->kind >= TYPE_NULL ? start->kind : type->kind));
    if (!data_type_equals(start, step))
        return use_refuse(err,
                          "aggregate: the start is %s, but the lambda gives %s: CAST one of them "
                          "to the type of the other",
                          data_type_text(start, use->pool), data_type_text(step, use->pool));
    want_as_they_are(use);
    use_set_result(use, *type, aggregate_kernel);
    use->can_be_null = true;
    return true;
}
