/* The file has the topic's declaration, a table with a row per record, and one for each array of
 * objects. Comments say what was seen. Names and values of records come only as quoted names, as
 * quoted texts, and in comments of one line without control characters, so
 * no matter what a record holds, it stays a comment or a name. A comment never ends in a backslash,
 * which would continue it.
 *
 * A type is printed with a line for each field, so the brackets that close it, and the comma, are
 * handed down to its last field (`tail`). Recursion goes SHAPE_DEPTH_MAX levels deep. */
#include "surfaces/infer/query_file.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "streaming/declare/stream.h"
#include "surfaces/infer/infer_table.h"
#include "surfaces/infer/names.h"
#include "surfaces/infer/shape_type.h"
#include "surfaces/terminal/quantity.h"

struct printer {
    FILE *out;
    const struct shapes *shapes;
    const struct infer_source *source;
    struct pool pool;
    const char *topic_name; // of the topic's declaration
};

#define PRINT(printer, ...) (void)fprintf((printer)->out, __VA_ARGS__)

static void print_note(const struct printer *printer, const char *note) {
    PRINT(printer, *note != '\0' ? " -- %s\n" : "\n", note);
}

/* A text in single quotes. */
static const char *quoted_text(const char *text, struct pool *pool) {
    char *quoted = pool_alloc(pool, 2 * strlen(text) + 3, 1), *to = quoted;
    *to++ = '\'';
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\')
            *to++ = '\\';
        *to++ = *text;
    }
    *to = '\'';
    return quoted;
}

/* ---- the record ---- */

static void print_fields(struct printer *printer, const struct shape *object, int indent,
                         const char *tail);

/* The type from its start to the end of its last line. */
static void print_type(struct printer *printer, const struct shape *shape, const char *note,
                       int indent, const char *tail) {
    struct pool *pool = &printer->pool;
    enum type type = shape != NULL ? shape_type(shape) : TYPE_STRING;
    while (type_is_list(type)) {
        PRINT(printer, type == TYPE_ARRAY ? "ARRAY<" : "MAP<STRING, ");
        tail = pool_format(pool, ">%s", tail);
        shape = shape->element;
        type = shape != NULL ? shape_type(shape) : TYPE_STRING;
        if (*note == '\0' && shape != NULL)
            note = shape_note(shape, 0, printer->source->with_values, pool);
    }
    if (type != TYPE_STRUCT) {
        PRINT(printer, "%s%s", shape != NULL ? shape_type_name(shape) : "STRING", tail);
        print_note(printer, note);
        return;
    }
    PRINT(printer, "STRUCT<");
    print_note(printer, note);
    print_fields(printer, shape, indent + 2, pool_format(pool, ">%s", tail));
}

static const struct shape_field *next_shown(const struct shape_field *field) {
    while (field != NULL && field->is_hidden)
        field = field->next;
    return field;
}

static void print_left_out(struct printer *printer, const struct shape *object, int indent) {
    for (const struct shape_field *field = object->fields; field != NULL; field = field->next)
        if (field->is_hidden)
            PRINT(printer,
                  "%*s-- \"%s\" is left out: another key is the same without regard to case\n",
                  indent, "", comment_text(field->key, &printer->pool));
    if (object->left_out > 0)
        PRINT(printer,
              "%*s-- more keys are left out: there are too many, or they cannot be names\n", indent,
              "");
}

static void print_fields(struct printer *printer, const struct shape *object, int indent,
                         const char *tail) {
    print_left_out(printer, object, indent);
    const struct shape_field *field = next_shown(object->fields);
    while (field != NULL) {
        const struct shape_field *next = next_shown(field->next);
        const char *note = shape_note(&field->shape, object->counts[SHAPE_OBJECT],
                                      printer->source->with_values, &printer->pool);
        PRINT(printer, "%*s%s%s ", indent, "", name_as_field(field->key, &printer->pool),
              indent > 2 ? ":" : "");
        print_type(printer, &field->shape, note, indent, next != NULL ? "," : tail);
        field = next;
    }
}

static void print_record(struct printer *printer) {
    PRINT(printer, "-- What a record holds%s.\nCREATE TABLE %s (\n",
          printer->source->with_values ? ", with some values" : "", printer->topic_name);
    print_fields(printer, &printer->shapes->root, 2, "");
    PRINT(printer, ") USING kafka OPTIONS (subscribe %s);\n",
          quoted_text(printer->source->topic, &printer->pool));
}

/* ---- tables ---- */

/* The type in one line. */
static const char *short_type(const struct shape *shape, struct pool *pool) {
    if (shape == NULL)
        return "STRING";
    enum type type = shape_type(shape);
    if (type_is_list(type))
        return pool_format(pool, "%s<%s%s>", type_sql_name(type),
                           type == TYPE_MAP ? "STRING, " : "", short_type(shape->element, pool));
    return type == TYPE_STRUCT ? "STRUCT<…>" : shape_type_name(shape);
}

/* What a record has and the table has not. */
static void print_others(struct printer *printer, const struct infer_table *table) {
    for (size_t i = 0; i < table->other_count; i++)
        PRINT(printer, "-- %s, %s, is not a column%s.\n",
              comment_text(table->others[i].text, &printer->pool),
              short_type(table->others[i].shape, &printer->pool),
              table->array == NULL && infer_has_table(&table->others[i]) ? ": see below" : "");
    if (table->left_out > 0)
        PRINT(printer,
              "-- %zu more values are left out: a table gets %d columns, and paths of %d bytes at "
              "most.\n",
              table->left_out, INFER_COLUMNS_MAX, INFER_PATH_MAX);
}

static void print_columns(const struct printer *printer, const struct infer_table *table) {
    for (size_t i = 0; i < table->column_count; i++) {
        const struct infer_column *column = &table->columns[i];
        PRINT(printer, "  %s %s%s%s", column->name, column->type,
              column->required ? " NOT NULL" : "", i + 1 < table->column_count ? "," : "");
        print_note(printer, column->note);
    }
}

static void print_items(const struct printer *printer, const struct infer_table *table) {
    for (size_t i = 0; i < table->column_count; i++)
        PRINT(printer, "  %s AS %s%s\n", table->columns[i].expression, table->columns[i].name,
              i + 1 < table->column_count ? "," : "");
}

static void print_partition(const struct printer *printer, const struct infer_table *table) {
    if (table->partition_column == NULL)
        PRINT(printer, "-- No field looks like a partition column. For a directory per day, write "
                       "PARTITIONED BY (ingest_date):\n-- the date of kafka_timestamp, which needs "
                       "no column here.\n");
    else
        PRINT(printer, "PARTITIONED BY (%s)%s%s\n", table->partition_column,
              *table->alternatives != '\0' ? " -- or: " : "", table->alternatives);
}

static void print_table(struct printer *printer, const struct infer_table *table) {
    struct pool *pool = &printer->pool;
    PRINT(printer, "CREATE STREAMING TABLE %s (\n", table->name);
    print_columns(printer, table);
    PRINT(printer, ")\n");
    print_partition(printer, table);
    const char *row =
        table->array == NULL
            ? "one row per record"
            : pool_format(pool, "one row per record and element of %s", table->array->text);
    PRINT(printer, "COMMENT %s\nAS SELECT\n", quoted_text(row, pool));
    print_items(printer, table);
    PRINT(printer, "FROM STREAM %s", printer->topic_name);
    if (table->array != NULL)
        PRINT(printer, "\nLATERAL VIEW OUTER posexplode(%s) elements AS %s, %s", table->array->text,
              table->position, table->element);
    PRINT(printer, ";\n");
}

static void print_record_table(struct printer *printer, const struct infer_table *table) {
    bool has_identifier = false;
    for (size_t i = 0; i < table->column_count; i++)
        has_identifier = has_identifier || table->columns[i].required;
    PRINT(printer, "\n-- One row per record.\n");
    if (!has_identifier)
        PRINT(printer,
              "-- No field looks like an identifier. Write NOT NULL at a column that every "
              "record must have.\n");
    print_others(printer, table);
    print_table(printer, table);
}

static void print_element_table(struct printer *printer, const struct infer_table *table) {
    PRINT(printer,
          "\n-- One row per element of %s. A record without elements has one row, too; "
          "leave OUTER out if\n-- it must not.\n",
          comment_text(table->array->text, &printer->pool));
    print_others(printer, table);
    print_table(printer, table);
}

static void print_tables(struct printer *printer, const char *name) {
    struct pool *pool = &printer->pool;
    const struct infer_table *records = infer_table_of_records(printer->shapes, name, pool);
    print_record_table(printer, records);
    size_t printed = 0;
    for (size_t i = 0; i < records->other_count && printed < INFER_TABLES_MAX; i++) {
        if (!infer_has_table(&records->others[i]))
            continue;
        print_element_table(
            printer, infer_table_of_elements(printer->shapes, records, &records->others[i], pool));
        printed++;
    }
}

/* ---- the file ---- */

static void print_skipped(const struct printer *printer) {
    const struct shapes *shapes = printer->shapes;
    const struct {
        int64_t count;
        const char *what;
    } skipped[] = {{shapes->not_json, "not JSON"},
                   {shapes->not_objects, "JSON, but not an object"},
                   {shapes->blanks, "blank"},
                   {shapes->nulls, "null (tombstones)"}};
    for (size_t i = 0; i < sizeof skipped / sizeof skipped[0]; i++)
        if (skipped[i].count > 0)
            PRINT(printer, "-- Not used: %s, %s.\n", text_count(skipped[i].count, "record").text,
                  skipped[i].what);
}

static void print_head(struct printer *printer) {
    const struct shapes *shapes = printer->shapes;
    struct pool *pool = &printer->pool;
    PRINT(printer, "-- Inferred by esports-stream from %s of the topic %s\n-- (%s).\n",
          text_count(shapes->objects, "JSON object").text,
          comment_text(quoted_text(printer->source->topic, pool), pool),
          comment_text(printer->source->origin, pool));
    print_skipped(printer);
    if (shapes->objects > 0)
        PRINT(printer,
              "--\n"
              "-- It is a proposal. Delete the columns that you do not need. Decide which columns "
              "are "
              "NOT NULL: a record\n"
              "-- without a value there becomes a reject. Decide what the table is partitioned by. "
              "Then check the file:\n"
              "--     esports-stream check FILE\n\n");
}

/* All bytes, for records of any kind. */
static void print_bytes_table(const struct printer *printer, const char *start, const char *name) {
    struct pool pool;
    pool_init(&pool);
    PRINT(printer,
          "%sCREATE STREAMING TABLE %s_bytes COMMENT 'the bytes of each record' AS\n"
          "%sSELECT key, value FROM STREAM kafka(%s);\n",
          start, name, start, quoted_text(printer->source->topic, &pool));
    pool_deinit(&pool);
}

/* Of the topic, and not one that is in use. */
static const char *table_name(const char *topic, struct pool *pool) {
    const char *name = name_snake(topic, pool);
    bool is_taken = strcmp(name, "all") == 0;
    for (size_t i = 0; streams[i] != NULL; i++)
        is_taken = is_taken || strcasecmp(streams[i]->job, name) == 0 ||
                   strcasecmp(streams[i]->name, name) == 0;
    return is_taken ? pool_format(pool, "%s_table", name) : name;
}

void query_file_print(FILE *out, const struct shapes *shapes, const struct infer_source *source) {
    struct printer printer = {.out = out, .shapes = shapes, .source = source};
    pool_init(&printer.pool);
    const char *name = table_name(source->topic, &printer.pool);
    bool has_others = shapes->not_json > 0 || shapes->not_objects > 0;
    printer.topic_name = pool_format(&printer.pool, "%s_records", name);
    print_head(&printer);
    if (shapes->objects > 0 && shapes->root.field_count > 0) {
        print_record(&printer);
        print_tables(&printer, name);
        if (has_others)
            PRINT(&printer,
                  "\n-- The bytes of each record, those that are not JSON objects included.\n");
    } else {
        PRINT(&printer, "\n-- No record is a JSON object with fields, so this table has the bytes "
                        "of each record.\n");
    }
    if (shapes->objects == 0 || shapes->root.field_count == 0)
        print_bytes_table(&printer, "", name);
    else if (has_others)
        print_bytes_table(&printer, "-- ", name);
    pool_deinit(&printer.pool);
}
