/* query_status.h: what a running query shows of itself: to the monitor, the progress display and,
 * later, the page. The query's driver thread writes it, any thread takes a copy. */
#ifndef STREAMING_QUERY_STATUS_H
#define STREAMING_QUERY_STATUS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* A copy of everything, taken at one moment. */
struct query_snapshot {
    const char *name;       // "match_stream"
    bool is_active;         // the driver thread runs
    bool is_started;        // disk and topic were brought together: from here on batches run
    bool is_data_available; // as in Spark's status: there was something to do at the last look
    char message[192];      // Spark's words: "Waiting for next trigger", "Processing new data", …

    int64_t batch_id;     // newest committed; -1: none yet
    int64_t rows;         // committed since start
    int64_t rejects;      // likewise
    int64_t records_read; // since start, also of the batch under way and of attempts that failed
    int64_t lag;          // records behind the topic's end, after the batch under way; -1: unknown

    /* For the watchdog. `signs` grows while the driver gets on, or a worker that it waits for; it
     * stands still when one of them hangs, and while the driver sleeps on purpose. */
    int64_t signs;
    int64_t rest_until_ms; // monotonic: until then it sleeps on purpose; 0: it never did
};

struct query_status {
    pthread_mutex_t lock; // guards the snapshot
    struct query_snapshot snapshot;
    _Atomic int64_t records_read; // workers add to it
};

void query_status_init(struct query_status *status, const char *name);
void query_status_deinit(struct query_status *status);

/* Any thread. */
struct query_snapshot query_status_read(struct query_status *status);

/* Driver thread. Saying something is a sign of life. */
void query_status_say(struct query_status *status, bool is_data_available, const char *message);
void query_status_sign(struct query_status *status);             // of life, without a word
void query_status_rest(struct query_status *status, int64_t ms); // sleeps so long at most
void query_status_set_started(struct query_status *status);
void query_status_set_active(struct query_status *status, bool is_active);
void query_status_set_lag(struct query_status *status, int64_t lag);
void query_status_add_batch(struct query_status *status, int64_t batch_id, int64_t rows,
                            int64_t rejects);

#endif
