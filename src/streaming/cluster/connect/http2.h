/* http2.h: a client's end of one HTTP/2 connection (RFC 9113), with one request at a time.
 *
 * Over TLS, or in the clear with prior knowledge. A server that says nothing is asked by PING
 * whether it is there. The adapter of nghttp2. For one thread. */
#ifndef STREAMING_CLUSTER_CONNECT_HTTP2_H
#define STREAMING_CLUSTER_CONNECT_HTTP2_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "streaming/cluster/connect/connect_url.h"
#include "streaming/cluster/connect/patience.h"

struct http2;

/* What takes an answer. Texts and bytes live during the call only. */
struct http2_listener {
    void (*field)(void *context, struct text name, struct text value); // header or trailer
    /* False: too much. */
    bool (*data)(void *context, const uint8_t *bytes, size_t size);
    void *context;
};

/* Tries to connect for no longer than some seconds. CALL_DONE, _BROKEN, _REFUSED, _LATE or
 * _STOPPED. `silence_ms`: how long the server may say nothing before it is asked whether it is
 * there, and how long it may take to say so. */
enum call_outcome http2_open(const struct connect_url *url, int64_t silence_ms,
                             const struct http2_listener *listener, const struct patience *patience,
                             struct http2 **connection, struct error *err);
void http2_close(struct http2 *connection); // accepts NULL

/* Whether another request may be made: takes what has come meanwhile, and does not wait. */
bool http2_is_usable(struct http2 *connection);

struct http2_field {
    const char *name, *value;
};

/* A POST; the body must live until the request is over, the fields need not. */
void http2_request(struct http2 *connection, const char *path, const struct http2_field *fields,
                   size_t field_count, const uint8_t *body, size_t body_size);

/* Sends what is to be sent, and waits until something has come. CALL_DONE, _BROKEN, _FOREIGN (no
 * HTTP/2, or more of it than anybody should send), _LATE or _STOPPED. */
enum call_outcome http2_advance(struct http2 *connection, const struct patience *patience,
                                struct error *err);

/* Whether the answer is complete, or will never be: *reset is then why, or NULL. */
bool http2_has_ended(const struct http2 *connection, const char **reset);

/* Ends the request, complete or not. */
void http2_finish(struct http2 *connection);

#endif
