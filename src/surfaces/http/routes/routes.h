/* routes.h: the answers, one function per path of docs/http.md. They run on the HTTP server's
 * thread and look at copies only. */
#ifndef SURFACES_HTTP_ROUTES_H
#define SURFACES_HTTP_ROUTES_H

#include "surfaces/http/http_api.h"

http_route route_page;
http_route route_health, route_ready;
http_route route_metrics;
http_route route_queries, route_query;
http_route route_progress, route_batches, route_history;
http_route route_rejects, route_files, route_schema;
http_route route_settings;

#endif
