/* Each query has a memory (struct health) under one lock, which is held for a look: some
 * microseconds of copying what the query reports. Main looks about once a second; a request over
 * HTTP does, too, so it shows the present state. */
#include "surfaces/health/health_watch.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/system/clock.h"

enum { STEP_S = 10 };

struct watched {
    struct query_view view;
    struct health health;
    enum health_state told; // main's: degraded or stuck was logged; HEALTH_UNKNOWN: neither
    unsigned told_causes;
};

struct health_watch {
    int64_t due_ms;       // monotonic; of health_watch_update()
    pthread_mutex_t lock; // guards `health` of all, and:
    struct history_point points[HEALTH_RECENT_S_MAX / STEP_S]; // of a look
    size_t count;
    struct watched queries[STREAMING_QUERIES_MAX];
};

struct health_watch *health_watch_open(const struct config *config, const struct query_view *views,
                                       size_t count) {
    check(count <= STREAMING_QUERIES_MAX && history_step_seconds(HISTORY_10_S) == STEP_S);
    struct health_watch *watch = must_alloc(1, sizeof *watch);
    check(pthread_mutex_init(&watch->lock, NULL) == 0);
    watch->count = count;
    for (size_t i = 0; i < count; i++) {
        watch->queries[i].view = views[i];
        health_init(&watch->queries[i].health, config->alert_after_ms,
                    config->alert_rejects_percent, config->query.trigger.interval_ms);
    }
    return watch;
}

void health_watch_close(struct health_watch *watch) {
    check(pthread_mutex_destroy(&watch->lock) == 0);
    free(watch);
}

/* `lag` stays the caller's, for its error. */
static void look_at_topic(const struct query_view *view, struct topic_lag *lag,
                          struct health_look *look) {
    struct partition_lag *partitions;
    *lag = topic_lag_read(&view->status->lag, &partitions);
    look->is_topic_known = lag->is_known;
    look->lag_age_ms = lag->age_ms;
    look->lag_error = lag->error;
    for (size_t i = 0; lag->is_known && i < lag->partition_count; i++) {
        look->topic_end += partitions[i].topic_end;
        look->position += partitions[i].topic_end - partition_lag_records(&partitions[i]);
    }
    free(partitions);
}

static void look_at_records(struct health_watch *watch, const struct watched *query,
                            struct health_look *look) {
    size_t count = (size_t)health_recent_s(&query->health) / STEP_S;
    query_history_points(query->view.history, HISTORY_10_S, clock_wall_ms() / 1000, count,
                         watch->points);
    for (size_t i = 0; i < count; i++) {
        look->recent_rows += watch->points[i].rows;
        look->recent_rejects += watch->points[i].rejects;
    }
    look->lost = query_history_totals(query->view.history).lost;
}

void health_watch_judge(struct health_watch *watch, size_t index, struct health_verdict *verdict) {
    check(index < watch->count);
    struct watched *query = &watch->queries[index];
    pthread_mutex_lock(&watch->lock); // before the look, or an older one might come after a newer
    struct query_snapshot shown = query_status_read(query->view.status);
    struct health_look look = {.now_ms = clock_monotonic_ms(),
                               .state = shown.state,
                               .batch_id = shown.batch_id,
                               .records_read = shown.records_read,
                               .signs = shown.signs,
                               .rest_until_ms = shown.rest_until_ms,
                               .topic = query->view.options->store.topic,
                               .message = shown.message,
                               .error = shown.error};
    struct topic_lag lag;
    look_at_topic(&query->view, &lag, &look);
    look_at_records(watch, query, &look);
    health_judge(&query->health, &look, verdict);
    pthread_mutex_unlock(&watch->lock);
}

/* That a query tries again or has failed is logged by the query itself. */
static void tell(struct watched *query, const struct health_verdict *verdict) {
    enum health_state state = verdict->state;
    bool is_news = state == HEALTH_DEGRADED || state == HEALTH_STUCK;
    bool is_over = state == HEALTH_HEALTHY || state == HEALTH_WAITING;
    const char *name = query->view.options->stream->name;
    if (is_news && (state != query->told || (verdict->causes & ~query->told_causes) != 0))
        log_write(verdict->severity == SEVERITY_CRITICAL ? LOG_ERROR : LOG_WARNING, "main",
                  "Query %s is %s | reason=%s | action=%s", name, health_state_name(state),
                  verdict->reason, verdict->action);
    if (is_over && query->told != HEALTH_UNKNOWN)
        log_write(LOG_INFO, "main", "Query %s is healthy again | before=%s", name,
                  health_state_name(query->told));
    if (!is_news && !is_over)
        return;
    query->told = is_news ? state : HEALTH_UNKNOWN;
    query->told_causes = verdict->causes;
}

bool health_watch_update(struct health_watch *watch) {
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms < watch->due_ms)
        return false;
    for (size_t i = 0; i < watch->count; i++) {
        struct health_verdict verdict;
        health_watch_judge(watch, i, &verdict);
        tell(&watch->queries[i], &verdict);
        watch->due_ms = now_ms + health_interval_ms(&watch->queries[i].health);
    }
    return true;
}
