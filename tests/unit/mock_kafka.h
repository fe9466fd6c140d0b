/* mock_kafka.h: librdkafka's mock cluster and a producer for it, for as long as a test. */
#ifndef TEST_MOCK_KAFKA_H
#define TEST_MOCK_KAFKA_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/check.h"

struct mock_kafka {
    rd_kafka_t *producer; // owns the cluster
    rd_kafka_mock_cluster_t *cluster;
    char *servers; // owned
};

static inline void mock_kafka_open(struct mock_kafka *mock) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[256];
    check(rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", reason, sizeof reason) == 0);
    check(rd_kafka_conf_set(conf, "linger.ms", "0", reason, sizeof reason) == 0);
    rd_kafka_conf_set_log_cb(conf, NULL);
    mock->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    check(mock->producer != NULL);
    mock->cluster = rd_kafka_handle_mock_cluster(mock->producer);
    mock->servers = strdup(rd_kafka_mock_cluster_bootstraps(mock->cluster));
    check(mock->servers != NULL);
}

static inline void mock_kafka_close(struct mock_kafka *mock) {
    rd_kafka_destroy(mock->producer);
    free(mock->servers);
}

static inline void mock_kafka_topic(struct mock_kafka *mock, const char *topic, int partitions) {
    check(rd_kafka_mock_topic_create(mock->cluster, topic, partitions, 1) == 0);
}

/* An error of a topic, together with its partitions, which no real broker sends. False: at that
 * the librdkafka that is loaded crashes (2.3 to 2.8 at least); then only stories, with a real
 * broker, show what happens after such an error. */
static inline bool mock_kafka_refuse(struct mock_kafka *mock, const char *topic,
                                     rd_kafka_resp_err_t code) {
    if (rd_kafka_version() >= 0x020300ff)
        return false;
    rd_kafka_mock_topic_set_error(mock->cluster, topic, code);
    return true;
}

/* Takes every descriptor up to a limit of MOCK_KAFKA_FILES, so that there is none for another
 * socket. A limit below the descriptors that are open would end the mock's own thread: its poll()
 * is given more of them than the limit, and fails. */
enum { MOCK_KAFKA_FILES = 100 };
struct mock_kafka_files {
    struct rlimit before;
    int count, taken[MOCK_KAFKA_FILES];
};

static inline void mock_kafka_take_files(struct mock_kafka_files *files) {
    files->count = 0;
    check(getrlimit(RLIMIT_NOFILE, &files->before) == 0);
    struct rlimit limit = {MOCK_KAFKA_FILES, files->before.rlim_max};
    check(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    for (int fd = dup(STDERR_FILENO); fd >= 0; fd = dup(STDERR_FILENO))
        files->taken[files->count++] = fd;
}

static inline void mock_kafka_give_files_back(struct mock_kafka_files *files) {
    check(setrlimit(RLIMIT_NOFILE, &files->before) == 0);
    for (int i = 0; i < files->count; i++)
        check(close(files->taken[i]) == 0);
}

/* `count` records with values "first", "first + 1" …, each filled up to `size` bytes. */
static inline void mock_kafka_put(struct mock_kafka *mock, const char *topic, int partition,
                                  int first, int count, size_t size) {
    static char value[1 << 16];
    check(size < sizeof value);
    for (int i = first; i < first + count; i++) {
        memset(value, '.', size);
        size_t length = (size_t)snprintf(value, sizeof value, "%d", i);
        if (length < size)
            value[length] = '.';
        check(rd_kafka_producev(mock->producer, RD_KAFKA_V_TOPIC(topic),
                                RD_KAFKA_V_PARTITION(partition),
                                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY("k", 1),
                                RD_KAFKA_V_VALUE(value, length < size ? size : length),
                                RD_KAFKA_V_TIMESTAMP(1000 + i), RD_KAFKA_V_END) == 0);
    }
    check(rd_kafka_flush(mock->producer, 20000) == 0);
}

#endif
