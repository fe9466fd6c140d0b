/* A reject is one row of a table of its own, appended to an ordinary sink by itself: rejects are
 * few. Key and value are written as they came. What must stay true: the reader gives a record as
 * its source handed it out, so that it can be decoded again; only a timestamp that no column can
 * hold is lost. */
#include "pipeline/sink/reject_table.h"

#include <pthread.h>

#include "base/check.h"
#include "core/calendar.h"
#include "pipeline/parquet/read/reader.h"

static const struct column columns[REJECT_COLUMNS] = {
    [REJECT_TOPIC] = {"topic", TYPE_STRING, .required = true, .doc = "The record's topic"},
    [REJECT_PARTITION] = {"partition", TYPE_INT32, .required = true, .doc = "Its partition"},
    [REJECT_OFFSET] = {"offset", TYPE_INT64, .required = true,
                       .doc = "Its offset in the partition"},
    [REJECT_KAFKA_TIMESTAMP] = {"kafka_timestamp", TYPE_TIMESTAMP,
                                .doc = "Its timestamp; null if it is out of range"},
    [REJECT_KEY] = {"key", TYPE_BINARY, .doc = "Its key, unchanged"},
    [REJECT_VALUE] = {"value", TYPE_BINARY, .doc = "Its value, unchanged"},
    [REJECT_REASON] = {"reason", TYPE_STRING, .required = true,
                       .doc = "Why it was rejected, as a short code"},
    [REJECT_DETAIL] = {"detail", TYPE_STRING, .required = true, .doc = "The same as a sentence"},
    [REJECT_POSITION] = {"position", TYPE_INT64, .required = true,
                         .doc = "Byte of the value where the problem is"},
    [REJECT_PROCESSED] =
        {"processing_timestamp", TYPE_TIMESTAMP, .required = true,
         .doc = "When the micro-batch was planned; the same if the batch is run again"},
};

/* One row at a time, handed on at once: its texts point at the record itself, so that a record of
 * any size is copied only once, into its page. */
struct reject_sink {
    struct sink *sink;
    struct text topic;
    int64_t batch_timestamp_ms;
    struct rows rows;
};

static struct schema schema;

static void make_schema(void) {
    schema_init_plain(&schema, "reject", columns, REJECT_COLUMNS);
}

const struct schema *reject_schema(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT; // every worker asks
    check(pthread_once(&once, make_schema) == 0);
    return &schema;
}

struct reject_sink *reject_sink_create(const char *topic, int64_t batch_timestamp_ms,
                                       const struct sink_options *sink) {
    struct sink_options options = *sink;
    options.schema = reject_schema(); // one flat directory, no matter how the table is partitioned
    options.partition_columns = NULL;
    options.partition_column_count = 0;

    struct reject_sink *rejects = must_alloc(1, sizeof *rejects);
    rejects->sink = sink_create(&options);
    rejects->topic = text_borrow(topic);
    rejects->batch_timestamp_ms = batch_timestamp_ms;
    rows_init(&rejects->rows, options.schema, 1, 1); // no room for texts: they are borrowed
    return rejects;
}

void reject_sink_destroy(struct reject_sink *rejects) {
    if (rejects == NULL)
        return;
    sink_destroy(rejects->sink);
    rows_deinit(&rejects->rows);
    free(rejects);
}

static void set_text(struct rows *rows, size_t column, const char *bytes, size_t size) {
    check(size <= UINT32_MAX);
    rows->columns[column].texts[0] = (struct text){bytes, (uint32_t)size};
    rows->columns[column].valid[0] = bytes != NULL;
}

static void set_int64(struct rows *rows, size_t column, int64_t value) {
    rows->columns[column].int64s[0] = value;
    rows->columns[column].valid[0] = 1;
}

bool reject_sink_append(struct reject_sink *rejects, const struct record *record,
                        const struct reject *reject, struct error *err) {
    struct rows *rows = &rejects->rows;
    const char *reason = reject_reason_name(reject->reason);
    set_text(rows, REJECT_TOPIC, rejects->topic.bytes, rejects->topic.length);
    rows->columns[REJECT_PARTITION].int32s[0] = record->partition;
    rows->columns[REJECT_PARTITION].valid[0] = 1;
    set_int64(rows, REJECT_OFFSET, record->offset);
    bool fits = kafka_timestamp_fits(record->timestamp_ms);
    set_int64(rows, REJECT_KAFKA_TIMESTAMP,
              fits ? kafka_timestamp_micros(record->timestamp_ms) : 0);
    rows->columns[REJECT_KAFKA_TIMESTAMP].valid[0] = fits;
    set_text(rows, REJECT_KEY, record->key, record->key_size);
    set_text(rows, REJECT_VALUE, record->value, record->value_size);
    set_text(rows, REJECT_REASON, reason, strlen(reason));
    set_text(rows, REJECT_DETAIL, reject->detail, strlen(reject->detail));
    set_int64(rows, REJECT_POSITION, (int64_t)reject->position);
    set_int64(rows, REJECT_PROCESSED, rejects->batch_timestamp_ms * 1000);
    rows->count = 1;
    return sink_append(rejects->sink, rows, err);
}

bool reject_sink_finish(struct reject_sink *rejects, struct file_list *files, struct error *err) {
    return sink_finish(rejects->sink, files, err);
}

struct reject_reader {
    struct parquet_reader file;
    struct parquet_cursor cursor;
    bool cursor_open;
    size_t rows, next; // in the cursor's vectors
};

static bool open_columns(struct reject_reader *reader, struct error *err) {
    const struct file_metadata *metadata = &reader->file.metadata;
    size_t indexes[REJECT_COLUMNS];
    for (size_t i = 0; i < REJECT_COLUMNS; i++) {
        int index = file_metadata_find(metadata, columns[i].name);
        if (index < 0 || !metadata->columns[index].readable ||
            metadata->columns[index].type != columns[i].type)
            return error_set(err, ERROR_STATE, "'%s' is not a rejects file: it has no column '%s'",
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
    for (size_t i = 0; i < REJECT_COLUMNS; i++)
        if (columns[i].required && !reader->cursor.vectors[i].valid[reader->next])
            return error_set(err, ERROR_STATE, "'%s' has a row in which %s is null",
                             reader->file.input.name, columns[i].name);
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
    if (reader->next == reader->rows) { // the texts of the rows before end here
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
