/* query_status.h: what a running query says of itself: to the monitor, the progress display and the
 * HTTP server. The query's driver thread writes it, any thread takes a copy. What it has done so
 * far is in query_history.h. */
#ifndef STREAMING_REPORT_QUERY_STATUS_H
#define STREAMING_REPORT_QUERY_STATUS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "streaming/report/topic_lag.h"

enum query_state {
    QUERY_STARTING, // recovery
    QUERY_RUNNING,  // a batch is under way
    QUERY_WAITING,  // for the next trigger, or for data
    QUERY_RETRYING, // something failed and is retried: broker, topic, disk
    QUERY_FAILED,
    QUERY_STOPPED,
};

/* "starting", "running", … */
const char *query_state_name(enum query_state state);

enum { QUERY_ERROR_MAX = 1024, QUERY_MESSAGE_MAX = 192 };

/* What is retried; all times wall clock. */
struct query_retry {
    int64_t since_ms;  // the first failure; 0: nothing is retried
    int64_t next_ms;   // the next attempt
    int64_t until_ms;  // then the query gives up; 0: never
    const char *limit; // the setting that says so; NULL: none
    int attempts;      // that failed
};

/* A copy of everything but the partitions, taken at one moment; the lag a moment later. */
struct query_snapshot {
    const char *name;  // "match_stream"
    char id[37];       // of the query, as in its checkpoint; "" before it is open
    char run_id[37];   // of this start of it
    bool has_sink_log; // known once it is recovered

    enum query_state state;
    bool is_active;         // the driver thread runs
    bool is_started;        // recovery is finished and the topic listed: from here on batches run
    bool is_data_available; // as in Spark's status: there was something to do at the last poll
    char message[QUERY_MESSAGE_MAX]; // Spark's words: "Waiting for next trigger", …

    char error[QUERY_ERROR_MAX]; // the newest; "": none since the start
    int64_t error_ms;            // when, wall clock
    struct query_retry retry;    // while the state is QUERY_RETRYING

    int64_t missing_files;   // of the table; -1: not known
    int64_t changed_files;   // of another size, or not of this query; -1: not known
    char missing_names[512]; // the first three of them all, by commas

    int64_t held_offsets;  // so many more are needed before a batch begins; 0: none waits for more
    int64_t held_until_ms; // or this moment, wall clock; 0: not known

    int64_t retries; // how often something failed and was retried, since start

    int64_t resumed_batch; // newest batch that the checkpoint held at the start; -1: none,
    int64_t resumed_ms;    // or not known yet; when it was committed, wall clock

    int64_t batch_id;     // newest committed; -1: none yet
    int64_t rows;         // committed since start
    int64_t rejects;      // likewise
    int64_t records_read; // since start, also of the running batch and of attempts that failed
    struct topic_lag lag;

    /* For the watchdog. `signs` grows while the driver makes progress, or a worker that it waits
     * for; it does not when one of them hangs, and while the driver sleeps on purpose. */
    int64_t signs;
    int64_t rest_until_ms; // monotonic: until then it sleeps on purpose; 0: it never did
};

struct query_status {
    pthread_mutex_t lock; // guards `snapshot`
    struct query_snapshot snapshot;
    struct lag_book lag;          // has locks of its own
    _Atomic int64_t records_read; // workers add to it
};

void query_status_init(struct query_status *status, const char *name);
void query_status_deinit(struct query_status *status);

/* Any thread. */
struct query_snapshot query_status_read(struct query_status *status);

/* Driver thread. Saying something is a sign of life. */
void query_status_open(struct query_status *status, const char id[static 37]);
void query_status_say(struct query_status *status, enum query_state state, bool is_data_available,
                      const char *message);
/* QUERY_WAITING: the next batch waits for so many more offsets, or until the moment (wall clock; 0:
 * not known). Over with the next thing that is said. */
void query_status_hold(struct query_status *status, int64_t offsets, int64_t until_ms);
/* Something failed and is retried (QUERY_RETRYING) or has ended the query (QUERY_FAILED).
 */
void query_status_fault(struct query_status *status, enum query_state state, bool is_data_available,
                        const char *message, const char *error);
/* The same for QUERY_RETRYING, with what is known of the attempts. */
void query_status_retry(struct query_status *status, bool is_data_available, const char *message,
                        const char *error, const struct query_retry *retry);
/* Something went wrong, and the query continues without it. */
void query_status_note_error(struct query_status *status, const char *error);
/* Any thread. `names`: the first three. */
void query_status_set_missing(struct query_status *status, int64_t count, int64_t changed,
                              const char *names);
void query_status_sign(struct query_status *status);             // of life, without a message
void query_status_rest(struct query_status *status, int64_t ms); // sleeps so long at most
void query_status_set_started(struct query_status *status);
void query_status_set_active(struct query_status *status, bool is_active);
void query_status_set_sink_log(struct query_status *status, bool has_sink_log);
/* The store is open: its checkpoint's newest batch. */
void query_status_resume(struct query_status *status, int64_t batch_id, int64_t committed_ms);
void query_status_add_batch(struct query_status *status, int64_t batch_id, int64_t rows,
                            int64_t rejects);

#endif
