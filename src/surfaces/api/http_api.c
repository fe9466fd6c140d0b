/* From a request to its answer. First it is settled who may ask: over the loopback only under a
 * name of this machine, and where the path is not open to all, with UI_TOKEN. Without UI_TOKEN, a
 * path that shows bytes of records answers to this machine only. Only then is the query that the
 * path names looked for, so that an unauthorised client does not learn which queries there are.
 * `status` finds the server by the lock of a query, where its address is noted; a query takes its
 * lock some time after the start, so main tries until it is noted. */
#include "surfaces/api/http_api.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "streaming/store/checkpoint.h"
#include "surfaces/alerts/alerts.h"
#include "surfaces/health/disk_watch.h"
#include "surfaces/http/http_server.h"
#include "surfaces/http/routes/routes.h"

/* ---- what can be asked ---- */

static const struct {
    const char *path;   // "{name}" stands for the name of a query
    http_route *answer; // fills the response
    bool is_open;       // also without UI_TOKEN
    bool shows_records; // bytes of them: without UI_TOKEN to this machine only
    bool any_host;      // for probes, which use any name and show a page nothing of records
} routes[] = {
    {"/", route_page, .is_open = true},
    {"/healthz", route_health, .is_open = true, .any_host = true},
    {"/readyz", route_ready, .is_open = true, .any_host = true},
    {"/metrics", route_metrics, .any_host = true},
    {"/api/v1/queries", route_queries},
    {"/api/v1/queries/{name}", route_query},
    {"/api/v1/queries/{name}/progress", route_progress},
    {"/api/v1/queries/{name}/batches", route_batches},
    {"/api/v1/queries/{name}/history", route_history},
    {"/api/v1/queries/{name}/rejects", route_rejects, .shows_records = true},
    {"/api/v1/queries/{name}/files", route_files},
    {"/api/v1/queries/{name}/schema", route_schema},
    {"/api/v1/settings", route_settings},
};

enum { ROUTE_COUNT = sizeof routes / sizeof routes[0] };

/* How long it takes says nothing of where the two differ. */
static bool is_same_secret(const char *given, const char *secret) {
    size_t given_size = strlen(given), size = strlen(secret);
    unsigned difference = given_size != size;
    for (size_t i = 0; i < given_size; i++)
        difference |= (unsigned)(given[i] ^ secret[i % size]);
    return difference == 0;
}

static bool has_token(const struct program_view *program) {
    return program->config->ui_token != NULL && *program->config->ui_token != '\0';
}

static bool is_trusted(const struct program_view *program, const struct http_request *request) {
    static const char bearer[] = "Bearer ";
    const char *token = program->config->ui_token;
    if (!has_token(program))
        return true;
    const char *given = request->authorization;
    return given != NULL && strncasecmp(given, bearer, sizeof bearer - 1) == 0 &&
           is_same_secret(given + sizeof bearer - 1, token);
}

/* Whether a request that reached us over the loopback was meant for it. A page from elsewhere can
 * have its own name resolve to 127.0.0.1 and would then be allowed to read what we answer; but its
 * browser says that name. */
static bool is_own_host(const char *host) {
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    if (host == NULL)
        return true; // no browser
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t size = strlen(names[i]);
        if (strncasecmp(host, names[i], size) == 0 && (host[size] == '\0' || host[size] == ':'))
            return true;
    }
    return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.:") == strlen(host);
}

/* "[::1]:4040", "::1" without a port's brackets never comes; an IPv4 address is digits and dots. */
static bool is_address(const char *host, size_t size) {
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    bool is_v6 = size > 2 && host[0] == '[' && host[size - 1] == ']';
    size_t length = is_v6 ? size - 2 : size;
    if (length >= sizeof text)
        return false;
    (void)snprintf(text, sizeof text, "%.*s", (int)length, is_v6 ? host + 1 : host);
    return inet_pton(is_v6 ? AF_INET6 : AF_INET, text, &address) == 1;
}

/* Whether the name is one of a list, by commas. */
static bool is_listed(const char *list, const char *name, size_t size) {
    while (list != NULL && *list != '\0') {
        size_t length = strcspn(list, ",");
        if (length > 0 && length == size && strncasecmp(list, name, size) == 0)
            return true;
        list += length + (list[length] == ',');
    }
    return false;
}

/* Whether the page may be read under this name without a token. A page from elsewhere can make its
 * own name lead to any address, also one in this network (DNS rebinding), and would then be allowed
 * to read what we answer; but its browser says that name, which is neither an address nor a name
 * that the operator has given. */
static bool is_accepted_host(const struct config *config, const char *host) {
    if (host == NULL || is_own_host(host))
        return true;
    size_t size = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    if (size > strlen(host) || (host[size] != '\0' && host[size] != ':'))
        return false;
    bool has_dot = size > 1 && host[size - 1] == '.'; // a name that is complete
    return is_address(host, size) || is_listed(config->ui_host, host, size - has_dot) ||
           is_listed(config->ui_hosts, host, size - has_dot);
}

/* Somebody at this machine, and no page from elsewhere in their browser. */
static bool is_local(const struct http_request *request) {
    return request->from_loopback && is_own_host(request->host);
}

static bool find_query(const struct program_view *program, struct text name, size_t *query) {
    for (size_t i = 0; i < program->query_count; i++) {
        const char *known = program->queries[i].options->stream->name;
        *query = i;
        if (text_equals((struct text){known, (uint32_t)strlen(known)}, name))
            return true;
    }
    return false;
}

/* Whether the path is the pattern's; `name` gets what stands for "{name}". */
static bool matches(const char *pattern, const char *path, struct text *name) {
    static const char gap[] = "{name}";
    const char *at = strstr(pattern, gap);
    *name = (struct text){0};
    if (at == NULL)
        return strcmp(pattern, path) == 0;
    size_t before = (size_t)(at - pattern);
    if (strncmp(pattern, path, before) != 0)
        return false;
    *name = (struct text){path + before, (uint32_t)strcspn(path + before, "/")};
    return name->length > 0 && strcmp(path + before + name->length, at + sizeof gap - 1) == 0;
}

static void answer_route(struct http_call *call, size_t route, struct text name,
                         struct http_response *response) {
    if (!routes[route].is_open && !call->is_trusted) {
        http_response_error(
            response, HTTP_UNAUTHORIZED,
            "this needs the header 'Authorization: Bearer' with the value of UI_TOKEN");
        return;
    }
    if (routes[route].shows_records && !has_token(call->program) && !is_local(call->request)) {
        http_response_error(response, HTTP_FORBIDDEN,
                            "without UI_TOKEN, the bytes of records are shown only on the machine "
                            "itself, at http://127.0.0.1; set UI_TOKEN to read them from "
                            "elsewhere");
        return;
    }
    if (name.length > 0 && !find_query(call->program, name, &call->query)) {
        http_response_error(response, HTTP_NOT_FOUND,
                            "no query '%.*s' runs here; /api/v1/queries lists the running queries",
                            (int)name.length, name.bytes);
        return;
    }
    routes[route].answer(call, response);
}

void http_api_answer(void *context, const struct http_request *request,
                     struct http_response *response) {
    const struct program_view *program = context;
    struct http_call call = {
        .program = program, .request = request, .is_trusted = is_trusted(program, request)};
    bool accepted = has_token(program) || is_accepted_host(program->config, request->host);
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        struct text name;
        if (!accepted && !routes[i].any_host)
            continue;
        if (matches(routes[i].path, request->path, &name)) {
            answer_route(&call, i, name, response);
            return;
        }
    }
    if (accepted)
        http_response_error(response, HTTP_NOT_FOUND, "there is nothing at this path");
    else
        http_response_error(response, HTTP_FORBIDDEN,
                            "this port only answers requests for localhost, for IP addresses and "
                            "for the host names in UI_HOSTS; add the name there, or set UI_TOKEN");
}

/* ---- the server of a running program ---- */

struct http_api {
    struct program_view program;
    struct http_server *server;
    char address[512];                 // for this machine's people
    bool noted[STREAMING_QUERIES_MAX]; // in the lock of the query
    bool warned;                       // that it could not be; it is retried
};

static void set_address(struct http_api *api, int port) {
    const char *host = api->program.config->ui_host;
    const char *asked = strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1"
                        : strcmp(host, "::") == 0    ? "::1"
                                                     : host;
    bool is_address6 = strchr(asked, ':') != NULL;
    (void)snprintf(api->address, sizeof api->address, "http://%s%s%s:%d", is_address6 ? "[" : "",
                   asked, is_address6 ? "]" : "", port);
}

const char *http_api_address(const struct http_api *api) {
    return api != NULL ? api->address : NULL;
}

/* In the lock of a query, for `status`. */
static bool note_address(struct http_api *api, const char *checkpoint) {
    scoped(scope_free) char *words = text_format("http=%s", api->address);
    struct error err;
    bool noted = checkpoint_note_holder(checkpoint, words, &err);
    if (!noted && !api->warned)
        log_write(LOG_WARNING, "main",
                  "`status` cannot find this process yet: its address could not be written to the "
                  "checkpoint's lock | error=%s",
                  err.message);
    api->warned = api->warned || !noted;
    return noted;
}

void http_api_update(struct http_api *api) {
    for (size_t i = 0; api != NULL && i < api->program.query_count; i++) {
        const struct query_view *query = &api->program.queries[i];
        // The lock is ours from when the query is open, which may be later than its start.
        if (api->noted[i] || query_status_read(query->status).id[0] == '\0')
            continue;
        api->noted[i] = note_address(api, query->options->store.checkpoint);
    }
}

/* What everybody in the network may read now, and how to change that. */
static void warn_of_open_port(const struct http_api *api) {
    if (!api->program.is_loopback && !has_token(&api->program))
        log_write(LOG_WARNING, "main",
                  "The page, the API and the metrics are open to the network without a token; only "
                  "rejected records are hidden from other machines | host=%s | action=set "
                  "UI_TOKEN, or SPARK_UI_HOST=127.0.0.1",
                  api->program.config->ui_host);
}

static bool start(struct http_api *api, struct error *err) {
    const struct config *config = api->program.config;
    struct http_listener listener;
    if (!http_listen(config->ui_host, config->ui_port, &listener, err))
        return false;
    api->program.is_loopback = listener.is_loopback;
    if (!http_server_start(&api->server, &listener, http_api_answer, &api->program, err))
        return false;
    set_address(api, listener.port);
    http_api_update(api);
    bool is_address6 = strchr(config->ui_host, ':') != NULL;
    log_write(LOG_INFO, "main",
              "Successfully started service 'SparkUI' on port %d. | url=http://%s%s%s:%d | "
              "token=%s",
              listener.port, is_address6 ? "[" : "", config->ui_host, is_address6 ? "]" : "",
              listener.port, *config->ui_token != '\0' ? "needed" : "none");
    warn_of_open_port(api);
    return true;
}

struct http_api *http_api_start(const struct config *config, struct streaming *streaming,
                                struct health_watch *health, struct alerts *alerts) {
    if (config->ui_port == 0)
        return NULL;
    struct http_api *api = must_alloc(1, sizeof *api);
    api->program = (struct program_view){.config = config,
                                         .started_ms = clock_wall_ms(),
                                         .query_count = streaming_query_count(streaming),
                                         .health = health,
                                         .memory = streaming_memory_read,
                                         .sources = streaming_source_statistics,
                                         .streaming = streaming,
                                         .notifications = alerts_counts,
                                         .alerts = alerts};
    for (size_t i = 0; i < api->program.query_count; i++)
        api->program.queries[i] = streaming_query_view(streaming, i);
    struct error err;
    if (disk_watch_open(config, &api->program.disks, &err) && start(api, &err))
        return api;
    log_write(LOG_WARNING, "main",
              "The queries run without page and API: their port cannot be opened | error=%s | "
              "action=set SPARK_UI_HOST and SPARK_UI_PORT, or SPARK_UI_PORT=0 to disable them",
              err.message);
    disk_watch_close(api->program.disks);
    free(api);
    return NULL;
}

void http_api_stop(struct http_api *api) {
    if (api == NULL)
        return;
    http_server_stop(api->server);
    disk_watch_close(api->program.disks);
    free(api);
}
