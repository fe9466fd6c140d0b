/* stream.c: a query's plan as a stream. The table's columns must be those of a struct schema: what
 * the record has, Kafka's four, and what is computed, in this order. */
#include "streaming/declare/stream.h"

#include <ctype.h>
#include <string.h>

#include "core/data_type.h"
#include "sql/syntax/parse.h"

/* ---- what no query can have yet ---- */

#define REFUSE(err, plan, place, ...) sql_error((err), (plan)->path, (place), __VA_ARGS__)

static size_t count_record_inputs(const struct query_plan *plan) {
    size_t count = 0;
    while (count < plan->input_count && plan->inputs[count].kind == INPUT_RECORD)
        count++;
    return count;
}

/* Column `index` is that field of the record, under its own name. */
static bool is_field(const struct query_plan *plan, size_t index) {
    const struct plan_column *column = &plan->columns[index];
    const struct plan_input *input = &plan->inputs[index];
    return column->expr->kind == EXPR_INPUT && column->expr->index == index &&
           input->path_length == 1 && strcmp(input->path[0], column->name) == 0;
}

static bool check_order(const struct query_plan *plan, size_t fields, struct error *err) {
    if (plan->column_count > SCHEMA_COLUMNS_MAX)
        return REFUSE(err, plan, plan->place, "table '%s' cannot have more than %d columns yet",
                      plan->name, SCHEMA_COLUMNS_MAX);
    if (fields == 0)
        return REFUSE(err, plan, plan->place,
                      "table '%s' reads no field of the record, which is "
                      "not supported yet",
                      plan->name);
    for (size_t i = 0; i < fields; i++)
        if (i >= plan->column_count || !is_field(plan, i))
            return REFUSE(err, plan, plan->place,
                          "table '%s': its first columns must be all fields of the record that it "
                          "uses, under their own names and in declared order; other tables are not "
                          "supported yet",
                          plan->name);
    if (plan->kafka_timestamp != fields || plan->partition != fields + 1 ||
        plan->offset != fields + 2 || plan->processing_timestamp != fields + 3)
        return REFUSE(err, plan, plan->place,
                      "table '%s': kafka_timestamp, partition, offset and processing_timestamp "
                      "must follow the fields of the record; other orders are not supported yet",
                      plan->name);
    return true;
}

/* Recursion is as deep as the expression, which the parser bounds (SQL_DEPTH_MAX). */
static bool check_expression(const struct query_plan *plan, const struct expr *expr,
                             struct error *err) {
    if (expr->kind == EXPR_COLUMN)
        return REFUSE(err, plan, expr->place,
                      "column '%s' cannot be used by another one yet: repeat its expression",
                      plan->columns[expr->index].name);
    if (expr->kind == EXPR_INPUT) {
        enum plan_input_kind kind = plan->inputs[expr->index].kind;
        if (kind == INPUT_RECORD || kind == INPUT_PARTITION || kind == INPUT_OFFSET ||
            kind == INPUT_TIMESTAMP || kind == INPUT_PROCESSING_TIMESTAMP)
            return true;
        return REFUSE(err, plan, expr->place, "this column of Kafka cannot be used yet");
    }
    for (size_t i = 0; expr->kind == EXPR_CALL && i < expr->argument_count; i++)
        if (!check_expression(plan, expr->arguments[i], err))
            return false;
    return true;
}

static bool check_columns(const struct query_plan *plan, struct error *err) {
    for (size_t i = 0; i < plan->column_count; i++) {
        const struct plan_column *column = &plan->columns[i];
        if (column->required != (i == 0))
            return REFUSE(err, plan, column->place,
                          "column '%s': the first column, and only that, must be NOT NULL; other "
                          "tables are not supported yet",
                          column->name);
        if (!check_expression(plan, column->expr, err))
            return false;
    }
    for (size_t i = 0; i < plan->partition_column_count; i++) {
        const struct plan_column *column = &plan->columns[plan->partition_columns[i]];
        if (column->type.kind != TYPE_STRING)
            return REFUSE(err, plan, column->place,
                          "partition column '%s' must be STRING; other types are not supported yet",
                          column->name);
    }
    return true;
}

static bool check_properties(const struct query_plan *plan, struct error *err) {
    for (size_t i = 0; i < plan->property_count; i++) {
        const struct sql_property *property = &plan->properties[i];
        if (strcmp(property->key, "queryName") != 0 && strcmp(property->key, "loggerName") != 0)
            return REFUSE(err, plan, property->place, "property '%s' cannot be set yet",
                          property->key);
    }
    if (plan->where != NULL)
        return REFUSE(err, plan, plan->where->place, "WHERE is not supported yet");
    return true;
}

/* ---- texts ---- */

static const char *find(const struct sql_property *properties, size_t count, const char *key) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(properties[i].key, key) == 0)
            return properties[i].value;
    return NULL;
}

static const char *property_or(const struct query_plan *plan, const char *key,
                               const char *otherwise) {
    const char *value = find(plan->properties, plan->property_count, key);
    return value != NULL ? value : otherwise;
}

/* ${NAME:-default} */
static bool set_topic(struct stream *stream, struct error *err) {
    struct query_plan *plan = &stream->plan;
    const char *topic = plan->topic, *middle = strstr(topic, ":-");
    if (strncmp(topic, "${", 2) != 0 || middle == NULL || !text_ends_with(topic, "}"))
        return REFUSE(err, plan, plan->place,
                      "the topic must be ${NAME:-default}, where NAME is that of a setting; "
                      "others are not supported yet");
    size_t length = (size_t)(middle - topic);
    stream->topic_setting =
        pool_copy(&plan->pool, (struct text){topic + 2, (uint32_t)(length - 2)});
    stream->topic =
        pool_copy(&plan->pool, (struct text){middle + 2, (uint32_t)strlen(middle + 2) - 1});
    return true;
}

static void set_partition_by(struct stream *stream) {
    struct query_plan *plan = &stream->plan;
    char *job = pool_alloc(&plan->pool, strlen(plan->name) + 1, 1);
    for (size_t i = 0; plan->name[i] != '\0'; i++)
        job[i] = plan->name[i] == '-' ? '_' : (char)toupper((unsigned char)plan->name[i]);
    stream->partition_by_setting = pool_format(&plan->pool, "%s_PARTITION_BY", job);
    stream->partition_by = plan->partition_column_count == 0 ? "none" : "";
    for (size_t i = 0; i < plan->partition_column_count; i++)
        stream->partition_by =
            pool_format(&plan->pool, "%s%s%s", stream->partition_by, i > 0 ? "," : "",
                        plan->columns[plan->partition_columns[i]].name);
}

/* ---- columns ---- */

static struct column make_column(const struct plan_column *from) {
    return (struct column){.name = from->name,
                           .type = from->type.kind,
                           .precision = from->type.precision,
                           .scale = from->type.scale,
                           .required = !from->expr->can_be_null,
                           .doc = from->comment != NULL ? from->comment : ""};
}

static bool set_record(struct stream *stream, size_t fields, struct error *err) {
    struct query_plan *plan = &stream->plan;
    struct record_schema *record = pool_alloc(&plan->pool, 1, sizeof *record);
    struct column *columns = pool_alloc(&plan->pool, fields, sizeof *columns);
    for (size_t i = 0; i < fields; i++) {
        columns[i] = make_column(&plan->columns[i]);
        columns[i].sample = find(plan->options, plan->option_count,
                                 pool_format(&plan->pool, "sample.%s", columns[i].name));
        if (columns[i].sample == NULL)
            return REFUSE(err, plan, plan->columns[i].place,
                          "the topic has no option sample.%s; a field without it is not supported "
                          "yet",
                          columns[i].name);
    }
    *record = (struct record_schema){.name = plan->name, .columns = columns, .count = fields};
    stream->record = record;
    return true;
}

/* The columns that a cluster has when it computes the derived ones. */
static const char *const *input_names(struct query_plan *plan) {
    const char **names = pool_alloc(&plan->pool, plan->input_count, sizeof *names);
    for (size_t i = 0; i < plan->input_count; i++) {
        const struct plan_input *input = &plan->inputs[i];
        size_t column = input->kind == INPUT_PARTITION              ? plan->partition
                        : input->kind == INPUT_OFFSET               ? plan->offset
                        : input->kind == INPUT_TIMESTAMP            ? plan->kafka_timestamp
                        : input->kind == INPUT_PROCESSING_TIMESTAMP ? plan->processing_timestamp
                                                                    : i;
        names[i] = name_quoted(plan->columns[column].name, &plan->pool);
    }
    return names;
}

static void set_derived(struct stream *stream, size_t first) {
    struct query_plan *plan = &stream->plan;
    const char *const *names = input_names(plan);
    stream->derived_count = plan->column_count - first;
    struct column *columns = pool_alloc(&plan->pool, stream->derived_count, sizeof *columns);
    for (size_t i = 0; i < stream->derived_count; i++) {
        const struct plan_column *from = &plan->columns[first + i];
        columns[i] = make_column(from);
        columns[i].expression = expr_text(plan, from->expr, &plan->pool);
        columns[i].sql = expr_sql(plan, from->expr, names, &plan->pool);
    }
    stream->derived = columns;
}

/* ---- all of it ---- */

static bool fill(struct stream *stream, struct error *err) {
    struct query_plan *plan = &stream->plan;
    size_t fields = count_record_inputs(plan);
    if (!check_order(plan, fields, err) || !check_columns(plan, err) ||
        !check_properties(plan, err) || !set_topic(stream, err) || !set_record(stream, fields, err))
        return false;
    stream->name = property_or(plan, "queryName", plan->name);
    stream->job = plan->name;
    stream->class = property_or(plan, "loggerName", stream->name);
    set_partition_by(stream);
    set_derived(stream, fields + SCHEMA_ORIGIN_COUNT);
    return true;
}

bool stream_make(struct query_plan *plan, struct stream *stream, struct error *err) {
    *stream = (struct stream){.plan = *plan};
    *plan = (struct query_plan){0};
    if (fill(stream, err))
        return true;
    stream_deinit(stream);
    return false;
}

void stream_deinit(struct stream *stream) {
    plan_deinit(&stream->plan);
    *stream = (struct stream){0};
}

void stream_schema(const struct stream *stream, struct schema *schema) {
    schema_init(schema, stream->record, stream->derived, stream->derived_count);
}
