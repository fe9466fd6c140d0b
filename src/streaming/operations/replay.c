/* replay.c: the scan finds what the next batch takes by making rows of rejects, as the worker will.
 * Only if some are taken is a plan written; then the worker makes the rows again and the batch is
 * committed as any other.
 *
 * What must stay true: a plan and its manifest are of one incarnation of the topic, and what was
 * taken is in the resolved set before the scan continues, so no reject is taken twice, even if two
 * files have it. */
#include "streaming/operations/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "pipeline/source/source.h"
#include "streaming/changes/rejects.h"
#include "streaming/kafka/planner.h"
#include "streaming/operations/operations.h"
#include "streaming/query/micro_batch.h"
#include "streaming/recovery/recover.h"
#include "streaming/store/declaration.h"
#include "streaming/store/store.h"
#include "streaming/store/table_types.h"
#include "streaming/tasks/worker.h"

/* The worker, the scan before it and each of their pages get as much of the budget; the rest is for
 * the program itself and the resolved set. */
enum { MEMORY_SHARES = 6, SCAN_ROWS = 64 };

/* What the batch takes. The driver sets it while no task is out. */
struct replay_load {
    struct reject_files files;
    struct reject_mark first;                // where its rejects begin
    struct resolved taken;                   // all of one
    int32_t incarnation;                     // of the topic
    const struct incarnations *incarnations; // borrowed
    size_t page_size_max;
};

struct replay {
    const struct replay_options *options;
    struct query_definition definition;
    struct store *store; // owned
    struct query_position position;
    struct query_report query_report; // its log lines are read, the rest is not
    struct stop stop;                 // that nobody asks for: a signal just ends the process
    struct retrier retrier;
    struct batch_runner runner;
    struct worker_query work;
    struct worker worker;
    bool has_worker;
    struct worker_crew crew; // the one worker

    struct resolved_rejects resolved;
    struct replay_load load;     // of the batch that is found or run
    struct reject_cursor cursor; // where the search stands
    struct row_maker maker;      // of the search
    struct stage_clock clock;    // required by it; nobody reads it

    int64_t open_timestamp_ms; // of an existing plan without offsets; -1: there is none

    struct replay_report *report;
};

/* ---- the source ----
 *
 * The rejects that a batch takes, as its worker's source. "Offsets" of its range are positions
 * among what is taken: the range [0, taken.count) of any partition gives each taken record once,
 * with its own partition and offset. */

struct replay_source {
    struct source source;
    const struct replay_load *load;
    struct reject_cursor cursor;
    struct resolved given; // a record that is in two files is given once
    int64_t left;          // in the range
};

static struct replay_source *self_of(struct source *source) {
    return (struct replay_source *)source;
}

static void end_range(struct replay_source *self) {
    reject_cursor_close(&self->cursor);
    resolved_deinit(&self->given);
}

static bool open_range(struct source *source, const char *topic, struct offset_range range,
                       struct error *err) {
    (void)topic, (void)err;
    struct replay_source *self = self_of(source);
    check(range.start == 0); // one task reads it all
    reject_cursor_open(&self->cursor, &self->load->files, self->load->first,
                       self->load->page_size_max);
    self->left = range.end;
    return true;
}

static bool is_taken(const struct replay_load *load, const struct record *record) {
    return incarnations_of_reject(load->incarnations, record->planned_ms) == load->incarnation &&
           resolved_has(&load->taken, load->incarnation, record->partition, record->offset);
}

static enum source_status read_record(struct source *source, struct record *record, int timeout_ms,
                                      struct error *err) {
    (void)timeout_ms;
    struct replay_source *self = self_of(source);
    struct reject_row row;
    bool found = self->left > 0;
    while (found) {
        if (!reject_cursor_next(&self->cursor, &row, &found, err)) {
            end_range(self);
            return SOURCE_FAILED;
        }
        if (found && is_taken(self->load, &row.record) &&
            resolved_add(&self->given, self->load->incarnation, row.record.partition,
                         row.record.offset)) {
            *record = row.record;
            self->left--;
            return SOURCE_RECORD;
        }
    }
    end_range(self);
    return SOURCE_END;
}

static void abandon_range(struct source *source) {
    end_range(self_of(source));
}

static void expect_ranges(struct source *source, const char *topic,
                          const struct offset_range *ranges, size_t count) {
    (void)source, (void)topic, (void)ranges, (void)count; // files are there at once
}

static void rest(struct source *source) {
    (void)source; // nothing happens between ranges
}

static void close_source(struct source *source) {
    end_range(self_of(source));
    free(source);
}

/* `load` is borrowed. */
static struct source *replay_source_open(const struct replay_load *load) {
    static const struct source_ops ops = {
        .expect_ranges = expect_ranges,
        .open_range = open_range,
        .read = read_record,
        .abandon_range = abandon_range,
        .rest = rest,
        .close = close_source,
    };
    struct replay_source *self = must_alloc(1, sizeof *self);
    self->source.ops = &ops;
    self->load = load;
    return &self->source;
}

/* ---- the replay ---- */

static size_t memory_share(const struct replay *replay) {
    return (size_t)(replay->options->memory_max / MEMORY_SHARES);
}

static size_t reason_index(struct text name) {
    size_t reason = 0;
    for (; reason < REJECT_REASON_COUNT; reason++) {
        const char *known = reject_reason_name((enum reject_reason)reason);
        if (text_equals(name, (struct text){known, (uint32_t)strlen(known)}))
            break;
    }
    return reason;
}

/* ---- which ones ---- */

static bool is_chosen(const struct replay *replay, const struct reject_row *row) {
    const struct replay_options *options = replay->options;
    return options->is_chosen == NULL || options->is_chosen(options->context, row);
}

static bool refuse_reject(const struct replay *replay, const struct record *record,
                          const struct reject *reject, struct error *err) {
    return error_set(
        err, ERROR_RECORD,
        "the record at topic %s, partition %" PRId32 ", offset %" PRId64
        " still cannot become a row: %s (%s, byte %zu); PARSE_MODE=failfast stops here: "
        "with PARSE_MODE=reject it stays a reject, and the others become rows",
        replay->definition.topic, record->partition, record->offset, reject->detail,
        reject_reason_name(reject->reason), reject->position);
}

static bool keep_rejected(struct replay *replay, const struct record *record,
                          const struct reject *reject, struct error *err) {
    replay->report->still_rejected++;
    replay->report->rejected_by[reject->reason]++;
    return replay->options->dry_run || replay->work.parse_mode != PARSE_FAILFAST ||
           refuse_reject(replay, record, reject, err);
}

/* What Kafka gave for its time is in the detail alone: it is known, and no row can hold it. */
static bool keep_timeless(struct replay *replay, const struct reject_row *row, struct error *err) {
    struct reject reject = {.reason = REJECT_KAFKA_TIME};
    (void)snprintf(reject.detail, sizeof reject.detail, "%.*s", (int)row->detail.length,
                   row->detail.bytes);
    return keep_rejected(replay, &row->record, &reject, err);
}

/* Whether a record becomes a row now. */
static bool try_record(struct replay *replay, const struct reject_row *row, struct error *err) {
    struct row_maker *maker = &replay->maker;
    struct reject reject;
    enum decode_result result;
    if (reason_index(row->reason) == REJECT_KAFKA_TIME)
        return keep_timeless(replay, row, err);
    while ((result = row_maker_make(maker, &row->record, &replay->clock, &reject)) == DECODE_FULL)
        if (!row_maker_grow(maker, &row->record, memory_share(replay), err))
            return false;
    row_maker_reset(maker);
    if (result == DECODE_ROW) {
        if (resolved_add(&replay->load.taken, replay->load.incarnation, row->record.partition,
                         row->record.offset)) {
            replay->report->rows++;
            replay->report->rows_by[reason_index(row->reason)]++;
        }
        return true;
    }
    return keep_rejected(replay, &row->record, &reject, err);
}

static int64_t batch_max(const struct replay *replay) {
    int64_t limit = replay->options->query->max_offsets_per_trigger;
    return limit > 0 && limit < REPLAY_BATCH_MAX ? limit : REPLAY_BATCH_MAX;
}

/* Whether it is of the incarnation of the topic that the batch is for, and not resolved. */
static bool is_open(const struct replay *replay, const struct record *record) {
    int32_t incarnation = replay->load.incarnation;
    return incarnations_of_reject(&replay->resolved.incarnations, record->planned_ms) ==
               incarnation &&
           !resolved_has(&replay->resolved.set, incarnation, record->partition, record->offset) &&
           !resolved_has(&replay->load.taken, incarnation, record->partition, record->offset);
}

/* Finds what the next batch takes, of one incarnation. None at all: that was the last one of it. */
static bool find_next(struct replay *replay, struct error *err) {
    struct reject_row row;
    bool found = true;
    resolved_deinit(&replay->load.taken);
    replay->load.first = replay->cursor.next;
    while (found && replay->load.taken.count < batch_max(replay)) {
        if (!reject_cursor_next(&replay->cursor, &row, &found, err))
            return false;
        if (!found || !is_open(replay, &row.record))
            continue;
        replay->report->unresolved++;
        if (is_chosen(replay, &row) && !try_record(replay, &row, err))
            return false;
    }
    return true;
}

/* ---- one batch ---- */

/* A time of its own shows which incarnation its rows belong to. */
static bool write_plan(struct replay *replay, struct plan *plan, struct error *err) {
    return query_position_set_later(&replay->position, plan, err) &&
           query_position_write_plan(&replay->position, plan, err);
}

static bool run_batch(struct replay *replay, struct error *err) {
    bool is_planned = replay->open_timestamp_ms >= 0;
    struct plan plan = {
        .batch_id = replay->position.next_batch,
        .timestamp_ms = replay->open_timestamp_ms,
        .count = replay->position.start_count,
        .ranges = replay->position.starts,
    };
    if ((!is_planned && !write_plan(replay, &plan, err)) ||
        !micro_batch_replay(&replay->runner, &plan, &replay->load.taken, err))
        return false;
    if (replay->report->batches++ == 0)
        replay->report->first_batch = plan.batch_id;
    replay->open_timestamp_ms = -1;
    replay->position.next_batch++;
    return true;
}

static void open_cursor(struct replay *replay) {
    reject_cursor_open(&replay->cursor, &replay->load.files, (struct reject_mark){0},
                       replay->load.page_size_max);
}

static bool run_incarnation(struct replay *replay, struct error *err) {
    for (;;) {
        if (!find_next(replay, err))
            return false;
        if (replay->load.taken.count == 0)
            return true;
        if (!replay->options->dry_run && !run_batch(replay, err))
            return false;
        resolved_add_all(&replay->resolved.set, &replay->load.taken);
    }
}

/* Each walks all files: there hardly ever is a second. */
static bool run(struct replay *replay, struct error *err) {
    for (size_t i = 0; i <= replay->resolved.incarnations.count; i++) {
        replay->load.incarnation = (int32_t)i;
        open_cursor(replay);
        bool done = run_incarnation(replay, err);
        reject_cursor_close(&replay->cursor);
        if (!done)
            return false;
    }
    return true;
}

/* ---- begin and end ---- */

/* A plan that has offsets needs Kafka: only the query can run it. */
static bool take_over(struct replay *replay, struct recovery *recovery, struct error *err) {
    const struct plan *plan = &recovery->open_plan;
    const struct incarnations *begun = &recovery->begun;
    bool moves = begun->count > 0 && begun->begins[begun->count - 1].batch_id == plan->batch_id;
    if (recovery->has_open_plan && (moves || planner_size(plan->ranges, plan->count) > 0))
        return error_set(err, ERROR_STATE,
                         "batch %" PRId64 " is planned and not committed: run the query once "
                         "(--trigger availableNow ends by itself), then replay",
                         plan->batch_id);
    query_position_take(&replay->position, recovery);
    if (recovery->has_open_plan) {
        replay->open_timestamp_ms = plan->timestamp_ms;
        query_position_move_past(&replay->position, plan);
        replay->position.next_batch = plan->batch_id;
    }
    return true;
}

static bool open_store(struct replay *replay, FILE *out, struct error *err) {
    const struct store_options *options = &replay->options->query->store;
    if (replay->options->dry_run)
        return store_open_to_read(options, &replay->store, err);
    struct recovery recovery;
    struct error unreadable; // told by a start
    bool settled;            // because this is not a dry run
    if (!operation_open(options, false, out, &replay->store, err) ||
        !declaration_check(options, err) || !table_types_check_few(options, &unreadable, err) ||
        !operation_recover(replay->store, false, &recovery, &settled, out, err))
        return false;
    replay->position.store = replay->store;
    size_t added; // reported by a start
    bool ok = declaration_keep(options, &added, err) && take_over(replay, &recovery, err);
    recovery_deinit(&recovery);
    return ok;
}

static bool start_worker(struct replay *replay, struct error *err) {
    struct source *source = replay_source_open(&replay->load);
    replay->has_worker =
        worker_start(&replay->worker, source, &replay->work, 1, memory_share(replay), err);
    return replay->has_worker;
}

static bool begin(struct replay *replay, FILE *out, struct error *err) {
    struct replay_load *load = &replay->load;
    load->page_size_max = memory_share(replay);
    load->incarnations = &replay->resolved.incarnations;
    if (!open_store(replay, out, err) ||
        !resolved_rejects_read(replay->store, &replay->resolved, err) ||
        !reject_files_list(&replay->store->rejects, &load->files, err) ||
        !row_maker_init(&replay->maker, &replay->work, SCAN_ROWS, err))
        return false;
    return replay->options->dry_run || start_worker(replay, err);
}

/* What runs its batches: what a query has, without a topic. */
static bool init(struct replay *replay, struct error *err) {
    const struct query_options *options = replay->options->query;
    bool ok = query_definition_init(&replay->definition, options, err);
    stop_init(&replay->stop);
    query_report_init(&replay->query_report, options->stream->name, options->stream->job,
                      &replay->definition.schema);
    replay->work = micro_batch_work(&replay->definition, &replay->query_report);
    replay->retrier =
        (struct retrier){&replay->query_report, &replay->stop, options->write_retry_timeout_ms};
    replay->position.retrier = &replay->retrier;
    worker_crew_init(&replay->crew, &replay->worker, 1, 0);
    replay->runner = (struct batch_runner){.definition = &replay->definition,
                                           .position = &replay->position,
                                           .retrier = &replay->retrier,
                                           .crew = &replay->crew.crew,
                                           .bytes_per_record = PLANNER_RECORD_BYTES};
    return ok;
}

static void end(struct replay *replay) {
    if (replay->has_worker)
        worker_stop(&replay->worker);
    worker_crew_deinit(&replay->crew);
    row_maker_deinit(&replay->maker);
    reject_files_deinit(&replay->load.files);
    resolved_deinit(&replay->load.taken);
    resolved_rejects_deinit(&replay->resolved);
    store_close(replay->store);
    query_position_deinit(&replay->position);
    query_report_deinit(&replay->query_report);
    stop_deinit(&replay->stop);
}

bool operation_replay(const struct replay_options *options, struct replay_report *report, FILE *out,
                      struct error *err) {
    struct replay replay = {.options = options, .report = report, .open_timestamp_ms = -1};
    *report = (struct replay_report){.first_batch = -1};
    bool ok = init(&replay, err) && begin(&replay, out, err) && run(&replay, err);
    end(&replay);
    return ok;
}
