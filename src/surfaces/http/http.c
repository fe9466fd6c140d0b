#include "surfaces/http/http.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "streaming/store/checkpoint.h"
#include "surfaces/http/http_api.h"
#include "surfaces/http/http_server.h"

struct http {
    struct http_api api;
    struct http_server *server;
    int port;
    bool noted[STREAMING_QUERIES_MAX]; // in the lock of the query
    bool warned;                       // that it could not be; it is tried again
};

/* Where this machine's people ask, in the lock of a query, for `status`. */
static bool note_address(struct http *http, const char *checkpoint) {
    const char *host = http->api.config->ui_host;
    const char *asked = strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1"
                        : strcmp(host, "::") == 0    ? "::1"
                                                     : host;
    bool is_address6 = strchr(asked, ':') != NULL;
    char words[512];
    struct error err;
    (void)snprintf(words, sizeof words, "http=http://%s%s%s:%d", is_address6 ? "[" : "", asked,
                   is_address6 ? "]" : "", http->port);
    bool noted = checkpoint_note_holder(checkpoint, words, &err);
    if (!noted && !http->warned)
        log_write(LOG_WARNING, "main", "`status` does not find this process yet | error=%s",
                  err.message);
    http->warned = http->warned || !noted;
    return noted;
}

void http_update(struct http *http) {
    for (size_t i = 0; http != NULL && i < http->api.query_count; i++) {
        const struct query_view *query = &http->api.queries[i];
        // The lock is ours from when the query is open, which may be later than its start.
        if (http->noted[i] || query_status_read(query->status).id[0] == '\0')
            continue;
        http->noted[i] = note_address(http, query->options->store.checkpoint);
    }
}

static bool start(struct http *http, struct error *err) {
    const struct config *config = http->api.config;
    struct http_listener listener;
    if (!http_listen(config->ui_host, config->ui_port, &listener, err))
        return false;
    http->api.is_loopback = listener.is_loopback;
    if (!http_server_start(&http->server, &listener, http_api_answer, &http->api, err))
        return false;
    http->port = listener.port;
    http_update(http);
    bool is_address6 = strchr(config->ui_host, ':') != NULL;
    log_write(LOG_INFO, "main",
              "Successfully started service 'SparkUI' on port %d. | url=http://%s%s%s:%d | "
              "token=%s",
              listener.port, is_address6 ? "[" : "", config->ui_host, is_address6 ? "]" : "",
              listener.port, *config->ui_token != '\0' ? "needed" : "none");
    return true;
}

struct http *http_start(const struct config *config, struct streaming *streaming,
                        struct alerts *alerts) {
    if (config->ui_port == 0)
        return NULL;
    struct http *http = must_alloc(1, sizeof *http);
    http->api = (struct http_api){.config = config,
                                  .started_ms = clock_wall_ms(),
                                  .query_count = streaming_query_count(streaming),
                                  .memory = streaming_memory_read,
                                  .sources = streaming_source_statistics,
                                  .streaming = streaming,
                                  .alerts = alerts};
    for (size_t i = 0; i < http->api.query_count; i++)
        http->api.queries[i] = streaming_query_view(streaming, i);
    struct error err;
    if (start(http, &err))
        return http;
    log_write(LOG_WARNING, "main",
              "No page and no API: the queries run without | error=%s | cure=set SPARK_UI_HOST "
              "and SPARK_UI_PORT, or SPARK_UI_PORT=0 to do without",
              err.message);
    free(http);
    return NULL;
}

void http_stop(struct http *http) {
    if (http == NULL)
        return;
    http_server_stop(http->server);
    free(http);
}
