#include "pipeline/source/kafka_errors.h"

#include <librdkafka/rdkafka.h>
#include <stddef.h>

#define CURE_DAMAGED                                                                               \
    "the batch is damaged: make another replica the leader, if its copy is intact; or "            \
    "delete the records up to the end of the batch (kafka-delete-records) and skip them with "     \
    "FAIL_ON_DATA_LOSS=false"
#define CURE_RIGHTS "grant the user DESCRIBE and READ on the topic"
#define CURE_TOPIC "create the topic again, or correct its name"

static const struct {
    rd_kafka_resp_err_t code;
    struct kafka_verdict verdict;
} verdicts[] = {
    {RD_KAFKA_RESP_ERR__TRANSPORT, {KAFKA_PASSES, ""}},
    {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, {KAFKA_PASSES, ""}},
    {RD_KAFKA_RESP_ERR__RESOLVE, {KAFKA_PASSES, ""}},
    {RD_KAFKA_RESP_ERR__TIMED_OUT, {KAFKA_PASSES, ""}},
    {RD_KAFKA_RESP_ERR__AUTHENTICATION, {KAFKA_PASSES, ""}}, // it logs in again, and reports again
    {RD_KAFKA_RESP_ERR__SSL, {KAFKA_PASSES, ""}},
    {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, {KAFKA_PASSES, ""}},
    {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, {KAFKA_PASSES, ""}},
    {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, {KAFKA_PASSES, ""}},
    {RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, {KAFKA_PASSES, ""}},
    {RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, {KAFKA_PASSES, ""}},
    {RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, {KAFKA_PASSES, ""}},
    {RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, {KAFKA_PASSES, ""}},
    {RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, {KAFKA_PASSES, ""}},
    {RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH, {KAFKA_PASSES, ""}},
    {RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE, {KAFKA_PASSES, ""}},
    {RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, {KAFKA_PASSES, ""}},

    {RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, {KAFKA_ASK, ""}},
    {RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, {KAFKA_ASK, ""}},

    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, {KAFKA_REPAIR, CURE_TOPIC}},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, {KAFKA_REPAIR, CURE_TOPIC}},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, {KAFKA_REPAIR, CURE_TOPIC}},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, {KAFKA_REPAIR, CURE_RIGHTS}},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, {KAFKA_REPAIR, CURE_RIGHTS}},
    {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
     {KAFKA_REPAIR, "check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"}},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, {KAFKA_REPAIR, "the broker is too old: upgrade it"}},
    {RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, {KAFKA_REPAIR, "the broker is too old: upgrade it"}},
    {RD_KAFKA_RESP_ERR_UNKNOWN, {KAFKA_REPAIR, "see the broker's log"}},

    {RD_KAFKA_RESP_ERR__BAD_MSG, {KAFKA_DAMAGED, CURE_DAMAGED}}, // a checksum, in the first place
    {RD_KAFKA_RESP_ERR__BAD_COMPRESSION, {KAFKA_DAMAGED, CURE_DAMAGED}},
    {RD_KAFKA_RESP_ERR__UNDERFLOW, {KAFKA_DAMAGED, CURE_DAMAGED}},
    {RD_KAFKA_RESP_ERR_INVALID_MSG, {KAFKA_DAMAGED, CURE_DAMAGED}},        // the broker's own check
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, {KAFKA_DAMAGED, CURE_DAMAGED}}, // a header beyond 1 GiB

    {RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED,
     {KAFKA_OURS,
      "this librdkafka was built without the batch's codec: install a build that has it"}},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE,
     {KAFKA_OURS, "this librdkafka is too old for the topic's codec: install a newer one"}},
    {RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE,
     {KAFKA_LIMIT, "out of memory: raise the limit of the process or its container"}},
    {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, {KAFKA_OURS, "the broker does not accept this topic name"}},
};

struct kafka_verdict kafka_verdict_of(int code) {
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
        if ((int)verdicts[i].code == code)
            return verdicts[i].verdict;
    return (struct kafka_verdict){code > 0 ? KAFKA_REPAIR : KAFKA_DAMAGED, ""};
}

enum error_kind kafka_error_kind(int code) {
    switch (kafka_verdict_of(code).fate) {
    case KAFKA_PASSES:
    case KAFKA_REPAIR:
        return ERROR_BROKER;
    case KAFKA_ASK:
        return ERROR_DATA_LOSS;
    case KAFKA_DAMAGED:
        return ERROR_DAMAGED;
    case KAFKA_OURS:
        return ERROR_CONFIG;
    case KAFKA_LIMIT:
        return ERROR_LIMIT;
    }
    return ERROR_BROKER;
}

bool kafka_error_is_refusal(int code) {
    return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
           code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
           code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
}
