#include "surfaces/commands/schema_command.h"

#include "pipeline/parquet/metadata_writer.h"
#include "surfaces/docs/docs.h"

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
        (void)fprintf(out, "`%s` %s%s COMMENT ", column->name, type_sql_name(column->type),
                      column->required ? " NOT NULL" : "");
        print_quoted(out, column->doc);
        (void)fprintf(out, "%s\n", i + 1 < schema.count ? "," : "");
    }
}

static void print_json(FILE *out, const struct stream *stream) {
    struct schema schema;
    struct column_format columns[SCHEMA_COLUMNS_MAX] = {0};
    struct bytes json = {0};
    stream_schema(stream, &schema);
    for (size_t i = 0; i < schema.count; i++)
        columns[i] = (struct column_format){.name = schema.columns[i].name,
                                            .type = schema.columns[i].type,
                                            .required = schema.columns[i].required};
    metadata_append_row_json(&json, columns, schema.count);
    (void)fwrite(json.at, 1, json.size, out);
    (void)fputc('\n', out);
    bytes_deinit(&json);
}

bool schema_command(const struct command_call *call, struct error *err) {
    const struct config *config = call->config;
    FILE *out = call->out;
    (void)err;
    if (config->arguments.format == FORMAT_MARKDOWN) {
        docs_print_schema(out, config->job);
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
