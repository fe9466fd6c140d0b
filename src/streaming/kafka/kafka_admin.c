/* kafka_admin.c: the broker of streaming/kafka/broker.h that is a Kafka cluster.
 *
 * Offsets are asked for with rd_kafka_offsets_for_times(), which takes the timestamps -2 (log
 * start) and -1 (end) as the protocol's ListOffsets does, sends one request per leader for all its
 * partitions, and carries the isolation level: with read_committed the end is the last stable
 * offset, so that no plan reaches into an open transaction. Kafka reports the high watermark only
 * to readers with read_uncommitted: a separate handle, opened on first use, asks for it.
 */
#include <errno.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/limit.h"
#include "base/log/log.h"
#include "base/nearest.h"
#include "base/system/clock.h"
#include "pipeline/source/kafka_errors.h"
#include "pipeline/source/source_kafka.h"
#include "streaming/kafka/broker.h"
#include "streaming/kafka/kafka_topic_id.h"

enum {
    ADMIN_MEMORY = 1 << 20, // bytes; a handle never fetches
    ANSWER_MAX = 64 << 20,  // a topic of 100,000 partitions and more is listed
    ADMIN_REPLY_MS = 1000,  // beyond a request's time, until its end is reported
    SETTLING_MS = 100,      // before a group's coordinator is asked again
    SIMILAR_TOPICS = 4,     // more than there are queries
    SIMILAR_KEPT_MS = 60000,
    SIMILAR_WAIT_MS = 3000,
};
static const struct kafka_limits limits = {ADMIN_MEMORY, ADMIN_MEMORY, ADMIN_MEMORY, ANSWER_MAX};

/* What may be meant by a topic that does not exist. To find it, all topics are listed, which is
 * much in a large cluster: so the answer is kept for a while. */
struct similar_topic {
    char topic[KAFKA_TOPIC_NAME_MAX], word[KAFKA_TOPIC_NAME_MAX]; // the latter "": none is similar
    int64_t asked_ms;
};

struct kafka_broker {
    struct broker broker;
    struct kafka_settings settings;
    struct kafka_client client;
    struct similar_topic similar[SIMILAR_TOPICS]; // of those that did not exist; by the lock
    pthread_mutex_t lock;                         // guards that, and what follows until it is open
    struct kafka_client uncommitted;              // opened by the first list_high()
    struct kafka_property *properties;            // owned; its own
    atomic_int answered;                          // a broker of the newest listing; -1: none
};

static struct kafka_broker *self_of(struct broker *broker) {
    return (struct kafka_broker *)broker;
}

/* librdkafka's result says only that nothing came; the reason is in its newest report. */
static bool set_unreachable(struct kafka_broker *self, const char *topic, rd_kafka_resp_err_t code,
                            struct error *err) {
    char trouble[KAFKA_TROUBLE_MAX];
    if (kafka_client_trouble(&self->client, trouble, sizeof trouble) == 0)
        return error_set(err, ERROR_BROKER, "topic '%s': no answer from Kafka at '%s': %s", topic,
                         self->settings.bootstrap_servers, kafka_error_text((int)code));
    int limit = kafka_client_limit(&self->client);
    if (limit != 0)
        return limit_error(err, trouble, limit);
    return error_set(err, ERROR_BROKER, "topic '%s': no answer from Kafka at '%s': %s", topic,
                     self->settings.bootstrap_servers, trouble);
}

/* A list that came damaged is asked for again, like one that did not come. */
static bool set_other_error(struct kafka_broker *self, const char *topic, rd_kafka_resp_err_t code,
                            struct error *err) {
    struct kafka_verdict verdict = kafka_verdict_of((int)code);
    bool ends = verdict.fate == KAFKA_OURS || verdict.fate == KAFKA_LIMIT;
    return error_set(err, ends ? kafka_error_kind((int)code) : ERROR_BROKER,
                     "topic '%s' at '%s': %s%s%s", topic, self->settings.bootstrap_servers,
                     kafka_error_text((int)code),
                     verdict.fate != KAFKA_DAMAGED && *verdict.cure != '\0' ? "; " : "",
                     verdict.fate != KAFKA_DAMAGED ? verdict.cure : "");
}

/* Whether one name is the other with something before or behind it: "prod.orders" and "orders". */
static bool is_part(const char *name, const char *topic) {
    return strlen(name) >= 4 && strlen(topic) >= 4 &&
           (strstr(name, topic) != NULL || strstr(topic, name) != NULL);
}

/* Of all topics of the cluster, the one that is most like the name. */
static void find_similar(struct kafka_broker *self, const char *topic,
                         struct similar_topic *similar) {
    struct nearest nearest = {.given = topic};
    const char *part = "";
    const rd_kafka_metadata_t *metadata;
    *similar = (struct similar_topic){.asked_ms = clock_monotonic_ms()};
    (void)snprintf(similar->topic, sizeof similar->topic, "%s", topic);
    if (rd_kafka_metadata(self->client.handle, 1, NULL, &metadata, SIMILAR_WAIT_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const char *name = metadata->topics[i].topic;
        if (metadata->topics[i].err != RD_KAFKA_RESP_ERR_NO_ERROR || strcmp(name, topic) == 0)
            continue;
        nearest_offer(&nearest, name);
        part = is_part(name, topic) ? name : part;
    }
    (void)snprintf(similar->word, sizeof similar->word, "%s",
                   nearest.word[0] != '\0' ? nearest.word : part);
    rd_kafka_metadata_destroy(metadata);
}

/* A copy; `word` is empty if there is none. */
static struct similar_topic get_similar(struct kafka_broker *self, const char *topic) {
    struct similar_topic *slot = &self->similar[0];
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < SIMILAR_TOPICS; i++)
        if (strcmp(self->similar[i].topic, topic) == 0 ||
            (strcmp(slot->topic, topic) != 0 && self->similar[i].asked_ms < slot->asked_ms))
            slot = &self->similar[i];
    if (strcmp(slot->topic, topic) != 0 || clock_monotonic_ms() - slot->asked_ms >= SIMILAR_KEPT_MS)
        find_similar(self, topic, slot);
    struct similar_topic similar = *slot;
    pthread_mutex_unlock(&self->lock);
    return similar;
}

static bool similar_topic(struct broker *broker, const char *topic,
                          char similar[static KAFKA_TOPIC_NAME_MAX]) {
    struct similar_topic found = get_similar(self_of(broker), topic);
    memcpy(similar, found.word, sizeof found.word);
    return found.word[0] != '\0';
}

static bool set_no_topic(struct kafka_broker *self, const char *topic, struct error *err) {
    struct similar_topic similar = get_similar(self, topic);
    bool any = similar.word[0] != '\0';
    return error_set(err, ERROR_NO_TOPIC, "topic '%s' does not exist at '%s'%s%s%s", topic,
                     self->settings.bootstrap_servers, any ? "; did you mean '" : "", similar.word,
                     any ? "'?" : "");
}

static bool set_topic_error(struct kafka_broker *self, const char *topic, rd_kafka_resp_err_t code,
                            struct error *err) {
    switch (code) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        return set_no_topic(self, topic, err);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        return error_set(
            err, ERROR_BROKER,
            "topic '%s' at '%s': access denied. Grant the user DESCRIBE and READ on the topic",
            topic, self->settings.bootstrap_servers);
    default:
        return set_other_error(self, topic, code, err);
    }
}

static int left_ms(int64_t deadline_ms) {
    int64_t left = deadline_ms - clock_monotonic_ms();
    return left > 1 ? (int)left : 1;
}

/* The one that answered, or, as it has no number until it says so, one that it knows. */
static void note_broker(struct kafka_broker *self, const rd_kafka_metadata_t *metadata) {
    int id = metadata->orig_broker_id;
    if (id < 0 && metadata->broker_cnt > 0)
        id = metadata->brokers[0].id;
    atomic_store_explicit(&self->answered, id, memory_order_relaxed);
}

/* The topic's partitions, in `list` (the caller's, destroyed by it), without offsets. */
static bool list_partitions(struct kafka_broker *self, const char *topic, int64_t deadline_ms,
                            rd_kafka_topic_partition_list_t **list, struct error *err) {
    rd_kafka_topic_t *handle = rd_kafka_topic_new(self->client.handle, topic, NULL);
    if (handle == NULL)
        return error_set(err, ERROR_CONFIG, "topic '%s': %s", topic,
                         rd_kafka_err2str(rd_kafka_last_error()));
    const rd_kafka_metadata_t *metadata;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(self->client.handle, 0, handle, &metadata, left_ms(deadline_ms));
    rd_kafka_topic_destroy(handle);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return set_unreachable(self, topic, code, err);
    note_broker(self, metadata);

    bool found = metadata->topic_cnt == 1 &&
                 metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR &&
                 metadata->topics[0].partition_cnt > 0;
    if (found) {
        *list = rd_kafka_topic_partition_list_new(metadata->topics[0].partition_cnt);
        for (int i = 0; i < metadata->topics[0].partition_cnt; i++)
            rd_kafka_topic_partition_list_add(*list, topic, metadata->topics[0].partitions[i].id);
        rd_kafka_topic_partition_list_sort(*list, NULL, NULL);
    } else {
        code = metadata->topic_cnt == 1 && metadata->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR
                   ? metadata->topics[0].err
                   : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        set_topic_error(self, topic, code, err);
    }
    rd_kafka_metadata_destroy(metadata);
    return found;
}

/* Fills in every partition's offset for `which`: RD_KAFKA_OFFSET_BEGINNING or _END. */
static bool ask_offsets(struct kafka_broker *self, rd_kafka_t *handle, const char *topic,
                        rd_kafka_topic_partition_list_t *list, int64_t which, int64_t deadline_ms,
                        struct error *err) {
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = which;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(handle, list, left_ms(deadline_ms));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return set_unreachable(self, topic, code, err);
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *element = &list->elems[i];
        if (element->err == RD_KAFKA_RESP_ERR_NO_ERROR && element->offset >= 0)
            continue;
        set_topic_error(self, topic, element->err, err);
        err->kind = ERROR_BROKER; // a partition may be new; whether there is a topic is asked first
        return error_wrap(err, "partition %" PRId32, element->partition);
    }
    return true;
}

static bool list_offsets(struct broker *broker, const char *topic, int timeout_ms,
                         struct topic_offsets *offsets, struct error *err) {
    struct kafka_broker *self = self_of(broker);
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    rd_kafka_topic_partition_list_t *list = NULL;
    if (!list_partitions(self, topic, deadline_ms, &list, err))
        return false;
    check(list != NULL);

    struct topic_offsets result = {
        .count = (size_t)list->cnt,
        .partitions = must_alloc((size_t)list->cnt, sizeof *result.partitions),
    };
    // The end first: an end that is older than the start by a moment is never below what we may
    // take.
    rd_kafka_t *handle = self->client.handle;
    bool listed = ask_offsets(self, handle, topic, list, RD_KAFKA_OFFSET_END, deadline_ms, err);
    for (size_t i = 0; listed && i < result.count; i++)
        result.partitions[i] = (struct partition_offsets){.partition = list->elems[i].partition,
                                                          .end = list->elems[i].offset,
                                                          .high = BROKER_NOT_ASKED};
    listed = listed &&
             ask_offsets(self, handle, topic, list, RD_KAFKA_OFFSET_BEGINNING, deadline_ms, err);
    for (size_t i = 0; listed && i < result.count; i++)
        result.partitions[i].log_start = list->elems[i].offset;
    rd_kafka_topic_partition_list_destroy(list);
    if (!listed) {
        topic_offsets_deinit(&result);
        return false;
    }
    kafka_client_forget_trouble(&self->client);
    *offsets = result;
    return true;
}

/* What came with the newest metadata: nothing is asked. */
static bool cluster_id(struct broker *broker, char id[static KAFKA_CLUSTER_ID_MAX]) {
    rd_kafka_t *handle = self_of(broker)->client.handle;
    char *found = rd_kafka_clusterid(handle, 0);
    if (found == NULL)
        return false;
    bool fits = found[0] != '\0' && strlen(found) < KAFKA_CLUSTER_ID_MAX;
    if (fits)
        memcpy(id, found, strlen(found) + 1);
    rd_kafka_mem_free(handle, found);
    return fits;
}

/* With read_uncommitted the end that a broker tells is the high watermark. One property more than
 * the other handle has; it wins over an earlier one of its name. */
static bool open_uncommitted(struct kafka_broker *self, struct error *err) {
    struct kafka_settings settings = self->settings;
    size_t count = settings.property_count;
    if (self->properties == NULL)
        self->properties = must_alloc(count + 1, sizeof *self->properties);
    for (size_t i = 0; i < count; i++)
        self->properties[i] = settings.properties[i];
    self->properties[count] =
        (struct kafka_property){.name = "isolation.level", .value = "read_uncommitted"};
    settings.properties = self->properties;
    settings.property_count = count + 1;
    return kafka_client_open(&self->uncommitted, &settings, &limits, err);
}

/* The same for every thread, once it is open. */
static bool get_uncommitted(struct kafka_broker *self, rd_kafka_t **handle, struct error *err) {
    pthread_mutex_lock(&self->lock);
    bool open = self->uncommitted.handle != NULL || open_uncommitted(self, err);
    *handle = self->uncommitted.handle;
    pthread_mutex_unlock(&self->lock);
    return open;
}

static void set_high(struct topic_offsets *offsets, const rd_kafka_topic_partition_list_t *list) {
    for (size_t i = 0; i < offsets->count; i++)
        offsets->partitions[i].high = list->elems[i].offset;
}

static bool list_high(struct broker *broker, const char *topic, int timeout_ms,
                      struct topic_offsets *offsets, struct error *err) {
    struct kafka_broker *self = self_of(broker);
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    rd_kafka_t *handle;
    if (!get_uncommitted(self, &handle, err))
        return false;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)offsets->count);
    for (size_t i = 0; i < offsets->count; i++)
        (void)rd_kafka_topic_partition_list_add(list, topic, offsets->partitions[i].partition);
    bool listed = ask_offsets(self, handle, topic, list, RD_KAFKA_OFFSET_END, deadline_ms, err);
    if (listed)
        set_high(offsets, list);
    rd_kafka_topic_partition_list_destroy(list);
    return listed;
}

/* ---- requests whose answers come as events ---- */

static rd_kafka_AdminOptions_t *admin_options(rd_kafka_t *handle, rd_kafka_admin_op_t operation,
                                              int64_t deadline_ms) {
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(handle, operation);
    char reason[256];
    check(rd_kafka_AdminOptions_set_request_timeout(options, left_ms(deadline_ms), reason,
                                                    sizeof reason) == RD_KAFKA_RESP_ERR_NO_ERROR);
    return options;
}

/* Sets a group's offsets. NULL: no answer came. The caller destroys the event. */
static rd_kafka_event_t *alter_group(struct kafka_broker *self, const char *group,
                                     const rd_kafka_topic_partition_list_t *offsets,
                                     int64_t deadline_ms) {
    rd_kafka_t *handle = self->client.handle;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_AdminOptions_t *options =
        admin_options(handle, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, deadline_ms);
    rd_kafka_AlterConsumerGroupOffsets_t *request =
        rd_kafka_AlterConsumerGroupOffsets_new(group, offsets);
    rd_kafka_AlterConsumerGroupOffsets(handle, &request, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, left_ms(deadline_ms) + ADMIN_REPLY_MS);
    rd_kafka_AlterConsumerGroupOffsets_destroy(request);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return event;
}

/* The error of the request, of the group, or of the first partition that has one. */
static rd_kafka_resp_err_t find_group_error(rd_kafka_event_t *event) {
    if (event == NULL)
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return rd_kafka_event_error(event);
    size_t count = 0;
    const rd_kafka_group_result_t **groups = rd_kafka_AlterConsumerGroupOffsets_result_groups(
        rd_kafka_event_AlterConsumerGroupOffsets_result(event), &count);
    if (count != 1)
        return RD_KAFKA_RESP_ERR__FAIL;
    if (rd_kafka_group_result_error(groups[0]) != NULL)
        return rd_kafka_error_code(rd_kafka_group_result_error(groups[0]));
    const rd_kafka_topic_partition_list_t *partitions = rd_kafka_group_result_partitions(groups[0]);
    for (int i = 0; partitions != NULL && i < partitions->cnt; i++)
        if (partitions->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
            return partitions->elems[i].err;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* A group's coordinator that has just been elected, or moved, answers in a moment. */
static bool is_settling(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS ||
           code == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
           code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR;
}

static bool set_group_error(struct kafka_broker *self, const char *group, const char *topic,
                            rd_kafka_resp_err_t code, struct error *err) {
    switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return true;
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        return error_set(err, ERROR_BROKER,
                         "consumer group '%s': access denied. Grant the user READ on the group",
                         group);
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP:
        return error_set(
            err, ERROR_BROKER,
            "consumer group '%s' has active members, so its offsets cannot be changed. Set "
            "KAFKA_COMMIT_GROUP to a group that no consumer uses",
            group);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        return set_topic_error(self, topic, code, err);
    default:
        // The same text each time: what repeats is not logged again.
        return error_set(err, ERROR_BROKER, "consumer group '%s' at '%s': %s", group,
                         self->settings.bootstrap_servers, kafka_error_text((int)code));
    }
}

static bool commit_group(struct broker *broker, const char *group, const char *topic,
                         const struct offset_range *positions, size_t count, int timeout_ms,
                         struct error *err) {
    struct kafka_broker *self = self_of(broker);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, topic, positions[i].partition)->offset =
            positions[i].end;
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    rd_kafka_resp_err_t code;
    do {
        rd_kafka_event_t *event = alter_group(self, group, list, deadline_ms);
        code = find_group_error(event);
        if (event != NULL)
            rd_kafka_event_destroy(event);
    } while (is_settling(code) && clock_monotonic_ms() < deadline_ms &&
             poll(NULL, 0, SETTLING_MS) == 0);
    rd_kafka_topic_partition_list_destroy(list);
    return set_group_error(self, group, topic, code, err);
}

static bool find_id(struct broker *broker, const char *topic, int timeout_ms,
                    struct topic_offsets *offsets, struct error *err) {
    struct kafka_broker *self = self_of(broker);
    if (!kafka_topic_id_known())
        return true;
    struct kafka_topic_id found =
        kafka_topic_id_ask(self->client.handle, topic,
                           atomic_load_explicit(&self->answered, memory_order_relaxed), timeout_ms);
    if (found.unreachable != RD_KAFKA_RESP_ERR_NO_ERROR)
        return set_unreachable(self, topic, found.unreachable, err);
    if (found.refused != RD_KAFKA_RESP_ERR_NO_ERROR)
        return set_topic_error(self, topic, found.refused, err);
    memcpy(offsets->id, found.id, sizeof offsets->id);
    return true;
}

static bool open_source(struct broker *broker, struct source_memory memory, struct source **source,
                        struct error *err) {
    (void)err; // its settings were tried when the broker was opened
    *source = source_kafka_open(&self_of(broker)->settings, memory);
    return true;
}

static void keep_statistics(struct broker *broker, int every_ms) {
    self_of(broker)->settings.statistics_ms = every_ms;
}

static void close_broker(struct broker *broker) {
    struct kafka_broker *self = self_of(broker);
    kafka_client_close(&self->client);
    kafka_client_close(&self->uncommitted);
    check(pthread_mutex_destroy(&self->lock) == 0);
    free(self->properties);
    free(self);
}

static const struct broker_ops kafka_ops = {
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

/* librdkafka's own lines. What matters of them comes as an error too, and is logged by the query.
 */
static void log_line(int severity, const char *text) {
    (void)severity;
    log_write(LOG_DEBUG, "kafka", "%s", text);
}

bool kafka_broker_open(const char *bootstrap_servers, const struct kafka_property *properties,
                       size_t property_count, struct broker **broker, struct error *err) {
    struct kafka_broker *self = must_alloc(1, sizeof *self);
    self->broker.ops = &kafka_ops;
    atomic_init(&self->answered, -1);
    check(pthread_mutex_init(&self->lock, NULL) == 0);
    self->settings = (struct kafka_settings){
        .bootstrap_servers = bootstrap_servers,
        .properties = properties,
        .property_count = property_count,
        .log = log_line,
    };
    if (!kafka_client_open(&self->client, &self->settings, &limits, err)) {
        check(pthread_mutex_destroy(&self->lock) == 0);
        free(self);
        return false;
    }
    *broker = &self->broker;
    return true;
}
