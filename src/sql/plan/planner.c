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
    return expr;
}

/* ---- inputs ---- */

static const struct data_type kafka_types[] = {
    [INPUT_KEY] = {.kind = TYPE_BINARY},
    [INPUT_VALUE] = {.kind = TYPE_BINARY},
    [INPUT_TOPIC] = {.kind = TYPE_STRING},
    [INPUT_PARTITION] = {.kind = TYPE_INT32},
    [INPUT_OFFSET] = {.kind = TYPE_INT64},
    [INPUT_TIMESTAMP] = {.kind = TYPE_TIMESTAMP},
    [INPUT_TIMESTAMP_TYPE] = {.kind = TYPE_INT32},
    [INPUT_PROCESSING_TIMESTAMP] = {.kind = TYPE_TIMESTAMP},
};

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
    expr->index = item;
    planner->item_uses =
        planner_grow(planner, planner->item_uses, planner->item_use_count, sizeof(struct expr *));
    planner->item_uses[planner->item_use_count++] = expr;
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
