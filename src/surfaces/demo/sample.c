/* A record is its drawn values (sample_draw.h) as a JSON object, spoilt if it is one of those with
 * a fault. Which fault it has and which column is wrong follow from the record's number alone, and
 * every fault and column has its turn, so that tests can say what must happen to record N. */
#include "surfaces/demo/sample.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "surfaces/demo/sample_record.h"
#include "surfaces/settings/settings.h"
#include "surfaces/terminal/output.h"

static const int64_t FIRST_MS = 1717200000000; // 2024-06-01T00:00:00Z

enum sample_fault sample_fault_of(uint64_t number) {
    if (number % SAMPLE_FAULT_EVERY != SAMPLE_FAULT_EVERY - 1)
        return SAMPLE_GOOD;
    return (enum sample_fault)(1 + number / SAMPLE_FAULT_EVERY % (SAMPLE_FAULT_COUNT - 1));
}

static void put(struct sample *sample, const char *format, ...) PRINTF_LIKE(2, 3);

static void put(struct sample *sample, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length =
        vsnprintf(sample->value + sample->size, sizeof sample->value - sample->size, format, args);
    va_end(args);
    check(length >= 0);
    size_t room = sizeof sample->value - sample->size - 1;
    sample->size += (size_t)length < room ? (size_t)length : room;
}

static void put_string(struct sample *sample, const char *text) {
    put(sample, "\"");
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ')
            put(sample, "\\u%04x", (unsigned)*text);
        else
            put(sample, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    }
    put(sample, "\"");
}

/* A value that a column of the type can't hold. */
static void put_wrong(struct sample *sample, enum type type, enum sample_fault fault) {
    if (fault == SAMPLE_OUT_OF_RANGE &&
        (type == TYPE_INT8 || type == TYPE_INT16 || type == TYPE_INT32))
        put(sample, "99999999999");
    else if (fault == SAMPLE_OUT_OF_RANGE && type == TYPE_TIMESTAMP)
        put(sample, "\"2024-13-41T25:00:00Z\"");
    else if (type == TYPE_TIMESTAMP)
        put(sample, "[\"not a moment\"]");
    else
        put(sample, "\"not a number\"");
}

static void put_drawn(struct sample *sample, enum type type, const char *drawn) {
    if (type_is_number(type) || type == TYPE_BOOL)
        put(sample, "%s", drawn);
    else
        put_string(sample, drawn);
}

static void put_value(struct sample *sample, size_t index) {
    if (!sample->values.present[index])
        put(sample, "null");
    else
        put_drawn(sample, sample->values.schema->columns[index].type, sample->values.drawn[index]);
}

/* The column whose value is wrong, so that every column has its turn. Texts have not: from_json
 * makes a text of anything. With texts alone, it is none. */
static size_t wrong_column(const struct sample *sample, uint64_t number) {
    size_t candidates[SCHEMA_COLUMNS_MAX], count = 0;
    for (size_t i = 0; i < sample->values.schema->count; i++) {
        if (sample->values.schema->columns[i].type != TYPE_STRING)
            candidates[count++] = i;
    }
    if (count == 0)
        return sample->values.schema->count;
    return candidates[number / SAMPLE_FAULT_EVERY / (SAMPLE_FAULT_COUNT - 1) % count];
}

/* Half of the values that are missing are left out, as producers do, the others are null. */
static bool is_left_out(const struct sample *sample, size_t index, uint64_t number,
                        enum sample_fault fault) {
    if (index == sample->identifier)
        return fault == SAMPLE_NO_IDENTIFIER;
    return !sample->values.present[index] && (number + index) % 2 == 0;
}

/* The first column that a directory is named after, or `count`. */
static size_t partition_column(const struct sample *sample) {
    size_t count = sample->values.schema->count;
    for (size_t i = 0; i < count; i++) {
        const struct column *column = &sample->values.schema->columns[i];
        for (size_t j = 0; j < sample->partition_by_count; j++) {
            if (column->type == TYPE_STRING && strcmp(column->name, sample->partition_by[j]) == 0)
                return i;
        }
    }
    return count;
}

static void put_column(struct sample *sample, size_t index, uint64_t number,
                       enum sample_fault fault) {
    const struct column *column = &sample->values.schema->columns[index];
    bool goes_wrong = fault == SAMPLE_WRONG_TYPE || fault == SAMPLE_OUT_OF_RANGE;
    if (index == sample->identifier && fault == SAMPLE_NULL_IDENTIFIER)
        put(sample, "null");
    else if (fault == SAMPLE_BAD_PARTITION && index == partition_column(sample))
        put(sample, "\"no\\u0000directory\"");
    else if (goes_wrong && index == wrong_column(sample, number))
        put_wrong(sample, column->type, fault);
    else
        put_value(sample, index);
}

/* ---- inside arrays and maps, where no option says what there is ---- */

enum { ELEMENTS_MOST = 3 };

static void put_element(struct sample *sample, const struct data_type *type, const char *path,
                        uint64_t number);

/* A number from 0 to ELEMENTS_MOST, mostly not 0. */
static size_t element_count(const struct sample *sample, const char *path, uint64_t number) {
    char drawn[SAMPLE_VALUE_MAX];
    struct column column = {.name = path, .type = TYPE_INT32, .sample = "0|1|2|2|3|3"};
    sample_draw_one(&sample->values, &column, number, drawn);
    return (size_t)(drawn[0] - '0');
}

static void put_elements(struct sample *sample, const struct data_type *type, const char *path,
                         uint64_t number) {
    bool is_map = type->kind == TYPE_MAP;
    put(sample, is_map ? "{" : "[");
    for (size_t i = 0, count = element_count(sample, path, number); i < count; i++) {
        put(sample, "%s", i > 0 ? ", " : "");
        if (is_map)
            put(sample, "\"key%zu\": ", i + 1);
        put_element(sample, type->element, path, number * (ELEMENTS_MOST + 1) + i);
    }
    put(sample, is_map ? "}" : "]");
}

static void put_fields(struct sample *sample, const struct data_type *type, uint64_t number) {
    put(sample, "{");
    for (size_t i = 0; i < type->field_count; i++) {
        put(sample, "%s", i > 0 ? ", " : "");
        put_string(sample, type->fields[i].name);
        put(sample, ": ");
        put_element(sample, &type->fields[i].type, type->fields[i].name, number);
    }
    put(sample, "}");
}

/* Recursion is as deep as the type, which the parser bounds (DATA_TYPE_DEPTH_MAX). */
static void put_element(struct sample *sample, const struct data_type *type, const char *path,
                        uint64_t number) {
    char pattern[SAMPLE_PATTERN_MAX], drawn[SAMPLE_VALUE_MAX];
    if (type->kind == TYPE_STRUCT) {
        put_fields(sample, type, number);
        return;
    }
    if (type_is_list(type->kind)) {
        put_elements(sample, type, path, number);
        return;
    }
    sample_pattern(pattern, path, type, false);
    struct column column = {.name = path, .type = type->kind, .sample = pattern};
    sample_draw_one(&sample->values, &column, number, drawn);
    put_drawn(sample, type->kind, drawn);
}

/* ---- a record ---- */

static void put_object(struct sample *sample, const struct data_type *type, uint64_t number,
                       enum sample_fault fault);

static void put_key(struct sample *sample, const char *name, bool *is_first) {
    put(sample, "%s", *is_first ? "" : ", ");
    *is_first = false;
    put_string(sample, name);
    put(sample, ": ");
}

/* A field of an object; `next` counts those of the schema. */
static void put_field(struct sample *sample, const struct data_field *field, uint64_t number,
                      enum sample_fault fault, bool *is_first) {
    bool is_scalar = field->type.kind < TYPE_STRUCT;
    bool is_beyond = is_scalar && sample->next == sample->values.schema->count;
    if (is_scalar && !is_beyond) {
        size_t index = sample->next++;
        if (is_left_out(sample, index, number, fault))
            return;
        put_key(sample, field->name, is_first);
        put_column(sample, index, number, fault);
        return;
    }
    put_key(sample, field->name, is_first);
    if (field->type.kind == TYPE_STRUCT)
        put_object(sample, &field->type, number, fault);
    else
        put_element(sample, &field->type, field->name, number);
}

/* Recursion is as deep as the type. */
static void put_object(struct sample *sample, const struct data_type *type, uint64_t number,
                       enum sample_fault fault) {
    bool is_first = true;
    put(sample, "{");
    for (size_t i = 0; i < type->field_count; i++)
        put_field(sample, &type->fields[i], number, fault, &is_first);
    put(sample, "}");
}

static void put_flat(struct sample *sample, uint64_t number, enum sample_fault fault) {
    const struct record_schema *schema = sample->values.schema;
    bool is_first = true;
    put(sample, "{");
    for (size_t i = 0; i < schema->count; i++) {
        if (is_left_out(sample, i, number, fault))
            continue;
        put_key(sample, schema->columns[i].name, &is_first);
        put_column(sample, i, number, fault);
    }
    put(sample, "}");
}

static void put_record(struct sample *sample, uint64_t number, enum sample_fault fault) {
    sample->next = 0;
    if (sample->type != NULL)
        put_object(sample, sample->type, number, fault);
    else
        put_flat(sample, number, fault);
    if (fault != SAMPLE_UNKNOWN_KEY)
        return;
    bool is_empty = sample->value[sample->size - 2] == '{';
    sample->size--;
    put(sample, "%s\"schema_version\": 2}", is_empty ? "" : ", ");
}

void sample_make(struct sample *sample, uint64_t number) {
    enum sample_fault fault = sample_fault_of(number);
    sample_draw(&sample->values, number);
    sample->size = 0;
    sample->is_null = fault == SAMPLE_NULL_VALUE;
    sample->timestamp_ms = FIRST_MS + (int64_t)number * 1000;
    memset(sample->key, 0, sizeof sample->key);
    if (sample->values.schema->count > 0)
        memcpy(sample->key, sample->values.drawn[sample->identifier], sizeof sample->key);
    sample->value[0] = '\0';
    if (fault == SAMPLE_NULL_VALUE)
        return;
    if (fault == SAMPLE_BLANK) {
        put(sample, " \t\r\n");
        return;
    }
    if (fault == SAMPLE_ARRAY)
        put(sample, "[");
    put_record(sample, number, fault);
    if (fault == SAMPLE_ARRAY)
        put(sample, "]");
    if (fault == SAMPLE_CUT)
        sample->size /= 2;
}

bool sample_try(struct sample *sample, uint64_t number, struct error *err) {
    sample_make(sample, number);
    const struct column *mistaken = sample->values.mistaken;
    return mistaken == NULL ||
           error_set(err, ERROR_CONFIG,
                     "the option sample.%s '%s' is not something that %s can be drawn from "
                     "(docs/queries.md)",
                     mistaken->name, mistaken->sample, column_sql_type(mistaken).text);
}

/* ---- the command ---- */

enum { FLUSH_EVERY = 1000 }; // records

/* The query's partition columns by default, taken apart in `text`. */
static size_t split_names(const char *names, char *text, const char *split[PARTITION_BY_MAX]) {
    char *rest = NULL;
    size_t count = 0;
    memcpy(text, names, strlen(names) + 1);
    for (char *name = strtok_r(text, ", ", &rest); name != NULL && count < PARTITION_BY_MAX;
         name = strtok_r(NULL, ", ", &rest))
        split[count++] = name;
    return count;
}

/* Whether the record is a line of JSON: not one that lacks a value, is blank, or was cut. */
static bool is_line(const struct sample *sample, uint64_t number) {
    enum sample_fault fault = sample_fault_of(number);
    return !sample->is_null && fault != SAMPLE_BLANK && fault != SAMPLE_CUT;
}

static bool print_lines(const struct command_call *call, struct sample *sample, struct error *err) {
    int64_t printed = 0;
    for (uint64_t number = 0; printed < call->config->arguments.rows; number++) {
        if (!sample_try(sample, number, err))
            return false;
        if (!is_line(sample, number))
            continue;
        (void)fwrite(sample->value, 1, sample->size, call->out);
        (void)fputc('\n', call->out);
        if (++printed % FLUSH_EVERY == 0 && !output_flush(call->out, err))
            return false;
    }
    return true;
}

bool sample_command(const struct command_call *call, struct error *err) {
    const struct config *config = call->config;
    struct sample_record record;
    check(config->job != NULL);
    char text[SETTING_TEXT_MAX];
    const char *partition_by[PARTITION_BY_MAX];
    check(strlen(config->job->partition_by) < sizeof text);
    sample_record_init(&record, config->job);
    struct sample *sample = must_alloc(1, sizeof *sample);
    sample->values.schema = &record.schema;
    sample->values.seed = (uint64_t)config->arguments.seed;
    sample->type = record.type;
    sample->identifier = record.identifier;
    sample->partition_by = partition_by;
    sample->partition_by_count = split_names(config->job->partition_by, text, partition_by);
    bool ok = print_lines(call, sample, err) ||
              (err->kind == ERROR_CONFIG && error_wrap(err, "%s", config->job->plan.path));
    free(sample);
    sample_record_deinit(&record);
    return ok;
}
