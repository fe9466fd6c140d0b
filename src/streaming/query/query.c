#include "streaming/query/query.h"

#include "base/log/log.h"
#include "streaming/history/history.h"
#include "streaming/kafka/planner.h"
#include "streaming/store/declaration.h"
#include "streaming/store/partition_kinds.h"
#include "streaming/store/table_types.h"

bool query_init(struct query *query, const struct query_options *options, struct broker *broker,
                struct crew *crew, struct stop *stop, struct error *err) {
    *query = (struct query){.stop = stop};
    bool ok = query_definition_init(&query->definition, options, err);
    query_report_init(&query->report, options->stream->name, options->stream->job,
                      &query->definition.schema);
    lag_book_set_interval(&query->report.status.lag, options->lag_interval_ms);
    query->retrier = (struct retrier){&query->report, stop, options->write_retry_timeout_ms};
    query->position = (struct query_position){.retrier = &query->retrier};
    topic_watch_init(&query->watch, &query->definition, &query->position, broker, &query->retrier);
    query->position.cluster_id = query->watch.identity.id;
    group_commit_init(&query->group, broker, options->commit_group, query->definition.topic,
                      query->report.name);
    query->change = (struct topic_change){.watch = &query->watch, .position = &query->position};
    query->runner = (struct batch_runner){.definition = &query->definition,
                                          .position = &query->position,
                                          .change = &query->change,
                                          .retrier = &query->retrier,
                                          .crew = crew,
                                          .bytes_per_record = PLANNER_RECORD_BYTES};
    return ok;
}

void query_deinit(struct query *query) {
    group_commit_deinit(&query->group);
    struct error ignored;
    if (query->store != NULL && query->store->recovered &&
        store_check_locks(query->store, &ignored))
        history_keep(query->store, false);
    if (query->store != NULL)
        store_close(query->store);
    topic_watch_deinit(&query->watch);
    query_position_deinit(&query->position);
    query_report_deinit(&query->report);
    *query = (struct query){0};
}

/* For those who ask before the first batch of this start is committed. What can't be read is not
 * known: recovery gets the error. */
static void note_resumed(struct query *query) {
    const struct file_path *commits = &query->store->checkpoint.commits;
    struct file_status file;
    struct error ignored;
    int64_t newest;
    if (checkpoint_newest(commits, &newest, &ignored) && newest >= 0 &&
        file_look(file_join_number(commits->text, newest).text, &file, &ignored))
        query_status_resume(&query->report.status, newest, file_modified_ms(&file));
}

static void warn_of_partitions(const struct query *query) {
    struct misleading_column found[MISLEADING_COLUMNS_MAX];
    const struct store_options *options = &query->definition.options->store;
    size_t count = partition_kinds_find(options, found);
    for (size_t i = 0; i < count; i++) {
        char text[MISLEADING_TEXT_MAX];
        misleading_column_print(&found[i], text);
        log_write(LOG_WARNING, query->report.name, "The %s | table=%s", text, options->table);
    }
}

bool query_open(struct query *query, struct error *err) {
    const struct store_options *options = &query->definition.options->store;
    struct error unreadable;
    bool opened = recovery_open(options, &query->store, err);
    query->position.store = query->store;
    if (!opened || !declaration_check(options, err) ||
        !table_types_check_few(options, &unreadable, err))
        return false;
    if (unreadable.kind != ERROR_NONE)
        log_write(LOG_WARNING, query->report.name, "%s: %s", unreadable.message,
                  table_types_unreadable_cure);
    warn_of_partitions(query);
    query_status_open(&query->report.status, store_query_id(query->store));
    note_resumed(query);
    return true;
}

static bool keep_declaration(struct query *query, struct error *err) {
    const struct store_options *options = &query->definition.options->store;
    struct retry retry = {0};
    size_t added;
    while (!declaration_keep(options, &added, err))
        if (!retry_again(&query->retrier, &retry, err))
            return false;
    if (added > 0)
        log_write(LOG_INFO, query->report.name,
                  "The table has more columns than before; its older files do not have them, so "
                  "readers must merge the schemas (docs/queries.md) | added=%zu | table=%s",
                  added, options->table);
    return true;
}

bool query_recover(struct query *query, struct recovery *recovery, struct error *err) {
    struct retry retry = {0};
    while (!recover(query->store, recovery, err))
        if (!retry_again(&query->retrier, &retry, err))
            return false;
    if (!keep_declaration(query, err)) {
        recovery_deinit(recovery);
        return false;
    }
    note_resumed(query); // a batch may have been rolled forward
    query_status_set_sink_log(&query->report.status, recovery->sink_log);
    for (size_t i = 0; i < recovery->note_count; i++)
        log_write(LOG_WARNING, query->report.name, "%s", recovery->notes[i]);
    if (recovery->table_unlogged)
        log_write(
            LOG_WARNING, query->report.name,
            "The table has files but no sink log; the query continues without one. To add a log, "
            "stop the query and run `esports-stream adopt` | table=%s | setting=SINK_LOG",
            query->definition.options->store.table);
    return true;
}

void query_commit_group(struct query *query) {
    group_commit_move(&query->group, query->position.starts, query->position.start_count);
}

void query_move_past(struct query *query, const struct plan *plan) {
    query_position_move_past(&query->position, plan);
    topic_watch_moved(&query->watch);
    query_commit_group(query);
}
