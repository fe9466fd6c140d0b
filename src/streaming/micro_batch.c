#include "streaming/micro_batch.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "streaming/planner.h"
#include "streaming/query_report.h"
#include "streaming/retry.h"
#include "streaming/topic_change.h"
#include "streaming/topic_watch.h"

enum {
    REPLY_TIMEOUT_MS = 100,
    BROKER_PAUSE_MS = 1000, // before a batch is read again that the broker could not give us
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
    struct tally tally;
};

static bool clip_lost(struct query *query, struct attempt *attempt, struct error *err) {
    struct data_loss loss;
    planner_clip(attempt->ranges, attempt->range_count, &query->topic,
                 query->change.kind == TOPIC_RENEWED, attempt->lost, &loss);
    return loss.texts.count == 0 || topic_watch_loss(query, &loss, err);
}

static bool set_ranges(struct query *query, struct attempt *attempt, struct error *err) {
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
    return work->taken != NULL || clip_lost(query, attempt, err);
}

static bool prepare_attempt(struct query *query, const struct work *work, struct attempt *attempt,
                            struct error *err) {
    *attempt = (struct attempt){.work = work};
    if (!set_ranges(query, attempt, err))
        return false;
    attempt->shares = must_alloc(query->worker_count, sizeof *attempt->shares);
    attempt->task_count =
        planner_cut(attempt->ranges, attempt->range_count, query->bytes_per_record,
                    query->worker_count, PLANNER_TASK_BYTES, attempt->shares);
    attempt->tasks = must_alloc(attempt->task_count, sizeof *attempt->tasks);
    return true;
}

static void attempt_deinit(struct attempt *attempt) {
    for (size_t i = 0; i < attempt->task_count; i++) {
        file_list_deinit(&attempt->tasks[i].files);
        file_list_deinit(&attempt->tasks[i].rejects);
        tally_deinit(&attempt->tasks[i].tally);
        free(attempt->tasks[i].outcomes);
        task_share_deinit(&attempt->shares[i]);
    }
    free(attempt->tasks);
    free(attempt->shares);
    free(attempt->ranges);
    free(attempt->lost);
    tally_deinit(&attempt->tally);
    *attempt = (struct attempt){0};
}

/* Queries start at different workers, so that two small batches run side by side. */
static struct worker *worker_of(const struct query *query, size_t task) {
    return &query->workers[(query->index + task) % query->worker_count];
}

static void send_tasks(struct query *query, struct attempt *attempt, const char *staging,
                       const char *reject_staging) {
    atomic_store(&query->abandon, false);
    for (size_t i = 0; i < attempt->task_count; i++) {
        struct task *task = &attempt->tasks[i];
        *task = (struct task){.query = query->index,
                              .number = (unsigned)i,
                              .batch_timestamp_ms = attempt->work->plan->timestamp_ms,
                              .staging = staging,
                              .reject_staging = reject_staging,
                              .ranges = attempt->shares[i].ranges,
                              .range_count = attempt->shares[i].count,
                              .rejects_only = attempt->work->search != NULL,
                              .abandon = &query->abandon,
                              .reply = &query->replies};
        task->outcomes = must_alloc(task->range_count + 1, sizeof *task->outcomes);
        mailbox_send(&worker_of(query, i)->tasks, &task->letter);
    }
}

/* The driver lives while a worker that it waits for does, if only with a task of another query that
 * comes first. */
static void pass_on_signs(struct query *query, const struct attempt *attempt, int64_t *seen) {
    int64_t signs = 0;
    for (size_t i = 0; i < attempt->task_count; i++)
        if (!attempt->tasks[i].back)
            signs += worker_signs(worker_of(query, i));
    if (signs != *seen)
        query_status_sign(&query->status);
    *seen = signs;
}

/* While no task comes back. False: the attempt is given up. */
static bool look_after_tasks(struct query *query, const struct attempt *attempt,
                             struct topic_stall *stall, int64_t *signs, struct error *err) {
    if (stop_read(query->stop) == STOP_NOW)
        atomic_store(&query->abandon, true);
    pass_on_signs(query, attempt, signs);
    if (attempt->work->taken != NULL || atomic_load(&query->abandon) ||
        !topic_watch_stall(query, attempt->ranges, attempt->range_count, stall))
        return true;
    atomic_store(&query->abandon, true);
    return error_set(err, ERROR_BROKER, "topic '%s' ends before the planned batch",
                     query->how.topic);
}

/* Waits for all tasks; the first real failure ends the others, and is the one reported. */
static bool collect_tasks(struct query *query, struct attempt *attempt, struct error *err) {
    bool done = true;
    struct topic_stall stall = {0};
    int64_t signs = 0;
    for (size_t outstanding = attempt->task_count; outstanding > 0;) {
        struct letter *letter = mailbox_receive(&query->replies, REPLY_TIMEOUT_MS);
        if (letter == NULL) {
            done = look_after_tasks(query, attempt, &stall, &signs, err) && done;
            continue;
        }
        outstanding--;
        struct task *task = (struct task *)letter;
        task->back = true;
        if (task->done)
            continue;
        atomic_store(&query->abandon, true);
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
        known->rows += outcome->rows;
        known->rejects += outcome->rejects;
        known->absent += outcome->absent;
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

static void make_manifest(struct query *query, struct attempt *attempt, struct manifest *manifest) {
    const struct work *work = attempt->work;
    *manifest = (struct manifest){.batch_id = work->plan->batch_id,
                                  .timestamp_ms = work->plan->timestamp_ms,
                                  .of_spark = work->search != NULL,
                                  .incarnation = query_incarnation(query)};
    incarnations_add_copies(&manifest->begun, &query->begun);
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
        resolved_add_all(&manifest->replayed, work->taken);
    int64_t records = planner_size(attempt->ranges, attempt->range_count);
    if (records > 0)
        query->bytes_per_record = (double)attempt->tally.bytes / (double)records;
}

/* The ranges of a search are for the search alone. */
static void take_outcomes(struct reject_search *search, struct manifest *manifest) {
    search->rows = search->rejects = 0;
    for (size_t i = 0; i < manifest->outcome_count; i++) {
        search->rows += manifest->outcomes[i].rows;
        search->rejects += manifest->outcomes[i].rejects;
    }
    free(search->outcomes);
    search->outcomes = manifest->outcomes;
    search->outcome_count = manifest->outcome_count;
    manifest->outcomes = NULL;
    manifest->outcome_count = 0;
}

/* From plan to commit point, once. */
static bool run_once(struct query *query, const struct work *work, struct manifest *manifest,
                     struct tally *tally, struct error *err) {
    const char *staging, *reject_staging;
    if (!store_begin_batch(query->store, work->plan->batch_id, &staging, &reject_staging, err))
        return false;
    struct attempt attempt;
    bool done = prepare_attempt(query, work, &attempt, err);
    if (done) {
        send_tasks(query, &attempt, staging, reject_staging);
        done = collect_tasks(query, &attempt, err);
    }
    if (done) {
        make_manifest(query, &attempt, manifest);
        if (work->search != NULL)
            take_outcomes(work->search, manifest);
        int64_t began_us = clock_monotonic_us();
        done = store_commit(query->store, manifest, err);
        query->clock.publish_us = clock_monotonic_us() - began_us;
        if (done)
            tally_add(tally, &attempt.tally);
        else
            manifest_deinit(manifest);
    }
    attempt_deinit(&attempt);
    reject_log_flush(&query->reject_log, query->how.name);
    return done;
}

/* Whether an attempt that failed is worth another. */
static bool try_again(struct query *query, const struct plan *plan, struct retry *retry,
                      struct error *err) {
    if (err->kind == ERROR_DATA_LOSS && !query->options->fail_on_data_loss) {
        // Retention overtook us in the middle: list the topic again and take what is left.
        log_write(LOG_WARNING, query->how.name, "%s", err->message);
        return topic_watch_refresh(query, err) && topic_change_await(query, plan, err);
    }
    if (err->kind == ERROR_BROKER) {
        // The topic went away, or access to it, or a batch of records came damaged: nothing of ours
        // is wrong, and nothing counts yet. Wait until the topic can be listed, and read it again.
        log_write(LOG_ERROR, query->how.name, "%s; reading the batch again", err->message);
        query_status_fault(&query->status, QUERY_RETRYING, true, "Waiting for Kafka", err->message);
        if (stop_sleep(query->stop, BROKER_PAUSE_MS))
            return error_set(err, ERROR_STOPPED, "stopped while waiting for Kafka");
        if (!topic_watch_refresh(query, err) || !topic_change_await(query, plan, err))
            return false;
        query_status_say(&query->status, QUERY_RUNNING, true, "Processing new data");
        return true;
    }
    return retry_again(query, retry, err);
}

static bool commit_batch(struct query *query, const struct work *work, struct manifest *manifest,
                         struct tally *tally, struct error *err) {
    struct retry retry = {0};
    int64_t began_us = clock_monotonic_us();
    while (!run_once(query, work, manifest, tally, err)) {
        int64_t *lost_us =
            err->kind == ERROR_RETRY ? &query->clock.disk_lost_us : &query->clock.broker_lost_us;
        if (err->kind != ERROR_STATE) // then nobody knows whether it is committed: leave the disk
            store_discard_batch(query->store, work->plan->batch_id);
        if (!try_again(query, work->plan, &retry, err))
            return false;
        trigger_clock_add(lost_us, began_us);
        began_us = clock_monotonic_us();
    }
    return true;
}

/* What the manifest says of the topic needs not be said again. */
static void take_incarnation(struct query *query, const struct manifest *manifest) {
    query->incarnation = manifest->incarnation;
    incarnations_deinit(&query->begun);
}

static bool roll_forward(struct query *query, const struct manifest *manifest, struct error *err) {
    struct retry retry = {0};
    int64_t began_us = clock_monotonic_us();
    while (!store_roll_forward(query->store, manifest, err))
        if (!retry_again(query, &retry, err))
            return false;
    trigger_clock_add(&query->clock.forward_us, began_us);
    return true;
}

static bool run(struct query *query, const struct work *work, struct error *err) {
    int64_t began_us = clock_monotonic_us();
    query_status_say(&query->status, QUERY_RUNNING, true, "Processing new data");
    struct manifest manifest = {0};
    struct tally tally = {0};
    if (!commit_batch(query, work, &manifest, &tally, err))
        return false;
    take_incarnation(query, &manifest);
    bool done = roll_forward(query, &manifest, err);
    if (done) {
        query_report_batch(query, work->plan, &manifest, &tally);
        query_report_log(query, &manifest, &tally.counts, clock_monotonic_us() - began_us);
    }
    tally_deinit(&tally);
    manifest_deinit(&manifest);
    return done;
}

bool micro_batch_run(struct query *query, const struct plan *plan, struct error *err) {
    return run(query, &(struct work){.plan = plan}, err);
}

bool micro_batch_replay(struct query *query, const struct plan *plan, const struct resolved *taken,
                        struct error *err) {
    check(planner_size(plan->ranges, plan->count) == 0 && query->worker_count == 1);
    return run(query, &(struct work){.plan = plan, .taken = taken}, err);
}

bool micro_batch_rejects(struct query *query, struct reject_search *search, struct error *err) {
    struct work work = {.plan = search->plan, .search = search};
    struct manifest manifest = {0};
    if (!commit_batch(query, &work, &manifest, &search->tally, err))
        return false;
    take_incarnation(query, &manifest);
    bool done = roll_forward(query, &manifest, err);
    manifest_deinit(&manifest);
    return done;
}
