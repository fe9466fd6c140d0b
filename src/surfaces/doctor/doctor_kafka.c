#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "core/kafka_timestamp.h"
#include "streaming/kafka/broker.h"
#include "streaming/kafka/positions.h"
#include "streaming/query/engine.h"
#include "streaming/recovery/inspect.h"
#include "streaming/store/kafka_note.h"
#include "surfaces/doctor/doctor.h"
#include "surfaces/doctor/reach.h"
#include "surfaces/terminal/moment.h"

enum {
    READ_MS = 5000,
    READ_BACK = 20,        // offsets before the end: the last may be a transaction's marker
    READ_MEMORY = 4 << 20, // bytes
    AHEAD_MS = 5000,       // how far a record may be ahead of our clock
};

/* ---- brokers ---- */

/* Takes host and port of one of the servers apart: host:port, [v6]:port. */
static void split_server(char *server, const char **host, const char **port) {
    char *bracket = *server == '[' ? strchr(server, ']') : NULL;
    *host = bracket != NULL ? server + 1 : server;
    char *colon = strchr(bracket != NULL ? bracket : server, ':');
    check(colon != NULL); // surfaces/settings/addresses.h
    *port = colon + 1;
    *colon = '\0';
    if (bracket != NULL)
        *bracket = '\0';
}

static void check_server(char *server, struct findings *findings) {
    char *what = findings_text("broker %s", server);
    const char *host, *port;
    split_server(server, &host, &port);
    char reason[REACH_REASON_MAX];
    int64_t began_us = clock_monotonic_us();
    switch (reach_try(host, port, reason)) {
    case REACH_OK:
        findings_ok(findings, what,
                    findings_text("takes connections, after %.1f ms",
                                  (double)(clock_monotonic_us() - began_us) / 1000));
        break;
    case REACH_NO_NAME:
        findings_fail(findings, EXIT_CODE_KAFKA, what,
                      findings_text("the name '%s': %s", host, reason),
                      findings_text("correct KAFKA_BOOTSTRAP_SERVERS, or the name service (in a "
                                    "container: its network)"));
        break;
    case REACH_NO_ANSWER:
        findings_fail(findings, EXIT_CODE_KAFKA, what, findings_text("connect: %s", reason),
                      findings_text("see whether the broker runs and listens there, and whether a "
                                    "firewall or network policy lets us through"));
        break;
    case REACH_LIMIT:
        findings_limit(findings, what, findings_text("connect: %s", reason));
        break;
    }
}

static void check_isolation(const struct config *config, struct findings *findings) {
    const char *level = "read_committed";
    for (size_t i = 0; i < config->kafka_property_count; i++)
        if (strcmp(config->kafka_properties[i].name, "isolation.level") == 0)
            level = config->kafka_properties[i].value;
    if (strcmp(level, "read_committed") == 0)
        findings_ok(findings, findings_text("isolation"), findings_text("%s", level));
    else
        findings_warn(findings, findings_text("isolation"),
                      findings_text("%s: records of aborted transactions are read", level),
                      findings_text("leave KAFKA_CONF_ISOLATION_LEVEL out, unless that is meant"));
}

/* As long as one broker can be reached, the others are not needed to begin with. */
static void soften(struct findings *findings) {
    bool reached = false;
    for (size_t i = 0; i < findings->count; i++)
        reached = reached || findings->items[i].verdict == VERDICT_OK;
    for (size_t i = 0; reached && i < findings->count; i++)
        if (findings->items[i].verdict == VERDICT_FAIL)
            findings->items[i].verdict = VERDICT_WARN;
}

static bool is_capture(const struct config *config) {
    return strncmp(config->bootstrap_servers, "file:", 5) == 0;
}

void doctor_check_brokers(const struct config *config, struct findings *findings) {
    if (is_capture(config))
        return;
    char *servers = strdup(config->bootstrap_servers);
    check(servers != NULL);
    char *rest = NULL;
    for (char *server = strtok_r(servers, ",", &rest); server != NULL;
         server = strtok_r(NULL, ",", &rest))
        check_server(server, findings);
    free(servers);
    soften(findings);
    check_isolation(config, findings);
}

/* ---- topics ---- */

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
                       struct findings *findings) {
    char *what = findings_text("progress %s", topic);
    char *fault =
        findings_text("the topic was deleted and created again, or its log was cut: %s", detail);
    if (config->query.fail_on_data_loss)
        findings_fail(findings, EXIT_CODE_DATA_LOSS, what, fault,
                      findings_text("go on with FAIL_ON_DATA_LOSS=false, which reads another topic "
                                    "from its beginning and a log that was cut from its new end; "
                                    "or restore the topic"));
    else
        findings_warn(findings, what, fault,
                      findings_text("nothing: with FAIL_ON_DATA_LOSS=false another topic is read "
                                    "from its beginning, and a log that was cut from its new end"));
}

static bool check_retention(const struct config *config, const char *topic,
                            const struct offset_range *position,
                            const struct partition_offsets *listed, struct findings *findings) {
    if (position->end >= listed->log_start || !config->query.fail_on_data_loss)
        return true;
    findings_fail(
        findings, EXIT_CODE_DATA_LOSS, findings_text("progress %s", topic),
        findings_text("partition %" PRId32 ": offsets %" PRId64 " to %" PRId64
                      " come next and are gone",
                      position->partition, position->end, listed->log_start - 1),
        findings_text("go on without them with FAIL_ON_DATA_LOSS=false, and let the topic "
                      "keep its records longer (retention.ms)"));
    return false;
}

/* All positions are there; what is left of the topic behind them. */
static void check_lag(const struct config *config, const char *topic,
                      const struct topic_offsets *offsets, const struct offset_range *positions,
                      size_t count, struct findings *findings) {
    int64_t lag = positions_held_back(positions, count, offsets);
    for (size_t i = 0; i < offsets->count; i++) {
        const struct partition_offsets *listed = &offsets->partitions[i];
        int64_t next = positions_next(positions, count, listed->partition);
        const struct offset_range position = {listed->partition, next, next};
        if (!check_retention(config, topic, &position, listed, findings))
            return;
        next = next > listed->log_start ? next : listed->log_start;
        lag += next < listed->end ? listed->end - next : 0;
    }
    findings_ok(findings, findings_text("progress %s", topic),
                findings_text("%" PRId64 " offsets are still to be read", lag));
}

/* The cluster that answers beside the one that the checkpoint's offsets are of. False: another. */
static bool check_cluster_id(struct broker *broker, const char *checkpoint, const char *topic,
                             const struct inspection *inspection, struct findings *findings) {
    char answering[KAFKA_CLUSTER_ID_MAX];
    struct error err;
    if (broker->ops->cluster_id == NULL)
        return true;
    char *what = findings_text("Kafka of %s", topic);
    if (!broker->ops->cluster_id(broker, answering)) {
        findings_warn(findings, what, findings_text("tells no cluster id"),
                      findings_text("see yourself that KAFKA_BOOTSTRAP_SERVERS always names the "
                                    "same cluster: another one would not be noticed"));
        return true;
    }
    bool is_noted = inspection->kafka_id[0] != '\0';
    if (is_noted && !kafka_note_compare(checkpoint, inspection->kafka_id, answering, &err)) {
        findings_fail(findings, EXIT_CODE_STATE, what, findings_text("%s", err.message),
                      findings_text("set KAFKA_BOOTSTRAP_SERVERS back to the cluster %s",
                                    inspection->kafka_id));
        return false;
    }
    findings_ok(
        findings, what,
        findings_text("cluster %s%s", answering, is_noted ? ", as noted with the checkpoint" : ""));
    return true;
}

static void check_id(const struct topic_offsets *offsets, const struct inspection *inspection,
                     struct positions_view *view) {
    if (inspection->topic_id[0] != '\0' && offsets->id[0] != '\0' &&
        strcmp(inspection->topic_id, offsets->id) != 0)
        partition_texts_add(&view->broken, "its id is %s, not %s", offsets->id,
                            inspection->topic_id);
}

/* What the checkpoint comes to next beside what Kafka still has. */
static void check_progress(const struct config *config, struct broker *broker, const char *topic,
                           struct topic_offsets *offsets, const struct inspection *inspection,
                           struct findings *findings) {
    size_t count;
    struct error err = {0};
    struct positions_view view;
    struct offset_range *positions = positions_of(inspection, &count);
    if ((positions_want_high(positions, count, offsets) &&
         !broker_list_high(broker, topic, DOCTOR_BROKER_MS, offsets, &err)) ||
        !broker_find_id(broker, topic, DOCTOR_BROKER_MS, offsets, &err)) {
        findings_fail_error(findings, EXIT_CODE_KAFKA, findings_text("progress %s", topic), &err,
                            NULL);
        free(positions);
        return;
    }
    positions_view(positions, count, offsets, &view);
    check_id(offsets, inspection, &view);
    if (view.broken.count > 0)
        say_broken(config, topic, view.broken.text, findings);
    else
        check_lag(config, topic, offsets, positions, count, findings);
    if (view.waiting.count > 0)
        findings_warn(findings, findings_text("transaction %s", topic),
                      findings_text("one stands open: %s", view.waiting.text),
                      findings_text("see which producer has not ended it (kafka-transactions.sh "
                                    "find-hanging); until it ends, nothing behind it is read"));
    free(positions);
}

/* The newest record that can be read near the end of a partition. */
static bool read_newest(struct source *source, const char *topic,
                        const struct partition_offsets *partition, int64_t *timestamp_ms,
                        bool *read, struct error *err) {
    int64_t start = partition->end - READ_BACK;
    const struct offset_range range = {partition->partition,
                                       start > partition->log_start ? start : partition->log_start,
                                       partition->end};
    int64_t deadline_ms = clock_monotonic_ms() + READ_MS;
    if (!source->ops->open_range(source, topic, range, err))
        return false;
    while (clock_monotonic_ms() < deadline_ms) {
        struct record record;
        switch (source->ops->read(source, &record, 200, err)) {
        case SOURCE_RECORD:
            *read = true;
            *timestamp_ms = record.timestamp_ms;
            break;
        case SOURCE_END:
            return true;
        case SOURCE_FAILED:
            return false;
        case SOURCE_WAIT:
            break;
        }
    }
    source->ops->abandon_range(source);
    return *read || err->kind != ERROR_NONE
               ? *read
               : error_set(err, ERROR_BROKER, "no record came within %d seconds", READ_MS / 1000);
}

static void check_age(const char *topic, int64_t timestamp_ms, struct findings *findings) {
    char moment[MOMENT_TEXT_MAX];
    char *what = findings_text("newest record %s", topic);
    if (!kafka_timestamp_fits(timestamp_ms)) {
        findings_warn(findings, what,
                      findings_text("its timestamp, %" PRId64 " milliseconds since 1970, is beyond "
                                    "what a timestamp can hold: it will be a reject",
                                    timestamp_ms),
                      findings_text("let the producer give milliseconds"));
        return;
    }
    int64_t age_ms = clock_wall_ms() - timestamp_ms;
    moment_format(kafka_timestamp_micros(timestamp_ms), moment);
    if (age_ms < -AHEAD_MS)
        findings_warn(findings, what,
                      findings_text("its timestamp, %s, is %" PRId64 " seconds ahead of our clock",
                                    moment, -age_ms / 1000),
                      findings_text("set right the clock here, or the one of the producer or "
                                    "broker"));
    else
        findings_ok(findings, what,
                    findings_text("can be read; it is of %s, %" PRId64 " seconds ago", moment,
                                  age_ms / 1000));
}

static void check_reading(const struct config *config, struct broker *broker, const char *topic,
                          const struct topic_offsets *offsets, struct findings *findings) {
    const struct partition_offsets *longest = NULL;
    for (size_t i = 0; i < offsets->count; i++) {
        const struct partition_offsets *partition = &offsets->partitions[i];
        if (partition->end > partition->log_start &&
            (longest == NULL ||
             partition->end - partition->log_start > longest->end - longest->log_start))
            longest = partition;
    }
    struct error err = {0};
    struct source *source;
    int64_t timestamp_ms = -1;
    bool read = false;
    if (longest == NULL)
        return; // nothing to read: nothing to find out
    struct source_memory memory =
        engine_source_memory(config_memory_budget(config), (size_t)config->workers);
    memory.fetched = READ_MEMORY;
    bool ok = broker->ops->open_source(broker, memory, &source, &err);
    if (ok) {
        ok = read_newest(source, topic, longest, &timestamp_ms, &read, &err);
        source->ops->close(source);
    }
    if (!ok)
        findings_fail_error(
            findings, exit_code_of(err.kind), findings_text("newest record %s", topic), &err,
            err.kind == ERROR_BROKER
                ? findings_text("if the broker is well: with ACLs, give the user the "
                                "right to READ the topic")
                : NULL); // the text says it
    else if (read)
        check_age(topic, timestamp_ms, findings);
}

static void check_topic(const struct config *config, struct broker *broker,
                        const struct stream *stream, struct findings *findings) {
    struct error err = {0};
    struct topic_offsets offsets;
    struct inspection inspection;
    const char *topic = config_topic(config, stream);
    char *what = findings_text("topic %s", topic);
    if (!broker->ops->list_offsets(broker, topic, DOCTOR_BROKER_MS, &offsets, &err)) {
        findings_fail_error(
            findings, EXIT_CODE_KAFKA, what, &err,
            findings_text("if the broker is well: create the topic, or set %s; with "
                          "ACLs, give the user DESCRIBE and READ on it; with TLS or "
                          "SASL, see KAFKA_SSL_*, KAFKA_SASL_*",
                          stream->topic_setting));
        return;
    }
    int64_t held = 0;
    for (size_t i = 0; i < offsets.count; i++)
        held += offsets.partitions[i].end - offsets.partitions[i].log_start;
    findings_ok(findings, what,
                findings_text("%zu partition%s, %" PRId64 " offsets", offsets.count,
                              offsets.count == 1 ? "" : "s", held));
    check_reading(config, broker, topic, &offsets, findings);
    struct store_options options = config_store_options(config, stream);
    if (inspect(&options, &inspection, &err)) {
        if (check_cluster_id(broker, options.checkpoint, topic, &inspection, findings) &&
            inspection.there && inspection.fault_count == 0)
            check_progress(config, broker, topic, &offsets, &inspection, findings);
        inspection_deinit(&inspection);
    }
    config_store_options_deinit(&options);
    topic_offsets_deinit(&offsets);
}

void doctor_check_topics(const struct config *config, struct findings *findings) {
    struct error err = {0};
    struct broker *broker;
    if (!broker_open(config->bootstrap_servers, config->kafka_properties,
                     config->kafka_property_count, &broker, &err)) {
        findings_fail_error(findings, exit_code_of(err.kind), findings_text("Kafka"), &err, NULL);
        return;
    }
    for (size_t i = 0; streams[i] != NULL; i++)
        if (config_runs(config, streams[i]))
            check_topic(config, broker, streams[i], findings);
    broker->ops->close(broker);
}
