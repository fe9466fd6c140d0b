#include "streaming/topic_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "streaming/kafka_identity.h"

enum {
    LIST_TIMEOUT_MS = 3000, // of one attempt; short, so that a stop is heard
    GLANCE_TIMEOUT_MS = 1000,
    RETRY_PAUSE_MS = 500,
    START_LOG_EVERY_MS = 5000,
    LATER_LOG_EVERY_MS = 60000,
};

static bool list_topic(struct query *query, int timeout_ms, struct error *err) {
    struct topic_offsets offsets = {0};
    if (!query->broker->ops->list_offsets(query->broker, query->options->store.topic, timeout_ms,
                                          &offsets, err))
        return false;
    topic_offsets_deinit(&query->topic);
    query->topic = offsets;
    return true;
}

/* limit_ms 0: none. */
static bool wait_for_topic(struct query *query, int64_t limit_ms, enum log_level level,
                           int64_t log_every_ms, struct error *err) {
    int64_t began_ms = clock_monotonic_ms(), logged_ms = began_ms - log_every_ms;
    for (int attempt = 1; !list_topic(query, LIST_TIMEOUT_MS, err); attempt++) {
        if (err->kind != ERROR_BROKER)
            return false;
        int64_t now_ms = clock_monotonic_ms();
        if (limit_ms > 0 && now_ms - began_ms >= limit_ms)
            return error_wrap(err, "gave up after KAFKA_STARTUP_TIMEOUT (%" PRId64 " s)",
                              limit_ms / 1000);
        if (now_ms - logged_ms >= log_every_ms) {
            log_write(level, query->how.name, "Waiting for Kafka | error=%s | attempt=%d",
                      err->message, attempt);
            logged_ms = now_ms;
        }
        query_status_fault(&query->status, QUERY_RETRYING, false, "Waiting for Kafka",
                           err->message);
        if (stop_sleep(query->stop, RETRY_PAUSE_MS))
            return error_set(err, ERROR_STOPPED, "stopped while waiting for Kafka");
    }
    return true;
}

bool topic_watch_start(struct query *query, struct error *err) {
    return wait_for_topic(query, query->options->kafka_startup_timeout_ms, LOG_WARNING,
                          START_LOG_EVERY_MS, err);
}

bool topic_watch_refresh(struct query *query, struct error *err) {
    return wait_for_topic(query, 0, LOG_ERROR, LATER_LOG_EVERY_MS, err) &&
           kafka_identity_check(query, err);
}

void topic_watch_glance(struct query *query) {
    struct error ignored; // whoever needs the topic says that it is not there
    bool listed = list_topic(query, GLANCE_TIMEOUT_MS, &ignored);
    (void)listed;
}

bool topic_watch_loss(struct query *query, const struct data_loss *loss, struct error *err) {
    const char *topic = query->options->store.topic;
    if (query->options->fail_on_data_loss)
        return error_set(err, ERROR_DATA_LOSS,
                         "topic %s has lost data that this query has not read: %s; set "
                         "FAIL_ON_DATA_LOSS=false to go on without it (it is counted as lost)",
                         topic, loss->text);
    // A partition that is gone is found anew at every look.
    int64_t now_ms = clock_monotonic_ms();
    if (strcmp(loss->text, query->loss_text) == 0 &&
        now_ms - query->loss_logged_ms < LATER_LOG_EVERY_MS)
        return true;
    snprintf(query->loss_text, sizeof query->loss_text, "%s", loss->text);
    query->loss_logged_ms = now_ms;
    log_write(LOG_WARNING, query->how.name, "Data loss | topic=%s | detail=%s | offsets=%" PRId64,
              topic, loss->text, loss->offsets);
    query_status_note_error(&query->status, loss->text);
    return true;
}

void topic_watch_stall(struct query *query, struct topic_stall *stall, const char *cause) {
    int64_t now_ms = clock_monotonic_ms();
    int64_t records = query_status_read(&query->status).records_read;
    if (stall->since_ms == 0 || records != stall->records) {
        if (stall->logged_ms > stall->since_ms)
            query_status_say(&query->status, QUERY_RUNNING, true, "Processing new data");
        *stall = (struct topic_stall){.records = records, .since_ms = now_ms, .logged_ms = now_ms};
        return;
    }
    if (now_ms - stall->logged_ms < LATER_LOG_EVERY_MS)
        return;
    stall->logged_ms = now_ms;
    struct topic_offsets offsets = {0};
    struct error err = {0};
    bool listed = query->broker->ops->list_offsets(query->broker, query->options->store.topic,
                                                   LIST_TIMEOUT_MS, &offsets, &err);
    topic_offsets_deinit(&offsets);
    const char *why = !listed         ? err.message
                      : cause != NULL ? cause
                                      : "the broker answers, but sends no records";
    query_status_fault(&query->status, QUERY_RETRYING, true, "Waiting for records", why);
    log_write(LOG_ERROR, query->how.name,
              "No record came for the batch under way | topic=%s | seconds=%" PRId64 " | broker=%s",
              query->options->store.topic, (now_ms - stall->since_ms) / 1000, why);
}
