/* http_api.h: the page and the API of a running program: what can be asked over HTTP
 * (docs/http.md), who may ask, and the server that answers.
 *
 * Another path is a function in surfaces/http/routes/, declared in its routes.h, and one line in
 * the table in http_api.c. */
#ifndef SURFACES_API_HTTP_API_H
#define SURFACES_API_HTTP_API_H

#include "surfaces/health/program_view.h"
#include "surfaces/http/http_message.h"

struct http_api;

/* Opens SPARK_UI_HOST:SPARK_UI_PORT and says so in the log. NULL: it is off, or can't be had, which
 * is logged as a warning and keeps no query from running. All is borrowed. */
struct http_api *http_api_start(const struct config *config, struct streaming *streaming,
                                struct health_watch *health, struct alerts *alerts);

/* Where this machine's people ask: "http://127.0.0.1:4040"; NULL: nowhere. Accepts NULL. */
const char *http_api_address(const struct http_api *api);

/* Notes its address in the locks of queries that have been opened since. From time to time, by
 * main; accepts NULL. */
void http_api_update(struct http_api *api);

/* Before streaming_join(); accepts NULL. */
void http_api_stop(struct http_api *api);

/* An http_handler (http_server.h); `context` is a struct program_view. */
void http_api_answer(void *context, const struct http_request *request,
                     struct http_response *response);

#endif
