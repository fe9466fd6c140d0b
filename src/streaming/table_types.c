#include "streaming/table_types.h"

#include <string.h>
#include <strings.h>

#include "pipeline/parquet/reader.h"
#include "streaming/sink_log_entries.h"
#include "streaming/store_parts.h"

enum { FEW = 4 };

/* Spark's own comparison of names: of letters alone, not of their case. */
static const struct column *find_column(const struct schema *schema, struct text name) {
    for (size_t i = 0; i < schema->count; i++)
        if (strlen(schema->columns[i].name) == name.length &&
            strncasecmp(schema->columns[i].name, name.bytes, name.length) == 0)
            return &schema->columns[i];
    return NULL;
}

const struct file_column *table_types_differ(const struct schema *schema,
                                             const struct file_metadata *metadata,
                                             const char **wanted) {
    for (size_t i = 0; i < metadata->column_count; i++) {
        const struct file_column *found = &metadata->columns[i];
        const struct column *column = find_column(schema, found->name);
        if (column == NULL)
            continue;
        *wanted = type_sql_name(column->type);
        if (found->spark_type == NULL || strcmp(found->spark_type, *wanted) != 0)
            return found;
    }
    return NULL;
}

struct types_check {
    const struct store *store;
    struct schema schema;
    size_t left; // files to look at
    bool ok;
    struct error *err;
};

static bool refuse(const struct types_check *check, const char *path,
                   const struct file_column *found, const char *wanted) {
    return error_set(check->err, ERROR_STATE,
                     "'%s' has the column '%.*s' as %s, but this query writes it as %s, and Spark "
                     "could not read a table of both: rewrite such files with the type %s, or set "
                     "PROCESSED_DATA_PATH and CHECKPOINT_PATH to new directories (`verify` names "
                     "all such files)",
                     path, (int)found->name.length, found->name.bytes,
                     found->spark_type != NULL ? found->spark_type : "a type that Spark can't read",
                     wanted, wanted);
}

static void check_file(struct types_check *check, const char *path) {
    struct error unreadable;
    struct parquet_reader reader;
    const char *wanted;
    if (parquet_reader_open(&reader, path, &unreadable)) {
        const struct file_column *found =
            table_types_differ(&check->schema, &reader.metadata, &wanted);
        check->ok = found == NULL || refuse(check, path, found, wanted);
    }
    parquet_reader_close(&reader);
    check->left--;
}

static bool check_found(void *context, const char *relative) {
    struct types_check *check = context;
    check_file(check, file_join(check->store->options.table, relative).text);
    return check->ok && check->left > 0;
}

static bool check_listed(void *context, struct json *line, struct error *err) {
    struct types_check *check = context;
    const struct store_options *options = &check->store->options;
    struct sink_entry entry;
    if (!sink_entry_read(&entry, line, options->table, options->partition_by_count, err))
        return false;
    if (entry.in_table)
        check_file(check, entry.path);
    sink_entry_deinit(&entry);
    // An end is told as a failure.
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

static bool check_files(const struct store *store, size_t most, bool by_log, struct error *err) {
    struct types_check check = {.store = store, .left = most, .ok = true, .err = err};
    const struct store_options *options = &store->options;
    struct sink_log log;
    struct error ignored;
    if (options->stream == NULL)
        return true;
    stream_schema(options->stream, &check.schema);
    if (by_log && sink_log_open(&log, options->table, &ignored) && log.exists) {
        check_log(&check, &log);
        return check.ok;
    }
    bool walked =
        table_each_file(&store->table, options->partition_by_count, check_found, &check, err);
    return walked && check.ok;
}

bool table_types_check_few(const struct store *store, struct error *err) {
    return check_files(store, FEW, true, err);
}

bool table_types_check_all(const struct store *store, struct error *err) {
    return check_files(store, SIZE_MAX, false, err);
}
