/* connect_url.h: sc://host[:port][/;name=value;…], where a Spark Connect server is
 * (Spark's "Connection string to access Spark Connect").
 *
 *     port      15002 unless given
 *     token     sent as bearer token with each call; needs use_ssl, unless the host is this machine
 *     use_ssl   true or false (the default)
 *     user_id   whose session it is; the process's user name unless given
 *     session_id  of a session to attach to; a UUID
 *
 * Other names are sent as headers of each call, as Spark's own clients do. */
#ifndef STREAMING_CLUSTER_CONNECT_CONNECT_URL_H
#define STREAMING_CLUSTER_CONNECT_CONNECT_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { CONNECT_PORT = 15002, CONNECT_HEADERS_MAX = 16 };

struct connect_header {
    char *name, *value;
};

struct connect_url {
    char *host; // owned, as are all texts; an IPv6 address without its brackets
    int port;
    bool use_ssl;
    char *token;      // NULL: none
    char *user_id;    // never NULL
    char *session_id; // NULL: a new session
    struct connect_header headers[CONNECT_HEADERS_MAX];
    size_t header_count;
};

/* Percent-encoding is undone in values. ERROR_CONFIG names what is wrong, and never has the token.
 */
MUST_CHECK bool connect_url_parse(const char *text, struct connect_url *url, struct error *err);
void connect_url_deinit(struct connect_url *url);

/* Undoes percent-encoding (RFC 3986, section 2.1), of which gRPC's messages are, too. Terminated;
 * owned by the caller. A '%' that begins no pair of hexadecimal digits, or %00, stays as it is, and
 * *whole becomes false. */
char *percent_decode(const char *text, size_t size, bool *whole);

#endif
