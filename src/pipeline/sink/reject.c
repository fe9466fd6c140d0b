#include "pipeline/sink/reject.h"

#include <pthread.h>

#include "base/check.h"
#include "core/kafka_timestamp.h"

static const struct column columns[REJECT_COLUMNS] = {
    [REJECT_TOPIC] = {"topic", TYPE_STRING, .required = true, .doc = "The record's topic"},
    [REJECT_PARTITION] = {"partition", TYPE_INT32, .required = true, .doc = "Its partition"},
    [REJECT_OFFSET] = {"offset", TYPE_INT64, .required = true,
                       .doc = "Its offset in the partition"},
    [REJECT_KAFKA_TIMESTAMP] =
        {"kafka_timestamp", TYPE_TIMESTAMP,
         .doc = "Its timestamp; null when it is beyond what a timestamp can hold"},
    [REJECT_KEY] = {"key", TYPE_BINARY, .doc = "Its key, as it came"},
    [REJECT_VALUE] = {"value", TYPE_BINARY, .doc = "Its value, as it came"},
    [REJECT_REASON] = {"reason", TYPE_STRING, .required = true,
                       .doc = "Why it is no row: one of a few words"},
    [REJECT_DETAIL] = {"detail", TYPE_STRING, .required = true, .doc = "The same in a sentence"},
    [REJECT_POSITION] = {"position", TYPE_INT64, .required = true,
                         .doc = "Byte of the value where the trouble is"},
    [REJECT_PROCESSED] = {"processing_timestamp", TYPE_TIMESTAMP, .required = true,
                          .doc = "When the micro-batch was planned; the same when it runs again"},
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
    options.schema = reject_schema();
    options.partition_columns = NULL;
    options.partition_column_count = 0;

    struct reject_sink *rejects = must_alloc(1, sizeof *rejects);
    rejects->sink = sink_create(&options);
    rejects->topic = (struct text){topic, (uint32_t)strlen(topic)};
    rejects->batch_timestamp_ms = batch_timestamp_ms;
    rows_init(&rejects->rows, options.schema, 1, 1);
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
