/* origin_reader.c: the columns `partition` and `offset` of a data file, which say of which records
 * its rows are.
 *
 * Two ways. origin_read() takes a file for a query's, and what is not one for damage; it passes
 * over row groups by their statistics. origin_each_offset() judges a file of unknown origin: a
 * writer that was killed leaves one without Parquet's last bytes, and anything else that can't be
 * read was not left by a crash. */
#include "streaming/table/origin_reader.h"

#include <string.h>

#include "base/check.h"
#include "pipeline/parquet/format.h"
#include "pipeline/parquet/read/reader.h"

enum { PAGE_SIZE_MAX = 256 << 20 }; // bytes; of a page that one timestamp is wanted of

/* Where they are in a file. False: it lacks them, or has them with other types. */
static bool find_columns(const struct file_metadata *metadata, size_t columns[static 2]) {
    int partition = file_metadata_find(metadata, "partition");
    int offset = file_metadata_find(metadata, "offset");
    if (partition < 0 || offset < 0)
        return false;
    columns[0] = (size_t)partition;
    columns[1] = (size_t)offset;
    const struct file_column *first = &metadata->columns[partition];
    const struct file_column *second = &metadata->columns[offset];
    return first->readable && first->type == TYPE_INT32 && second->readable &&
           second->type == TYPE_INT64;
}

/* ---- row groups at a time ---- */

/* False: the statistics don't say. */
static bool bounds_of(const struct file_row_group *group, const size_t columns[static 2],
                      struct origin_bounds *bounds) {
    const struct file_statistics *partition = &group->chunks[columns[0]].statistics;
    const struct file_statistics *offset = &group->chunks[columns[1]].statistics;
    if (!partition->has_bounds || partition->min.length != sizeof(int32_t) ||
        partition->max.length != sizeof(int32_t) || !offset->has_bounds ||
        offset->min.length != sizeof(int64_t) || offset->max.length != sizeof(int64_t))
        return false;
    memcpy(&bounds->partition_min, partition->min.bytes, sizeof(int32_t));
    memcpy(&bounds->partition_max, partition->max.bytes, sizeof(int32_t));
    memcpy(&bounds->offset_min, offset->min.bytes, sizeof(int64_t));
    memcpy(&bounds->offset_max, offset->max.bytes, sizeof(int64_t));
    return true;
}

static void pass_over(struct parquet_cursor *cursor, const struct origin_visitor *visitor) {
    const struct file_metadata *metadata = &cursor->reader->metadata;
    struct origin_bounds bounds;
    while (visitor->wants != NULL && cursor->rows_left == 0 &&
           cursor->row_group < metadata->row_group_count &&
           bounds_of(&metadata->row_groups[cursor->row_group], cursor->columns, &bounds) &&
           !visitor->wants(visitor->context, &bounds))
        cursor->row_group++;
}

static bool has_null(const struct vector *vector, size_t rows) {
    return memchr(vector->valid, 0, rows) != NULL;
}

static bool read_rows(struct parquet_cursor *cursor, const struct origin_visitor *visitor,
                      struct error *err) {
    for (;;) {
        size_t rows;
        pass_over(cursor, visitor);
        if (!parquet_cursor_next(cursor, &rows, err))
            return false;
        if (rows == 0)
            return true;
        const struct vector *vectors = cursor->vectors;
        if (has_null(&vectors[0], rows) || has_null(&vectors[1], rows))
            return error_set(err, ERROR_STATE,
                             "'%s' has a row in which partition or offset is null",
                             cursor->reader->input.name);
        const struct origin_rows origin = {
            .count = rows,
            .partitions = vectors[0].int32s,
            .offsets = vectors[1].int64s,
            .processed = visitor->wants_times ? &vectors[2] : NULL,
            .kafka_timestamp = visitor->wants_times ? &vectors[3] : NULL,
            .positions = &vectors[visitor->wants_times ? 4 : 2],
        };
        visitor->rows(visitor->context, &origin);
    }
}

static bool find_column(const struct file_metadata *metadata, const char *name, enum type type,
                        size_t *index) {
    int column = file_metadata_find(metadata, name);
    if (column < 0)
        return false;
    *index = (size_t)column;
    return metadata->columns[column].readable && metadata->columns[column].type == type;
}

static bool read_columns(struct parquet_reader *reader, const struct origin_visitor *visitor,
                         struct error *err) {
    size_t columns[4 + ORIGIN_POSITIONS_MAX];
    size_t count = visitor->wants_times ? 4 : 2;
    check(visitor->position_count <= ORIGIN_POSITIONS_MAX);
    if (!find_columns(&reader->metadata, columns))
        return error_set(err, ERROR_STATE, "'%s' has no columns `partition` and `offset`",
                         reader->input.name);
    if (visitor->wants_times &&
        (!find_column(&reader->metadata, "processing_timestamp", TYPE_TIMESTAMP, &columns[2]) ||
         !find_column(&reader->metadata, "kafka_timestamp", TYPE_TIMESTAMP, &columns[3])))
        return error_set(err, ERROR_STATE,
                         "'%s' has no columns `processing_timestamp` and `kafka_timestamp`",
                         reader->input.name);
    for (size_t i = 0; i < visitor->position_count; i++)
        if (!find_column(&reader->metadata, visitor->positions[i], TYPE_INT32, &columns[count++]))
            return error_set(err, ERROR_STATE, "'%s' has no column `%s` of positions",
                             reader->input.name, visitor->positions[i]);
    struct parquet_cursor cursor;
    parquet_cursor_open(&cursor, reader, columns, count);
    bool ok = read_rows(&cursor, visitor, err);
    parquet_cursor_close(&cursor);
    return ok;
}

bool origin_read(const char *path, size_t page_size_max, const struct origin_visitor *visitor,
                 struct error *err) {
    struct parquet_reader reader;
    bool ok = parquet_reader_open(&reader, path, err);
    reader.page_size_max = page_size_max;
    if (ok && (visitor->begin == NULL ||
               visitor->begin(visitor->context, reader.input.size, &reader.metadata)))
        ok = read_columns(&reader, visitor, err);
    parquet_reader_close(&reader);
    return ok;
}

static void take_time(void *context, const struct origin_rows *rows) {
    int64_t *processed_ms = context;
    *processed_ms = rows->processed->int64s[0] / 1000;
}

bool origin_time(const char *path, int64_t *processed_ms, struct error *err) {
    const struct origin_visitor visitor = {
        .context = processed_ms, .wants_times = true, .rows = take_time};
    *processed_ms = -1;
    return origin_read(path, PAGE_SIZE_MAX, &visitor, err);
}

/* ---- the times of a file ---- */

struct times {
    int64_t first, last;
};

static void add_time(struct times *times, int64_t micros) {
    times->first = micros < times->first ? micros : times->first;
    times->last = micros > times->last ? micros : times->last;
}

/* False: a row group does not say. */
static bool times_of_footer(const struct file_metadata *metadata, size_t column,
                            struct times *times) {
    const struct file_column *of = &metadata->columns[column];
    for (size_t i = 0; i < metadata->row_group_count; i++) {
        const struct file_statistics *statistics =
            &metadata->row_groups[i].chunks[column].statistics;
        int64_t bounds[2];
        if (of->physical != PHYSICAL_INT64 || of->millis || !statistics->has_bounds ||
            statistics->nulls != 0 || statistics->min.length != sizeof bounds[0] ||
            statistics->max.length != sizeof bounds[1])
            return false;
        memcpy(&bounds[0], statistics->min.bytes, sizeof bounds[0]);
        memcpy(&bounds[1], statistics->max.bytes, sizeof bounds[1]);
        add_time(times, bounds[0]);
        add_time(times, bounds[1]);
    }
    return true;
}

static bool times_of_rows(struct parquet_reader *reader, size_t column, struct times *times,
                          struct error *err) {
    struct parquet_cursor cursor;
    size_t rows = 1;
    parquet_cursor_open(&cursor, reader, &column, 1);
    bool ok = true;
    while (ok && rows > 0) {
        ok = parquet_cursor_next(&cursor, &rows, err);
        if (ok && has_null(&cursor.vectors[0], rows))
            ok = error_set(err, ERROR_STATE, "'%s' has a row in which processing_timestamp is null",
                           reader->input.name);
        for (size_t i = 0; ok && i < rows; i++)
            add_time(times, cursor.vectors[0].int64s[i]);
    }
    parquet_cursor_close(&cursor);
    return ok;
}

static bool find_times(struct parquet_reader *reader, struct times *times, struct error *err) {
    size_t column;
    if (!find_column(&reader->metadata, "processing_timestamp", TYPE_TIMESTAMP, &column))
        return error_set(err, ERROR_STATE, "'%s' has no column `processing_timestamp`",
                         reader->input.name);
    struct times footer = *times;
    if (!times_of_footer(&reader->metadata, column, &footer))
        return times_of_rows(reader, column, times, err);
    *times = footer;
    return true;
}

bool origin_times(const char *path, int64_t *first, int64_t *last, struct error *err) {
    struct parquet_reader reader;
    struct times times = {INT64_MAX, INT64_MIN};
    bool ok = parquet_reader_open(&reader, path, err);
    reader.page_size_max = PAGE_SIZE_MAX;
    ok = ok && find_times(&reader, &times, err);
    parquet_reader_close(&reader);
    *first = times.first;
    *last = times.last;
    return ok;
}

/* ---- row by row, of a file that may be anything ---- */

struct offset_visitor {
    bool (*visit)(void *context, int32_t partition, int64_t offset);
    void *context;
};

/* A file is written from its start to its end: without the last bytes it was never finished. */
static bool is_torn(const char *path, bool *torn, struct error *err) {
    struct input input;
    struct bytes last = {0};
    if (!input_open(&input, path, err))
        return false;
    bool ok = true;
    *torn = input.size < (int64_t)2 * MAGIC_SIZE;
    if (!*torn) {
        ok = input_read(&input, input.size - MAGIC_SIZE, MAGIC_SIZE, &last, err);
        *torn = ok && memcmp(last.at, PARQUET_MAGIC, MAGIC_SIZE) != 0;
    }
    bytes_deinit(&last);
    input_close(&input);
    return ok;
}

static enum origin_end visit_rows(const struct parquet_cursor *cursor, size_t rows,
                                  const struct offset_visitor *visitor) {
    const struct vector *partition = &cursor->vectors[0], *offset = &cursor->vectors[1];
    for (size_t row = 0; row < rows; row++) {
        if (!partition->valid[row] || !offset->valid[row])
            return ORIGIN_OTHER;
        if (!visitor->visit(visitor->context, partition->int32s[row], offset->int64s[row]))
            return ORIGIN_ENDED;
    }
    return ORIGIN_READ;
}

static bool visit_all(struct parquet_reader *reader, const struct offset_visitor *visitor,
                      enum origin_end *end, struct error *err) {
    size_t columns[2];
    *end = ORIGIN_OTHER;
    if (!find_columns(&reader->metadata, columns))
        return true;
    struct parquet_cursor cursor;
    parquet_cursor_open(&cursor, reader, columns, 2);
    size_t rows;
    bool ok;
    *end = ORIGIN_READ;
    while ((ok = parquet_cursor_next(&cursor, &rows, err)) && rows > 0 && *end == ORIGIN_READ)
        *end = visit_rows(&cursor, rows, visitor);
    parquet_cursor_close(&cursor);
    return ok;
}

bool origin_each_offset(const char *path,
                        bool (*visit)(void *context, int32_t partition, int64_t offset),
                        void *context, enum origin_end *end, struct error *err) {
    const struct offset_visitor visitor = {.visit = visit, .context = context};
    bool torn = false;
    bool ok = is_torn(path, &torn, err);
    *end = ORIGIN_TORN;
    if (ok && !torn) {
        struct parquet_reader reader;
        ok = parquet_reader_open(&reader, path, err) && visit_all(&reader, &visitor, end, err);
        parquet_reader_close(&reader);
    }
    if (ok || err->kind != ERROR_STATE)
        return ok;
    *end = ORIGIN_OTHER;
    return true;
}
