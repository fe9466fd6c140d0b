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
#include "surfaces/terminal/quantity.h"

struct watched {
    struct query_view view;
    struct health health;
    unsigned told_causes;     // main's: that were logged, since the query was well
    int64_t told_recovery_ms; // main's: monotonic, the end of the incident that was logged last
};

struct health_watch {
    int64_t due_ms;                                  // monotonic; of health_watch_update()
    pthread_mutex_t lock;                            // guards `health` of all, and:
    struct history_point points[HISTORY_POINTS_MAX]; // of a look
    size_t count;
    struct watched queries[STREAMING_QUERIES_MAX];
};

struct health_watch *health_watch_open(const struct config *config, const struct query_view *views,
                                       size_t count) {
    check(count <= STREAMING_QUERIES_MAX);
    struct health_watch *watch = must_alloc(1, sizeof *watch);
    check(pthread_mutex_init(&watch->lock, NULL) == 0);
    watch->count = count;
    for (size_t i = 0; i < count; i++) {
        watch->queries[i].view = views[i];
        health_init(&watch->queries[i].health, config->alert_after_ms,
                    config->alert_rejects_percent, views[i].options->trigger.interval_ms,
                    query_pause_ms(views[i].options));
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
    int64_t recent_s = health_recent_s(&query->health);
    enum history_step step = HISTORY_10_S; // it is kept for an hour only
    if (recent_s / history_step_seconds(step) > (int64_t)history_step_points(step))
        step = HISTORY_60_S;
    size_t count = (size_t)(recent_s / history_step_seconds(step));
    query_history_points(query->view.history, step, clock_wall_ms() / 1000, count, watch->points);
    for (size_t i = 0; i < count; i++) {
        look->recent_accepted += watch->points[i].accepted;
        look->recent_rejects += watch->points[i].rejects;
    }
    look->lost = query_history_totals(query->view.history).lost;
}

void health_watch_judge(struct health_watch *watch, size_t index, struct health_verdict *verdict) {
    check(index < watch->count);
    struct watched *query = &watch->queries[index];
    pthread_mutex_lock(&watch->lock); // before the look, or an older one might come after a newer
    struct query_snapshot shown = query_status_read(query->view.status);
    struct care_view care = care_status_read(query->view.care);
    int64_t failing_ms = care.failing_ms > 0 ? clock_wall_ms() - care.failing_ms : 0;
    struct health_look look = {.now_ms = clock_monotonic_ms(),
                               .state = shown.state,
                               .batch_id = shown.batch_id,
                               .records_read = shown.records_read,
                               .signs = shown.signs,
                               .rest_until_ms = shown.rest_until_ms,
                               .topic = query->view.options->store.topic,
                               .missing_files = shown.missing_files,
                               .changed_files = shown.changed_files,
                               .care_failing_ms = failing_ms,
                               .care_attempts = care.failing_attempts,
                               .care_error = care.error,
                               .missing_names = shown.missing_names,
                               .is_held = shown.held_offsets > 0,
                               .message = shown.message,
                               .error = shown.error};
    struct topic_lag lag;
    look_at_topic(&query->view, &lag, &look);
    look_at_records(watch, query, &look);
    health_judge(&query->health, &look, verdict);
    pthread_mutex_unlock(&watch->lock);
}

static void tell_recovery(struct watched *query, const struct health_incident *incident) {
    char lasted[DURATION_TEXT_MAX];
    if (incident->ended_ms == 0 || incident->ended_ms == query->told_recovery_ms)
        return;
    query->told_recovery_ms = incident->ended_ms;
    duration_format(incident->ended_ms - incident->since_ms, lasted);
    log_write(LOG_INFO, "main", "Query %s has recovered | from=%s | lasted=%s | reason=%s",
              query->view.options->stream->name, health_cause_name(incident->cause), lasted,
              incident->reason);
}

/* That a query tries again, has failed, has lost records, misses files or finds others is logged by
 * the query itself. */
static void tell(struct watched *query, const struct health_verdict *verdict) {
    unsigned causes =
        verdict->causes & ~(1U << CAUSE_LOST | 1U << CAUSE_MISSING | 1U << CAUSE_CHANGED);
    bool is_worth = verdict->state == HEALTH_DEGRADED || verdict->state == HEALTH_STUCK;
    if (is_worth && (causes & ~query->told_causes) != 0)
        log_write(verdict->severity == SEVERITY_CRITICAL ? LOG_ERROR : LOG_WARNING, "main",
                  "Query %s is %s | reason=%s | action=%s", query->view.options->stream->name,
                  health_state_name(verdict->state), verdict->reason, verdict->action);
    if (is_worth)
        query->told_causes = causes;
    if (health_has_recovered(verdict))
        query->told_causes = 0;
    tell_recovery(query, &verdict->incident);
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
