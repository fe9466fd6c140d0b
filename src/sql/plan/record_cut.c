/* record_cut.c: walks of the record's type. A field is used if some input's path goes through it;
 * the cut type has these alone, in declared order, and a leaf's place in this walk is its input's
 * index. The walks recurse, which DATA_TYPE_DEPTH_MAX bounds. */
#include "sql/plan/record_cut.h"

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

struct walk {
    struct planner *planner;
    const struct data_field *path[DATA_TYPE_DEPTH_MAX];
    size_t depth;
    struct plan_input *inputs; // of the plan
    size_t input_count;
    size_t *indexes; // of the planner's inputs in the plan
};

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
    walk->inputs[walk->input_count++] = (struct plan_input){
        .kind = from->kind, .type = from->type, .path = path, .path_length = from->depth};
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
                add_input(walk, planned);
        }
        walk->depth--;
    }
    return cut;
}

void record_cut(struct planner *planner) {
    struct pool *pool = &planner->plan->pool;
    struct walk walk = {.planner = planner,
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
}
