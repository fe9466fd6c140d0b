#include "surfaces/rows/shown_columns.h"

#include <string.h>

static bool is_named(const char *name, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

void shown_columns_init(struct shown_columns *shown, const struct stream *stream,
                        const char *const *partition_by, size_t partition_by_count) {
    struct schema schema;
    stream_schema(stream, &schema);
    *shown = (struct shown_columns){0};
    for (size_t i = 0; i < schema.count && shown->count < TEXT_TABLE_COLUMNS_MAX; i++) {
        const struct column *column = &schema.columns[i];
        if (i != 0 && i != schema.partition && i != schema.offset && i < schema.derived_first &&
            !is_named(column->name, partition_by, partition_by_count))
            continue;
        shown->numbers[shown->count] =
            column->type == TYPE_INT32 || column->type == TYPE_INT64 || column->type == TYPE_DOUBLE;
        shown->names[shown->count++] = column->name;
    }
}

void shown_columns_begin(const struct shown_columns *shown, struct text_table *table) {
    char names[TEXT_TABLE_COLUMNS_MAX][64];
    const char *headings[TEXT_TABLE_COLUMNS_MAX];
    for (size_t i = 0; i < shown->count; i++) {
        snprintf(names[i], sizeof names[i], "%s%s", shown->numbers[i] ? ">" : "", shown->names[i]);
        headings[i] = names[i];
    }
    text_table_init(table, headings, shown->count);
}
