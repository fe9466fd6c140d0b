/* Following a query that Spark runs.
 *
 * Spark's commit log on the disk says which batches are committed; its progress reports say how
 * many records each has left out, and where. Each batch in turn is completed: are its files here,
 * which records became rejects, what is reported of it. A report that does not come in time makes
 * the whole batch be read again, so no batch is left out. A stop waits for the running batch for a
 * while. */
#include "streaming/cluster/engine/follow.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/log/log.h"
#include "base/system/clock.h"
#include "streaming/changes/batch_files.h"
#include "streaming/cluster/engine/reject_pass.h"
#include "streaming/cluster/engine/spark_progress.h"
#include "streaming/cluster/engine/spark_reason.h"
#include "streaming/store/store.h"

enum {
    POLL_MS = 200,           // between two looks at the query
    GLANCE_EVERY_MS = 2000,  // at the topic
    PROGRESS_WAIT_MS = 3000, // a batch's commit is on disk a moment before its progress is reported
};

/* ---- a batch ---- */

/* Reads Spark's newest reports. */
static bool read_progress(struct follow *follow, struct error *err) {
    char **reports;
    size_t count;
    if (!connect_progress(follow->session, follow->ids, &reports, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct spark_progress progress;
        struct error unread;
        if (spark_progress_parse(reports[i], &progress, &unread))
            progress_book_add(&follow->book, follow->query->position.next_batch, &progress);
        else // its batch is read as a whole then
            log_write(LOG_WARNING, follow->query->report.name, "%s", unread.message);
        free(reports[i]);
    }
    free(reports);
    return true;
}

static bool await_progress(struct follow *follow, int64_t batch_id, struct spark_progress *progress,
                           bool *found, struct error *err) {
    int64_t began_ms = clock_monotonic_ms();
    for (;;) {
        if (!read_progress(follow, err))
            return false;
        *found = progress_book_take(&follow->book, batch_id, progress);
        if (*found || clock_monotonic_ms() - began_ms >= PROGRESS_WAIT_MS)
            return true;
        query_status_sign(&follow->query->report.status);
        if (stop_sleep(follow->query->stop, POLL_MS / 4) &&
            stop_read(follow->query->stop) == STOP_NOW)
            return true;
    }
}

/* What the batch has added, by the sink log. False: it does not tell; a log that can't be read is
 * for recovery to refuse. */
static bool find_files(struct query *query, int64_t batch_id, struct file_list *files) {
    struct error why = {0};
    bool known = false;
    if (batch_files_read(query->store, batch_id, files, &known, &why) && known)
        return true;
    file_list_deinit(files);
    log_write(LOG_WARNING, query->report.name,
              "The files of batch %" PRId64
              " are unknown, so the program cannot check that they are in the lake | error=%s",
              batch_id,
              why.message[0] != '\0' ? why.message
                                     : "neither the sink log nor a manifest lists them");
    return false;
}

/* A node without the lake may join after the start, which has looked: what it writes is in the log,
 * and nowhere. The query is stopped, and its batches so far are completed. */
static void look_for_files(struct follow *follow, int64_t batch_id, const struct file_list *files) {
    const char *table = follow->query->definition.options->store.table;
    struct error ignored;
    for (size_t i = 0; i < files->count && follow->lost.kind == ERROR_NONE; i++) {
        struct file_path path = file_join(table, files->files[i].path);
        if (file_exists(path.text, NULL, &ignored) == 0)
            (void)error_set(&follow->lost, ERROR_STATE,
                            "Spark committed batch %" PRId64
                            ", but its file '%s' does not exist on this machine: a node of the "
                            "cluster does not mount the lake. Mount the lake there, run "
                            "`esports-stream rewind --to-batch %" PRId64 "`, then start again",
                            batch_id, path.text, batch_id - 1);
    }
}

/* The clock as if we had run it: what Spark's executors did all counts as fetching. */
static void set_clock(struct follow *follow, const struct plan *plan,
                      const struct spark_progress *progress) {
    int64_t before_ms = follow->batch_began_ms;
    follow->batch_began_ms = plan->timestamp_ms;
    follow->query->report.clock = (struct trigger_clock){
        .began_us = clock_monotonic_us() - (progress == NULL ? 0 : progress->duration_ms * 1000),
        .began_ms = plan->timestamp_ms,
        .before_us = before_ms == 0 ? 0 : (plan->timestamp_ms - before_ms) * 1000};
    if (progress == NULL)
        return;
    follow->query->report.clock.listing_us = progress->latest_offset_ms * 1000;
    follow->query->report.clock.planning_us = progress->query_planning_ms * 1000;
    follow->query->report.clock.logging_us = progress->wal_commit_ms * 1000;
    follow->query->report.clock.forward_us = progress->commit_offsets_ms * 1000;
}

static void report(struct follow *follow, const struct plan *plan,
                   const struct spark_progress *progress, struct file_list *files, bool known,
                   struct reject_pass *pass) {
    struct query *query = follow->query;
    struct manifest manifest = {
        .batch_id = plan->batch_id,
        .timestamp_ms = plan->timestamp_ms,
        .files = *files,
        .files_unknown = !known,
        .counts_rows = !plan_is_row_per_record(&query->definition.options->stream->plan),
        .outcomes = pass->outcomes,
        .outcome_count = pass->outcome_count};
    query_move_past(query, plan);
    query_report_batch(&query->report, &query->watch.topic, plan, &manifest, &pass->tally);
    query_report_log(&query->report, &manifest, &pass->tally,
                     progress == NULL ? 0 : progress->duration_ms * 1000);
}

/* With its plan and what Spark says of it, NULL if it says nothing. */
static bool take_planned(struct follow *follow, const struct plan *plan,
                         const struct spark_progress *progress, struct error *err) {
    struct reject_pass pass;
    struct file_list files = {0};
    set_clock(follow, plan, progress);
    bool known = find_files(follow->query, plan->batch_id, &files);
    look_for_files(follow, plan->batch_id, &files);
    bool done = reject_pass_run(follow->query, plan, progress, &pass, err);
    if (done) {
        report(follow, plan, progress, &files, known, &pass);
        reject_pass_deinit(&pass);
    }
    file_list_deinit(&files);
    return done;
}

/* The next batch is committed: its rejects, and what it was. */
static bool take_batch(struct follow *follow, struct error *err) {
    struct query *query = follow->query;
    struct plan plan;
    struct spark_progress progress = {0};
    struct retry retry = {0};
    bool found;
    while (!checkpoint_read_plan(&query->store->checkpoint, query->position.next_batch, &plan, err))
        if (!retry_again(&query->retrier, &retry, err))
            return false;
    bool done = query_position_note_begun(&query->position, plan.batch_id, err) &&
                await_progress(follow, plan.batch_id, &progress, &found, err) &&
                take_planned(follow, &plan, found ? &progress : NULL, err);
    spark_progress_deinit(&progress);
    free(plan.ranges);
    return done;
}

static bool take_batches(struct follow *follow, struct error *err) {
    struct query *query = follow->query;
    struct retry retry = {0};
    for (bool taken = false;; taken = true) {
        int64_t newest;
        while (!checkpoint_newest(&query->store->checkpoint.commits, &newest, err))
            if (!retry_again(&query->retrier, &retry, err))
                return false;
        if (newest < query->position.next_batch) {
            if (taken)
                topic_change_settle(&query->change); // Spark keeps reading either way
            return true;
        }
        if (stop_read(query->stop) == STOP_NOW)
            return error_set(err, ERROR_STOPPED,
                             "stopped before the rejects of batch %" PRId64
                             " were written; the next start writes them",
                             query->position.next_batch);
        if (!take_batch(follow, err))
            return false;
    }
}

/* ---- the query ---- */

static void glance(struct follow *follow) {
    int64_t now_ms = clock_monotonic_ms();
    if (follow->glanced_ms != 0 && now_ms - follow->glanced_ms < GLANCE_EVERY_MS)
        return;
    follow->glanced_ms = now_ms;
    topic_watch_glance(&follow->query->watch);
}

static void say(struct follow *follow, const struct connect_status *status) {
    bool works = status->is_trigger_active && status->is_data_available;
    const struct query_options *options = follow->query->definition.options;
    struct topic_lag lag = topic_lag_read(&follow->query->report.status.lag, NULL);
    int64_t lacking = options->min_offsets_per_trigger - lag.records;
    // Spark says nothing of it, and nothing of when it began to count.
    if (!works && query_holds_back(options) && lag.is_known && lag.records > 0 && lacking > 0)
        query_status_hold(&follow->query->report.status, lacking, 0);
    else
        query_status_say(&follow->query->report.status, works ? QUERY_RUNNING : QUERY_WAITING,
                         status->is_data_available, status->message);
    // A call waits for its answer, and a watchdog must not mistake that for a hang.
    query_status_rest(&follow->query->report.status, POLL_MS + follow->options->timeout_ms);
}

/* A stop interrupts the running batch, so it first waits for half of SHUTDOWN_TIMEOUT, in case the
 * batch is nearly done. */
static bool is_time_to_stop(struct follow *follow, const struct connect_status *status) {
    enum stop_level level = stop_read(follow->query->stop);
    if (follow->lost.kind != ERROR_NONE)
        return true;
    if (level == STOP_NOT)
        return false;
    int64_t now_ms = clock_monotonic_ms();
    if (follow->stop_asked_ms == 0) {
        follow->stop_asked_ms = now_ms;
        follow->stop_batch = follow->query->position.next_batch;
    }
    return level == STOP_NOW || !status->is_trigger_active ||
           follow->query->position.next_batch > follow->stop_batch ||
           now_ms - follow->stop_asked_ms >= follow->options->shutdown_timeout_ms / 2;
}

/* The query is not active any more. */
static bool take_end(struct follow *follow, struct error *err) {
    bool failed;
    struct error why;
    if (!connect_exception(follow->session, follow->ids, &failed, &why, err))
        return false;
    follow->ended = true;
    follow->given_up = failed;
    if (failed) {
        *err = why;
        return spark_reason_add(connect_error_class(follow->session), err);
    }
    if (follow->lost.kind != ERROR_NONE) {
        *err = follow->lost;
        return false;
    }
    return follow->query->definition.options->trigger.available_now || follow->stop_asked_ms != 0 ||
           error_set(err, ERROR_CLUSTER, "the query was stopped in Spark by someone else");
}

static bool look(struct follow *follow, struct connect_status *status, struct error *err) {
    if (cluster_has_ended(follow->cluster, err))
        return false;
    if (!connect_status(follow->session, follow->ids, status, err))
        return false;
    say(follow, status);
    glance(follow);
    return take_batches(follow, err);
}

static bool stop(struct follow *follow, struct error *err) {
    log_write(LOG_INFO, follow->query->report.name, "Stopping the query in Spark | run=%s",
              follow->ids->run_id);
    if (!connect_stop(follow->session, follow->ids, err) || !take_batches(follow, err))
        return false;
    follow->ended = true;
    if (follow->lost.kind == ERROR_NONE)
        return true;
    *err = follow->lost;
    return false;
}

static bool follow_to_end(struct follow *follow, struct error *err) {
    struct connect_status status;
    for (;;) {
        if (!look(follow, &status, err))
            return false;
        // The status was asked before the commits were read, so an ended query has none left.
        if (!status.is_active)
            return take_end(follow, err);
        if (is_time_to_stop(follow, &status))
            return stop(follow, err);
        (void)stop_sleep(follow->query->stop, POLL_MS);
        if (follow->stop_asked_ms != 0) // then a sleep for a stop is none
            (void)poll(NULL, 0, POLL_MS);
    }
}

bool follow_query(struct follow *follow, struct error *err) {
    bool done = follow_to_end(follow, err);
    progress_book_deinit(&follow->book);
    return done;
}
