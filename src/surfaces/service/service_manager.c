/* How the service manager is notified. Each state is one datagram of lines NAME=value to the socket
 * in NOTIFY_SOCKET, sent without waiting: main must not hang with a service manager. What was not
 * taken is sent again by the next update. The watchdog is fed only while main's loop turns and
 * every query gave a sign of life within half of WatchdogSec, so that a hang of any of them ends
 * the program; a query that sleeps on purpose says until when. */
#include "surfaces/service/service_manager.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "base/text.h"

static const char logger[] = "main";

enum {
    STATUS_EVERY_MS = 1000, // a line that changes faster is of no use to anybody
    EXTEND_EVERY_MS = 10000,
    EXTEND_BY_MS = 60000, // from each time on
    STOP_MARGIN_MS = 5000,
};

/* sd_notify(3), but without its wait for a service manager that does not read. False: that one did
 * not get it; the next update may try again. */
static bool tell(const char *state) {
    const char *path = getenv("NOTIFY_SOCKET");
    if (path == NULL)
        return true;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || size < 2 || size >= sizeof address.sun_path)
        return true; // not ours to tell
    memcpy(address.sun_path, path, size);
    if (path[0] == '@') // of the abstract name space
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    ssize_t sent =
        sendto(fd, state, strlen(state), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&address,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size));
    (void)close(fd);
    return sent >= 0;
}

/* A variable with a whole number; 0: there is none. */
static int64_t number_of(const char *variable) {
    const char *text = getenv(variable);
    return text != NULL && text[strspn(text, "0123456789")] == '\0' ? strtoll(text, NULL, 10) : 0;
}

void service_manager_init(struct service_manager *manager) {
    *manager = (struct service_manager){0};
    int64_t pid = number_of("WATCHDOG_PID"); // whom it is meant for
    if (pid == 0 || pid == getpid())
        manager->watchdog_ms = number_of("WATCHDOG_USEC") / 1000;
}

/* Appends what one query does, as in a status line. Returns what text_append() does. */
static size_t describe(const struct query_snapshot *query, char text[static SERVICE_STATUS_MAX],
                       size_t used) {
    if (query->batch_id < 0)
        return text_append(text, SERVICE_STATUS_MAX, used, "%s: %s", query->name, query->message);
    char lag[LAG_TEXT_MAX];
    topic_lag_print(&query->lag, lag);
    return text_append(text, SERVICE_STATUS_MAX, used, "%s: %s, batch %" PRId64 ", %s, %s, lag %s",
                       query->name, query->message, query->batch_id,
                       text_count(query->rows, "row").text,
                       text_count(query->rejects, "reject").text, lag);
}

static void tell_status(struct service_manager *manager, const struct query_snapshot *queries,
                        size_t count, int64_t now_ms) {
    char text[SERVICE_STATUS_MAX] = "STATUS=";
    size_t used = strlen(text);
    if (manager->said_ms != 0 && now_ms - manager->said_ms < STATUS_EVERY_MS)
        return;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            used = text_append(text, sizeof text, used, "; ");
        used = describe(&queries[i], text, used);
    }
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\n') // a line of its own would be another assignment
            *at = ' ';
    if (strcmp(text, manager->said) == 0 || !tell(text))
        return;
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
        log_write(
            LOG_ERROR, logger,
            "Query %s shows no activity; the watchdog will restart the program | silent_ms=%" PRId64
            " | watchdog_ms=%" PRId64,
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
    if (tell("WATCHDOG=1"))
        manager->fed_ms = now_ms;
}

static bool tell_extension(int64_t by_ms, const char *before) {
    char text[128];
    snprintf(text, sizeof text, "%sEXTEND_TIMEOUT_USEC=%" PRId64, before, by_ms * 1000);
    return tell(text);
}

/* While a start waits for Kafka, or recovers a large table. */
static void extend_start(struct service_manager *manager, int64_t silent_ms, int64_t now_ms) {
    if (silent_ms > EXTEND_BY_MS ||
        (manager->extended_ms != 0 && now_ms - manager->extended_ms < EXTEND_EVERY_MS))
        return;
    if (tell_extension(EXTEND_BY_MS, ""))
        manager->extended_ms = now_ms;
}

static void tell_stop(struct service_manager *manager) {
    if (!tell_extension(manager->stop_within_ms, manager->stop_told ? "" : "STOPPING=1\n"))
        return;
    manager->stop_told = true;
    manager->stop_due = false;
}

void service_manager_update(struct service_manager *manager, const struct query_snapshot *queries,
                            size_t count) {
    check(count <= STREAMS_MAX);
    int64_t now_ms = clock_monotonic_ms();
    bool started = true;
    for (size_t i = 0; i < count; i++)
        started = started && queries[i].is_started;
    if (started && !manager->ready && !manager->stopping)
        manager->ready = tell("READY=1");
    if (manager->stop_due)
        tell_stop(manager);
    tell_status(manager, queries, count, now_ms);
    int64_t silent_ms = look_for_signs(manager, queries, count, now_ms);
    feed_watchdog(manager, silent_ms, now_ms);
    if (!manager->ready && !manager->stopping)
        extend_start(manager, silent_ms, now_ms);
}

void service_manager_stop(struct service_manager *manager, int64_t within_ms) {
    manager->stopping = manager->stop_due = true;
    manager->stop_within_ms = within_ms + STOP_MARGIN_MS;
    tell_stop(manager);
}
