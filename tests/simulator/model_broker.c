/* The broker of streaming/kafka/broker.h, with the errors of kafka_admin.c: no answer, a topic that
 * does not exist, a partition without a leader, no rights. A listing asks for the ends first and
 * for the starts afterwards, and the topic may change in between. */
#include "model_broker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "model_cluster.h"

struct model_broker {
    struct broker broker;
    bool has_answered; // a listing, which tells the cluster's id
    /* of the newest listing: one partition's end was `behind` too low */
    int32_t behind_partition;
    int64_t behind;
    int behind_in_a_row;
};

enum { BEHIND_IN_A_ROW_MAX = 2 };

static struct model_broker *self_of(struct broker *broker) {
    return (struct model_broker *)broker;
}

static bool set_no_answer(struct error *err) {
    return error_set(err, ERROR_BROKER,
                     "topic '" MODEL_TOPIC "': no answer from Kafka at 'simulated': %s",
                     "no broker answered in time");
}

static bool set_no_topic(const char *topic, struct error *err) {
    return error_set(err, ERROR_NO_TOPIC, "topic '%s' does not exist at 'simulated'", topic);
}

/* The request to one partition's leader. */
static bool set_partition_error(int32_t partition, const char *why, struct error *err) {
    error_set(err, ERROR_BROKER, "topic '" MODEL_TOPIC "' at 'simulated': %s", why);
    return error_wrap(err, "partition %" PRId32, partition);
}

/* Whether a broker answers a request at all; the time that it takes passes. */
static bool is_answered(int timeout_ms, struct error *err) {
    if (cluster.is_dead)
        return error_set(err, ERROR_CONFIG, "the process has ended");
    cluster_pass(1 + (int64_t)random_below(&cluster.faults, 4));
    if (cluster_fault(BROKER_LISTING_SLOW)) {
        int64_t ms = (int64_t)random_below(&cluster.faults, (uint64_t)timeout_ms + 1);
        cluster_say("an answer takes %" PRId64 " ms", ms);
        cluster_pass(ms);
    }
    if (cluster.is_unreachable) {
        cluster_pass(timeout_ms);
        return set_no_answer(err);
    }
    return true;
}

static bool fails(int timeout_ms, struct error *err) {
    if (!cluster_fault(BROKER_LISTING_FAILED))
        return false;
    uint64_t way = random_below(&cluster.faults, 3);
    if (way == 0) {
        cluster_say("a listing gets no answer");
        cluster_pass(timeout_ms);
        set_no_answer(err);
    } else if (way == 1 || cluster.log_count == 0) {
        cluster_say("a listing is refused");
        error_set(err, ERROR_BROKER,
                  "topic '" MODEL_TOPIC "' at 'simulated': access denied. Grant the user DESCRIBE "
                  "and READ on the topic");
    } else {
        cluster_say("a listing fails for a partition");
        int32_t partition = (int32_t)random_below(&cluster.faults, (uint64_t)cluster.log_count);
        set_partition_error(partition, "Broker: Leader not available", err);
    }
    return true;
}

/* One partition's end is one that it had before, in few listings one after the other. */
static void draw_behind(struct model_broker *self) {
    bool behind = !cluster.may_cut && cluster.log_count > 0 &&
                  self->behind_in_a_row < BEHIND_IN_A_ROW_MAX &&
                  cluster_fault(BROKER_LISTING_BEHIND);
    self->behind = 0;
    self->behind_in_a_row = behind ? self->behind_in_a_row + 1 : 0;
    if (!behind)
        return;
    self->behind_partition = (int32_t)random_below(&cluster.faults, (uint64_t)cluster.log_count);
    self->behind = 1 + (int64_t)random_below(&cluster.faults, 5);
    cluster_say("partition %" PRId32 ": a listing is %" PRId64 " behind", self->behind_partition,
                self->behind);
}

static int64_t told_end(const struct model_broker *self, int32_t partition, int64_t end) {
    const struct log *log = &cluster.logs[partition];
    if (self->behind_partition == partition)
        end -= self->behind;
    return end > log->start ? end : log->start;
}

static void list_ends(const struct model_broker *self, struct topic_offsets *offsets) {
    *offsets = (struct topic_offsets){.count = (size_t)cluster.log_count};
    offsets->partitions = must_alloc(offsets->count, sizeof *offsets->partitions);
    for (int32_t i = 0; i < cluster.log_count; i++)
        offsets->partitions[i] = (struct partition_offsets){
            .partition = i,
            .end = told_end(self, i, cluster_readable_end(&cluster.logs[i])),
            .high = BROKER_NOT_ASKED};
}

static bool list_starts(struct topic_offsets *offsets, struct error *err) {
    for (size_t i = 0; i < offsets->count; i++) {
        if ((int32_t)i >= cluster.log_count)
            return set_partition_error((int32_t)i, "Broker: Unknown topic or partition", err);
        offsets->partitions[i].log_start = cluster.logs[i].start;
    }
    return true;
}

static bool list_offsets(struct broker *broker, const char *topic, int timeout_ms,
                         struct topic_offsets *offsets, struct error *err) {
    struct model_broker *self = self_of(broker);
    if (!is_answered(timeout_ms, err) || fails(timeout_ms, err))
        return false;
    if (!cluster.has_topic || strcmp(topic, MODEL_TOPIC) != 0)
        return set_no_topic(topic, err);
    struct topic_offsets result;
    draw_behind(self);
    list_ends(self, &result);
    cluster_pass(1);
    if (!list_starts(&result, err)) {
        topic_offsets_deinit(&result);
        return false;
    }
    self->has_answered = true;
    *offsets = result;
    return true;
}

static bool list_high(struct broker *broker, const char *topic, int timeout_ms,
                      struct topic_offsets *offsets, struct error *err) {
    (void)topic;
    struct model_broker *self = self_of(broker);
    if (!is_answered(timeout_ms, err) || fails(timeout_ms, err))
        return false;
    for (size_t i = 0; i < offsets->count; i++) {
        int32_t partition = offsets->partitions[i].partition;
        if (partition >= cluster.log_count)
            return set_partition_error(partition, "Broker: Unknown topic or partition", err);
    }
    for (size_t i = 0; i < offsets->count; i++) {
        int32_t partition = offsets->partitions[i].partition;
        offsets->partitions[i].high = told_end(self, partition, cluster.logs[partition].end);
    }
    return true;
}

static bool cluster_id(struct broker *broker, char id[static KAFKA_CLUSTER_ID_MAX]) {
    if (self_of(broker)->has_answered)
        memcpy(id, "simulatedCluster", sizeof "simulatedCluster");
    return self_of(broker)->has_answered;
}

static bool similar_topic(struct broker *broker, const char *topic,
                          char similar[static KAFKA_TOPIC_NAME_MAX]) {
    (void)broker, (void)topic;
    similar[0] = '\0';
    return false;
}

static bool find_id(struct broker *broker, const char *topic, int timeout_ms,
                    struct topic_offsets *offsets, struct error *err) {
    (void)broker;
    if (cluster.chances.has_no_ids)
        return true;
    if (!is_answered(timeout_ms, err) || fails(timeout_ms, err))
        return false;
    if (!cluster.has_topic)
        return set_no_topic(topic, err);
    memcpy(offsets->id, cluster.topic_id, sizeof cluster.topic_id);
    return true;
}

static bool commit_group(struct broker *broker, const char *group, const char *topic,
                         const struct offset_range *positions, size_t count, int timeout_ms,
                         struct error *err) {
    (void)broker, (void)positions, (void)count;
    if (!is_answered(timeout_ms, err))
        return false;
    if (!cluster.has_topic)
        return set_no_topic(topic, err);
    if (cluster_fault(BROKER_LISTING_FAILED))
        return error_set(err, ERROR_BROKER,
                         "consumer group '%s' at 'simulated': Broker: Coordinator not available",
                         group);
    return true;
}

static bool open_source(struct broker *broker, struct source_memory memory, struct source **source,
                        struct error *err) {
    (void)broker, (void)memory, (void)err;
    *source = model_source_open();
    return true;
}

static void keep_statistics(struct broker *broker, int every_ms) {
    (void)broker, (void)every_ms;
}

static void close_broker(struct broker *broker) {
    cluster.open_handles--;
    free(self_of(broker));
}

struct broker *model_broker_open(void) {
    static const struct broker_ops ops = {
        .list_offsets = list_offsets,
        .cluster_id = cluster_id,
        .similar_topic = similar_topic,
        .list_high = list_high,
        .find_id = find_id,
        .commit_group = commit_group,
        .open_source = open_source,
        .keep_statistics = keep_statistics,
        .close = close_broker,
    };
    struct model_broker *self = must_alloc(1, sizeof *self);
    self->broker.ops = &ops;
    cluster.open_handles++;
    return &self->broker;
}
