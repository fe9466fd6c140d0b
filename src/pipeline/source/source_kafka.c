/* Messages are taken from the partition's queue many at a time, and looked at one by one (step()).
 *
 * When nothing comes, librdkafka's reports say why (kafka_client_trouble()). After a while without
 * records and without reports the broker itself is asked (ask_why()). We wait as long as waiting
 * can help: a refusal, a limit of the machine and a batch beyond the memory end the range. Two
 * things are not believed at once: that the broker does not have an offset, which is asked for
 * again, and that a batch of zstd can't be unpacked, which is tried with more room.
 *
 * What must stay true: the position moves over records that were handed out, and to the range's
 * end once nothing more can come before it. A range that fails leaves no handle behind, so that it
 * begins again. */
#include "pipeline/source/source_kafka.h"

#include <errno.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/limit.h"
#include "base/system/clock.h"
#include "pipeline/source/kafka_errors.h"
#include "pipeline/source/kafka_partitions.h"

enum {
    CONFIRM_WAIT_MS = 5000, // for the broker's answer where a log starts and ends
    QUIET_MS = 3000,        // without records and without trouble, after which the broker is asked
    ASK_WAIT_MS = 1000,     // for the answer
};

struct source_kafka {
    struct source source;
    struct kafka_settings settings;
    struct kafka_statistics_box statistics;
    struct kafka_partitions set;

    struct kafka_start *expected; // owned; in the order in which they are to be opened
    size_t expected_count;

    bool is_open;
    struct offset_range range; // the open one
    bool was_denied;           // the broker said of an offset of it that it has none such, in error
    size_t current;            // its partition
    int64_t quiet_since_ms;    // when something came last, or the broker was asked
    rd_kafka_message_t *taken[KAFKA_TAKE_MAX];
    size_t next, count;       // taken[next .. count) are still to be looked at
    rd_kafka_message_t *lent; // whose bytes the caller may still look at
};

static struct source_kafka *self_of(struct source *source) {
    return (struct source_kafka *)source;
}

static struct kafka_partition *current_of(struct source_kafka *self) {
    return &self->set.partitions[self->current];
}

/* Sets the error with the place in front: topic, partition, offset. */
#define error_set_at(self, err, kind, format, ...)                                                 \
    error_set(err, kind, "topic '%s' partition %" PRId32 " at offset %" PRId64 ": " format,        \
              kafka_partitions_topic(&(self)->set, (self)->current), (self)->range.partition,      \
              current_of(self)->position, __VA_ARGS__)

/* --- opening and leaving a range ------------------------------------------------------------- */

static void return_lent(struct source_kafka *self) {
    if (self->lent != NULL)
        rd_kafka_message_destroy(self->lent);
    self->lent = NULL;
}

/* Starts the partition and those that are expected after it. */
static bool start_from(struct source_kafka *self, struct kafka_start start, struct error *err) {
    for (size_t i = 0; i < self->expected_count; i++) {
        if (self->expected[i].index == start.index && self->expected[i].offset == start.offset)
            return kafka_partitions_start(&self->set, self->expected + i, self->expected_count - i,
                                          err);
    }
    return kafka_partitions_start(&self->set, &start, 1, err);
}

/* Without this, each partition's first records would wait for the broker to give up waiting for
 * news of the one before: 20 ms (fetch.wait.max.ms) a partition after a start or a rest. */
static void expect_ranges(struct source *source, const char *topic,
                          const struct offset_range *ranges, size_t count) {
    struct source_kafka *self = self_of(source);
    check(!self->is_open);
    free(self->expected);
    self->expected = must_alloc(count, sizeof *self->expected);
    self->expected_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (ranges[i].start == ranges[i].end)
            continue;
        size_t index = kafka_partitions_use(&self->set, topic, ranges[i].partition);
        self->expected[self->expected_count++] = (struct kafka_start){index, ranges[i].start};
    }
    struct error ignored;
    if (self->expected_count > 0 &&
        !kafka_partitions_start(&self->set, self->expected, self->expected_count, &ignored))
        self->expected_count = 0; // opening the first will say why
}

static bool open_range(struct source *source, const char *topic, struct offset_range range,
                       struct error *err) {
    struct source_kafka *self = self_of(source);
    check(!self->is_open);
    check(range.start >= 0 && range.end >= range.start);
    return_lent(self);
    self->current = kafka_partitions_use(&self->set, topic, range.partition);
    struct kafka_start start = {self->current, range.start};
    if (!kafka_partitions_continues(&self->set, start) && range.end > range.start &&
        !start_from(self, start, err))
        return false;
    self->next = 0;
    self->count = kafka_partitions_unhold(&self->set, self->current, self->taken);
    self->range = range;
    self->was_denied = false;
    self->quiet_since_ms = clock_monotonic_ms();
    self->is_open = true;
    return true;
}

/* What was taken and not handed out stays for the partition's next range. */
static void leave_range(struct source_kafka *self) {
    kafka_partitions_hold(&self->set, self->current, self->taken + self->next,
                          self->count - self->next);
    self->next = self->count = 0;
    self->is_open = false;
}

static enum source_status end_range(struct source_kafka *self) {
    struct kafka_partition *partition = current_of(self);
    leave_range(self);
    if (partition->active && partition->position < self->range.end)
        partition->position = self->range.end;
    return SOURCE_END;
}

static void abandon_range(struct source *source) {
    struct source_kafka *self = self_of(source);
    return_lent(self);
    // Nothing is wrong with what is queued. If the next range begins where this one stopped, it
    // continues; if it begins elsewhere, opening it starts the partition again.
    if (self->is_open)
        leave_range(self);
}

/* What cannot continue begins again, with another handle. */
static void reset(struct source_kafka *self) {
    for (; self->next < self->count; self->next++)
        rd_kafka_message_destroy(self->taken[self->next]);
    self->next = self->count = 0;
    kafka_partitions_reset(&self->set);
}

static enum source_status fail_range(struct source_kafka *self) {
    reset(self);
    self->is_open = false;
    return SOURCE_FAILED;
}

/* --- one message after the other ------------------------------------------------------------- */

/* The outcome of a message. */
enum step { STEP_RECORD, STEP_NEXT, STEP_END, STEP_NOT_THERE, STEP_UNPACK_MORE, STEP_FAILED };

/* Where the partition's log starts, and where it ends under the isolation level. */
static rd_kafka_resp_err_t ask_log(struct source_kafka *self, int64_t *low, int64_t *high,
                                   int timeout_ms) {
    *low = *high = -1;
    return rd_kafka_query_watermark_offsets(self->set.client.handle,
                                            kafka_partitions_topic(&self->set, self->current),
                                            self->range.partition, low, high, timeout_ms);
}

/* Continues at the current partition's position, with another handle. */
static bool begin_again(struct source_kafka *self, struct error *err) {
    struct kafka_start start = {self->current, current_of(self)->position};
    reset(self);
    return kafka_partitions_start(&self->set, &start, 1, err);
}

static bool unpack_more(struct source_kafka *self, struct error *err) {
    kafka_partitions_unpack_more(&self->set);
    return begin_again(self, err);
}

/* The broker said that it does not have the offset we want. Whether that is so is asked of it,
 * since a report may be late: librdkafka does not distinguish it from one for an earlier start.
 * With another handle none is, so the second time the range is given up, and the reader pauses. */
static bool confirm_there(struct source_kafka *self, struct error *err) {
    int64_t position = current_of(self)->position, low, high;
    rd_kafka_resp_err_t code = ask_log(self, &low, &high, CONFIRM_WAIT_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set_at(self, err, ERROR_BROKER,
                            "cannot find out whether the broker still has it: %s",
                            rd_kafka_err2str(code));
    if (position < low || position > high)
        return error_set_at(self, err, ERROR_DATA_LOSS,
                            "the broker does not have it; its log starts at %" PRId64
                            " and ends at %" PRId64 " (needed: %" PRId64 " to %" PRId64 ")",
                            low, high, self->range.start, self->range.end);
    if (self->was_denied)
        return error_set_at(self, err, ERROR_BROKER,
                            "the broker keeps refusing it, although its log starts at %" PRId64
                            " and ends at %" PRId64 ": check whether its replicas are in sync",
                            low, high);
    self->was_denied = true;
    return begin_again(self, err);
}

/* Sets the error by the verdict on the code. */
static bool set_by_verdict(struct source_kafka *self, rd_kafka_resp_err_t code, const char *text,
                           struct error *err) {
    const char *cure = kafka_verdict_of((int)code).cure;
    return error_set_at(self, err, kafka_error_kind((int)code), "%s%s%s", text,
                        *cure != '\0' ? "; " : "", cure);
}

static enum step fail_by(struct source_kafka *self, const rd_kafka_message_t *message,
                         struct error *err) {
    set_by_verdict(self, message->err, rd_kafka_message_errstr(message), err);
    return STEP_FAILED;
}

/* Not unpacked: damaged, or of zstd and larger than librdkafka may unpack; then it is allowed more,
 * once. */
static enum step step_packed(struct source_kafka *self, const rd_kafka_message_t *message,
                             struct error *err) {
    // Only the text tells the codec, by its number in Kafka's protocol.
    const char *text = rd_kafka_message_errstr(message);
    if (strstr(text, "(codec 0x") != NULL && strstr(text, "(codec 0x4)") == NULL)
        return fail_by(self, message, err);
    if (kafka_partitions_can_unpack_more(&self->set))
        return STEP_UNPACK_MORE;
    if (self->set.limits.largest >= INT32_MAX) // librdkafka's own limit
        return fail_by(self, message, err);
    error_set_at(self, err, ERROR_CONFIG,
                 "a record batch decompresses to more than the %zu bytes of memory for it: raise "
                 "SPARK_DRIVER_MEMORY; if that does not help, the batch is damaged (%s)",
                 self->set.memory.unpacked, text);
    return STEP_FAILED;
}

/* From 2.1 on, librdkafka compares leader epochs when the leader changes, and says so only in the
 * text. What was read of the range is of a log that is gone: the range is of no use. */
static bool is_truncation(const rd_kafka_message_t *message) {
    return strstr(rd_kafka_message_errstr(message), "truncation") != NULL;
}

/* A message that is none: what librdkafka has to say about the partition. */
static enum step step_report(struct source_kafka *self, const rd_kafka_message_t *message,
                             struct error *err) {
    struct kafka_partition *partition = current_of(self);
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (message->offset > partition->proved_to)
            partition->proved_to = message->offset;
        return STEP_NEXT;
    }
    if (message->err == RD_KAFKA_RESP_ERR__BAD_COMPRESSION)
        return step_packed(self, message, err);
    switch (kafka_verdict_of(message->err).fate) {
    case KAFKA_PASSES:
        kafka_client_note_trouble(&self->set.client, rd_kafka_message_errstr(message));
        return STEP_NEXT;
    case KAFKA_ASK:
        if (!is_truncation(message))
            return STEP_NOT_THERE;
        error_set_at(self, err, ERROR_BROKER,
                     "the log was truncated below it when the leader changed (%s)",
                     rd_kafka_message_errstr(message));
        return STEP_FAILED;
    default:
        // librdkafka would step over a batch that it can't read: with the range given up it is
        // fetched again.
        return fail_by(self, message, err);
    }
}

/* librdkafka takes headers apart when they are asked for. */
static bool read_header(const struct record *record, size_t index, struct record_header *header) {
    rd_kafka_headers_t *headers;
    const void *value;
    if (rd_kafka_message_headers(record->message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_all(headers, index, &header->key, &value, &header->value_size) !=
            RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    header->value = value;
    return true;
}

static void fill_record(const rd_kafka_message_t *message, struct record *record) {
    rd_kafka_timestamp_type_t type;
    int64_t timestamp = rd_kafka_message_timestamp(message, &type);
    *record = (struct record){
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_type = (int8_t)(type - RD_KAFKA_TIMESTAMP_CREATE_TIME),
        .timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp,
        .value = message->payload,
        .value_size = message->len,
        .key = message->key,
        .key_size = message->key_len,
        .header = read_header,
        .message = message,
    };
}

static enum step step(struct source_kafka *self, struct record *record, struct error *err) {
    rd_kafka_message_t *message = self->taken[self->next];
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        self->next++;
        enum step result = step_report(self, message, err);
        rd_kafka_message_destroy(message);
        return result;
    }
    struct kafka_partition *partition = current_of(self);
    if (message->offset < partition->position) {
        error_set_at(self, err, ERROR_STATE, "the broker sent offset %" PRId64 " instead",
                     message->offset);
        return STEP_FAILED;
    }
    if (message->offset >= self->range.end)
        return STEP_END; // and the message stays
    self->next++;
    self->lent = message;
    partition->position = message->offset + 1;
    fill_record(message, record);
    return STEP_RECORD;
}

/* --- reading --------------------------------------------------------------------------------- */

/* The topic's own error behind `code`: a topic that may not be read is only "unknown" otherwise. */
static rd_kafka_resp_err_t topic_error(struct source_kafka *self, rd_kafka_resp_err_t code) {
    rd_kafka_topic_t *topic = self->set.topics[current_of(self)->topic].handle;
    const rd_kafka_metadata_t *metadata;
    if (rd_kafka_metadata(self->set.client.handle, 0, topic, &metadata, ASK_WAIT_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return code;
    if (metadata->topic_cnt == 1 && metadata->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR)
        code = metadata->topics[0].err;
    rd_kafka_metadata_destroy(metadata);
    return code;
}

/* Nothing has come for a while and nothing is known to be wrong: asks the broker now and then. What
 * it says goes to the client's trouble. False: waiting does not help. */
static bool ask_why(struct source_kafka *self, struct error *err) {
    int64_t low, high;
    rd_kafka_resp_err_t code = ask_log(self, &low, &high, ASK_WAIT_MS);
    self->quiet_since_ms = clock_monotonic_ms();
    if (kafka_error_is_refusal((int)code))
        code = topic_error(self, code);
    enum kafka_fate fate = kafka_verdict_of((int)code).fate;
    // What fails here is a question: no batch is damaged.
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && fate != KAFKA_PASSES && fate != KAFKA_DAMAGED)
        return set_by_verdict(self, code, rd_kafka_err2str(code), err);
    char text[256] = "";
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        snprintf(text, sizeof text, "no answer from Kafka at '%s': %s",
                 self->set.settings->bootstrap_servers, kafka_error_text((int)code));
    else if (high < self->range.end)
        snprintf(text, sizeof text,
                 "waiting for the topic to reach offset %" PRId64 "; it ends at %" PRId64
                 " (the rest may be in an open transaction)",
                 self->range.end, high);
    char known[KAFKA_TROUBLE_MAX]; // meanwhile; it says more
    if (text[0] != '\0' && kafka_client_trouble(&self->set.client, known, sizeof known) == 0)
        kafka_client_note_trouble(&self->set.client, text);
    return true;
}

/* Whether a limit of the machine prevents it permanently, or has for a while: a socket may be
 * available at the next attempt. */
static bool is_stopped_by_limit(struct source_kafka *self, const char *trouble, struct error *err) {
    int limit = kafka_client_limit(&self->set.client);
    if (limit == 0 || (limit != EAGAIN && clock_monotonic_ms() - self->quiet_since_ms <= QUIET_MS))
        return false;
    (void)limit_error(err, trouble, limit);
    return true;
}

/* Nothing came: says what prevents it, if known. */
static enum source_status wait_or_fail(struct source_kafka *self, struct error *err) {
    char text[KAFKA_TROUBLE_MAX];
    int count = kafka_client_trouble(&self->set.client, text, sizeof text);
    if (count == 0 && clock_monotonic_ms() - self->quiet_since_ms > QUIET_MS) {
        if (!ask_why(self, err))
            return fail_range(self);
        count = kafka_client_trouble(&self->set.client, text, sizeof text);
    }
    *err = (struct error){0};
    if (kafka_client_met_too_large(&self->set.client)) {
        error_set_at(self, err, ERROR_CONFIG,
                     "a record batch is larger than the %zu bytes of memory for it: raise "
                     "SPARK_DRIVER_MEMORY (%s)",
                     self->set.limits.largest, text);
        return fail_range(self);
    }
    if (count > 0)
        error_set_at(self, err, ERROR_BROKER, "%s", text);
    if (count > 0 && is_stopped_by_limit(self, text, err))
        return fail_range(self);
    if (count > 0 && kafka_client_was_refused(&self->set.client))
        return fail_range(self);
    return SOURCE_WAIT;
}

/* librdkafka can't even be asked for messages. */
static enum source_status fail_taking(struct source_kafka *self, int code, struct error *err) {
    set_by_verdict(self, (rd_kafka_resp_err_t)code, rd_kafka_err2str((rd_kafka_resp_err_t)code),
                   err);
    error_wrap(err, "cannot get records");
    return fail_range(self);
}

/* Gets messages to look at; none came by the deadline, which begins to count here: self->count
 * is 0. False: none can come; *code says why. */
static bool fetch(struct source_kafka *self, int timeout_ms, int64_t *deadline_ms, int *code) {
    int64_t left = self->range.end - current_of(self)->position;
    size_t size = left < KAFKA_TAKE_MAX ? (size_t)left : KAFKA_TAKE_MAX;
    self->next = 0;
    if (!kafka_partitions_take(&self->set, self->current, self->taken, size, 0, &self->count, code))
        return false;
    if (self->count > 0) {
        self->quiet_since_ms = -1;
        return true;
    }
    int64_t now_ms = clock_monotonic_ms();
    if (*deadline_ms < 0)
        *deadline_ms = now_ms + timeout_ms;
    if (self->quiet_since_ms < 0)
        self->quiet_since_ms = now_ms; // the clock is not asked while records come
    return now_ms >= *deadline_ms ||
           kafka_partitions_take(&self->set, self->current, self->taken, size,
                                 (int)(*deadline_ms - now_ms), &self->count, code);
}

static enum source_status read_record(struct source *source, struct record *record, int timeout_ms,
                                      struct error *err) {
    struct source_kafka *self = self_of(source);
    check(self->is_open);
    return_lent(self);
    int64_t deadline_ms = -1;
    for (;;) {
        const struct kafka_partition *partition = current_of(self);
        if (self->range.start == self->range.end || partition->position >= self->range.end ||
            partition->proved_to >= self->range.end)
            return end_range(self);
        if (self->next == self->count) {
            int code;
            if (!fetch(self, timeout_ms, &deadline_ms, &code))
                return fail_taking(self, code, err);
            if (self->count == 0)
                return wait_or_fail(self, err);
        }
        switch (step(self, record, err)) {
        case STEP_RECORD:
            return SOURCE_RECORD;
        case STEP_END:
            return end_range(self);
        case STEP_NOT_THERE:
            if (!confirm_there(self, err))
                return fail_range(self);
            break;
        case STEP_UNPACK_MORE:
            if (!unpack_more(self, err))
                return fail_range(self);
            break;
        case STEP_FAILED:
            return fail_range(self);
        case STEP_NEXT:
            break;
        }
    }
}

static void rest(struct source *source) {
    struct source_kafka *self = self_of(source);
    check(!self->is_open);
    return_lent(self);
    kafka_partitions_rest(&self->set);
}

static void tend(struct source *source) {
    kafka_client_tend(&self_of(source)->set.client);
}

static bool read_statistics(struct source *source, struct kafka_statistics *statistics) {
    return kafka_statistics_read(&self_of(source)->statistics, statistics);
}

static void close_source(struct source *source) {
    struct source_kafka *self = self_of(source);
    abandon_range(source);
    kafka_partitions_deinit(&self->set);
    kafka_statistics_deinit(&self->statistics);
    free(self->expected);
    free(self);
}

struct source *source_kafka_open(const struct kafka_settings *settings,
                                 struct source_memory memory) {
    static const struct source_ops ops = {
        .expect_ranges = expect_ranges,
        .open_range = open_range,
        .read = read_record,
        .abandon_range = abandon_range,
        .rest = rest,
        .tend = tend,
        .statistics = read_statistics,
        .close = close_source,
    };
    struct source_kafka *self = must_alloc(1, sizeof *self);
    self->source.ops = &ops;
    self->settings = *settings;
    kafka_statistics_init(&self->statistics);
    if (settings->statistics_ms > 0)
        self->settings.statistics = &self->statistics;
    kafka_partitions_init(&self->set, &self->settings, memory);
    return &self->source;
}
