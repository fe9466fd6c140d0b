/* `files`: what streaming/changes/live_files.h lists, as text for a shell, as JSON for a program,
 * or as an expression of DuckDB. Values of partition columns have the types of the table, so that
 * neither reader has to guess them from the names of directories. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/scope.h"
#include "base/text.h"
#include "streaming/changes/live_files.h"
#include "streaming/changes/rewind_watch.h"
#include "surfaces/commands/each_command.h"
#include "surfaces/rows/table_rows.h"
#include "surfaces/terminal/output.h"

enum { FLUSH_EVERY = 1000 }; // lines

/* A table's files, and the columns that their directories have. */
struct listing {
    const struct command_scope *scope;
    struct store *store;
    struct live_files live;
    struct schema schema;
};

/* ---- the type of a partition column ---- */

static enum type type_of(const struct listing *listing, struct text name) {
    for (size_t i = 0; i < listing->schema.count; i++) {
        const struct column *column = &listing->schema.columns[i];
        if (strlen(column->name) == name.length &&
            memcmp(column->name, name.bytes, name.length) == 0)
            return column->type;
    }
    return TYPE_STRING;
}

static const char *duckdb_type(enum type type) {
    switch (type) {
    case TYPE_BOOL:
        return "BOOLEAN";
    case TYPE_INT8:
        return "TINYINT";
    case TYPE_INT16:
        return "SMALLINT";
    case TYPE_INT32:
        return "INTEGER";
    case TYPE_INT64:
        return "BIGINT";
    case TYPE_DATE:
        return "DATE";
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        return "DOUBLE";
    case TYPE_TIMESTAMP:
        return "TIMESTAMP WITH TIME ZONE";
    default:
        return "VARCHAR";
    }
}

static bool is_integer(enum type type) {
    return type == TYPE_INT8 || type == TYPE_INT16 || type == TYPE_INT32 || type == TYPE_INT64;
}

/* ---- as JSON ---- */

static void put_value(struct json *object, enum type type, const struct directory_value *value) {
    scoped(scope_free) char *name = text_format("%.*s", (int)value->name.length, value->name.bytes);
    if (value->text == NULL) {
        json_put_null(object, name);
        return;
    }
    scoped(scope_free) char *text = text_format("%.*s", (int)value->size, value->text);
    char *end = text;
    long long number = is_integer(type) ? strtoll(text, &end, 10) : 0;
    if (is_integer(type) && end != text && *end == '\0')
        json_put_int(object, name, number);
    else if (type == TYPE_BOOL && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
        json_put_bool(object, name, text[0] == 't');
    else
        json_put_bytes(object, name, value->text, value->size);
}

static struct json *partition_json(const struct listing *listing, const char *path) {
    struct json *object = json_new_object();
    scoped(scope_free) char *room = must_alloc(strlen(path) + 1, 1);
    struct directory_value values[PARTITION_BY_MAX];
    size_t count = directory_values_read(path, room, values);
    for (size_t i = 0; i < count; i++)
        put_value(object, type_of(listing, values[i].name), &values[i]);
    return object;
}

static void print_json(const struct listing *listing, const struct data_file *file) {
    struct json *object = json_new_object();
    json_put_text(object, "path", file_join(listing->live.root.text, file->path).text);
    if (file->rows >= 0)
        json_put_int(object, "rows", file->rows);
    else
        json_put_null(object, "rows");
    json_put_int(object, "bytes", file->size);
    json_put(object, "partition", partition_json(listing, file->path));
    output_print_json(listing->scope->out, object);
}

/* ---- for DuckDB ---- */

static void print_quoted(FILE *out, const char *text) {
    (void)fputc('\'', out);
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            (void)fputc('\'', out);
        (void)fputc(*text, out);
    }
    (void)fputc('\'', out);
}

/* The names of the partition columns are in every path. */
static void print_types(const struct listing *listing) {
    FILE *out = listing->scope->out;
    const char *path = listing->live.files.files[0].path;
    scoped(scope_free) char *room = must_alloc(strlen(path) + 1, 1);
    struct directory_value values[PARTITION_BY_MAX];
    size_t count = directory_values_read(path, room, values);
    (void)fprintf(out, ", hive_partitioning = %s", count > 0 ? "true" : "false");
    for (size_t i = 0; i < count; i++) {
        scoped(scope_free) char *name =
            text_format("%.*s", (int)values[i].name.length, values[i].name.bytes);
        (void)fputs(i == 0 ? ", hive_types = {" : ", ", out);
        print_quoted(out, name);
        (void)fprintf(out, ": %s%s", duckdb_type(type_of(listing, values[i].name)),
                      i + 1 == count ? "}" : "");
    }
    (void)fputs(")\n", out);
}

static bool print_sql(const struct listing *listing, struct error *err) {
    FILE *out = listing->scope->out;
    const struct file_list *files = &listing->live.files;
    if (files->count == 0)
        return error_set(err, ERROR_STATE,
                         "'%s' has no files yet, and DuckDB cannot read a list without files",
                         listing->live.root.text);
    (void)fputs("read_parquet([", out);
    for (size_t i = 0; i < files->count; i++) {
        (void)fputs(i > 0 ? ", " : "", out);
        print_quoted(out, file_join(listing->live.root.text, files->files[i].path).text);
    }
    (void)fputc(']', out);
    print_types(listing);
    return true;
}

/* ---- the command ---- */

static bool print_lines(const struct listing *listing, struct error *err) {
    const struct file_list *files = &listing->live.files;
    FILE *out = listing->scope->out;
    for (size_t i = 0; i < files->count; i++) {
        if (listing->scope->config->arguments.json)
            print_json(listing, &files->files[i]);
        else
            (void)fprintf(out, "%s\n",
                          file_join(listing->live.root.text, files->files[i].path).text);
        if (i % FLUSH_EVERY == FLUSH_EVERY - 1 && !output_flush(out, err))
            return false;
    }
    return true;
}

static bool pin(struct listing *listing, struct error *err) {
    if (listing->scope->config->arguments.no_pin || listing->live.files.count == 0 ||
        live_files_pin(&listing->live, err))
        return true;
    if (err->kind != ERROR_CONFIG)
        return false;
    log_write(LOG_WARNING, listing->scope->stream->name,
              "The files cannot get a second name (%s): these paths hold only until the next "
              "compaction or expiry",
              err->message);
    return true;
}

static void forget_files(void *context) {
    struct listing *listing = context;
    live_files_unpin(&listing->live);
    live_files_deinit(&listing->live);
}

static bool read_files(void *context, struct error *err) {
    struct listing *listing = context;
    const struct command_arguments *arguments = &listing->scope->config->arguments;
    if (!live_files_read(listing->store, arguments->of_rejects, &listing->live, err))
        return false;
    if (pin(listing, err) && (!arguments->json || live_files_count_rows(&listing->live, err)))
        return true;
    forget_files(listing);
    return false;
}

static bool list(struct listing *listing, struct error *err) {
    const struct command_arguments *arguments = &listing->scope->config->arguments;
    if (!rewind_watch_look(listing->scope->store.checkpoint, read_files, forget_files, listing,
                           err))
        return false;
    bool ok = arguments->sql ? print_sql(listing, err) : print_lines(listing, err);
    live_files_deinit(&listing->live);
    return ok && output_flush(listing->scope->out, err);
}

bool files_command(const struct command_scope *scope, struct error *err) {
    struct listing listing = {.scope = scope};
    if (scope->config->arguments.json && scope->config->arguments.sql)
        return error_set(err, ERROR_CONFIG, "--json and --sql are two forms: choose one");
    if (!store_open_to_read(&scope->store, &listing.store, err))
        return false;
    stream_schema(scope->stream, &listing.schema);
    bool ok = list(&listing, err);
    store_close(listing.store);
    return ok;
}
