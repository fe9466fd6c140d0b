/* routes.h: the answers, one function per path of docs/http.md. They run on the HTTP server's
 * thread, look at copies only and wait for nothing. Which path has which is in
 * surfaces/api/http_api.c. */
#ifndef SURFACES_HTTP_ROUTES_ROUTES_H
#define SURFACES_HTTP_ROUTES_ROUTES_H

#include "streaming/start/streaming.h"
#include "surfaces/health/program_view.h"
#include "surfaces/http/http_message.h"

/* One request that was let through. */
struct http_call {
    const struct program_view *program;
    const struct http_request *request;
    size_t query;    // that the path names: its index
    bool is_trusted; // no UI_TOKEN, or it was given: a path that is open to all may say less
                     // without
};

static inline const struct query_view *http_call_query(const struct http_call *call) {
    return &call->program->queries[call->query];
}

typedef void http_route(const struct http_call *call, struct http_response *response);

http_route route_page;
http_route route_health, route_ready;
http_route route_metrics;
http_route route_queries, route_query;
http_route route_progress, route_batches, route_history;
http_route route_rejects, route_files, route_schema;
http_route route_settings;

/* Of a query in which a record need not be one row: its counts of records, and of rows that WHERE
 * has left out. */
void put_row_counts(struct json *object, int64_t accepted, int64_t empty, int64_t filtered,
                    int64_t filtered_rows);

/* A batch, as the API has it (BATCH of docs/http.md). */
struct json *print_batch(const struct batch_report *batch, const struct query_view *query);

/* Files by class of size. */
struct json *print_file_sizes(const int64_t files[static FILE_SIZES]);

/* care.c: `care` of a query; and all files of its table, or of its rejects, or null. */
struct json *print_care(const struct program_view *program, const struct query_view *query);
void put_table_files(struct json *object, const char *name, const struct query_view *query,
                     bool of_rejects);

#endif
