/* http_api.h: what can be asked over HTTP (docs/http.md): the table of paths, who may ask, and what
 * every route gets.
 *
 * A further path is a function in surfaces/http/routes/, declared in its routes.h, and one line in
 * the table in http_api.c. */
#ifndef SURFACES_HTTP_HTTP_API_H
#define SURFACES_HTTP_HTTP_API_H

#include "streaming/start/streaming.h"
#include "surfaces/alerts/alerts.h"
#include "surfaces/http/http_message.h"
#include "surfaces/settings/config.h"

/* What the routes look at. Constant while the server runs; all is borrowed. */
struct http_api {
    const struct config *config;
    int64_t started_ms; // the program; wall clock
    bool is_loopback;   // only this machine can ask
    size_t query_count;
    struct query_view queries[STREAMING_QUERIES_MAX];
    struct streaming_memory (*memory)(struct streaming *streaming);
    size_t (*sources)(struct streaming *streaming, size_t most, bool *found,
                      struct kafka_statistics *statistics);
    struct streaming *streaming; // for `memory` and `sources`
    struct alerts *alerts;       // NULL: there are none
};

/* One request that was let through. */
struct http_call {
    const struct http_api *api;
    const struct http_request *request;
    const struct query_view *query; // that the path names; NULL: it names none
    bool is_trusted;                // no UI_TOKEN, or it was given: a path that is open to all may
                                    // say less without
};

typedef void http_route(const struct http_call *call, struct http_response *response);

/* An http_handler (http_server.h); `context` is a struct http_api. */
void http_api_answer(void *context, const struct http_request *request,
                     struct http_response *response);

#endif
