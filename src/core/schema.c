#include "core/schema.h"

#include <stdio.h>

#include "base/check.h"

const struct column schema_origin_columns[SCHEMA_ORIGIN_COUNT] = {
    {"kafka_timestamp", TYPE_TIMESTAMP, .doc = "The Kafka record's timestamp"},
    {"partition", TYPE_INT32, .doc = "The record's Kafka partition"},
    {"offset", TYPE_INT64, .doc = "The record's offset in its partition"},
    {"processing_timestamp", TYPE_TIMESTAMP, .required = true,
     .doc = "When the micro-batch was planned; the same for all its rows, even if the batch is run "
            "again"},
};

struct type_text type_text_of(const char *name, enum type type, int precision, int scale) {
    struct type_text text;
    if (type == TYPE_DECIMAL)
        (void)snprintf(text.text, sizeof text.text, "%s(%d,%d)", name, precision, scale);
    else
        (void)snprintf(text.text, sizeof text.text, "%s", name);
    return text;
}

struct type_text column_sql_type(const struct column *column) {
    return type_text_of(type_sql_name(column->type), column->type, column->precision,
                        column->scale);
}

size_t column_path_length(const struct column *column) {
    return column->path_length == 0 ? 1 : column->path_length;
}

const char *column_key(const struct column *column, size_t level) {
    return column->path_length == 0 ? column->name : column->path[level];
}

static void add_column(struct schema *schema, const struct column *column) {
    check(schema->count < SCHEMA_COLUMNS_MAX);
    check(schema_find(schema, text_borrow(column->name)) < 0);
    schema->columns[schema->count++] = *column;
}

void schema_init_plain(struct schema *schema, const char *name, const struct column *columns,
                       size_t count) {
    *schema = (struct schema){.name = name};
    for (size_t i = 0; i < count; i++)
        add_column(schema, &columns[i]);
    schema->record_count = count;
    schema->derived_first = count;
}

void schema_init(struct schema *schema, const struct record_schema *record,
                 const struct column *derived, size_t derived_count) {
    schema_init_plain(schema, record->name, record->columns, record->count);
    schema->kafka_timestamp = schema->count;
    schema->partition = schema->count + 1;
    schema->offset = schema->count + 2;
    schema->processing_timestamp = schema->count + 3;
    for (size_t i = 0; i < SCHEMA_ORIGIN_COUNT; i++)
        add_column(schema, &schema_origin_columns[i]);

    schema->derived_first = schema->count;
    for (size_t i = 0; i < derived_count; i++)
        add_column(schema, &derived[i]);
}

int schema_find(const struct schema *schema, struct text name) {
    for (size_t i = 0; i < schema->count; i++)
        if (text_equals(text_borrow(schema->columns[i].name), name))
            return (int)i;
    return -1;
}

bool schema_can_partition(const struct schema *schema, size_t column) {
    return type_can_partition(schema->columns[column].type) && column != schema->partition &&
           column != schema->offset;
}
