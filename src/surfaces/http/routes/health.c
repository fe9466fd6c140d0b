/* Whether the program works, and whether somebody must do something. */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "surfaces/http/routes/routes.h"

/* This thread answers, and main's watchdog ends a program that does not get on: that is all that a
 * restart could mend. */
void route_health(const struct http_call *call, struct http_response *response) {
    (void)call;
    http_response_text(response, HTTP_OK, "ok\n");
}

/* Whether it is up to somebody else than the query: it has failed, or waits for a broker, a topic
 * or a disk. */
static bool needs_help(enum query_state state) {
    return state == QUERY_FAILED || state == QUERY_RETRYING;
}

/* A line per query that needs help. What its error says (paths, brokers) is for those who may see
 * the rest, too. */
void route_ready(const struct http_call *call, struct http_response *response) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    check(out != NULL);
    for (size_t i = 0; i < call->api->query_count; i++) {
        struct query_snapshot snapshot = query_status_read(call->api->queries[i].status);
        if (!needs_help(snapshot.state))
            continue;
        (void)fprintf(out, "%s: %s", snapshot.name, query_state_name(snapshot.state));
        if (call->is_trusted)
            (void)fprintf(out, ": %s", snapshot.error);
        (void)fputc('\n', out);
    }
    check(fclose(out) == 0);
    if (size == 0)
        http_response_text(response, HTTP_OK, "ready\n");
    else
        http_response_text(response, HTTP_UNAVAILABLE, "%s", text);
    free(text);
}
