/* kafka_topic_id.c: DescribeTopics, by librdkafka's admin client.
 *
 * The functions are looked for when the program is loaded, so that one built with the headers of an
 * older librdkafka uses a newer library: what older headers lack is declared here, as weak symbols,
 * with the numbers that are part of librdkafka's stable interface.
 *
 * The question goes to a broker that has answered before. Left to itself librdkafka waits for the
 * controller, which need not be reachable and which its own mock cluster does not have. */
#include "streaming/kafka/kafka_topic_id.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

enum { REPLY_MS = 1000 }; // beyond a request's time, until its end is reported

#if RD_KAFKA_VERSION < 0x020300ff

typedef struct rd_kafka_Uuid_s rd_kafka_Uuid_t;
typedef struct rd_kafka_TopicCollection_s rd_kafka_TopicCollection_t;
typedef struct rd_kafka_TopicDescription_s rd_kafka_TopicDescription_t;
typedef rd_kafka_event_t rd_kafka_DescribeTopics_result_t;

#define RD_KAFKA_ADMIN_OP_DESCRIBETOPICS ((rd_kafka_admin_op_t)19)
#define WEAK __attribute__((weak))

WEAK rd_kafka_TopicCollection_t *rd_kafka_TopicCollection_of_topic_names(const char **topics,
                                                                         size_t topics_cnt);
WEAK void rd_kafka_TopicCollection_destroy(rd_kafka_TopicCollection_t *topics);
WEAK void rd_kafka_DescribeTopics(rd_kafka_t *rk, const rd_kafka_TopicCollection_t *topics,
                                  const rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *rkqu);
WEAK const rd_kafka_DescribeTopics_result_t *
rd_kafka_event_DescribeTopics_result(rd_kafka_event_t *rkev);
WEAK const rd_kafka_TopicDescription_t **
rd_kafka_DescribeTopics_result_topics(const rd_kafka_DescribeTopics_result_t *result,
                                      size_t *result_topics_cnt);
WEAK const rd_kafka_error_t *
rd_kafka_TopicDescription_error(const rd_kafka_TopicDescription_t *topicdesc);
WEAK const rd_kafka_Uuid_t *
rd_kafka_TopicDescription_topic_id(const rd_kafka_TopicDescription_t *topicdesc);
WEAK int64_t rd_kafka_Uuid_least_significant_bits(const rd_kafka_Uuid_t *uuid);
WEAK int64_t rd_kafka_Uuid_most_significant_bits(const rd_kafka_Uuid_t *uuid);
WEAK const char *rd_kafka_Uuid_base64str(const rd_kafka_Uuid_t *uuid);

bool kafka_topic_id_known(void) {
    return rd_kafka_DescribeTopics != NULL;
}

#else

bool kafka_topic_id_known(void) {
    return true;
}

#endif

const char *kafka_topic_id_library(void) {
    return rd_kafka_version_str();
}

static rd_kafka_event_t *describe(rd_kafka_t *handle, const char *topic, int32_t broker_id,
                                  int timeout_ms) {
    char reason[256];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
    check(rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, reason, sizeof reason) ==
          RD_KAFKA_RESP_ERR_NO_ERROR);
    if (broker_id >= 0)
        check(rd_kafka_AdminOptions_set_broker(options, broker_id, reason, sizeof reason) ==
              RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_TopicCollection_t *topics = rd_kafka_TopicCollection_of_topic_names(&topic, 1);
    rd_kafka_DescribeTopics(handle, topics, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms + REPLY_MS);
    rd_kafka_TopicCollection_destroy(topics);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return event;
}

static void read_description(const rd_kafka_TopicDescription_t *description,
                             struct kafka_topic_id *result) {
    const rd_kafka_error_t *error = rd_kafka_TopicDescription_error(description);
    const rd_kafka_Uuid_t *id = rd_kafka_TopicDescription_topic_id(description);
    if (error != NULL)
        result->refused = rd_kafka_error_code(error);
    else if (rd_kafka_Uuid_least_significant_bits(id) != 0 || // zero: a Kafka without ids
             rd_kafka_Uuid_most_significant_bits(id) != 0)
        (void)snprintf(result->id, sizeof result->id, "%s", rd_kafka_Uuid_base64str(id));
}

struct kafka_topic_id kafka_topic_id_ask(rd_kafka_t *handle, const char *topic, int32_t broker_id,
                                         int timeout_ms) {
    struct kafka_topic_id result = {.unreachable = RD_KAFKA_RESP_ERR__TIMED_OUT};
    rd_kafka_event_t *event = describe(handle, topic, broker_id, timeout_ms);
    if (event == NULL)
        return result;
    result.unreachable = rd_kafka_event_error(event);
    if (result.unreachable == RD_KAFKA_RESP_ERR_NO_ERROR) {
        size_t count;
        const rd_kafka_TopicDescription_t **found = rd_kafka_DescribeTopics_result_topics(
            rd_kafka_event_DescribeTopics_result(event), &count);
        check(count == 1);
        read_description(found[0], &result);
    }
    rd_kafka_event_destroy(event);
    return result;
}
