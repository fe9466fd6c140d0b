#include <inttypes.h>

#include "base/json.h"
#include "streaming/operations/replay.h"
#include "surfaces/commands/rejects_command.h"
#include "surfaces/rows/reject_rows.h"
#include "surfaces/terminal/output.h"

static bool is_chosen(const void *context, const struct reject_row *row) {
    return reject_filter_takes(context, &(struct reject_key){row->reason, row->record.partition,
                                                             row->record.offset,
                                                             row->record.planned_ms * 1000});
}

static const char *reason_name(size_t reason) {
    return reason < REJECT_REASON_COUNT ? reject_reason_name((enum reject_reason)reason) : "other";
}

static void print_count(FILE *out, const char *what, int64_t count,
                        const int64_t by_reason[static REPLAY_REASONS]) {
    const char *before = " (";
    (void)fprintf(out, "  %s: %" PRId64, what, count);
    for (size_t i = 0; i < REPLAY_REASONS; i++) {
        if (by_reason[i] == 0)
            continue;
        (void)fprintf(out, "%s%s %" PRId64, before, reason_name(i), by_reason[i]);
        before = ", ";
    }
    (void)fprintf(out, "%s\n", count > 0 ? ")" : "");
}

static void print_text(const struct command_scope *scope, const struct replay_report *report) {
    FILE *out = scope->out;
    bool dry = scope->config->arguments.dry_run;
    (void)fprintf(out, "%s: %" PRId64 " unresolved rejects, %" PRId64 " of them chosen\n",
                  scope->stream->name, report->unresolved, report->rows + report->still_rejected);
    print_count(out, dry ? "would become rows" : "became rows", report->rows, report->rows_by);
    print_count(out, dry ? "would still be rejected" : "still rejected", report->still_rejected,
                report->rejected_by);
    if (report->batches == 1)
        (void)fprintf(out, "  committed: batch %" PRId64 "\n", report->first_batch);
    else if (report->batches > 1)
        (void)fprintf(out, "  committed: batches %" PRId64 " to %" PRId64 "\n", report->first_batch,
                      report->first_batch + report->batches - 1);
}

static struct json *json_of(const int64_t by_reason[static REPLAY_REASONS]) {
    struct json *object = json_new_object();
    for (size_t i = 0; i < REPLAY_REASONS; i++)
        if (by_reason[i] > 0)
            json_put_int(object, reason_name(i), by_reason[i]);
    return object;
}

static void print_json(const struct command_scope *scope, const struct replay_report *report) {
    struct json *object = json_new_object();
    json_put_text(object, "query", scope->stream->name);
    json_put_bool(object, "dryRun", scope->config->arguments.dry_run);
    json_put_int(object, "unresolved", report->unresolved);
    json_put_int(object, "rows", report->rows);
    json_put(object, "rowsByReason", json_of(report->rows_by));
    json_put_int(object, "stillRejected", report->still_rejected);
    json_put(object, "stillRejectedByReason", json_of(report->rejected_by));
    json_put_int(object, "batches", report->batches);
    if (report->batches > 0)
        json_put_int(object, "firstBatch", report->first_batch);
    output_print_json(scope->out, object);
}

bool rejects_replay_command(const struct command_scope *scope, struct error *err) {
    const struct config *config = scope->config;
    struct reject_filter filter;
    struct replay_report report;
    if (!reject_filter_init(&filter, config, err))
        return false;
    struct query_options query = config_query_options(config, scope->stream);
    const struct replay_options options = {
        .query = &query,
        .is_chosen = is_chosen,
        .context = &filter,
        .dry_run = config->arguments.dry_run,
        .memory_max = config_memory_budget(config),
    };
    // What recovery says is not what was asked for.
    bool ok =
        operation_replay(&options, &report, config->arguments.json ? stderr : scope->out, err);
    config_store_options_deinit(&query.store);
    if (!ok && report.batches == 0)
        return false;
    if (config->arguments.json)
        print_json(scope, &report);
    else
        print_text(scope, &report);
    struct error ignored;
    return output_flush(scope->out, ok ? err : &ignored) && ok;
}
