/* What Prometheus scrapes. */
#include "surfaces/metrics/metrics.h"

#include "base/check.h"
#include "surfaces/http/routes/routes.h"

void route_metrics(const struct http_call *call, struct http_response *response) {
    FILE *out = open_memstream(&response->body, &response->size);
    check(out != NULL);
    metrics_print(out, call->api);
    check(fclose(out) == 0);
    response->status = HTTP_OK;
    response->type = METRICS_TEXT_TYPE;
}
