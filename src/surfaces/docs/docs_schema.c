/* The columns of the tables, from the declarations: as a document for people, and as Spark's DDL
 * and JSON for programs that read the tables. */
#include "base/check.h"
#include "core/reject.h"
#include "pipeline/parquet/metadata_writer.h"
#include "pipeline/sink/reject_table.h"
#include "streaming/declare/stream.h"
#include "surfaces/docs/docs.h"
#include "surfaces/terminal/output.h"

/* ---- for people ---- */

static const char intro[] =
    "# The tables' columns\n"
    "\n"
    "*Printed by `esports-stream docs schema` from the query files in `queries/`; a test compares "
    "them.*\n"
    "\n"
    "Types are Spark SQL's. Partition columns are in the names of the directories and not in the "
    "files. A field of the wrong type\n"
    "becomes null, as in Spark's `from_json`. Timestamps are instants, stored as microseconds in "
    "UTC (or INT96,\n"
    "`PARQUET_TIMESTAMP_TYPE`).\n";

static const char rejects_intro[] =
    "\n"
    "\n"
    "Records that could not become a row: `{DATA_LAKE_PATH}/rejected/`, not partitioned.\n";

static void print_column(FILE *out, const struct column *column, const char *origin) {
    (void)fprintf(out, "| `%s` | %s | %s | ", column->name, column_sql_type(column).text,
                  column->required ? "no" : "yes");
    if (column->expression != NULL) {
        (void)fputc('`', out);
        markdown_cell(out, column->expression);
        (void)fputs("` | ", out);
    } else if (origin != NULL) {
        (void)fprintf(out, "%s | ", origin);
    }
    markdown_cell(out, column->doc);
    (void)fputs(" |\n", out);
}

static void print_stream(FILE *out, const struct stream *stream) {
    struct schema schema;
    stream_schema(stream, &schema);
    (void)fprintf(out, "\n## processed/%s\n\n", stream->job);
    (void)fprintf(out, "Query `%s`, topic ", stream->name);
    if (stream->topic != NULL)
        (void)fprintf(out, "`%s` ", stream->topic);
    (void)fprintf(out, "(`%s`), partitioned by `%s` (`%s`)", stream->topic_source,
                  stream->partition_by, stream->partition_by_setting);
    if (stream->identifier != NULL)
        (void)fprintf(out, ", identifier `%s`", stream->identifier);
    (void)fprintf(out, ".\n\n");
    (void)fprintf(out, "| column | type | null | from | |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < schema.count; i++)
        print_column(out, &schema.columns[i],
                     schema_is_decoded(&schema, i)      ? "record"
                     : i == schema.processing_timestamp ? "batch"
                                                        : "Kafka");
}

/* `config`: NULL: all of them. */
static bool is_chosen(const struct config *config, size_t index) {
    return config == NULL || config_runs(config, streams[index]);
}

void docs_print_schema(FILE *out, const struct config *config) {
    (void)fputs(intro, out);
    for (size_t i = 0; streams[i] != NULL; i++)
        if (is_chosen(config, i))
            print_stream(out, streams[i]);
    const char *before = "\n## ";
    for (size_t i = 0; streams[i] != NULL; i++) {
        if (!is_chosen(config, i))
            continue;
        (void)fprintf(out, "%srejected/%s", before, streams[i]->job);
        before = ", ";
    }
    (void)fputs(rejects_intro, out);
    (void)fprintf(out, "\n| column | type | null | |\n|---|---|---|---|\n");
    const struct schema *rejects = reject_schema();
    for (size_t i = 0; i < rejects->count; i++)
        print_column(out, &rejects->columns[i], NULL);
    (void)fprintf(out, "\nReasons:");
    for (enum reject_reason reason = 0; reason < REJECT_REASON_COUNT; reason++)
        (void)fprintf(out, "%s `%s`", reason > 0 ? "," : "", reject_reason_name(reason));
    (void)fprintf(out, ".\n");
}

/* ---- for Spark ---- */

/* In single quotes, as Spark's parser reads it. */
static void print_quoted(FILE *out, const char *text) {
    (void)fputc('\'', out);
    for (; *text != '\0'; text++)
        (void)fprintf(out, "%s%c", *text == '\'' || *text == '\\' ? "\\" : "", *text);
    (void)fputc('\'', out);
}

static void print_ddl(FILE *out, const struct stream *stream) {
    struct schema schema;
    stream_schema(stream, &schema);
    (void)fprintf(out, "-- processed/%s\n", stream->job);
    for (size_t i = 0; i < schema.count; i++) {
        const struct column *column = &schema.columns[i];
        (void)fprintf(out, "`%s` %s%s COMMENT ", column->name, column_sql_type(column).text,
                      column->required ? " NOT NULL" : "");
        print_quoted(out, column->doc);
        (void)fprintf(out, "%s\n", i + 1 < schema.count ? "," : "");
    }
}

static void print_json(FILE *out, const struct stream *stream) {
    struct schema schema;
    struct bytes json = {0};
    stream_schema(stream, &schema);
    struct column_format *columns = must_alloc(schema.count, sizeof *columns);
    for (size_t i = 0; i < schema.count; i++)
        columns[i] = (struct column_format){.name = schema.columns[i].name,
                                            .type = schema.columns[i].type,
                                            .precision = schema.columns[i].precision,
                                            .scale = schema.columns[i].scale,
                                            .required = schema.columns[i].required};
    metadata_append_row_json(&json, columns, schema.count);
    (void)fwrite(json.at, 1, json.size, out);
    (void)fputc('\n', out);
    bytes_deinit(&json);
    free(columns);
}

/* ---- the command ---- */

bool schema_command(const struct command_call *call, struct error *err) {
    const struct config *config = call->config;
    FILE *out = call->out;
    (void)err;
    if (config->arguments.format == FORMAT_MARKDOWN) {
        docs_print_schema(out, config);
        return true;
    }
    for (size_t i = 0; streams[i] != NULL; i++) {
        if (!config_runs(config, streams[i]))
            continue;
        if (config->arguments.format == FORMAT_JSON)
            print_json(out, streams[i]);
        else
            print_ddl(out, streams[i]);
    }
    return true;
}
