#include <inttypes.h>

#include "surfaces/commands/status_command.h"

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

void status_print_query(FILE *out, const struct json *query) {
    const struct json *totals = json_member(query, "totals");
    const struct json *error = json_member(query, "lastError");
    (void)fprintf(out, "  %-11s %s: %s\n", "state", text_of(query, "state", "?"),
                  text_of(query, "message", ""));
    print_health(out, json_member(query, "health"));
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
