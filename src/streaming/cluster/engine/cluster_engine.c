#include "streaming/cluster/engine/cluster_engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "streaming/cluster/connect/connect.h"
#include "streaming/cluster/engine/follow.h"
#include "streaming/cluster/engine/former_run.h"
#include "streaming/cluster/engine/lake_check.h"
#include "streaming/cluster/engine/spark_reason.h"
#include "streaming/cluster/engine/stream_start.h"
#include "streaming/query/retry.h"
#include "streaming/store/run_note.h"
#include "streaming/store/store_parts.h"

enum { BACKOFF_FIRST_MS = 1000, BACKOFF_MAX_MS = 30000 };

struct run {
    struct query *query;
    const struct cluster_options *options;
    const struct connect_url *url;
    struct connect_session *session; // NULL: none
    struct run_note note;
    bool lake_checked;
    bool given_up;                 // Spark has ended the query by an error
    bool may_run;                  // Spark may be running the query
    int64_t failed_ms, backoff_ms; // since when nothing but failures; 0: all is well
};

static bool open_session(struct run *run, struct error *err) {
    struct connect_options options = {.url = run->url,
                                      .session_id = run->url->session_id,
                                      .logger = run->query->how.name,
                                      .timeout_ms = run->options->timeout_ms,
                                      .stop = cluster_halt(run->query->cluster)};
    if (run->session != NULL)
        return true;
    query_status_rest(&run->query->status, 2 * run->options->timeout_ms);
    if (!connect_open(&options, &run->session, err))
        return false;
    log_write(LOG_INFO, run->query->how.name,
              "Connected to Spark | host=%s | port=%d | version=%s | session=%s", run->url->host,
              run->url->port, connect_spark_version(run->session),
              connect_session_id(run->session));
    return true;
}

/* A session that the URL names is others' as well, and stays. */
static void close_session(struct run *run) {
    if (run->session != NULL && run->url->session_id != NULL)
        connect_abandon(run->session);
    else if (run->session != NULL)
        connect_close(run->session);
    run->session = NULL;
}

static bool write_note(struct run *run, struct error *err) {
    struct retry retry = {0};
    while (!run_note_write(run->query->options->store.checkpoint, &run->note, err))
        if (!retry_again(run->query, &retry, err))
            return false;
    return true;
}

/* Durable before Spark gets to know of the query. */
static bool note_session(struct run *run, struct error *err) {
    struct run_note *note = &run->note;
    *note = (struct run_note){.first_batch = run->query->next_batch,
                              .started_ms = clock_wall_ms(),
                              .parse_mode = run->query->options->parse_mode,
                              .pid = cluster_server_pid(run->query->cluster),
                              .port = run->url->port,
                              .use_ssl = run->url->use_ssl};
    snprintf(note->master, sizeof note->master, "%s", run->options->master);
    snprintf(note->host, sizeof note->host, "%s", run->url->host);
    snprintf(note->user_id, sizeof note->user_id, "%s", run->url->user_id);
    snprintf(note->session_id, sizeof note->session_id, "%s", connect_session_id(run->session));
    return write_note(run, err);
}

static bool check_lake(struct run *run, struct error *err) {
    const struct table *table = &run->query->store->table;
    query_status_say(&run->query->status, QUERY_STARTING, false,
                     "Looking whether all nodes have the lake");
    query_status_rest(&run->query->status, 2 * run->options->timeout_ms);
    if (!run->lake_checked && !lake_check(run->session, table->staging.text, err))
        return false;
    run->lake_checked = true;
    return true;
}

static bool clear_empty_logs(struct run *run, struct error *err) {
    struct retry retry = {0};
    while (!checkpoint_clear_empty_logs(&run->query->store->checkpoint, err))
        if (!retry_again(run->query, &retry, err))
            return false;
    return true;
}

static bool start(struct run *run, struct connect_query *ids, struct error *err) {
    struct query *query = run->query;
    query_status_rest(&query->status, 2 * run->options->timeout_ms);
    if (!clear_empty_logs(run, err))
        return false;
    run->may_run = true;
    if (!stream_start(run->session, query, run->options, ids, err)) {
        run->may_run = connect_failure_of(run->session) != CONNECT_SPARK;
        return spark_reason_add(connect_error_class(run->session), err);
    }
    query_status_set_started(&query->status);
    snprintf(run->note.query_id, sizeof run->note.query_id, "%s", ids->id);
    snprintf(run->note.run_id, sizeof run->note.run_id, "%s", ids->run_id);
    log_write(LOG_INFO, query->how.name,
              "Started on Spark | master=%s | query=%s | run=%s | next_batch=%" PRId64,
              run->options->master, ids->id, ids->run_id, query->next_batch);
    return write_note(run, err);
}

/* Once, from a session to the query's end. */
static bool attempt(struct run *run, struct error *err) {
    struct connect_query ids;
    int64_t next_batch = run->query->next_batch;
    run->given_up = false;
    if (!open_session(run, err) || !note_session(run, err) ||
        !stream_configure(run->session, run->query, run->options, err) || !check_lake(run, err) ||
        !start(run, &ids, err))
        return false;
    struct follow follow = {
        .query = run->query, .session = run->session, .ids = &ids, .options = run->options};
    cluster_note_followed(run->query->cluster, true);
    bool done = follow_query(&follow, err);
    cluster_note_followed(run->query->cluster, false);
    run->given_up = follow.given_up;
    run->may_run = !follow.ended;
    if (run->query->next_batch > next_batch)
        run->failed_ms = 0; // it got somewhere
    return done;
}

/* What comes of trying again. A query that has ended by an error of Spark's may have met a broker,
 * a disk or an executor that was gone for a while; a session is gone when its server was restarted.
 */
static bool may_try_again(struct run *run, const struct error *err) {
    return err->kind == ERROR_CLUSTER && run->session != NULL &&
           (run->given_up || connect_failure_of(run->session) == CONNECT_SESSION_GONE);
}

static bool try_again(struct run *run, struct error *err) {
    struct query *query = run->query;
    struct error ended;
    if (cluster_has_ended(query->cluster, &ended)) {
        *err = ended;
        return false;
    }
    if (!may_try_again(run, err))
        return false;
    int64_t now_ms = clock_monotonic_ms(), limit_ms = query->options->write_retry_timeout_ms;
    if (run->failed_ms == 0) {
        run->failed_ms = now_ms;
        run->backoff_ms = BACKOFF_FIRST_MS;
    }
    if (now_ms - run->failed_ms >= limit_ms)
        return error_wrap(err, "gave up after WRITE_RETRY_TIMEOUT (%" PRId64 " s)",
                          limit_ms / 1000);
    log_write(LOG_ERROR, query->how.name, "%s; starting the query again | retry_in_ms=%" PRId64,
              err->message, run->backoff_ms);
    query_status_fault(&query->status, QUERY_RETRYING, true, "Waiting to start again on Spark",
                       err->message);
    close_session(run);
    query_status_rest(&query->status, run->backoff_ms);
    if (stop_sleep(query->stop, run->backoff_ms))
        return error_set(err, ERROR_STOPPED, "stopped while waiting to start again on Spark");
    run->backoff_ms = 2 * run->backoff_ms < BACKOFF_MAX_MS ? 2 * run->backoff_ms : BACKOFF_MAX_MS;
    return true;
}

/* The query runs no more, and all its batches are looked at: what failed tasks have left in the
 * table is set aside, as at any start, and the note goes. */
static bool leave_in_order(struct run *run, struct error *err) {
    struct recovery recovery = {0};
    struct retry retry = {0};
    if (!query_recover(run->query, &recovery, err))
        return false;
    recovery_deinit(&recovery);
    // Spark may have gone on with the check of a killed start for a moment after it was ended.
    lake_check_sweep(run->query->store->table.staging.text);
    while (!run_note_remove(run->query->options->store.checkpoint, err))
        if (!retry_again(run->query, &retry, err))
            return false;
    return true;
}

static bool run_to_end(struct run *run, struct error *err) {
    while (!attempt(run, err))
        if (!try_again(run, err))
            return false;
    return true;
}

bool cluster_run(struct query *query, struct error *err) {
    struct run run = {.query = query, .options = cluster_options_of(query->cluster)};
    if (!cluster_await(query->cluster, &run.url, err))
        return false;
    bool done = run_to_end(&run, err);
    close_session(&run);
    if (done)
        return leave_in_order(&run, err);
    // The reason why it has ended is what is to be told.
    struct error ignored;
    if (!run.may_run)
        (void)!leave_in_order(&run, &ignored);
    return false;
}
