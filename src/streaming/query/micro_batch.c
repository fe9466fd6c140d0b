/* One batch, from its plan to its commit.
 *
 * An attempt stages files: the plan's ranges, without what retention took, are cut into tasks, and
 * the crew runs them. Its manifest is the commit point. An attempt that fails before it is
 * discarded as a whole, and another follows for as long as its error may pass (try_again()); so
 * nothing counts until all of it does. After the commit point nothing is discarded: roll_forward()
 * repeats the step that failed.
 *
 * A batch is a query's own, a replay's (records from the rejects) or the rejects of one of Spark's.
 */
#include "streaming/query/micro_batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/disk/disk_error.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "streaming/history/history.h"
#include "streaming/kafka/planner.h"
#include "streaming/query/retry.h"
#include "streaming/query/topic_change.h"
#include "streaming/query/topic_watch.h"
#include "streaming/report/query_report.h"
#include "streaming/store/batch_steps.h"

enum {
    REPLY_TIMEOUT_MS = 100,
    // Before a batch is read again that the broker could not give us; each pause is twice the one
    // before.
    BROKER_PAUSE_MS = 1000,
    BROKER_PAUSE_MAX_MS = 10000,
    BROKER_LOG_EVERY_MS = 60000, // the same error
    DAMAGED_TRIES_MAX = 3, // a line may damage bytes once; what a disk holds is the same each time
};

/* How often a batch was retried so far. */
struct attempts {
    struct retry disk, broker;
    int64_t pause_ms; // the newest for the broker; 0: none
    int damaged;      // answers that could not be read
    int lost;         // times that offsets were found to be gone
    int64_t logged_ms;
    struct error logged;
    char text[sizeof(struct error) + 32]; // of the line
};

/* What is to be done. */
struct work {
    const struct plan *plan;
    const struct resolved *taken; // of a replay; else NULL
    struct reject_search *search; // of a batch of Spark's; else NULL
};

/* One attempt at it. */
struct attempt {
    const struct work *work;
    struct offset_range *ranges; // the plan's, without what retention took; the windows'; or the
                                 // source's own
    size_t range_count;
    int64_t *lost; // per range
    struct task_share *shares;
    struct task *tasks;
    size_t task_count;
    atomic_bool abandon; // tells the crew to give up
    struct tally tally;
};

struct worker_query micro_batch_work(const struct query_definition *definition,
                                     struct query_report *report) {
    const struct query_options *options = definition->options;
    return (struct worker_query){.name = report->name,
                                 .topic = definition->topic,
                                 .schema = &definition->schema,
                                 .record = options->stream->record,
                                 .plan = &options->stream->plan,
                                 .partition_columns = definition->partition_columns,
                                 .partition_column_count = options->store.partition_by_count,
                                 .parse_mode = options->parse_mode,
                                 .time_zone = options->time_zone,
                                 .parquet = options->parquet,
                                 .records_read = &report->status.records_read};
}

static bool clip_lost(struct batch_runner *runner, struct attempt *attempt, struct error *err) {
    struct data_loss loss;
    planner_clip(attempt->ranges, attempt->range_count, &runner->change->watch->topic,
                 runner->change->kind == TOPIC_RENEWED, attempt->lost, &loss);
    return loss.texts.count == 0 || topic_watch_loss(runner->change->watch, &loss, err);
}

static bool set_ranges(struct batch_runner *runner, struct attempt *attempt, struct error *err) {
    const struct work *work = attempt->work;
    const struct offset_range *ranges = work->plan->ranges;
    size_t count = work->plan->count;
    struct offset_range replayed = {.end = work->taken != NULL ? work->taken->count : 0};
    if (work->search != NULL) {
        ranges = work->search->windows;
        count = work->search->window_count;
    } else if (work->taken != NULL) {
        ranges = &replayed;
        count = 1;
    }
    attempt->ranges = must_alloc(count + 1, sizeof *attempt->ranges);
    attempt->lost = must_alloc(count + 1, sizeof *attempt->lost);
    for (size_t i = 0; i < count; i++)
        attempt->ranges[i] = ranges[i];
    attempt->range_count = count;
    return work->taken != NULL || clip_lost(runner, attempt, err);
}

static bool prepare_attempt(struct batch_runner *runner, const struct work *work,
                            struct attempt *attempt, struct error *err) {
    *attempt = (struct attempt){.work = work};
    if (!set_ranges(runner, attempt, err))
        return false;
    attempt->shares = must_alloc(runner->crew->size, sizeof *attempt->shares);
    attempt->task_count =
        planner_cut(attempt->ranges, attempt->range_count, runner->bytes_per_record,
                    runner->crew->size, PLANNER_TASK_BYTES, attempt->shares);
    attempt->tasks = must_alloc(attempt->task_count, sizeof *attempt->tasks);
    return true;
}

static void attempt_deinit(struct attempt *attempt) {
    for (size_t i = 0; i < attempt->task_count; i++) {
        file_list_deinit(&attempt->tasks[i].files);
        file_list_deinit(&attempt->tasks[i].rejects);
        tally_deinit(&attempt->tasks[i].tally);
        free(attempt->tasks[i].outcomes);
        free(attempt->tasks[i].records);
        task_share_deinit(&attempt->shares[i]);
    }
    free(attempt->tasks);
    free(attempt->shares);
    free(attempt->ranges);
    free(attempt->lost);
    tally_deinit(&attempt->tally);
    *attempt = (struct attempt){0};
}

static void send_tasks(struct batch_runner *runner, struct attempt *attempt, const char *staging,
                       const char *reject_staging) {
    attempt->abandon = false;
    for (size_t i = 0; i < attempt->task_count; i++) {
        struct task *task = &attempt->tasks[i];
        *task = (struct task){.number = (unsigned)i,
                              .batch_timestamp_ms = attempt->work->plan->timestamp_ms,
                              .staging = staging,
                              .reject_staging = reject_staging,
                              .ranges = attempt->shares[i].ranges,
                              .range_count = attempt->shares[i].count,
                              .rejects_only = attempt->work->search != NULL,
                              .abandon = &attempt->abandon};
        task->outcomes = must_alloc(task->range_count + 1, sizeof *task->outcomes);
        if (attempt->work->taken != NULL) {
            task->wants_records = true;
            task->records = must_alloc((size_t)attempt->work->taken->count, sizeof *task->records);
        }
        runner->crew->ops->send(runner->crew, task);
    }
}

/* The driver lives while a worker that it waits for does, if only with a task of another query that
 * comes first. */
static void pass_on_signs(struct batch_runner *runner, const struct attempt *attempt,
                          int64_t *seen) {
    int64_t signs = 0;
    for (size_t i = 0; i < attempt->task_count; i++)
        if (!attempt->tasks[i].back)
            signs += runner->crew->ops->signs(runner->crew, &attempt->tasks[i]);
    if (signs != *seen)
        query_status_sign(&runner->retrier->report->status);
    *seen = signs;
}

/* What blocks one of the workers that are still busy, as far as it knows. */
static bool find_cause(const struct batch_runner *runner, const struct attempt *attempt,
                       struct error *cause) {
    for (size_t i = 0; i < attempt->task_count; i++)
        if (!attempt->tasks[i].back &&
            runner->crew->ops->waits_for(runner->crew, &attempt->tasks[i], cause))
            return true;
    return false;
}

/* While no task comes back. False: the attempt is given up. */
static bool look_after_tasks(struct batch_runner *runner, struct attempt *attempt,
                             struct topic_stall *stall, int64_t *signs, struct error *err) {
    if (stop_read(runner->retrier->stop) == STOP_NOW)
        atomic_store(&attempt->abandon, true);
    pass_on_signs(runner, attempt, signs);
    struct error cause;
    if (attempt->work->taken != NULL || atomic_load(&attempt->abandon) ||
        !topic_watch_stall(runner->change->watch, attempt->ranges, attempt->range_count, stall,
                           find_cause(runner, attempt, &cause) ? cause.message : NULL))
        return true;
    atomic_store(&attempt->abandon, true);
    return error_set(err, ERROR_BROKER, "topic '%s' ends before the planned batch",
                     runner->definition->topic);
}

/* Waits for all tasks; the first real failure ends the others, and is the one reported. */
static bool collect_tasks(struct batch_runner *runner, struct attempt *attempt, struct error *err) {
    bool done = true;
    struct topic_stall stall = {0};
    int64_t signs = 0;
    for (size_t outstanding = attempt->task_count; outstanding > 0;) {
        struct task *task = runner->crew->ops->receive(runner->crew, REPLY_TIMEOUT_MS);
        if (task == NULL) {
            done = look_after_tasks(runner, attempt, &stall, &signs, err) && done;
            continue;
        }
        outstanding--;
        task->back = true;
        if (task->done)
            continue;
        atomic_store(&attempt->abandon, true);
        if (done || err->kind == ERROR_STOPPED)
            *err = task->error;
        done = false;
    }
    return done;
}

static void add_outcome(struct manifest *manifest, const struct range_outcome *outcome) {
    for (size_t i = 0; i < manifest->outcome_count; i++) {
        struct range_outcome *known = &manifest->outcomes[i];
        if (known->range.partition != outcome->range.partition)
            continue;
        range_outcome_add(known, outcome);
        return;
    }
}

/* A replay takes no ranges, and a search says nothing of them. */
static void begin_outcomes(const struct attempt *attempt, struct manifest *manifest) {
    const struct plan *plan = attempt->work->plan;
    manifest->outcomes = must_alloc(plan->count + 1, sizeof *manifest->outcomes);
    for (size_t i = 0; i < plan->count; i++)
        if (plan->ranges[i].end > plan->ranges[i].start)
            manifest->outcomes[manifest->outcome_count++] = (struct range_outcome){
                .range = plan->ranges[i],
                .lost = attempt->work->search == NULL ? attempt->lost[i] : 0};
}

static void note_weight(struct batch_runner *runner, const struct manifest *manifest,
                        int64_t bytes) {
    struct range_outcome sum = manifest_sum(manifest);
    int64_t records = sum.records + sum.rejects + sum.empty + sum.filtered;
    runner->bytes_per_record = planner_weigh(runner->bytes_per_record, records, bytes);
}

/* All are of one incarnation: that of the offsets that were taken. */
static void take_replayed(const struct attempt *attempt, struct manifest *manifest) {
    const struct resolved *taken = attempt->work->taken;
    int32_t incarnation = resolved_newest(taken);
    resolved_add_all(&manifest->replayed, taken);
    for (size_t i = 0; i < attempt->task_count; i++)
        for (size_t j = 0; j < attempt->tasks[i].record_count; j++) {
            const struct record_rows *at = &attempt->tasks[i].records[j];
            replay_counts_add(&manifest->replay_counts, incarnation, at->partition, at->offset,
                              at->exploded, at->rows);
        }
}

static void make_manifest(struct batch_runner *runner, struct attempt *attempt,
                          struct manifest *manifest) {
    const struct work *work = attempt->work;
    *manifest = (struct manifest){
        .batch_id = work->plan->batch_id,
        .timestamp_ms = work->plan->timestamp_ms,
        .of_spark = work->search != NULL,
        .counts_rows = work->search == NULL &&
                       !plan_is_row_per_record(&runner->definition->options->stream->plan),
        .incarnation = query_position_incarnation(runner->position, work->plan->batch_id)};
    incarnations_add_copies(&manifest->begun, &runner->position->begun, work->plan->batch_id);
    begin_outcomes(attempt, manifest);
    for (size_t i = 0; i < attempt->task_count; i++) {
        struct task *task = &attempt->tasks[i];
        file_list_move(&manifest->files, &task->files);
        file_list_move(&manifest->rejects, &task->rejects);
        for (size_t j = 0; j < task->range_count; j++)
            add_outcome(manifest, &task->outcomes[j]);
        tally_add(&attempt->tally, &task->tally);
    }
    if (work->taken != NULL)
        take_replayed(attempt, manifest);
    note_weight(runner, manifest, attempt->tally.bytes);
}

/* The ranges of a search are for the search alone. */
static void take_outcomes(struct reject_search *search, struct manifest *manifest) {
    search->accepted = search->rejects = 0;
    for (size_t i = 0; i < manifest->outcome_count; i++) {
        search->accepted += range_outcome_accepted(&manifest->outcomes[i]);
        search->rejects += manifest->outcomes[i].rejects;
    }
    free(search->outcomes);
    search->outcomes = manifest->outcomes;
    search->outcome_count = manifest->outcome_count;
    manifest->outcomes = NULL;
    manifest->outcome_count = 0;
}

/* From plan to commit point, once. */
static bool run_once(struct batch_runner *runner, const struct work *work,
                     struct manifest *manifest, struct tally *tally, struct error *err) {
    struct query_report *report = runner->retrier->report;
    const char *staging, *reject_staging;
    if (!store_begin_batch(runner->position->store, work->plan->batch_id, &staging, &reject_staging,
                           err))
        return false;
    struct attempt attempt;
    bool done = prepare_attempt(runner, work, &attempt, err);
    if (done) {
        send_tasks(runner, &attempt, staging, reject_staging);
        done = collect_tasks(runner, &attempt, err);
    }
    if (done) {
        make_manifest(runner, &attempt, manifest);
        if (work->search != NULL)
            take_outcomes(work->search, manifest);
        int64_t began_us = clock_monotonic_us();
        done = store_commit(runner->position->store, manifest, err);
        report->clock.publish_us = clock_monotonic_us() - began_us;
        if (done)
            tally_add(tally, &attempt.tally);
        else
            manifest_deinit(manifest);
    }
    attempt_deinit(&attempt);
    return done;
}

/* The newest error for the log, once a minute while it stays the same; else NULL. */
static const char *broker_text(struct attempts *attempts, const struct error *err) {
    int64_t now_ms = clock_monotonic_ms();
    if (strcmp(attempts->logged.message, err->message) == 0 &&
        now_ms - attempts->logged_ms < BROKER_LOG_EVERY_MS)
        return NULL;
    attempts->logged = *err;
    attempts->logged_ms = now_ms;
    (void)snprintf(attempts->text, sizeof attempts->text, "%s; retrying the batch", err->message);
    return attempts->text;
}

static void lengthen_pause(struct attempts *attempts) {
    int64_t longer_ms = 2 * attempts->pause_ms;
    attempts->pause_ms = longer_ms == 0                    ? BROKER_PAUSE_MS
                         : longer_ms < BROKER_PAUSE_MAX_MS ? longer_ms
                                                           : BROKER_PAUSE_MAX_MS;
}

static bool pause_for_broker(struct batch_runner *runner, const struct attempts *attempts,
                             struct error *err) {
    query_status_rest(&runner->retrier->report->status, attempts->pause_ms);
    return retrier_pause(runner->retrier, attempts->pause_ms, "waiting for Kafka", err);
}

/* The topic went away, or access to it, or what came is damaged: nothing of ours is wrong, and
 * nothing counts yet. Waits until the topic can be listed. */
static bool wait_for_broker(struct batch_runner *runner, const struct plan *plan,
                            struct attempts *attempts, struct error *err) {
    struct query_report *report = runner->retrier->report;
    lengthen_pause(attempts);
    retry_note(&attempts->broker, clock_monotonic_ms());
    const struct log_retry times = {.pause_ms = attempts->pause_ms,
                                    .limit = err->kind == ERROR_DAMAGED ? "3 attempts" : NULL};
    const struct retry_words words = {.message = "Waiting for Kafka",
                                      .text = broker_text(attempts, err),
                                      .reason = err->message,
                                      .level = LOG_ERROR,
                                      .is_data_available = true};
    retry_say(report, &attempts->broker, times, &words);
    topic_watch_doubt(runner->change->watch);
    if (!pause_for_broker(runner, attempts, err) ||
        !topic_watch_refresh(runner->change->watch, err) ||
        !topic_fit_await(runner->change, plan, err))
        return false;
    query_status_say(&report->status, QUERY_RUNNING, true, "Processing new data");
    return true;
}

/* Retention overtook us in the middle: lists the topic again, to take what is left. Once that
 * should be enough. */
static bool take_what_is_left(struct batch_runner *runner, const struct plan *plan,
                              struct attempts *attempts, struct error *err) {
    bool again = attempts->lost++ > 0;
    if (again)
        lengthen_pause(attempts);
    retry_note(&attempts->broker, clock_monotonic_ms());
    const char *text = broker_text(attempts, err);
    const struct log_retry times = {.began_ms = attempts->broker.began_ms,
                                    .attempts = attempts->broker.attempts,
                                    .pause_ms = attempts->pause_ms};
    if (text != NULL)
        log_retry(LOG_WARNING, runner->retrier->report->name, text, &times);
    runner->change->watch->id_in_doubt = true;
    return (!again || pause_for_broker(runner, attempts, err)) &&
           topic_watch_refresh(runner->change->watch, err) &&
           topic_fit_await(runner->change, plan, err);
}

/* Whether an attempt that failed is worth another. */
static bool try_again(struct batch_runner *runner, const struct plan *plan,
                      struct attempts *attempts, struct error *err) {
    switch (err->kind) {
    case ERROR_BROKER:
        return wait_for_broker(runner, plan, attempts, err);
    case ERROR_DAMAGED:
        if (++attempts->damaged < DAMAGED_TRIES_MAX)
            return wait_for_broker(runner, plan, attempts, err);
        return error_wrap(err, "gave up after %d attempts", DAMAGED_TRIES_MAX);
    case ERROR_DATA_LOSS:
        if (!runner->definition->options->fail_on_data_loss)
            return take_what_is_left(runner, plan, attempts, err);
        (void)text_append(err->message, sizeof err->message, strlen(err->message),
                          "; set FAIL_ON_DATA_LOSS=false to continue without the lost records");
        return false;
    default:
        return retry_again(runner->retrier, &attempts->disk, err);
    }
}

static bool commit_batch(struct batch_runner *runner, const struct work *work,
                         struct manifest *manifest, struct tally *tally, struct error *err) {
    struct query_report *report = runner->retrier->report;
    struct attempts attempts = {0};
    int64_t began_us = clock_monotonic_us();
    while (!run_once(runner, work, manifest, tally, err)) {
        int64_t *lost_us =
            disk_error_may_pass(err) ? &report->clock.disk_lost_us : &report->clock.broker_lost_us;
        // A manifest of someone else, or nobody knows whether ours is committed: leave the disk.
        if (err->kind != ERROR_STATE && err->kind != ERROR_RESTART)
            store_discard_batch(runner->position->store, work->plan->batch_id);
        if (!try_again(runner, work->plan, &attempts, err))
            return false;
        trigger_clock_add(lost_us, began_us);
        began_us = clock_monotonic_us();
    }
    return true;
}

static bool roll_forward(struct batch_runner *runner, const struct manifest *manifest,
                         struct error *err) {
    struct retry retry = {0};
    int64_t began_us = clock_monotonic_us();
    while (!store_roll_forward(runner->position->store, manifest, err))
        if (!retry_again(runner->retrier, &retry, err))
            return false;
    history_note(runner->position->store, manifest->batch_id);
    trigger_clock_add(&runner->retrier->report->clock.forward_us, began_us);
    return true;
}

static void report_batch(struct batch_runner *runner, const struct work *work,
                         const struct manifest *manifest, struct tally *tally) {
    static const struct topic_offsets unknown;
    query_report_batch(runner->retrier->report,
                       runner->change != NULL ? &runner->change->watch->topic : &unknown,
                       work->plan, manifest, tally);
}

static bool run(struct batch_runner *runner, const struct work *work, struct error *err) {
    struct query_report *report = runner->retrier->report;
    int64_t began_us = clock_monotonic_us();
    query_status_say(&report->status, QUERY_RUNNING, true, "Processing new data");
    struct manifest manifest = {0};
    struct tally tally = {0};
    if (!commit_batch(runner, work, &manifest, &tally, err))
        return false;
    query_position_commit(runner->position, &manifest);
    bool done = roll_forward(runner, &manifest, err);
    if (done) {
        report_batch(runner, work, &manifest, &tally);
        query_report_log(report, &manifest, &tally, clock_monotonic_us() - began_us);
    }
    tally_deinit(&tally);
    manifest_deinit(&manifest);
    return done;
}

bool micro_batch_run(struct batch_runner *runner, const struct plan *plan, struct error *err) {
    return run(runner, &(struct work){.plan = plan}, err);
}

bool micro_batch_replay(struct batch_runner *runner, const struct plan *plan,
                        const struct resolved *taken, struct error *err) {
    check(planner_size(plan->ranges, plan->count) == 0 && runner->crew->size == 1);
    return run(runner, &(struct work){.plan = plan, .taken = taken}, err);
}

bool micro_batch_rejects(struct batch_runner *runner, struct reject_search *search,
                         struct error *err) {
    struct work work = {.plan = search->plan, .search = search};
    struct manifest manifest = {0};
    if (!commit_batch(runner, &work, &manifest, &search->tally, err))
        return false;
    query_position_commit(runner->position, &manifest);
    bool done = roll_forward(runner, &manifest, err);
    manifest_deinit(&manifest);
    return done;
}
