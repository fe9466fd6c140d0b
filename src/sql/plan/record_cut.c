/* record_cut.c: walks of the record's type. A field is used if some input's path goes through it;
 * the cut type has these alone, in declared order, and a leaf's place in this walk is its input's
 * index. The walks recurse, which DATA_TYPE_DEPTH_MAX bounds.
 *
 * Inside arrays and maps a field of a STRUCT is used if an expression names it (EXPR_FIELD). All
 * expressions share the declared fields, so that a field is known by its address. Where no field is
 * named (size(list)) the first scalar one stays, because from_json needs one. The cut changes the
 * types of expressions, and with them the indexes of fields. */
#include "sql/plan/record_cut.h"

#include <search.h>
#include <stdlib.h>

#include "base/check.h"

/* ---- the declared type ---- */

static struct data_type copy_type(const struct data_type *type, struct pool *pool) {
    struct data_type copy = *type;
    if (type->element != NULL) {
        struct data_type *element = pool_alloc(pool, 1, sizeof *element);
        *element = copy_type(type->element, pool);
        copy.element = element;
    }
    struct data_field *fields = pool_alloc(pool, type->field_count, sizeof *fields);
    for (size_t i = 0; i < type->field_count; i++) {
        const struct data_field *field = &type->fields[i];
        fields[i] = (struct data_field){
            .name = pool_copy(pool, text_borrow(field->name)),
            .type = copy_type(&field->type, pool),
            .comment =
                field->comment != NULL ? pool_copy(pool, text_borrow(field->comment)) : NULL};
    }
    copy.fields = type->field_count > 0 ? fields : NULL;
    return copy;
}

static bool has_void(const struct data_type *type) {
    if (type->kind == TYPE_NULL || (type->element != NULL && has_void(type->element)))
        return true;
    for (size_t i = 0; i < type->field_count; i++)
        if (has_void(&type->fields[i].type))
            return true;
    return false;
}

bool record_make(struct planner *planner, struct error *err) {
    const struct sql_topic *topic = planner->topic;
    planner->plan->record = (struct data_type){.kind = TYPE_STRUCT};
    if (topic == NULL)
        return true;
    struct pool *pool = &planner->plan->pool;
    struct data_field *fields = pool_alloc(pool, topic->field_count, sizeof *fields);
    for (size_t i = 0; i < topic->field_count; i++) {
        const struct sql_field *field = &topic->fields[i];
        if (field->required)
            return PLAN_ERROR(err, planner, field->place,
                              "field '%s' of the record cannot be NOT NULL, because from_json "
                              "ignores it: write NOT NULL at the column of the streaming table",
                              field->name);
        if (has_void(&field->type))
            return PLAN_ERROR(err, planner, field->place, "field '%s' of the record cannot be VOID",
                              field->name);
        fields[i] = (struct data_field){
            .name = pool_copy(pool, text_borrow(field->name)),
            .type = copy_type(&field->type, pool),
            .comment =
                field->comment != NULL ? pool_copy(pool, text_borrow(field->comment)) : NULL};
    }
    planner->plan->record.fields = fields;
    planner->plan->record.field_count = topic->field_count;
    return true;
}

/* ---- what is used of it ---- */

/* The cut of a STRUCT's fields, or of an element, whose address is `of`. */
struct known_cut {
    const void *of;
    struct data_type type; // of the STRUCT, or the element
};

struct cuts {
    struct pool *pool;
    const struct data_field **used; // sorted by address
    size_t used_count;
    void *known; // a tree of tsearch() of struct known_cut
};

struct walk {
    struct cuts *cuts;
    struct planner *planner;
    const struct data_field *path[DATA_TYPE_DEPTH_MAX];
    size_t depth;
    struct plan_input *inputs; // of the plan
    size_t input_count;
    size_t *indexes; // of the planner's inputs in the plan
};

static int compare_addresses(const void *a, const void *b) {
    return ((uintptr_t)a > (uintptr_t)b) - ((uintptr_t)a < (uintptr_t)b);
}

static int compare_used(const void *a, const void *b) {
    return compare_addresses(*(const void *const *)a, *(const void *const *)b);
}

static int compare_known(const void *a, const void *b) {
    return compare_addresses(((const struct known_cut *)a)->of, ((const struct known_cut *)b)->of);
}

static bool is_used(const struct cuts *cuts, const struct data_field *field) {
    return cuts->used_count > 0 && bsearch(&field, cuts->used, cuts->used_count,
                                           sizeof(struct data_field *), compare_used) != NULL;
}

/* The fields that some expression names. */
static void find_used(struct cuts *cuts, const struct planner *planner) {
    cuts->used = pool_alloc(cuts->pool, planner->nested_count + 2, sizeof(struct data_field *));
    const struct data_type *header = planner_kafka_type(INPUT_HEADERS)->element;
    for (size_t i = 0; i < header->field_count; i++)
        cuts->used[cuts->used_count++] = &header->fields[i];
    for (size_t i = 0; i < planner->nested_count; i++) {
        const struct expr *expr = planner->nested[i];
        if (expr->kind == EXPR_FIELD)
            cuts->used[cuts->used_count++] = &expr->arguments[0]->type.fields[expr->index];
    }
    qsort(cuts->used, cuts->used_count, sizeof(struct data_field *), compare_used);
}

/* The field that stays where none is used. */
static size_t find_first(const struct data_type *type) {
    for (size_t i = 0; i < type->field_count; i++)
        if (type->fields[i].type.kind < TYPE_STRUCT)
            return i;
    return 0;
}

static struct data_type cut_type(struct cuts *cuts, const struct data_type *type);

static void cut_fields(struct cuts *cuts, const struct data_type *type, struct data_type *cut) {
    struct data_field *fields = pool_alloc(cuts->pool, type->field_count, sizeof *fields);
    bool any = false;
    for (size_t i = 0; i < type->field_count; i++)
        any = any || is_used(cuts, &type->fields[i]);
    size_t first = find_first(type);
    for (size_t i = 0; i < type->field_count; i++) {
        if (any ? !is_used(cuts, &type->fields[i]) : i != first)
            continue;
        fields[cut->field_count] = type->fields[i];
        fields[cut->field_count++].type = cut_type(cuts, &type->fields[i].type);
    }
    cut->fields = fields;
}

/* A type in an array or map, or of one. */
static struct data_type cut_type(struct cuts *cuts, const struct data_type *type) {
    struct data_type cut = *type;
    if (type->kind < TYPE_STRUCT)
        return cut;
    struct known_cut *known = pool_alloc(cuts->pool, 1, sizeof *known);
    known->of = type->kind == TYPE_STRUCT ? (const void *)type->fields : type->element;
    struct known_cut **found = tsearch(known, &cuts->known, compare_known);
    check(found != NULL);
    bool is_new = *found == known;
    known = *found; // the tree may change below
    if (is_new && type->kind == TYPE_STRUCT) {
        known->type = (struct data_type){.kind = TYPE_STRUCT};
        cut_fields(cuts, type, &known->type);
    } else if (is_new) {
        known->type = cut_type(cuts, type->element);
    }
    if (type->kind == TYPE_STRUCT)
        return known->type;
    cut.element = &known->type;
    return cut;
}

/* Later expressions first, because an index counts in the type that its argument has had. */
static void cut_expressions(struct cuts *cuts, struct planner *planner) {
    for (size_t i = planner->nested_count; i-- > 0;) {
        struct expr *expr = planner->nested[i];
        if (expr->kind == EXPR_FIELD) {
            const struct data_field *fields = expr->arguments[0]->type.fields;
            size_t before = expr->index;
            for (size_t k = 0; k < before; k++)
                expr->index -= is_used(cuts, &fields[k]) ? 0 : 1;
        }
        expr->type = cut_type(cuts, &expr->type);
    }
}

static void keep_cut(void *known) {
    (void)known; // it belongs to the pool
}

static bool is_below(const struct walk *walk, const struct planned_input *input) {
    if (input->depth < walk->depth)
        return false;
    for (size_t i = 0; i < walk->depth; i++)
        if (input->fields[i] != walk->path[i])
            return false;
    return true;
}

/* The first input that goes through the field at the end of the walk's path; or how many there
 * are. */
static size_t find_below(const struct walk *walk) {
    size_t i = 0;
    while (i < walk->planner->input_count && !is_below(walk, &walk->planner->inputs[i]))
        i++;
    return i;
}

static void add_input(struct walk *walk, size_t planned) {
    const struct planned_input *from = &walk->planner->inputs[planned];
    struct pool *pool = &walk->planner->plan->pool;
    const char **path = pool_alloc(pool, from->depth, sizeof *path);
    for (size_t i = 0; i < from->depth; i++)
        path[i] = from->fields[i]->name;
    walk->indexes[planned] = walk->input_count;
    walk->inputs[walk->input_count++] =
        (struct plan_input){.kind = from->kind,
                            .type = cut_type(walk->cuts, &from->type),
                            .path = path,
                            .path_length = from->depth};
}

static struct data_type cut_struct(struct walk *walk, const struct data_type *type) {
    struct data_field *fields =
        pool_alloc(&walk->planner->plan->pool, type->field_count, sizeof *fields);
    struct data_type cut = {.kind = TYPE_STRUCT, .fields = fields};
    check(walk->depth < DATA_TYPE_DEPTH_MAX);
    for (size_t i = 0; i < type->field_count; i++) {
        const struct data_field *field = &type->fields[i];
        walk->path[walk->depth++] = field;
        size_t planned = find_below(walk);
        if (planned < walk->planner->input_count) {
            struct data_field *kept = &fields[cut.field_count++];
            *kept = *field;
            if (field->type.kind == TYPE_STRUCT)
                kept->type = cut_struct(walk, &field->type);
            else
                kept->type = cut_type(walk->cuts, &field->type);
            if (field->type.kind != TYPE_STRUCT)
                add_input(walk, planned);
        }
        walk->depth--;
    }
    return cut;
}

void record_cut(struct planner *planner) {
    struct pool *pool = &planner->plan->pool;
    struct cuts cuts = {.pool = pool};
    find_used(&cuts, planner);
    struct walk walk = {.cuts = &cuts,
                        .planner = planner,
                        .inputs = pool_alloc(pool, planner->input_count, sizeof(struct plan_input)),
                        .indexes = pool_alloc(pool, planner->input_count, sizeof(size_t))};
    planner->plan->cut = cut_struct(&walk, &planner->plan->record);
    for (enum plan_input_kind kind = INPUT_KEY; kind <= INPUT_PROCESSING_TIMESTAMP; kind++)
        for (size_t i = 0; i < planner->input_count; i++)
            if (planner->inputs[i].kind == kind)
                add_input(&walk, i);
    check(walk.input_count == planner->input_count);
    planner->plan->inputs = walk.inputs;
    planner->plan->input_count = walk.input_count;
    for (size_t i = 0; i < planner->input_use_count; i++)
        planner->input_uses[i]->index = walk.indexes[planner->input_uses[i]->index];
    cut_expressions(&cuts, planner);
    tdestroy(cuts.known, keep_cut);
}
