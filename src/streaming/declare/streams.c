/* streams.c: the list of all queries: the built-in ones, then those of the user's files. A table's
 * name and its query's name stand for it in --job, in log lines and as directories, so no other
 * query has either of them, in any case. */
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "sql/syntax/parse.h"
#include "streaming/declare/builtin.h"
#include "streaming/declare/query_files.h"
#include "streaming/declare/query_variables.h"

const struct stream *streams[STREAMS_MAX + 1];

static struct stream loaded[STREAMS_MAX]; // streams[i] is &loaded[i]
static size_t count;

/* ---- names ---- */

static bool refuse(const struct stream *stream, const struct stream *other, const char *what,
                   const char *name, struct error *err) {
    const struct query_plan *plan = &stream->plan;
    return sql_error(err, plan->path, plan->place, "the %s '%s' is also in %s%s:%d%s", what, name,
                     other->is_builtin ? "the built-in " : "", other->plan.path,
                     (int)other->plan.place.line, other->is_builtin ? ": choose another name" : "");
}

static bool check_against(const struct stream *stream, const struct stream *other,
                          struct error *err) {
    if (strcasecmp(stream->job, other->job) == 0)
        return refuse(stream, other, "table", stream->job, err);
    if (strcasecmp(stream->job, other->name) == 0)
        return refuse(stream, other, "query name", stream->job, err);
    if (strcasecmp(stream->name, other->name) == 0 || strcasecmp(stream->name, other->job) == 0)
        return refuse(stream, other, "query name", stream->name, err);
    if (strcmp(stream->partition_by_setting, other->partition_by_setting) == 0)
        return refuse(stream, other, "setting", stream->partition_by_setting, err);
    return true;
}

static bool check_names(const struct stream *stream, struct error *err) {
    for (size_t i = 0; i < count; i++)
        if (!check_against(stream, &loaded[i], err))
            return false;
    return true;
}

static bool check_variables(const struct stream *newest, struct error *err) {
    struct pool pool;
    struct query_variable variables[QUERY_VARIABLES_MAX];
    pool_init(&pool);
    size_t names = query_variables(variables, &pool);
    pool_deinit(&pool);
    if (names <= QUERY_VARIABLES_MAX)
        return true;
    return sql_error(err, newest->plan.path, newest->plan.place,
                     "table '%s': all files together can have %d names in ${…} at the most",
                     newest->job, QUERY_VARIABLES_MAX);
}

/* ---- files ---- */

static bool add(const struct sql_file *file, size_t index, bool is_builtin, struct error *err) {
    struct query_plan plan;
    const struct sql_table *table = &file->tables[index];
    if (count == STREAMS_MAX)
        return sql_error(err, file->path, table->place,
                         "table '%s' is one too many: there can be %d, the built-in ones included",
                         table->name, STREAMS_MAX);
    struct stream *stream = &loaded[count];
    if (!plan_make(file, index, &plan, err) || !stream_make(&plan, stream, err))
        return false;
    stream->is_builtin = is_builtin;
    if (!check_names(stream, err)) {
        stream_deinit(stream);
        return false;
    }
    streams[count++] = stream;
    return check_variables(stream, err);
}

static bool add_all(struct sql_file *file, bool is_builtin, struct error *err) {
    bool ok = true;
    for (size_t i = 0; ok && i < file->table_count; i++)
        ok = add(file, i, is_builtin, err);
    sql_file_deinit(file);
    return ok;
}

void streams_load(void) {
    struct error err;
    struct sql_file file;
    check(count == 0);
    for (const struct builtin_file *builtin = builtin_files; builtin->path != NULL; builtin++)
        if (!sql_parse(builtin->path, (const char *)builtin->text, builtin->size, &file, &err) ||
            !add_all(&file, true, &err))
            check_failed(__FILE__, __LINE__, err.message);
    check(count > 0);
}

bool streams_load_file(const char *path, struct error *err) {
    struct sql_file file;
    return query_file_read(path, &file, err) && add_all(&file, false, err);
}

void streams_unload_files(void) {
    while (count > 0 && !loaded[count - 1].is_builtin) {
        streams[--count] = NULL;
        stream_deinit(&loaded[count]);
    }
}

void streams_partition_by(const struct stream *stream, const char *const *names,
                          size_t name_count) {
    bool wanted = false;
    for (size_t i = 0; i < name_count; i++)
        wanted = wanted || strcmp(names[i], PLAN_DATE) == 0;
    for (size_t i = 0; i < count; i++)
        if (streams[i] == stream)
            stream_set_date(&loaded[i], wanted);
}

const struct stream *stream_of(const char *job) {
    for (size_t i = 0; streams[i] != NULL; i++)
        if (strcmp(streams[i]->job, job) == 0)
            return streams[i];
    check(false);
    return NULL;
}
