/* stream.c: a query's plan as a stream: its inputs and columns as those of a struct schema, and its
 * texts. */
#include "streaming/declare/stream.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/data_type.h"
#include "sql/syntax/parse.h"
#include "streaming/declare/placeholder.h"

enum { NAME_MAX_LENGTH = 100 };

/* ---- what no query can have yet ---- */

#define REFUSE(err, plan, place, ...) sql_error((err), (plan)->path, (place), __VA_ARGS__)

static bool check_key(const struct query_plan *plan, const char *key, struct error *err) {
    if (strlen(key) <= SCHEMA_KEY_MAX)
        return true;
    return REFUSE(err, plan, plan->place,
                  "table '%s': the name of field '%.40s...' is longer than %d bytes", plan->name,
                  key, SCHEMA_KEY_MAX);
}

/* Recursion is as deep as the type (DATA_TYPE_DEPTH_MAX). */
static bool check_keys(const struct query_plan *plan, const struct data_type *type,
                       struct error *err) {
    for (size_t i = 0; i < type->field_count; i++)
        if (!check_key(plan, type->fields[i].name, err) ||
            !check_keys(plan, &type->fields[i].type, err))
            return false;
    return type->element == NULL || check_keys(plan, type->element, err);
}

static bool check_inputs(const struct query_plan *plan, struct error *err) {
    for (size_t i = 0; i < plan->input_count; i++) {
        const struct plan_input *input = &plan->inputs[i];
        for (size_t key = 0; key < input->path_length; key++)
            if (!check_key(plan, input->path[key], err))
                return false;
        if (!check_keys(plan, &input->type, err))
            return false;
    }
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

/* Names are needed before settings are read, and are those of directories and loggers. */
static bool check_name(const struct query_plan *plan, const struct sql_property *property,
                       struct error *err) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t length = strlen(property->value);
    if (length > 0 && length <= NAME_MAX_LENGTH && strspn(property->value, plain) == length &&
        strchr("_-", property->value[0]) == NULL)
        return true;
    return REFUSE(err, plan, property->place,
                  "property '%s': '%s': expected at most %d letters, digits, underscores and "
                  "dashes, the first a letter or digit",
                  property->key, property->value, NAME_MAX_LENGTH);
}

static bool check_value(const struct query_plan *plan, const struct sql_property *property,
                        struct error *err) {
    struct error found;
    if (placeholders_check(property->value, &found))
        return true;
    return REFUSE(err, plan, property->place, "'%s': %s", property->key, found.message);
}

/* The topic, and the properties that settings bring or change. */
static bool set_values(struct stream *stream, struct error *err) {
    struct query_plan *plan = &stream->plan;
    struct sql_property *values = pool_alloc(&plan->pool, plan->property_count + 1, sizeof *values);
    values[0] = (struct sql_property){"subscribe", plan->topic, plan->place};
    for (size_t i = 0; i < plan->option_count; i++)
        if (strcmp(plan->options[i].key, "subscribe") == 0)
            values[0].place = plan->options[i].place;
    size_t count = 1;
    for (size_t i = 0; i < plan->property_count; i++) {
        const struct sql_property *property = &plan->properties[i];
        bool is_name =
            strcmp(property->key, "queryName") == 0 || strcmp(property->key, "loggerName") == 0;
        if (is_name && !check_name(plan, property, err))
            return false;
        if (!is_name)
            values[count++] = *property;
    }
    stream->values = values;
    stream->value_count = count;
    for (size_t i = 0; i < count; i++)
        if (!check_value(plan, &values[i], err))
            return false;
    return true;
}

static const char *find_nothing(void *context, struct text name) {
    (void)context;
    (void)name;
    return NULL;
}

static void set_topic(struct stream *stream) {
    struct query_plan *plan = &stream->plan;
    struct placeholder found;
    struct text missing;
    const char *at = plan->topic;
    bool has_setting = placeholder_next(&at, &found);
    if (has_setting && found.before.length == 0 && *at == '\0')
        stream->topic_setting = pool_copy(&plan->pool, found.name);
    stream->topic_source = stream->topic_setting != NULL
                               ? stream->topic_setting
                               : pool_format(&plan->pool, "subscribe in %s:%d", plan->path,
                                             (int)stream->values[0].place.line);
    char *topic = placeholders_replace(plan->topic, find_nothing, NULL, &missing);
    if (topic != NULL)
        stream->topic = pool_copy(&plan->pool, text_borrow(topic));
    free(topic);
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

/* ---- inputs and columns ---- */

static const char *path_text(const struct plan_input *input, struct pool *pool) {
    const char *text = input->path[0];
    for (size_t i = 1; i < input->path_length; i++)
        text = pool_format(pool, "%s.%s", text, input->path[i]);
    return text;
}

static struct column make_input(struct query_plan *plan, size_t index) {
    const struct plan_input *from = &plan->inputs[index];
    struct column column = {
        .type = from->type.kind, .precision = from->type.precision, .scale = from->type.scale};
    if (type_is_list(from->type.kind))
        column.nested = &from->type;
    if (from->kind != INPUT_RECORD) {
        column.name = plan_kafka_name(from->kind);
        return column;
    }
    column.name = path_text(from, &plan->pool);
    column.path = from->path;
    column.path_length = from->path_length;
    column.sample =
        find(plan->options, plan->option_count, pool_format(&plan->pool, "sample.%s", column.name));
    return column;
}

static void set_inputs(struct stream *stream) {
    struct query_plan *plan = &stream->plan;
    struct column *inputs = pool_alloc(&plan->pool, plan->input_count, sizeof *inputs);
    size_t record_count = 0;
    for (size_t i = 0; i < plan->input_count; i++) {
        inputs[i] = make_input(plan, i);
        inputs[i].readable_or_reject = plan_explodes(plan, i);
        record_count += plan->inputs[i].kind == INPUT_RECORD;
    }
    stream->schema.inputs = inputs;
    stream->schema.input_count = plan->input_count;
    stream->schema.record_count = record_count;
}

/* The record's first input is the identifier if a column that must not be null is that input. */
static bool has_identifier(const struct query_plan *plan) {
    for (size_t i = 0; i < plan->column_count; i++) {
        const struct plan_column *column = &plan->columns[i];
        if (column->required && column->expr->kind == EXPR_INPUT && column->expr->index == 0 &&
            plan->inputs[0].kind == INPUT_RECORD)
            return true;
    }
    return false;
}

static const char *listed(struct query_plan *plan, const char *list, const char *name) {
    return list == NULL ? name : pool_format(&plan->pool, "%s, %s", list, name);
}

/* Columns of which a null makes the record a reject. */
static void set_identifier(struct stream *stream) {
    struct query_plan *plan = &stream->plan;
    for (size_t i = 0; i < plan->column_count; i++) {
        const char *name = plan->columns[i].name;
        if (!plan->columns[i].required)
            continue;
        stream->identifier = listed(plan, stream->identifier, name);
        stream->schema.identifier =
            listed(plan, stream->schema.identifier,
                   schema_is_decoded(&stream->schema, i)
                       ? stream->schema.inputs[stream->schema.sources[i]].name
                       : name);
    }
}

static void set_record(struct stream *stream) {
    struct record_schema *record = pool_alloc(&stream->plan.pool, 1, sizeof *record);
    *record = (struct record_schema){.name = stream->plan.name,
                                     .columns = stream->schema.inputs,
                                     .count = stream->schema.record_count,
                                     .has_identifier = has_identifier(&stream->plan)};
    stream->record = record;
}

static struct column make_column(struct query_plan *plan, const struct plan_column *from) {
    struct column column = {.name = from->name,
                            .type = from->type.kind,
                            .precision = from->type.precision,
                            .scale = from->type.scale,
                            .required = !from->expr->can_be_null,
                            .doc = from->comment != NULL ? from->comment : ""};
    if (from->expr->kind != EXPR_INPUT)
        column.expression = expr_text(plan, from->expr, &plan->pool);
    return column;
}

static void set_columns(struct stream *stream) {
    struct query_plan *plan = &stream->plan;
    // With the date, which stream_set_date() can make the last one at any time.
    bool is_behind = plan->date == plan->column_count;
    size_t count = plan->column_count + (is_behind ? 1 : 0);
    struct column *columns = pool_alloc(&plan->pool, count, sizeof *columns);
    size_t *sources = pool_alloc(&plan->pool, count, sizeof *sources);
    for (size_t i = 0; i < count; i++) {
        const struct expr *expr = plan->columns[i].expr;
        columns[i] = make_column(plan, &plan->columns[i]);
        sources[i] = expr->kind == EXPR_INPUT ? expr->index : SCHEMA_COMPUTED;
    }
    struct schema *schema = &stream->schema;
    schema->name = plan->name;
    schema->columns = columns;
    schema->count = plan->column_count;
    schema->sources = sources;
    schema->kafka_timestamp = plan->kafka_timestamp;
    schema->partition = plan->partition;
    schema->offset = plan->offset;
    schema->processing_timestamp = plan->processing_timestamp;
}

/* ---- all of it ---- */

static bool fill(struct stream *stream, struct error *err) {
    struct query_plan *plan = &stream->plan;
    if (!check_inputs(plan, err) || !set_values(stream, err))
        return false;
    set_topic(stream);
    set_inputs(stream);
    if (stream->schema.record_count > SCHEMA_COLUMNS_MAX)
        return REFUSE(err, plan, plan->place, "table '%s' reads more than %d fields", plan->name,
                      SCHEMA_COLUMNS_MAX);
    set_record(stream);
    set_columns(stream);
    set_identifier(stream);
    stream->name = property_or(plan, "queryName", plan->name);
    stream->job = plan->name;
    stream->class = property_or(plan, "loggerName", stream->name);
    set_partition_by(stream);
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

void stream_set_date(struct stream *stream, bool wanted) {
    plan_set_date(&stream->plan, wanted);
    stream->schema.count = stream->plan.column_count;
}

void stream_deinit(struct stream *stream) {
    plan_deinit(&stream->plan);
    *stream = (struct stream){0};
}

void stream_schema(const struct stream *stream, struct schema *schema) {
    *schema = stream->schema;
}
