#include "pipeline/source_kafka.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"

enum {
    TAKE_MAX = 1024,          // messages taken from a partition's queue at once
    SLOTS_FIRST = 8,          // partitions that the first handle's memory is cut for
    QUEUE_LEAST = 128 * 1024, // bytes; below this a queue no longer hides a round trip
    QUEUE_MOST = 16 << 20,    // bytes; above this it only costs memory
    FETCH_LEAST = 64 * 1024,  // bytes
    FETCH_MOST = 1 << 20,     // bytes
    RESPONSE_MOST = 16 << 20, // bytes
    WATERMARK_WAIT_MS = 2000, // to say in a message where the log starts
};

struct topic {
    char *name;               // owned
    rd_kafka_topic_t *handle; // owned; NULL: not asked for since the client was opened
};

struct partition {
    size_t topic; // index into topics
    int32_t id;
    bool started;
    int64_t position;          // the offset from which on nothing has been handed out
    int64_t proved_to;         // no record that was not handed out lies below (as far as started)
    uint64_t opened;           // number of the open_range call that opened it last
    rd_kafka_message_t **held; // owned; taken from the queue, but beyond the range that was open
    size_t held_count;
};

struct source_kafka {
    struct source source;
    const struct kafka_settings *settings; // borrowed
    size_t memory_max;
    size_t slots; // partitions that may be started at the same time
    struct kafka_client client;
    struct topic *topics; // owned
    size_t topic_count;
    struct partition *partitions; // owned
    size_t partition_count;
    uint64_t opens;

    struct offset_range range; // the open one
    bool is_open;
    size_t current; // its partition, an index
    rd_kafka_message_t *taken[TAKE_MAX];
    size_t taken_next, taken_count;
    rd_kafka_message_t *lent; // whose bytes the caller may still look at
};

static struct source_kafka *self_of(struct source *source) {
    return (struct source_kafka *)source;
}

static struct topic *topic_of(struct source_kafka *self, const struct partition *partition) {
    return &self->topics[partition->topic];
}

static size_t started_count(const struct source_kafka *self) {
    size_t count = 0;
    for (size_t i = 0; i < self->partition_count; i++)
        count += self->partitions[i].started;
    return count;
}

/* --- memory: slots, handles, starting and stopping ------------------------------------------- */

static size_t between(size_t least, size_t value, size_t most) {
    return value < least ? least : value > most ? most : value;
}

/* Half of the memory for what waits in queues, a quarter for the fetch that may overshoot each
 * queue, the rest for responses under way and for what was taken from a queue. */
static struct kafka_limits limits_for(size_t memory_max, size_t slots) {
    return (struct kafka_limits){
        .queue = between(QUEUE_LEAST, memory_max / 2 / slots, QUEUE_MOST),
        .fetch = between(FETCH_LEAST, memory_max / 4 / slots, FETCH_MOST),
        .response = between(FETCH_MOST, memory_max / 8, RESPONSE_MOST),
    };
}

static void destroy_held(struct partition *partition) {
    for (size_t i = 0; i < partition->held_count; i++)
        rd_kafka_message_destroy(partition->held[i]);
    free(partition->held);
    partition->held = NULL;
    partition->held_count = 0;
}

static void stop_partition(struct source_kafka *self, struct partition *partition) {
    destroy_held(partition);
    if (!partition->started)
        return;
    // Waits for librdkafka's own threads only, never for a broker; fails only for what isn't
    // started.
    (void)rd_kafka_consume_stop(topic_of(self, partition)->handle, partition->id);
    partition->started = false;
}

static void close_client(struct source_kafka *self) {
    for (size_t i = 0; i < self->partition_count; i++)
        stop_partition(self, &self->partitions[i]);
    for (size_t i = 0; i < self->topic_count; i++) {
        if (self->topics[i].handle != NULL)
            rd_kafka_topic_destroy(self->topics[i].handle);
        self->topics[i].handle = NULL;
    }
    kafka_client_close(&self->client);
}

static void stop_longest_unused(struct source_kafka *self) {
    struct partition *oldest = NULL;
    for (size_t i = 0; i < self->partition_count; i++) {
        struct partition *partition = &self->partitions[i];
        if (partition->started && (oldest == NULL || partition->opened < oldest->opened))
            oldest = partition;
    }
    check(oldest != NULL);
    stop_partition(self, oldest);
}

/* There is room to start one more partition afterwards. */
static bool make_room(struct source_kafka *self, struct error *err) {
    if (started_count(self) >= self->slots) {
        if (self->memory_max / 2 / (self->slots * 2) >= QUEUE_LEAST) {
            close_client(self);
            self->slots *= 2;
        } else {
            stop_longest_unused(self);
        }
    }
    if (self->client.handle != NULL)
        return true;
    struct kafka_limits limits = limits_for(self->memory_max, self->slots);
    return kafka_client_open(&self->client, self->settings, &limits, err);
}

static bool start_partition(struct source_kafka *self, struct partition *partition, int64_t start,
                            struct error *err) {
    if (partition->started)
        stop_partition(self, partition);
    if (!make_room(self, err))
        return false;
    struct topic *topic = topic_of(self, partition);
    if (topic->handle == NULL)
        topic->handle = rd_kafka_topic_new(self->client.handle, topic->name, NULL);
    if (topic->handle == NULL)
        return error_set(err, ERROR_CONFIG, "topic '%s': %s", topic->name,
                         rd_kafka_err2str(rd_kafka_last_error()));
    if (rd_kafka_consume_start(topic->handle, partition->id, start) != 0)
        return error_set(err, ERROR_BROKER,
                         "topic '%s' partition %" PRId32 ": start at %" PRId64 ": %s", topic->name,
                         partition->id, start, rd_kafka_err2str(rd_kafka_last_error()));
    partition->started = true;
    partition->position = start;
    partition->proved_to = start;
    return true;
}

/* --- opening and leaving a range ------------------------------------------------------------- */

static size_t find_topic(struct source_kafka *self, const char *name) {
    for (size_t i = 0; i < self->topic_count; i++) {
        if (strcmp(self->topics[i].name, name) == 0)
            return i;
    }
    self->topics = realloc(self->topics, (self->topic_count + 1) * sizeof *self->topics);
    check(self->topics != NULL);
    char *copy = strdup(name);
    check(copy != NULL);
    self->topics[self->topic_count] = (struct topic){.name = copy};
    return self->topic_count++;
}

static size_t find_partition(struct source_kafka *self, const char *topic_name, int32_t id) {
    size_t topic = find_topic(self, topic_name);
    for (size_t i = 0; i < self->partition_count; i++) {
        if (self->partitions[i].topic == topic && self->partitions[i].id == id)
            return i;
    }
    size_t size = (self->partition_count + 1) * sizeof *self->partitions;
    self->partitions = realloc(self->partitions, size);
    check(self->partitions != NULL);
    self->partitions[self->partition_count] = (struct partition){.topic = topic, .id = id};
    return self->partition_count++;
}

static void return_lent(struct source_kafka *self) {
    if (self->lent != NULL)
        rd_kafka_message_destroy(self->lent);
    self->lent = NULL;
}

static bool open_range(struct source *source, const char *topic, struct offset_range range,
                       struct error *err) {
    struct source_kafka *self = self_of(source);
    check(!self->is_open);
    check(range.start >= 0 && range.end >= range.start);
    return_lent(self);
    self->current = find_partition(self, topic, range.partition);
    struct partition *partition = &self->partitions[self->current];
    partition->opened = ++self->opens;

    bool continues = partition->started && partition->position == range.start;
    if (!continues && range.end > range.start &&
        !start_partition(self, partition, range.start, err))
        return false;

    self->taken_next = 0;
    self->taken_count = partition->held_count;
    if (partition->held_count > 0)
        memcpy(self->taken, partition->held, partition->held_count * sizeof *partition->held);
    free(partition->held);
    partition->held = NULL;
    partition->held_count = 0;
    self->range = range;
    self->is_open = true;
    return true;
}

/* What was taken and not handed out stays for the partition's next range. */
static void hold_rest(struct source_kafka *self, struct partition *partition) {
    size_t count = self->taken_count - self->taken_next;
    if (count > 0) {
        partition->held = must_alloc(count, sizeof *partition->held);
        memcpy(partition->held, self->taken + self->taken_next, count * sizeof *partition->held);
        partition->held_count = count;
    }
    self->taken_next = self->taken_count = 0;
}

static enum source_status end_range(struct source_kafka *self, struct partition *partition) {
    hold_rest(self, partition);
    if (partition->started && partition->position < self->range.end)
        partition->position = self->range.end;
    self->is_open = false;
    return SOURCE_END;
}

static void abandon_range(struct source *source) {
    struct source_kafka *self = self_of(source);
    return_lent(self);
    if (!self->is_open)
        return;
    // Nothing is wrong with what is queued: if the next range begins where this one stopped, it
    // goes on; if it begins earlier, opening it restarts the partition.
    hold_rest(self, &self->partitions[self->current]);
    self->is_open = false;
}

/* --- reading --------------------------------------------------------------------------------- */

/* An end of the range that leaves the partition unusable until it is started again. */
static enum source_status fail_range(struct source_kafka *self, struct partition *partition) {
    for (; self->taken_next < self->taken_count; self->taken_next++)
        rd_kafka_message_destroy(self->taken[self->taken_next]);
    self->taken_next = self->taken_count = 0;
    stop_partition(self, partition);
    self->is_open = false;
    return SOURCE_FAILED;
}

static bool set_out_of_range(struct source_kafka *self, const struct partition *partition,
                             struct error *err) {
    const char *topic = topic_of(self, partition)->name;
    int64_t low = -1, high = -1;
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
        self->client.handle, topic, partition->id, &low, &high, WATERMARK_WAIT_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_DATA_LOSS,
                         "topic '%s' partition %" PRId32 ": offset %" PRId64
                         " is not on the broker (where its log starts is unknown: %s)",
                         topic, partition->id, partition->position, rd_kafka_err2str(code));
    return error_set(err, ERROR_DATA_LOSS,
                     "topic '%s' partition %" PRId32 ": offset %" PRId64
                     " is not on the broker: its log has offsets %" PRId64 " to %" PRId64,
                     topic, partition->id, partition->position, low, high);
}

/* Errors after which librdkafka goes on by itself, without leaving anything out. */
static bool is_passing(rd_kafka_resp_err_t code) {
    static const rd_kafka_resp_err_t passing[] = {
        RD_KAFKA_RESP_ERR__TRANSPORT,
        RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
        RD_KAFKA_RESP_ERR__RESOLVE,
        RD_KAFKA_RESP_ERR__TIMED_OUT,
        RD_KAFKA_RESP_ERR__AUTHENTICATION,
        RD_KAFKA_RESP_ERR__SSL,
        RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
        RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
        RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH,
        RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
        RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE,
    };
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++) {
        if (passing[i] == code)
            return true;
    }
    return false;
}

static bool set_message_error(struct source_kafka *self, const struct partition *partition,
                              const rd_kafka_message_t *message, struct error *err) {
    const char *topic = topic_of(self, partition)->name;
    switch (message->err) {
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        return set_out_of_range(self, partition, err);
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return error_set(err, ERROR_BROKER,
                         "topic '%s' partition %" PRId32 " does not exist (any more)", topic,
                         partition->id);
    default:
        // Also a record batch whose checksum is wrong: librdkafka would step over it.
        return error_set(err, ERROR_BROKER,
                         "topic '%s' partition %" PRId32 " at offset %" PRId64 ": %s", topic,
                         partition->id, partition->position, rd_kafka_message_errstr(message));
    }
}

static void fill_record(const rd_kafka_message_t *message, struct record *record) {
    rd_kafka_timestamp_type_t type;
    int64_t timestamp = rd_kafka_message_timestamp(message, &type);
    *record = (struct record){
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp,
        .value = message->payload,
        .value_size = message->len,
        .key = message->key,
        .key_size = message->key_len,
    };
}

/* What became of one message taken from the queue. */
enum step { STEP_RECORD, STEP_NEXT, STEP_END, STEP_FAILED };

static enum step step_record(struct source_kafka *self, struct partition *partition,
                             struct record *record, struct error *err) {
    rd_kafka_message_t *message = self->taken[self->taken_next];
    if (message->offset < partition->position) {
        error_set(err, ERROR_STATE,
                  "topic '%s' partition %" PRId32 ": asked for offset %" PRId64 " and got %" PRId64,
                  topic_of(self, partition)->name, partition->id, partition->position,
                  message->offset);
        return STEP_FAILED;
    }
    if (message->offset >= self->range.end)
        return STEP_END; // and the message stays
    self->taken_next++;
    self->lent = message;
    partition->position = message->offset + 1;
    fill_record(message, record);
    return STEP_RECORD;
}

static enum step step(struct source_kafka *self, struct partition *partition, struct record *record,
                      struct error *err) {
    rd_kafka_message_t *message = self->taken[self->taken_next];
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return step_record(self, partition, record, err);

    enum step result = STEP_NEXT;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (message->offset > partition->proved_to)
            partition->proved_to = message->offset;
    } else if (is_passing(message->err)) {
        kafka_client_note_trouble(&self->client, rd_kafka_message_errstr(message));
    } else {
        set_message_error(self, partition, message, err);
        result = STEP_FAILED;
    }
    rd_kafka_message_destroy(message);
    self->taken_next++;
    return result;
}

static bool is_trouble(const rd_kafka_message_t *message) {
    return message->err != RD_KAFKA_RESP_ERR_NO_ERROR &&
           message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF;
}

/* Takes from the partition's queue what is there; otherwise waits for one message, because
 * librdkafka would wait until it has all that it may take. */
static bool take(struct source_kafka *self, const struct partition *partition, int wait_ms) {
    int64_t left = self->range.end - partition->position;
    size_t size = left < TAKE_MAX ? (size_t)left : TAKE_MAX;
    rd_kafka_topic_t *topic = topic_of(self, partition)->handle;
    ssize_t count = rd_kafka_consume_batch(topic, partition->id, 0, self->taken, size);
    if (count == 0 && wait_ms > 0)
        count = rd_kafka_consume_batch(topic, partition->id, wait_ms, self->taken, 1);
    self->taken_next = 0;
    self->taken_count = count > 0 ? (size_t)count : 0;
    if (count > 0 && !is_trouble(self->taken[0]))
        kafka_client_forget_trouble(&self->client);
    return count > 0;
}

/* Nothing came: says what stands in the way, if anything is known to. */
static enum source_status wait_or_fail(struct source_kafka *self, struct partition *partition,
                                       struct error *err) {
    char text[KAFKA_TROUBLE_MAX];
    const char *topic = topic_of(self, partition)->name;
    *err = (struct error){0};
    int count = kafka_client_trouble(&self->client, text, sizeof text);
    if (kafka_client_met_too_large(&self->client)) {
        error_set(err, ERROR_CONFIG,
                  "topic '%s' partition %" PRId32 " at offset %" PRId64
                  ": a record batch is larger than the memory for it: %s (raise "
                  "SPARK_DRIVER_MEMORY)",
                  topic, partition->id, partition->position, text);
        return fail_range(self, partition);
    }
    if (count > 0)
        error_set(err, ERROR_BROKER,
                  "topic '%s' partition %" PRId32 " at offset %" PRId64 ": %s (attempt %d)", topic,
                  partition->id, partition->position, text, count);
    return SOURCE_WAIT;
}

static enum source_status read_record(struct source *source, struct record *record, int timeout_ms,
                                      struct error *err) {
    struct source_kafka *self = self_of(source);
    check(self->is_open);
    return_lent(self);
    struct partition *partition = &self->partitions[self->current];
    int64_t deadline_ms = -1; // not asked for until there is something to wait for

    for (;;) {
        if (self->range.start == self->range.end || partition->position >= self->range.end ||
            partition->proved_to >= self->range.end)
            return end_range(self, partition);
        while (self->taken_next == self->taken_count) {
            int64_t now_ms = clock_monotonic_ms();
            if (deadline_ms < 0)
                deadline_ms = now_ms + timeout_ms;
            int64_t wait_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
            if (!take(self, partition, (int)wait_ms) && wait_ms == 0)
                return wait_or_fail(self, partition, err);
        }
        switch (step(self, partition, record, err)) {
        case STEP_RECORD:
            return SOURCE_RECORD;
        case STEP_END:
            return end_range(self, partition);
        case STEP_FAILED:
            return fail_range(self, partition);
        case STEP_NEXT:
            break;
        }
    }
}

static void close_source(struct source *source) {
    struct source_kafka *self = self_of(source);
    abandon_range(source);
    close_client(self);
    for (size_t i = 0; i < self->topic_count; i++)
        free(self->topics[i].name);
    free(self->topics);
    free(self->partitions);
    free(self);
}

static const struct source_ops kafka_ops = {
    .open_range = open_range,
    .read = read_record,
    .abandon_range = abandon_range,
    .close = close_source,
};

struct source *source_kafka_open(const struct kafka_settings *settings, size_t memory_max) {
    struct source_kafka *self = must_alloc(1, sizeof *self);
    self->source.ops = &kafka_ops;
    self->settings = settings;
    self->memory_max = memory_max;
    self->slots = SLOTS_FIRST;
    return &self->source;
}
