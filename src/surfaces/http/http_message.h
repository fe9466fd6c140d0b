/* http_message.h: a request and its answer, as a route sees them. */
#ifndef SURFACES_HTTP_HTTP_MESSAGE_H
#define SURFACES_HTTP_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

enum http_status {
    HTTP_OK = 200,
    HTTP_BAD_REQUEST = 400,
    HTTP_UNAUTHORIZED = 401,
    HTTP_FORBIDDEN = 403,
    HTTP_NOT_FOUND = 404,
    HTTP_METHOD_NOT_ALLOWED = 405,
    HTTP_CONTENT_TOO_LARGE = 413,
    HTTP_UNAVAILABLE = 503,
};

enum { HTTP_ARGUMENTS_MAX = 8 };

/* GET or HEAD; all is borrowed. */
struct http_request {
    const char *path;                      // decoded, without arguments: "/api/v1/queries"
    const char *host, *authorization;      // headers; NULL: not sent
    const char *accept_encoding;           // likewise
    bool from_loopback;                    // the connection comes from this machine
    size_t argument_count;                 // what is beyond the most is not seen
    const char *names[HTTP_ARGUMENTS_MAX]; // decoded: "after"
    const char *values[HTTP_ARGUMENTS_MAX];
};

/* NULL: not given. */
const char *http_request_argument(const struct http_request *request, const char *name);

/* A whole number from `least` to `most`; `fallback` when it is not given. False: something else. */
bool http_request_number(const struct http_request *request, const char *name, int64_t least,
                         int64_t most, int64_t fallback, int64_t *number);

struct http_response {
    enum http_status status;
    const char *type;     // of the content; borrowed
    const char *encoding; // of the content, "gzip"; borrowed; NULL: none
    const char *policy;   // Content-Security-Policy; borrowed; NULL: nothing may be loaded at all
    char *body;           // owned, malloc()ed; NULL: `constant`
    const void *constant; // lives as long as the program
    size_t size;          // of body or constant
};

/* Each sets all of the response, which was empty. */
void http_response_text(struct http_response *response, enum http_status status, const char *format,
                        ...) PRINTF_LIKE(3, 4);
void http_response_json(struct http_response *response, enum http_status status,
                        struct json *value); // takes `value` over
void http_response_error(struct http_response *response, enum http_status status,
                         const char *format, ...) PRINTF_LIKE(3, 4); // {"error":"…"}
void http_response_deinit(struct http_response *response);

/* A list whose elements are printed one by one, so that not all of them are in memory twice:
 * `before` [ elements ] `after`. */
struct http_list;
struct http_list *http_list_open(const char *before);
void http_list_add(struct http_list *list, struct json *element); // takes `element` over
void http_list_close(struct http_list *list, const char *after, struct http_response *response);

/* ---- members of objects that several answers have ---- */

/* "2026-11-22T17:47:55.322Z", as Spark prints it. */
void put_time(struct json *object, const char *name, int64_t wall_ms);

/* The same, or null for what is not known (`wall_ms` less than `least`). */
void put_time_or_null(struct json *object, const char *name, int64_t wall_ms, int64_t least);

#endif
