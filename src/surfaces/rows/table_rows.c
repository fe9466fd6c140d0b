/* The columns in a file come first, then those that its directories name, as in Spark. A
 * directory's value is a text with Hive's escapes: %XX is a byte, and __HIVE_DEFAULT_PARTITION__
 * is null. Nothing of a file is trusted: a column that is missing or of another type is an error
 * that names the file, and names may be any bytes. */
#include "surfaces/rows/table_rows.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/disk/file.h"
#include "base/text.h"
#include "base/utf8.h"
#include "core/double_text.h"
#include "surfaces/terminal/quantity.h"

/* ---- directories ---- */

static int hex(char c) {
    const char *digits = "0123456789ABCDEF0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at == NULL ? -1 : (int)(at - digits) % 16;
}

/* Undoes what partition_directory() (pipeline/sink/sink_parquet.h) and Spark do; the value is never
 * longer than its name. */
static void read_value(struct directory_value *value, const char *name, size_t size, char *room) {
    static const char null_name[] = "__HIVE_DEFAULT_PARTITION__";
    if (size == sizeof null_name - 1 && memcmp(name, null_name, size) == 0)
        return;
    value->text = room;
    for (size_t i = 0; i < size; i++) {
        int high = name[i] == '%' && i + 2 < size ? hex(name[i + 1]) : -1;
        int low = high >= 0 ? hex(name[i + 2]) : -1;
        room[value->size++] = low >= 0 ? (char)(high * 16 + low) : name[i];
        i += low >= 0 ? 2 : 0;
    }
}

size_t directory_values_read(const char *path, char *room,
                             struct directory_value values[static PARTITION_BY_MAX]) {
    const char *at = path;
    size_t count = 0;
    for (const char *slash; (slash = strchr(at, '/')) != NULL; at = slash + 1) {
        const char *equals = memchr(at, '=', (size_t)(slash - at));
        if (equals == NULL || count == PARTITION_BY_MAX) // not of a partition
            continue;
        struct directory_value *value = &values[count++];
        *value = (struct directory_value){.name = {at, (uint32_t)(equals - at)}};
        read_value(value, equals + 1, (size_t)(slash - equals - 1), room);
        room += value->size;
    }
    return count;
}

/* ---- the file ---- */

static bool choose(const struct table_rows *rows, const struct wanted_column *wanted, size_t count,
                   size_t columns[static SCHEMA_COLUMNS_MAX], struct error *err) {
    const struct file_metadata *metadata = &rows->reader.metadata;
    for (size_t i = 0; i < count; i++) {
        int index = file_metadata_find(metadata, wanted[i].name);
        if (index < 0 || !metadata->columns[index].readable ||
            metadata->columns[index].type != wanted[i].type)
            return error_set(err, ERROR_STATE,
                             "'%s' has no column '%s' of type %s: it does not belong to this "
                             "table; `verify` lists such files",
                             rows->reader.input.name, wanted[i].name,
                             type_sql_name(wanted[i].type));
        columns[i] = (size_t)index;
    }
    return true;
}

static size_t choose_all(const struct table_rows *rows, size_t columns[static SCHEMA_COLUMNS_MAX]) {
    const struct file_metadata *metadata = &rows->reader.metadata;
    size_t count = 0;
    for (size_t i = 0; i < metadata->column_count && count < SCHEMA_COLUMNS_MAX; i++)
        if (metadata->columns[i].readable)
            columns[count++] = i;
    return count;
}

/* Opens the file, wherever it is by now. */
static bool open_file(struct table_rows *rows, const struct rows_source *source,
                      struct error *err) {
    struct file_path path = file_join(source->root, rows->path);
    bool there;
    if (parquet_reader_open(&rows->reader, path.text, err))
        return true;
    if (source->kept == NULL || err->kind != ERROR_STATE || !file_is_gone(path.text))
        return false;
    struct error gone = *err;
    if (!kept_files_find(source->kept, source->of_rejects, rows->path, &path, &there, err))
        return false;
    if (!there) {
        *err = gone;
        return false;
    }
    parquet_reader_close(&rows->reader);
    return parquet_reader_open(&rows->reader, path.text, err);
}

bool table_rows_open(struct table_rows *rows, const struct rows_source *source, const char *path,
                     const struct wanted_column *columns, size_t column_count, struct error *err) {
    size_t chosen[SCHEMA_COLUMNS_MAX];
    *rows = (struct table_rows){.path = text_copy(path), .values = must_alloc(strlen(path) + 1, 1)};
    check(column_count <= SCHEMA_COLUMNS_MAX);
    if (!open_file(rows, source, err))
        return false;
    rows->directory_count = directory_values_read(rows->path, rows->values, rows->directories);
    if (columns != NULL && !choose(rows, columns, column_count, chosen, err))
        return false;
    if (columns == NULL)
        column_count = choose_all(rows, chosen);
    if (column_count == 0)
        return error_set(err, ERROR_STATE, "'%s' has no column of a type that can be read",
                         rows->reader.input.name);
    parquet_cursor_open(&rows->cursor, &rows->reader, chosen, column_count);
    return true;
}

void table_rows_close(struct table_rows *rows) {
    parquet_cursor_close(&rows->cursor);
    parquet_reader_close(&rows->reader);
    free(rows->values);
    free(rows->path);
    *rows = (struct table_rows){0};
}

bool table_rows_next(struct table_rows *rows, struct error *err) {
    rows->first += (int64_t)rows->count;
    return parquet_cursor_next(&rows->cursor, &rows->count, err);
}

bool table_rows_each(const struct rows_source *source, const char *path,
                     const struct wanted_column *columns, size_t column_count,
                     void (*visit)(void *context, const struct table_rows *rows, size_t row),
                     void *context, struct error *err) {
    struct table_rows rows;
    bool ok = table_rows_open(&rows, source, path, columns, column_count, err);
    while (ok && (ok = table_rows_next(&rows, err)) && rows.count > 0)
        for (size_t row = 0; row < rows.count; row++)
            visit(context, &rows, row);
    table_rows_close(&rows);
    return ok;
}

/* ---- values ---- */

static const struct file_column *column_of(const struct table_rows *rows, size_t index) {
    return &rows->reader.metadata.columns[rows->cursor.columns[index]];
}

/* The double whose shortest text is the float's. */
static double float_as_double(float value) {
    char text[DOUBLE_TEXT_MAX];
    if (!isfinite(value))
        return (double)value;
    int size = 0;
    for (int places = 1; places <= FLT_DECIMAL_DIG; places++) {
        size = snprintf(text, sizeof text, "%.*g", places, (double)value);
        if (float_parse(text, (size_t)size) == value)
            break;
    }
    return double_parse(text, (size_t)size);
}

static void put_real(struct json *object, const char *name, double value, int *digits) {
    json_put_real(object, name, value);
    if (json_digits(value) > *digits)
        *digits = json_digits(value);
}

void table_rows_put(struct json *object, const char *name, const struct vector *vector, size_t row,
                    int *digits) {
    char moment[MOMENT_TEXT_MAX], cell[CELL_TEXT_MAX];
    char *encoded;
    if (!vector->valid[row]) {
        json_put_null(object, name);
        return;
    }
    switch (vector->type) {
    case TYPE_BOOL:
        json_put_bool(object, name, vector->booleans[row] != 0);
        break;
    case TYPE_INT32:
        json_put_int(object, name, vector->int32s[row]);
        break;
    case TYPE_INT64:
        json_put_int(object, name, vector->int64s[row]);
        break;
    case TYPE_DOUBLE:
        put_real(object, name, vector->doubles[row], digits);
        break;
    case TYPE_STRING:
        json_put_bytes(object, name, vector->texts[row].bytes, vector->texts[row].length);
        break;
    case TYPE_BINARY:
        encoded = base64_encode(vector->texts[row].bytes, vector->texts[row].length);
        json_put_shown(object, name, encoded);
        free(encoded);
        break;
    case TYPE_TIMESTAMP:
        moment_format(vector->int64s[row], moment);
        json_put_shown(object, name, moment);
        break;
    case TYPE_INT8:
        json_put_int(object, name, vector->int8s[row]);
        break;
    case TYPE_INT16:
        json_put_int(object, name, vector->int16s[row]);
        break;
    case TYPE_FLOAT:
        put_real(object, name, float_as_double(vector->floats[row]), digits);
        break;
    case TYPE_DECIMAL: // as text, so that no reader rounds it
    case TYPE_DATE:
        cell_text(vector, row, cell);
        json_put_shown(object, name, cell);
        break;
    case TYPE_TIMESTAMP_NTZ:
        moment_format(vector->int64s[row], moment);
        moment[strcspn(moment, "Z")] = '\0';
        json_put_shown(object, name, moment);
        break;
    case TYPE_NULL:
    case TYPE_STRUCT:
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_COUNT:
        check(!"a type");
    }
}

/* A name from a file, which may be anything, as a terminated text. */
static void copy_name(struct text name, char text[static CELL_TEXT_MAX]) {
    const char *at = name.bytes, *end = at + name.length;
    size_t used = 0, size;
    bool valid;
    for (; at < end && used + UTF8_CHARACTER_MAX < CELL_TEXT_MAX; at += size)
        used += utf8_encode(utf8_decode(at, end, &size, &valid), text + used);
    text[used] = '\0';
}

static bool read_number(struct text text, int64_t *number) {
    char copy[24];
    char *end = copy;
    if (text.length == 0 || text.length >= sizeof copy)
        return false;
    memcpy(copy, text.bytes, text.length);
    copy[text.length] = '\0';
    errno = 0;
    *number = strtoll(copy, &end, 10);
    return errno == 0 && end == copy + text.length && strspn(copy, "-0123456789") == text.length;
}

/* A directory's value as its column's type has it; any other text stays a text. */
static void put_directory(struct json *object, const char *name,
                          const struct directory_value *value, const struct schema *schema) {
    struct text text = {value->text, (uint32_t)value->size};
    int column = schema_find(schema, value->name);
    enum type type = column < 0 ? TYPE_STRING : schema->columns[column].type;
    bool is_number =
        type == TYPE_INT8 || type == TYPE_INT16 || type == TYPE_INT32 || type == TYPE_INT64;
    int64_t number;
    if (value->text == NULL)
        json_put_null(object, name);
    else if (type == TYPE_BOOL &&
             (text_equals(text, TEXT("true")) || text_equals(text, TEXT("false"))))
        json_put_bool(object, name, *text.bytes == 't');
    else if (is_number && read_number(text, &number))
        json_put_int(object, name, number);
    else
        json_put_bytes(object, name, value->text, value->size);
}

/* Whether the file or one of its directories has the column, readable or not. */
static bool has_column(const struct table_rows *rows, const char *name) {
    if (file_metadata_find(&rows->reader.metadata, name) >= 0)
        return true;
    for (size_t i = 0; i < rows->directory_count; i++)
        if (text_equals(rows->directories[i].name, text_borrow(name)))
            return true;
    return false;
}

struct json *table_row_json(const struct table_rows *rows, size_t row, const struct schema *schema,
                            int *digits) {
    struct json *object = json_new_object();
    char name[CELL_TEXT_MAX];
    *digits = 15; // until a double needs more
    for (size_t i = 0; i < rows->cursor.column_count; i++) {
        copy_name(column_of(rows, i)->name, name);
        table_rows_put(object, name, &rows->cursor.vectors[i], row, digits);
    }
    for (size_t i = 0; i < schema->count; i++)
        if (!has_column(rows, schema->columns[i].name))
            json_put_null(object, schema->columns[i].name);
    for (size_t i = 0; i < rows->directory_count; i++) {
        copy_name(rows->directories[i].name, name);
        put_directory(object, name, &rows->directories[i], schema);
    }
    return object;
}

/* One of its values as a short text, by the column's name; "" if there is no such column. */
static void row_cell(const struct table_rows *rows, size_t row, const char *column,
                     char text[static CELL_TEXT_MAX]) {
    struct text wanted = {column, (uint32_t)strlen(column)};
    text[0] = '\0';
    for (size_t i = 0; i < rows->cursor.column_count; i++) {
        if (text_equals(column_of(rows, i)->name, wanted)) {
            cell_text(&rows->cursor.vectors[i], row, text);
            return;
        }
    }
    for (size_t i = 0; i < rows->directory_count; i++) {
        const struct directory_value *value = &rows->directories[i];
        if (!text_equals(value->name, wanted))
            continue;
        if (value->text == NULL)
            (void)text_append(text, CELL_TEXT_MAX, 0, "null");
        else
            cell_text_of((struct text){value->text, (uint32_t)value->size}, text);
    }
}

/* ---- shown columns ---- */

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
    for (size_t i = 0; i < schema.count && shown->count < SHOWN_COLUMNS_MAX; i++) {
        const struct column *column = &schema.columns[i];
        if (i != 0 && i != schema.partition && i != schema.offset &&
            !schema_is_computed(&schema, i) &&
            !is_named(column->name, partition_by, partition_by_count))
            continue;
        shown->numbers[shown->count] = type_is_number(column->type);
        shown->names[shown->count++] = column->name;
    }
}

void shown_columns_identify(struct shown_columns *shown, const struct stream *stream, size_t most) {
    struct shown_columns all;
    struct schema schema;
    stream_schema(stream, &schema);
    shown_columns_init(&all, stream, NULL, 0);
    *shown = (struct shown_columns){0};
    for (size_t i = 0; i < all.count && shown->count < most; i++) {
        if (strcmp(all.names[i], schema.columns[schema.partition].name) == 0 ||
            strcmp(all.names[i], schema.columns[schema.offset].name) == 0)
            continue;
        shown->numbers[shown->count] = all.numbers[i];
        shown->names[shown->count++] = all.names[i];
    }
}

void shown_columns_keep(struct shown_columns *shown, const struct table_rows *rows) {
    size_t kept = 0;
    for (size_t i = 0; i < shown->count; i++) {
        if (file_metadata_find(&rows->reader.metadata, shown->names[i]) < 0)
            continue;
        shown->numbers[kept] = shown->numbers[i];
        shown->names[kept++] = shown->names[i];
    }
    shown->count = kept;
}

void shown_columns_begin(const struct shown_columns *shown, const char *first,
                         struct text_table *table) {
    char names[SHOWN_COLUMNS_MAX][64];
    const char *headings[1 + SHOWN_COLUMNS_MAX] = {first};
    for (size_t i = 0; i < shown->count; i++) {
        snprintf(names[i], sizeof names[i], "%s%s", shown->numbers[i] ? ">" : "", shown->names[i]);
        headings[i + 1] = names[i];
    }
    text_table_init(table, first != NULL ? headings : headings + 1,
                    shown->count + (first != NULL ? 1 : 0));
}

char *shown_columns_join(const struct shown_columns *shown, const char *first,
                         const struct text_table *table, const struct table_rows *rows,
                         size_t row) {
    char texts[SHOWN_COLUMNS_MAX][CELL_TEXT_MAX];
    const char *cells[1 + SHOWN_COLUMNS_MAX] = {first};
    for (size_t i = 0; i < shown->count; i++) {
        row_cell(rows, row, shown->names[i], texts[i]);
        cells[i + 1] = texts[i];
    }
    return text_table_join(table, first != NULL ? cells : cells + 1);
}
