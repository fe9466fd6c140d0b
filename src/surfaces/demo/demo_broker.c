/* librdkafka's mock cluster comes with a producer and ends with it: the producer is made first,
 * fills the topics, and stays open while the queries read. Records are in the topics before
 * demo_broker_open() returns, each confirmed, so that a run with availableNow finds all of them. */
#include "surfaces/demo/demo_broker.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "base/system/stop.h"
#include "base/system/thread.h"
#include "surfaces/demo/sample.h"

enum { FLUSH_WAIT_MS = 10000 };

/* Produces records while the demo runs. */
struct demo_feed {
    struct demo_broker *broker;
    const struct demo_topic *topics; // borrowed
    size_t topic_count, per_second;
    uint64_t next; // number of the next record of each topic
    struct stop stop;
    pthread_t thread;
    bool runs;
};

struct demo_broker {
    rd_kafka_t *producer; // owns the cluster
    rd_kafka_mock_cluster_t *cluster;
    size_t lost;     // records that did not arrive
    uint64_t filled; // records of each topic that it had at the start
    struct demo_feed feed;
};

static void on_delivery(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque) {
    (void)producer;
    struct demo_broker *broker = opaque;
    broker->lost += message->err != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static bool open_producer(struct demo_broker *broker, struct error *err) {
    static const struct {
        const char *name, *value;
    } properties[] = {
        {"test.mock.num.brokers", "1"}, // the producer comes with a cluster and talks to it
        {"client.id", "esports-stream-demo"}, {"linger.ms", "5"},
        {"compression.codec", "lz4"},         {"log_level", "0"},
    };
    char reason[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++)
        check(rd_kafka_conf_set(conf, properties[i].name, properties[i].value, reason,
                                sizeof reason) == RD_KAFKA_CONF_OK);
    rd_kafka_conf_set_opaque(conf, broker);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_log_cb(conf, NULL);
    broker->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (broker->producer == NULL) {
        rd_kafka_conf_destroy(conf);
        bool starved = rd_kafka_last_error() == RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE;
        return error_set(err, starved ? ERROR_LIMIT : ERROR_BROKER, "demo broker: %s", reason);
    }
    broker->cluster = rd_kafka_handle_mock_cluster(broker->producer);
    check(broker->cluster != NULL);
    return true;
}

static bool produce(struct demo_broker *broker, const char *topic, int32_t partition,
                    const struct sample *sample, struct error *err) {
    for (;;) {
        rd_kafka_resp_err_t code = rd_kafka_producev(
            broker->producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY(sample->key, strlen(sample->key)),
            RD_KAFKA_V_VALUE(sample->is_null ? NULL : (void *)sample->value, sample->size),
            RD_KAFKA_V_TIMESTAMP(sample->timestamp_ms), RD_KAFKA_V_END);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            return true;
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return error_set(err, ERROR_BROKER, "demo broker, topic '%s': %s", topic,
                             rd_kafka_err2str(code));
        // Its queue has room again once the callbacks of what was delivered are served.
        (void)rd_kafka_poll(broker->producer, 10); // how many were
    }
}

/* The sample of a topic's record is made in `*sample`, owned by the caller. */
static struct sample *create_sample(const struct demo_topic *topic) {
    struct sample *sample = must_alloc(1, sizeof *sample);
    sample->values.schema = topic->schema;
    sample->type = topic->type;
    sample->identifier = topic->identifier;
    sample->partition_by = topic->partition_by;
    sample->partition_by_count = topic->partition_by_count;
    return sample;
}

static bool fill_topic(struct demo_broker *broker, const struct demo_topic *topic, size_t records,
                       struct error *err) {
    rd_kafka_resp_err_t code =
        rd_kafka_mock_topic_create(broker->cluster, topic->name, DEMO_PARTITIONS, 1);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_BROKER, "demo broker, topic '%s': %s", topic->name,
                         rd_kafka_err2str(code));
    struct sample *sample = create_sample(topic);
    bool filled = true;
    for (size_t i = 0; filled && i < records; i++) {
        filled = sample_try(sample, i, err) &&
                 produce(broker, topic->name, (int32_t)(i % DEMO_PARTITIONS), sample, err);
    }
    free(sample);
    return filled;
}

static bool fill(struct demo_broker *broker, const struct demo_topic *topics, size_t topic_count,
                 size_t records, struct error *err) {
    for (size_t i = 0; i < topic_count; i++) {
        if (!fill_topic(broker, &topics[i], records, err))
            return false;
    }
    rd_kafka_resp_err_t code = rd_kafka_flush(broker->producer, FLUSH_WAIT_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_BROKER, "demo broker: %s", rd_kafka_err2str(code));
    if (broker->lost > 0)
        return error_set(err, ERROR_BROKER, "demo broker: %zu records did not arrive",
                         broker->lost);
    return true;
}

bool demo_broker_open(struct demo_broker **broker, const struct demo_topic *topics,
                      size_t topic_count, size_t records_per_topic, struct error *err) {
    check(records_per_topic <= DEMO_RECORDS_MAX);
    struct demo_broker *made = must_alloc(1, sizeof *made);
    made->filled = records_per_topic;
    if (!open_producer(made, err)) {
        free(made);
        return false;
    }
    if (!fill(made, topics, topic_count, records_per_topic, err)) {
        demo_broker_close(made);
        return false;
    }
    *broker = made;
    return true;
}

/* ---- feeding ---- */

enum { FEED_EVERY_MS = 100 };

static bool feed_once(struct demo_feed *feed, struct error *err) {
    size_t count = feed->per_second * FEED_EVERY_MS / 1000;
    for (size_t i = 0; i < feed->topic_count; i++) {
        struct sample *sample = create_sample(&feed->topics[i]);
        bool fed = true;
        for (uint64_t number = feed->next; fed && number < feed->next + count; number++) {
            sample_make(sample, number);
            sample->timestamp_ms = clock_wall_ms();
            fed = produce(feed->broker, feed->topics[i].name, (int32_t)(number % DEMO_PARTITIONS),
                          sample, err);
        }
        free(sample);
        if (!fed)
            return false;
    }
    feed->next += count;
    (void)rd_kafka_poll(feed->broker->producer, 0); // delivery reports
    return true;
}

static void *feed_main(void *argument) {
    struct demo_feed *feed = argument;
    struct error err;
    bool fed = true;
    while (fed && !stop_sleep(&feed->stop, FEED_EVERY_MS))
        fed = feed_once(feed, &err);
    if (!fed)
        log_write(LOG_ERROR, "main", "The demo cannot produce more records | error=%s",
                  err.message);
    return NULL;
}

bool demo_broker_feed(struct demo_broker *broker, const struct demo_topic *topics,
                      size_t topic_count, size_t records_per_second, struct error *err) {
    struct demo_feed *feed = &broker->feed;
    check(!feed->runs && records_per_second * FEED_EVERY_MS >= 1000);
    *feed = (struct demo_feed){.broker = broker,
                               .topics = topics,
                               .topic_count = topic_count,
                               .per_second = records_per_second,
                               .next = broker->filled};
    stop_init(&feed->stop);
    feed->runs = thread_start(&feed->thread, feed_main, feed,
                              "cannot start the thread of the demo's producer", err);
    if (!feed->runs)
        stop_deinit(&feed->stop);
    return feed->runs;
}

static void stop_feed(struct demo_feed *feed) {
    if (!feed->runs)
        return;
    stop_request(&feed->stop, STOP_NOW);
    check(pthread_join(feed->thread, NULL) == 0);
    stop_deinit(&feed->stop);
    feed->runs = false;
}

/* ---- the end ---- */

const char *demo_broker_bootstrap(const struct demo_broker *broker) {
    return rd_kafka_mock_cluster_bootstraps(broker->cluster);
}

void demo_broker_close(struct demo_broker *broker) {
    if (broker == NULL)
        return;
    stop_feed(&broker->feed);
    rd_kafka_destroy(broker->producer);
    free(broker);
}
