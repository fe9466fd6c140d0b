#include "surfaces/alerts/alerts.h"

#include <inttypes.h>
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
#include "surfaces/alerts/alert.h"
#include "surfaces/http/routes/fields.h"

static const char note_name[] = "alert";

enum {
    NOTE_MAX = 64,               // bytes
    DELIVER_FAILURE_MS = 5000,   // at the program's end: for what nobody else may tell of
    DELIVER_OTHERWISE_MS = 1000, // a stop must not take longer than SHUTDOWN_TIMEOUT allows
};

/* What is noted when a letter was delivered. Never changes. */
struct note {
    const char *checkpoint; // borrowed
    enum alert_trouble trouble;
};

struct alerts_query {
    struct query_view view;
    struct alert alert;
    struct note notes[TROUBLE_COUNT];
};

struct alerts {
    struct webhook *webhook;
    int64_t due_ms; // monotonic
    bool failed;    // a query has
    size_t count;
    struct alerts_query queries[STREAMING_QUERIES_MAX];
};

static enum alert_trouble read_note(const char *checkpoint) {
    struct error err;
    size_t size = 0;
    scoped(scope_free) char *text = NULL;
    if (!file_read(file_join(checkpoint, note_name).text, NOTE_MAX, &text, &size, &err) ||
        text == NULL)
        return TROUBLE_NONE;
    text[strcspn(text, "\n")] = '\0';
    for (enum alert_trouble trouble = TROUBLE_BEHIND; trouble < TROUBLE_COUNT; trouble++)
        if (strcmp(text, alert_trouble_name(trouble)) == 0)
            return trouble;
    return TROUBLE_NONE;
}

/* On the webhook's thread, where a slow disk delays nobody. */
static void write_note(void *context) {
    const struct note *note = context;
    struct error err;
    char text[NOTE_MAX];
    int size = snprintf(text, sizeof text, "%s\n", alert_trouble_name(note->trouble));
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
                 struct error *err) {
    *out = NULL;
    if (*config->alert_webhook_url == '\0')
        return true;
    struct alerts *alerts = must_alloc(1, sizeof *alerts);
    struct webhook_options options = webhook_defaults(config->alert_webhook_url);
    if (!webhook_open(&alerts->webhook, &options, err)) {
        free(alerts);
        return false;
    }
    // Between two batches what waits is older than a trigger, and that is no trouble.
    int64_t after_ms = config->alert_after_ms;
    if (after_ms < 2 * config->query.trigger.interval_ms)
        after_ms = 2 * config->query.trigger.interval_ms;
    alerts->count = streaming_query_count(streaming);
    for (size_t i = 0; i < alerts->count; i++) {
        struct alerts_query *query = &alerts->queries[i];
        query->view = streaming_query_view(streaming, i);
        const char *checkpoint = query->view.options->store.checkpoint;
        alert_init(&query->alert, after_ms, read_note(checkpoint));
        for (enum alert_trouble trouble = TROUBLE_NONE; trouble < TROUBLE_COUNT; trouble++)
            query->notes[trouble] = (struct note){checkpoint, trouble};
    }
    *out = alerts;
    return true;
}

static struct alert_look look_at(const struct query_view *view, const struct query_snapshot *shown,
                                 int64_t now_ms) {
    struct partition_lag *partitions;
    size_t count = query_status_partitions(view->status, &partitions);
    struct alert_look look = {.now_ms = now_ms,
                              .state = shown->state,
                              .batch_id = shown->batch_id,
                              .records_read = shown->records_read,
                              .is_topic_known = count > 0};
    for (size_t i = 0; i < count; i++) {
        look.topic_end += partitions[i].topic_end;
        look.position += partitions[i].topic_end - partition_lag_records(&partitions[i]);
    }
    free(partitions);
    return look;
}

/* One sentence for a person; chat services show the member "text" as it is. */
static char *sentence(const struct alerts_query *query, enum alert_trouble before,
                      const struct query_snapshot *shown, const struct alert_look *look) {
    const struct alert *alert = &query->alert;
    int64_t seconds = (look->now_ms - alert->since_ms) / 1000;
    char *text = NULL;
    int size = 0;
    switch (alert->trouble) {
    case TROUBLE_FAILED:
        size = asprintf(&text, "%s has failed and stopped: %s", shown->name, shown->error);
        break;
    case TROUBLE_FAILING:
        size = asprintf(&text, "%s gets nowhere since %" PRId64 " s and keeps trying: %s",
                        shown->name, seconds, shown->error);
        break;
    case TROUBLE_BEHIND:
        size = asprintf(&text,
                        "%s is falling behind: %" PRId64 " records of %s wait, some of them for "
                        "more than %" PRId64 " s, and they do not get fewer",
                        shown->name, look->topic_end - look->position,
                        query->view.options->store.topic, seconds);
        break;
    default:
        size = asprintf(&text,
                        "%s has recovered (it was %s): batch %" PRId64 " is committed, %" PRId64
                        " records wait",
                        shown->name,
                        before == TROUBLE_BEHIND ? "falling behind" : alert_trouble_name(before),
                        shown->batch_id, look->topic_end - look->position);
        break;
    }
    check(size >= 0);
    return text;
}

static const char *severity(enum alert_trouble trouble) {
    return trouble == TROUBLE_NONE ? "info" : trouble == TROUBLE_BEHIND ? "warning" : "critical";
}

static char *print_letter(const struct alerts_query *query, enum alert_trouble before,
                          const struct query_snapshot *shown, const struct alert_look *look) {
    enum alert_trouble trouble = query->alert.trouble;
    const struct store_options *store = &query->view.options->store;
    scoped(scope_free) char *text = sentence(query, before, shown, look);
    char host[256] = "";
    (void)gethostname(host, sizeof host - 1); // "" then
    struct json *letter = json_new_object();
    bool is_over = trouble == TROUBLE_NONE;
    json_put_text(letter, "event", is_over ? "recovered" : alert_trouble_name(trouble));
    json_put_text(letter, "severity", severity(trouble));
    put_text(letter, "text", text);
    put_time(letter, "at", clock_wall_ms());
    put_time(letter, "since", clock_wall_ms() - (look->now_ms - query->alert.since_ms));
    if (is_over)
        json_put_text(letter, "recoveredFrom", alert_trouble_name(before));
    put_text(letter, "query", shown->name);
    put_text(letter, "runId", shown->run_id);
    put_text(letter, "topic", store->topic);
    put_text(letter, "table", store->table);
    put_text(letter, "host", host);
    json_put_text(letter, "program", "esports-stream " PROGRAM_VERSION);
    json_put_int(letter, "batchId", shown->batch_id);
    if (look->is_topic_known)
        json_put_int(letter, "lag", look->topic_end - look->position);
    else
        json_put_null(letter, "lag");
    if (trouble == TROUBLE_FAILED || trouble == TROUBLE_FAILING)
        put_text(letter, "error", shown->error);
    else
        json_put_null(letter, "error");
    char *printed = json_print(letter);
    json_free(letter);
    return printed;
}

static void update_query(struct alerts *alerts, struct alerts_query *query, int64_t now_ms) {
    struct query_snapshot shown = query_status_read(query->view.status);
    struct alert_look look = look_at(&query->view, &shown, now_ms);
    enum alert_trouble before = query->alert.trouble;
    alerts->failed = alerts->failed || shown.state == QUERY_FAILED;
    if (!alert_update(&query->alert, &look))
        return;
    enum alert_trouble trouble = query->alert.trouble;
    char label[128];
    snprintf(label, sizeof label, "%s %s", shown.name,
             trouble == TROUBLE_NONE ? "recovered" : alert_trouble_name(trouble));
    (void)webhook_post(alerts->webhook, label, print_letter(query, before, &shown, &look),
                       write_note, &query->notes[trouble]); // a full queue is logged there
}

static void update_all(struct alerts *alerts, int64_t now_ms) {
    for (size_t i = 0; i < alerts->count; i++)
        update_query(alerts, &alerts->queries[i], now_ms);
}

void alerts_update(struct alerts *alerts) {
    if (alerts == NULL)
        return;
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms < alerts->due_ms)
        return;
    update_all(alerts, now_ms);
    alerts->due_ms = now_ms + alert_interval_ms(&alerts->queries[0].alert);
}

struct webhook_counts alerts_counts(struct alerts *alerts) {
    return alerts != NULL ? webhook_counts(alerts->webhook) : (struct webhook_counts){0};
}

void alerts_close(struct alerts *alerts) {
    if (alerts == NULL)
        return;
    update_all(alerts, clock_monotonic_ms()); // what the queries ended with
    webhook_close(alerts->webhook, alerts->failed ? DELIVER_FAILURE_MS : DELIVER_OTHERWISE_MS);
    free(alerts);
}
