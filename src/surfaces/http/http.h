/* http.h: the HTTP server on top of the running queries. */
#ifndef SURFACES_HTTP_HTTP_H
#define SURFACES_HTTP_HTTP_H

#include "streaming/start/streaming.h"
#include "surfaces/alerts/alerts.h"
#include "surfaces/settings/config.h"

struct http;

/* Opens SPARK_UI_HOST:SPARK_UI_PORT and says so in the log. NULL: it is off, or can't be had, which
 * is logged as a warning and keeps no query from running. All is borrowed. */
struct http *http_start(const struct config *config, struct streaming *streaming,
                        struct alerts *alerts);

/* Notes its address in the locks of queries that have been opened since. From time to time, by
 * main; accepts NULL. */
void http_update(struct http *http);

/* Before streaming_join(); accepts NULL. */
void http_stop(struct http *http);

#endif
