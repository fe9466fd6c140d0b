/* A record is its drawn values (sample_draw.h) as a JSON object, spoilt if it is one of those with
 * a fault. Which fault it has and which column is wrong follow from the record's number alone, and
 * every fault and column has its turn, so that tests can say what must happen to record N. */
#include "surfaces/demo/sample.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
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
    check(length >= 0 && (size_t)length < sizeof sample->value - sample->size);
    sample->size += (size_t)length;
}

static void put_string(struct sample *sample, const char *text) {
    put(sample, "\"");
    for (; *text != '\0'; text++) {
        check((unsigned char)*text >= ' ');
        put(sample, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    }
    put(sample, "\"");
}

/* A value that a column of the type can't hold. */
static void put_wrong(struct sample *sample, enum type type, enum sample_fault fault) {
    if (fault == SAMPLE_OUT_OF_RANGE && type == TYPE_INT32)
        put(sample, "99999999999");
    else if (fault == SAMPLE_OUT_OF_RANGE && type == TYPE_TIMESTAMP)
        put(sample, "\"2024-13-41T25:00:00Z\"");
    else if (type == TYPE_TIMESTAMP)
        put(sample, "[\"not a moment\"]");
    else
        put(sample, "\"not a number\"");
}

static void put_value(struct sample *sample, size_t index) {
    enum type type = sample->values.schema->columns[index].type;
    if (!sample->values.present[index])
        put(sample, "null");
    else if (type == TYPE_STRING || type == TYPE_TIMESTAMP)
        put_string(sample, sample->values.drawn[index]);
    else
        put(sample, "%s", sample->values.drawn[index]);
}

/* The column whose value is wrong, so that every column has its turn. Texts have not: from_json
 * makes a text of anything. */
static size_t wrong_column(const struct sample *sample, uint64_t number) {
    size_t candidates[SCHEMA_COLUMNS_MAX], count = 0;
    for (size_t i = 0; i < sample->values.schema->count; i++) {
        if (sample->values.schema->columns[i].type != TYPE_STRING)
            candidates[count++] = i;
    }
    check(count > 0);
    return candidates[number / SAMPLE_FAULT_EVERY / (SAMPLE_FAULT_COUNT - 1) % count];
}

/* Half of the values that are missing are left out, as producers do, the others are null. */
static bool is_left_out(const struct sample *sample, size_t index, uint64_t number,
                        enum sample_fault fault) {
    if (index == 0)
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
    put_string(sample, column->name);
    put(sample, ": ");
    bool goes_wrong = fault == SAMPLE_WRONG_TYPE || fault == SAMPLE_OUT_OF_RANGE;
    if (index == 0 && fault == SAMPLE_NULL_IDENTIFIER)
        put(sample, "null");
    else if (fault == SAMPLE_BAD_PARTITION && index == partition_column(sample))
        put(sample, "\"no\\u0000directory\"");
    else if (goes_wrong && index == wrong_column(sample, number))
        put_wrong(sample, column->type, fault);
    else
        put_value(sample, index);
}

static void put_object(struct sample *sample, uint64_t number, enum sample_fault fault) {
    const char *separator = "{";
    for (size_t i = 0; i < sample->values.schema->count; i++) {
        if (is_left_out(sample, i, number, fault))
            continue;
        put(sample, "%s", separator);
        put_column(sample, i, number, fault);
        separator = ", ";
    }
    if (fault == SAMPLE_UNKNOWN_KEY)
        put(sample, ", \"schema_version\": 2");
    put(sample, "}");
}

void sample_make(struct sample *sample, uint64_t number) {
    enum sample_fault fault = sample_fault_of(number);
    sample_draw(&sample->values, number);
    sample->size = 0;
    sample->is_null = fault == SAMPLE_NULL_VALUE;
    sample->timestamp_ms = FIRST_MS + (int64_t)number * 1000;
    memcpy(sample->key, sample->values.drawn[0], sizeof sample->key);
    sample->value[0] = '\0';
    if (fault == SAMPLE_NULL_VALUE)
        return;
    if (fault == SAMPLE_BLANK) {
        put(sample, " \t\r\n");
        return;
    }
    if (fault == SAMPLE_ARRAY)
        put(sample, "[");
    put_object(sample, number, fault);
    if (fault == SAMPLE_ARRAY)
        put(sample, "]");
    if (fault == SAMPLE_CUT)
        sample->size /= 2;
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

bool sample_command(const struct command_call *call, struct error *err) {
    const struct config *config = call->config;
    FILE *out = call->out;
    check(config->job != NULL);
    char text[SETTING_TEXT_MAX];
    const char *partition_by[PARTITION_BY_MAX];
    check(strlen(config->job->partition_by) < sizeof text);
    struct sample sample = {
        .values = {.schema = config->job->record, .seed = (uint64_t)config->arguments.seed},
        .partition_by = partition_by};
    sample.partition_by_count = split_names(config->job->partition_by, text, partition_by);
    int64_t printed = 0;
    for (uint64_t number = 0; printed < config->arguments.rows; number++) {
        sample_make(&sample, number);
        if (!is_line(&sample, number))
            continue;
        (void)fwrite(sample.value, 1, sample.size, out);
        (void)fputc('\n', out);
        if (++printed % FLUSH_EVERY == 0 && !output_flush(out, err))
            return false;
    }
    return true;
}
