/* connect.h: a client of Spark Connect: one session on one server, for one thread.
 *
 * What the program asks of Spark is a handful of calls: set the session's configuration, start a
 * streaming query, ask how it does, stop it, write a small frame. Each waits until it is answered,
 * for no longer than `timeout_ms`. A connection that breaks is made again within that time, and a
 * call that was under way is attached to again (ReattachExecute), not repeated: a query is never
 * started twice. The messages are ours (spark_connect.proto), wire-compatible with Spark 4's.
 *
 * Errors are ERROR_CLUSTER, with what Spark says and its cause; `connect_failure_of()` says what
 * kind. ERROR_STOPPED: `stop` went to STOP_NOW while we waited. */
#ifndef STREAMING_CLUSTER_CONNECT_CONNECT_H
#define STREAMING_CLUSTER_CONNECT_CONNECT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/system/stop.h"
#include "streaming/cluster/connect/connect_fault.h"
#include "streaming/cluster/connect/connect_frame.h"
#include "streaming/cluster/connect/connect_url.h"

struct connect_options {
    const struct connect_url *url; // borrowed
    const char *session_id;        // a UUID; NULL: the URL's, or a new session
    const char *logger;            // whose lines report broken connections: "match_stream"
    int64_t timeout_ms;            // how long to wait for a server that does not answer
    struct stop *stop;             // borrowed; NULL: none
    enum connect_failure *failure; // filled if connect_open() fails; NULL: nobody asks
};

struct connect_session;

/* Connects, and asks the server for its version. */
MUST_CHECK bool connect_open(const struct connect_options *options,
                             struct connect_session **session, struct error *err);
/* Releases the session on the server, if it can be reached at once, and frees everything. */
void connect_close(struct connect_session *session);
/* The same, but leaves the session on the server, for one that attaches to it later. */
void connect_abandon(struct connect_session *session);

const char *connect_session_id(const struct connect_session *session);
const char *connect_spark_version(const struct connect_session *session); // "4.2.0"

/* About the newest call that failed. The error class is Spark's, "" if it has none, such as
 * "KAFKA_DATA_LOSS.COULD_NOT_READ_OFFSET_RANGE". */
enum connect_failure connect_failure_of(const struct connect_session *session);
const char *connect_error_class(const struct connect_session *session);

/* Sets the session's configuration, all or nothing. */
MUST_CHECK bool connect_configure(struct connect_session *session, const struct connect_pair *pairs,
                                  size_t count, struct error *err);

/* Starts a streaming query, once, no matter what happens to the connection meanwhile. */
MUST_CHECK bool connect_start(struct connect_session *session, const struct connect_stream *stream,
                              struct connect_query *query, struct error *err);

struct connect_status {
    char message[192]; // Spark's words: "Waiting for next trigger"
    bool is_data_available, is_trigger_active, is_active;
};

MUST_CHECK bool connect_status(struct connect_session *session, const struct connect_query *query,
                               struct connect_status *status, struct error *err);

/* The newest progress reports (100 at most by default), oldest first, each a StreamingQueryProgress
 * in JSON. The caller frees the texts and the list. */
MUST_CHECK bool connect_progress(struct connect_session *session, const struct connect_query *query,
                                 char ***reports, size_t *count, struct error *err);

/* Why the query ended. *found false: it did not end by an error. Otherwise *why is filled as an
 * error of a call would be, and connect_error_class() is its class. */
MUST_CHECK bool connect_exception(struct connect_session *session,
                                  const struct connect_query *query, bool *found, struct error *why,
                                  struct error *err);

/* Interrupts the running batch and waits until the query has ended. */
MUST_CHECK bool connect_stop(struct connect_session *session, const struct connect_query *query,
                             struct error *err);

/* Runs a batch job that writes the frame to files below `path`, which is replaced. */
MUST_CHECK bool connect_write(struct connect_session *session, const struct connect_frame *frame,
                              const char *format, const char *path, struct error *err);

#endif
