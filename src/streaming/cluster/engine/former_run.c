/* A run on a cluster that was left behind by a crash.
 *
 * Its note says where Spark ran it. A server of our own dies with its program, and we wait for its
 * end; another server is asked to end the session; one that refuses connections has ended. If none
 * of these is certain, the start fails: two writers would be worse. Then the batches that Spark
 * committed and nobody looked at get their rejects, by reading all of them again. */
#include "streaming/cluster/engine/former_run.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log/log.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "streaming/cluster/connect/connect.h"
#include "streaming/cluster/connect/transport.h"
#include "streaming/cluster/engine/lake_check.h"
#include "streaming/cluster/engine/reject_pass.h"
#include "streaming/cluster/spark/cluster.h"
#include "streaming/query/retry.h"
#include "streaming/store/store.h"

enum {
    SERVER_GONE_MS = 10000, // within which a server that was killed must be gone
    SERVER_ANSWER_MS = 10000,
    LOOK_EVERY_MS = 50,
};

static bool check_mode(const struct query *query, const struct run_note *note, struct error *err) {
    if (query->definition.options->parse_mode == note->parse_mode)
        return true;
    return error_set(err, ERROR_CONFIG,
                     "the batches from %" PRId64
                     " on ran on %s with PARSE_MODE=%s, and their rejects are not written yet: "
                     "start once with that mode",
                     note->first_batch, note->master, run_note_mode_name(note->parse_mode));
}

/* Whether the process is a Spark Connect server. A process of another machine does not show here,
 * and its lock would not have been free. */
static bool is_server(int pid) {
    char path[64], text[65536];
    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t size = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[size] = '\0';
    return memmem(text, size, "SparkConnectServer", strlen("SparkConnectServer")) != NULL;
}

/* A server of ours is killed with its program; it only takes the kernel a moment. */
static bool await_end_of_server(struct query *query, const struct run_note *note,
                                struct error *err) {
    int64_t began_ms = clock_monotonic_ms();
    while (is_server(note->pid)) {
        if (clock_monotonic_ms() - began_ms > SERVER_GONE_MS)
            return error_set(err, ERROR_CLUSTER,
                             "process %d, the Spark server of an earlier run of this query, is "
                             "still running: stop it, then start again",
                             note->pid);
        if (stop_sleep(query->stop, LOOK_EVERY_MS))
            return error_set(err, ERROR_STOPPED,
                             "stopped while waiting for a Spark server to exit");
    }
    return true;
}

/* The token and certificates are those of today's settings, if they are for the same server. */
static struct connect_url url_of(const struct connect_url *today, const struct run_note *note) {
    struct connect_url url = {.host = (char *)note->host,
                              .port = note->port,
                              .use_ssl = note->use_ssl,
                              .user_id = (char *)note->user_id};
    if (today != NULL && strcmp(today->host, note->host) == 0 && today->port == note->port) {
        url.token = today->token;
        url.header_count = today->header_count;
        memcpy(url.headers, today->headers, sizeof url.headers);
    }
    return url;
}

/* Whether the host is there and says that no server is: it has ended, with its queries. */
static bool nobody_listens(struct query *query, const struct run_note *note) {
    const struct patience patience = {clock_monotonic_ms() + SERVER_ANSWER_MS, query->stop};
    struct error ignored;
    int fd;
    enum call_outcome outcome = tcp_connect(note->host, note->port, &patience, &fd, &ignored);
    bool refused = outcome == CALL_BROKEN && errno == ECONNREFUSED;
    if (outcome == CALL_DONE)
        scope_close(&fd);
    return refused;
}

/* Whether the session is one that the URL names, which others may use as well. */
static bool is_shared(const struct connect_url *today, const struct run_note *note) {
    return today != NULL && today->session_id != NULL &&
           strcmp(today->session_id, note->session_id) == 0;
}

/* Attaches to the session of that run, and lets the server end it with all its queries. */
static bool end_session(struct query *query, const struct connect_url *today,
                        const struct run_note *note, struct error *err) {
    struct connect_url url = url_of(today, note);
    struct connect_session *session;
    struct connect_query ids = {0};
    enum connect_failure failure = CONNECT_NO_FAILURE;
    struct connect_options options = {.url = &url,
                                      .session_id = note->session_id,
                                      .logger = query->report.name,
                                      .timeout_ms = SERVER_ANSWER_MS,
                                      .stop = query->stop,
                                      .failure = &failure};
    query_status_rest(&query->report.status, INT64_C(2) * SERVER_ANSWER_MS);
    if (!connect_open(&options, &session, err))
        return failure == CONNECT_SESSION_GONE ||
               (failure == CONNECT_UNREACHABLE && nobody_listens(query, note));
    memcpy(ids.id, note->query_id, sizeof ids.id);
    memcpy(ids.run_id, note->run_id, sizeof ids.run_id);
    bool stopped = ids.run_id[0] == '\0' || connect_stop(session, &ids, err) ||
                   connect_failure_of(session) == CONNECT_SESSION_GONE ||
                   connect_failure_of(session) == CONNECT_SPARK; // it knows no such query
    if (is_shared(today, note))
        connect_abandon(session);
    else
        connect_close(session);
    return stopped;
}

bool former_run_end(struct query *query, const struct connect_url *today, struct former_run *former,
                    struct error *err) {
    struct run_note *note = &former->note;
    if (!run_note_read(query->definition.options->store.checkpoint, note, &former->found, err))
        return false;
    if (!former->found)
        return true;
    log_write(LOG_WARNING, query->report.name,
              "An earlier run of this query on a cluster did not end cleanly | master=%s | "
              "first_batch=%" PRId64,
              note->master, note->first_batch);
    if (!check_mode(query, note, err))
        return false;
    if (note->pid != 0)
        return await_end_of_server(query, note, err);
    if (note->host[0] == '\0' || end_session(query, today, note, err))
        return true;
    if (err->kind != ERROR_CLUSTER)
        return false;
    return error_wrap(err,
                      "the Spark server that ran this query may still be running it and cannot be "
                      "reached; stop it (or start once with the previous SPARK_MASTER_URL), or, if "
                      "it no longer exists, set \"host\" in '%s/" CHECKPOINT_CLUSTER "' to \"\"",
                      query->definition.options->store.checkpoint);
}

static bool settle_batch(struct query *query, int64_t batch_id, struct error *err) {
    struct plan plan;
    struct reject_pass pass;
    struct retry retry = {0};
    while (!checkpoint_read_plan(&query->store->checkpoint, batch_id, &plan, err))
        if (!retry_again(&query->retrier, &retry, err))
            return false;
    bool done = reject_pass_run(query, &plan, NULL, &pass, err);
    if (done) {
        int64_t accepted = 0;
        for (size_t i = 0; i < pass.outcome_count; i++)
            accepted += range_outcome_accepted(&pass.outcomes[i]);
        query_report_log_rejects(&query->report, batch_id, accepted, &pass.tally);
        log_write(LOG_INFO, query->report.name,
                  "Wrote the rejects of a batch that a cluster ran | batch_id=%" PRId64
                  " | rejects=%" PRId64,
                  batch_id, pass.rejects);
        reject_pass_deinit(&pass);
    }
    free(plan.ranges);
    return done;
}

bool former_run_settle(struct query *query, const struct former_run *former, struct error *err) {
    int64_t newest, last;
    struct retry retry = {0};
    if (!former->found)
        return true;
    const struct checkpoint *checkpoint = &query->store->checkpoint;
    while (!checkpoint_newest(&checkpoint->manifests, &newest, err) ||
           !checkpoint_newest(&checkpoint->commits, &last, err))
        if (!retry_again(&query->retrier, &retry, err))
            return false;
    int64_t first = newest + 1 > former->note.first_batch ? newest + 1 : former->note.first_batch;
    for (int64_t batch_id = first; batch_id <= last; batch_id++)
        if (!settle_batch(query, batch_id, err))
            return false;
    lake_check_sweep(query->store->table.staging.text);
    while (!run_note_remove(query->definition.options->store.checkpoint, err))
        if (!retry_again(&query->retrier, &retry, err))
            return false;
    return true;
}
