/* grpc.h: a gRPC client for one connection and one call at a time, which never waits without limit
 * ("gRPC over HTTP2", PROTOCOL-HTTP2.md).
 *
 *     grpc_open(&options, &patience, &connection, &err)
 *     grpc_begin(connection, "/package.Service/Method", message, size, &patience)
 *     while (grpc_receive(connection, &patience, &message, &err) == CALL_DONE && message.bytes)
 *         ...
 *     grpc_end(connection)
 *
 * For one thread. */
#ifndef STREAMING_CLUSTER_CONNECT_GRPC_H
#define STREAMING_CLUSTER_CONNECT_GRPC_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "streaming/cluster/connect/connect_url.h"
#include "streaming/cluster/connect/patience.h"

struct grpc_options {
    const struct connect_url *url; // borrowed: where, TLS, token and headers
    int64_t silence_ms;            // see http2_open()
    size_t message_size_max;       // of one answer
};

struct grpc_options grpc_defaults(const struct connect_url *url);

struct grpc;

/* CALL_DONE, _BROKEN, _REFUSED (TLS), _LATE or _STOPPED. */
enum call_outcome grpc_open(const struct grpc_options *options, const struct patience *patience,
                            struct grpc **connection, struct error *err);
void grpc_close(struct grpc *connection); // accepts NULL

/* Whether another call may begin; does not wait. */
bool grpc_is_usable(struct grpc *connection);

/* `message` must live until the call has ended. */
void grpc_begin(struct grpc *connection, const char *method, const void *message, size_t size,
                const struct patience *patience);

struct grpc_message {
    const uint8_t
        *bytes; // the connection's, until the next call of anything; never NULL if one came
    size_t size;
};

/* Codes that we act on (gRPC: doc/statuscodes.md). */
enum grpc_code {
    GRPC_CODE_OK = 0,
    GRPC_CODE_DEADLINE_EXCEEDED = 4,
    GRPC_CODE_PERMISSION_DENIED = 7,
    GRPC_CODE_UNIMPLEMENTED = 12,
    GRPC_CODE_INTERNAL = 13,
    GRPC_CODE_UNAVAILABLE = 14,
    GRPC_CODE_UNAUTHENTICATED = 16,
};

/* Waits for the call's next message. CALL_DONE with bytes NULL: it has ended well, and there is
 * none. CALL_STATUS: it has ended with an error, see grpc_status(); *err has it in a few words.
 * CALL_FOREIGN: the server does not speak gRPC. CALL_BROKEN: the connection is of no further use.
 */
enum call_outcome grpc_receive(struct grpc *connection, const struct patience *patience,
                               struct grpc_message *message, struct error *err);

struct grpc_status {
    int code;
    const char *message;    // "" if there is none
    const uint8_t *details; // a google.rpc.Status; NULL: none
    size_t details_size;
};

/* Of the newest call, until the next begins. */
struct grpc_status grpc_status(const struct grpc *connection);

/* Ends the call, complete or not. */
void grpc_end(struct grpc *connection);

#endif
