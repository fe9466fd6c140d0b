/* merge_table.h: tables with columns of every type, made at random, in files of many forms; and
 * rows as texts, to be compared. */
#ifndef TEST_MERGE_TABLE_H
#define TEST_MERGE_TABLE_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "directory.h"
#include "pipeline/merge/merge.h"
#include "pipeline/parquet/read/reader.h"
#include "pipeline/parquet/writer.h"

enum {
    COLUMN_PARTITION,
    COLUMN_OFFSET,
    COLUMN_PROCESSED,
    COLUMN_PLACE,
    COLUMN_NAME,
    COLUMNS_REQUIRED_BY_MERGE = COLUMN_PLACE
};

static const struct column merge_columns[] = {
    {"partition", TYPE_INT32, .required = true},
    {"offset", TYPE_INT64, .required = true},
    {"processing_timestamp", TYPE_TIMESTAMP, .required = true},
    {"place", TYPE_INT32},
    {"name", TYPE_STRING, .required = true},
    {"word", TYPE_STRING},
    {"token", TYPE_STRING},
    {"flag", TYPE_BOOL},
    {"small", TYPE_INT32},
    {"wide", TYPE_INT64},
    {"ratio", TYPE_DOUBLE},
    {"share", TYPE_FLOAT},
    {"raw", TYPE_BINARY},
    {"moment", TYPE_TIMESTAMP},
    {"local", TYPE_TIMESTAMP_NTZ},
    {"day", TYPE_DATE},
    {"byte", TYPE_INT8},
    {"short", TYPE_INT16},
    {"price", TYPE_DECIMAL, .precision = 7, .scale = 2},
    {"amount", TYPE_DECIMAL, .precision = 16, .scale = 4, .required = true},
    {"huge", TYPE_DECIMAL, .precision = 38, .scale = 10},
    {"total", TYPE_DECIMAL, .precision = 20, .scale = 2},
    {"nothing", TYPE_STRING},
    {"no_number", TYPE_INT64},
};
enum { MERGE_COLUMNS = sizeof merge_columns / sizeof merge_columns[0] };

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *random) {
    random->state += 0x9e3779b97f4a7c15u;
    uint64_t number = random->state;
    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9u;
    number = (number ^ number >> 27) * 0x94d049bb133111ebu;
    return number ^ number >> 31;
}

static inline uint64_t random_below(struct random *random, uint64_t limit) {
    return random_next(random) % limit;
}

static inline struct text merge_text(struct rows *rows, struct random *random, const char *name) {
    char text[256];
    size_t size;
    if (strcmp(name, "raw") == 0) {
        size = random_below(random, 90);
        for (size_t i = 0; i < size; i++)
            text[i] = (char)random_next(random);
    } else if (strcmp(name, "token") == 0) {
        size = (size_t)snprintf(text, sizeof text, "T-%016" PRIx64, random_next(random));
    } else {
        size = (size_t)snprintf(text, sizeof text, "%s %" PRIu64, name, random_below(random, 40));
    }
    char *copy = arena_alloc(&rows->strings, size + 1);
    check(copy != NULL);
    memcpy(copy, text, size);
    return (struct text){copy, (uint32_t)size};
}

static inline void merge_number(struct vector *vector, size_t row, const struct column *column,
                                struct random *random) {
    static const uint64_t doubles[] = {0x8000000000000000u, 0, 0x7ff8000000000123u,
                                       0xfff8000000000001u, 0x7ff0000000000000u};
    static const uint32_t floats[] = {0x80000000u, 0, 0x7fc00123u, 0xffc00001u, 0x7f800000u};
    // Beyond what nanoseconds since 1970 can say, too.
    static const int64_t moments[] = {-62135596800000000, 253402300799999999, -1, 0,
                                      1717200000000000};
    uint64_t any = random_next(random);
    switch (column->type) {
    case TYPE_BOOL:
        vector->booleans[row] = any & 1;
        return;
    case TYPE_INT8:
        vector->int8s[row] = (int8_t)any;
        return;
    case TYPE_INT16:
        vector->int16s[row] = (int16_t)any;
        return;
    case TYPE_INT32:
    case TYPE_DATE:
        vector->int32s[row] = (int32_t)(any % 3 == 0 ? any >> 20 : any % 50);
        return;
    case TYPE_FLOAT:
        memcpy(&vector->floats[row], &floats[any % 5], sizeof floats[0]);
        return;
    case TYPE_DOUBLE:
        if (any % 4 == 0)
            vector->doubles[row] = (double)(any >> 20) / 64;
        else
            memcpy(&vector->doubles[row], &doubles[any % 5], sizeof doubles[0]);
        return;
    case TYPE_DECIMAL:
        vector->decimals[row] = (int128_t)(any % 9999999) - 5000000;
        if (column->precision == 38)
            vector->decimals[row] *= (int128_t)10000000000000000 * 1000000;
        return;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        vector->int64s[row] =
            any % 3 == 0 ? moments[any % 5] : 1717200000000000 + (int64_t)(any % 1000);
        return;
    default:
        vector->int64s[row] = (int64_t)any;
    }
}

/* A row with values at random; keys are set by the caller. */
static inline void merge_fill_row(struct rows *rows, struct random *random) {
    for (size_t i = 0; i < rows->schema->count; i++) {
        const struct column *column = &rows->schema->columns[i];
        struct vector *vector = &rows->columns[i];
        bool nothing = strncmp(column->name, "no", 2) == 0;
        vector->valid[rows->count] = column->required || (!nothing && random_below(random, 7) != 0);
        if (type_is_text(column->type))
            vector->texts[rows->count] = merge_text(rows, random, column->name);
        else
            merge_number(vector, rows->count, column, random);
    }
}

static inline void merge_set_key(struct rows *rows, int partition, int64_t offset,
                                 int64_t processed) {
    for (size_t i = 0; i < rows->schema->count; i++) {
        const char *name = rows->schema->columns[i].name;
        struct vector *vector = &rows->columns[i];
        if (strcmp(name, "partition") == 0)
            vector->int32s[rows->count] = partition;
        else if (strcmp(name, "offset") == 0)
            vector->int64s[rows->count] = offset;
        else if (strcmp(name, "processing_timestamp") == 0)
            vector->int64s[rows->count] = processed;
    }
}

/* ---- rows as texts ---- */

struct row_texts {
    char **texts; // owned
    size_t count, capacity;
};

static inline void row_texts_add(struct row_texts *list, char *text) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity * 2 + 64;
        list->texts = realloc(list->texts, list->capacity * sizeof *list->texts);
        check(list->texts != NULL);
    }
    list->texts[list->count++] = text;
}

static inline void row_texts_deinit(struct row_texts *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->texts[i]);
    free(list->texts);
    *list = (struct row_texts){0};
}

static inline int row_texts_compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline void row_texts_sort(struct row_texts *list) {
    if (list->count > 0)
        qsort(list->texts, list->count, sizeof *list->texts, row_texts_compare);
}

/* False: it is none. The same number has one text, no matter which type a file has it in. */
static inline bool print_integer(FILE *out, const struct vector *vector, size_t row) {
    int64_t value;
    switch (vector->type) {
    case TYPE_INT8:
        value = vector->int8s[row];
        break;
    case TYPE_INT16:
        value = vector->int16s[row];
        break;
    case TYPE_INT32:
    case TYPE_DATE:
        value = vector->int32s[row];
        break;
    default:
        return false;
    }
    (void)fprintf(out, "%" PRId64, value);
    return true;
}

static inline void print_value(FILE *out, const struct vector *vector, size_t row) {
    if (print_integer(out, vector, row))
        return;
    size_t width = type_width(vector->type);
    const uint8_t *bytes = (const uint8_t *)vector->values + row * width;
    if (type_is_text(vector->type)) {
        bytes = (const uint8_t *)vector->texts[row].bytes;
        width = vector->texts[row].length;
    }
    for (size_t i = 0; i < width; i++)
        (void)fprintf(out, "%02x", bytes[i]);
}

/* Partition, offset and position first, in a form whose order is theirs, then all columns of the
 * test's table by name. False: err. */
static inline bool row_texts_read(struct row_texts *list, const char *path, struct error *err) {
    struct parquet_reader reader;
    struct parquet_cursor cursor;
    size_t columns[MERGE_COLUMNS], count = 0, at[MERGE_COLUMNS], rows = 0;
    bool done = parquet_reader_open(&reader, path, err);
    for (size_t i = 0; i < MERGE_COLUMNS && done; i++) {
        int found = file_metadata_find(&reader.metadata, merge_columns[i].name);
        at[i] = SIZE_MAX;
        if (found >= 0) {
            at[i] = count;
            columns[count++] = (size_t)found;
        }
    }
    if (done && count > 0) {
        reader.page_size_max = 64 << 20;
        parquet_cursor_open(&cursor, &reader, columns, count);
        while ((done = parquet_cursor_next(&cursor, &rows, err)) && rows > 0) {
            for (size_t row = 0; row < rows; row++) {
                char *text = NULL;
                size_t size = 0;
                FILE *out = open_memstream(&text, &size);
                check(out != NULL);
                for (size_t i = 0; i < MERGE_COLUMNS; i++) {
                    const struct vector *vector = at[i] == SIZE_MAX ? NULL : &cursor.vectors[at[i]];
                    if (vector == NULL || !vector->valid[row])
                        (void)fputs("-", out);
                    else if (i == COLUMN_PARTITION || i == COLUMN_PLACE)
                        (void)fprintf(out, "%08" PRIx32, (uint32_t)vector->int32s[row] ^ 1u << 31);
                    else if (i == COLUMN_OFFSET)
                        (void)fprintf(out, "%016" PRIx64,
                                      (uint64_t)vector->int64s[row] ^ (uint64_t)1 << 63);
                    else
                        print_value(out, vector, row);
                    (void)fputc(' ', out);
                }
                (void)fclose(out);
                row_texts_add(list, text);
            }
        }
        parquet_cursor_close(&cursor);
    }
    parquet_reader_close(&reader);
    return done;
}

#endif
