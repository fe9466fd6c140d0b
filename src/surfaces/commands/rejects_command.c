/* `rejects show` finds a reject by its place in the topic: files are looked through from the last,
 * and by their keys alone, until one has it; then that row is read whole. `rejects replay` only
 * chooses: making rows of rejects, a batch of its own, is streaming/operations/replay.h's. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"
#include "pipeline/sink/reject_table.h"
#include "streaming/changes/rejects.h"
#include "streaming/operations/replay.h"
#include "surfaces/commands/each_command.h"
#include "surfaces/rows/reject_rows.h"
#include "surfaces/rows/table_rows.h"
#include "surfaces/terminal/output.h"
#include "surfaces/terminal/quantity.h"

/* ---- rejects show ---- */

enum { EXCERPT = 40 }; // bytes on both sides of the trouble

/* The reject that is asked for, by where the record was in the topic. */
struct wanted_reject {
    const struct command_scope *scope;
    int32_t partition;
    int64_t offset;
    struct newest_rows found; // one at most
};

static bool parse_place(const char *text, struct wanted_reject *wanted, struct error *err) {
    char *end = NULL;
    long long partition = *text >= '0' && *text <= '9' ? strtoll(text, &end, 10) : -1;
    const char *offset = end != NULL && *end == ':' ? end + 1 : "";
    long long number = *offset >= '0' && *offset <= '9' ? strtoll(offset, &end, 10) : -1;
    if (partition < 0 || partition > INT32_MAX || number < 0 || *end != '\0')
        return error_set(
            err, ERROR_CONFIG,
            "invalid value '%s' (expected PARTITION:OFFSET, such as 0:1234); `rejects ls` "
            "lists them",
            text);
    wanted->partition = (int32_t)partition;
    wanted->offset = number;
    return true;
}

static void print_escaped(FILE *out, const char *at, const char *end) {
    char shown[ESCAPE_MAX];
    size_t size;
    while (at < end) {
        at += escape_next(at, end, shown, &size);
        (void)fwrite(shown, 1, size, out);
    }
}

static void print_moment(FILE *out, const char *label, const struct vector *vector, size_t row) {
    char text[MOMENT_TEXT_MAX] = "none";
    if (vector->valid[row])
        moment_format(vector->int64s[row], text);
    (void)fprintf(out, "  %-12s %s\n", label, text);
}

static void print_bytes(FILE *out, const char *label, const struct vector *vector, size_t row) {
    (void)fprintf(out, "  %-12s ", label);
    if (vector->valid[row])
        print_escaped(out, vector->texts[row].bytes,
                      vector->texts[row].bytes + vector->texts[row].length);
    else
        (void)fprintf(out, "null");
    (void)fputc('\n', out);
}

/* Back to where a character begins, so that an excerpt cuts none in two. */
static const char *to_character(const char *at, const char *begin) {
    for (int i = 0; i < 3 && at > begin && ((unsigned char)*at & 0xc0) == 0x80; i++)
        at--;
    return at;
}

/* What stands around the byte where the trouble was seen. */
static void print_trouble(FILE *out, struct text value, int64_t position) {
    const char *begin = value.bytes, *end = value.bytes + value.length;
    if (position < 0 || position > value.length)
        return;
    const char *at = begin + position;
    const char *from = at - begin > EXCERPT ? to_character(at - EXCERPT, begin) : begin;
    const char *to = end - at > EXCERPT ? to_character(at + EXCERPT, at) : end;
    (void)fprintf(out, "  %-12s byte %" PRId64 ", at the ▸: %s", "problem", position,
                  from > begin ? "…" : "");
    print_escaped(out, from, at);
    (void)fprintf(out, "▸");
    print_escaped(out, at, to);
    (void)fprintf(out, "%s\n", to < end ? "…" : "");
}

static void print_reject(FILE *out, const struct table_rows *rows, size_t row, bool replayed) {
    const struct vector *columns = rows->cursor.vectors;
    const struct vector *value = &columns[REJECT_VALUE];
    print_bytes(out, "topic", &columns[REJECT_TOPIC], row);
    (void)fprintf(out, "  %-12s %" PRId32 "\n  %-12s %" PRId64 "\n", "partition",
                  columns[REJECT_PARTITION].int32s[row], "offset",
                  columns[REJECT_OFFSET].int64s[row]);
    print_moment(out, "written", &columns[REJECT_KAFKA_TIMESTAMP], row);
    print_moment(out, "rejected", &columns[REJECT_PROCESSED], row);
    if (replayed)
        (void)fprintf(out, "  %-12s the record is now a row of the table\n", "replayed");
    print_bytes(out, "reason", &columns[REJECT_REASON], row);
    print_bytes(out, "detail", &columns[REJECT_DETAIL], row);
    if (value->valid[row] && value->texts[row].length > 0)
        print_trouble(out, value->texts[row], columns[REJECT_POSITION].int64s[row]);
    print_bytes(out, "key", &columns[REJECT_KEY], row);
    (void)fprintf(out, "  %-12s %" PRIu32 " bytes\n", "size",
                  value->valid[row] ? value->texts[row].length : 0);
    print_bytes(out, "value", value, row);
}

static bool show(void *context, struct newest_row *reject, const struct table_rows *rows,
                 size_t row, struct error *err) {
    const struct command_scope *scope = ((const struct wanted_reject *)context)->scope;
    const struct vector *value = &rows->cursor.vectors[REJECT_VALUE];
    struct resolved_rejects resolved;
    if (!reject_rows_resolved(&scope->store, &resolved, err))
        return false;
    bool replayed =
        resolved_rejects_has(&resolved, reject->micros / 1000, reject->partition, reject->offset);
    resolved_rejects_deinit(&resolved);
    if (scope->config->arguments.json) {
        struct json *object = reject_row_json(rows, row, SIZE_MAX);
        json_put_bool(object, "replayed", replayed);
        output_print_json(scope->out, object);
    } else if (!scope->config->arguments.raw) {
        print_reject(scope->out, rows, row, replayed);
    } else if (value->valid[row]) {
        (void)fwrite(value->texts[row].bytes, 1, value->texts[row].length, scope->out);
    } else {
        return error_set(err, ERROR_CONFIG,
                         "the record has a null value: there are no bytes to show");
    }
    return output_flush(scope->out, err);
}

static void look_at(void *context, const struct reject_key *key, const struct newest_row *row) {
    struct wanted_reject *wanted = context;
    if (key->partition == wanted->partition && key->offset == wanted->offset)
        newest_rows_offer(&wanted->found, row);
}

static bool find_and_show(struct wanted_reject *wanted, const struct reject_files *files,
                          const struct reject_source *source, struct error *err) {
    const struct newest_rows_reader reader = {source->rows, reject_columns, REJECT_COLUMNS, show,
                                              wanted};
    for (size_t i = files->list.count; i-- > 0 && wanted->found.count == 0;)
        if (!reject_rows_each(source, files->list.paths[i], look_at, wanted, err))
            return false;
    if (wanted->found.count > 0)
        return newest_rows_read(&wanted->found, &reader, err);
    return error_set(err, ERROR_CONFIG,
                     "there is no reject from partition %" PRId32 ", offset %" PRId64
                     ": `esports-stream rejects ls --job %s` lists the rejects",
                     wanted->partition, wanted->offset, wanted->scope->stream->job);
}

bool rejects_show_command(const struct command_scope *scope, struct error *err) {
    struct wanted_reject wanted = {.scope = scope};
    struct reject_files files;
    if (!newest_rows_init(&wanted.found, 1, err) ||
        !parse_place(scope->config->arguments.operand, &wanted, err) ||
        !reject_rows_list(&scope->store, scope->stream->name, &files, err))
        return false;
    struct reject_source source;
    bool ok = reject_source_open(&source, &scope->store, err) &&
              find_and_show(&wanted, &files, &source, err);
    reject_source_close(&source);
    newest_rows_deinit(&wanted.found);
    reject_files_deinit(&files);
    return ok;
}

/* ---- rejects replay ---- */

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

static void print_replay_text(const struct command_scope *scope,
                              const struct replay_report *report) {
    FILE *out = scope->out;
    bool dry = scope->config->arguments.dry_run;
    (void)fprintf(out, "%s: %s, %" PRId64 " of them selected\n", scope->stream->name,
                  text_count(report->unresolved, "unresolved reject").text,
                  report->rows + report->still_rejected);
    // They are resolved also if no row is left of them.
    const char *resolved = plan_is_row_per_record(&scope->stream->plan)
                               ? (dry ? "would become rows" : "became rows")
                               : (dry ? "would be resolved" : "resolved");
    print_count(out, resolved, report->rows, report->rows_by);
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

static void print_replay_json(const struct command_scope *scope,
                              const struct replay_report *report) {
    struct json *object = json_new_object();
    json_put_shown(object, "query", scope->stream->name);
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
    config_store_options_deinit(&query.store);
    query.store = scope->store;
    const struct replay_options options = {
        .query = &query,
        .is_chosen = is_chosen,
        .context = &filter,
        .dry_run = config->arguments.dry_run,
        .memory_max = config_memory_budget(config),
    };
    // What recovery says is not what was asked for: with --json it must not be among the objects.
    bool ok =
        operation_replay(&options, &report, config->arguments.json ? stderr : scope->out, err);
    // Batches that were committed before it failed stay, and are reported in any case.
    if (!ok && report.batches == 0)
        return false;
    if (config->arguments.json)
        print_replay_json(scope, &report);
    else
        print_replay_text(scope, &report);
    struct error ignored;
    return output_flush(scope->out, ok ? err : &ignored) && ok;
}
