/* A record is decoded, its row gets what Kafka says of it, columns that must not be null are not,
 * and texts of partition columns must be possible as directories. So such columns are computed for
 * each record. The others are computed for a slice of rows, which costs much less. The row at
 * rows.count exists only when the caller counts it.
 *
 * What must stay true: whichever step refuses a record, the counts are the same. All rows of a
 * slice are of batches planned at the same moment, because expressions can depend on it. */
#include "streaming/tasks/row_maker.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "core/calendar.h"
#include "pipeline/sink/sink_route.h"
#include "streaming/tasks/kafka_inputs.h"

enum { TEXT_BYTES_PER_ROW = 1024 }; // about twice what ordinary records hold

/* Whether a record is a reject if the column's value cannot be a directory. */
static bool can_misfit(const struct worker_query *query, size_t column) {
    for (size_t i = 0; i < query->partition_column_count; i++)
        if (query->partition_columns[i] == column)
            return query->schema->columns[column].type == TYPE_STRING;
    return false;
}

/* Whether the table is partitioned by the date of Kafka's timestamp. */
static bool is_by_date(const struct worker_query *query) {
    for (size_t i = 0; i < query->partition_column_count; i++)
        if (query->partition_columns[i] == query->plan->date)
            return true;
    return false;
}

/* Whether a record is a reject when the column is null; the decoder checks the identifier. */
static bool is_checked(const struct worker_query *query, size_t column) {
    bool is_identifier = query->record->has_identifier && query->schema->sources[column] == 0;
    return query->parse_mode != PARSE_PERMISSIVE && query->plan->columns[column].required &&
           query->plan->columns[column].expr->can_be_null && !is_identifier;
}

static void init_derived(struct row_maker *maker) {
    const struct worker_query *query = maker->query;
    size_t count = query->schema->count, at_once_count = 0, later_count = 0;
    size_t *at_once = must_alloc(count, sizeof *at_once), *later = must_alloc(count, sizeof *later);
    struct zone zone;
    check(zone_find(text_borrow(query->time_zone), &zone)); // the decoder has found it
    maker->required = must_alloc(count, sizeof *maker->required);
    for (size_t i = 0; i < count; i++) {
        if (is_checked(query, i))
            maker->required[maker->required_count++] = i;
        if (!schema_is_computed(query->schema, i))
            continue;
        if (can_misfit(query, i) || is_checked(query, i))
            at_once[at_once_count++] = i;
        else
            later[later_count++] = i;
    }
    derive_init(&maker->at_once, query->plan, at_once, at_once_count, &maker->rows, zone);
    if (expand_is_needed(query->plan)) {
        maker->expand = expand_create(query, &maker->rows, maker->string_bytes, zone);
        later_count = 0;
    }
    derive_init(&maker->later, query->plan, later, later_count, &maker->rows, zone);
    free(at_once);
    free(later);
}

bool row_maker_init(struct row_maker *maker, const struct worker_query *query, size_t capacity,
                    struct error *err) {
    *maker = (struct row_maker){.query = query,
                                .string_bytes = capacity * TEXT_BYTES_PER_ROW,
                                .is_by_date = is_by_date(query)};
    rows_init(&maker->rows, query->schema, capacity, maker->string_bytes);
    if (!record_format_open(query->format, &maker->decoder, query->record, query->parse_mode,
                            query->time_zone, err))
        return false;
    init_derived(maker);
    return true;
}

void row_maker_deinit(struct row_maker *maker) {
    if (maker->query == NULL)
        return;
    if (maker->decoder != NULL)
        decoder_close(maker->decoder);
    derive_deinit(&maker->at_once);
    derive_deinit(&maker->later);
    expand_destroy(maker->expand);
    free(maker->required);
    arena_deinit(&maker->strings);
    rows_deinit(&maker->rows);
    *maker = (struct row_maker){0};
}

/* False: a column that must not be null is. */
static bool has_required(const struct row_maker *maker, struct reject *reject) {
    for (size_t i = 0; i < maker->required_count; i++) {
        size_t column = maker->required[i];
        if (maker->rows.columns[column].valid[maker->rows.count])
            continue;
        *reject = (struct reject){.reason = REJECT_NULL_IDENTIFIER};
        snprintf(reject->detail, sizeof reject->detail, "'%s', which must not be null, is null",
                 maker->query->schema->columns[column].name);
        return false;
    }
    return true;
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

/* The same, for a table that is partitioned by the date. */
static enum decode_result reject_date(const struct record *record, struct reject *reject) {
    *reject = (struct reject){.reason = REJECT_PARTITION_VALUE};
    snprintf(reject->detail, sizeof reject->detail,
             "the date of its Kafka timestamp, %" PRId64
             " milliseconds since 1970, cannot be a directory for partition column '" PLAN_DATE
             "': its year must be in 1 to 9999",
             record->timestamp_ms);
    return DECODE_REJECT;
}

enum decode_result row_maker_make(struct row_maker *maker, const struct record *record,
                                  struct stage_clock *clock, struct reject *reject) {
    struct rows *rows = &maker->rows;
    stage_clock_record(clock);
    if (!kafka_timestamp_fits(record->timestamp_ms))
        return reject_timestamp(record, reject);
    if (maker->is_by_date && !date_directory_fits(kafka_timestamp_micros(record->timestamp_ms)))
        return reject_date(record, reject);
    // A replayed reject is read as it would have been in its own batch.
    int64_t planned_ms = record->planned_ms > 0 ? record->planned_ms : maker->batch_time_ms;
    if (rows->count > 0 && planned_ms != maker->decoder->batch_time_ms)
        return DECODE_FULL;
    maker->decoder->batch_time_ms = planned_ms;
    maker->at_once.context.now_ms = maker->later.context.now_ms = planned_ms;
    bool is_parsed = maker->query->record->count > 0;
    size_t used = rows->strings.used;
    enum decode_result result =
        is_parsed ? decode_record(maker->decoder, record, rows, reject) : DECODE_ROW;
    stage_clock_lap(clock, STAGE_DECODE);
    if (result != DECODE_ROW)
        return result;
    const struct kafka_inputs inputs = {maker->query->plan, maker->query->topic,
                                        maker->batch_time_ms};
    if (!kafka_inputs_fill(&inputs, record, rows) ||
        !derive_rows(&maker->at_once, rows->count, 1, &rows->strings))
        result = DECODE_FULL;
    else if (!has_required(maker, reject) || !partition_value_fits(maker, reject))
        result = DECODE_REJECT;
    stage_clock_lap(clock, STAGE_DERIVE);
    if (result == DECODE_REJECT)
        decode_counts_note_reject(&maker->decoder->counts, rows);
    if (result != DECODE_ROW) {
        arena_rewind(&rows->strings, used);
        kafka_inputs_take_back(&inputs, rows);
        if (is_parsed)
            decoder_uncount_row(maker->decoder, result == DECODE_REJECT);
    }
    return result;
}

bool row_maker_grow(struct row_maker *maker, const struct record *record, size_t memory_max,
                    struct error *err) {
    size_t elements = rows_elements_memory(&maker->rows);
    size_t wanted = maker->rows.strings.capacity * 2;
    if (wanted + 2 * elements > memory_max)
        return error_set(err, ERROR_CONFIG,
                         "the record at topic %s, partition %" PRId32 ", offset %" PRId64
                         " (%zu bytes) needs more memory than a worker has (%zu bytes): raise "
                         "SPARK_DRIVER_MEMORY",
                         maker->query->topic, record->partition, record->offset, record->value_size,
                         memory_max);
    if (!rows_grow_elements(&maker->rows))
        rows_resize_strings(&maker->rows, wanted);
    return true;
}

/* Fills the computed columns that are left. */
static bool complete(struct row_maker *maker, size_t memory_max, struct error *err) {
    struct rows *rows = &maker->rows;
    struct arena *strings = &rows->strings;
    size_t wanted = strings->capacity;
    for (; !derive_rows(&maker->later, 0, rows->count, strings); wanted *= 2) {
        if (wanted + rows->strings.capacity > memory_max)
            return error_set(
                err, ERROR_CONFIG,
                "topic %s: the computed columns of %zu records need more memory than a "
                "worker has (%zu bytes): raise SPARK_DRIVER_MEMORY",
                maker->query->topic, rows->count, memory_max);
        strings = &maker->strings;
        arena_deinit(strings);
        arena_init(strings, wanted);
    }
    derive_count_faults(&maker->at_once, rows->schema, rows->count, &maker->decoder->counts);
    derive_count_faults(&maker->later, rows->schema, rows->count, &maker->decoder->counts);
    return true;
}

bool row_maker_counts_by_range(const struct row_maker *maker) {
    return maker->expand != NULL;
}

bool row_maker_flush(struct row_maker *maker, size_t memory_max, struct range_outcome *outcome,
                     rows_fn *emit, void *context, struct error *err) {
    if (maker->expand == NULL)
        return emit == NULL ||
               (complete(maker, memory_max, err) && emit(context, &maker->rows, err));
    const struct expand_call call = {.now_ms = maker->decoder->batch_time_ms,
                                     .memory_max = memory_max,
                                     .outcome = outcome,
                                     .counts = &maker->decoder->counts,
                                     .abandon = maker->abandon,
                                     .emit = emit,
                                     .context = context};
    return expand_records(maker->expand, &call, err);
}

void row_maker_count_record(const struct row_maker *maker, size_t index, int64_t *exploded,
                            int64_t *rows) {
    *exploded = *rows = 1;
    if (maker->expand != NULL)
        expand_count_record(maker->expand, index, exploded, rows);
}

void row_maker_reset(struct row_maker *maker) {
    bool grown = maker->rows.strings.capacity > maker->string_bytes;
    arena_deinit(&maker->strings);
    rows_reset(&maker->rows);
    if (grown)
        rows_resize_strings(&maker->rows, maker->string_bytes);
}

size_t row_maker_memory(const struct row_maker *maker) {
    // What is read here never changes.
    return rows_memory(maker->query->schema, maker->rows.capacity, maker->string_bytes) +
           maker->at_once.eval.memory + maker->later.eval.memory +
           (maker->expand == NULL ? 0 : expand_memory(maker->expand));
}
