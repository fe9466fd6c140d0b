/* stream_start.c: Spark must return the same row for each record as the native engine, and its
 * files must mean the same as ours: so the session's time zone, its handling of old dates, its
 * codec, the form of its timestamps and the meaning of its SQL are set, no matter what the server's
 * defaults are. */
#include "streaming/cluster/engine/stream_start.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/scope.h"
#include "base/text.h"
#include "streaming/cluster/engine/stream_plan.h"
#include "streaming/cluster/spark/kafka_options.h"
#include "streaming/cluster/spark/spark_session.h"

enum { NUMBER_TEXT = 24, FIXED_OPTIONS = 7 };

static const char *codec_of(const struct query *query) {
    switch (query->definition.options->parquet.codec) {
    case CODEC_SNAPPY:
        return "snappy";
    case CODEC_ZSTD:
        return "zstd";
    case CODEC_LZ4_RAW:
        return "lz4_raw";
    case CODEC_NONE:
        return "none";
    }
    return "snappy";
}

static const char *timestamp_type_of(const struct query *query) {
    return query->definition.options->parquet.timestamp == TIMESTAMP_AS_INT96 ? "INT96"
                                                                              : "TIMESTAMP_MICROS";
}

/* A connection string's server is not ours to set up, so only what a session may set is tried. */
static void set_own_properties(struct connect_session *session, const struct query *query,
                               const struct cluster_options *options) {
    for (size_t i = 0; i < options->property_count; i++) {
        const struct spark_property *property = &options->properties[i];
        struct connect_pair pair = {property->name, property->value};
        struct error why;
        bool is_sql = strncmp(property->name, "spark.sql.", 10) == 0;
        if (is_sql && connect_configure(session, &pair, 1, &why))
            continue;
        if (is_sql)
            log_write(LOG_WARNING, query->report.name,
                      "Property ignored: it cannot be set in a Spark session | name=%s | error=%s",
                      property->name, why.message);
        else if (options->url != NULL)
            log_write(LOG_WARNING, query->report.name,
                      "Property ignored: it cannot be set on a running Spark server | name=%s",
                      property->name);
    }
}

bool stream_configure(struct connect_session *session, const struct query *query,
                      const struct cluster_options *options, struct error *err) {
    char partitions[NUMBER_TEXT];
    snprintf(partitions, sizeof partitions, "%d",
             query->definition.options->store.shuffle_partitions);
    const struct connect_pair pairs[] = {
        {"spark.sql.session.timeZone", query->definition.options->time_zone},
        {"spark.sql.parquet.outputTimestampType", timestamp_type_of(query)},
        {"spark.sql.parquet.compression.codec", codec_of(query)},
        {"spark.sql.shuffle.partitions", partitions},
    };
    if (!connect_configure(session, spark_session_fixed, spark_session_fixed_count, err) ||
        !connect_configure(session, pairs, sizeof pairs / sizeof pairs[0], err))
        return false;
    set_own_properties(session, query, options);
    return true;
}

/* Texts of numbers. */
struct limits {
    char most[NUMBER_TEXT], least[NUMBER_TEXT], delay[NUMBER_TEXT + 2];
};

static void print_limits(const struct query_options *options, struct limits *limits) {
    (void)snprintf(limits->most, sizeof limits->most, "%" PRId64, options->max_offsets_per_trigger);
    (void)snprintf(limits->least, sizeof limits->least, "%" PRId64,
                   options->min_offsets_per_trigger);
    (void)snprintf(limits->delay, sizeof limits->delay, "%" PRId64 "ms",
                   options->max_trigger_delay_ms);
}

/* The source's options: the fixed ones, then Kafka's. Texts stay with their owners. With
 * availableNow Spark would leave unread what is too few for a batch. */
static struct connect_pair *source_options(const struct query *query,
                                           const struct cluster_options *options,
                                           const struct kafka_options *kafka,
                                           const struct limits *limits, size_t *count) {
    struct connect_pair *pairs = must_alloc(FIXED_OPTIONS + kafka->count, sizeof *pairs);
    *count = 0;
    pairs[(*count)++] =
        (struct connect_pair){"kafka.bootstrap.servers", options->bootstrap_servers};
    pairs[(*count)++] = (struct connect_pair){"subscribe", query->definition.options->store.topic};
    pairs[(*count)++] = (struct connect_pair){
        "failOnDataLoss", query->definition.options->fail_on_data_loss ? "true" : "false"};
    if (query->definition.options->max_offsets_per_trigger > 0)
        pairs[(*count)++] = (struct connect_pair){"maxOffsetsPerTrigger", limits->most};
    if (query_holds_back(query->definition.options)) {
        pairs[(*count)++] = (struct connect_pair){"minOffsetsPerTrigger", limits->least};
        pairs[(*count)++] = (struct connect_pair){"maxTriggerDelay", limits->delay};
    }
    if (stream_plan_reads_headers(&query->definition.options->stream->plan))
        pairs[(*count)++] = (struct connect_pair){"includeHeaders", "true"};
    for (size_t i = 0; i < kafka->count; i++)
        pairs[(*count)++] = (struct connect_pair){kafka->options[i].name, kafka->options[i].value};
    return pairs;
}

/* What only librdkafka knows has no meaning there; said once per start. */
static void tell_left_out(const struct query *query, const struct kafka_options *kafka) {
    for (size_t i = 0; i < kafka->left_out_count; i++)
        log_write(LOG_WARNING, query->report.name,
                  "Property ignored: Spark has no equivalent of this librdkafka property | name=%s",
                  kafka->left_out[i]);
}

static bool start_plan(struct connect_session *session, const struct query *query,
                       const struct connect_frame *frame, struct connect_query *ids,
                       struct error *err) {
    const struct store_options *store = &query->definition.options->store;
    scoped(scope_free) char *table = NULL, *checkpoint = NULL, *interval = NULL;
    // With the scheme, so that a cluster whose own file system is another writes to this one.
    table = text_format("file:%s", store->table);
    checkpoint = text_format("file:%s", store->checkpoint);
    interval =
        text_format("%" PRId64 " milliseconds", query->definition.options->trigger.interval_ms);
    const struct connect_pair option = {"checkpointLocation", checkpoint};
    const struct connect_stream stream = {
        .name = query->report.name,
        .frame = frame,
        .format = "parquet",
        .path = table,
        .options = &option,
        .option_count = 1,
        .partition_by = store->partition_by,
        .partition_by_count = store->partition_by_count,
        .interval = query->definition.options->trigger.available_now ? NULL : interval};
    return connect_start(session, &stream, ids, err);
}

bool stream_start(struct connect_session *session, const struct query *query,
                  const struct cluster_options *options, struct connect_query *ids,
                  struct error *err) {
    struct kafka_options kafka;
    struct stream_plan plan;
    struct limits limits;
    if (!kafka_options_make(options->kafka_properties, options->kafka_property_count, &kafka, err))
        return false;
    tell_left_out(query, &kafka);
    stream_plan_make(&query->definition.options->stream->plan, query->definition.partition_columns,
                     query->definition.options->store.partition_by_count,
                     query->definition.options->parse_mode, &plan);
    print_limits(query->definition.options, &limits);
    struct connect_frame frame = {
        .format = "kafka", .steps = plan.steps, .step_count = plan.step_count};
    scoped(scope_free) struct connect_pair *pairs =
        source_options(query, options, &kafka, &limits, &frame.option_count);
    frame.options = pairs;
    bool started = start_plan(session, query, &frame, ids, err);
    stream_plan_deinit(&plan);
    kafka_options_deinit(&kafka);
    return started;
}
