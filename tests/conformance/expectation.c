#include "expectation.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "core/decimal.h"
#include "pipeline/sink/sink_route.h"

static double expected_double(const json_t *value) {
    if (!json_is_string(value))
        return json_number_value(value);
    const char *word = json_string_value(value);
    if (strcmp(word, "NaN") == 0)
        return (double)NAN;
    return word[0] == '-' ? -INFINITY : INFINITY;
}

static bool same_double(double a, double b) {
    return (a == b && signbit(a) == signbit(b)) || (isnan(a) && isnan(b));
}

static bool is_equal(const struct vector *vector, size_t row, const json_t *value) {
    switch (vector->type) {
    case TYPE_BOOL:
        return json_is_boolean(value) && vector->booleans[row] == json_is_true(value);
    case TYPE_INT32:
    case TYPE_DATE:
        return json_is_integer(value) && vector->int32s[row] == json_integer_value(value);
    case TYPE_INT64:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        return json_is_integer(value) && vector->int64s[row] == json_integer_value(value);
    case TYPE_DOUBLE:
        return same_double(vector->doubles[row], expected_double(value));
    case TYPE_INT8:
        return json_is_integer(value) && vector->int8s[row] == json_integer_value(value);
    case TYPE_INT16:
        return json_is_integer(value) && vector->int16s[row] == json_integer_value(value);
    case TYPE_FLOAT:
        return same_double((double)vector->floats[row], expected_double(value));
    default:
        return json_is_string(value) && vector->texts[row].length == json_string_length(value) &&
               memcmp(vector->texts[row].bytes, json_string_value(value),
                      vector->texts[row].length) == 0;
    }
}

static void print_value(FILE *stream, const struct vector *vector, size_t row);

/* As the corpus has them, except that a map's keys and values alternate. */
static void print_nested(FILE *stream, const struct vector *vector, size_t row) {
    bool is_struct = vector->type == TYPE_STRUCT;
    struct list list = is_struct ? (struct list){(uint32_t)row, 1} : vector->lists[row];
    fputs("[", stream);
    for (size_t i = 0; i < list.count; i++)
        for (size_t child = 0; child < vector->child_count; child++) {
            fputs(i + child > 0 ? "," : "", stream);
            print_value(stream, &vector->children[child], list.first + i);
        }
    fputs("]", stream);
}

static void print_value(FILE *stream, const struct vector *vector, size_t row) {
    if (!vector->valid[row]) {
        fputs("null", stream);
        return;
    }
    switch (vector->type) {
    case TYPE_STRUCT:
    case TYPE_ARRAY:
    case TYPE_MAP:
        print_nested(stream, vector, row);
        break;
    case TYPE_BOOL:
        fputs(vector->booleans[row] ? "true" : "false", stream);
        break;
    case TYPE_INT8:
        fprintf(stream, "%d", vector->int8s[row]);
        break;
    case TYPE_INT16:
        fprintf(stream, "%d", vector->int16s[row]);
        break;
    case TYPE_FLOAT:
        fprintf(stream, "%.9g", (double)vector->floats[row]);
        break;
    case TYPE_INT32:
    case TYPE_DATE:
        fprintf(stream, "%" PRId32, vector->int32s[row]);
        break;
    case TYPE_INT64:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        fprintf(stream, "%" PRId64, vector->int64s[row]);
        break;
    case TYPE_DOUBLE:
        fprintf(stream, "%.17g", vector->doubles[row]);
        break;
    default:
        fprintf(stream, "\"%.*s\"", (int)vector->texts[row].length, vector->texts[row].bytes);
    }
}

static int base64_digit(char character) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = character == '\0' ? NULL : strchr(digits, character);
    return at == NULL ? -1 : (int)(at - digits);
}

char *expectation_decode_base64(const char *text, size_t *size) {
    size_t length = strcspn(text, "\r\n=");
    *size = length * 3 / 4;
    char *bytes = malloc(*size == 0 ? 1 : *size);
    check(bytes != NULL);
    uint32_t bits = 0;
    size_t done = 0;
    for (size_t i = 0; i < length; i++) {
        int digit = base64_digit(text[i]);
        check(digit >= 0);
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 != 0)
            bytes[done++] = (char)(bits >> (6 - i % 4 * 2));
    }
    check(done == *size);
    return bytes;
}

char *expectation_copy(const json_t *text, size_t *size) {
    *size = json_string_length(text);
    char *bytes = malloc(*size == 0 ? 1 : *size);
    check(bytes != NULL);
    memcpy(bytes, json_string_value(text), *size);
    return bytes;
}

/* A value that the corpus has as another text: decimals, and binaries in hexadecimal. */
static bool exact_text(const struct vector *vector, size_t row, char **text) {
    size_t size = 0;
    if (!vector->valid[row] || (vector->type != TYPE_DECIMAL && vector->type != TYPE_BINARY))
        return false;
    if (vector->type == TYPE_DECIMAL) {
        *text = must_alloc(DECIMAL_TEXT_MAX + 1, 1);
        size = decimal_format(vector->decimals[row], vector->scale, *text);
    } else {
        struct text bytes = vector->texts[row];
        *text = must_alloc((size_t)2 * bytes.length + 1, 1);
        for (uint32_t i = 0; i < bytes.length; i++)
            size += (size_t)sprintf(*text + size, "%02X", (unsigned char)bytes.bytes[i]);
    }
    (*text)[size] = '\0';
    return true;
}

static void print_expected(const struct column *column, const struct vector *vector, size_t row,
                           const json_t *value) {
    char *exact;
    fprintf(stderr, "column %s is ", column->name);
    if (exact_text(vector, row, &exact)) {
        fprintf(stderr, "%.300s", exact);
        free(exact);
    } else {
        print_value(stderr, vector, row);
    }
    char *text = value == NULL ? NULL : json_dumps(value, JSON_ENCODE_ANY);
    fprintf(stderr, ", Spark has %.300s\n", text == NULL ? "null" : text);
    free(text);
}

static bool is_expected(const struct vector *vector, size_t row, const json_t *value);

/* A list of the elements; of a map, of [key, value]. */
static bool is_expected_list(const struct vector *vector, size_t row, const json_t *value) {
    struct list list = vector->lists[row];
    if (!json_is_array(value) || json_array_size(value) != list.count)
        return false;
    for (size_t i = 0; i < list.count; i++) {
        const json_t *element = json_array_get(value, i);
        bool same =
            vector->type == TYPE_ARRAY
                ? is_expected(&vector->children[0], list.first + i, element)
                : is_expected(&vector->children[0], list.first + i, json_array_get(element, 0)) &&
                      is_expected(&vector->children[1], list.first + i, json_array_get(element, 1));
        if (!same)
            return false;
    }
    return true;
}

/* A list of the fields' values. */
static bool is_expected_struct(const struct vector *vector, size_t row, const json_t *value) {
    bool same = json_is_array(value) && json_array_size(value) == vector->child_count;
    for (size_t i = 0; same && i < vector->child_count; i++)
        same = is_expected(&vector->children[i], row, json_array_get(value, i));
    return same;
}

static bool is_expected(const struct vector *vector, size_t row, const json_t *value) {
    bool expects_null = value == NULL || json_is_null(value);
    char *exact;
    if (!vector->valid[row] || expects_null)
        return !vector->valid[row] && expects_null;
    if (vector->type == TYPE_ARRAY || vector->type == TYPE_MAP)
        return is_expected_list(vector, row, value);
    if (vector->type == TYPE_STRUCT)
        return is_expected_struct(vector, row, value);
    if (exact_text(vector, row, &exact)) {
        bool same = json_is_string(value) && strcmp(exact, json_string_value(value)) == 0;
        free(exact);
        return same;
    }
    return is_equal(vector, row, value);
}

static bool compare_column(const json_t *expected, const char *name, const json_t *value,
                           const struct rows *rows, size_t row) {
    int column = schema_find(rows->schema, (struct text){name, (uint32_t)strlen(name)});
    if (column < 0) {
        fprintf(stderr, "no column '%s'\n", name);
        return false;
    }
    const struct vector *vector = &rows->columns[column];
    if (vector->type == TYPE_TIMESTAMP)
        value = json_object_get(json_object_get(expected, "us"), name);
    if (is_expected(vector, row, value))
        return true;
    fprintf(stderr, "%s (%s): ", json_string_value(json_object_get(expected, "id")),
            json_string_value(json_object_get(expected, "cat")));
    print_expected(&rows->schema->columns[column], vector, row, value);
    return false;
}

int expectation_compare_values(const json_t *expected, const struct rows *rows, size_t row) {
    int differences = 0;
    for (size_t i = 0; i < rows->schema->record_count; i++) {
        const json_t *value = json_array_get(expected, i);
        if (is_expected(&rows->inputs[i], row, value))
            continue;
        print_expected(&rows->schema->inputs[i], &rows->inputs[i], row, value);
        differences++;
    }
    return differences;
}

int expectation_compare(const json_t *expected, const struct rows *rows, size_t row) {
    int differences = 0;
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(expected, "row"), name, value) {
        if (!compare_column(expected, name, value, rows, row))
            differences++;
    }
    return differences;
}

void expectation_print_row(const struct rows *rows, size_t row) {
    const struct schema *schema = rows->schema;
    for (size_t i = 0; i < schema->count; i++) {
        if (!schema_is_decoded(schema, i) && !schema_is_computed(schema, i))
            continue; // of the Kafka record
        printf("%s=", schema->columns[i].name);
        print_value(stdout, &rows->columns[i], row);
        putchar('\n');
    }
}

static bool holds_long_name(const char *directory) {
    while (*directory != '\0') {
        size_t length = strcspn(directory, "/");
        if (length > PARTITION_NAME_MAX)
            return true;
        directory += length + (directory[length] == '/');
    }
    return false;
}

int expectation_compare_directory(const json_t *expected, const struct rows *rows, size_t row,
                                  const char *const columns[], size_t column_count) {
    const char *directory = json_string_value(json_object_get(expected, "dir"));
    check(directory != NULL);
    char path[4 * (PARTITION_NAME_MAX + 1)] = "";
    for (size_t i = 0; i < column_count; i++) {
        struct text column = {columns[i], (uint32_t)strlen(columns[i])};
        const struct vector *vector = &rows->columns[schema_find(rows->schema, column)];
        bool valid = vector->valid[row] != 0;
        struct text value = valid ? vector->texts[row] : TEXT("");
        char name[PARTITION_NAME_MAX + 1];
        if (!partition_directory(columns[i], value, valid, name))
            return memchr(value.bytes, '\0', value.length) == NULL && !holds_long_name(directory);
        size_t used = strlen(path);
        (void)snprintf(path + used, sizeof path - used, "%s%s", i == 0 ? "" : "/", name);
    }
    if (strcmp(directory, path) == 0)
        return 0;
    fprintf(stderr, "%s: directory is %s, Spark has %s\n",
            json_string_value(json_object_get(expected, "id")), path, directory);
    return 1;
}
