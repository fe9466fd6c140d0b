/* How a query's standing is found. Its checkpoint's lock says whether a process runs it; what that
 * one answers is health_ask.h's. Without a process, the checkpoint is shown. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "surfaces/commands/each_command.h"
#include "surfaces/health/health_ask.h"
#include "surfaces/terminal/output.h"
#include "surfaces/terminal/quantity.h"

/* Everything that is found out of one query. */
struct standing {
    struct command_scope scope;
    struct inspection inspection;
    char address[HEALTH_ADDRESS_MAX]; // of the process that runs it; "": none, or it serves none
    struct health_answer answer;      // of that process
};

/* ---- a query that answers ---- */

static const char *text_of(const struct json *object, const char *name, const char *otherwise) {
    const char *text = json_member_text(object, name);
    return text != NULL ? text : otherwise;
}

/* ", 3 rejects": left out when nobody says it. */
static void print_count(FILE *out, const struct json *object, const char *name, const char *before,
                        const char *noun) {
    int64_t count;
    if (json_member_int(object, name, &count))
        (void)fprintf(out, "%s%s", before, text_count(count, noun).text);
}

/* Only said of a query in which a record need not be one row. */
static void print_rowless(FILE *out, const struct json *object) {
    print_count(out, object, "empty", ", ", "empty record");
    print_count(out, object, "filtered", ", ", "filtered record");
}

/* `before`: the newest one that the checkpoint held at the start. */
static void print_batch(FILE *out, const struct json *batch, const struct json *before) {
    int64_t id, duration_ms;
    if (!json_member_int(batch, "batchId", &id)) {
        if (json_member_int(before, "batchId", &id))
            (void)fprintf(out, "  %-11s %" PRId64 ", committed at %s, before the start\n", "batch",
                          id, text_of(before, "committedAt", "?"));
        else
            (void)fprintf(out, "  %-11s none yet since the start\n", "batch");
        return;
    }
    (void)fprintf(out, "  %-11s %" PRId64 ", committed at %s", "batch", id,
                  text_of(batch, "committedAt", "?"));
    print_count(out, batch, "rows", ": ", "row");
    print_count(out, batch, "rejects", ", ", "reject");
    print_rowless(out, batch);
    if (json_member_int(json_member(batch, "durationMs"), "total", &duration_ms))
        (void)fprintf(out, ", in %" PRId64 " ms", duration_ms);
    (void)fputc('\n', out);
}

static void print_lag(FILE *out, const struct json *lag) {
    const char *because = json_member_text(lag, "unknownBecause");
    int64_t records, partition, worst, seconds;
    if (!json_member_int(lag, "records", &records)) {
        (void)fprintf(out, "  %-11s unknown since %s", "lag",
                      text_of(lag, "unknownSince", "the start"));
        if (because != NULL)
            (void)fprintf(out, ": %s", because);
        (void)fputc('\n', out);
        return;
    }
    (void)fprintf(out, "  %-11s %s", "lag", text_count(records, "record").text);
    const struct json *first = json_at(json_member(lag, "partitions"), 0);
    if (json_member_int(first, "partition", &partition) && json_member_int(first, "lag", &worst) &&
        worst > 0)
        (void)fprintf(out, ", %" PRId64 " of them in partition %" PRId64, worst, partition);
    if (records > 0 && json_member_int(lag, "catchUpSeconds", &seconds) && seconds == 0)
        (void)fprintf(out, ", less than 1 s to catch up");
    else if (records > 0 && json_member_int(lag, "catchUpSeconds", &seconds))
        (void)fprintf(out, ", about %" PRId64 " s to catch up", seconds);
    (void)fputc('\n', out);
}

/* `before`: the newest batch that the checkpoint held at the start. */
static void print_freshness(FILE *out, const struct json *freshness, const struct json *before) {
    int64_t age;
    const char *committed = json_member_text(before, "committedAt");
    if (json_member_int(freshness, "ageSeconds", &age))
        (void)fprintf(out, "  %-11s newest committed record at %s, %" PRId64 " s ago\n",
                      "freshness", text_of(freshness, "newestRecordAt", "?"), age);
    else if (freshness != NULL && committed != NULL)
        (void)fprintf(
            out, "  %-11s not known yet since the start; the newest batch was committed at %s\n",
            "freshness", committed);
    else if (freshness != NULL) // otherwise an older program's answer
        (void)fprintf(out, "  %-11s unknown\n", "freshness");
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
        (void)fprintf(out, "  %-11s %s\n", "action", action);
}

static void print_retry(FILE *out, const struct json *retry) {
    int64_t attempts;
    const char *limit = json_member_text(retry, "limit");
    const char *next = json_member_text(retry, "nextAttemptAt");
    if (!json_member_int(retry, "attempts", &attempts))
        return;
    (void)fprintf(out, "  %-11s since %s; attempt %" PRId64 " failed, the next one is %s%s; ",
                  "retrying", text_of(retry, "since", "?"), attempts,
                  next != NULL ? "at " : "running", next != NULL ? next : "");
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
    (void)fprintf(out, "  %-11s at %s after %s: %s\n", "recovered", text_of(recovered, "at", "?"),
                  lasted, text_of(recovered, "reason", ""));
}

/* Whether the line of the health, or of the recovery, has the text: an error is printed once. */
static bool is_said(const struct json *query, const char *text) {
    return strstr(text_of(json_member(query, "health"), "reason", ""), text) != NULL ||
           strstr(text_of(json_member(query, "recovered"), "reason", ""), text) != NULL;
}

static void print_last_error(FILE *out, const struct json *query) {
    const struct json *error = json_member(query, "lastError");
    const char *text = json_member_text(error, "text");
    if (text != NULL && !is_said(query, text))
        (void)fprintf(out, "  %-11s at %s: %s\n", "last error", text_of(error, "at", "?"), text);
}

/* "files       1234 in the table, 1200 of them small, 34 after a compaction; 10 of rejects". */
static void print_files(FILE *out, const struct json *care) {
    const struct json *files = json_member(care, "files");
    int64_t count, small, merged, rejects;
    if (care == NULL)
        return; // an older program's answer
    if (!json_member_int(files, "files", &count) || !json_member_int(files, "small", &small) ||
        !json_member_int(files, "afterCompaction", &merged)) {
        (void)fprintf(out, "  %-11s not counted yet since the start\n", "files");
        return;
    }
    (void)fprintf(out,
                  "  %-11s %" PRId64 " in the table, %" PRId64 " of them small, %" PRId64
                  " after a compaction",
                  "files", count, small, merged);
    if (json_member_int(json_member(care, "rejectFiles"), "files", &rejects))
        (void)fprintf(out, "; %" PRId64 " of rejects", rejects);
    (void)fprintf(out, " (counted at %s)\n", text_of(files, "countedAt", "?"));
}

static void print_forecast(FILE *out, const struct json *care) {
    const struct json *forecast = json_member(care, "forecast");
    int64_t files, kept;
    if (json_member_int(forecast, "filesPerDay", &files) &&
        json_member_int(forecast, "filesPerDayAfterCompaction", &kept))
        (void)fprintf(out, "  %-11s %s a day, %" PRId64 " after compaction\n", "forecast",
                      text_count(files, "file").text, kept);
}

static void print_compaction(FILE *out, const struct json *care) {
    const struct json *compactions = json_member(care, "compactions");
    const struct json *newest = json_member(compactions, "newest");
    const struct json *waiting = json_member(care, "waiting");
    int64_t before, after, files;
    if (json_member_int(newest, "filesBefore", &before) &&
        json_member_int(newest, "filesAfter", &after))
        (void)fprintf(out, "  %-11s at %s: %s became %" PRId64 "\n", "compaction",
                      text_of(newest, "at", "?"), text_count(before, "file").text, after);
    if (json_member_int(waiting, "files", &files) && files > 0)
        (void)fprintf(out, "  %-11s %s: %s\n", "waiting", text_count(files, "small file").text,
                      text_of(waiting, "why", "?"));
    if (json_member_int(json_member(care, "expiries"), "files", &files) && files > 0)
        (void)fprintf(out, "  %-11s %s since the start\n", "expired",
                      text_count(files, "file").text);
}

/* What another program has done to the table; nothing to say where nobody has looked. */
static void print_changed(FILE *out, const struct json *query) {
    int64_t missing = 0, changed = 0;
    (void)json_member_int(query, "missingFiles", &missing);
    (void)json_member_int(query, "changedFiles", &changed);
    if (missing > 0 || changed > 0)
        (void)fprintf(out, "  %-11s %s missing, %" PRId64 " changed by another program\n", "table",
                      text_count(missing, "file").text, changed);
}

static void print_care(FILE *out, const struct json *query) {
    const struct json *care = json_member(query, "care");
    const struct json *error = json_member(care, "error");
    print_files(out, care);
    print_forecast(out, care);
    print_compaction(out, care);
    print_changed(out, query);
    const char *text = json_member_text(error, "text");
    if (text != NULL)
        (void)fprintf(out, "  %-11s compaction or expiry failed at %s: %s\n", "care",
                      text_of(error, "at", "?"), text);
}

void status_print_query(FILE *out, const struct json *query) {
    const struct json *totals = json_member(query, "totals");
    bool has_batch = json_count(json_member(query, "newestBatch")) > 0;
    (void)fprintf(out, "  %-11s %s: %s\n", "state", text_of(query, "state", "?"),
                  text_of(query, "message", ""));
    print_health(out, json_member(query, "health"));
    print_retry(out, json_member(query, "retry"));
    print_recovered(out, json_member(query, "recovered"));
    (void)fprintf(out, "  %-11s %s, to %s\n", "topic", text_of(query, "topic", "?"),
                  text_of(query, "table", "?"));
    (void)fprintf(out, "  %-11s %s\n", "trigger", text_of(query, "trigger", "?"));
    print_batch(out, json_member(query, "newestBatch"), json_member(query, "resumedAfter"));
    (void)fprintf(out, "  %-11s ", "since start");
    print_count(out, totals, "batches", "", "batch");
    print_count(out, totals, "rows", ", ", "row");
    print_count(out, totals, "rejects", ", ", "reject");
    print_rowless(out, totals);
    print_count(out, totals, "lost", ", ", "lost offset");
    (void)fputc('\n', out);
    print_lag(out, json_member(query, "lag"));
    print_freshness(out, json_member(query, "freshness"),
                    has_batch ? NULL : json_member(query, "resumedAfter"));
    print_care(out, query);
    print_last_error(out, query);
}

/* ---- showing ---- */

static void print_text(const struct standing *standing) {
    FILE *out = standing->scope.out;
    const char *name = standing->scope.stream->name;
    if (!standing->inspection.locked) {
        (void)fprintf(out, "%s: not running. From its checkpoint:\n", name);
        inspection_print(&standing->scope, &standing->inspection);
        return;
    }
    (void)fprintf(out, "%s: running (%s)\n", name, standing->inspection.holder);
    if (standing->answer.query != NULL) {
        status_print_query(out, standing->answer.query);
    } else {
        if (standing->address[0] == '\0')
            (void)fprintf(out, "  It has no HTTP port (SPARK_UI_PORT=0).");
        (void)fprintf(out, "  From its checkpoint:\n");
        inspection_print(&standing->scope, &standing->inspection);
    }
    if (standing->answer.trouble != NULL &&
        !is_said(standing->answer.query, standing->answer.trouble))
        (void)fprintf(out, "  %-11s %s\n", "NOT READY", standing->answer.trouble);
}

static void print_json(const struct standing *standing) {
    struct json *object = json_new_object();
    json_put_shown(object, "query", standing->scope.stream->name);
    json_put_bool(object, "running", standing->inspection.locked);
    json_put_bool(object, "ready", standing->inspection.locked && standing->answer.trouble == NULL);
    json_put_shown(object, "health", health_state_name(standing->answer.state));
    if (standing->answer.trouble != NULL)
        json_put_bytes(object, "reason", standing->answer.trouble,
                       strlen(standing->answer.trouble));
    else
        json_put_null(object, "reason");
    if (standing->address[0] != '\0')
        json_put_shown(object, "address", standing->address);
    else
        json_put_null(object, "address");
    if (standing->answer.query != NULL)
        json_put(object, "status", json_duplicate(standing->answer.query));
    else
        json_put_null(object, "status");
    json_put(object, "checkpoint", inspection_json(&standing->scope, &standing->inspection));
    output_print_json(standing->scope.out, object);
}

static enum exit_code code_of(const struct standing *standing) {
    if (!standing->inspection.locked)
        return EXIT_CODE_NOT_RUNNING;
    if (standing->answer.trouble != NULL)
        return EXIT_CODE_NOT_READY;
    return standing->answer.state == HEALTH_DEGRADED ? EXIT_CODE_DEGRADED : EXIT_CODE_OK;
}

/* The worst query decides, in any order. The lower code is worse, except 0. */
static void take_code(enum exit_code *code, const struct standing *standing) {
    enum exit_code own = code_of(standing);
    if (own != EXIT_CODE_OK && (*code == EXIT_CODE_OK || own < *code))
        *code = own;
}

static bool show(const struct command_call *call, const struct stream *stream, struct error *err) {
    struct known_store known;
    known_store_init(&known, call->config, stream);
    struct standing standing = {.scope = {call->config, stream, known.store, &known, call->out}};
    bool ok = inspect(&standing.scope.store, &standing.inspection, err);
    if (ok) {
        health_address(standing.inspection.holder, standing.address);
        if (standing.address[0] != '\0')
            health_ask(standing.address, call->config->ui_token, stream->name, &standing.answer);
        // A lock that is held without an address is of a process that serves none: all that is
        // known of it is that it runs.
        else if (!standing.inspection.locked)
            standing.answer.state = HEALTH_STOPPED;
        if (call->config->arguments.json)
            print_json(&standing);
        else
            print_text(&standing);
        take_code(call->code, &standing);
        inspection_deinit(&standing.inspection);
    }
    health_answer_deinit(&standing.answer);
    known_store_deinit(&known);
    return ok && output_flush(call->out, err);
}

bool status_command(const struct command_call *call, struct error *err) {
    for (size_t i = 0; streams[i] != NULL; i++)
        if (config_runs(call->config, streams[i]) && !show(call, streams[i], err))
            return error_wrap(err, "%s", streams[i]->name);
    return true;
}
