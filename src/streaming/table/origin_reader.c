#include "streaming/table/origin_reader.h"

#include <string.h>

#include "pipeline/parquet/read/reader.h"
#include "streaming/table/data_offsets.h"

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
            return error_set(err, ERROR_STATE, "'%s' has a row without partition or offset",
                             cursor->reader->input.name);
        const struct origin_rows origin = {
            .count = rows,
            .partitions = vectors[0].int32s,
            .offsets = vectors[1].int64s,
            .processed = visitor->wants_times ? &vectors[2] : NULL,
            .kafka_timestamp = visitor->wants_times ? &vectors[3] : NULL,
        };
        visitor->rows(visitor->context, &origin);
    }
}

static bool find_time(const struct file_metadata *metadata, const char *name, size_t *index) {
    int column = file_metadata_find(metadata, name);
    if (column < 0)
        return false;
    *index = (size_t)column;
    return metadata->columns[column].readable && metadata->columns[column].type == TYPE_TIMESTAMP;
}

static bool read_columns(struct parquet_reader *reader, const struct origin_visitor *visitor,
                         struct error *err) {
    size_t columns[4];
    if (!data_offsets_columns(&reader->metadata, columns))
        return error_set(err, ERROR_STATE, "'%s' has no columns `partition` and `offset`",
                         reader->input.name);
    if (visitor->wants_times &&
        (!find_time(&reader->metadata, "processing_timestamp", &columns[2]) ||
         !find_time(&reader->metadata, "kafka_timestamp", &columns[3])))
        return error_set(err, ERROR_STATE,
                         "'%s' has no columns `processing_timestamp` and `kafka_timestamp`",
                         reader->input.name);
    struct parquet_cursor cursor;
    parquet_cursor_open(&cursor, reader, columns, visitor->wants_times ? 4 : 2);
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

bool origin_time(const char *path, size_t page_size_max, int64_t *processed_ms, struct error *err) {
    const struct origin_visitor visitor = {
        .context = processed_ms, .wants_times = true, .rows = take_time};
    *processed_ms = -1;
    return origin_read(path, page_size_max, &visitor, err);
}
