/* The source of pipeline/source/source.h, with the outcomes of source_kafka.c.
 *
 * As with librdkafka, what is fetched may reach beyond the range, stays for the next one, and is
 * handed out also when the broker has it no more. When nothing is left of it, a fetch follows,
 * which can fail in all the ways that there are. A range that fails leaves nothing behind. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "model_broker.h"
#include "model_cluster.h"

enum { FETCHED_MAX = 48, QUIET_MS = 3000, CONFIRM_WAIT_MS = 5000, STALLS_MAX = 60 };

/* What is fetched of a partition. */
struct fetched {
    bool is_active;
    int64_t position;  // of the next record
    int64_t proved_to; // nothing more comes before
    size_t next, count;
    size_t entries[FETCHED_MAX]; // of the cluster's
};

struct model_source {
    struct source source;
    int topic; // that was fetched last
    struct fetched partitions[MODEL_PARTITIONS_MAX];
    bool is_open;
    struct offset_range range;
    int64_t quiet_ms; // without records
    int stalls_left;  // calls that get nothing
    bool was_damaged; // the newest fetch
    struct content content;
};

static struct model_source *self_of(struct source *source) {
    return (struct model_source *)source;
}

static struct fetched *current_of(struct model_source *self) {
    return &self->partitions[self->range.partition];
}

/* Sets the error with the place in front. */
#define error_set_at(self, err, kind, format, ...)                                                 \
    error_set(err, kind,                                                                           \
              "topic '" MODEL_TOPIC "' partition %" PRId32 " at offset %" PRId64 ": " format,      \
              (self)->range.partition, current_of(self)->position, __VA_ARGS__)

static void start(struct fetched *fetched, int64_t position) {
    *fetched = (struct fetched){.is_active = true, .position = position, .proved_to = -1};
}

static bool goes_on_at(const struct fetched *fetched, int64_t position) {
    return fetched->is_active && fetched->position == position;
}

static void expect_ranges(struct source *source, const char *topic,
                          const struct offset_range *ranges, size_t count) {
    (void)topic;
    struct model_source *self = self_of(source);
    check(!self->is_open);
    for (size_t i = 0; i < count; i++) {
        struct fetched *fetched = &self->partitions[ranges[i].partition];
        if (ranges[i].start < ranges[i].end && !goes_on_at(fetched, ranges[i].start))
            start(fetched, ranges[i].start);
    }
}

static bool open_range(struct source *source, const char *topic, struct offset_range range,
                       struct error *err) {
    struct model_source *self = self_of(source);
    check(!self->is_open && strcmp(topic, MODEL_TOPIC) == 0);
    check(range.start >= 0 && range.end >= range.start && range.partition < MODEL_PARTITIONS_MAX);
    if (cluster.is_dead)
        return error_set(err, ERROR_CONFIG, "the process has ended");
    self->range = range;
    if (range.end > range.start && !goes_on_at(current_of(self), range.start))
        start(current_of(self), range.start);
    self->quiet_ms = 0;
    self->is_open = true;
    return true;
}

static enum source_status end_range(struct model_source *self) {
    struct fetched *fetched = current_of(self);
    if (fetched->is_active && fetched->position < self->range.end)
        fetched->position = self->range.end;
    self->is_open = false;
    return SOURCE_END;
}

static enum source_status fail_range(struct model_source *self) {
    memset(self->partitions, 0, sizeof self->partitions);
    self->is_open = false;
    return SOURCE_FAILED;
}

static void abandon_range(struct source *source) {
    self_of(source)->is_open = false;
}

/* ---- fetching ---- */

/* Time passes, and nothing comes. */
static enum source_status wait(struct model_source *self, int timeout_ms) {
    cluster_pass(timeout_ms > 0 ? timeout_ms : 1);
    self->quiet_ms += timeout_ms;
    return SOURCE_WAIT;
}

static enum source_status wait_for_answer(struct model_source *self, int timeout_ms,
                                          struct error *err) {
    if (self->quiet_ms > 0)
        error_set_at(self, err, ERROR_BROKER, "%s",
                     "no answer from Kafka at 'simulated': no broker answered in time");
    return wait(self, timeout_ms);
}

/* A record batch that can't be read, but can be the next time. */
static bool is_damaged(struct model_source *self, struct error *err) {
    self->was_damaged = !self->was_damaged && cluster_fault(BROKER_DAMAGED);
    if (!self->was_damaged)
        return false;
    cluster_say("a fetch of partition %" PRId32 " is damaged", self->range.partition);
    error_set_at(self, err, ERROR_DAMAGED, "%s", "Local: Bad message format; the batch is damaged");
    return true;
}

static bool is_refused(struct model_source *self, struct error *err) {
    if (!cluster_fault(BROKER_FETCH_FAILED))
        return false;
    cluster_say("a fetch of partition %" PRId32 " fails", self->range.partition);
    error_set_at(self, err, ERROR_BROKER, "%s",
                 random_chance(&cluster.faults, 500)
                     ? "Broker: Topic authorization failed; grant the user DESCRIBE and READ on "
                       "the topic"
                     : "Broker: Unknown; see the broker's log");
    return true;
}

static bool has_partition(const struct model_source *self) {
    return cluster.has_topic && self->range.partition < cluster.log_count;
}

/* The broker does not have the position: it is asked where its log lies. */
static bool confirm_loss(struct model_source *self, const struct log *log, struct error *err) {
    cluster_pass(1);
    if (cluster.is_unreachable) {
        cluster_pass(CONFIRM_WAIT_MS);
        return error_set_at(self, err, ERROR_BROKER,
                            "cannot find out whether the broker still has it: %s",
                            "Local: Timed out");
    }
    cluster_note(BROKER_DATA_LOSS);
    cluster_say("partition %" PRId32 ": offset %" PRId64 " is not there", self->range.partition,
                current_of(self)->position);
    return error_set_at(self, err, ERROR_DATA_LOSS,
                        "the broker does not have it; its log starts at %" PRId64
                        " and ends at %" PRId64 " (needed: %" PRId64 " to %" PRId64 ")",
                        log->start, cluster_readable_end(log), self->range.start, self->range.end);
}

/* Takes records from the position on. */
static void take(struct fetched *fetched, const struct log *log) {
    int64_t end = cluster_readable_end(log), at = fetched->position;
    fetched->next = fetched->count = 0;
    size_t most = 1 + (size_t)random_below(&cluster.faults, FETCHED_MAX);
    for (; at < end && fetched->count < most; at++)
        if (cluster_is_record(cluster_entry(log, at)))
            fetched->entries[fetched->count++] = log->entries[at];
    if (at >= end && fetched->count == 0)
        fetched->proved_to = end;
}

/* The log has no record between the position and its readable end. */
static enum source_status wait_for_more(struct model_source *self, const struct log *log,
                                        int timeout_ms, struct error *err) {
    if (self->quiet_ms > QUIET_MS)
        error_set_at(self, err, ERROR_BROKER,
                     "waiting for the topic to reach offset %" PRId64 "; it ends at %" PRId64
                     " (the rest may be in an open transaction)",
                     self->range.end, cluster_readable_end(log));
    return wait(self, timeout_ms);
}

static bool is_stalled(struct model_source *self) {
    if (self->stalls_left == 0 && cluster_fault(BROKER_FETCH_STALLED)) {
        self->stalls_left = 1 + (int)random_below(&cluster.faults, STALLS_MAX);
        cluster_say("partition %" PRId32 ": nothing comes for a while", self->range.partition);
    }
    self->stalls_left = cluster.is_quiet ? 0 : self->stalls_left;
    if (self->stalls_left == 0)
        return false;
    self->stalls_left--;
    return true;
}

/* SOURCE_RECORD: there are records now, or the range ends. */
static enum source_status fetch(struct model_source *self, int timeout_ms, struct error *err) {
    struct fetched *fetched = current_of(self);
    *err = (struct error){0};
    if (cluster.is_unreachable || is_stalled(self))
        return cluster.is_unreachable ? wait_for_answer(self, timeout_ms, err)
                                      : wait(self, timeout_ms);
    cluster_pass(1 + (int64_t)random_below(&cluster.faults, 10));
    if (is_refused(self, err) || is_damaged(self, err))
        return fail_range(self);
    // A client that has fetched from the old topic gets one error, by its epoch or the topic's id.
    bool is_other = self->topic != cluster.topic;
    self->topic = cluster.topic;
    if (is_other || !has_partition(self)) {
        error_set_at(self, err, ERROR_BROKER, "%s",
                     "Broker: Unknown topic or partition; create the topic again, or correct its "
                     "name");
        return fail_range(self);
    }
    const struct log *log = &cluster.logs[self->range.partition];
    if (fetched->position < log->start || fetched->position > log->end) {
        (void)confirm_loss(self, log, err);
        return fail_range(self);
    }
    take(fetched, log);
    if (fetched->count == 0 && fetched->proved_to < self->range.end)
        return wait_for_more(self, log, timeout_ms, err);
    self->quiet_ms = 0;
    return SOURCE_RECORD;
}

/* ---- reading ---- */

static void fill_record(struct model_source *self, const struct model_record *from,
                        struct record *record) {
    struct content *content = &self->content;
    content_make(content, cluster.seed, cluster.chances.malformed,
                 (struct content_place){from->incarnation, from->partition, from->offset});
    *record = (struct record){
        .partition = from->partition,
        .offset = from->offset,
        .timestamp_ms = from->timestamp_ms,
        .timestamp_type = (int8_t)(from->timestamp_ms == -1 ? -1 : 0),
        .value = content->has_value ? content->value.bytes : NULL,
        .value_size = content->has_value ? content->value.length : 0,
        .key = content->has_key ? content->key.bytes : NULL,
        .key_size = content->has_key ? content->key.length : 0,
    };
}

static bool is_at_end(const struct model_source *self, const struct fetched *fetched) {
    return self->range.start == self->range.end || fetched->position >= self->range.end ||
           fetched->proved_to >= self->range.end;
}

static enum source_status read_record(struct source *source, struct record *record, int timeout_ms,
                                      struct error *err) {
    struct model_source *self = self_of(source);
    struct fetched *fetched = current_of(self);
    check(self->is_open);
    while (!is_at_end(self, fetched)) {
        if (cluster.is_dead) {
            error_set_at(self, err, ERROR_CONFIG, "%s", "the process has ended");
            return fail_range(self);
        }
        if (fetched->next == fetched->count) {
            enum source_status status = fetch(self, timeout_ms, err);
            if (status != SOURCE_RECORD)
                return status;
            continue;
        }
        const struct model_record *from = &cluster.entries[fetched->entries[fetched->next]].record;
        if (from->offset >= self->range.end)
            break; // and it stays
        fetched->next++;
        fetched->position = from->offset + 1;
        fill_record(self, from, record);
        return SOURCE_RECORD;
    }
    return end_range(self);
}

/* What was fetched is forgotten. */
static void rest(struct source *source) {
    struct model_source *self = self_of(source);
    check(!self->is_open);
    for (size_t i = 0; i < MODEL_PARTITIONS_MAX; i++)
        self->partitions[i].next = self->partitions[i].count = 0;
}

static void close_source(struct source *source) {
    cluster.open_handles--;
    free(self_of(source));
}

struct source *model_source_open(void) {
    static const struct source_ops ops = {
        .expect_ranges = expect_ranges,
        .open_range = open_range,
        .read = read_record,
        .abandon_range = abandon_range,
        .rest = rest,
        .close = close_source,
    };
    struct model_source *self = must_alloc(1, sizeof *self);
    self->source.ops = &ops;
    self->topic = cluster.topic;
    cluster.open_handles++;
    return &self->source;
}
