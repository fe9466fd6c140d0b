/* Each topic, asked through librdkafka with the properties of a run. Whether Kafka still has what
 * the checkpoint comes to next is seen by the functions that a start uses
 * (streaming/kafka/positions.h), so that doctor and start say the same. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/text.h"
#include "streaming/kafka/broker.h"
#include "streaming/kafka/kafka_topic_id.h"
#include "streaming/kafka/positions.h"
#include "streaming/recovery/inspect.h"
#include "streaming/store/checkpoint_notes.h"
#include "surfaces/doctor/doctor_checks.h"

/* Where the checkpoint stands: the ends of what it has committed. Owned by the caller. */
static struct offset_range *positions_of(const struct inspection *inspection, size_t *count) {
    struct offset_range *positions = must_alloc(inspection->partition_count + 1, sizeof *positions);
    *count = 0;
    for (size_t i = 0; i < inspection->partition_count; i++) {
        const struct inspected_partition *at = &inspection->partitions[i];
        if (at->incarnation == inspection->incarnation)
            positions[(*count)++] = (struct offset_range){at->partition, at->end, at->end};
    }
    return positions;
}

static void say_broken(const struct config *config, const char *topic, const char *detail,
                       struct doctor_report *report) {
    scoped(scope_free) char *fault = text_format(
        "the topic was deleted and created again, or its log was truncated: %s", detail);
    if (config->query.fail_on_data_loss)
        doctor_fail(report, EXIT_CODE_DATA_LOSS, "progress", topic,
                    "set FAIL_ON_DATA_LOSS=false to continue (a new topic is read from its "
                    "beginning, a truncated log from its new end), or restore the topic",
                    "%s", fault);
    else
        doctor_warn(report, "progress", topic,
                    "nothing to do: with FAIL_ON_DATA_LOSS=false, a new topic is read from its "
                    "beginning and a truncated log from its new end",
                    "%s", fault);
}

static bool check_retention(const struct config *config, const char *topic,
                            const struct offset_range *position,
                            const struct partition_offsets *listed, struct doctor_report *report) {
    if (position->end >= listed->log_start || !config->query.fail_on_data_loss)
        return true;
    doctor_fail(report, EXIT_CODE_DATA_LOSS, "progress", topic,
                "set FAIL_ON_DATA_LOSS=false to continue without them, and raise the topic's "
                "retention (retention.ms)",
                "partition %" PRId32 ": the next offsets, %" PRId64 " to %" PRId64
                ", are gone from Kafka",
                position->partition, position->end, listed->log_start - 1);
    return false;
}

/* All positions are there; what is left of the topic behind them. */
static void check_lag(const struct config *config, const char *topic,
                      const struct topic_offsets *offsets, const struct offset_range *positions,
                      size_t count, struct doctor_report *report) {
    int64_t lag = positions_held_back(positions, count, offsets);
    for (size_t i = 0; i < offsets->count; i++) {
        const struct partition_offsets *listed = &offsets->partitions[i];
        int64_t next = positions_next(positions, count, listed->partition);
        const struct offset_range position = {listed->partition, next, next};
        if (!check_retention(config, topic, &position, listed, report))
            return;
        next = next > listed->log_start ? next : listed->log_start;
        lag += next < listed->end ? listed->end - next : 0;
    }
    doctor_ok(report, "progress", topic, "%s left to read", text_count(lag, "offset").text);
}

/* Compares the cluster that answers with the one that the checkpoint's offsets belong to. False:
 * another. */
static bool check_cluster_id(struct broker *broker, const char *checkpoint, const char *topic,
                             const struct inspection *inspection, struct doctor_report *report) {
    char answering[KAFKA_CLUSTER_ID_MAX];
    struct error err;
    if (broker->ops->cluster_id == NULL)
        return true;
    if (!broker->ops->cluster_id(broker, answering)) {
        doctor_warn(report, "cluster id", topic,
                    "make sure that KAFKA_BOOTSTRAP_SERVERS always names the same cluster: a "
                    "switch to another cannot be detected",
                    "reports no cluster id");
        return true;
    }
    bool is_noted = inspection->kafka_id[0] != '\0';
    if (is_noted && !kafka_note_compare(checkpoint, inspection->kafka_id, answering, &err)) {
        scoped(scope_free) char *cure =
            text_format("set KAFKA_BOOTSTRAP_SERVERS back to the cluster %s", inspection->kafka_id);
        doctor_fail(report, EXIT_CODE_STATE, "cluster id", topic, cure, "%s", err.message);
        return false;
    }
    doctor_ok(report, "cluster id", topic, "%s%s", answering,
              is_noted ? ", the same as in the checkpoint" : "");
    return true;
}

/* Another id is reported with what else does not fit. */
static void check_id(const struct broker *broker, const char *topic,
                     const struct topic_offsets *offsets, const struct inspection *inspection,
                     struct positions_view *view, struct doctor_report *report) {
    if (broker->ops->find_id == NULL)
        return;
    if (offsets->id[0] == '\0')
        doctor_ok(report, "topic id", topic,
                  "not known to %s%s: a topic that is deleted and created again while the query is "
                  "stopped can only be recognised by its records",
                  kafka_topic_id_known() ? "these brokers" : "librdkafka ",
                  kafka_topic_id_known() ? "" : kafka_topic_id_library());
    else if (inspection->topic_id[0] != '\0' && strcmp(inspection->topic_id, offsets->id) != 0)
        partition_texts_add(&view->broken, "its id is %s, not %s", offsets->id,
                            inspection->topic_id);
    else
        doctor_ok(report, "topic id", topic, "%s%s", offsets->id,
                  inspection->topic_id[0] != '\0' ? ", the same as in the checkpoint" : "");
}

/* Compares the checkpoint's next offsets with what Kafka still has. */
static void check_progress(const struct config *config, struct broker *broker, const char *topic,
                           struct topic_offsets *offsets, const struct inspection *inspection,
                           struct doctor_report *report) {
    size_t count;
    struct error err = {0};
    struct positions_view view;
    struct offset_range *positions = positions_of(inspection, &count);
    if ((positions_want_high(positions, count, offsets) &&
         !broker_list_high(broker, topic, DOCTOR_BROKER_MS, offsets, &err)) ||
        !broker_find_id(broker, topic, DOCTOR_BROKER_MS, offsets, &err)) {
        doctor_fail_error(report, EXIT_CODE_KAFKA, "progress", topic, NULL, &err);
        free(positions);
        return;
    }
    positions_view(positions, count, offsets, &view);
    check_id(broker, topic, offsets, inspection, &view, report);
    if (view.broken.count > 0)
        say_broken(config, topic, view.broken.text, report);
    else
        check_lag(config, topic, offsets, positions, count, report);
    if (view.waiting.count > 0)
        doctor_warn(report, "transaction", topic,
                    "find the producer that left it open (kafka-transactions.sh find-hanging); no "
                    "record after it is read until it ends",
                    "a transaction is open: %s", view.waiting.text);
    free(positions);
}

static bool has_answered(struct broker *broker) {
    char ignored[KAFKA_CLUSTER_ID_MAX];
    return broker->ops->cluster_id == NULL || broker->ops->cluster_id(broker, ignored);
}

/* Of brokers that take connections. The reason is librdkafka's, and has a hint where it has one. */
static const char *cure_of_silence(const char *reason) {
    if (strstr(reason, "uthentication") != NULL || strstr(reason, "SASL ") != NULL)
        return "check KAFKA_SASL_MECHANISM and the credentials, KAFKA_SASL_*";
    if (strstr(reason, "ssl://") != NULL || strstr(reason, "TLS") != NULL)
        return "check that KAFKA_SECURITY_PROTOCOL matches the listener of this port; for TLS also "
               "KAFKA_SSL_*";
    return "look at the broker's log, CPU and disk: it may be starting, overloaded or frozen; also "
           "check that a Kafka broker listens on this port";
}

/* What to do about a topic that could not be listed by a broker that answers; owned by the caller.
 */
static char *cure_of_topic(struct broker *broker, const struct stream *stream, const char *topic,
                           const struct error *err) {
    char similar[KAFKA_TOPIC_NAME_MAX];
    if (err->kind == ERROR_NO_TOPIC && broker->ops->similar_topic != NULL &&
        broker->ops->similar_topic(broker, topic, similar))
        return stream->topic_setting != NULL
                   ? text_format("set %s=%s", stream->topic_setting, similar)
                   : text_format("correct %s to '%s'", stream->topic_source, similar);
    if (err->kind == ERROR_NO_TOPIC)
        return text_format("create the topic, or correct %s", stream->topic_source);
    if (strstr(err->message, "access denied") != NULL)
        return text_format("kafka-acls.sh --add --allow-principal User:NAME --operation Read "
                           "--topic %s",
                           topic);
    return text_format("look at the brokers that lead the topic's partitions: kafka-topics.sh "
                       "--describe --topic %s",
                       topic);
}

/* False: it is not the topic, but no broker answers. */
static bool say_unlisted(const struct config *config, struct broker *broker,
                         const struct stream *stream, const struct error *err,
                         struct doctor_report *report) {
    const char *topic = config_topic(config, stream);
    if (err->kind == ERROR_BROKER && !has_answered(broker)) {
        doctor_fail(report, EXIT_CODE_KAFKA, "Kafka", config->bootstrap_servers,
                    cure_of_silence(err->message),
                    "the broker accepts connections but does not answer: %s", err->message);
        return false;
    }
    scoped(scope_free) char *cure = cure_of_topic(broker, stream, topic, err);
    doctor_fail_error(report, EXIT_CODE_KAFKA, "topic", topic, cure, err);
    return true;
}

/* False: no broker answers, and other topics need not be asked for. */
static bool check_topic(const struct config *config, struct broker *broker,
                        const struct stream *stream, struct doctor_report *report) {
    struct error err = {0};
    struct topic_offsets offsets;
    struct inspection inspection;
    const char *topic = config_topic(config, stream);
    if (!broker->ops->list_offsets(broker, topic, DOCTOR_BROKER_MS, &offsets, &err))
        return say_unlisted(config, broker, stream, &err, report);
    int64_t held = 0;
    for (size_t i = 0; i < offsets.count; i++)
        held += offsets.partitions[i].end - offsets.partitions[i].log_start;
    doctor_ok(report, "topic", topic, "%s, %s",
              text_count((int64_t)offsets.count, "partition").text,
              text_count(held, "offset").text);
    doctor_check_records(config, stream, broker, &offsets, report);
    struct store_options options = config_store_options(config, stream);
    if (inspect(&options, &inspection, &err)) {
        // On another cluster than the one noted, offsets mean nothing.
        if (check_cluster_id(broker, options.checkpoint, topic, &inspection, report) &&
            inspection.there && inspection.fault_count == 0)
            check_progress(config, broker, topic, &offsets, &inspection, report);
        inspection_deinit(&inspection);
    }
    config_store_options_deinit(&options);
    topic_offsets_deinit(&offsets);
    return true;
}

void doctor_check_topics(const struct config *config, struct doctor_report *report) {
    struct error err = {0};
    struct broker *broker;
    if (!broker_open(config->bootstrap_servers, config->kafka_properties,
                     config->kafka_property_count, &broker, &err)) {
        doctor_fail_error(report, exit_code_of(err.kind), "Kafka", NULL, NULL, &err);
        return;
    }
    bool reached = doctor_reaches_broker(config), answers = reached;
    for (size_t i = 0; streams[i] != NULL; i++) {
        if (!config_runs(config, streams[i]))
            continue;
        answers = answers && check_topic(config, broker, streams[i], report);
        if (!answers)
            doctor_skip(report, "topic", config_topic(config, streams[i]), "skipped: %s",
                        reached ? "the broker does not answer" : "the broker cannot be reached");
    }
    broker->ops->close(broker);
}
