/* What is news to the receiver. Each update compares a query's verdict with what the receiver was
 * told last. Trouble that gets worse is told at once; the end of trouble only once there is proof
 * of it, so that a query which fails again after each start does not ring each time. `told`
 * changes when a notification is queued. The note in the checkpoint changes later, on the
 * webhook's thread, once the receiver has taken it: a crash between the two makes the next start
 * tell the same again. */
#include "surfaces/alerts/alerts.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/disk/file.h"
#include "base/json.h"
#include "base/log/log.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "surfaces/http/http_message.h"
#include "surfaces/terminal/quantity.h"

static const char note_name[] = "alert";

enum {
    NOTE_MAX = 64, // bytes
    LASTED_MAX = DURATION_TEXT_MAX + 8,
    DELIVER_FAILURE_MS = 5000,   // at the program's end: for what nobody else may tell of
    DELIVER_OTHERWISE_MS = 1000, // a stop must not take longer than SHUTDOWN_TIMEOUT allows
};

/* What is noted when a notification was delivered: the trouble, and in a line of its own since when
 * the query is in trouble. `since_ms` is of the newest notification, and outlives it. */
struct note {
    const char *checkpoint; // borrowed
    enum alert_trouble trouble;
    _Atomic int64_t *since_ms; // of the query
};

struct alerts_query {
    struct query_view view;
    enum alert_trouble told;  // or on its way
    _Atomic int64_t since_ms; // wall clock; when the trouble that was told began; 0: not known
    struct note notes[TROUBLE_COUNT];
};

struct alerts {
    struct webhook *webhook;
    struct health_watch *health;
    bool failed; // a query has
    size_t count;
    struct alerts_query queries[STREAMING_QUERIES_MAX];
};

/* By its event. */
static const char *const trouble_names[TROUBLE_COUNT] = {[TROUBLE_NONE] = "none",
                                                         [TROUBLE_BEHIND] = "falling_behind",
                                                         [TROUBLE_FAILING] = "failing",
                                                         [TROUBLE_FAILED] = "failed"};

static enum alert_trouble trouble_of(const struct health_verdict *verdict) {
    if (verdict->state == HEALTH_FAILED)
        return TROUBLE_FAILED;
    if (verdict->state == HEALTH_STUCK)
        return TROUBLE_FAILING;
    return health_has(verdict, CAUSE_BEHIND) ? TROUBLE_BEHIND : TROUBLE_NONE;
}

enum alert_trouble alert_trouble_next(enum alert_trouble told,
                                      const struct health_verdict *verdict) {
    enum alert_trouble trouble = trouble_of(verdict);
    if (verdict->state == HEALTH_STOPPED)
        return told; // somebody ended it, and knows
    // A start looks well until it fails again: only a commit, or the topic's end, is proof.
    if (told >= TROUBLE_FAILING && trouble < told && !verdict->is_proven)
        return told;
    if (told == TROUBLE_BEHIND && trouble == TROUBLE_NONE && !verdict->keeps_up)
        return told;
    return trouble;
}

/* ---- what was told ---- */

static enum alert_trouble read_note(const char *checkpoint, int64_t *since_ms) {
    struct error err;
    size_t size = 0;
    scoped(scope_free) char *text = NULL;
    *since_ms = 0;
    if (!file_read(file_join(checkpoint, note_name).text, NOTE_MAX, &text, &size, &err) ||
        text == NULL)
        return TROUBLE_NONE;
    char *second = text + strcspn(text, "\n");
    if (*second == '\n') {
        *second = '\0';
        *since_ms = strtoll(second + 1, NULL, 10); // an older version has no such line: 0
    }
    for (enum alert_trouble trouble = TROUBLE_BEHIND; trouble < TROUBLE_COUNT; trouble++)
        if (strcmp(text, trouble_names[trouble]) == 0)
            return trouble;
    return TROUBLE_NONE;
}

/* On the webhook's thread, where a slow disk delays nobody. */
static void write_note(void *context) {
    const struct note *note = context;
    struct error err;
    char text[NOTE_MAX];
    int size = snprintf(text, sizeof text, "%s\n%" PRId64 "\n", trouble_names[note->trouble],
                        atomic_load(note->since_ms));
    bool done = note->trouble == TROUBLE_NONE
                    ? file_remove(file_join(note->checkpoint, note_name).text, &err)
                    : file_replace(note->checkpoint, note_name, text, (size_t)size, &err);
    if (!done)
        log_write(
            LOG_WARNING, "webhook",
            "That an alert was delivered could not be noted; the next start may tell it again "
            "| error=%s",
            err.message);
}

bool alerts_open(struct alerts **out, const struct config *config, struct streaming *streaming,
                 struct health_watch *health, struct error *err) {
    *out = NULL;
    if (*config->alert_webhook_url == '\0')
        return true;
    struct alerts *alerts = must_alloc(1, sizeof *alerts);
    struct webhook_options options = webhook_defaults(config->alert_webhook_url);
    if (!webhook_open(&alerts->webhook, &options, err)) {
        free(alerts);
        return false;
    }
    alerts->health = health;
    alerts->count = streaming_query_count(streaming);
    for (size_t i = 0; i < alerts->count; i++) {
        struct alerts_query *query = &alerts->queries[i];
        query->view = streaming_query_view(streaming, i);
        const char *checkpoint = query->view.options->store.checkpoint;
        int64_t since_ms;
        query->told = read_note(checkpoint, &since_ms);
        query->since_ms = since_ms;
        for (enum alert_trouble trouble = TROUBLE_NONE; trouble < TROUBLE_COUNT; trouble++)
            query->notes[trouble] = (struct note){checkpoint, trouble, &query->since_ms};
    }
    *out = alerts;
    return true;
}

/* ---- a notification ---- */

/* One piece of news of a query. */
struct news {
    enum alert_trouble before, trouble;
    const struct query_snapshot *shown;
    const struct health_verdict *verdict;
    int64_t lag; // -1: not known
    int64_t now_ms,
        since_ms; // wall clock; since when the query is, or was, in trouble; 0: not known
};

static int64_t lag_of(const struct query_view *view) {
    struct partition_lag *partitions;
    size_t count = query_status_partitions(view->status, &partitions);
    int64_t lag = count > 0 ? 0 : -1;
    for (size_t i = 0; i < count; i++)
        lag += partition_lag_records(&partitions[i]);
    free(partitions);
    return lag;
}

/* " after 2 min 5 s"; "" where it is not known. */
static const char *lasted_text(const struct news *news, char text[static LASTED_MAX]) {
    char lasted[DURATION_TEXT_MAX];
    text[0] = '\0';
    if (news->since_ms == 0)
        return text;
    duration_format(news->now_ms - news->since_ms, lasted);
    (void)snprintf(text, LASTED_MAX, " after %s", lasted);
    return text;
}

/* One sentence for a person; chat services show the member "text" as it is. */
static char *sentence(const struct news *news) {
    char lasted[LASTED_MAX];
    const char *name = news->shown->name, *reason = news->verdict->reason;
    const char *before =
        news->before == TROUBLE_BEHIND ? "falling behind" : trouble_names[news->before];
    switch (news->trouble) {
    case TROUBLE_FAILED:
        return text_format("%s has failed and stopped: %s", name, reason);
    case TROUBLE_FAILING:
        return text_format("%s %s", name, reason);
    case TROUBLE_BEHIND:
        return text_format("%s is falling behind: %s", name, reason);
    default:
        return text_format("%s has recovered%s (it was %s): batch %" PRId64
                           " is committed, %" PRId64 " records wait",
                           name, lasted_text(news, lasted), before, news->shown->batch_id,
                           news->lag > 0 ? news->lag : 0);
    }
}

/* Trouble that gets worse is the same trouble. */
static int64_t since_of(const struct alerts_query *query, const struct health_verdict *verdict,
                        int64_t now_ms) {
    if (query->told != TROUBLE_NONE)
        return query->since_ms;
    return now_ms - (clock_monotonic_ms() - verdict->since_ms);
}

static const char *severity(enum alert_trouble trouble) {
    return trouble == TROUBLE_NONE ? "info" : trouble == TROUBLE_BEHIND ? "warning" : "critical";
}

static void put_place(struct json *notification, const struct alerts_query *query,
                      const struct query_snapshot *shown) {
    const struct store_options *store = &query->view.options->store;
    char host[256] = "";
    (void)gethostname(host, sizeof host - 1); // "" then
    json_put_shown(notification, "query", shown->name);
    json_put_shown(notification, "runId", shown->run_id);
    json_put_shown(notification, "topic", store->topic);
    json_put_shown(notification, "table", store->table);
    json_put_shown(notification, "host", host);
    json_put_shown(notification, "program", "esports-stream " PROGRAM_VERSION);
}

static void put_recovery(struct json *notification, const struct news *news) {
    json_put_shown(notification, "recoveredFrom", trouble_names[news->before]);
    if (news->since_ms != 0)
        json_put_int(notification, "lastedSeconds", (news->now_ms - news->since_ms) / 1000);
    else
        json_put_null(notification, "lastedSeconds");
}

static char *print_notification(const struct alerts_query *query, const struct news *news) {
    enum alert_trouble trouble = news->trouble;
    bool is_over = trouble == TROUBLE_NONE;
    scoped(scope_free) char *text = sentence(news);
    struct json *notification = json_new_object();
    json_put_shown(notification, "event", is_over ? "recovered" : trouble_names[trouble]);
    json_put_shown(notification, "severity", severity(trouble));
    json_put_shown(notification, "text", text);
    put_time(notification, "at", news->now_ms);
    put_time_or_null(notification, "since", news->since_ms, 1);
    if (is_over)
        put_recovery(notification, news);
    put_place(notification, query, news->shown);
    json_put_int(notification, "batchId", news->shown->batch_id);
    if (news->lag >= 0)
        json_put_int(notification, "lag", news->lag);
    else
        json_put_null(notification, "lag");
    // The newest error says nothing about a query that hangs.
    bool has_error =
        health_has(news->verdict, CAUSE_FAILED) || health_has(news->verdict, CAUSE_IN_VAIN);
    if (has_error && news->shown->error[0] != '\0')
        json_put_shown(notification, "error", news->shown->error);
    else
        json_put_null(notification, "error");
    char *printed = json_print(notification);
    json_free(notification);
    return printed;
}

static void update_query(struct alerts *alerts, size_t index) {
    struct alerts_query *query = &alerts->queries[index];
    struct health_verdict verdict;
    health_watch_judge(alerts->health, index, &verdict);
    alerts->failed = alerts->failed || verdict.state == HEALTH_FAILED;
    enum alert_trouble trouble = alert_trouble_next(query->told, &verdict);
    if (trouble == query->told)
        return;
    struct query_snapshot shown = query_status_read(query->view.status);
    int64_t now_ms = clock_wall_ms(), since_ms = since_of(query, &verdict, now_ms);
    struct news news = {query->told,          trouble, &shown,  &verdict,
                        lag_of(&query->view), now_ms,  since_ms};
    query->since_ms = since_ms;
    char label[128];
    snprintf(label, sizeof label, "%s %s", shown.name,
             trouble == TROUBLE_NONE ? "recovered" : trouble_names[trouble]);
    (void)webhook_post(alerts->webhook, label, print_notification(query, &news), write_note,
                       &query->notes[trouble]); // a full queue is logged there
    query->told = trouble; // also if the queue was full: that is logged, and not tried again
}

void alerts_update(struct alerts *alerts) {
    for (size_t i = 0; alerts != NULL && i < alerts->count; i++)
        update_query(alerts, i);
}

struct webhook_counts alerts_counts(struct alerts *alerts) {
    return alerts != NULL ? webhook_counts(alerts->webhook) : (struct webhook_counts){0};
}

void alerts_close(struct alerts *alerts) {
    if (alerts == NULL)
        return;
    alerts_update(alerts); // what the queries ended with
    webhook_close(alerts->webhook, alerts->failed ? DELIVER_FAILURE_MS : DELIVER_OTHERWISE_MS);
    free(alerts);
}
