#include "surfaces/service_manager.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

static const char logger[] = "main";

enum {
    STATUS_EVERY_MS = 1000, // a line that changes faster is of no use to anybody
    EXTEND_EVERY_MS = 10000,
    EXTEND_BY_MS = 60000, // from each time on
    STOP_MARGIN_MS = 5000,
};

/* An error is the service manager's trouble: the queries go on without it. */
static void tell(const char *state) {
    (void)sd_notify(0, state);
}

void service_manager_init(struct service_manager *manager) {
    *manager = (struct service_manager){0};
    uint64_t watchdog_us = 0;
    if (sd_watchdog_enabled(0, &watchdog_us) > 0)
        manager->watchdog_ms = (int64_t)(watchdog_us / 1000);
}

/* What one query does, as in a status line. Returns what snprintf() does. */
static int describe(const struct query_snapshot *query, char *text, size_t size) {
    if (query->batch_id < 0)
        return snprintf(text, size, "%s: %s", query->name, query->message);
    return snprintf(
        text, size,
        "%s: %s, batch %" PRId64 ", %" PRId64 " rows, %" PRId64 " rejects, lag %" PRId64,
        query->name, query->message, query->batch_id, query->rows, query->rejects, query->lag);
}

static void tell_status(struct service_manager *manager, const struct query_snapshot *queries,
                        size_t count, int64_t now_ms) {
    char text[SERVICE_STATUS_MAX] = "STATUS=";
    size_t used = strlen(text);
    if (manager->said_ms != 0 && now_ms - manager->said_ms < STATUS_EVERY_MS)
        return;
    for (size_t i = 0; i < count && used < sizeof text - 3; i++) {
        if (i > 0)
            used += (size_t)snprintf(text + used, sizeof text - used, "; ");
        used += (size_t)describe(&queries[i], text + used, sizeof text - used);
    }
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\n') // a line of its own would be another assignment
            *at = ' ';
    if (strcmp(text, manager->said) == 0)
        return;
    tell(text);
    memcpy(manager->said, text, sizeof text);
    manager->said_ms = now_ms;
}

/* How long the query has given no sign of life that was due. */
static int64_t silence_ms(struct service_query *known, const struct query_snapshot *query,
                          int64_t now_ms) {
    if (query->signs != known->signs || known->alive_ms == 0 || !query->is_active)
        *known = (struct service_query){.signs = query->signs, .alive_ms = now_ms};
    int64_t since_ms =
        query->rest_until_ms > known->alive_ms ? query->rest_until_ms : known->alive_ms;
    return now_ms > since_ms ? now_ms - since_ms : 0;
}

static void report_silence(struct service_manager *manager, struct service_query *known,
                           const char *name, int64_t silent_ms) {
    bool hangs = manager->watchdog_ms > 0 && silent_ms > manager->watchdog_ms / 2;
    if (hangs && !known->reported)
        log_write(LOG_ERROR, logger,
                  "Query %s gives no sign of life; the watchdog will end the program and start it "
                  "again | silent_ms=%" PRId64 " | watchdog_ms=%" PRId64,
                  name, silent_ms, manager->watchdog_ms);
    known->reported = hangs;
}

/* The longest silence of all queries. */
static int64_t look_for_signs(struct service_manager *manager, const struct query_snapshot *queries,
                              size_t count, int64_t now_ms) {
    int64_t longest_ms = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t silent_ms = silence_ms(&manager->queries[i], &queries[i], now_ms);
        report_silence(manager, &manager->queries[i], queries[i].name, silent_ms);
        if (silent_ms > longest_ms)
            longest_ms = silent_ms;
    }
    return longest_ms;
}

static void feed_watchdog(struct service_manager *manager, int64_t silent_ms, int64_t now_ms) {
    if (manager->watchdog_ms == 0 || silent_ms > manager->watchdog_ms / 2 ||
        (manager->fed_ms != 0 && now_ms - manager->fed_ms < manager->watchdog_ms / 4))
        return;
    tell("WATCHDOG=1");
    manager->fed_ms = now_ms;
}

static void tell_extension(int64_t by_ms, const char *before) {
    char text[128];
    snprintf(text, sizeof text, "%sEXTEND_TIMEOUT_USEC=%" PRId64, before, by_ms * 1000);
    tell(text);
}

/* While a start waits for Kafka, or brings a large table in order. */
static void extend_start(struct service_manager *manager, int64_t silent_ms, int64_t now_ms) {
    if (silent_ms > EXTEND_BY_MS ||
        (manager->extended_ms != 0 && now_ms - manager->extended_ms < EXTEND_EVERY_MS))
        return;
    tell_extension(EXTEND_BY_MS, "");
    manager->extended_ms = now_ms;
}

void service_manager_update(struct service_manager *manager, const struct query_snapshot *queries,
                            size_t count) {
    check(count <= SERVICE_QUERIES_MAX);
    int64_t now_ms = clock_monotonic_ms();
    bool started = true;
    for (size_t i = 0; i < count; i++)
        started = started && queries[i].is_started;
    if (started && !manager->ready && !manager->stopping) {
        tell("READY=1");
        manager->ready = true;
    }
    tell_status(manager, queries, count, now_ms);
    int64_t silent_ms = look_for_signs(manager, queries, count, now_ms);
    feed_watchdog(manager, silent_ms, now_ms);
    if (!manager->ready && !manager->stopping)
        extend_start(manager, silent_ms, now_ms);
}

void service_manager_stop(struct service_manager *manager, int64_t within_ms) {
    tell_extension(within_ms + STOP_MARGIN_MS, manager->stopping ? "" : "STOPPING=1\n");
    manager->stopping = true;
}
