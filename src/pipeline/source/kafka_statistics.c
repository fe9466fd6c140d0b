#include "pipeline/source/kafka_statistics.h"

#include <string.h>

#include "base/check.h"
#include "base/json.h"

void kafka_statistics_init(struct kafka_statistics_box *box) {
    *box = (struct kafka_statistics_box){0};
    check(pthread_mutex_init(&box->lock, NULL) == 0);
}

void kafka_statistics_deinit(struct kafka_statistics_box *box) {
    check(pthread_mutex_destroy(&box->lock) == 0);
}

static void add_sums(struct kafka_statistics *to, const struct kafka_statistics *more) {
    to->received_bytes += more->received_bytes;
    to->requests += more->requests;
    to->request_timeouts += more->request_timeouts;
    to->receive_errors += more->receive_errors;
    to->send_errors += more->send_errors;
    to->disconnects += more->disconnects;
}

void kafka_statistics_restart(struct kafka_statistics_box *box) {
    pthread_mutex_lock(&box->lock);
    add_sums(&box->before, &box->newest);
    box->newest = (struct kafka_statistics){0};
    pthread_mutex_unlock(&box->lock);
}

/* 0 for a member that this librdkafka does not have. */
static int64_t number(const struct json *object, const char *name) {
    int64_t value = 0;
    (void)json_member_int(object, name, &value);
    return value;
}

static bool take_broker(void *context, const char *name, const struct json *broker) {
    struct kafka_statistics *statistics = context;
    (void)name;
    statistics->received_bytes += number(broker, "rxbytes");
    statistics->requests += number(broker, "tx");
    statistics->request_timeouts += number(broker, "req_timeouts");
    statistics->receive_errors += number(broker, "rxerrs");
    statistics->send_errors += number(broker, "txerrs");
    statistics->disconnects += number(broker, "disconnects");
    const char *state = json_member_text(broker, "state");
    int64_t id = number(broker, "nodeid");
    if (id < 0 || state == NULL)
        return true; // a bootstrap name, not a known broker
    statistics->brokers_up += strcmp(state, "UP") == 0;
    const struct json *trip = json_member(broker, "rtt");
    if (number(trip, "cnt") > 0 && statistics->round_trip_count < KAFKA_BROKERS_SHOWN)
        statistics->round_trips[statistics->round_trip_count++] =
            (struct kafka_round_trip){(int32_t)id, number(trip, "avg"), number(trip, "p99")};
    return true;
}

static bool take_partition(void *context, const char *name, const struct json *partition) {
    struct kafka_statistics *statistics = context;
    (void)name;
    statistics->queue_bytes += number(partition, "fetchq_size");
    statistics->queue_records += number(partition, "fetchq_cnt");
    return true;
}

static bool take_topic(void *context, const char *name, const struct json *topic) {
    (void)name;
    (void)json_each(json_member(topic, "partitions"), take_partition, context);
    return true;
}

void kafka_statistics_take(struct kafka_statistics_box *box, const char *text, size_t size) {
    struct error err;
    struct json *document = json_parse(text, size, &err);
    if (document == NULL)
        return;
    struct kafka_statistics taken = {0};
    (void)json_each(json_member(document, "brokers"), take_broker, &taken);
    (void)json_each(json_member(document, "topics"), take_topic, &taken);
    json_free(document);
    pthread_mutex_lock(&box->lock);
    box->newest = taken;
    box->is_filled = true;
    pthread_mutex_unlock(&box->lock);
}

bool kafka_statistics_read(struct kafka_statistics_box *box, struct kafka_statistics *statistics) {
    pthread_mutex_lock(&box->lock);
    bool is_filled = box->is_filled;
    *statistics = box->newest;
    add_sums(statistics, &box->before);
    pthread_mutex_unlock(&box->lock);
    return is_filled;
}
