#include "streaming/care/care_command.h"

#include <inttypes.h>

#include "base/scope.h"
#include "base/text.h"
#include "streaming/care/compact.h"
#include "streaming/care/expire.h"

static void say(const struct care_table *table, const struct care_host *host, const char *text) {
    scoped(scope_free) char *line = text_format("%s: %s%s", table->definition->options->store.query,
                                                table->of_rejects ? "rejects: " : "", text);
    host->say(host->context, line);
}

/* Why no file of a table may leave. */
static bool say_none(const struct care_table *table, const struct care_host *host,
                     struct error *err) {
    struct sink_log log = {0};
    if (table->of_rejects)
        return true;
    if (!sink_log_open(&log, table->root, err))
        return false;
    if (!log.exists || log.newest_compact >= 0) {
        say(table, host, "the table has no files.");
        return true;
    }
    scoped(scope_free) char *text =
        text_format("nothing can be done before batch %" PRId64
                    ": the sink log then has its first compact file, and only files in it can "
                    "leave the table.",
                    log.interval - 1);
    say(table, host, text);
    return true;
}

static bool compact_one(const struct care_table *table, const struct care_request *request,
                        bool dry_run, const struct care_host *host, struct error *err) {
    struct care_result result;
    const struct compact_order order = {.mode = SELECT_COMMAND,
                                        .older_than_ms = request->older_than_ms,
                                        .target_size = request->target_size,
                                        .dry_run = dry_run};
    if (!compact_pass(table, &order, host, &result, err))
        return false;
    if (host->left_alone->count > 0) // which was said
        return true;
    if (result.counts.files == 0)
        return say_none(table, host, err);
    if (result.jobs == 0 && !table->of_rejects)
        say(table, host, "no small files to merge.");
    return true;
}

/* What was left alone: damaged files, and directories that cannot be exchanged. */
static bool refuse(const struct path_list *left_alone, struct error *err) {
    int64_t files = 0;
    for (size_t i = 0; i < left_alone->count; i++)
        files += text_ends_with(left_alone->paths[i], ".parquet");
    int64_t directories = (int64_t)left_alone->count - files;
    scoped(scope_free) char *text =
        text_format("%" PRId64 " director%s", directories, directories == 1 ? "y" : "ies");
    return error_set(err, ERROR_STATE, "%s%s%s could not be merged, as said above; the others were",
                     files > 0 ? text_count(files, "file").text : "",
                     files > 0 && directories > 0 ? " and " : "", directories > 0 ? text : "");
}

static bool compact_both(const struct care_table *table, const struct care_table *rejects,
                         const struct care_request *request, bool dry_run,
                         const struct care_host *host, struct error *err) {
    if (!compact_one(table, request, dry_run, host, err) ||
        !compact_one(rejects, request, dry_run, host, err))
        return false;
    return host->left_alone->count == 0 || refuse(host->left_alone, err);
}

static bool expire(const struct care_table *table, const struct care_request *request, bool dry_run,
                   const struct care_host *host, struct error *err) {
    struct care_result result;
    const struct expire_order order = {.before = request->before, .dry_run = dry_run};
    if (!expire_pass(table, &order, host, &result, err))
        return false;
    if (result.counts.files == 0)
        return say_none(table, host, err);
    if (result.jobs == 0 && result.waiting == 0)
        say(table, host, "no date before that: nothing expires.");
    return true;
}

bool care_command_run(const struct care_request *request, bool dry_run,
                      const struct query_definition *definition, const struct store *store,
                      struct care_host host, struct error *err) {
    struct care_table table, rejects;
    struct path_list left_alone = {0};
    host.left_alone = &left_alone;
    care_table_init(&table, definition, store, false);
    care_table_init(&rejects, definition, store, true);
    bool ok = request->kind == REQUEST_EXPIRE
                  ? expire(&table, request, dry_run, &host, err)
                  : compact_both(&table, &rejects, request, dry_run, &host, err);
    path_list_deinit(&left_alone);
    return ok;
}
