#include "pipeline/sink/reject_reader.h"

#include <stdlib.h>

#include "base/check.h"
#include "core/kafka_timestamp.h"
#include "pipeline/parquet/read/reader.h"
#include "pipeline/sink/reject.h"

struct reject_reader {
    struct parquet_reader file;
    struct parquet_cursor cursor;
    bool cursor_open;
    size_t rows, next; // in the cursor's vectors
};

static bool open_columns(struct reject_reader *reader, struct error *err) {
    const struct file_metadata *metadata = &reader->file.metadata;
    const struct column *columns = reject_schema()->columns;
    size_t indexes[REJECT_COLUMNS];
    for (size_t i = 0; i < REJECT_COLUMNS; i++) {
        int index = file_metadata_find(metadata, columns[i].name);
        if (index < 0 || !metadata->columns[index].readable ||
            metadata->columns[index].type != columns[i].type)
            return error_set(err, ERROR_STATE,
                             "'%s' is no file of rejects: it has no such column '%s'",
                             reader->file.input.name, columns[i].name);
        indexes[i] = (size_t)index;
    }
    parquet_cursor_open(&reader->cursor, &reader->file, indexes, REJECT_COLUMNS);
    reader->cursor_open = true;
    return true;
}

bool reject_reader_open(struct reject_reader **out, const char *path, size_t page_size_max,
                        struct error *err) {
    struct reject_reader *reader = must_alloc(1, sizeof *reader);
    bool ok = parquet_reader_open(&reader->file, path, err);
    reader->file.page_size_max = page_size_max;
    if (ok && open_columns(reader, err)) {
        *out = reader;
        return true;
    }
    reject_reader_close(reader);
    return false;
}

void reject_reader_close(struct reject_reader *reader) {
    if (reader == NULL)
        return;
    if (reader->cursor_open)
        parquet_cursor_close(&reader->cursor);
    parquet_reader_close(&reader->file);
    free(reader);
}

static struct text text_at(const struct reject_reader *reader, size_t column) {
    const struct vector *vector = &reader->cursor.vectors[column];
    return vector->valid[reader->next] ? vector->texts[reader->next] : (struct text){0};
}

static int64_t int64_at(const struct reject_reader *reader, size_t column) {
    return reader->cursor.vectors[column].int64s[reader->next];
}

static bool check_nulls(const struct reject_reader *reader, struct error *err) {
    const struct column *columns = reject_schema()->columns;
    for (size_t i = 0; i < REJECT_COLUMNS; i++)
        if (columns[i].required && !reader->cursor.vectors[i].valid[reader->next])
            return error_set(err, ERROR_STATE, "'%s' has a row without %s", reader->file.input.name,
                             columns[i].name);
    return true;
}

/* Timestamps are of whole milliseconds in Kafka, and of microseconds in the file. Null is what
 * older versions wrote for one before 1970, or none; or it is one that the file can't hold. */
static void fill_row(const struct reject_reader *reader, struct reject_row *row) {
    struct text key = text_at(reader, REJECT_KEY), value = text_at(reader, REJECT_VALUE);
    bool has_time = reader->cursor.vectors[REJECT_KAFKA_TIMESTAMP].valid[reader->next];
    *row = (struct reject_row){
        .record = {.partition = reader->cursor.vectors[REJECT_PARTITION].int32s[reader->next],
                   .offset = int64_at(reader, REJECT_OFFSET),
                   .timestamp_ms =
                       has_time ? kafka_timestamp_ms(int64_at(reader, REJECT_KAFKA_TIMESTAMP)) : -1,
                   .value = value.bytes,
                   .value_size = value.length,
                   .key = key.bytes,
                   .key_size = key.length,
                   .planned_ms = int64_at(reader, REJECT_PROCESSED) / 1000},
        .topic = text_at(reader, REJECT_TOPIC),
        .reason = text_at(reader, REJECT_REASON),
        .detail = text_at(reader, REJECT_DETAIL),
        .position = int64_at(reader, REJECT_POSITION),
    };
}

bool reject_reader_next(struct reject_reader *reader, struct reject_row *row, bool *found,
                        struct error *err) {
    *found = false;
    if (reader->next == reader->rows) {
        reader->next = 0;
        if (!parquet_cursor_next(&reader->cursor, &reader->rows, err))
            return false;
        if (reader->rows == 0)
            return true;
    }
    if (!check_nulls(reader, err))
        return false;
    fill_row(reader, row);
    reader->next++;
    *found = true;
    return true;
}
