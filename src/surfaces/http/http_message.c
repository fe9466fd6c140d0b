/* What a route is asked and answers, without the library that carries it (http_server.c). A body
 * is built whole in memory before it is sent; a list is printed element by element, so that the
 * elements are not all there as objects as well. */
#include "surfaces/http/http_message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "core/calendar.h"
#include "surfaces/terminal/quantity.h"

static const char type_json[] = "application/json", type_text[] = "text/plain; charset=utf-8";

const char *http_request_argument(const struct http_request *request, const char *name) {
    for (size_t i = 0; i < request->argument_count; i++)
        if (strcmp(request->names[i], name) == 0)
            return request->values[i];
    return NULL;
}

bool http_request_number(const struct http_request *request, const char *name, int64_t least,
                         int64_t most, int64_t fallback, int64_t *number) {
    const char *text = http_request_argument(request, name);
    *number = fallback;
    if (text == NULL)
        return true;
    char *end;
    long long value = strtoll(text, &end, 10); // beyond its range it is LLONG_MAX or LLONG_MIN
    bool is_number = *text == '-' || (*text >= '0' && *text <= '9');
    if (!is_number || *end != '\0' || value < least || value > most)
        return false;
    *number = value;
    return true;
}

void http_response_text(struct http_response *response, enum http_status status, const char *format,
                        ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = text_format_list(format, arguments);
    va_end(arguments);
    *response = (struct http_response){
        .status = status, .type = type_text, .body = text, .size = strlen(text)};
}

void http_response_json(struct http_response *response, enum http_status status,
                        struct json *value) {
    char *text = json_print(value);
    json_free(value);
    *response = (struct http_response){
        .status = status, .type = type_json, .body = text, .size = strlen(text)};
}

void http_response_error(struct http_response *response, enum http_status status,
                         const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = text_format_list(format, arguments);
    va_end(arguments);
    struct json *object = json_new_object();
    json_put_bytes(object, "error", text, strlen(text));
    free(text);
    http_response_json(response, status, object);
}

void http_response_deinit(struct http_response *response) {
    free(response->body);
    *response = (struct http_response){0};
}

struct http_list {
    FILE *out;
    char *text;
    size_t size;
    bool has_elements;
};

struct http_list *http_list_open(const char *before) {
    struct http_list *list = must_alloc(1, sizeof *list);
    list->out = open_memstream(&list->text, &list->size);
    check(list->out != NULL);
    (void)fprintf(list->out, "%s[", before);
    return list;
}

void http_list_add(struct http_list *list, struct json *element) {
    char *text = json_print(element);
    json_free(element);
    (void)fprintf(list->out, "%s%s", list->has_elements ? "," : "", text);
    free(text);
    list->has_elements = true;
}

void http_list_close(struct http_list *list, const char *after, struct http_response *response) {
    (void)fprintf(list->out, "]%s", after);
    must_close_text(list->out, &list->text);
    *response = (struct http_response){
        .status = HTTP_OK, .type = type_json, .body = list->text, .size = list->size};
    free(list);
}

/* ---- members ---- */

void put_time(struct json *object, const char *name, int64_t wall_ms) {
    char text[MOMENT_TEXT_MAX];
    size_t used = moment_format_seconds(calendar_floor_divide(wall_ms, 1000), 'T', text);
    (void)text_append(text, sizeof text, used, ".%03dZ", (int)calendar_floor_rest(wall_ms, 1000));
    json_put_shown(object, name, text);
}

void put_time_or_null(struct json *object, const char *name, int64_t wall_ms, int64_t least) {
    if (wall_ms < least)
        json_put_null(object, name);
    else
        put_time(object, name, wall_ms);
}
