#include "pipeline/source/kafka_errors.h"

#include <librdkafka/rdkafka.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

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
    {RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, {KAFKA_PASSES, ""}}, // a request that was never sent
    {RD_KAFKA_RESP_ERR__AUTHENTICATION, {KAFKA_PASSES, ""}},  // it logs in again, and reports again
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
      "this librdkafka lacks the batch's codec or format: install a build that has it; if it reads "
      "other batches of the topic, " CURE_DAMAGED}},
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

const char *kafka_error_text(int code) {
    switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
        return "no broker answered in time";
    default:
        return rd_kafka_err2str((rd_kafka_resp_err_t)code);
    }
}

/* ---- reports ---- */

#define SILENT                                                                                     \
    "the broker accepted the connection but does not answer; it may be starting, overloaded or "   \
    "frozen: check its log, CPU and disk"
#define SLOW                                                                                       \
    "; if the network is so slow that an answer takes longer, raise KAFKA_CONF_socket_timeout_ms"
#define HUNG_UP                                                                                    \
    "the broker closed the connection without an error; if this persists, check that "             \
    "KAFKA_SECURITY_PROTOCOL matches the listener (TLS or not)"
#define NOT_TLS                                                                                    \
    "check that the port is that of a TLS listener, and KAFKA_SECURITY_PROTOCOL: this looks like " \
    "a plaintext listener"

#define TOO_LARGE                                                                                  \
    "which this program sets itself; if no answer can have this size, check that a Kafka "         \
    "broker listens there, and that KAFKA_SECURITY_PROTOCOL matches the listener"

static const struct {
    const char *part;  // of the report
    const char *words; // instead of the reason; NULL: the reason stays
    const char *hint;  // after the reason
} reports[] = {
    {"ApiVersionRequest failed: Local: Timed out", SILENT, NULL},
    {"request(s) timed out: disconnect", SILENT SLOW, NULL},
    {"Connection setup timed out in state CONNECT",
     "the connection was not accepted in time; check the address, and that no firewall or network "
     "policy blocks it",
     NULL},
    {"Connection setup timed out", SILENT, NULL},
    {"Disconnected while requesting ApiVersion", HUNG_UP, NULL},
    {"ApiVersionRequest failed: Local: Broker transport failure", HUNG_UP, NULL},
    {"increase receive.message.max.bytes", NULL, TOO_LARGE},
    {"unexpected eof while reading", NULL, NOT_TLS},
    {"wrong version number", NULL, NOT_TLS},
    {"packet length too long", NULL, NOT_TLS},
    {"connecting to a PLAINTEXT broker listener",
     "the broker closed the connection during the TLS handshake; " NOT_TLS, NULL},
};

/* Where the times and counts begin, which librdkafka adds in brackets at the end. */
static size_t reason_size(const char *report) {
    const char *end = NULL;
    for (const char *at = report; (at = strstr(at, " (after ")) != NULL; at++)
        end = at;
    return end != NULL && strstr(end, "ms in state ") != NULL ? (size_t)(end - report)
                                                              : strlen(report);
}

void kafka_report_text(const char *report, char *text, size_t size) {
    const char *reason = strstr(report, ": "), *hint = NULL;
    for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++) {
        if (strstr(report, reports[i].part) == NULL)
            continue;
        if (reports[i].words != NULL && reason != NULL) {
            (void)snprintf(text, size, "%.*s: %s", (int)(reason - report), report,
                           reports[i].words);
            return;
        }
        hint = reports[i].hint;
        break;
    }
    (void)snprintf(text, size, "%.*s%s%s", (int)reason_size(report), report,
                   hint != NULL ? "; " : "", hint != NULL ? hint : "");
}
