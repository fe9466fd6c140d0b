/* The settings in effect, and where each comes from. */
#include <string.h>

#include "surfaces/http/routes/fields.h"
#include "surfaces/http/routes/routes.h"
#include "surfaces/settings/settings.h"

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
    json_put_text(object, "name", setting->name);
    put_text(object, "value", settings_shown(config, index));
    json_put_text(object, "origin", origin_name(config->values[index].origin));
    put_text(object, "doc", setting->doc);
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
    put_text(object, "value", secret ? SECRET_SHOWN : value);
    json_put_text(
        object, "origin",
        origin_name(strcmp(origin, "environment") == 0 ? ORIGIN_ENVIRONMENT : ORIGIN_ENV_FILE));
    put_text(object, "doc", name);
    json_put_bool(object, "secret", secret);
    return object;
}

void route_settings(const struct http_call *call, struct http_response *response) {
    const struct config *config = call->api->config;
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
