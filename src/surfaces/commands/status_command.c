/* How a query's standing is found. Its checkpoint's lock says whether a process runs it, and where
 * that one can be asked; the process's answer has the verdict of health.h. A process that does not
 * answer, wants a token, or is somebody else's is trouble, too. */
#include "surfaces/commands/status_command.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "surfaces/commands/checkpoint_command.h"
#include "surfaces/commands/http_get.h"
#include "surfaces/health/health.h"
#include "surfaces/terminal/output.h"

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

/* The verdict is the process's own. */
static void take_health(struct standing *standing) {
    const struct json *health = json_member(standing->query, "health");
    const char *reason = json_member_text(health, "reason");
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
    json_put_text(object, "query", standing->scope.stream->name);
    json_put_bool(object, "running", standing->inspection.locked);
    json_put_bool(object, "ready", standing->inspection.locked && standing->trouble == NULL);
    json_put_text(object, "health", health_state_name(standing->health));
    if (standing->trouble != NULL)
        json_put_bytes(object, "reason", standing->trouble, strlen(standing->trouble));
    else
        json_put_null(object, "reason");
    if (standing->address[0] != '\0')
        json_put_text(object, "address", standing->address);
    else
        json_put_null(object, "address");
    if (standing->query != NULL)
        json_put(object, "status", json_duplicate(standing->query));
    else
        json_put_null(object, "status");
    json_put(object, "checkpoint", inspection_json(&standing->scope, &standing->inspection));
    char *text = json_print(object);
    (void)fprintf(standing->scope.out, "%s\n", text);
    free(text);
    json_free(object);
}

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
