/* table_types.c: types are compared by footers alone, so a file costs one small read.
 *
 * A start looks at a few files: with a sink log at those of the newest entries, from the newest
 * batch back to the last compact file; without one, at the first that the directories list. A
 * footer that can't be parsed is looked at for a nested column, which our parser does not go into:
 * that is a wrong type all the same. Files and logs that go away meanwhile are nobody's fault. */
#include "streaming/store/table_types.h"

#include <string.h>
#include <strings.h>

#include "pipeline/parquet/read/reader.h"
#include "streaming/sink_log/sink_entry.h"
#include "streaming/sink_log/sink_log.h"
#include "streaming/store/store.h"

enum { FEW = 4 }; // files that a start looks at

/* Spark's own comparison of names: of letters alone, not of their case. */
static const struct column *find_column(const struct schema *schema, struct text name) {
    for (size_t i = 0; i < schema->count; i++)
        if (strlen(schema->columns[i].name) == name.length &&
            strncasecmp(schema->columns[i].name, name.bytes, name.length) == 0)
            return &schema->columns[i];
    return NULL;
}

const char table_types_unreadable_cure[] =
    "Spark cannot read the table with this file: restore it from a backup, or, if the table has no "
    "sink log, move it out of the table";

static bool differs(const struct schema *schema, const struct file_column *found,
                    struct type_text *wanted) {
    const struct column *column = find_column(schema, found->name);
    if (column == NULL)
        return false;
    *wanted = column_sql_type(column);
    return strcmp(found->spark_type.text, wanted->text) != 0;
}

const struct file_column *table_types_differ(const struct schema *schema,
                                             const struct file_metadata *metadata,
                                             struct type_text *wanted) {
    const struct file_column *nested = &metadata->nested;
    if (nested->name.length > 0)
        return differs(schema, nested, wanted) ? nested : NULL;
    for (size_t i = 0; i < metadata->column_count; i++)
        if (differs(schema, &metadata->columns[i], wanted))
            return &metadata->columns[i];
    return NULL;
}

struct types_check {
    const struct store_options *options;
    struct schema schema;
    size_t left; // files to look at
    bool ok;
    struct error *unreadable; // NULL: such a file is a failure
    struct error *err;
};

static bool refuse(const struct types_check *check, const char *path,
                   const struct file_column *found, const char *wanted) {
    struct error ignored;
    struct file_path metadata = file_join(check->options->checkpoint, "metadata");
    bool can_verify = file_exists(metadata.text, NULL, &ignored) > 0;
    return error_set(check->err, ERROR_STATE,
                     "'%s' has column '%.*s' as %s, but this query writes it as %s, and Spark "
                     "cannot read a table that has both: rewrite such files with the type %s, or "
                     "start over in new directories (PROCESSED_DATA_PATH, CHECKPOINT_PATH, and "
                     "DATA_LAKE_PATH for the rejects)%s",
                     path, (int)found->name.length, found->name.bytes,
                     found->spark_type.text[0] != '\0' ? found->spark_type.text
                                                       : "a type that Spark cannot read",
                     wanted, wanted, can_verify ? " (`verify` names all such files)" : "");
}

/* A file that has gone meanwhile is nobody's fault. */
static bool take_unreadable(const struct types_check *check, const char *path,
                            const struct error *why) {
    struct error ignored;
    if (file_exists(path, NULL, &ignored) == 0)
        return true;
    if (check->unreadable == NULL)
        return error_set(check->err, why->kind, "%s: %s", why->message,
                         table_types_unreadable_cure);
    if (check->unreadable->kind == ERROR_NONE)
        *check->unreadable = *why;
    return true;
}

static void check_file(struct types_check *check, const char *path) {
    struct error why;
    struct parquet_reader reader;
    struct type_text wanted;
    bool opened = parquet_reader_open(&reader, path, &why);
    const struct file_column *found = table_types_differ(&check->schema, &reader.metadata, &wanted);
    if (found != NULL)
        check->ok = refuse(check, path, found, wanted.text);
    else if (!opened && reader.metadata.nested.name.length == 0) // Spark reads more columns, too
        check->ok = take_unreadable(check, path, &why);
    parquet_reader_close(&reader);
    check->left--;
}

static bool check_found(void *context, const char *relative) {
    struct types_check *check = context;
    check_file(check, file_join(check->options->table, relative).text);
    return check->ok && check->left > 0;
}

static bool check_listed(void *context, struct json *line, struct error *err) {
    struct types_check *check = context;
    const struct store_options *options = check->options;
    struct sink_entry entry;
    if (!sink_entry_read(&entry, line, options->table, options->partition_by_count, err))
        return false;
    if (entry.in_table)
        check_file(check, entry.path);
    sink_entry_deinit(&entry);
    // An early end is returned as a failure.
    return (check->ok && check->left > 0) || error_set(err, ERROR_STOPPED, "seen enough");
}

/* From the newest batch back; a compact file has all before it. */
static void check_log(struct types_check *check, const struct sink_log *log) {
    struct error ignored;
    struct file_path path;
    for (int64_t batch = log->newest; batch >= 0 && batch > log->newest - log->interval; batch--) {
        bool found;
        if (!check->ok || check->left == 0 || !sink_log_file_of(log, batch, &path, &ignored) ||
            path.text[0] == '\0' ||
            !sink_log_file_entries(path.text, check_listed, check, &found, &ignored))
            return;
    }
}

static bool walk(struct types_check *check, struct error *err) {
    struct table table;
    bool ok = table_open(&table, check->options->table, err) &&
              table_each_file(&table, check->options->partition_by_count, check_found, check, err);
    table_close(&table);
    return ok;
}

bool table_types_check_few(const struct store_options *options, struct error *unreadable,
                           struct error *err) {
    struct types_check check = {
        .options = options, .left = FEW, .ok = true, .unreadable = unreadable, .err = err};
    struct sink_log log;
    struct error ignored;
    *unreadable = (struct error){0};
    if (options->stream == NULL)
        return true;
    stream_schema(options->stream, &check.schema);
    if (!sink_log_open(&log, options->table, &ignored) || !log.exists)
        return walk(&check, err) && check.ok;
    check_log(&check, &log);
    return check.ok;
}

bool table_types_check_all(const struct store_options *options, struct error *err) {
    struct types_check check = {.options = options, .left = SIZE_MAX, .ok = true, .err = err};
    if (options->stream == NULL)
        return true;
    stream_schema(options->stream, &check.schema);
    return walk(&check, err) && check.ok;
}
