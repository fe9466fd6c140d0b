/* Rates and durations over minutes and hours. */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/system/clock.h"
#include "surfaces/http/routes/fields.h"
#include "surfaces/http/routes/routes.h"

enum { HOUR_MINUTES = 60, DAY_MINUTES = 24 * HOUR_MINUTES };

static double per_second(int64_t records, int64_t us) {
    return us > 0 ? (double)records * 1e6 / (double)us : 0;
}

/* The rates are Spark's, of all batches of the step together. */
static struct json *print_point(const struct history_point *point) {
    struct json *object = json_new_object();
    json_put_int(object, "t", point->begin_s);
    json_put_real(object, "inputRate", per_second(point->input_records, point->since_trigger_us));
    json_put_real(object, "processRate", per_second(point->rows + point->rejects, point->total_us));
    json_put_int(object, "rows", point->rows);
    json_put_int(object, "rejects", point->rejects);
    json_put_int(object, "batches", point->batches);
    if (point->batches > 0)
        json_put_int(object, "lagAfter", point->lag_after);
    else
        json_put_null(object, "lagAfter");
    json_put(object, "durationMs",
             print_durations(point->stage_us, point->total_us, point->batches));
    return object;
}

void route_history(const struct http_call *call, struct http_response *response) {
    int64_t minutes;
    if (!http_request_number(call->request, "minutes", 1, DAY_MINUTES, HOUR_MINUTES, &minutes)) {
        http_response_error(response, HTTP_BAD_REQUEST, "want minutes=1 to %d", DAY_MINUTES);
        return;
    }
    enum history_step step = minutes <= HOUR_MINUTES ? HISTORY_10_S : HISTORY_60_S;
    int64_t step_s = history_step_seconds(step), now_s = clock_wall_ms() / 1000;
    // Not from before the program's start: it does not know what was then.
    int64_t known_s = now_s - call->api->started_ms / 1000;
    int64_t wanted = minutes * 60 / step_s, known = known_s / step_s + 2;
    size_t count = (size_t)(known > 0 && known < wanted ? known : wanted);
    struct history_point *points = must_alloc(count, sizeof *points);
    query_history_points(call->query->history, step, now_s, count, points);
    char before[64];
    snprintf(before, sizeof before, "{\"stepSeconds\":%d,\"points\":", (int)step_s);
    struct http_list *list = http_list_open(before);
    for (size_t i = 0; i < count; i++)
        http_list_add(list, print_point(&points[i]));
    http_list_close(list, "}", response);
    free(points);
}
