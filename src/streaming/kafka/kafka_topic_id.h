/* kafka_topic_id.h: the id that Kafka gave a topic, which one created again does not share. Kafka
 * has ids from 2.8 on, and librdkafka asks for them from 2.3 on. Part of the broker in
 * kafka_admin.c. */
#ifndef STREAMING_KAFKA_KAFKA_TOPIC_ID_H
#define STREAMING_KAFKA_KAFKA_TOPIC_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "streaming/offsets/incarnation.h"

struct rd_kafka_s;

/* Whether the librdkafka that is loaded can ask for ids. */
bool kafka_topic_id_known(void);
const char *kafka_topic_id_library(void); // its version, "2.0.2"

/* What came of a question. Codes are those of rd_kafka_resp_err_t, 0 for none. */
struct kafka_topic_id {
    char id[TOPIC_ID_MAX]; // "": the cluster has no ids
    int unreachable;       // no answer came: why
    int refused;           // the answer was an error: which
};

/* Asks one broker of the cluster; less than 0: any. Only if ids are known. */
struct kafka_topic_id kafka_topic_id_ask(struct rd_kafka_s *handle, const char *topic,
                                         int32_t broker_id, int timeout_ms);

#endif
