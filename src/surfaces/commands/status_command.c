/* How a query's standing is found. Its checkpoint's lock says whether a process runs it, and where
 * that one can be asked; the process's answer has the verdict of health.h. A process that does not
 * answer, wants a token, or is somebody else's is trouble, too. */
#include <curl/curl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "surfaces/commands/each_command.h"
#include "surfaces/health/health.h"
#include "surfaces/terminal/output.h"
#include "surfaces/terminal/quantity.h"

/* Everything that is found out of one query. */
struct standing {
    struct command_scope scope;
    struct inspection inspection;
    char address[STATUS_ADDRESS_MAX]; // of the process that runs it; "": none, or it serves none
    struct json *answer;              // owned; /api/v1/queries; NULL: not asked, or no answer
    const struct json *query;         // in it
    enum health_state health;         // what it says there; else unknown, or stopped
    char *trouble;                    // owned; why it is not ready; NULL: it is
};

void status_address(const char *holder, char address[static STATUS_ADDRESS_MAX]) {
    static const char word[] = " http=";
    const char *at = strstr(holder, word);
    address[0] = '\0';
    if (at == NULL)
        return;
    at += sizeof word - 1;
    size_t size = strcspn(at, " ");
    if (size < STATUS_ADDRESS_MAX)
        (void)snprintf(address, STATUS_ADDRESS_MAX, "%.*s", (int)size, at);
}

/* ---- one question to a server of ours ---- */

enum { ANSWER_MS = 5000, ANSWER_SIZE_MAX = 16 << 20 };

struct http_answer {
    long status;
    char *body; // owned; terminated
    size_t size;
};

static size_t take_bytes(const char *bytes, size_t size, size_t count, void *argument) {
    struct http_answer *answer = argument;
    size_t more = size * count;
    if (answer->size + more > ANSWER_SIZE_MAX)
        return 0;
    answer->body = realloc(answer->body, answer->size + more + 1);
    check(answer->body != NULL);
    memcpy(answer->body + answer->size, bytes, more);
    answer->size += more;
    answer->body[answer->size] = '\0';
    return more;
}

static void must_set(CURLcode result) {
    check(result == CURLE_OK); // an option that our libcurl does not have
}

static void set_up(CURL *handle, const char *url, const char *token, struct http_answer *answer) {
    must_set(curl_easy_setopt(handle, CURLOPT_URL, url));
    must_set(curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http"));
    must_set(curl_easy_setopt(handle, CURLOPT_NOPROXY, "*"));
    must_set(curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L));
    must_set(curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)ANSWER_MS));
    must_set(curl_easy_setopt(handle, CURLOPT_USERAGENT, "esports-stream/" PROGRAM_VERSION));
    must_set(curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_bytes));
    must_set(curl_easy_setopt(handle, CURLOPT_WRITEDATA, answer));
    if (token == NULL || *token == '\0')
        return;
    must_set(curl_easy_setopt(handle, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER));
    must_set(curl_easy_setopt(handle, CURLOPT_XOAUTH2_BEARER, token));
}

static void http_answer_deinit(struct http_answer *answer) {
    free(answer->body);
    *answer = (struct http_answer){0};
}

/* `token`: sent as a bearer's; "" or NULL: none. No proxy is asked, no redirect followed. */
static bool http_get(const char *url, const char *token, struct http_answer *answer,
                     struct error *err) {
    char reason[CURL_ERROR_SIZE] = "";
    CURL *handle = curl_easy_init();
    check(handle != NULL);
    *answer = (struct http_answer){.body = must_alloc(1, 1)};
    set_up(handle, url, token, answer);
    must_set(curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, reason));
    CURLcode result = curl_easy_perform(handle);
    (void)curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_easy_cleanup(handle);
    if (result == CURLE_OK)
        return true;
    http_answer_deinit(answer);
    (void)error_set(err, ERROR_BROKER, "'%s' does not answer: %s", url,
                    reason[0] != '\0' ? reason : curl_easy_strerror(result));
    return false;
}

/* ---- asking ---- */

static void set_trouble(struct standing *standing, const char *text, size_t size) {
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        size--;
    free(standing->trouble);
    standing->trouble = strndup(text, size);
    check(standing->trouble != NULL);
}

/* Its answer to one path; false: there was none, which is noted. */
static bool ask(struct standing *standing, const char *path, struct http_answer *answer) {
    struct error err;
    char url[STATUS_ADDRESS_MAX + 64];
    (void)snprintf(url, sizeof url, "%s%s", standing->address, path);
    if (http_get(url, standing->scope.config->ui_token, answer, &err))
        return true;
    set_trouble(standing, err.message, strlen(err.message));
    return false;
}

static bool find_query(struct standing *standing) {
    const struct json *queries = json_member(standing->answer, "queries");
    for (size_t i = 0; i < json_count(queries); i++) {
        const char *name = json_member_text(json_at(queries, i), "name");
        if (name != NULL && strcmp(name, standing->scope.stream->name) == 0)
            standing->query = json_at(queries, i);
    }
    return standing->query != NULL;
}

static void take_answer(struct standing *standing, const struct http_answer *answer) {
    static const char refused[] = "the process wants its token: set UI_TOKEN to what it has";
    static const char strange[] = "what answers there is not this query's process: was the lock's "
                                  "machine another one?";
    struct error err;
    if (answer->status == 401) {
        set_trouble(standing, refused, sizeof refused - 1);
        return;
    }
    standing->answer = answer->status == 200 ? json_parse(answer->body, answer->size, &err) : NULL;
    if (!find_query(standing))
        set_trouble(standing, strange, sizeof strange - 1);
}

/* An older program tells no verdict: its own /readyz went by the state. */
static void take_older_state(struct standing *standing) {
    const char *state = json_member_text(standing->query, "state");
    const char *error = json_member_text(json_member(standing->query, "lastError"), "text");
    if (state != NULL && strcmp(state, "failed") != 0 && strcmp(state, "retrying") != 0)
        return;
    if (error == NULL)
        error = "the process does not say how it is";
    set_trouble(standing, error, strlen(error));
}

/* The verdict is the process's own. */
static void take_health(struct standing *standing) {
    const struct json *health = json_member(standing->query, "health");
    const char *reason = json_member_text(health, "reason");
    if (health == NULL) {
        take_older_state(standing);
        return;
    }
    standing->health = health_state_find(json_member_text(health, "state"));
    if (reason == NULL)
        reason = "the process does not say how it is";
    if (!health_state_is_ready(standing->health))
        set_trouble(standing, reason, strlen(reason));
}

static void ask_process(struct standing *standing) {
    struct http_answer answer;
    if (!ask(standing, "/api/v1/queries", &answer))
        return;
    take_answer(standing, &answer);
    http_answer_deinit(&answer);
    if (standing->query != NULL)
        take_health(standing);
}

/* ---- a query that answers ---- */

static const char *text_of(const struct json *object, const char *name, const char *otherwise) {
    const char *text = json_member_text(object, name);
    return text != NULL ? text : otherwise;
}

/* ", 3 rejects": left out when nobody says it. */
static void print_count(FILE *out, const struct json *object, const char *name, const char *before,
                        const char *what) {
    int64_t count;
    if (json_member_int(object, name, &count))
        (void)fprintf(out, "%s%" PRId64 " %s", before, count, what);
}

static void print_batch(FILE *out, const struct json *batch) {
    int64_t id;
    if (!json_member_int(batch, "batchId", &id)) {
        (void)fprintf(out, "  %-11s none yet since the start\n", "batch");
        return;
    }
    (void)fprintf(out, "  %-11s %" PRId64 ", committed at %s", "batch", id,
                  text_of(batch, "committedAt", "?"));
    print_count(out, batch, "rows", ": ", "rows");
    print_count(out, batch, "rejects", ", ", "rejects");
    print_count(out, json_member(batch, "durationMs"), "total", ", in ", "ms");
    (void)fputc('\n', out);
}

static void print_lag(FILE *out, const struct json *lag) {
    int64_t records, partition, worst;
    if (!json_member_int(lag, "records", &records)) {
        (void)fprintf(out, "  %-11s not known yet\n", "lag");
        return;
    }
    (void)fprintf(out, "  %-11s %" PRId64 " records", "lag", records);
    const struct json *first = json_at(json_member(lag, "partitions"), 0);
    if (json_member_int(first, "partition", &partition) && json_member_int(first, "lag", &worst) &&
        worst > 0)
        (void)fprintf(out, ", %" PRId64 " of them in partition %" PRId64, worst, partition);
    (void)fputc('\n', out);
}

static void print_health(FILE *out, const struct json *health) {
    const char *state = json_member_text(health, "state");
    const char *reason = text_of(health, "reason", "");
    const char *action = text_of(health, "action", "");
    if (state == NULL)
        return; // an older program's answer
    (void)fprintf(out, "  %-11s %s since %s: %s\n", "health", state, text_of(health, "since", "?"),
                  reason);
    if (*action != '\0')
        (void)fprintf(out, "  %-11s %s\n", "to do", action);
}

static void print_retry(FILE *out, const struct json *retry) {
    int64_t attempts;
    const char *limit = json_member_text(retry, "limit");
    if (!json_member_int(retry, "attempts", &attempts))
        return;
    (void)fprintf(out, "  %-11s since %s; attempt %" PRId64 " failed, the next one is at %s; ",
                  "retrying", text_of(retry, "since", "?"), attempts,
                  text_of(retry, "nextAttemptAt", "?"));
    if (limit != NULL)
        (void)fprintf(out, "until %s (%s)\n", text_of(retry, "until", "?"), limit);
    else
        (void)fprintf(out, "no limit\n");
}

static void print_recovered(FILE *out, const struct json *recovered) {
    int64_t lasted_ms;
    char lasted[DURATION_TEXT_MAX];
    if (!json_member_int(recovered, "lastedMs", &lasted_ms))
        return;
    duration_format(lasted_ms, lasted);
    (void)fprintf(out, "  %-11s at %s after %s of %s: %s\n", "recovered",
                  text_of(recovered, "at", "?"), lasted, text_of(recovered, "from", "?"),
                  text_of(recovered, "reason", ""));
}

void status_print_query(FILE *out, const struct json *query) {
    const struct json *totals = json_member(query, "totals");
    const struct json *error = json_member(query, "lastError");
    (void)fprintf(out, "  %-11s %s: %s\n", "state", text_of(query, "state", "?"),
                  text_of(query, "message", ""));
    print_health(out, json_member(query, "health"));
    print_retry(out, json_member(query, "retry"));
    print_recovered(out, json_member(query, "recovered"));
    (void)fprintf(out, "  %-11s %s, to %s\n", "topic", text_of(query, "topic", "?"),
                  text_of(query, "table", "?"));
    (void)fprintf(out, "  %-11s %s\n", "trigger", text_of(query, "trigger", "?"));
    print_batch(out, json_member(query, "newestBatch"));
    (void)fprintf(out, "  %-11s ", "since start");
    print_count(out, totals, "batches", "", "batches");
    print_count(out, totals, "rows", ", ", "rows");
    print_count(out, totals, "rejects", ", ", "rejects");
    print_count(out, totals, "lost", ", ", "lost");
    (void)fputc('\n', out);
    print_lag(out, json_member(query, "lag"));
    if (json_member_text(error, "text") != NULL)
        (void)fprintf(out, "  %-11s at %s: %s\n", "last error", text_of(error, "at", "?"),
                      json_member_text(error, "text"));
}

/* ---- showing ---- */

static void print_text(const struct standing *standing) {
    FILE *out = standing->scope.out;
    const char *name = standing->scope.stream->name;
    if (!standing->inspection.locked) {
        (void)fprintf(out, "%s: does not run. What its checkpoint says:\n", name);
        inspection_print(&standing->scope, &standing->inspection);
        return;
    }
    (void)fprintf(out, "%s: runs (%s)\n", name, standing->inspection.holder);
    if (standing->query != NULL) {
        status_print_query(out, standing->query);
    } else {
        if (standing->address[0] == '\0')
            (void)fprintf(out, "  It serves no status (SPARK_UI_PORT=0).");
        (void)fprintf(out, "  What its checkpoint says:\n");
        inspection_print(&standing->scope, &standing->inspection);
    }
    if (standing->trouble != NULL)
        (void)fprintf(out, "  %-11s %s\n", "NOT READY", standing->trouble);
}

static void print_json(const struct standing *standing) {
    struct json *object = json_new_object();
    json_put_shown(object, "query", standing->scope.stream->name);
    json_put_bool(object, "running", standing->inspection.locked);
    json_put_bool(object, "ready", standing->inspection.locked && standing->trouble == NULL);
    json_put_shown(object, "health", health_state_name(standing->health));
    if (standing->trouble != NULL)
        json_put_bytes(object, "reason", standing->trouble, strlen(standing->trouble));
    else
        json_put_null(object, "reason");
    if (standing->address[0] != '\0')
        json_put_shown(object, "address", standing->address);
    else
        json_put_null(object, "address");
    if (standing->query != NULL)
        json_put(object, "status", json_duplicate(standing->query));
    else
        json_put_null(object, "status");
    json_put(object, "checkpoint", inspection_json(&standing->scope, &standing->inspection));
    output_print_json(standing->scope.out, object);
}

/* One that does not run counts for more than one that is not ready, in whatever order they come. */
static void take_code(enum exit_code *code, const struct standing *standing) {
    if (!standing->inspection.locked)
        *code = EXIT_CODE_NOT_RUNNING;
    else if (standing->trouble != NULL && *code == EXIT_CODE_OK)
        *code = EXIT_CODE_NOT_READY;
}

static bool show(const struct command_call *call, const struct stream *stream, struct error *err) {
    struct standing standing = {
        .scope = {call->config, stream, config_store_options(call->config, stream), call->out}};
    bool ok = inspect(&standing.scope.store, &standing.inspection, err);
    if (ok) {
        status_address(standing.inspection.holder, standing.address);
        if (standing.address[0] != '\0')
            ask_process(&standing);
        // A lock that is held without an address is of a process that serves none: all that is
        // known of it is that it runs.
        else if (!standing.inspection.locked)
            standing.health = HEALTH_STOPPED;
        if (call->config->arguments.json)
            print_json(&standing);
        else
            print_text(&standing);
        take_code(call->code, &standing);
        inspection_deinit(&standing.inspection);
    }
    json_free(standing.answer);
    free(standing.trouble);
    config_store_options_deinit(&standing.scope.store);
    return ok && output_flush(call->out, err);
}

bool status_command(const struct command_call *call, struct error *err) {
    for (size_t i = 0; streams[i] != NULL; i++)
        if (config_runs(call->config, streams[i]) && !show(call, streams[i], err))
            return error_wrap(err, "%s", streams[i]->name);
    return true;
}
