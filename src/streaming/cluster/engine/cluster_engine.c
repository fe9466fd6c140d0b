/* A query on Spark: a session, the query in it, and the work around it.
 *
 * The checkpoint's note of the run (checkpoint_notes.h) is durable before Spark gets to know of the
 * query, so that a start after a crash finds a run that may still be active. It is removed when the
 * query has ended and all its batches were checked. A query that Spark ends by an error, or whose
 * session is gone, is started again from the top; everything else ends the query here. */
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
#include "streaming/cluster/engine/lake_check.h"
#include "streaming/cluster/engine/spark_reason.h"
#include "streaming/cluster/engine/stream_start.h"
#include "streaming/store/checkpoint_notes.h"

enum { BACKOFF_FIRST_MS = 1000, BACKOFF_MAX_MS = 30000 };

struct cluster_engine {
    struct engine engine;
    struct query *query;
    struct cluster *cluster;
    const struct cluster_options *options; // the cluster's
    const struct connect_url *url;         // of the server; set by open()
    struct connect_session *session;       // NULL: none
    struct run_note note;
    bool lake_checked;
    bool given_up;         // Spark has ended the query by an error
    bool may_run;          // Spark may be running the query
    struct retry failures; // since a batch was committed
};

static bool open_session(struct cluster_engine *self, struct error *err) {
    struct connect_options options = {.url = self->url,
                                      .session_id = self->url->session_id,
                                      .logger = self->query->report.name,
                                      .timeout_ms = self->options->timeout_ms,
                                      .stop = cluster_halt(self->cluster)};
    if (self->session != NULL)
        return true;
    query_status_rest(&self->query->report.status, 2 * self->options->timeout_ms);
    if (!connect_open(&options, &self->session, err))
        return false;
    log_write(LOG_INFO, self->query->report.name,
              "Connected to Spark | host=%s | port=%d | version=%s | session=%s", self->url->host,
              self->url->port, connect_spark_version(self->session),
              connect_session_id(self->session));
    return true;
}

/* A session that the URL names is others' as well, and stays. */
static void close_session(struct cluster_engine *self) {
    if (self->session != NULL && self->url->session_id != NULL)
        connect_abandon(self->session);
    else if (self->session != NULL)
        connect_close(self->session);
    self->session = NULL;
}

static bool write_note(struct cluster_engine *self, struct error *err) {
    struct retry retry = {0};
    while (!run_note_write(self->query->definition.options->store.checkpoint, &self->note, err))
        if (!retry_again(&self->query->retrier, &retry, err))
            return false;
    return true;
}

/* Durable before Spark gets to know of the query. */
static bool note_session(struct cluster_engine *self, struct error *err) {
    struct run_note *note = &self->note;
    *note = (struct run_note){.first_batch = self->query->position.next_batch,
                              .started_ms = clock_wall_ms(),
                              .parse_mode = self->query->definition.options->parse_mode,
                              .pid = cluster_server_pid(self->cluster),
                              .port = self->url->port,
                              .use_ssl = self->url->use_ssl};
    snprintf(note->master, sizeof note->master, "%s", self->options->master);
    snprintf(note->host, sizeof note->host, "%s", self->url->host);
    snprintf(note->user_id, sizeof note->user_id, "%s", self->url->user_id);
    snprintf(note->session_id, sizeof note->session_id, "%s", connect_session_id(self->session));
    return write_note(self, err);
}

static bool check_lake(struct cluster_engine *self, struct error *err) {
    const struct table *table = &self->query->store->table;
    query_status_say(&self->query->report.status, QUERY_STARTING, false,
                     "Checking that all nodes mount the lake");
    query_status_rest(&self->query->report.status, 2 * self->options->timeout_ms);
    if (!self->lake_checked && !lake_check(self->session, table->staging.text, err))
        return false;
    self->lake_checked = true;
    return true;
}

static bool clear_empty_logs(struct cluster_engine *self, struct error *err) {
    struct retry retry = {0};
    while (!checkpoint_clear_empty_logs(&self->query->store->checkpoint, err))
        if (!retry_again(&self->query->retrier, &retry, err))
            return false;
    return true;
}

static bool start(struct cluster_engine *self, struct connect_query *ids, struct error *err) {
    struct query *query = self->query;
    query_status_rest(&query->report.status, 2 * self->options->timeout_ms);
    if (!clear_empty_logs(self, err))
        return false;
    self->may_run = true;
    if (!stream_start(self->session, query, self->options, ids, err)) {
        self->may_run = connect_failure_of(self->session) != CONNECT_SPARK;
        return spark_reason_add(connect_error_class(self->session), err);
    }
    query_status_set_started(&query->report.status);
    snprintf(self->note.query_id, sizeof self->note.query_id, "%s", ids->id);
    snprintf(self->note.run_id, sizeof self->note.run_id, "%s", ids->run_id);
    log_write(LOG_INFO, query->report.name,
              "Started on Spark | master=%s | query=%s | run=%s | next_batch=%" PRId64,
              self->options->master, ids->id, ids->run_id, query->position.next_batch);
    return write_note(self, err);
}

/* Once, from a session to the query's end. */
static bool attempt(struct cluster_engine *self, struct error *err) {
    struct connect_query ids;
    int64_t next_batch = self->query->position.next_batch;
    self->given_up = false;
    if (!open_session(self, err) || !note_session(self, err) ||
        !stream_configure(self->session, self->query, self->options, err) ||
        !check_lake(self, err) || !start(self, &ids, err))
        return false;
    struct follow follow = {.query = self->query,
                            .cluster = self->cluster,
                            .session = self->session,
                            .ids = &ids,
                            .options = self->options};
    cluster_note_followed(self->cluster, true);
    bool done = follow_query(&follow, err);
    cluster_note_followed(self->cluster, false);
    self->given_up = follow.given_up;
    self->may_run = !follow.ended;
    if (self->query->position.next_batch > next_batch)
        self->failures = (struct retry){0}; // it got somewhere
    return done;
}

/* What comes of trying again. A query that has ended by an error of Spark's may have met a broker,
 * a disk or an executor that was gone for a while; a session is gone when its server was restarted.
 */
static bool may_try_again(struct cluster_engine *self, const struct error *err) {
    return err->kind == ERROR_CLUSTER && self->session != NULL &&
           (self->given_up || connect_failure_of(self->session) == CONNECT_SESSION_GONE);
}

static void say_again(struct cluster_engine *self, int64_t limit_ms, const struct error *err) {
    char text[sizeof err->message + 32];
    (void)snprintf(text, sizeof text, "%s; starting the query again", err->message);
    const struct log_retry times = {.pause_ms = self->failures.backoff_ms,
                                    .limit_ms = limit_ms,
                                    .limit = "WRITE_RETRY_TIMEOUT"};
    const struct retry_words words = {.message = "Waiting to start again on Spark",
                                      .text = text,
                                      .reason = err->message,
                                      .level = LOG_ERROR,
                                      .is_data_available = true};
    retry_say(&self->query->report, &self->failures, times, &words);
}

static bool try_again(struct cluster_engine *self, struct error *err) {
    struct query *query = self->query;
    struct error ended;
    if (cluster_has_ended(self->cluster, &ended)) {
        *err = ended;
        return false;
    }
    if (!may_try_again(self, err))
        return false;
    int64_t now_ms = clock_monotonic_ms(),
            limit_ms = query->definition.options->write_retry_timeout_ms;
    retry_note(&self->failures, now_ms);
    if (self->failures.attempts == 1)
        self->failures.backoff_ms = BACKOFF_FIRST_MS;
    if (now_ms - self->failures.began_ms >= limit_ms)
        return error_wrap(err, "gave up after WRITE_RETRY_TIMEOUT (%" PRId64 " s)",
                          limit_ms / 1000);
    say_again(self, limit_ms, err);
    close_session(self);
    query_status_rest(&query->report.status, self->failures.backoff_ms);
    if (stop_sleep(query->stop, self->failures.backoff_ms))
        return error_set(err, ERROR_STOPPED, "stopped while waiting to restart on Spark");
    int64_t next_ms = 2 * self->failures.backoff_ms;
    self->failures.backoff_ms = next_ms < BACKOFF_MAX_MS ? next_ms : BACKOFF_MAX_MS;
    return true;
}

/* The query runs no more, and all its batches are looked at: what failed tasks have left in the
 * table is set aside, as at any start, and the note goes. */
static bool leave_in_order(struct cluster_engine *self, struct error *err) {
    struct recovery recovery = {0};
    struct retry retry = {0};
    if (!query_recover(self->query, &recovery, err))
        return false;
    recovery_deinit(&recovery);
    // Spark may have gone on with the check of a killed start for a moment after it was ended.
    lake_check_sweep(self->query->store->table.staging.text);
    while (!run_note_remove(self->query->definition.options->store.checkpoint, err))
        if (!retry_again(&self->query->retrier, &retry, err))
            return false;
    return true;
}

static bool run_to_end(struct cluster_engine *self, struct error *err) {
    while (!attempt(self, err))
        if (!try_again(self, err))
            return false;
    return true;
}

static bool open_engine(struct engine *engine, struct error *err) {
    struct cluster_engine *self = (struct cluster_engine *)engine;
    query_status_say(&self->query->report.status, QUERY_STARTING, false,
                     "Waiting for Spark to start");
    query_status_rest(&self->query->report.status, self->options->timeout_ms);
    return cluster_await(self->cluster, &self->url, err);
}

/* An open plan is Spark's to run again.
 *
 * A query that Spark gives up is started again with back-off, as long as batches get committed in
 * between, or for WRITE_RETRY_TIMEOUT. */
static bool run(struct engine *engine, const struct plan *open_plan, struct error *err) {
    struct cluster_engine *self = (struct cluster_engine *)engine;
    (void)open_plan;
    bool done = run_to_end(self, err);
    close_session(self);
    if (done)
        return leave_in_order(self, err);
    // The reason why it has ended is what is reported.
    struct error ignored;
    if (!self->may_run)
        (void)!leave_in_order(self, &ignored);
    return false;
}

static void close_engine(struct engine *engine) {
    free(engine);
}

struct engine *cluster_engine_create(struct query *query, struct cluster *cluster) {
    static const struct engine_ops ops = {open_engine, run, close_engine};
    struct cluster_engine *self = must_alloc(1, sizeof *self);
    *self = (struct cluster_engine){.engine = {&ops},
                                    .query = query,
                                    .cluster = cluster,
                                    .options = cluster_options_of(cluster)};
    return &self->engine;
}
