/* The report of streaming/verify/verify.h for people, or as one JSON object. The last line says
 * that every offset is present exactly once only when no fault was found; offsets of Spark's
 * batches that nobody can prove any more are said in it. A fault is an error as well, so that
 * scripts see it by the exit code. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "streaming/verify/verify.h"
#include "surfaces/commands/each_command.h"
#include "surfaces/terminal/output.h"
#include "surfaces/terminal/text_table.h"

static const char *const headings[] = {">incarnation", ">partition", ">from",      ">to",
                                       ">records",     ">rows",      ">rejects",   ">empty",
                                       ">filtered",    ">absent",    ">lost",      ">expired",
                                       ">accepted",    ">missing",   ">duplicate", ">unproven"};

enum { COLUMNS = sizeof headings / sizeof headings[0] };

/* Sums over the partitions. */
struct totals {
    int64_t missing, duplicates, unproven, expired, accepted;
};

static struct totals add_up(const struct verify_report *report) {
    struct totals totals = {0};
    for (size_t i = 0; i < report->partition_count; i++) {
        totals.missing += report->partitions[i].missing;
        totals.duplicates += report->partitions[i].duplicates;
        totals.unproven += report->partitions[i].unproven;
        totals.expired += report->partitions[i].expired;
        totals.accepted += report->partitions[i].accepted;
    }
    return totals;
}

/* The incarnation of the topic is only shown where there is more than one, what tells records from
 * rows only where they differ, and what left the table only where something has. */
static void print_partitions(FILE *out, const struct verify_report *report) {
    struct text_table table;
    struct totals totals = add_up(report);
    size_t count = report->partition_count;
    bool incarnations = count > 0 && report->partitions[count - 1].incarnation > 0;
    bool apart = !report->row_per_record;
    const bool shown[COLUMNS] = {incarnations,
                                 true,
                                 true,
                                 true,
                                 apart,
                                 true,
                                 true,
                                 apart,
                                 apart,
                                 true,
                                 true,
                                 totals.expired > 0,
                                 totals.accepted > 0,
                                 true,
                                 true,
                                 true};
    text_table_init_some(&table, headings, shown, COLUMNS);
    for (size_t i = 0; i < count; i++) {
        const struct verify_partition *at = &report->partitions[i];
        const int64_t numbers[COLUMNS] = {
            at->incarnation, at->partition, at->start,      at->end,     at->records, at->rows,
            at->rejects,     at->empty,     at->filtered,   at->absent,  at->lost,    at->expired,
            at->accepted,    at->missing,   at->duplicates, at->unproven};
        text_table_add_some_numbers(&table, numbers, shown, COLUMNS);
    }
    text_table_print(&table, 2, out);
    text_table_deinit(&table);
}

static const char *const marks[VERIFY_KINDS] = {
    [VERIFY_FILE] = "wrong", [VERIFY_MISSING] = "missing", [VERIFY_DUPLICATE] = "duplicate",
    [VERIFY_LOST] = "lost",  [VERIFY_ABSENT] = "absent",   [VERIFY_NOTE] = "note",
};

static void print_texts(FILE *out, const struct verify_report *report) {
    for (size_t kind = 0; kind < VERIFY_KINDS; kind++) {
        const struct verify_texts *texts = &report->texts[kind];
        for (size_t i = 0; i < texts->count && i < VERIFY_TEXTS_MAX; i++)
            (void)fprintf(out, "  %s: %s\n", marks[kind], texts->texts[i]);
        if (texts->count > VERIFY_TEXTS_MAX)
            (void)fprintf(out, "  %s: and %zu more\n", marks[kind],
                          texts->count - VERIFY_TEXTS_MAX);
    }
}

static void print_effort(FILE *out, const struct verify_report *report) {
    double seconds = (double)report->scan_us / 1e6;
    (void)fprintf(out,
                  "  read: %s of the table%s, %" PRId64
                  " of the rejects, %.1f MB; %s in %.2f s (%.1f "
                  "million rows/s)",
                  text_count(report->table_files, "file").text,
                  report->sink_log ? " (from its sink log)" : "", report->reject_files,
                  (double)report->bytes / 1e6, text_count(report->rows, "row").text, seconds,
                  seconds > 0 ? (double)report->rows / seconds / 1e6 : 0);
    if (report->passes > 1)
        (void)fprintf(out, ", in %d passes", report->passes);
    if (report->asked > 0)
        (void)fprintf(out, "; %s from Kafka", text_count(report->asked, "record").text);
    (void)fprintf(out, "\n");
}

/* What is not present, and is known not to be. */
static void print_gone(FILE *out, const struct totals *totals) {
    if (totals->expired > 0)
        (void)fprintf(out, ", except %s whose rows have expired",
                      text_count(totals->expired, "offset").text);
    if (totals->accepted > 0)
        (void)fprintf(out, ", except %s whose rows were lost, which was accepted",
                      text_count(totals->accepted, "offset").text);
}

static void print_report(FILE *out, const char *query, const struct verify_report *report) {
    if (report->horizon < 0) {
        (void)fprintf(out, "%s: no batch is committed yet, so there is nothing to verify\n", query);
        return;
    }
    struct totals totals = add_up(report);
    (void)fprintf(out, "%s: up to batch %" PRId64 "\n", query, report->horizon);
    print_partitions(out, report);
    print_texts(out, report);
    print_effort(out, report);
    if (verify_faults(report) > 0)
        return;
    const char *proven = report->row_per_record
                             ? "every offset is present exactly once"
                             : "every row is present exactly once, and every offset is explained";
    (void)fprintf(out, "%s: %s", query, proven);
    print_gone(out, &totals);
    if (totals.unproven > 0)
        (void)fprintf(out,
                      ", except %" PRId64
                      " of Spark's batches that are absent or missing; Kafka no longer has them, "
                      "so this cannot be proved",
                      totals.unproven);
    (void)fprintf(out, "\n");
}

/* ---- as JSON ---- */

static struct json *partitions_json(const struct verify_report *report) {
    struct json *array = json_new_array();
    struct totals totals = add_up(report);
    for (size_t i = 0; i < report->partition_count; i++) {
        const struct verify_partition *at = &report->partitions[i];
        struct json *object = json_new_object();
        json_put_int(object, "incarnation", at->incarnation);
        json_put_int(object, "partition", at->partition);
        json_put_int(object, "start", at->start);
        json_put_int(object, "end", at->end);
        json_put_int(object, "rows", at->rows);
        json_put_int(object, "rejects", at->rejects);
        if (!report->row_per_record) {
            json_put_int(object, "records", at->records);
            json_put_int(object, "empty", at->empty);
            json_put_int(object, "filtered", at->filtered);
        }
        json_put_int(object, "absent", at->absent);
        json_put_int(object, "lost", at->lost);
        if (totals.expired > 0)
            json_put_int(object, "expired", at->expired);
        if (totals.accepted > 0)
            json_put_int(object, "accepted", at->accepted);
        json_put_int(object, "missing", at->missing);
        json_put_int(object, "duplicate", at->duplicates);
        json_put_int(object, "unproven", at->unproven);
        json_append(array, object);
    }
    return array;
}

/* Of each kind all are counted, and the first ones told. */
static void put_findings(struct json *object, const struct verify_report *report) {
    struct json *counts = json_new_object(), *findings = json_new_array();
    for (size_t kind = 0; kind < VERIFY_KINDS; kind++) {
        const struct verify_texts *texts = &report->texts[kind];
        json_put_int(counts, marks[kind], (int64_t)texts->count);
        for (size_t i = 0; i < texts->count && i < VERIFY_TEXTS_MAX; i++) {
            struct json *finding = json_new_object();
            json_put_text(finding, "kind", marks[kind]);
            json_put_shown(finding, "text", texts->texts[i]);
            json_append(findings, finding);
        }
    }
    json_put(object, "counts", counts);
    json_put(object, "findings", findings);
}

static struct json *effort_json(const struct verify_report *report) {
    struct json *object = json_new_object();
    json_put_bool(object, "bySinkLog", report->sink_log);
    json_put_int(object, "tableFiles", report->table_files);
    json_put_int(object, "rejectFiles", report->reject_files);
    json_put_int(object, "bytes", report->bytes);
    json_put_int(object, "rows", report->rows);
    json_put_int(object, "durationMs", report->scan_us / 1000);
    json_put_int(object, "passes", report->passes);
    json_put_int(object, "recordsFromKafka", report->asked);
    return object;
}

static void print_json(const struct command_scope *scope, const struct verify_report *report) {
    struct json *object = json_new_object();
    struct totals totals = add_up(report);
    json_put_text(object, "query", scope->stream->name);
    json_put_shown(object, "topic", scope->store.topic);
    json_put_shown(object, "table", scope->store.table);
    json_put_shown(object, "rejectsTable", scope->store.rejects);
    if (report->horizon >= 0)
        json_put_int(object, "throughBatch", report->horizon);
    else
        json_put_null(object, "throughBatch");
    json_put_bool(object, "proven", verify_faults(report) == 0 && totals.unproven == 0);
    json_put_int(object, "faults", (int64_t)verify_faults(report));
    json_put_int(object, "missing", totals.missing);
    json_put_int(object, "duplicate", totals.duplicates);
    json_put_int(object, "unproven", totals.unproven);
    json_put(object, "partitions", partitions_json(report));
    put_findings(object, report);
    json_put(object, "read", effort_json(report));
    output_print_json(scope->out, object);
}

/* Where a rewind would have to go, as far as manifests tell. */
static bool refuse(const struct verify_report *report, size_t faults, const struct totals *totals,
                   struct error *err) {
    char target[64] = "";
    if (report->damaged_batch > 0 && !report->damaged_before)
        (void)snprintf(target, sizeof target, " (`rewind --to-batch %" PRId64 "`)",
                       report->damaged_batch - 1);
    return error_set(err, ERROR_STATE,
                     "%s, %s missing, %" PRId64 " duplicate; restore the files named above from a "
                     "backup, or rewind%s and run their batches again; `adopt --accept` takes the "
                     "table as it is",
                     text_count((int64_t)faults, "fault").text,
                     text_count(totals->missing, "offset").text, totals->duplicates, target);
}

bool verify_command(const struct command_scope *scope, struct error *err) {
    const struct config *config = scope->config;
    struct broker *broker;
    if (!broker_open(config->bootstrap_servers, config->kafka_properties,
                     config->kafka_property_count, &broker, err))
        return false;
    const struct verify_options options = {
        .store = &scope->store,
        .broker = broker,
        .memory_max = config_memory_budget(config),
        .workers = config->workers,
        .timeout_ms = (int)config->query.kafka_startup_timeout_ms,
        .plan = &scope->stream->plan,
    };
    struct verify_report report;
    bool ok = verify_run(&options, &report, err);
    broker->ops->close(broker);
    if (!ok)
        return false;
    if (config->arguments.json)
        print_json(scope, &report);
    else
        print_report(scope->out, scope->stream->name, &report);
    (void)fflush(scope->out); // before the error, which goes to stderr
    struct totals totals = add_up(&report);
    size_t faults = verify_faults(&report);
    if (faults > 0)
        ok = refuse(&report, faults, &totals, err);
    verify_report_deinit(&report);
    return ok;
}
