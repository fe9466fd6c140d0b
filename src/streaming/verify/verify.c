/* verify.c: the order of a verification.
 *
 * First the snapshot: from then on nothing that later batches write is looked at. Then the files
 * are listed, and only after that it is asked what has begun beyond the horizon, since a file may
 * be of it. Then come the passes over the files, each with the offsets that there is room for: half
 * of the memory is for the list of files and the bits. Last, what was met twice and what was not
 * met is explained. */
#include "streaming/verify/verify.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "sql/plan/plan.h"
#include "streaming/changes/rewind_watch.h"
#include "streaming/store/declaration.h"
#include "streaming/verify/duplicates.h"
#include "streaming/verify/explain.h"
#include "streaming/verify/losses.h"
#include "streaming/verify/row_proof.h"

enum {
    MAP_SIZE_MIN = 4 << 10, // bytes
    PAGE_SIZE_MIN = 16 << 20,
};

/* All that a verification holds. */
struct verification {
    const struct verify_options *options;
    struct verify_report *report;
    struct store *store;
    struct snapshot snapshot;
    struct verify_files files;
    struct kept_files kept;
    struct offset_map map;
    struct gaps gaps;
    struct scan scan;
    struct row_shape shape;
    struct row_proof proof;       // of records that can have several rows
    int64_t offsets_max;          // of a pass; less once there was no room for its runs
    struct schema schema;         // if the store's options name a stream
    struct verify_losses *losses; // NULL: only the report is wanted
};

/* Where the next pass begins. */
struct position {
    size_t range;
    int64_t offset;
};

static void set_partitions(struct verification *verification) {
    const struct snapshot *snapshot = &verification->snapshot;
    struct verify_report *report = verification->report;
    report->partitions = must_alloc(snapshot->range_count + 1, sizeof *report->partitions);
    report->partition_count = snapshot->range_count;
    for (size_t i = 0; i < snapshot->range_count; i++)
        report->partitions[i] =
            (struct verify_partition){.incarnation = snapshot->ranges[i].incarnation,
                                      .partition = snapshot->ranges[i].partition,
                                      .start = snapshot->ranges[i].start,
                                      .end = snapshot->ranges[i].end};
}

/* Half of the budget is for files and bits; the bits get what the files leave, but never so little
 * that the files would be read forever. */
static int64_t offsets_at_once(const struct verification *verification) {
    int64_t memory = verification->options->memory_max;
    int64_t size = memory / 2 - (int64_t)verification->files.memory;
    size = size < memory / 8 ? memory / 8 : size;
    return 8 * (size < MAP_SIZE_MIN ? MAP_SIZE_MIN : size);
}

/* The windows of the next pass: as many offsets as there is room for. False: all had their pass. */
static bool next_windows(struct verification *verification, struct position *position) {
    const struct snapshot *snapshot = &verification->snapshot;
    struct offset_window *windows = must_alloc(snapshot->range_count + 1, sizeof *windows);
    int64_t room = offsets_at_once(verification);
    room = room < verification->offsets_max ? room : verification->offsets_max;
    size_t count = 0;
    while (position->range < snapshot->range_count && room > 0) {
        const struct snapshot_range *range = &snapshot->ranges[position->range];
        int64_t start = position->offset > range->start ? position->offset : range->start;
        int64_t end = range->end - start > room ? start + room : range->end;
        if (start < end) {
            windows[count].log = (uint32_t)position->range;
            windows[count].start = start;
            windows[count++].end = end;
            room -= end - start;
        }
        position->offset = end;
        if (end >= range->end)
            *position = (struct position){.range = position->range + 1};
    }
    offset_map_set_windows(&verification->map, windows, count);
    free(windows);
    return count > 0;
}

/* One pass. False also if there is no room for the runs of one offset. *again: with fewer offsets,
 * from the same position. */
static bool run_pass(struct verification *verification, bool *again, struct error *err) {
    struct scan *scan = &verification->scan;
    if (!scan_run(scan, again, err))
        return false;
    if (*again) {
        int64_t offsets = 0;
        for (size_t i = 0; i < verification->map.window_count; i++)
            offsets += verification->map.windows[i].end - verification->map.windows[i].start;
        verification->offsets_max = offsets / 4;
        return offsets >= 4 || error_set(err, ERROR_CONFIG,
                                         "the rows of %s need more memory than there is: raise "
                                         "SPARK_DRIVER_MEMORY",
                                         text_count(offsets, "record").text);
    }
    gaps_collect(&verification->gaps, &verification->map);
    if (verification->losses != NULL && verification->shape.level_count > 0)
        losses_note_met(verification->losses, &verification->snapshot, &verification->map);
    if (verification->shape.level_count > 0) {
        row_runs_sort(&scan->runs);
        row_proof_take(&verification->proof, &scan->runs);
    }
    verification->report->passes++;
    return true;
}

static bool read_files(struct verification *verification, struct error *err) {
    struct position position = {0}, before = position;
    struct verify_report *report = verification->report;
    int64_t began_us = clock_monotonic_us();
    bool more = next_windows(verification, &position);
    // The first pass looks at all files, regardless of offsets.
    for (bool first = true; first || more; more = next_windows(verification, &position)) {
        bool again;
        verification->scan.first_pass = first;
        if (!run_pass(verification, &again, err))
            return false;
        first = first && again;
        if (again)
            position = before;
        before = position;
        if (verification->shape.level_count > 0)
            row_runs_clear(&verification->scan.runs);
    }
    report->scan_us = clock_monotonic_us() - began_us;
    return true;
}

static void report_files(const struct verify_files *files, struct verify_report *report) {
    report->table_files = (int64_t)files->table_count;
    report->reject_files = (int64_t)(files->count - files->table_count);
    for (size_t i = 0; i < files->count; i++)
        if (files->files[i].fault != NULL) {
            verify_say(report, VERIFY_FILE, "%s%s", files->files[i].reject ? "rejects: " : "",
                       files->files[i].fault);
            verify_note_damaged(report, files->files[i].batch);
        }
}

static void note_snapshot(const struct snapshot *snapshot, struct verify_report *report) {
    if (!snapshot->starts_known)
        verify_say(report, VERIFY_NOTE,
                   "the checkpoint's sources/0/0 is missing or unreadable; the query is assumed to "
                   "have begun at offset 0");
    if (snapshot->overtaken >= 0)
        verify_say(report, VERIFY_NOTE,
                   "batch %" PRId64 " was run by Spark after this program committed it; the next "
                   "start removes this program's files of it",
                   snapshot->overtaken);
}

/* It goes back below an open transaction, too, and reads again what follows. */
static void note_begun(const struct snapshot *snapshot, struct verify_report *report) {
    const struct incarnations *all = &snapshot->outcomes.incarnations;
    for (size_t i = 0; i < all->count; i++)
        if (all->begins[i].by_spark)
            verify_say(
                report, VERIFY_NOTE,
                "in batch %" PRId64
                ", Spark went back to lower offsets; incarnation %zu of the topic is assumed to "
                "begin there. If the topic was not created again or truncated then, the records "
                "that Spark read again are in the table twice, and are not counted as duplicates",
                all->begins[i].batch_id, i + 1);
}

/* Everything up to the gaps that are in no file. *committed: there is a batch. */
static bool read_table(struct verification *verification, bool *committed, struct error *err) {
    struct verify_report *report = verification->report;
    struct store *store = verification->store;
    struct snapshot *snapshot = &verification->snapshot;
    if (!snapshot_take(store, snapshot, err))
        return false;
    size_t changes = snapshot->changes.count;
    if (changes_are_behind(store,
                           changes == 0 ? -1 : snapshot->changes.changes[changes - 1].number))
        return error_set(err, ERROR_STATE,
                         "'%s' is older than '%s': it has no record (changes/) of a compaction or "
                         "an expiry that the table has had: restore the checkpoint and the table "
                         "from one backup",
                         store->checkpoint.root.text, store->table.root.text);
    report->horizon = snapshot->horizon;
    // The query may have had a WHERE before.
    report->row_per_record = report->row_per_record && !snapshot->outcomes.counts_rows;
    *committed = snapshot->horizon >= 0;
    if (!*committed)
        return true;
    report->sink_log = store->sink_log.exists;
    note_snapshot(snapshot, report);
    note_begun(snapshot, report);
    set_partitions(verification);
    if (!verify_files_list(store, snapshot, &verification->files, report, err) ||
        !snapshot_look_beyond(store, snapshot, err))
        return false;
    gaps_init(&verification->gaps, snapshot);
    verification->gaps.row_per_record = report->row_per_record;
    row_proof_init(&verification->proof, &verification->shape, &verification->gaps,
                   &verification->map, report);
    return read_files(verification, err);
}

static bool look(struct verification *verification, struct error *err) {
    struct verify_report *report = verification->report;
    struct store *store = verification->store;
    struct snapshot *snapshot = &verification->snapshot;
    bool committed;
    if (!read_table(verification, &committed, err))
        return false;
    if (!committed)
        return true;
    if (verification->shape.level_count > 0)
        row_proof_compare(&verification->proof);
    else
        for (size_t i = 0; i < report->partition_count; i++)
            report->partitions[i].records = report->partitions[i].rows;
    report_files(&verification->files, report);
    if (report->resolved > 0)
        verify_say(report, VERIFY_NOTE, "%s %s replayed: the records count %s",
                   text_count(report->resolved, "reject").text,
                   report->resolved == 1 ? "was" : "were",
                   report->row_per_record ? "as rows, once" : "once, with their rows or without");
    return duplicates_report(&verification->scan, err) &&
           gaps_explain(&verification->gaps, verification->options, report, err) &&
           verify_files_judge(store, snapshot, &verification->files, report, err);
}

/* What the rows of a query look like. An element of a view survives if all later ones are OUTER. */
static void set_shape(const struct query_plan *plan, struct row_shape *shape) {
    *shape = (struct row_shape){.row_per_record = plan == NULL || plan_is_row_per_record(plan)};
    if (shape->row_per_record)
        return;
    shape->filters = plan->where != NULL;
    shape->level_count = plan->view_count;
    bool complete = true;
    for (size_t i = plan->view_count; i-- > 0; complete = complete && plan->views[i].is_outer) {
        shape->positions[i] = plan->columns[plan->views[i].position_column].name;
        shape->complete[i] = complete;
    }
}

/* One run per record is the least. Sorting takes as much memory again. */
static void set_runs(struct verification *verification) {
    struct row_runs *runs = &verification->scan.runs;
    row_runs_init(runs, verification->shape.level_count,
                  (size_t)verification->options->memory_max / 8);
    verification->offsets_max = (int64_t)runs->capacity;
}

static bool open_store(struct verification *verification, struct error *err) {
    const struct store_options *store = verification->options->store;
    if (!store_open_to_read(store, &verification->store, err))
        return false;
    // Rows that were declared otherwise would only look as if they were lost.
    if (store->stream == NULL || declaration_check(store, err))
        return true;
    store_close(verification->store);
    return false;
}

/* Opens everything, looks, and closes it. */
static bool run(const struct verify_options *options, struct verify_report *report,
                struct verify_losses *losses,
                bool (*look_at)(struct verification *verification, struct error *err),
                struct error *err) {
    struct verification verification = {.options = options, .report = report, .losses = losses};
    *report = (struct verify_report){.horizon = -1, .damaged_batch = -1};
    set_shape(options->plan, &verification.shape);
    if (!open_store(&verification, err))
        return false;
    report->row_per_record = verification.shape.row_per_record;
    int64_t page_size_max = options->memory_max / (8 * (int64_t)options->workers);
    if (options->store->stream != NULL)
        stream_schema(options->store->stream, &verification.schema);
    verification.scan = (struct scan){
        .store = verification.store,
        .snapshot = &verification.snapshot,
        .schema = options->store->stream != NULL ? &verification.schema : NULL,
        .files = &verification.files,
        .kept = &verification.kept,
        .map = &verification.map,
        .shape = &verification.shape,
        .report = report,
        .workers = options->workers,
        .page_size_max = (size_t)(page_size_max < PAGE_SIZE_MIN ? PAGE_SIZE_MIN : page_size_max),
    };
    verification.offsets_max = INT64_MAX;
    if (verification.shape.level_count > 0)
        set_runs(&verification);
    offset_map_init(&verification.map);
    kept_files_init(&verification.kept, verification.store);
    bool ok = look_at(&verification, err);
    offset_map_deinit(&verification.map);
    kept_files_deinit(&verification.kept);
    row_proof_deinit(&verification.proof);
    row_runs_deinit(&verification.scan.runs);
    gaps_deinit(&verification.gaps);
    verify_files_deinit(&verification.files);
    snapshot_deinit(&verification.snapshot);
    store_close(verification.store);
    if (!ok)
        verify_report_deinit(report);
    return ok;
}

/* One look, which is taken again if a rewind comes in between. */
struct attempt {
    const struct verify_options *options;
    struct verify_report *report;
};

static bool look_once(void *context, struct error *err) {
    const struct attempt *attempt = context;
    return run(attempt->options, attempt->report, NULL, look, err);
}

static void forget_report(void *context) {
    const struct attempt *attempt = context;
    verify_report_deinit(attempt->report);
}

bool verify_run(const struct verify_options *options, struct verify_report *report,
                struct error *err) {
    struct attempt attempt = {.options = options, .report = report};
    return rewind_watch_look(options->store->checkpoint, look_once, forget_report, &attempt, err);
}

/* ---- losses ---- */

static bool look_for_losses(struct verification *verification, struct error *err) {
    bool committed = false;
    if (!read_table(verification, &committed, err))
        return false;
    if (committed)
        losses_take(verification->losses, &verification->gaps, &verification->proof,
                    verification->report);
    return true;
}

bool verify_find_losses(const struct verify_options *options, struct verify_losses *losses,
                        struct error *err) {
    struct verify_report report;
    *losses = (struct verify_losses){.complete = true, .horizon = -1};
    bool ok = run(options, &report, losses, look_for_losses, err);
    if (ok)
        verify_report_deinit(&report);
    else
        verify_losses_deinit(losses);
    return ok;
}
