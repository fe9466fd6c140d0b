/* --explain --json: what explain.c prints for people, as one object. A member is there in any case,
 * so that a script need not ask; null is what is not known or does not apply. */
#include <string.h>

#include "base/disk/filesystem.h"
#include "base/scope.h"
#include "streaming/store/partition_kinds.h"
#include "surfaces/docs/explain.h"
#include "surfaces/health/forecast_look.h"
#include "surfaces/settings/settings.h"
#include "surfaces/settings/table_settings.h"
#include "surfaces/terminal/output.h"

static struct json *value_json(const char *name, const char *value, const char *origin) {
    struct json *object = json_new_object();
    json_put_shown(object, "name", name);
    json_put_shown_or_null(object, "value", value);
    json_put_shown_or_null(object, "origin", origin);
    return object;
}

/* Secrets are "***", as for people. */
static struct json *settings_json(const struct config *config) {
    size_t count;
    const struct setting *settings = settings_table(&count);
    struct json *array = json_new_array();
    for (size_t i = 0; i < count; i++)
        json_append(array,
                    value_json(settings[i].name,
                               config->values[i].text != NULL ? settings_shown(config, i) : NULL,
                               config->values[i].where));
    return array;
}

static struct json *kafka_json(const struct config *config) {
    struct json *array = json_new_array();
    for (size_t i = 0; i < config->kafka_property_count; i++) {
        const struct kafka_property *property = &config->kafka_properties[i];
        json_append(array, value_json(property->name, property->secret ? "***" : property->value,
                                      config->kafka_origins[i]));
    }
    return array;
}

static struct json *spark_json(const struct config *config) {
    struct json *array = json_new_array();
    for (size_t i = 0; i < config->spark_property_count; i++) {
        const struct spark_property *property = &config->spark_properties[i];
        json_append(array, value_json(property->name, property->secret ? "***" : property->value,
                                      config->spark_origins[i]));
    }
    return array;
}

static struct json *memory_json(const struct config *config) {
    struct json *object = json_new_object();
    json_put_int(object, "budgetBytes", config_memory_budget(config));
    if (config->master_kind == MASTER_LOCAL)
        json_put_int(object, "floorBytes", config_memory_floor(config, KAFKA_DEFAULT_BATCH));
    else
        json_put_null(object, "floorBytes");
    return object;
}

/* ---- a query ---- */

static struct json *path_json(const struct config *config, const struct stream *stream,
                              enum config_path path) {
    struct json *object = json_new_object();
    scoped(scope_free) char *text = config_path(config, path, stream);
    json_put_shown(object, "path", text);
    json_put_shown_or_null(object, "warning", filesystem_warning(text));
    return object;
}

static struct json *columns_json(const struct stream *stream) {
    struct schema schema;
    struct json *array = json_new_array();
    stream_schema(stream, &schema);
    for (size_t i = 0; i < schema.count; i++) {
        const struct column *column = &schema.columns[i];
        struct json *object = json_new_object();
        json_put_text(object, "name", column->name);
        json_put_text(object, "type", column_sql_type(column).text);
        json_put_bool(object, "nullable", !column->required);
        json_put_text(object, "from",
                      column->expression != NULL      ? "expression"
                      : schema_is_decoded(&schema, i) ? "record"
                                                      : "kafka");
        json_put_shown_or_null(object, "expression", column->expression);
        json_append(array, object);
    }
    return array;
}

static void put_whole(struct json *object, const char *name, double number) {
    if (number >= 0)
        json_put_int(object, name, (int64_t)number);
    else
        json_put_null(object, name);
}

static struct json *forecast_json(const struct forecast_input *input, bool may_warn) {
    struct json *object = json_new_object();
    struct forecast forecast = forecast_make(input);
    bool is_small = forecast.small && may_warn;
    int64_t better_ms = is_small ? forecast_better_trigger(input) : 0;
    json_put_real(object, "recordsPerSecond", input->records_per_second);
    put_whole(object, "filesPerDay", forecast.files);
    put_whole(object, "meanFileBytes", forecast.file_bytes);
    put_whole(object, "rejectFilesPerDay", forecast.reject_files);
    put_whole(object, "mergedFilesPerDay",
              input->compact == FORECAST_KEPT ? -1 : forecast.kept_files);
    put_whole(object, "mergedMeanFileBytes",
              input->compact == FORECAST_KEPT ? -1 : forecast.kept_bytes);
    put_whole(object, "sinkLogBytes", forecast.log_bytes);
    json_put_bool(object, "manySmallFiles", is_small);
    put_whole(object, "betterTriggerMs", better_ms > 0 ? (double)better_ms : -1);
    return object;
}

/* With a cluster or `availableNow` there is no forecast; once the rate was seen, there is one. */
static void put_forecasts(struct json *object, const struct config *config,
                          const struct stream *stream) {
    struct forecast_seen seen;
    struct store_options store = config_store_options(config, stream);
    bool is_seen = forecast_see(&store, &seen);
    config_store_options_deinit(&store);
    struct forecast_input input = forecast_input_of(config, stream, is_seen ? &seen : NULL);
    bool may_warn = forecast_is_chosen(config, stream);
    if (config->master_kind != MASTER_LOCAL || input.available_now) {
        json_put_null(object, "forecast");
        return;
    }
    struct json *array = json_new_array();
    for (size_t i = 0; i < (is_seen ? 1 : FORECAST_RATES); i++) {
        if (!is_seen)
            input.records_per_second = forecast_rates[i];
        json_append(array, forecast_json(&input, may_warn));
    }
    json_put(object, "forecast", array);
}

/* What the query's file says, in place of settings. */
static struct json *own_json(const struct config *config, const struct stream *stream) {
    struct json *array = json_new_array();
    for (enum table_property at = 0; at < TABLE_PROPERTY_COUNT; at++) {
        const struct setting_value *own = config_property(config, stream, at);
        if (own != NULL)
            json_append(array, value_json(table_property_name(at), own->text, own->where));
    }
    return array;
}

static struct json *misleading_json(const struct config *config, const struct stream *stream) {
    struct misleading_column found[MISLEADING_COLUMNS_MAX];
    struct store_options store = config_store_options(config, stream);
    struct json *array = json_new_array();
    size_t count = partition_kinds_find(&store, found);
    for (size_t i = 0; i < count; i++) {
        char text[MISLEADING_TEXT_MAX];
        misleading_column_print(&found[i], text);
        json_append_shown(array, text);
    }
    config_store_options_deinit(&store);
    return array;
}

static struct json *query_json(const struct config *config, const struct stream *stream) {
    struct json *object = json_new_object(), *partition_by = json_new_array();
    const struct name_list *names = config_partition_by(config, stream);
    for (size_t i = 0; i < names->count; i++)
        json_append_shown(partition_by, names->names[i]);
    json_put_text(object, "name", stream->name);
    json_put_text(object, "job", stream->job);
    json_put_shown_or_null(object, "file", stream->is_builtin ? NULL : stream->plan.path);
    json_put_shown_or_null(object, "topic", config_topic(config, stream));
    json_put(object, "properties", own_json(config, stream));
    json_put(object, "table", path_json(config, stream, PATH_TABLE));
    json_put(object, "rejects", path_json(config, stream, PATH_REJECTS));
    json_put(object, "checkpoint", path_json(config, stream, PATH_CHECKPOINT));
    json_put(object, "partitionBy", partition_by);
    json_put(object, "partitionWarnings", misleading_json(config, stream));
    json_put_shown_or_null(object, "identifier", stream->identifier);
    put_forecasts(object, config, stream);
    json_put(object, "columns", columns_json(stream));
    return object;
}

void explain_print_json(FILE *out, const struct config *config) {
    struct json *object = json_new_object(), *queries = json_new_array();
    struct json *warnings = json_new_array();
    scoped(scope_free) char *jobs = config_jobs(config);
    for (size_t i = 0; streams[i] != NULL; i++)
        if (config_runs(config, streams[i]))
            json_append(queries, query_json(config, streams[i]));
    for (size_t i = 0; i < config->warning_count; i++)
        json_append_shown(warnings, config->warnings[i]);
    json_put_text(object, "version", PROGRAM_VERSION);
    json_put_text(object, "engine", config_engine(config));
    json_put_shown(object, "master", config_master_shown(config));
    json_put_int(object, "workers", config->workers);
    json_put_text(object, "job", jobs);
    json_put_bool(object, "demo", config->demo);
    json_put(object, "settings", settings_json(config));
    json_put(object, "kafkaProperties", kafka_json(config));
    json_put(object, "sparkProperties", spark_json(config));
    json_put_shown_or_null(object, "ignoredKafkaVariables", config->ignored_kafka_variables);
    json_put_shown_or_null(object, "ignoredSparkVariables", config->ignored_spark_variables);
    json_put(object, "warnings", warnings);
    json_put(object, "memory", memory_json(config));
    json_put(object, "queries", queries);
    output_print_json(out, object);
}
