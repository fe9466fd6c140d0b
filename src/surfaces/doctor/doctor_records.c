/* The newest records of a topic, about RECORDS_WANTED of all partitions together, are read with the
 * properties of a run and decoded with the query's own decoder, and nothing is kept: the outcome is
 * that of a run. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "core/calendar.h"
#include "streaming/kafka/newest_records.h"
#include "streaming/start/streaming.h"
#include "streaming/tasks/row_maker.h"
#include "surfaces/doctor/doctor_checks.h"
#include "surfaces/terminal/quantity.h"
#include "surfaces/terminal/text_table.h"

enum {
    READ_MS = 5000,        // for all partitions of a topic
    READ_MEMORY = 4 << 20, // bytes
    RECORDS_WANTED = 100,
    OFFSETS_MAX = 10000,  // at once, of a partition
    MANY_PERCENT = 5,     // of rejects
    KEYS_SHOWN = 8,       // of each list
    LIST_TEXT_MAX = 1024, // bytes
    AHEAD_MS = 5000,      // how far a record may be ahead of our clock
};

/* The records read, and their outcome. */
struct sample {
    const struct stream *stream;
    struct query_definition definition;
    struct worker_query work;
    struct row_maker maker;
    struct stage_clock clock;
    size_t memory_max;

    int64_t records, rows, rejects[REJECT_REASON_COUNT];
    int64_t newest_ms;         // the latest timestamp; INT64_MIN: no record
    char first[LIST_TEXT_MAX]; // of the rejects
};

/* ---- decoding ---- */

static void note_reject(struct sample *sample, const struct record *record,
                        const struct reject *reject) {
    if (sample->first[0] == '\0')
        (void)snprintf(sample->first, sizeof sample->first,
                       "partition %" PRId32 ", offset %" PRId64 ": %s", record->partition,
                       record->offset, reject->detail);
    sample->rejects[reject->reason]++;
}

static bool take_record(void *context, const struct record *record, struct error *err) {
    struct sample *sample = context;
    struct reject reject;
    enum decode_result result;
    while ((result = row_maker_make(&sample->maker, record, &sample->clock, &reject)) ==
           DECODE_FULL)
        if (!row_maker_grow(&sample->maker, record, sample->memory_max, err))
            return false;
    row_maker_reset(&sample->maker);
    sample->records++;
    sample->newest_ms =
        record->timestamp_ms > sample->newest_ms ? record->timestamp_ms : sample->newest_ms;
    if (result == DECODE_ROW)
        sample->rows++;
    else
        note_reject(sample, record, &reject);
    return true;
}

/* ---- saying ---- */

static void check_age(const char *topic, int64_t timestamp_ms, struct doctor_report *report) {
    char moment[MOMENT_TEXT_MAX];
    if (!kafka_timestamp_fits(timestamp_ms)) {
        doctor_warn(report, "newest record", topic, "fix the producer: it must send milliseconds",
                    "its timestamp, %" PRId64
                    " milliseconds since 1970, is out of range: the record will be rejected",
                    timestamp_ms);
        return;
    }
    int64_t age_ms = clock_wall_ms() - timestamp_ms;
    moment_format(kafka_timestamp_micros(timestamp_ms), moment);
    if (age_ms < -AHEAD_MS)
        doctor_warn(report, "newest record", topic,
                    "correct the clock of this machine, of the producer or of the broker",
                    "its timestamp, %s, is %" PRId64 " seconds ahead of this machine's clock",
                    moment, -age_ms / 1000);
    else
        doctor_ok(report, "newest record", topic,
                  "can be read; its timestamp is %s, %" PRId64 " seconds ago", moment,
                  age_ms / 1000);
}

/* "missing_identifier 73, malformed_json 1". */
static void list_reasons(const struct sample *sample, char text[static LIST_TEXT_MAX]) {
    size_t used = 0;
    for (size_t i = 0; i < REJECT_REASON_COUNT; i++)
        if (sample->rejects[i] > 0)
            used = text_append(text, LIST_TEXT_MAX, used, "%s%s %" PRId64, used > 0 ? ", " : "",
                               reject_reason_name((enum reject_reason)i), sample->rejects[i]);
}

static int by_count(const void *a, const void *b) {
    const struct unknown_name *left = a, *right = b;
    return (left->count < right->count) - (left->count > right->count);
}

/* "matchId (73), state (20)": the most frequent first. "": all keys are columns. */
static void list_keys(struct sample *sample, char text[static LIST_TEXT_MAX]) {
    struct unknown_keys *keys = &sample->maker.decoder->counts.unknown_names;
    char name[CELL_TEXT_MAX];
    size_t used = 0;
    text[0] = '\0';
    if (keys->count > 1)
        qsort(keys->names, keys->count, sizeof keys->names[0], by_count);
    for (size_t i = 0; i < keys->count && i < KEYS_SHOWN; i++) {
        cell_text_of(text_borrow(keys->names[i].text), name); // a key may hold anything
        used = text_append(text, LIST_TEXT_MAX, used, "%s%s (%" PRId64 ")", i > 0 ? ", " : "", name,
                           keys->names[i].count);
    }
    if (keys->count > KEYS_SHOWN)
        (void)text_append(text, LIST_TEXT_MAX, used, ", …");
}

/* The keys that become columns. */
static void list_wanted(const struct sample *sample, char text[static LIST_TEXT_MAX]) {
    const struct schema *schema = &sample->definition.schema;
    size_t used = 0;
    for (size_t i = 0; i < schema->record_count && i < KEYS_SHOWN; i++)
        used = text_append(text, LIST_TEXT_MAX, used, "%s%s", i > 0 ? ", " : "",
                           schema->inputs[i].name);
    (void)text_append(text, LIST_TEXT_MAX, used, "%s",
                      schema->record_count > KEYS_SHOWN ? ", …" : "");
}

/* One sentence on the records, with what is not as expected. */
static char *describe(struct sample *sample) {
    char reasons[LIST_TEXT_MAX], keys[LIST_TEXT_MAX], wanted[LIST_TEXT_MAX];
    int64_t rejects = sample->records - sample->rows;
    list_keys(sample, keys);
    // Otherwise it can have no row all the same.
    const char *kept = plan_is_row_per_record(sample->work.plan) ? "become rows" : "be accepted";
    scoped(scope_free) char *came =
        keys[0] != '\0' ? text_format("; keys that are not columns: %s", keys) : text_copy("");
    if (rejects == 0)
        return text_format("all of the newest %" PRId64 " would %s%s", sample->records, kept, came);
    list_reasons(sample, reasons);
    list_wanted(sample, wanted);
    return text_format("%" PRId64 " of the newest %" PRId64 " would %s, %" PRId64
                       " would be rejected: %s; the first: %s%s%s%s",
                       sample->rows, sample->records, kept, rejects, reasons, sample->first, came,
                       keys[0] != '\0' ? "; expected keys: " : "", keys[0] != '\0' ? wanted : "");
}

/* In a file of the user's, it may also be a key that is wrong. */
static char *make_cure(const struct stream *stream) {
    const char *key = stream->schema.identifier;
    if (stream->is_builtin)
        return text_format(
            "check that %s names the right topic; if it does, fix the producer: a "
            "record must be a JSON object with the key '%s' (`esports-stream schema` "
            "lists all keys)",
            stream->topic_source, key);
    return text_format("check that %s names the right topic, and that CREATE TABLE in %s has the "
                       "records' keys as they are, with regard to case; if so, fix the producer: a "
                       "record must be a JSON object%s%s",
                       stream->topic_source, stream->plan.path,
                       key != NULL ? ", and these must not be null: " : "", key != NULL ? key : "");
}

static void check_rows(struct sample *sample, struct doctor_report *report) {
    const char *topic = sample->work.topic;
    int64_t rejects = sample->records - sample->rows;
    scoped(scope_free) char *text = describe(sample);
    scoped(scope_free) char *cure = make_cure(sample->stream);
    bool stops = sample->definition.options->parse_mode == PARSE_FAILFAST && rejects > 0;
    if (sample->rows == 0 || stops)
        doctor_fail(report, EXIT_CODE_RECORD, "records", topic, cure, "%s%s", text,
                    stops ? "; PARSE_MODE=failfast stops at the first" : "");
    else if (rejects * 100 >= sample->records * MANY_PERCENT)
        doctor_warn(report, "records", topic, cure, "%s", text);
    else
        doctor_ok(report, "records", topic, "%s", text);
}

static void tell(struct sample *sample, const struct topic_offsets *offsets,
                 struct doctor_report *report) {
    int64_t held = 0;
    for (size_t i = 0; i < offsets->count; i++)
        held += offsets->partitions[i].end - offsets->partitions[i].log_start;
    if (sample->records > 0) {
        check_age(sample->work.topic, sample->newest_ms, report);
        check_rows(sample, report);
    } else if (held > 0) {
        doctor_ok(report, "records", sample->work.topic,
                  "the newest offsets have no records: their transactions were aborted, or the log "
                  "was compacted");
    } else {
        doctor_ok(report, "records", sample->work.topic, "the topic is empty");
    }
}

/* ---- all of it ---- */

/* Also with PARSE_MODE=permissive it is said which records would have no identifier: rows of nulls
 * are never intended. */
static bool prepare(struct sample *sample, const struct query_options *options, struct error *err) {
    if (!query_definition_init(&sample->definition, options, err))
        return false;
    sample->work = (struct worker_query){
        .name = options->stream->name,
        .topic = options->store.topic,
        .schema = &sample->definition.schema,
        .record = options->stream->record,
        .plan = &options->stream->plan,
        .partition_columns = sample->definition.partition_columns,
        .partition_column_count = options->store.partition_by_count,
        .parse_mode = PARSE_REJECT,
        .time_zone = options->time_zone,
    };
    if (!row_maker_init(&sample->maker, &sample->work, 1, err))
        return false;
    sample->maker.batch_time_ms = clock_wall_ms();
    stage_clock_start(&sample->clock);
    return true;
}

static bool take_sample(const struct config *config, struct broker *broker,
                        const struct topic_offsets *offsets, struct sample *sample,
                        struct error *err) {
    struct source *source;
    struct source_memory memory =
        streaming_source_memory(config_memory_budget(config), (size_t)config->workers);
    memory.fetched = READ_MEMORY;
    sample->memory_max = (size_t)config_memory_budget(config) / (size_t)config->workers;
    if (!broker->ops->open_source(broker, memory, &source, err))
        return false;
    struct newest_records newest = {.topic = sample->work.topic,
                                    .wanted = RECORDS_WANTED,
                                    .offsets_max = OFFSETS_MAX,
                                    .read_ms = READ_MS,
                                    .take = take_record,
                                    .context = sample};
    bool ok = newest_records_read(&newest, source, offsets, err);
    source->ops->close(source);
    return ok;
}

void doctor_check_records(const struct config *config, const struct stream *stream,
                          struct broker *broker, const struct topic_offsets *offsets,
                          struct doctor_report *report) {
    struct error err = {0};
    struct query_options options = config_query_options(config, stream);
    struct sample *sample = must_alloc(1, sizeof *sample); // too large for a thread's stack
    sample->stream = stream;
    sample->newest_ms = INT64_MIN;
    if (prepare(sample, &options, &err) && take_sample(config, broker, offsets, sample, &err))
        tell(sample, offsets, report);
    else
        doctor_fail_error(
            report, exit_code_of(err.kind), "newest record", options.store.topic,
            err.kind == ERROR_BROKER
                ? "if the broker is healthy: with ACLs, grant the user READ on the topic"
                : NULL, // the text says it
            &err);
    row_maker_deinit(&sample->maker);
    free(sample);
    config_store_options_deinit(&options.store);
}
