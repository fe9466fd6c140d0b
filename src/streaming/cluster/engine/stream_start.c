/* stream_start.c: Spark must return the same row for each record as the native engine, and its
 * files must mean the same as ours: so the session's time zone, its handling of old dates, its
 * codec, the form of its timestamps and the meaning of its SQL are set, no matter what the server's
 * defaults are.
 *
 * The plan is SQL text, made of the declared schema. Counts of records, and windows of offsets with
 * a reject, are observed before the WHERE that drops those records; the count of rows after it. */
#include "streaming/cluster/engine/stream_start.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/scope.h"
#include "base/text.h"
#include "pipeline/sink/sink_route.h"
#include "streaming/cluster/spark/kafka_options.h"
#include "streaming/cluster/spark/spark_session.h"

/* ---- the plan ---- */

/* Names of ours within the plan; no column of a table is called so. */
#define PARSED "_parsed"
#define HAS_VALUE "_has_value"

/* What a directory's name has as %XX (pipeline/sink/sink_route.c), as a literal of Spark's SQL. */
static const char escaped_characters[] =
    "'\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\u0008\\u0009\\u000A\\u000B\\u000C\\u000D"
    "\\u000E\\u000F\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001A"
    "\\u001B\\u001C\\u001D\\u001E\\u001F\\u007F\\u0022\\u0023\\u0025\\u0027\\u002A\\u002F\\u003A"
    "\\u003D\\u003F\\u005B\\u005C\\u005D\\u005E\\u007B'";

/* `to` and `more` with the separator between them, or `more` alone; frees both. */
static char *joined(char *to, const char *separator, char *more) {
    if (to == NULL)
        return more;
    char *text = text_format("%s%s%s", to, separator, more);
    free(to);
    free(more);
    return text;
}

/* Begins the next step; add() gives it its expressions. */
static void add_step(struct stream_plan *plan, enum connect_step_kind kind, const char *name) {
    check(plan->step_count < PLAN_STEPS_MAX);
    char **expressions = plan->expressions[plan->step_count];
    plan->steps[plan->step_count++] = (struct connect_step){
        .kind = kind, .name = name, .expressions = (const char *const *)expressions};
}

/* Takes the text over, for the newest step. */
static void add(struct stream_plan *plan, char *expression) {
    struct connect_step *step = &plan->steps[plan->step_count - 1];
    check(step->count < PLAN_EXPRESSIONS_MAX);
    plan->expressions[plan->step_count - 1][step->count++] = expression;
}

void stream_plan_deinit(struct stream_plan *plan) {
    for (size_t i = 0; i < plan->step_count; i++)
        for (size_t j = 0; j < plan->steps[i].count; j++)
            free(plan->expressions[i][j]);
    *plan = (struct stream_plan){0};
}

/* `match_id` STRING, … */
static char *record_ddl(const struct schema *schema) {
    char *ddl = NULL;
    for (size_t i = 0; i < schema->record_count; i++)
        ddl = joined(ddl, ", ",
                     text_format("`%s` %s", schema->inputs[i].name,
                                 column_sql_type(&schema->inputs[i]).text));
    return ddl;
}

/* True exactly where partition_directory() finds a name: no NUL, and column=value has no more than
 * 255 bytes, of which an escaped character takes three. Null and empty are Hive's default. */
static char *fits_directory(const char *column) {
    int room = PARTITION_NAME_MAX - (int)strlen(column) - 1;
    return text_format(
        "(`%s` IS NULL OR (instr(`%s`, char(0)) = 0 AND (octet_length(`%s`) <= %d OR "
        "3 * octet_length(`%s`) - 2 * octet_length(translate(`%s`, %s, '')) <= %d)))",
        column, column, column, room / 3, column, column, escaped_characters, room);
}

/* Whether a record becomes a row; never null. */
static char *is_row(const struct schema *schema, const size_t *partition_columns,
                    size_t partition_column_count, enum parse_mode mode) {
    char *text = mode == PARSE_PERMISSIVE
                     ? text_format(HAS_VALUE)
                     : text_format("`%s` IS NOT NULL", schema->columns[0].name);
    for (size_t i = 0; i < partition_column_count; i++)
        if (schema->columns[partition_columns[i]].type == TYPE_STRING) // others always fit
            text =
                joined(text, " AND ", fits_directory(schema->columns[partition_columns[i]].name));
    return text;
}

static void add_parsing(struct stream_plan *plan, const struct schema *schema) {
    char *ddl = record_ddl(schema);
    add_step(plan, CONNECT_SELECT, NULL);
    add(plan, text_format("from_json(CAST(`value` AS STRING), '%s') AS `" PARSED "`", ddl));
    add(plan, text_format("`timestamp` AS `%s`", schema->columns[schema->kafka_timestamp].name));
    add(plan, text_format("`partition`"));
    add(plan, text_format("`offset`"));
    free(ddl);

    add_step(plan, CONNECT_SELECT, NULL);
    add(plan, text_format("`" PARSED "`.*"));
    add(plan, text_format("`" PARSED "` IS NOT NULL AS `" HAS_VALUE "`"));
    add(plan, text_format("`%s`", schema->columns[schema->kafka_timestamp].name));
    add(plan, text_format("`partition`"));
    add(plan, text_format("`offset`"));
    add(plan, text_format("current_timestamp() AS `%s`",
                          schema->columns[schema->processing_timestamp].name));
}

/* Which derived columns the reject rules need: partition columns of texts. They are computed from
 * the record alone (streaming/declare/stream.c), so nothing else is needed for them. */
static void find_needed(const struct schema *schema, const size_t *partition_columns,
                        size_t partition_column_count, bool needed[static SCHEMA_COLUMNS_MAX]) {
    for (size_t i = 0; i < partition_column_count; i++)
        needed[partition_columns[i]] = schema->columns[partition_columns[i]].type == TYPE_STRING;
}

/* The derived columns that are needed, or the others; no step if there are none. */
static void add_derived(struct stream_plan *plan, const struct schema *schema,
                        const bool needed[static SCHEMA_COLUMNS_MAX], bool wanted) {
    bool begun = false;
    for (size_t i = 0; i < schema->count; i++) {
        if (!schema_is_computed(schema, i) || needed[i] != wanted)
            continue;
        if (!begun) {
            add_step(plan, CONNECT_SELECT, NULL);
            add(plan, text_format("*"));
            begun = true;
        }
        add(plan, text_format("%s AS `%s`", schema->columns[i].sql, schema->columns[i].name));
    }
}

static void add_record_counts(struct stream_plan *plan, const char *row) {
    add_step(plan, CONNECT_OBSERVE, PLAN_OBSERVED_RECORDS);
    add(plan, text_format("count(1) AS `records`"));
    add(plan, text_format("count_if(NOT (%s)) AS `rejects`", row));
    add(plan,
        text_format("collect_set(CASE WHEN NOT (%s) THEN CAST(`partition` AS BIGINT) * %" PRId64
                    " + `offset` DIV %d END) AS `windows`",
                    row, PLAN_WINDOW_PARTITION, PLAN_WINDOW));
    check(plan->steps[plan->step_count - 1].count == PLAN_COUNTS);
}

static void add_row_count(struct stream_plan *plan) {
    add_step(plan, CONNECT_OBSERVE, PLAN_OBSERVED_ROWS);
    add(plan, text_format("count(1) AS `rows`"));
}

void stream_plan_make(const struct schema *schema, const size_t *partition_columns,
                      size_t partition_column_count, enum parse_mode mode,
                      struct stream_plan *plan) {
    check(mode != PARSE_FAILFAST);
    *plan = (struct stream_plan){0};
    bool needed[SCHEMA_COLUMNS_MAX] = {false};
    find_needed(schema, partition_columns, partition_column_count, needed);
    char *row = is_row(schema, partition_columns, partition_column_count, mode);
    add_parsing(plan, schema);
    add_derived(plan, schema, needed, true);
    add_record_counts(plan, row);
    add_step(plan, CONNECT_WHERE, NULL);
    add(plan, row);
    add_row_count(plan);
    add_derived(plan, schema, needed, false);
    add_step(plan, CONNECT_SELECT, NULL);
    for (size_t i = 0; i < schema->count; i++)
        add(plan, text_format("`%s`", schema->columns[i].name));
}

/* ---- the session and the start ---- */

enum { NUMBER_TEXT = 24, FIXED_OPTIONS = 4 };

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

/* The source's options: the fixed ones, then Kafka's. Texts stay with their owners. */
static struct connect_pair *source_options(const struct query *query,
                                           const struct cluster_options *options,
                                           const struct kafka_options *kafka,
                                           const char *most_offsets, size_t *count) {
    struct connect_pair *pairs = must_alloc(FIXED_OPTIONS + kafka->count, sizeof *pairs);
    *count = 0;
    pairs[(*count)++] =
        (struct connect_pair){"kafka.bootstrap.servers", options->bootstrap_servers};
    pairs[(*count)++] = (struct connect_pair){"subscribe", query->definition.options->store.topic};
    pairs[(*count)++] = (struct connect_pair){
        "failOnDataLoss", query->definition.options->fail_on_data_loss ? "true" : "false"};
    if (query->definition.options->max_offsets_per_trigger > 0)
        pairs[(*count)++] = (struct connect_pair){"maxOffsetsPerTrigger", most_offsets};
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
    char most_offsets[NUMBER_TEXT];
    if (!kafka_options_make(options->kafka_properties, options->kafka_property_count, &kafka, err))
        return false;
    tell_left_out(query, &kafka);
    stream_plan_make(&query->definition.schema, query->definition.partition_columns,
                     query->definition.options->store.partition_by_count,
                     query->definition.options->parse_mode, &plan);
    snprintf(most_offsets, sizeof most_offsets, "%" PRId64,
             query->definition.options->max_offsets_per_trigger);
    struct connect_frame frame = {
        .format = "kafka", .steps = plan.steps, .step_count = plan.step_count};
    scoped(scope_free) struct connect_pair *pairs =
        source_options(query, options, &kafka, most_offsets, &frame.option_count);
    frame.options = pairs;
    bool started = start_plan(session, query, &frame, ids, err);
    stream_plan_deinit(&plan);
    kafka_options_deinit(&kafka);
    return started;
}
