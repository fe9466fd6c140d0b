#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/scope.h"
#include "streaming/broker.h"
#include "streaming/inspect.h"
#include "surfaces/doctor.h"
#include "surfaces/moment.h"
#include "surfaces/reach.h"

enum {
    READ_MS = 5000,
    READ_BACK = 20,        // offsets before the end: the last may be a transaction's marker
    READ_MEMORY = 4 << 20, // bytes
    AHEAD_MS = 5000,       // how far a record may be ahead of our clock
};

/* ---- brokers ---- */

/* Takes host and port of one of the servers apart: [PROTOCOL://]host[:port], [v6]:port. */
static void split_server(char *server, const char **host, const char **port) {
    char *protocol = strstr(server, "://");
    char *at = protocol != NULL ? protocol + 3 : server;
    at += strspn(at, " \t");
    char *bracket = *at == '[' ? strchr(at, ']') : NULL;
    *host = bracket != NULL ? at + 1 : at;
    char *colon = strchr(bracket != NULL ? bracket : at, ':');
    *port = colon != NULL ? colon + 1 : "9092";
    if (colon != NULL)
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
        check_server(server + strspn(server, " \t"), findings);
    free(servers);
    soften(findings);
    check_isolation(config, findings);
}

/* ---- topics ---- */

/* The end of what the checkpoint has committed in a partition; -1: nobody knows. */
static int64_t committed_end(const struct inspection *inspection, int32_t partition) {
    for (size_t i = 0; i < inspection->partition_count; i++)
        if (inspection->partitions[i].incarnation == inspection->incarnation &&
            inspection->partitions[i].partition == partition)
            return inspection->partitions[i].end;
    return -1;
}

/* What the checkpoint comes to next beside what Kafka still has. */
static void check_progress(const struct config *config, const char *topic,
                           const struct topic_offsets *offsets, const struct inspection *inspection,
                           struct findings *findings) {
    int64_t lag = 0;
    for (size_t i = 0; i < offsets->count; i++) {
        const struct partition_offsets *partition = &offsets->partitions[i];
        int64_t next = committed_end(inspection, partition->partition);
        if (next >= 0 && next > partition->end) {
            findings_fail(findings, EXIT_CODE_DATA_LOSS, findings_text("progress %s", topic),
                          findings_text("partition %" PRId32 " ends at %" PRId64 ", but %" PRId64
                                        " comes next: was the topic made anew?",
                                        partition->partition, partition->end, next),
                          findings_text("give the query a new CHECKPOINT_PATH and "
                                        "PROCESSED_DATA_PATH, or restore the topic"));
            return;
        }
        if (next >= 0 && next < partition->log_start && config->fail_on_data_loss) {
            findings_fail(findings, EXIT_CODE_DATA_LOSS, findings_text("progress %s", topic),
                          findings_text("partition %" PRId32 ": offsets %" PRId64 " to %" PRId64
                                        " come next and are gone",
                                        partition->partition, next, partition->log_start - 1),
                          findings_text("go on without them with FAIL_ON_DATA_LOSS=false, and let "
                                        "the topic keep its records longer (retention.ms)"));
            return;
        }
        lag += partition->end - (next > partition->log_start ? next : partition->log_start);
    }
    findings_ok(findings, findings_text("progress %s", topic),
                findings_text("%" PRId64 " offsets are still to be read", lag));
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
    int64_t age_ms = clock_wall_ms() - timestamp_ms;
    moment_format(timestamp_ms * 1000, moment);
    char *what = findings_text("newest record %s", topic);
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

static void check_reading(struct broker *broker, const char *topic,
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
    bool ok = broker->ops->open_source(broker, READ_MEMORY, READ_MEMORY, &source, &err);
    if (ok) {
        ok = read_newest(source, topic, longest, &timestamp_ms, &read, &err);
        source->ops->close(source);
    }
    if (!ok)
        findings_fail(findings, EXIT_CODE_KAFKA, findings_text("newest record %s", topic),
                      findings_text("%s", err.message),
                      findings_text("give the user the right to READ the topic"));
    else if (read && timestamp_ms >= 0)
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
        findings_fail(findings, EXIT_CODE_KAFKA, what, findings_text("%s", err.message),
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
    check_reading(broker, topic, &offsets, findings);
    struct store_options options = config_store_options(config, stream);
    if (inspect(&options, &inspection, &err)) {
        if (inspection.there && inspection.fault_count == 0)
            check_progress(config, topic, &offsets, &inspection, findings);
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
        findings_fail(findings, exit_code_of(err.kind), findings_text("Kafka"),
                      findings_text("%s", err.message), NULL);
        return;
    }
    for (size_t i = 0; streams[i] != NULL; i++)
        if (config_runs(config, streams[i]))
            check_topic(config, broker, streams[i], findings);
    broker->ops->close(broker);
}
