#include "surfaces/http/http_api.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "surfaces/http/routes/routes.h"

static const struct {
    const char *path;   // "{name}" stands for the name of a query
    http_route *answer; // fills the response
    bool is_open;       // also without UI_TOKEN
} routes[] = {
    {"/", route_page, .is_open = true},
    {"/healthz", route_health, .is_open = true},
    {"/readyz", route_ready, .is_open = true},
    {"/metrics", route_metrics},
    {"/api/v1/queries", route_queries},
    {"/api/v1/queries/{name}", route_query},
    {"/api/v1/queries/{name}/progress", route_progress},
    {"/api/v1/queries/{name}/batches", route_batches},
    {"/api/v1/queries/{name}/history", route_history},
    {"/api/v1/queries/{name}/rejects", route_rejects},
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

static bool is_trusted(const struct http_api *api, const struct http_request *request) {
    static const char bearer[] = "Bearer ";
    const char *token = api->config->ui_token;
    if (token == NULL || *token == '\0')
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

static const struct query_view *find_query(const struct http_api *api, struct text name) {
    for (size_t i = 0; i < api->query_count; i++) {
        const char *known = api->queries[i].options->stream->name;
        if (text_equals((struct text){known, (uint32_t)strlen(known)}, name))
            return &api->queries[i];
    }
    return NULL;
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
    const struct http_api *api = call->api;
    if (!routes[route].is_open && !call->is_trusted) {
        http_response_error(response, HTTP_UNAUTHORIZED,
                            "this needs the header 'Authorization: Bearer' with UI_TOKEN");
        return;
    }
    if (name.length > 0) {
        call->query = find_query(api, name);
        if (call->query == NULL) {
            http_response_error(response, HTTP_NOT_FOUND,
                                "no query '%.*s' runs here; /api/v1/queries lists those that do",
                                (int)name.length, name.bytes);
            return;
        }
    }
    routes[route].answer(call, response);
}

void http_api_answer(void *context, const struct http_request *request,
                     struct http_response *response) {
    const struct http_api *api = context;
    struct http_call call = {
        .api = api, .request = request, .is_trusted = is_trusted(api, request)};
    bool has_token = api->config->ui_token != NULL && *api->config->ui_token != '\0';
    if (api->is_loopback && !has_token && !is_own_host(request->host)) {
        http_response_error(response, HTTP_FORBIDDEN,
                            "this port serves this machine under the names localhost and "
                            "127.0.0.1; for others set SPARK_UI_HOST or UI_TOKEN");
        return;
    }
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        struct text name;
        if (matches(routes[i].path, request->path, &name)) {
            answer_route(&call, i, name, response);
            return;
        }
    }
    http_response_error(response, HTTP_NOT_FOUND, "nothing is at this path");
}
