/* http_listen.h: the port of the page. */
#ifndef SURFACES_HTTP_HTTP_LISTEN_H
#define SURFACES_HTTP_HTTP_LISTEN_H

#include <sys/socket.h>

#include "base/error.h"

enum { HTTP_PORT_RETRIES = 16 }; // spark.port.maxRetries

struct http_listener {
    int fd; // owned; listening, does not block
    int port;
    sa_family_t family;
    bool is_loopback; // nobody but this machine reaches it
};

/* The port, or if it is taken the next of the HTTP_PORT_RETRIES behind it that is free, each step
 * logged; 0 is any free one. ERROR_CONFIG: no such host, or none of its ports can be had. */
MUST_CHECK bool http_listen(const char *host, int port, struct http_listener *listener,
                            struct error *err);

#endif
