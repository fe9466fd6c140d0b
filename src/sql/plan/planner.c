#include "sql/plan/planner.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void *planner_grow(struct planner *planner, void *items, size_t count, size_t size) {
    if ((count & (count - 1)) != 0) // not a power of two: there is room
        return items;
    void *larger = pool_alloc(&planner->plan->pool, count == 0 ? 1 : 2 * count, size);
    if (count > 0)
        memcpy(larger, items, count * size);
    return larger;
}

struct expr *planner_expr(enum expr_kind kind, struct planner *planner, struct sql_place place) {
    struct expr *expr = pool_alloc(&planner->plan->pool, 1, sizeof *expr);
    expr->kind = kind;
    expr->place = place;
    expr->parts = 1;
    expr->is_constant = kind == EXPR_LITERAL;
    return expr;
}

void planner_note_nested(struct planner *planner, struct expr *expr) {
    bool is_nested = expr->type.kind >= TYPE_STRUCT || expr->kind == EXPR_FIELD;
    if (!is_nested)
        return;
    planner->nested =
        planner_grow(planner, planner->nested, planner->nested_count, sizeof(struct expr *));
    planner->nested[planner->nested_count++] = expr;
}

void planner_take_arguments(struct planner *planner, struct expr *expr,
                            const struct expr *const *arguments, size_t count) {
    expr->arguments = arguments;
    expr->argument_count = count;
    expr->is_constant = count > 0;
    for (size_t i = 0; i < count; i++) {
        const struct expr *argument = arguments[i];
        expr->level = argument->level > expr->level ? argument->level : expr->level;
        expr->parameters |= argument->parameters;
        expr->is_constant = expr->is_constant && argument->is_constant;
        expr->can_fault = expr->can_fault || argument->can_fault;
    }
    planner_note_nested(planner, expr);
}

/* ---- inputs ---- */

static const struct data_field header_fields[] = {{"key", {.kind = TYPE_STRING}, NULL},
                                                  {"value", {.kind = TYPE_BINARY}, NULL}};
static const struct data_type header = {
    .kind = TYPE_STRUCT, .fields = header_fields, .field_count = 2};

static const struct data_type kafka_types[] = {
    [INPUT_KEY] = {.kind = TYPE_BINARY},
    [INPUT_VALUE] = {.kind = TYPE_BINARY},
    [INPUT_TOPIC] = {.kind = TYPE_STRING},
    [INPUT_PARTITION] = {.kind = TYPE_INT32},
    [INPUT_OFFSET] = {.kind = TYPE_INT64},
    [INPUT_TIMESTAMP] = {.kind = TYPE_TIMESTAMP},
    [INPUT_TIMESTAMP_TYPE] = {.kind = TYPE_INT32},
    [INPUT_HEADERS] = {.kind = TYPE_ARRAY, .element = &header},
    [INPUT_PROCESSING_TIMESTAMP] = {.kind = TYPE_TIMESTAMP},
};

const struct data_type *planner_kafka_type(enum plan_input_kind kind) {
    return &kafka_types[kind];
}

static bool is_same_input(const struct planned_input *a, const struct planned_input *b) {
    return a->kind == b->kind && a->depth == b->depth &&
           (a->depth == 0 ||
            memcmp(a->fields, b->fields, a->depth * sizeof(struct data_field *)) == 0);
}

static const struct expr *use_input(struct planner *planner, struct sql_place place,
                                    const struct planned_input *input) {
    size_t index = 0;
    while (index < planner->input_count && !is_same_input(&planner->inputs[index], input))
        index++;
    if (index == planner->input_count) {
        planner->inputs = planner_grow(planner, planner->inputs, index, sizeof *input);
        planner->inputs[planner->input_count++] = *input;
    }
    struct expr *expr = planner_expr(EXPR_INPUT, planner, place);
    expr->type = input->type;
    expr->can_be_null = input->kind != INPUT_PROCESSING_TIMESTAMP;
    expr->index = index;
    planner->input_uses =
        planner_grow(planner, planner->input_uses, planner->input_use_count, sizeof(struct expr *));
    planner->input_uses[planner->input_use_count++] = expr;
    planner_note_nested(planner, expr);
    return expr;
}

const struct expr *planner_use_field(struct planner *planner, struct sql_place place,
                                     const struct data_field *const *fields, size_t depth) {
    return use_input(planner, place,
                     &(struct planned_input){.kind = INPUT_RECORD,
                                             .fields = fields,
                                             .depth = depth,
                                             .type = fields[depth - 1]->type});
}

const struct expr *planner_use_kafka(struct planner *planner, struct sql_place place,
                                     enum plan_input_kind kind) {
    return use_input(planner, place,
                     &(struct planned_input){.kind = kind, .type = kafka_types[kind]});
}

const struct expr *planner_use_item(struct planner *planner, struct sql_place place, size_t item) {
    const struct expr *meant = planner->items[item].expr;
    struct expr *expr = planner_expr(EXPR_COLUMN, planner, place);
    expr->type = meant->type;
    expr->can_be_null = meant->can_be_null;
    expr->can_fault = meant->can_fault;
    expr->level = meant->level;
    expr->index = item;
    planner->item_uses =
        planner_grow(planner, planner->item_uses, planner->item_use_count, sizeof(struct expr *));
    planner->item_uses[planner->item_use_count++] = expr;
    return expr;
}

/* ---- views and lambdas ---- */

const struct expr *planner_use_view(struct planner *planner, struct sql_place place, size_t view,
                                    enum plan_view_part part) {
    const struct plan_view *of = &planner->views[view];
    bool is_map = of->argument->type.kind == TYPE_MAP;
    struct expr *expr = planner_expr(EXPR_VIEW, planner, place);
    expr->index = view;
    expr->part = part;
    expr->level = view + 1;
    expr->can_be_null = of->is_outer;
    if (part == VIEW_POSITION) {
        expr->type.kind = TYPE_INT32;
    } else if (part == VIEW_ELEMENT && is_map) {
        expr->type.kind = TYPE_STRING;
    } else {
        expr->type = *of->argument->type.element;
        expr->can_be_null = true;
    }
    planner_note_nested(planner, expr);
    return expr;
}

const struct expr *planner_use_parameter(struct planner *planner, struct sql_place place,
                                         size_t parameter) {
    const struct expr *meant = planner->parameters[parameter];
    struct expr *expr = planner_expr(EXPR_PARAMETER, planner, place);
    *expr = *meant;
    expr->place = place;
    planner_note_nested(planner, expr);
    return expr;
}

/* ---- Kafka's columns ---- */

const enum plan_input_kind kafka_columns[KAFKA_COLUMN_COUNT] = {
    INPUT_TIMESTAMP, INPUT_PARTITION, INPUT_OFFSET, INPUT_PROCESSING_TIMESTAMP};

int kafka_column_find(const char *name) {
    for (int i = 0; i < KAFKA_COLUMN_COUNT; i++)
        if (strcasecmp(schema_origin_columns[i].name, name) == 0)
            return i;
    return -1;
}

struct suggestion nearest_suggestion(const struct nearest *nearest) {
    struct suggestion suggestion = {""};
    if (nearest->word[0] != '\0')
        snprintf(suggestion.text, sizeof suggestion.text, "; did you mean '%s'?", nearest->word);
    return suggestion;
}
