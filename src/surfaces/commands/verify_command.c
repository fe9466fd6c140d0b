/* The report of streaming/verify/verify.h for people. The last line says that every offset is
 * there once only when no fault was found; offsets of Spark's batches that nobody can prove any
 * more are said in it. A fault is an error as well, so that scripts see it by the exit code. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "streaming/verify/verify.h"
#include "surfaces/commands/each_command.h"
#include "surfaces/terminal/text_table.h"

static const char *const headings[] = {">incarnation", ">partition", ">from",        ">to",
                                       ">rows",        ">rejects",   ">absent",      ">lost",
                                       ">missing",     ">double",    ">not provable"};

enum { COLUMNS = sizeof headings / sizeof headings[0] };

/* The incarnation of the topic is only told where there is more than one. */
static void print_partitions(FILE *out, const struct verify_report *report) {
    struct text_table table;
    size_t count = report->partition_count;
    size_t first = count > 0 && report->partitions[count - 1].incarnation > 0 ? 0 : 1;
    text_table_init(&table, headings + first, COLUMNS - first);
    for (size_t i = 0; i < count; i++) {
        const struct verify_partition *at = &report->partitions[i];
        const int64_t numbers[COLUMNS] = {at->incarnation, at->partition, at->start,   at->end,
                                          at->rows,        at->rejects,   at->absent,  at->lost,
                                          at->missing,     at->doubles,   at->unproven};
        text_table_add_numbers(&table, numbers + first);
    }
    text_table_print(&table, 2, out);
    text_table_deinit(&table);
}

static void print_texts(FILE *out, const struct verify_report *report) {
    static const char *const marks[VERIFY_KINDS] = {
        [VERIFY_FILE] = "wrong", [VERIFY_MISSING] = "missing", [VERIFY_DOUBLE] = "double",
        [VERIFY_LOST] = "lost",  [VERIFY_ABSENT] = "absent",   [VERIFY_NOTE] = "note",
    };
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
                  report->sink_log ? ", as its sink log lists them" : "", report->reject_files,
                  (double)report->bytes / 1e6, text_count(report->rows, "row").text, seconds,
                  seconds > 0 ? (double)report->rows / seconds / 1e6 : 0);
    if (report->passes > 1)
        (void)fprintf(out, ", in %d passes", report->passes);
    if (report->asked > 0)
        (void)fprintf(out, "; %s from Kafka", text_count(report->asked, "record").text);
    (void)fprintf(out, "\n");
}

/* Sums over the partitions. */
struct totals {
    int64_t missing, doubles, unproven;
};

static struct totals add_up(const struct verify_report *report) {
    struct totals totals = {0};
    for (size_t i = 0; i < report->partition_count; i++) {
        totals.missing += report->partitions[i].missing;
        totals.doubles += report->partitions[i].doubles;
        totals.unproven += report->partitions[i].unproven;
    }
    return totals;
}

static void print_report(FILE *out, const char *query, const struct verify_report *report) {
    if (report->horizon < 0) {
        (void)fprintf(out, "%s: no batch is committed yet: nothing to verify\n", query);
        return;
    }
    struct totals totals = add_up(report);
    (void)fprintf(out, "%s: up to batch %" PRId64 "\n", query, report->horizon);
    print_partitions(out, report);
    print_texts(out, report);
    print_effort(out, report);
    if (verify_faults(report) > 0)
        return;
    if (totals.unproven > 0)
        (void)fprintf(out,
                      "%s: every offset is there once, but for %" PRId64 " of Spark's batches that "
                      "are absent or missing: Kafka does not hold them any more to prove it\n",
                      query, totals.unproven);
    else
        (void)fprintf(out, "%s: every offset is there once\n", query);
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
    };
    struct verify_report report;
    bool ok = verify_run(&options, &report, err);
    broker->ops->close(broker);
    if (!ok)
        return false;
    print_report(scope->out, scope->stream->name, &report);
    (void)fflush(scope->out); // before the error, which goes to stderr
    struct totals totals = add_up(&report);
    size_t faults = verify_faults(&report);
    if (faults > 0)
        ok = error_set(err, ERROR_STATE,
                       "%s, %s missing, %" PRId64 " double; restore what "
                       "is named above from a backup, or do its batches again",
                       text_count((int64_t)faults, "fault").text,
                       text_count(totals.missing, "offset").text, totals.doubles);
    verify_report_deinit(&report);
    return ok;
}
