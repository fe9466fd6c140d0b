/* The lines are the PySpark job's, which people's scripts read. A line is due for all queries every
 * STATUS_INTERVAL, and at once for one that has started or ended. Other changes are lines at DEBUG:
 * each batch makes several. They move no other line. The lag is ours: it comes last, and its change
 * does not cause a line. */
#include "surfaces/service/monitor.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/system/clock.h"

static const char *python_bool(bool value) {
    return value ? "True" : "False"; // as the PySpark job's lines have it
}

/* The lag is a number in each line, for readers of JSON; while it is unknown, another field says
 * so. */
static void say(enum log_level level, const struct query_snapshot *query) {
    const char *active = python_bool(query->is_active),
               *available = python_bool(query->is_data_available);
    char since[LAG_TEXT_MAX];
    topic_lag_since(&query->lag, since);
    if (query->lag.is_known)
        log_write(
            level, "main",
            "Query %s status | is_active=%s | is_data_available=%s | message=%s | lag=%" PRId64,
            query->name, active, available, query->message, query->lag.records);
    else
        log_write(level, "main",
                  "Query %s status | is_active=%s | is_data_available=%s | message=%s | "
                  "lag_unknown_since=%s",
                  query->name, active, available, query->message, since);
}

/* The level of a line that is not due. */
static enum log_level level_of(const struct query_snapshot *now,
                               const struct query_snapshot *before) {
    return before == NULL || now->is_active != before->is_active ? LOG_INFO : LOG_DEBUG;
}

static bool says_the_same(const struct query_snapshot *a, const struct query_snapshot *b) {
    return a->is_active == b->is_active && a->is_data_available == b->is_data_available &&
           strcmp(a->message, b->message) == 0;
}

void monitor_init(struct monitor *monitor, int64_t interval_ms) {
    *monitor = (struct monitor){.interval_ms = interval_ms, .due_ms = clock_monotonic_ms()};
}

void monitor_update(struct monitor *monitor, const struct query_snapshot *queries, size_t count) {
    check(count <= STREAMS_MAX);
    int64_t now_ms = clock_monotonic_ms();
    bool due = now_ms >= monitor->due_ms;
    for (size_t i = 0; i < count; i++) {
        const struct query_snapshot *query = &queries[i];
        const struct query_snapshot *before = i < monitor->count ? &monitor->said[i] : NULL;
        if (!due && before != NULL && says_the_same(query, before))
            continue;
        say(due ? LOG_INFO : level_of(query, before), query);
        monitor->said[i] = *query;
    }
    monitor->count = count;
    if (due)
        monitor->due_ms = now_ms + monitor->interval_ms;
}
