/* samples.c: writes Parquet files with every kind of column content, each with a text file of
 * the same values, for other readers to compare (test_readers.py).
 *
 *     parquet_samples DIRECTORY        DIRECTORY exists and is empty
 *
 * Files: <kind>-<codec>-<timestamp type>-<integers>.parquet, and <kind>.jsonl, their rows as
 * values.h prints them. */
#include <math.h>

#include "base/check.h"
#include "core/decimal.h"
#include "pipeline/parquet/writer.h"
#include "values.h"

static const struct column columns[] = {
    {"id", TYPE_INT64, .required = true},
    {"name", TYPE_STRING, .required = true},
    {"flag", TYPE_BOOL},
    {"small", TYPE_INT32},
    {"wide", TYPE_INT64},
    {"ratio", TYPE_DOUBLE},
    {"number", TYPE_DOUBLE},
    {"word", TYPE_STRING},
    {"token", TYPE_STRING},
    {"long", TYPE_STRING},
    {"raw", TYPE_BINARY},
    {"moment", TYPE_TIMESTAMP},
    {"batch", TYPE_TIMESTAMP, .required = true},
    {"nothing", TYPE_STRING},
    {"no_number", TYPE_INT32},
    {"rare", TYPE_STRING},
    {"byte", TYPE_INT8},
    {"short", TYPE_INT16, .required = true},
    {"share", TYPE_FLOAT},
    {"day", TYPE_DATE},
    {"local", TYPE_TIMESTAMP_NTZ},
    {"price", TYPE_DECIMAL, .precision = 7, .scale = 2},
    {"amount", TYPE_DECIMAL, .precision = 16, .scale = 4, .required = true},
    {"huge", TYPE_DECIMAL, .precision = 38, .scale = 10},
    {"longer", TYPE_DECIMAL, .precision = 20},
};

enum { COLUMN_COUNT = sizeof columns / sizeof columns[0] };

static const char *const words[] = {
    "live",         "finished",         "",    "scheduled", "na\xc3\xafve",
    "\xe2\x82\xac", "\xf0\x9f\x98\x80", "a b", "\x01\x7f"};
static const double ratios[] = {0.0, -0.0, NAN, INFINITY, -INFINITY, 1.5, -1e300, 5e-324};
static const float shares[] = {0.0F, -0.0F, NAN, INFINITY, -INFINITY, 1.5F, -1e30F, 1e-45F};
static const int64_t moments[] = {
    0,
    -1,
    1705329000123456,
    -2208988800000000,  // 1900-01-01
    -62135596800000000, // 0001-01-01
    -30610224000000001, // 999-12-31T23:59:59.999999
    253402300799999999, // 9999-12-31T23:59:59.999999
};

/* A decimal of up to the precision's digits; small ones are often the same. */
static int128_t sample_decimal(int precision, uint64_t any) {
    int128_t value = any % 3 == 0 ? (int128_t)(any % 97) : (int128_t)any * (int64_t)(any >> 7);
    if (any % 101 == 0)
        value = -1; // the lowest and the highest by turns
    value = value < 0 ? decimal_power(precision) - 1 : value % decimal_power(precision);
    return any >> 40 & 1 ? -value : value;
}

/* The same numbers in every run: a value is a function of row and column. */
static uint64_t mix(uint64_t a, uint64_t b) {
    uint64_t hash = (a + 1) * 0x9e3779b97f4a7c15u ^ (b + 1) * 0xe7037ed1a0b428dbu;
    hash ^= hash >> 29;
    hash *= 0xbf58476d1ce4e5b9u;
    return hash ^ hash >> 32;
}

static struct text make_text(struct arena *strings, const char *bytes, size_t size) {
    char *copy = arena_alloc(strings, size + 1);
    check(copy != NULL);
    memcpy(copy, bytes, size);
    return (struct text){copy, (uint32_t)size};
}

static struct text sample_text(struct arena *strings, size_t column, uint64_t row, uint64_t any) {
    char text[400];
    size_t size = 0;
    const char *name = columns[column].name;
    if (strcmp(name, "name") == 0) {
        size = (size_t)snprintf(text, sizeof text, "n%" PRIu64, any % 300);
    } else if (strcmp(name, "word") == 0) {
        const char *word = words[any % (sizeof words / sizeof words[0])];
        return make_text(strings, word, strlen(word));
    } else if (strcmp(name, "token") == 0) {
        size = (size_t)snprintf(text, sizeof text, "key-%08" PRIu64 "-%04x", row,
                                (unsigned)any & 0xffff);
    } else if (strcmp(name, "long") == 0) {
        for (size = 0; size < 40 + any % 300;) // characters of three bytes at the cutting edge
            size += (size_t)snprintf(text + size, sizeof text - size, "%s",
                                     mix(row, size) % 3 == 0 ? "\xef\xbf\xbd" : "zz");
    } else if (strcmp(name, "raw") == 0) {
        for (size = 0; size < any % 120; size++)
            text[size] = (char)(size < 70 && any % 5 == 0 ? 0xff : mix(any, size) & 0xff);
    } else {
        size = (size_t)snprintf(text, sizeof text, "rare %" PRIu64, row / 5000);
    }
    return make_text(strings, text, size);
}

static bool sample_is_null(size_t column, uint64_t row, uint64_t any) {
    const char *name = columns[column].name;
    if (columns[column].required)
        return false;
    if (strcmp(name, "nothing") == 0 || strcmp(name, "no_number") == 0)
        return true;
    if (strcmp(name, "rare") == 0)
        return row % 4999 != 17;
    if (strcmp(name, "wide") == 0) // long runs of both
        return row / 1500 % 3 == 1;
    if (strcmp(name, "number") == 0)
        return false;
    return any % 11 == 3;
}

static void sample_value(struct rows *rows, size_t column, uint64_t row) {
    struct vector *vector = &rows->columns[column];
    uint64_t any = mix(row, column);
    size_t at = rows->count;
    vector->valid[at] = !sample_is_null(column, row, any);
    switch (vector->type) {
    case TYPE_BOOL:
        vector->booleans[at] = any >> 20 & 1;
        break;
    case TYPE_INT32:
        vector->int32s[at] = any % 97 == 0   ? INT32_MIN
                             : any % 89 == 0 ? INT32_MAX
                                             : (int)(any % 50);
        break;
    case TYPE_INT64:
        vector->int64s[at] = strcmp(columns[column].name, "id") == 0 ? (int64_t)row : (int64_t)any;
        break;
    case TYPE_DOUBLE:
        vector->doubles[at] = strcmp(columns[column].name, "number") == 0
                                  ? (double)(any % 100000) / 100
                                  : ratios[any % (sizeof ratios / sizeof ratios[0])];
        break;
    case TYPE_INT8:
        vector->int8s[at] = any % 5 == 0 ? INT8_MIN : (int8_t)(any % 20);
        break;
    case TYPE_INT16:
        vector->int16s[at] = any % 7 == 0 ? INT16_MIN : (int16_t)(any % 30000);
        break;
    case TYPE_FLOAT:
        vector->floats[at] = row < 20000 ? shares[any % (sizeof shares / sizeof shares[0])]
                                         : (float)(any % 100000) / 64;
        break;
    case TYPE_DATE:
        vector->int32s[at] =
            any % 50 == 0 ? -141428 - (int32_t)(any % 500000) : 19000 + (int32_t)(any % 900);
        break;
    case TYPE_TIMESTAMP_NTZ:
        vector->int64s[at] = any % 40 == 0 ? moments[any % (sizeof moments / sizeof moments[0])]
                                           : 1700000000000000 + (int64_t)(any % 100000000000);
        break;
    case TYPE_DECIMAL:
        vector->decimals[at] = sample_decimal(columns[column].precision, any);
        break;
    case TYPE_TIMESTAMP:
        vector->int64s[at] = columns[column].required ? 1764583845123000
                             : row % 3 == 0 ? moments[any % (sizeof moments / sizeof moments[0])]
                                            : 1700000000000000 + (int64_t)(any % 100000000000);
        break;
    default:
        vector->texts[at] = sample_text(&rows->strings, column, row, any);
        break;
    }
}

struct sample {
    const char *kind;
    uint64_t rows;
    uint64_t group_rows; // 0: one row group
    bool snappy_only;    // large: not in every codec
};

/* Fills the next rows of a sample; how many: until the slice or a row group is full. */
static bool fill_rows(struct rows *rows, const struct sample *sample, uint64_t *row) {
    bool closes = false;
    while (rows->count < rows->capacity && *row < sample->rows && !closes) {
        for (size_t column = 0; column < COLUMN_COUNT; column++)
            sample_value(rows, column, *row);
        rows->count++;
        ++*row;
        closes = sample->group_rows > 0 && *row % sample->group_rows == 0;
    }
    return closes;
}

static void write_sample(const char *directory, const struct sample *sample,
                         const struct parquet_options *options) {
    static const char *const codecs[] = {"none", "snappy", "zstd", "lz4_raw"};
    static const char *const timestamps[] = {"micros", "int96"};
    struct schema schema;
    struct parquet_table table;
    struct rows rows;
    schema_init_plain(&schema, "sample", columns, COLUMN_COUNT);
    parquet_table_init(&table, &schema, NULL, 0, options);
    rows_init(&rows, &schema, ROWS_CAPACITY, 4 << 20);

    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s-%s-%s-%s.parquet", directory, sample->kind,
                   codecs[options->codec], timestamps[options->timestamp],
                   options->delta ? "delta" : "plain");
    struct parquet_writer *writer = parquet_writer_create(&table, path);
    struct error err = {0};
    struct parquet_file file;
    for (uint64_t row = 0; row < sample->rows;) {
        bool closes = fill_rows(&rows, sample, &row);
        struct row_slice slice;
        row_slice_init(&slice, &rows);
        check(parquet_writer_append(writer, &slice, NULL, rows.count, &err));
        check(!closes || parquet_writer_close_row_group(writer, &err));
        rows_reset(&rows);
    }
    check(parquet_writer_finish(writer, &file, &err));
    parquet_writer_destroy(writer);
    rows_deinit(&rows);
    parquet_table_deinit(&table);
}

static void print_sample(const char *directory, const struct sample *sample) {
    struct schema schema;
    struct rows rows;
    char path[4096];
    schema_init_plain(&schema, "sample", columns, COLUMN_COUNT);
    rows_init(&rows, &schema, ROWS_CAPACITY, 4 << 20);
    (void)snprintf(path, sizeof path, "%s/%s.jsonl", directory, sample->kind);
    FILE *values = fopen(path, "w");
    check(values != NULL);
    for (uint64_t row = 0; row < sample->rows;) {
        (void)fill_rows(&rows, sample, &row);
        print_rows(values, rows.columns, COLUMN_COUNT, rows.count);
        rows_reset(&rows);
    }
    check(fclose(values) == 0);
    rows_deinit(&rows);
}

int main(int argc, char **argv) {
    static const struct sample samples[] = {{"small", 7, 0},
                                            {"pages", 45000, 0, .snappy_only = true},
                                            {"groups", 9000, 700},
                                            {"empty", 0, 0}};
    if (argc != 2) {
        (void)fprintf(stderr, "usage: parquet_samples DIRECTORY\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        print_sample(argv[1], &samples[i]);
        for (enum parquet_codec codec = CODEC_NONE; codec <= CODEC_LZ4_RAW; codec++) {
            if (samples[i].snappy_only && codec != CODEC_SNAPPY)
                continue;
            for (int delta = codec == CODEC_SNAPPY ? 0 : 1; delta <= 1; delta++) {
                struct parquet_options options = {codec, TIMESTAMP_AS_MICROS, delta};
                write_sample(argv[1], &samples[i], &options);
                options.timestamp = TIMESTAMP_AS_INT96;
                write_sample(argv[1], &samples[i], &options);
            }
        }
    }
    return 0;
}
