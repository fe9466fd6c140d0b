/* http_server.h: a small HTTP server for people and machines that look: GET and HEAD only.
 *
 * One thread of its own does it all, connection by connection, and sleeps while there is none.
 * Nobody can hold it up: a request is bounded in size (HTTP_REQUEST_MAX), its body is refused, and
 * a connection that has not got an answer, or has not asked again, for HTTP_CONNECTION_MS is
 * closed. A table of connections that fills up gives up the one that has waited longest, so that a
 * new one gets in; one address has a part of the table only. */
#ifndef SURFACES_HTTP_HTTP_SERVER_H
#define SURFACES_HTTP_HTTP_SERVER_H

#include <sys/socket.h>

#include "base/error.h"
#include "surfaces/http/http_message.h"

enum { HTTP_PORT_RETRIES = 16 }; // spark.port.maxRetries

struct http_listener {
    int fd; // owned; listening, does not block
    int port;
    sa_family_t family;
    bool is_loopback; // only this machine reaches it
};

/* The port, or if it is taken the next free one of the following HTTP_PORT_RETRIES, each step
 * logged; 0 is any free one. ERROR_CONFIG: no such host, or none of its ports is available. */
MUST_CHECK bool http_listen(const char *host, int port, struct http_listener *listener,
                            struct error *err);

enum {
    HTTP_REQUEST_MAX = 16 * 1024, // bytes of a request's line and headers, about
    HTTP_CONNECTION_MS = 20000,
    HTTP_CONNECTIONS_KEPT = 64,   // more are accepted and the oldest given up
    HTTP_CONNECTIONS_OF_ONE = 32, // likewise, of one address
};

/* On the server's thread; must not wait for anything. Fills *response. */
typedef void http_handler(void *context, const struct http_request *request,
                          struct http_response *response);

struct http_server;

/* Takes over the listener's descriptor. ERROR_RETRY: no thread, no memory. */
MUST_CHECK bool http_server_start(struct http_server **server, const struct http_listener *listener,
                                  http_handler *handle, void *context, struct error *err);

/* Closes every connection. */
void http_server_stop(struct http_server *server);

#endif
