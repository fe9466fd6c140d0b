/* connect_session.h: how connect.c makes its calls: with the connection made again when it breaks,
 * and an operation attached to again. Private to connect.c and the tests. */
#ifndef STREAMING_CLUSTER_CONNECT_CONNECT_SESSION_H
#define STREAMING_CLUSTER_CONNECT_CONNECT_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/system/stop.h"
#include "streaming/cluster/connect/connect_fault.h"
#include "streaming/cluster/connect/connect_messages.h"
#include "streaming/cluster/connect/connect_url.h"
#include "streaming/cluster/connect/grpc.h"

#define CONNECT_SERVICE "/spark.connect.SparkConnectService/"

struct connect_session {
    const struct connect_url *url; // borrowed, as are the logger and the stop
    const char *logger;
    int64_t timeout_ms;
    struct stop *stop; // NULL: none
    char id[37];
    char *observed; // the server's own id of the session; NULL: not known yet
    char *version;  // NULL: not known yet

    struct grpc *grpc;     // NULL: no connection
    int64_t away_since_ms; // monotonic; 0: not away
    struct error broken;   // how the connection broke last
    enum connect_failure failure;
    char error_class[CONNECT_ERROR_CLASS_MAX];
};

struct connect_identity connect_identity_of(const struct connect_session *session);

/* Remembers the server's id of the session, if it is the first answer. */
void connect_observe(struct connect_session *session, const char *server_side_session_id);

/* What an answer is given to; false: it can't be read. */
typedef bool connect_take(void *context, const uint8_t *bytes, size_t size);

/* Makes a call that has one answer, as often as it takes within the session's time. */
MUST_CHECK bool connect_ask(struct connect_session *session, const char *method,
                            struct connect_bytes request, connect_take *take, void *context,
                            struct error *err);

/* A response of an operation, except the last, which only says that it is complete. */
struct Spark__Connect__ExecutePlanResponse;
typedef void connect_respond(void *context,
                             const struct Spark__Connect__ExecutePlanResponse *response);

/* Has a plan executed, once, and waits until it is complete. Takes the plan over. */
MUST_CHECK bool connect_execute(struct connect_session *session, struct Spark__Connect__Plan *plan,
                                connect_respond *respond, void *context, struct error *err);

/* One call, tried once and for no longer than `ms`, of which it doesn't matter if it arrives.
 * `stop` NULL: also while we are to stop. */
void connect_say(struct connect_session *session, const char *method, struct connect_bytes request,
                 int64_t ms, struct stop *stop);

#endif
