/* drain.c: reads topics from their first to their last record with librdkafka and does nothing with
 * them: what Kafka costs before our own work begins. One handle, one queue, checksums on, as the
 * program reads.
 *
 *     drain BROKERS PARTITIONS TOPIC... */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

struct count {
    int64_t records, bytes;
    int open; // partitions that have not come to their end
};

static void take(rd_kafka_message_t *message, void *context) {
    struct count *count = context;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        count->open--;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    count->records++;
    count->bytes += (int64_t)message->len;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char reason[512];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK)
        return;
    (void)fprintf(stderr, "%s: %s\n", name, reason);
    exit(2);
}

static rd_kafka_t *open_handle(const char *brokers) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    set(conf, "check.crcs", "true");
    set(conf, "enable.partition.eof", "true");
    set(conf, "fetch.message.max.bytes", "1048576");
    set(conf, "queued.max.messages.kbytes", "65536");
    char reason[512];
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    if (handle != NULL)
        return handle;
    (void)fprintf(stderr, "%s\n", reason);
    exit(1);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        (void)fprintf(stderr, "usage: drain BROKERS PARTITIONS TOPIC...\n");
        return 2;
    }
    rd_kafka_t *handle = open_handle(argv[1]);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    struct count count = {0};
    int partitions = (int)strtol(argv[2], NULL, 10);
    for (int i = 3; i < argc; i++) {
        rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, argv[i], NULL);
        for (int32_t id = 0; id < partitions; id++, count.open++)
            if (rd_kafka_consume_start_queue(topic, id, RD_KAFKA_OFFSET_BEGINNING, queue) != 0)
                return 1;
    }
    while (count.open > 0)
        if (rd_kafka_consume_callback_queue(queue, 1000, take, &count) < 0)
            return 1;
    printf("%" PRId64 " records, %" PRId64 " bytes\n", count.records, count.bytes);
    return 0; // the process ends here: what a clean close costs is not the question
}
