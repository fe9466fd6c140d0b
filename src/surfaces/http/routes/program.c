/* The program: its page, whether it works, what Prometheus scrapes, and its settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "surfaces/http/http_message.h"
#include "surfaces/http/routes/routes.h"
#include "surfaces/http/ui/page.h"
#include "surfaces/metrics/metrics.h"
#include "surfaces/settings/settings.h"

/* ---- the page: it holds no data, so it is open to all; its script asks for the token ---- */

static bool takes_gzip(const char *accept_encoding) {
    return accept_encoding != NULL && strstr(accept_encoding, "gzip") != NULL &&
           strstr(accept_encoding, "gzip;q=0") == NULL;
}

void route_page(const struct http_call *call, struct http_response *response) {
    *response = (struct http_response){.status = HTTP_OK,
                                       .type = "text/html; charset=utf-8",
                                       .policy = page_document.security_policy,
                                       .constant = page_document.bytes,
                                       .size = page_document.size};
    if (!takes_gzip(call->request->accept_encoding))
        return;
    response->encoding = "gzip";
    response->constant = page_document.gzip_bytes;
    response->size = page_document.gzip_size;
}

/* ---- health ---- */

/* This thread answers, and main's watchdog ends a program that is stuck: a restart could fix
 * nothing else. */
void route_health(const struct http_call *call, struct http_response *response) {
    (void)call;
    http_response_text(response, HTTP_OK, "ok\n");
}

/* A line per query that makes no progress. What its reason says (paths, brokers) is for those who
 * may see the rest, too. */
void route_ready(const struct http_call *call, struct http_response *response) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    check(out != NULL);
    for (size_t i = 0; i < call->program->query_count; i++) {
        struct health_verdict verdict;
        health_watch_judge(call->program->health, i, &verdict);
        if (health_state_is_ready(verdict.state))
            continue;
        (void)fprintf(out, "%s: %s", call->program->queries[i].options->stream->name,
                      health_state_name(verdict.state));
        if (call->is_trusted)
            (void)fprintf(out, ": %s", verdict.reason);
        (void)fputc('\n', out);
    }
    must_close_text(out, &text);
    if (size == 0)
        http_response_text(response, HTTP_OK, "ready\n");
    else
        http_response_text(response, HTTP_UNAVAILABLE, "%s", text);
    free(text);
}

/* ---- metrics ---- */

void route_metrics(const struct http_call *call, struct http_response *response) {
    FILE *out = open_memstream(&response->body, &response->size);
    check(out != NULL);
    metrics_print(out, call->program);
    must_close_text(out, &response->body);
    response->status = HTTP_OK;
    response->type = METRICS_TEXT_TYPE;
}

/* ---- the settings in effect, and where each comes from ---- */

static const char *origin_name(enum origin origin) {
    switch (origin) {
    case ORIGIN_FLAG:
        return "option";
    case ORIGIN_ENVIRONMENT:
        return "environment";
    case ORIGIN_ENV_FILE:
        return "env-file";
    default:
        return "default";
    }
}

static struct json *print_setting(const struct config *config, const struct setting *setting,
                                  size_t index) {
    struct json *object = json_new_object();
    json_put_shown(object, "name", setting->name);
    json_put_shown(object, "value", settings_shown(config, index));
    json_put_shown(object, "origin", origin_name(config->values[index].origin));
    json_put_shown(object, "doc", setting->doc);
    json_put_bool(object, "secret", setting->secret);
    return object;
}

/* A property for librdkafka or Spark, by its variable: "KAFKA_SASL_PASSWORD, environment". */
static struct json *print_property(const char *name, const char *value, bool secret,
                                   const char *place) {
    struct json *object = json_new_object();
    size_t size = strcspn(place, ",");
    const char *origin = place[size] == ',' ? place + size + 2 : "";
    json_put_bytes(object, "name", place, size);
    json_put_shown(object, "value", secret ? SECRET_SHOWN : value);
    json_put_shown(
        object, "origin",
        origin_name(strcmp(origin, "environment") == 0 ? ORIGIN_ENVIRONMENT : ORIGIN_ENV_FILE));
    json_put_shown(object, "doc", name);
    json_put_bool(object, "secret", secret);
    return object;
}

void route_settings(const struct http_call *call, struct http_response *response) {
    const struct config *config = call->program->config;
    size_t count;
    const struct setting *settings = settings_table(&count);
    struct json *array = json_new_array();
    for (size_t i = 0; i < count; i++)
        json_append(array, print_setting(config, &settings[i], i));
    for (size_t i = 0; i < config->kafka_property_count; i++)
        json_append(array, print_property(
                               config->kafka_properties[i].name, config->kafka_properties[i].value,
                               config->kafka_properties[i].secret, config->kafka_origins[i]));
    for (size_t i = 0; i < config->spark_property_count; i++)
        json_append(array, print_property(
                               config->spark_properties[i].name, config->spark_properties[i].value,
                               config->spark_properties[i].secret, config->spark_origins[i]));
    http_response_json(response, HTTP_OK, array);
}
