#include "core/schema.h"

#include <stdio.h>
#include <string.h>

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
    struct type_text text = {0};
    if (type == TYPE_DECIMAL)
        (void)snprintf(text.text, sizeof text.text, "%s(%d,%d)", name, precision, scale);
    else // asked for every column of every file that is read
        memcpy(text.text, name, strnlen(name, sizeof text.text - 1));
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

void schema_init_plain(struct schema *schema, const char *name, const struct column *columns,
                       size_t count) {
    check(count <= SCHEMA_COLUMNS_MAX);
    *schema = (struct schema){.name = name, .columns = columns, .count = count};
}

void schema_init_record(struct schema *schema, const struct record_schema *record) {
    *schema = (struct schema){.name = record->name,
                              .inputs = record->columns,
                              .input_count = record->count,
                              .record_count = record->count};
}

bool schema_is_computed(const struct schema *schema, size_t column) {
    return schema->sources != NULL && schema->sources[column] == SCHEMA_COMPUTED;
}

bool schema_is_decoded(const struct schema *schema, size_t column) {
    return schema->sources != NULL && schema->sources[column] < schema->record_count;
}

const char *schema_field_name(const struct schema *schema, size_t field) {
    return field < schema->record_count ? schema->inputs[field].name
                                        : schema->columns[field - schema->record_count].name;
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
