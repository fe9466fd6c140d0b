/* fields.h: members that several routes print. */
#ifndef SURFACES_HTTP_FIELDS_H
#define SURFACES_HTTP_FIELDS_H

#include "base/json.h"
#include "streaming/report/batch_report.h"
#include "streaming/tasks/stage_clock.h"
#include "surfaces/http/http_api.h"

/* "2026-11-22T17:47:55.322Z", as Spark prints it. */
void put_time(struct json *object, const char *name, int64_t wall_ms);

/* The same, or null for what is not known (`wall_ms` less than `least`). */
void put_time_or_null(struct json *object, const char *name, int64_t wall_ms, int64_t least);

void put_text(struct json *object, const char *name, const char *text); // any bytes

/* {"plan":1.234,…,"total":9.876} in milliseconds, each divided by `batches`. */
struct json *print_durations(const int64_t stage_us[static STAGE_COUNT], int64_t total_us,
                             int64_t batches);

/* {"malformed_json":3}, those that occurred. */
struct json *print_rejects(const int64_t rejects[static REJECT_REASON_COUNT]);

/* {"colour":3,"(others)":1}: names, and what is left of `all` without one. */
struct json *print_unknown(const struct unknown_name *names, size_t count, int64_t all);

/* What the API calls BATCH and QUERY. */
struct json *print_batch(const struct batch_report *batch, const struct query_view *query);
struct json *print_query(const struct http_call *call, const struct query_view *query);

#endif
