/* nested.c: runs a corpus of nested/ through decoding, in each way that there is (enum
 * decode_path).
 *
 * usage: conformance_nested SCHEMAS CASES [NUMBER]
 *   SCHEMAS  a file, or "-": the corpus declares its own
 *   NUMBER   this case only, with our row */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/pool.h"
#include "base/scope.h"
#include "core/data_type.h"
#include "expectation.h"
#include "pipeline/json/decode_json.h"

enum { STRING_BYTES = 4 << 20, PATHS = 3, SCHEMAS_MAX = 64 };

/* A schema of schemas.json. */
struct shape {
    const char *name;
    struct pool pool; // of its names and types
    struct column columns[SCHEMA_COLUMNS_MAX];
    struct record_schema record;
    struct schema schema;
    struct rows rows;
    struct decoder *decoders[PATHS]; // permissive
    struct decoder *rejecting;
};

struct run {
    struct shape shapes[SCHEMAS_MAX];
    size_t shape_count;
    int64_t now_ms;
    int only; // 0: all cases
    int cases, failures;
};

static enum type find_type(const char *name) {
    for (int type = 0; type < TYPE_COUNT; type++)
        if (strcmp(type_sql_name((enum type)type), name) == 0)
            return (enum type)type;
    check(false);
    return TYPE_NULL;
}

/* "DECIMAL(9,2)" */
static void load_scalar(struct data_type *type, const char *name) {
    char text[32];
    (void)snprintf(text, sizeof text, "%s", name);
    char *parameters = strchr(text, '(');
    if (parameters != NULL) {
        char *scale = NULL;
        type->precision = (int)strtol(parameters + 1, &scale, 10);
        check(*scale == ',');
        type->scale = (int)strtol(scale + 1, NULL, 10);
        *parameters = '\0';
    }
    type->kind = find_type(text);
}

/* lists.py says how types are written. */
static void load_type(struct data_type *type, const json_t *declared, struct pool *pool) {
    const json_t *fields = json_object_get(declared, "struct");
    const json_t *array = json_object_get(declared, "array");
    if (json_is_string(declared)) {
        load_scalar(type, json_string_value(declared));
    } else if (fields == NULL) {
        struct data_type *element = pool_alloc(pool, 1, sizeof *element);
        load_type(element, array != NULL ? array : json_object_get(declared, "map"), pool);
        type->kind = array != NULL ? TYPE_ARRAY : TYPE_MAP;
        type->element = element;
    } else {
        type->kind = TYPE_STRUCT;
        type->field_count = json_array_size(fields);
        struct data_field *made = pool_alloc(pool, type->field_count, sizeof *made);
        for (size_t i = 0; i < type->field_count; i++) {
            const json_t *field = json_array_get(fields, i);
            made[i].name =
                pool_copy(pool, text_borrow(json_string_value(json_array_get(field, 0))));
            load_type(&made[i].type, json_array_get(field, 1), pool);
        }
        type->fields = made;
    }
}

static void load_column(struct column *column, const json_t *declared, struct pool *pool) {
    const json_t *keys = json_array_get(declared, 0);
    size_t length = json_array_size(keys);
    const char **path = pool_alloc(pool, length, sizeof *path);
    const char *name = "";
    for (size_t i = 0; i < length; i++) {
        path[i] = pool_copy(pool, text_borrow(json_string_value(json_array_get(keys, i))));
        name = pool_format(pool, "%s%s%s", name, i > 0 ? "/" : "", path[i]);
    }
    struct data_type *type = pool_alloc(pool, 1, sizeof *type);
    load_type(type, json_array_get(declared, 1), pool);
    column->name = name;
    column->path = path;
    column->path_length = length;
    column->type = type->kind;
    column->precision = type->precision;
    column->scale = type->scale;
    column->nested = type->kind == TYPE_ARRAY || type->kind == TYPE_MAP ? type : NULL;
}

static struct decoder *open_decoder(const struct shape *shape, enum parse_mode mode,
                                    enum decode_path path) {
    struct decoder *decoder;
    struct error err = {0};
    check(decode_json_open(&decoder, &shape->record, mode, "UTC", &err));
    decode_json_set_path(decoder, path);
    return decoder;
}

static void load_shape(struct shape *shape, const char *name, const json_t *columns) {
    *shape = (struct shape){0};
    pool_init(&shape->pool);
    shape->name = pool_copy(&shape->pool, text_borrow(name));
    size_t count = json_array_size(columns);
    check(count <= SCHEMA_COLUMNS_MAX);
    for (size_t i = 0; i < count; i++)
        load_column(&shape->columns[i], json_array_get(columns, i), &shape->pool);
    shape->record = (struct record_schema){
        .name = shape->name, .columns = shape->columns, .count = count, .has_identifier = true};
    schema_init_record(&shape->schema, &shape->record);
    rows_init(&shape->rows, &shape->schema, 1, STRING_BYTES);
    for (int path = 0; path < PATHS; path++)
        shape->decoders[path] = open_decoder(shape, PARSE_PERMISSIVE, (enum decode_path)path);
    shape->rejecting = open_decoder(shape, PARSE_REJECT, DECODE_FASTEST);
}

static void close_shape(struct shape *shape) {
    for (int path = 0; path < PATHS; path++)
        decoder_close(shape->decoders[path]);
    decoder_close(shape->rejecting);
    rows_deinit(&shape->rows);
    pool_deinit(&shape->pool);
}

static struct shape *find_shape(struct run *run, const char *name) {
    for (size_t i = 0; i < run->shape_count; i++)
        if (strcmp(run->shapes[i].name, name) == 0)
            return &run->shapes[i];
    check(false);
    return NULL;
}

static bool fail(struct run *run, const char *what) {
    fprintf(stderr, "case %d: %s\n", run->cases, what);
    run->failures++;
    return false;
}

static enum decode_result decode(struct run *run, struct decoder *decoder,
                                 const struct record *record, struct rows *rows) {
    struct reject reject;
    enum decode_result result;
    rows_reset(rows);
    decoder->batch_time_ms = run->now_ms;
    do
        result = decode_record(decoder, record, rows, &reject);
    while (result == DECODE_FULL && rows_grow_elements(rows));
    return result;
}

/* Ways that have seen other documents before, and each twice, so that its keys are expected. */
static bool run_ways(struct run *run, struct shape *shape, const struct record *record,
                     const json_t *row) {
    for (int way = 0; way < 2 * PATHS; way++) {
        enum decode_result result = decode(run, shape->decoders[way % PATHS], record, &shape->rows);
        if (row == NULL && result == DECODE_REJECT)
            continue;
        if (row == NULL || result != DECODE_ROW)
            return fail(run, row == NULL ? "became a row" : "became no row");
        if (run->only != 0)
            expectation_print_row(&shape->rows, 0);
        if (expectation_compare_values(row, &shape->rows, 0) > 0)
            return fail(run, "is another row than Spark's");
    }
    return true;
}

static bool run_case(struct run *run, const json_t *expected, const struct record *record) {
    struct shape *shape = find_shape(run, json_string_value(json_object_get(expected, "schema")));
    const json_t *row = json_object_get(expected, "row");
    if (!run_ways(run, shape, record, row))
        return false;
    bool is_row = decode(run, shape->rejecting, record, &shape->rows) == DECODE_ROW;
    if (is_row != (row != NULL && !json_is_null(json_array_get(row, 0))))
        return fail(run, "in reject mode, is a row without an identifier, or none with one");
    return true;
}

static void add_shape(struct run *run, const char *name, const json_t *columns) {
    check(run->shape_count < SCHEMAS_MAX);
    load_shape(&run->shapes[run->shape_count++], name, columns);
}

static void run_line(struct run *run, const char *line, size_t size) {
    json_error_t problem;
    json_t *expected = json_loadb(line, size, JSON_ALLOW_NUL, &problem);
    check(expected != NULL);
    const json_t *now = json_object_get(expected, "now_ms"), *text, *bytes;
    const json_t *columns = json_object_get(expected, "columns");
    text = json_object_get(expected, "text");
    bytes = json_object_get(expected, "bytes");
    if (now != NULL) {
        run->now_ms = json_integer_value(now);
    } else if (columns != NULL) {
        add_shape(run, json_string_value(json_object_get(expected, "name")), columns);
    } else if (++run->cases == run->only || run->only == 0) {
        struct record record = {0};
        // Allocated to the byte, so that the sanitizer sees every read beyond it.
        scoped(scope_free) char *value =
            text != NULL ? expectation_copy(text, &record.value_size)
                         : expectation_decode_base64(json_string_value(bytes), &record.value_size);
        record.value = value;
        if (!run_case(run, expected, &record) && run->failures <= 20)
            fprintf(stderr, "    %.300s\n", line);
    }
    json_decref(expected);
}

static void load_schemas(struct run *run, const char *file) {
    json_error_t problem;
    json_t *schemas = json_load_file(file, 0, &problem);
    check(schemas != NULL);
    const char *name;
    json_t *columns;
    json_object_foreach(schemas, name, columns) add_shape(run, name, columns);
    json_decref(schemas);
}

int main(int argc, char **argv) {
    static struct run run;
    check(argc >= 3);
    run.only = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 0;
    if (strcmp(argv[1], "-") != 0)
        load_schemas(&run, argv[1]);

    FILE *file = fopen(argv[2], "r");
    check(file != NULL);
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    while ((size = getline(&line, &capacity, file)) > 0)
        run_line(&run, line, (size_t)size);
    free(line);
    (void)fclose(file);
    for (size_t i = 0; i < run.shape_count; i++)
        close_shape(&run.shapes[i]);
    printf("%d cases, %d failed\n", run.cases, run.failures);
    return run.cases > 0 && run.failures == 0 ? 0 : 1;
}
