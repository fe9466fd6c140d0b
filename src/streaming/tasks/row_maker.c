/* A record is decoded, its row gets its origin and its derived columns, and its partition values
 * must be possible as directories. The row at rows.count exists only when the caller counts it.
 * What must stay true: whichever step refuses a record, the counts are the same. */
#include "streaming/tasks/row_maker.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/calendar.h"
#include "pipeline/derive.h"
#include "pipeline/sink/sink_route.h"

enum { TEXT_BYTES_PER_ROW = 1024 }; // about twice what ordinary records hold

bool row_maker_init(struct row_maker *maker, const struct worker_query *query, size_t capacity,
                    struct error *err) {
    *maker = (struct row_maker){.query = query, .string_bytes = capacity * TEXT_BYTES_PER_ROW};
    rows_init(&maker->rows, query->schema, capacity, maker->string_bytes);
    return record_format_open(query->format, &maker->decoder, query->schema, query->parse_mode,
                              query->time_zone, err);
}

void row_maker_deinit(struct row_maker *maker) {
    if (maker->query == NULL)
        return;
    if (maker->decoder != NULL)
        decoder_close(maker->decoder);
    rows_deinit(&maker->rows);
    *maker = (struct row_maker){0};
}

static void fill_origin(struct row_maker *maker, const struct record *record) {
    const struct schema *schema = maker->query->schema;
    struct rows *rows = &maker->rows;
    size_t row = rows->count;
    struct vector *timestamp = &rows->columns[schema->kafka_timestamp];
    timestamp->valid[row] = 1;
    timestamp->int64s[row] = kafka_timestamp_micros(record->timestamp_ms);
    rows->columns[schema->partition].valid[row] = 1;
    rows->columns[schema->partition].int32s[row] = record->partition;
    rows->columns[schema->offset].valid[row] = 1;
    rows->columns[schema->offset].int64s[row] = record->offset;
    rows->columns[schema->processing_timestamp].valid[row] = 1;
    rows->columns[schema->processing_timestamp].int64s[row] = maker->batch_time_ms * 1000;
}

/* False: the row at rows.count can't be in the table, because no directory can have its name. */
static bool partition_value_fits(const struct row_maker *maker, struct reject *reject) {
    const struct rows *rows = &maker->rows;
    for (size_t i = 0; i < maker->query->partition_column_count; i++) {
        size_t column = maker->query->partition_columns[i];
        const struct vector *vector = &rows->columns[column];
        if (vector->type != TYPE_STRING || !vector->valid[rows->count])
            continue;
        // Only long values and values with a NUL byte can fail; most have neither.
        struct text value = vector->texts[rows->count];
        if (value.length < 64 && memchr(value.bytes, 0, value.length) == NULL)
            continue;
        char name[PARTITION_NAME_MAX + 1];
        const char *column_name = maker->query->schema->columns[column].name;
        if (partition_directory(column_name, value, true, name))
            continue;
        *reject = (struct reject){.reason = REJECT_PARTITION_VALUE};
        snprintf(reject->detail, sizeof reject->detail,
                 "the value of partition column '%s' cannot be a directory name: it contains a NUL "
                 "byte, or is longer than 255 bytes with its name and escapes",
                 column_name);
        return false;
    }
    return true;
}

/* Mostly microseconds or nanoseconds by mistake. */
static enum decode_result reject_timestamp(const struct record *record, struct reject *reject) {
    *reject = (struct reject){.reason = REJECT_KAFKA_TIME};
    snprintf(reject->detail, sizeof reject->detail,
             "its Kafka timestamp, %" PRId64
             " milliseconds since 1970, is out of range: the producer must send milliseconds",
             record->timestamp_ms);
    return DECODE_REJECT;
}

enum decode_result row_maker_make(struct row_maker *maker, const struct record *record,
                                  struct stage_clock *clock, struct reject *reject) {
    struct rows *rows = &maker->rows;
    stage_clock_record(clock);
    if (!kafka_timestamp_fits(record->timestamp_ms))
        return reject_timestamp(record, reject);
    // A replayed reject is read as it would have been in its own batch.
    maker->decoder->batch_time_ms =
        record->planned_ms > 0 ? record->planned_ms : maker->batch_time_ms;
    enum decode_result result = decode_record(maker->decoder, record, rows, reject);
    stage_clock_lap(clock, STAGE_DECODE);
    if (result != DECODE_ROW)
        return result;
    fill_origin(maker, record);
    if (!derive_rows(rows, rows->count, 1))
        result = DECODE_FULL;
    else if (!partition_value_fits(maker, reject))
        result = DECODE_REJECT;
    stage_clock_lap(clock, STAGE_DERIVE);
    if (result == DECODE_REJECT)
        decode_counts_note_reject(&maker->decoder->counts, rows);
    if (result != DECODE_ROW)
        decoder_uncount_row(maker->decoder, result == DECODE_REJECT);
    return result;
}

bool row_maker_grow(struct row_maker *maker, const struct record *record, size_t memory_max,
                    struct error *err) {
    size_t wanted = maker->rows.strings.capacity * 2;
    if (wanted > memory_max)
        return error_set(err, ERROR_CONFIG,
                         "the record at topic %s, partition %" PRId32 ", offset %" PRId64
                         " (%zu bytes) needs more memory than a worker has (%zu bytes): raise "
                         "SPARK_DRIVER_MEMORY",
                         maker->query->topic, record->partition, record->offset, record->value_size,
                         memory_max);
    rows_resize_strings(&maker->rows, wanted);
    return true;
}

void row_maker_reset(struct row_maker *maker) {
    bool grown = maker->rows.strings.capacity > maker->string_bytes;
    rows_reset(&maker->rows);
    if (grown)
        rows_resize_strings(&maker->rows, maker->string_bytes);
}
