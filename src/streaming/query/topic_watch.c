#include "streaming/query/topic_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log/log.h"
#include "base/system/clock.h"
#include "streaming/kafka/positions.h"
#include "streaming/query/kafka_identity.h"
#include "streaming/report/query_report.h"

enum {
    LIST_TIMEOUT_MS = 3000, // of one attempt; short, so that a stop is heard
    GLANCE_TIMEOUT_MS = 1000,
    RETRY_PAUSE_MS = 500,
    LONG_ABSENT_MS = 2000, // a broker that is behind is not for so long
    STALL_LOOK_MS = 3000,  // without a record, until it is asked whether any can come
    START_LOG_EVERY_MS = 5000,
    LATER_LOG_EVERY_MS = 60000,
};

/* Whether a look shows what the last one did: then the topic's id is not asked for again. One that
 * was created again with the same ends is found out when there is something of it to be read. */
static bool is_idle(const struct query *query, const struct topic_offsets *offsets) {
    if (offsets->count != query->topic.count || query->topic_was_absent)
        return false;
    for (size_t i = 0; i < offsets->count; i++)
        if (offsets->partitions[i].partition != query->topic.partitions[i].partition ||
            offsets->partitions[i].end != query->topic.partitions[i].end)
            return false;
    return true;
}

static bool ask_id(struct query *query, int timeout_ms, struct topic_offsets *offsets,
                   struct error *err) {
    if (!is_idle(query, offsets))
        return broker_find_id(query->broker, query->how.topic, timeout_ms, offsets, err);
    memcpy(offsets->id, query->topic.id, sizeof offsets->id);
    return true;
}

/* With the high watermarks, if the positions want them. */
static bool ask_topic(struct query *query, int timeout_ms, struct topic_offsets *offsets,
                      struct error *err) {
    struct broker *broker = query->broker;
    const char *topic = query->options->store.topic;
    *offsets = (struct topic_offsets){0};
    if (!broker->ops->list_offsets(broker, topic, timeout_ms, offsets, err))
        return false;
    if (ask_id(query, timeout_ms, offsets, err) &&
        (!positions_want_high(query->starts, query->start_count, offsets) ||
         broker_list_high(broker, topic, timeout_ms, offsets, err)))
        return true;
    topic_offsets_deinit(offsets);
    return false;
}

/* A listing that does not fit the positions leaves the one before it at hand, which tells how far
 * the topic went that they are of. */
static void take_listing(struct query *query, struct topic_offsets *offsets) {
    struct positions_view view;
    positions_view(query->starts, query->start_count, offsets, &view);
    size_t gone = view.gone.count, ahead = view.broken.count - gone;
    bool fits = ahead == 0 && gone <= query->gone_known && !query->topic_was_absent;
    if (!fits && query->topic_fits) {
        topic_offsets_deinit(&query->sound);
        query->sound = query->topic;
    } else {
        topic_offsets_deinit(&query->topic);
    }
    query->topic = *offsets;
    query->topic_fits = fits;
    query->absent_since_ms = 0;
    positions_note_lowest(query->starts, query->start_count, &query->topic, &query->lowest);
}

static void note_absence(struct query *query) {
    if (query->start_count == 0) // then nothing was read of any
        return;
    int64_t now_ms = clock_monotonic_ms();
    if (query->absent_since_ms == 0)
        query->absent_since_ms = now_ms;
    if (now_ms - query->absent_since_ms >= LONG_ABSENT_MS)
        query->topic_long_absent = true;
    if (query->topic_was_absent)
        return;
    query->topic_was_absent = true;
    log_write(LOG_WARNING, query->how.name,
              "The topic is not there: it was deleted, or a broker does not know of it yet | "
              "topic=%s",
              query->how.topic);
}

static bool list_topic(struct query *query, int timeout_ms, struct error *err) {
    struct topic_offsets offsets;
    if (ask_topic(query, timeout_ms, &offsets, err)) {
        take_listing(query, &offsets);
        return true;
    }
    if (err->kind == ERROR_NO_TOPIC) {
        note_absence(query);
        err->kind = ERROR_BROKER; // which is waited for
    }
    return false;
}

struct wait {
    int64_t limit_ms; // 0: none
    enum log_level level;
    int64_t log_every_ms;
    int attempts;
    int64_t began_ms, logged_ms;
};

/* After an attempt that failed with *err: true, if another is due. */
static bool wait_again(struct query *query, struct wait *wait, struct error *err) {
    int64_t now_ms = clock_monotonic_ms();
    if (err->kind != ERROR_BROKER)
        return false;
    wait->attempts++;
    if (wait->limit_ms > 0 && now_ms - wait->began_ms >= wait->limit_ms)
        return error_wrap(err, "gave up after KAFKA_STARTUP_TIMEOUT (%" PRId64 " s)",
                          wait->limit_ms / 1000);
    if (wait->attempts == 1 || now_ms - wait->logged_ms >= wait->log_every_ms) {
        log_write(wait->level, query->how.name, "Waiting for Kafka | error=%s | attempt=%d",
                  err->message, wait->attempts);
        wait->logged_ms = now_ms;
    }
    query_status_fault(&query->status, QUERY_RETRYING, false, "Waiting for Kafka", err->message);
    if (stop_sleep(query->stop, RETRY_PAUSE_MS))
        return error_set(err, ERROR_STOPPED, "stopped while waiting for Kafka");
    return true;
}

static bool wait_for_topic(struct query *query, struct wait wait, struct error *err) {
    wait.began_ms = clock_monotonic_ms();
    while (!list_topic(query, LIST_TIMEOUT_MS, err))
        if (!wait_again(query, &wait, err))
            return false;
    return true;
}

static const struct wait without_limit = {.level = LOG_ERROR, .log_every_ms = LATER_LOG_EVERY_MS};

bool topic_watch_start(struct query *query, struct error *err) {
    const struct wait wait = {query->options->kafka_startup_timeout_ms, LOG_WARNING,
                              START_LOG_EVERY_MS};
    return wait_for_topic(query, wait, err);
}

bool topic_watch_high(struct query *query, const struct offset_range *ranges, size_t count,
                      struct error *err) {
    struct wait wait = without_limit;
    while (positions_want_high(ranges, count, &query->topic) &&
           query->topic.partitions[0].high == BROKER_NOT_ASKED) {
        if (broker_list_high(query->broker, query->options->store.topic, LIST_TIMEOUT_MS,
                             &query->topic, err))
            return true;
        if (err->kind == ERROR_NO_TOPIC) // the next listing notes it
            err->kind = ERROR_BROKER;
        if (!wait_again(query, &wait, err) || !topic_watch_refresh(query, err))
            return false;
    }
    return true;
}

bool topic_watch_refresh(struct query *query, struct error *err) {
    return wait_for_topic(query, without_limit, err) && kafka_identity_check(query, err);
}

void topic_watch_glance(struct query *query) {
    struct error ignored; // whoever needs the topic says that it is not there
    if (list_topic(query, GLANCE_TIMEOUT_MS, &ignored))
        query_report_lag(query);
}

bool topic_watch_loss(struct query *query, const struct data_loss *loss, struct error *err) {
    const char *topic = query->options->store.topic;
    if (query->options->fail_on_data_loss)
        return error_set(err, ERROR_DATA_LOSS,
                         "topic %s has lost data that this query has not read: %s; set "
                         "FAIL_ON_DATA_LOSS=false to go on without it (it is counted as lost)",
                         topic, loss->texts.text);
    // Until a batch has taken it in, the same is found at every look.
    int64_t now_ms = clock_monotonic_ms();
    if (strcmp(loss->texts.text, query->loss_text) == 0 &&
        now_ms - query->loss_logged_ms < LATER_LOG_EVERY_MS)
        return true;
    snprintf(query->loss_text, sizeof query->loss_text, "%s", loss->texts.text);
    query->loss_logged_ms = now_ms;
    log_write(LOG_WARNING, query->how.name, "Data loss | topic=%s | detail=%s | offsets=%" PRId64,
              topic, loss->texts.text, loss->offsets);
    query_status_note_error(&query->status, loss->texts.text);
    return true;
}

/* Whether an end lies behind what can be read now. */
static bool is_out_of_reach(struct query *query, const struct offset_range *ranges, size_t count) {
    struct topic_offsets offsets = {0};
    struct error ignored; // a broker that does not answer is reported as a stall
    bool listed = query->broker->ops->list_offsets(query->broker, query->how.topic,
                                                   GLANCE_TIMEOUT_MS, &offsets, &ignored);
    bool out_of_reach = listed && positions_want_high(ranges, count, &offsets);
    topic_offsets_deinit(&offsets);
    return out_of_reach;
}

static void say_stall(struct query *query, const struct topic_stall *stall, int64_t now_ms,
                      const char *cause) {
    struct topic_offsets offsets = {0};
    struct error err = {0};
    bool listed = query->broker->ops->list_offsets(query->broker, query->how.topic, LIST_TIMEOUT_MS,
                                                   &offsets, &err);
    topic_offsets_deinit(&offsets);
    const char *why = !listed         ? err.message
                      : cause != NULL ? cause
                                      : "the broker answers, but sends no records";
    query_status_fault(&query->status, QUERY_RETRYING, true, "Waiting for records", why);
    log_write(LOG_ERROR, query->how.name,
              "No record came for the batch under way | topic=%s | seconds=%" PRId64 " | broker=%s",
              query->how.topic, (now_ms - stall->since_ms) / 1000, why);
}

bool topic_watch_stall(struct query *query, const struct offset_range *ranges, size_t count,
                       struct topic_stall *stall, const char *cause) {
    int64_t now_ms = clock_monotonic_ms();
    int64_t records = query_status_read(&query->status).records_read;
    if (stall->since_ms == 0 || records != stall->records) {
        if (stall->logged_ms > stall->since_ms)
            query_status_say(&query->status, QUERY_RUNNING, true, "Processing new data");
        *stall = (struct topic_stall){records, now_ms, now_ms, now_ms};
        return false;
    }
    if (now_ms - stall->looked_ms >= STALL_LOOK_MS) {
        stall->looked_ms = now_ms;
        if (is_out_of_reach(query, ranges, count))
            return true;
    }
    if (now_ms - stall->logged_ms >= LATER_LOG_EVERY_MS) {
        stall->logged_ms = now_ms;
        say_stall(query, stall, now_ms, cause);
    }
    return false;
}
