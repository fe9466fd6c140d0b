/* What is news to the receiver. Each update compares a query's verdict with the troubles that the
 * receiver knows. A trouble that is new is a notification; the end of one is, when it was the last.
 * Trouble that gets worse is sent at once; the end of trouble only when there is proof of it, so
 * that a query which fails again after each start does not ring each time. `told` changes when a
 * notification is queued. The note in the checkpoint changes later, on the webhook's thread, once
 * the receiver has taken it: a crash between the two makes the next start tell the same again. */
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
    TROUBLE_SETS = 1 << TROUBLE_COUNT,
    NOTE_MAX = 128, // bytes
    LASTED_MAX = DURATION_TEXT_MAX + 8,
    DELIVER_FAILURE_MS = 5000,   // at the program's end: for what nobody else may report
    DELIVER_OTHERWISE_MS = 1000, // a stop must not take longer than SHUTDOWN_TIMEOUT allows
};

/* What is noted when a notification was delivered: the trouble, and in a line of its own since when
 * the query is in trouble. `since_ms` is of the newest notification, and outlives it. */
struct note {
    const char *checkpoint; // borrowed
    unsigned troubles;
    _Atomic int64_t *since_ms; // of the query
};

struct alerts_query {
    struct query_view view;
    unsigned told;            // troubles; or on their way
    _Atomic int64_t since_ms; // wall clock; since when it has had any of these; 0: not known
    struct note notes[TROUBLE_SETS];
};

struct alerts {
    struct webhook *webhook;
    struct health_watch *health;
    bool failed; // a query has
    size_t count;
    struct alerts_query queries[STREAMING_QUERIES_MAX];
};

/* By its event, and as a sentence has it. */
static const struct {
    const char *name, *words;
} troubles[TROUBLE_COUNT] = {
    [TROUBLE_CARE] = {"care_failing", "failing to compact or expire files"},
    [TROUBLE_REJECTING] = {"rejecting", "rejecting records"},
    [TROUBLE_BEHIND] = {"falling_behind", "falling behind"},
    [TROUBLE_FAILING] = {"failing", "failing"},
    [TROUBLE_FAILED] = {"failed", "failed"}};

static bool has(unsigned set, enum alert_trouble trouble) {
    return (set & 1U << trouble) != 0;
}

/* -1: it is empty. */
static int worst_of(unsigned set) {
    int worst = TROUBLE_COUNT - 1;
    while (worst >= 0 && !has(set, (enum alert_trouble)worst))
        worst--;
    return worst;
}

static unsigned troubles_of(const struct health_verdict *verdict) {
    if (verdict->state == HEALTH_FAILED)
        return 1U << TROUBLE_FAILED;
    if (verdict->state == HEALTH_STUCK)
        return 1U << TROUBLE_FAILING;
    return (health_has(verdict, CAUSE_BEHIND) ? 1U << TROUBLE_BEHIND : 0) |
           (health_has(verdict, CAUSE_REJECTING) ? 1U << TROUBLE_REJECTING : 0) |
           (health_has(verdict, CAUSE_CARE) ? 1U << TROUBLE_CARE : 0);
}

unsigned alert_troubles_next(unsigned told, const struct health_verdict *verdict) {
    unsigned found = troubles_of(verdict);
    if (verdict->state == HEALTH_STOPPED)
        return told; // somebody ended it, and knows
    // A start looks well until it fails again: only a commit, or the topic's end, is proof.
    if (worst_of(told) >= TROUBLE_FAILING && worst_of(found) < worst_of(told) &&
        !verdict->is_proven)
        return told;
    if (worst_of(found) >= TROUBLE_FAILING)
        return found;
    if (!verdict->keeps_up)
        found |= told & 1U << TROUBLE_BEHIND;
    if (!verdict->takes_records)
        found |= told & 1U << TROUBLE_REJECTING;
    return found;
}

/* ---- what was sent ---- */

/* Names of events with blanks between, and a second line, which an older version did not write. */
static unsigned read_note(const char *checkpoint, int64_t *since_ms) {
    struct error err;
    size_t size = 0;
    scoped(scope_free) char *text = NULL;
    *since_ms = 0;
    if (!file_read(file_join(checkpoint, note_name).text, NOTE_MAX, &text, &size, &err) ||
        text == NULL)
        return 0;
    unsigned told = 0;
    char *rest = text, *words = strsep(&rest, "\n");
    if (rest != NULL)
        *since_ms = strtoll(rest, NULL, 10);
    for (const char *word; (word = strsep(&words, " ")) != NULL;)
        for (int i = 0; i < TROUBLE_COUNT; i++)
            if (strcmp(word, troubles[i].name) == 0)
                told |= 1U << i;
    return told;
}

/* On the webhook's thread, where a slow disk delays nobody. */
static void write_note(void *context) {
    const struct note *note = context;
    struct error err;
    char text[NOTE_MAX];
    size_t size = 0;
    for (int i = 0; i < TROUBLE_COUNT; i++)
        if (has(note->troubles, (enum alert_trouble)i))
            size =
                text_append(text, sizeof text, size, "%s%s", size > 0 ? " " : "", troubles[i].name);
    size = text_append(text, sizeof text, size, "\n%" PRId64 "\n", atomic_load(note->since_ms));
    bool done = note->troubles == 0 ? file_remove(file_join(note->checkpoint, note_name).text, &err)
                                    : file_replace(note->checkpoint, note_name, text, size, &err);
    if (!done)
        log_write(LOG_WARNING, "webhook",
                  "Cannot record that an alert was delivered; the next start may send it again | "
                  "error=%s",
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
        for (unsigned set = 0; set < TROUBLE_SETS; set++)
            query->notes[set] = (struct note){checkpoint, set, &query->since_ms};
    }
    *out = alerts;
    return true;
}

/* ---- a notification ---- */

/* One piece of news of a query. */
struct news {
    bool is_over; // all trouble: it has recovered, from `trouble`
    enum alert_trouble trouble;
    const struct query_snapshot *shown;
    const struct health_verdict *verdict;
    int64_t now_ms, since_ms; // wall clock; since when it has the trouble, or had any; 0: not known
};

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
    const char *name = news->shown->name, *reason = news->verdict->reason;
    const char *words = troubles[news->trouble].words;
    if (news->is_over) {
        char lag[LAG_TEXT_MAX], lasted[LASTED_MAX];
        topic_lag_print(&news->shown->lag, lag);
        return text_format("%s has recovered%s (it was %s): batch %" PRId64
                           " is committed, waiting records: %s",
                           name, lasted_text(news, lasted), words, news->shown->batch_id, lag);
    }
    if (news->trouble == TROUBLE_FAILED)
        return text_format("%s has failed and stopped: %s", name, reason);
    if (news->trouble == TROUBLE_FAILING)
        return text_format("%s %s", name, reason);
    return text_format("%s is %s: %s", name, words, reason);
}

/* Failing or failed after falling behind is the same trouble, only worse. */
static int64_t since_of(const struct alerts_query *query, const struct news *news) {
    const struct health_verdict *verdict = news->verdict;
    bool is_worse = (query->told & ~(1U << TROUBLE_REJECTING)) != 0;
    if (news->is_over || (is_worse && news->trouble != TROUBLE_REJECTING))
        return query->since_ms;
    int64_t since_ms = news->trouble == TROUBLE_REJECTING ? verdict->cause_since_ms[CAUSE_REJECTING]
                                                          : verdict->since_ms;
    return news->now_ms - (clock_monotonic_ms() - since_ms);
}

static const char *severity(const struct news *news) {
    return news->is_over ? "info" : news->trouble < TROUBLE_FAILING ? "warning" : "critical";
}

static const char *event(const struct news *news) {
    return news->is_over ? "recovered" : troubles[news->trouble].name;
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

static void put_lag(struct json *notification, const struct topic_lag *lag) {
    if (lag->is_known)
        json_put_int(notification, "lag", lag->records);
    else
        json_put_null(notification, "lag");
    put_time_or_null(notification, "lagUnknownSince", lag->is_known ? 0 : lag->since_ms, 1);
}

static void put_recovery(struct json *notification, const struct news *news) {
    json_put_shown(notification, "recoveredFrom", troubles[news->trouble].name);
    if (news->since_ms != 0)
        json_put_int(notification, "lastedSeconds", (news->now_ms - news->since_ms) / 1000);
    else
        json_put_null(notification, "lastedSeconds");
}

static char *print_notification(const struct alerts_query *query, const struct news *news) {
    scoped(scope_free) char *text = sentence(news);
    struct json *notification = json_new_object();
    json_put_shown(notification, "event", event(news));
    json_put_shown(notification, "severity", severity(news));
    json_put_shown(notification, "text", text);
    put_time(notification, "at", news->now_ms);
    put_time_or_null(notification, "since", news->since_ms, 1);
    if (news->is_over)
        put_recovery(notification, news);
    put_place(notification, query, news->shown);
    json_put_int(notification, "batchId", news->shown->batch_id);
    put_lag(notification, &news->shown->lag);
    // The newest error says nothing about a query that hangs.
    bool has_error =
        health_has(news->verdict, CAUSE_FAILED) || health_has(news->verdict, CAUSE_NO_SUCCESS);
    if (has_error && news->shown->error[0] != '\0')
        json_put_shown(notification, "error", news->shown->error);
    else
        json_put_null(notification, "error");
    char *printed = json_print(notification);
    json_free(notification);
    return printed;
}

static void post(struct alerts *alerts, struct alerts_query *query, const struct news *news,
                 unsigned told) {
    char label[128];
    snprintf(label, sizeof label, "%s %s", news->shown->name, event(news));
    (void)webhook_post(alerts->webhook, label, print_notification(query, news), write_note,
                       &query->notes[told]); // a full queue is logged there, and not tried again
}

/* One notification for each trouble that is new, or one when there is none any more. */
static void tell(struct alerts *alerts, struct alerts_query *query, unsigned next,
                 const struct health_verdict *verdict) {
    struct query_snapshot shown = query_status_read(query->view.status);
    struct news news = {.shown = &shown, .verdict = verdict, .now_ms = clock_wall_ms()};
    unsigned told = query->told & next;
    bool is_first = query->told == 0;
    for (int i = 0; i < TROUBLE_COUNT; i++) {
        if (!has(next & ~query->told, (enum alert_trouble)i))
            continue;
        told |= 1U << i;
        news.trouble = (enum alert_trouble)i;
        news.since_ms = since_of(query, &news);
        if (is_first || news.since_ms < query->since_ms)
            query->since_ms = news.since_ms;
        is_first = false;
        post(alerts, query, &news, told);
    }
    if (next == 0) {
        news.is_over = true;
        news.trouble = (enum alert_trouble)worst_of(query->told);
        news.since_ms = since_of(query, &news);
        post(alerts, query, &news, 0);
    }
    query->told = next;
}

static void update_query(struct alerts *alerts, size_t index) {
    struct alerts_query *query = &alerts->queries[index];
    struct health_verdict verdict;
    health_watch_judge(alerts->health, index, &verdict);
    alerts->failed = alerts->failed || verdict.state == HEALTH_FAILED;
    unsigned next = alert_troubles_next(query->told, &verdict);
    if (next != query->told)
        tell(alerts, query, next, &verdict);
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
