/* connect_messages.h: what we ask of Spark Connect, as messages on the wire (spark_connect.proto).
 *
 * Bytes are owned by the caller and freed with free(). */
#ifndef STREAMING_CLUSTER_CONNECT_CONNECT_MESSAGES_H
#define STREAMING_CLUSTER_CONNECT_CONNECT_MESSAGES_H

#include <stddef.h>
#include <stdint.h>

#include "streaming/cluster/connect/connect_frame.h"

/* The client; borrowed. */
struct connect_identity {
    const char *session_id, *user_id;
    const char *observed; // the server's own id of the session, so that it tells us if it has
                          // forgotten it; NULL: not known yet
};

struct connect_bytes {
    uint8_t *bytes;
    size_t size;
};

struct connect_bytes connect_message_version(const struct connect_identity *identity);
struct connect_bytes connect_message_configure(const struct connect_identity *identity,
                                               const struct connect_pair *pairs, size_t count);
struct connect_bytes connect_message_error_details(const struct connect_identity *identity,
                                                   const char *error_id);
struct connect_bytes connect_message_release_session(const struct connect_identity *identity);

/* A plan to be executed. */
struct Spark__Connect__Plan;

enum connect_question {
    CONNECT_ASK_STATUS,
    CONNECT_ASK_PROGRESS,
    CONNECT_ASK_EXCEPTION,
    CONNECT_ASK_STOP
};

struct Spark__Connect__Plan *connect_plan_start(const struct connect_stream *stream);
struct Spark__Connect__Plan *connect_plan_query(const struct connect_query *query,
                                                enum connect_question question);
struct Spark__Connect__Plan *connect_plan_write(const struct connect_frame *frame,
                                                const char *format, const char *path);

/* Takes the plan over. The operation may be attached to again. */
struct connect_bytes connect_message_execute(const struct connect_identity *identity,
                                             const char *operation_id,
                                             struct Spark__Connect__Plan *plan);
/* `last_response_id` NULL: from the first response on. */
struct connect_bytes connect_message_reattach(const struct connect_identity *identity,
                                              const char *operation_id,
                                              const char *last_response_id);
struct connect_bytes connect_message_release(const struct connect_identity *identity,
                                             const char *operation_id);

#endif
