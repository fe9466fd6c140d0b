/* What a run would do, in order: engine, settings, memory, then each query. It must work where no
 * broker and no lake is there, so only the settings and the files of a Spark distribution are
 * looked at. What only the topic could tell, its rate and its partition values, is tried over a
 * range. */
#include "surfaces/docs/explain.h"

#include <stdlib.h>
#include <string.h>

#include "base/disk/filesystem.h"
#include "base/scope.h"
#include "base/system/process.h"
#include "base/text.h"
#include "streaming/cluster/spark/kafka_options.h"
#include "streaming/cluster/spark/spark_distribution.h"
#include "streaming/store/partition_kinds.h"
#include "surfaces/health/forecast_look.h"
#include "surfaces/settings/setting.h"
#include "surfaces/settings/settings.h"
#include "surfaces/settings/table_settings.h"
#include "surfaces/terminal/output.h"
#include "surfaces/terminal/quantity.h"

static void print_server(FILE *out, const struct config *config) {
    struct error err;
    struct spark_distribution found;
    struct spark_server_options options = config_spark_server_options(config);
    bool ok = spark_distribution_check(&options, &found, &err);
    bool known = *found.version != '\0';
    (void)fprintf(out, "Engine: Spark, on a server started on %s with SPARK_HOME=%s (%s%s)\n",
                  config_master_shown(config), config->spark_home, known ? "version " : "",
                  known ? found.version : "of no known version");
    if (!ok)
        (void)fprintf(out, "Warning: %s\n", err.message);
}

static void print_connect(FILE *out, const struct config *config) {
    struct error err;
    struct connect_url url;
    if (!connect_url_parse(config->master, &url, &err))
        return; // told when the setting was read
    (void)fprintf(out,
                  "Engine: Spark, by the Spark Connect server at %s:%d (SPARK_MASTER_URL=%s)\n",
                  url.host, url.port, config_master_shown(config));
    connect_url_deinit(&url);
}

static void print_native(FILE *out, const struct config *config) {
    (void)fprintf(out, "Engine: native, this program's own, %s (SPARK_MASTER_URL=%s; %s to use)\n",
                  text_count(config->workers, "worker").text, config_master_shown(config),
                  text_count(processors_available(), "processor").text);
}

static void print_engine(FILE *out, const struct config *config) {
    static void (*const print[])(FILE *, const struct config *) = {
        [MASTER_LOCAL] = print_native,
        [MASTER_SERVER] = print_server,
        [MASTER_CONNECT] = print_connect,
    };
    (void)fprintf(out, "esports-stream %s\n\n", PROGRAM_VERSION);
    print[config->master_kind](out, config);
    scoped(scope_free) char *jobs = config_jobs(config);
    (void)fprintf(out, "Job: %s%s\n", jobs,
                  config->demo                ? ", on a Kafka of its own (--demo)"
                  : config->await_termination ? ", awaiting termination"
                                              : ", logging the status of the queries");
}

static void print_padded(FILE *out, const char *text, int width) {
    int columns = text_columns(text);
    (void)fprintf(out, "%s%*s", text, columns < width ? width - columns : 0, "");
}

static void print_property(FILE *out, const char *name, const char *value, bool secret,
                           const char *place) {
    (void)fprintf(out, "  ");
    print_padded(out, name, 28);
    print_padded(out, secret ? "***" : value, 44);
    (void)fprintf(out, "  %s\n", place);
}

/* What Spark's client does not get, because it has no such property. */
static void print_left_out(FILE *out, const struct config *config) {
    struct error err;
    struct kafka_options options;
    if (!kafka_options_make(config->kafka_properties, config->kafka_property_count, &options, &err))
        return; // told when the settings were checked
    for (size_t i = 0; i < options.left_out_count; i++)
        (void)fprintf(out, "  %s: not for Spark, whose Kafka client has no such property\n",
                      options.left_out[i]);
    kafka_options_deinit(&options);
}

static void print_properties(FILE *out, const struct config *config) {
    if (config->kafka_property_count > 0)
        (void)fprintf(out, "\nProperties for librdkafka\n");
    for (size_t i = 0; i < config->kafka_property_count; i++) {
        const struct kafka_property *property = &config->kafka_properties[i];
        print_property(out, property->name, property->value, property->secret,
                       config->kafka_origins[i]);
    }
    if (config->master_kind != MASTER_LOCAL)
        print_left_out(out, config);
    if (config->spark_property_count > 0)
        (void)fprintf(out, "\nProperties for Spark\n");
    for (size_t i = 0; i < config->spark_property_count; i++) {
        const struct spark_property *property = &config->spark_properties[i];
        print_property(out, property->name, property->value, property->secret,
                       config->spark_origins[i]);
    }
}

static void print_settings(FILE *out, const struct config *config) {
    size_t count;
    const struct setting *settings = settings_table(&count);
    (void)fprintf(out, "\nSettings\n");
    for (size_t i = 0; i < count; i++) {
        const struct setting_value *value = &config->values[i];
        (void)fprintf(out, "  ");
        print_padded(out, settings[i].name, 28);
        print_padded(out, settings_shown(config, i), 44);
        (void)fprintf(out, "  %s\n", value->where != NULL ? value->where : "of --demo");
    }
    print_properties(out, config);
    if (config->ignored_kafka_variables != NULL)
        (void)fprintf(out, "\nIgnored: %s\n", config->ignored_kafka_variables);
    if (config->ignored_spark_variables != NULL)
        (void)fprintf(out, "\nWithout an effect with this SPARK_MASTER_URL: %s\n",
                      config->ignored_spark_variables);
    char lake_warning[LAKE_WARNING_MAX];
    settings_lake_warning(config, lake_warning);
    if (lake_warning[0] != '\0')
        (void)fprintf(out, "Warning: %s\n", lake_warning);
    for (size_t i = 0; i < config->warning_count; i++)
        (void)fprintf(out, "Warning: %s\n", config->warnings[i]);
}

static void print_memory(FILE *out, const struct config *config) {
    char budget[SIZE_TEXT_MAX], floor[SIZE_TEXT_MAX];
    size_format(config_memory_budget(config), budget);
    size_format(config_memory_floor(config, KAFKA_DEFAULT_BATCH), floor);
    if (config->master_kind != MASTER_LOCAL) {
        (void)fprintf(out,
                      "\nMemory\n  budget  %s (this process; SPARK_DRIVER_MEMORY and "
                      "SPARK_EXECUTOR_MEMORY are Spark's)\n",
                      budget);
        return;
    }
    (void)fprintf(out,
                  "\nMemory\n"
                  "  budget  %s (SPARK_DRIVER_MEMORY, the whole process)\n"
                  "  floor   %s = %d MiB + %d workers * %d * (largest record batch - 1 MiB, if "
                  "positive)\n"
                  "          The largest record batch is the topic's max.message.bytes; here "
                  "Kafka's default\n"
                  "          of 1 MiB, because --explain asks no broker.\n",
                  budget, floor, MEMORY_FLOOR_BASE >> 20, config->workers, MEMORY_FLOOR_BATCHES);
}

static void print_path(FILE *out, const struct config *config, const struct stream *stream,
                       enum config_path path, const char *label) {
    scoped(scope_free) char *text = config_path(config, path, stream);
    const char *warning = filesystem_warning(text);
    (void)fprintf(out, "  %-13s %s\n", label, text);
    if (warning != NULL)
        (void)fprintf(out, "  %-13s   warning: it %s\n", "", warning);
}

static void print_columns(FILE *out, const struct stream *stream) {
    struct schema schema;
    stream_schema(stream, &schema);
    (void)fprintf(out, "  columns\n");
    for (size_t i = 0; i < schema.count; i++) {
        const struct column *column = &schema.columns[i];
        (void)fprintf(out, "    %-20s %-9s %s  %s\n", column->name, column_sql_type(column).text,
                      column->required ? "NOT NULL" : "        ",
                      column->expression != NULL      ? column->expression
                      : schema_is_decoded(&schema, i) ? "from the record"
                                                      : "from Kafka and the batch");
    }
}

/* ---- files a day ---- */

enum { FORECAST_LABEL = 12 };

/* A whole number with its thousands apart, or a size in the unit that suits it. */
static const char *format_number(double number, char text[static 32]) {
    char digits[32];
    int size = snprintf(digits, sizeof digits, "%.0f", number);
    size_t used = 0;
    for (int i = 0; i < size && used < 30; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            text[used++] = ' ';
        text[used++] = digits[i];
    }
    text[used] = '\0';
    return text;
}

static const char *format_bytes(double bytes, char text[static 32]) {
    if (bytes < 999500) // else it is 1000 kB
        snprintf(text, 32, "%.0f kB", bytes / 1e3);
    else
        snprintf(text, 32, "%.0f MB", bytes / 1e6);
    return text;
}

static const char *format_rate(double rate, char text[static 32]) {
    if (rate >= 9.5)
        return format_number(rate, text);
    (void)snprintf(text, 32, "%.2g", rate);
    return text;
}

static void print_line(FILE *out, const char *label, const struct forecast *forecast) {
    char files[32], size[32], log[32];
    (void)fprintf(out, "    %*s  %11s  %9s  %9s", FORECAST_LABEL, label,
                  format_number(forecast->files, files), format_bytes(forecast->file_bytes, size),
                  format_bytes(forecast->log_bytes, log));
}

/* What is left of the line's files when they have been merged. */
static void print_kept(FILE *out, const struct forecast_input *input) {
    struct forecast_input other = *input;
    if (input->compact == FORECAST_KEPT)
        other.compact = FORECAST_CLOSED;
    struct forecast forecast = forecast_make(&other);
    forecast.files = forecast.kept_files;
    forecast.file_bytes = forecast.kept_bytes;
    if (forecast.files > 0)
        print_line(out, input->compact == FORECAST_KEPT ? "with COMPACT" : "merged", &forecast);
    if (forecast.files > 0)
        (void)fprintf(out, "\n");
}

static void print_warning(FILE *out, const struct forecast_input *input) {
    char files[32], size[32];
    int64_t better_ms = forecast_better_trigger(input);
    if (better_ms == 0) {
        (void)fprintf(out, "  warning: many small files; use fewer partition columns");
        return;
    }
    struct forecast_input other = *input;
    other.trigger_ms = better_ms;
    struct forecast forecast = forecast_make(&other);
    (void)fprintf(out, "  warning: many small files; TRIGGER=\"%s\" makes %s of %s",
                  text_count(better_ms / 60000, "minute").text,
                  format_number(forecast.files, files), format_bytes(forecast.file_bytes, size));
}

static void print_forecast(FILE *out, const char *label, const struct forecast_input *input,
                           bool may_warn) {
    struct forecast forecast = forecast_make(input);
    print_line(out, label, &forecast);
    if (forecast.small && may_warn)
        print_warning(out, input);
    (void)fprintf(out, "\n");
}

const double forecast_rates[FORECAST_RATES] = {1, 10, 100, 1000, 10000, 100000};

static void print_heading(FILE *out, const char *label) {
    (void)fprintf(out, "    %*s  %11s  %9s  sink log after %d days\n", FORECAST_LABEL, label,
                  "files/day", "mean", FORECAST_DAYS);
}

/* Nobody knows the rate before the topic is read: rates of all sizes. */
static void print_rates(FILE *out, struct forecast_input input, bool may_warn) {
    scoped(scope_free) char *values = NULL;
    if (input.partition_values > 1)
        values = text_format(" for %s (%d per column)",
                             text_count((int64_t)input.partition_values, "partition value").text,
                             FORECAST_VALUES);
    (void)fprintf(out,
                  "  files         forecast%s; the rate is unknown before the first batches "
                  "(docs/operations.md, \"Size\")\n",
                  values != NULL ? values : "");
    print_heading(out, "records/s");
    for (size_t i = 0; i < FORECAST_RATES; i++) {
        char rate[32];
        input.records_per_second = forecast_rates[i];
        print_forecast(out, format_number(forecast_rates[i], rate), &input, may_warn);
    }
}

static void print_seen(FILE *out, const struct forecast_input *input,
                       const struct forecast_seen *seen, bool may_warn) {
    char rate[32], files[32];
    (void)fprintf(out,
                  "  files         forecast for %s records/s, as in the newest %zu batches, and %s "
                  "(docs/operations.md, \"Size\")\n",
                  format_rate(input->records_per_second, rate), seen->batches,
                  text_count((int64_t)input->partition_values, "partition value").text);
    print_heading(out, "");
    print_forecast(out, "table", input, may_warn);
    print_kept(out, input);
    struct forecast forecast = forecast_make(input);
    (void)fprintf(out, "    %*s  %11s\n", FORECAST_LABEL, "rejects",
                  format_number(forecast.reject_files, files));
}

static void print_forecasts(FILE *out, const struct config *config, const struct stream *stream) {
    struct forecast_seen seen;
    struct store_options store = config_store_options(config, stream);
    bool is_seen = forecast_see(&store, &seen);
    config_store_options_deinit(&store);
    struct forecast_input input = forecast_input_of(config, stream, is_seen ? &seen : NULL);
    bool may_warn = forecast_is_chosen(config, stream);
    if (config->master_kind != MASTER_LOCAL) // how Spark cuts a batch is for it to say
        (void)fprintf(out, "  files         one per batch, partition of the topic and partition "
                           "value\n");
    else if (input.available_now)
        (void)fprintf(out, "  files         one per batch, task and partition value of each run\n");
    else if (is_seen)
        print_seen(out, &input, &seen, may_warn);
    else
        print_rates(out, input, may_warn);
}

/* ---- a query, and all of it ---- */

/* What its file says, in place of the settings above. */
static void print_own(FILE *out, const struct config *config, const struct stream *stream) {
    (void)fprintf(out, "  %-13s %s:%d\n", "declared in", stream->plan.path,
                  (int)stream->plan.place.line);
    for (enum table_property at = 0; at < TABLE_PROPERTY_COUNT; at++) {
        const struct setting_value *own = config_property(config, stream, at);
        if (own != NULL)
            (void)fprintf(out, "  %-13s %s=%s, in place of %s (%s)\n", "property",
                          table_property_name(at), own->text, table_property_setting(at),
                          own->where);
    }
}

static void print_misleading(FILE *out, const struct config *config, const struct stream *stream) {
    struct misleading_column found[MISLEADING_COLUMNS_MAX];
    struct store_options store = config_store_options(config, stream);
    size_t count = partition_kinds_find(&store, found);
    for (size_t i = 0; i < count; i++) {
        char text[MISLEADING_TEXT_MAX];
        misleading_column_print(&found[i], text);
        (void)fprintf(out, "  %-13s   warning: %s\n", "", text);
    }
    config_store_options_deinit(&store);
}

static void print_query(FILE *out, const struct config *config, const struct stream *stream) {
    const struct name_list *names = config_partition_by(config, stream);
    scoped(scope_free) char *table = config_path(config, PATH_TABLE, stream);
    (void)fprintf(out, "\nQuery %s: topic %s -> table %s\n", stream->name,
                  config_topic(config, stream), table);
    if (!stream->is_builtin)
        print_own(out, config, stream);
    print_path(out, config, stream, PATH_TABLE, "table");
    print_path(out, config, stream, PATH_REJECTS, "rejects");
    print_path(out, config, stream, PATH_CHECKPOINT, "checkpoint");
    (void)fprintf(out, "  %-13s %s", "partitioned", names->count == 0 ? "no" : "");
    for (size_t i = 0; i < names->count; i++)
        (void)fprintf(out, "%s%s", i > 0 ? "/" : "by ", names->names[i]);
    (void)fprintf(out, "\n");
    print_misleading(out, config, stream);
    (void)fprintf(out, "  %-13s %s%s\n", "identifier",
                  stream->identifier != NULL ? stream->identifier : "none",
                  stream->identifier != NULL ? "; a record without it is a reject (PARSE_MODE)"
                                             : "");
    print_forecasts(out, config, stream);
    print_columns(out, stream);
}

void explain_print(FILE *out, const struct config *config) {
    print_engine(out, config);
    print_settings(out, config);
    print_memory(out, config);
    for (size_t i = 0; streams[i] != NULL; i++)
        if (config_runs(config, streams[i]))
            print_query(out, config, streams[i]);
    (void)fprintf(out, "\nNothing was started.\n");
}
