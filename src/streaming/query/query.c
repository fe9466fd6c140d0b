#include "streaming/query/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "base/system/thread.h"
#include "streaming/cluster/engine/cluster_engine.h"
#include "streaming/cluster/engine/former_run.h"
#include "streaming/kafka/planner.h"
#include "streaming/kafka/positions.h"
#include "streaming/kafka/starting_offsets.h"
#include "streaming/query/kafka_identity.h"
#include "streaming/query/micro_batch.h"
#include "streaming/query/retry.h"
#include "streaming/query/topic_change.h"
#include "streaming/query/topic_watch.h"
#include "streaming/report/query_report.h"
#include "streaming/store/store_parts.h"
#include "streaming/store/table_types.h"

/* With a trigger of 0 seconds: how soon an idle topic is looked at again. The pause doubles while
 * nothing comes, so that only the first record after a silence waits for the longer one. */
enum { IDLE_POLL_MS = 10, IDLE_POLL_MAX_MS = 400 };

/* Between two triggers: how often the topic is looked at, so that its going away is not missed. */
enum { GLANCE_EVERY_MS = 1000 };

static bool find_partition_columns(struct query *query, struct error *err) {
    const struct store_options *store = &query->options->store;
    check(store->partition_by_count <= QUERY_PARTITION_COLUMNS_MAX);
    for (size_t i = 0; i < store->partition_by_count; i++) {
        const char *name = store->partition_by[i];
        int column = schema_find(&query->schema, (struct text){name, (uint32_t)strlen(name)});
        if (column < 0 || query->schema.columns[column].type != TYPE_STRING)
            return error_set(err, ERROR_CONFIG,
                             "%s: the table of %s has no string column '%s' to be partitioned by",
                             query->options->stream->partition_by_setting,
                             query->options->stream->name, name);
        query->partition_columns[i] = (size_t)column;
    }
    return true;
}

bool query_init(struct query *query, const struct query_options *options, size_t index,
                struct broker *broker, struct stop *stop, struct error *err) {
    *query = (struct query){.options = options,
                            .index = index,
                            .broker = broker,
                            .stop = stop,
                            .bytes_per_record = PLANNER_RECORD_BYTES};
    stream_schema(options->stream, &query->schema);
    reject_log_init(&query->reject_log);
    query_status_init(&query->status, options->stream->name);
    query_history_init(&query->history);
    mailbox_init(&query->replies);
    query->how = (struct worker_query){.name = options->stream->name,
                                       .topic = options->store.topic,
                                       .schema = &query->schema,
                                       .partition_columns = query->partition_columns,
                                       .partition_column_count = options->store.partition_by_count,
                                       .parse_mode = options->parse_mode,
                                       .time_zone = options->time_zone,
                                       .parquet = options->parquet,
                                       .reject_log = &query->reject_log,
                                       .records_read = &query->status.records_read};
    return find_partition_columns(query, err);
}

bool query_open(struct query *query, struct error *err) {
    struct error unreadable;
    if (!store_open(&query->options->store, &query->store, err) ||
        !table_types_check_few(&query->options->store, &unreadable, err))
        return false;
    if (unreadable.kind != ERROR_NONE)
        log_write(LOG_WARNING, query->how.name, "%s: %s", unreadable.message,
                  table_types_unreadable_cure);
    query_status_open(&query->status, store_query_id(query->store));
    return true;
}

void query_deinit(struct query *query) {
    if (query->store != NULL)
        store_close(query->store);
    topic_offsets_deinit(&query->topic);
    topic_offsets_deinit(&query->sound);
    offsets_deinit(&query->lowest);
    incarnations_deinit(&query->begun);
    free(query->starts);
    mailbox_deinit(&query->replies);
    query_history_deinit(&query->history);
    query_status_deinit(&query->status);
    reject_log_deinit(&query->reject_log);
    *query = (struct query){0};
}

void query_move_past(struct query *query, const struct plan *plan) {
    free(query->starts);
    query->starts = must_alloc(plan->count + 1, sizeof *query->starts);
    query->start_count = plan->count;
    for (size_t i = 0; i < plan->count; i++)
        query->starts[i] = (struct offset_range){plan->ranges[i].partition, plan->ranges[i].end,
                                                 plan->ranges[i].end};
    query->next_batch = plan->batch_id + 1;
    positions_keep_lowest(query->starts, query->start_count, &query->lowest);
    query_report_lag(query);
}

void query_take_incarnation(struct query *query, struct recovery *recovery) {
    query->incarnation = recovery->incarnation;
    query->begun = recovery->begun;
    recovery->begun = (struct incarnations){0};
}

struct incarnation query_incarnation(const struct query *query, int64_t batch_id) {
    struct incarnation incarnation = query->incarnation;
    for (size_t i = 0; i < query->begun.count && query->begun.begins[i].batch_id <= batch_id; i++) {
        incarnation.number++;
        incarnation.since_ms = query->begun.begins[i].since_ms;
    }
    return incarnation;
}

bool query_set_later(struct query *query, struct plan *plan, struct error *err) {
    int64_t latest_ms = query->latest_plan_ms;
    struct retry retry = {0};
    while (latest_ms == 0 && !checkpoint_latest_plan(&query->store->checkpoint, &latest_ms, err))
        if (!retry_again(query, &retry, err))
            return false;
    int64_t since_ms = query_incarnation(query, plan->batch_id).since_ms;
    if (latest_ms < since_ms)
        latest_ms = since_ms;
    query->latest_plan_ms = latest_ms;
    plan->timestamp_ms = clock_wall_ms();
    if (plan->timestamp_ms <= latest_ms)
        plan->timestamp_ms = latest_ms + 1;
    return true;
}

/* In the first incarnation of the topic nothing is told by it. */
static bool set_time(struct query *query, struct plan *plan, struct error *err) {
    plan->timestamp_ms = clock_wall_ms();
    return query_incarnation(query, plan->batch_id).number == 0 ||
           query_set_later(query, plan, err);
}

bool query_note_begun(struct query *query, int64_t batch_id, struct error *err) {
    const struct incarnations *begun = &query->begun;
    if (begun->count > 0 && begun->begins[begun->count - 1].batch_id >= batch_id)
        return true;
    struct retry retry = {0};
    while (
        !checkpoint_find_begun(&query->store->checkpoint, batch_id, batch_id, &query->begun, err))
        if (!retry_again(query, &retry, err))
            return false;
    return true;
}

static bool begin_new(struct query *query, struct error *err) {
    const char *topic = query->options->store.topic;
    if (!starting_offsets_resolve(query->options->starting_offsets, topic, &query->topic,
                                  &query->starts, err))
        return false;
    query->start_count = query->topic.count;
    log_write(LOG_INFO, query->how.name,
              "New query: no checkpoint yet | topic=%s | partitions=%zu | starting_offsets=%s",
              topic, query->topic.count, query->options->starting_offsets);
    struct retry retry = {0};
    while (!store_write_initial(query->store, query->starts, query->start_count, err))
        if (!retry_again(query, &retry, err))
            return false;
    return true;
}

static bool run_open_plan(struct query *query, const struct plan *plan, struct error *err) {
    log_write(LOG_INFO, query->how.name,
              "Running a planned batch again that was not committed | batch_id=%" PRId64
              " | offsets=%" PRId64,
              plan->batch_id, planner_size(plan->ranges, plan->count));
    trigger_clock_begin(&query->clock);
    bool ready = topic_change_await(query, plan, err);
    trigger_clock_add(&query->clock.listing_us, query->clock.began_us);
    if (!ready || !micro_batch_run(query, plan, err))
        return false;
    query_move_past(query, plan);
    return true;
}

bool query_recover(struct query *query, struct recovery *recovery, struct error *err) {
    struct retry retry = {0};
    while (!store_recover(query->store, recovery, err))
        if (!retry_again(query, &retry, err))
            return false;
    query_status_set_sink_log(&query->status, recovery->sink_log);
    if (query->cluster == NULL && !store_start_upkeep(query->store, err)) // else Spark keeps it
        log_write(LOG_WARNING, query->how.name,
                  "Each tenth commit takes longer: nothing can be prepared for it | error=%s",
                  err->message);
    for (size_t i = 0; i < recovery->note_count; i++)
        log_write(LOG_WARNING, query->how.name, "%s", recovery->notes[i]);
    if (recovery->table_unlogged)
        log_write(LOG_WARNING, query->how.name,
                  "This table has files but no sink log, and is written without one | table=%s | "
                  "setting=SINK_LOG",
                  query->options->store.table);
    return true;
}

static bool begin(struct query *query, const struct recovery *recovery, struct error *err) {
    if (recovery->new_query)
        return begin_new(query, err);
    if (recovery->has_open_plan)
        return query->cluster != NULL || // then Spark runs it again
               run_open_plan(query, &recovery->open_plan, err);
    log_write(LOG_INFO, query->how.name, "Resuming from the checkpoint | next_batch=%" PRId64,
              query->next_batch);
    return true;
}

/* First of all, so that a Spark that can't be started is told of at once, whatever else is amiss.
 */
static bool await_cluster(struct query *query, struct error *err) {
    const struct connect_url *url;
    if (query->cluster == NULL)
        return true;
    query_status_say(&query->status, QUERY_STARTING, false, "Waiting for Spark to start");
    query_status_rest(&query->status, cluster_options_of(query->cluster)->timeout_ms);
    return cluster_await(query->cluster, &url, err);
}

/* What could not be opened before the query's thread began. */
static bool open_again(struct query *query, struct error *err) {
    struct retry retry = {0};
    while (query->store == NULL && !query_open(query, err))
        if (!retry_again(query, &retry, err))
            return false;
    return true;
}

/* Brings disk and topic together: after it, `starts` and `next_batch` say where the query stands.
 */
static bool resume(struct query *query, struct error *err) {
    struct recovery recovery = {0};
    struct former_run former;
    if (!open_again(query, err) || !await_cluster(query, err) ||
        !former_run_end(query, &former, err) || !query_recover(query, &recovery, err))
        return false;
    query->next_batch = recovery.next_batch;
    query_take_incarnation(query, &recovery);
    query->starts = recovery.starts;
    query->start_count = recovery.start_count;
    query->topic_unproven = recovery.start_count > 0;
    recovery.starts = NULL;
    bool ready = topic_watch_start(query, err) &&
                 kafka_identity_settle(query, recovery.new_query, err) &&
                 former_run_settle(query, &former, err) && begin(query, &recovery, err);
    recovery_deinit(&recovery);
    return ready;
}

/* Plans what lies between the positions and the topic's ends. */
static bool plan_backlog(struct query *query, struct plan *plan, struct error *err) {
    struct data_loss loss;
    struct offset_range *ranges;
    size_t count;
    planner_next(query->starts, query->start_count, &query->topic, 0, &ranges, &count, &loss);
    int64_t backlog = planner_size(ranges, count) +
                      positions_held_back(query->starts, query->start_count, &query->topic);
    free(ranges);
    if (loss.texts.count > 0 && !topic_watch_loss(query, &loss, err))
        return false;

    int64_t limit = query->options->max_offsets_per_trigger;
    planner_next(query->starts, query->start_count, &query->topic, limit, &plan->ranges,
                 &plan->count, &loss);
    int64_t size = planner_size(plan->ranges, plan->count);
    query_status_set_lag(&query->status, backlog - size);
    query_report_lag(query);
    if (size > 0)
        return true;
    free(plan->ranges);
    plan->ranges = NULL;
    plan->count = 0;
    return true;
}

/* Plans the next batch from query->topic. Nothing new leaves plan->count 0; *moves: it takes
 * nothing, and another is due. */
static bool make_plan(struct query *query, struct plan *plan, bool *moves, struct error *err) {
    *plan = (struct plan){.batch_id = query->next_batch};
    if (!set_time(query, plan, err) || !topic_change_plan(query, plan, err))
        return false;
    *moves = plan->count > 0;
    if (!*moves)
        return plan_backlog(query, plan, err);
    struct data_loss ignored; // told by the plan behind this one
    struct offset_range *ranges;
    size_t count;
    planner_next(plan->ranges, plan->count, &query->topic, 0, &ranges, &count, &ignored);
    query_status_set_lag(&query->status, planner_size(ranges, count));
    free(ranges);
    return true;
}

bool query_write_plan(struct query *query, const struct plan *plan, struct error *err) {
    struct retry retry = {0};
    struct offsets known_ends = {0};
    for (size_t i = 0; i < query->begun.count; i++)
        if (query->begun.begins[i].batch_id == plan->batch_id)
            known_ends = query->begun.begins[i].known_ends;
    while (!store_write_move(query->store, plan, &known_ends, err))
        if (!retry_again(query, &retry, err))
            return false;
    if (query->latest_plan_ms != 0 && query->latest_plan_ms < plan->timestamp_ms)
        query->latest_plan_ms = plan->timestamp_ms;
    return true;
}

/* A trigger begins with a look at the topic. */
static bool look_at_topic(struct query *query, struct error *err) {
    trigger_clock_begin(&query->clock);
    bool listed = topic_watch_refresh(query, err);
    trigger_clock_add(&query->clock.listing_us, query->clock.began_us);
    return listed;
}

static bool run_plan(struct query *query, const struct plan *plan, struct error *err) {
    int64_t began_us = clock_monotonic_us();
    bool done = query_write_plan(query, plan, err);
    trigger_clock_add(&query->clock.logging_us, began_us);
    done = done && micro_batch_run(query, plan, err);
    if (done)
        query_move_past(query, plan);
    return done;
}

/* The rest of a trigger: plan and run a batch if there is anything to do; before it, one that moves
 * the positions if they don't fit the topic. */
static bool run_trigger(struct query *query, bool *ran, struct error *err) {
    struct plan plan;
    *ran = false;
    for (bool moves = true; moves;) {
        int64_t began_us = clock_monotonic_us();
        if (!make_plan(query, &plan, &moves, err))
            return false;
        trigger_clock_add(&query->clock.planning_us, began_us);
        if (plan.count == 0)
            return true;
        *ran = run_plan(query, &plan, err);
        free(plan.ranges);
        if (!*ran)
            return false;
    }
    return true;
}

/* TRIGGER=availableNow: the topic's ends and partitions as they are now, in batches, then the end.
 */
static bool run_available(struct query *query, struct error *err) {
    if (!look_at_topic(query, err))
        return false;
    for (bool ran = true; ran && stop_read(query->stop) == STOP_NOT;) {
        if (!run_trigger(query, &ran, err))
            return false;
        trigger_clock_begin(&query->clock);
    }
    topic_change_say_left(query);
    return true;
}

static void say_idle(struct query *query) {
    const char *detail, *wait = topic_change_wait(query, &detail);
    if (wait != NULL)
        query_status_fault(&query->status, QUERY_RETRYING, false, wait, detail);
    else
        query_status_say(&query->status, QUERY_WAITING, false, "Waiting for data to arrive");
}

/* True: a stop is requested. Ends early when the topic turns out to be another, so that this
 * becomes durable. */
static bool rest(struct query *query, int64_t pause_ms) {
    int64_t until_ms = clock_monotonic_ms() + pause_ms;
    query_status_rest(&query->status, pause_ms);
    for (;;) {
        int64_t left_ms = until_ms - clock_monotonic_ms();
        if (left_ms <= GLANCE_EVERY_MS)
            return left_ms > 0 && stop_sleep(query->stop, left_ms);
        if (stop_sleep(query->stop, GLANCE_EVERY_MS))
            return true;
        topic_watch_glance(query);
        if (!query->topic_fits)
            return false;
    }
}

static bool run_triggers(struct query *query, struct error *err) {
    int64_t idle_ms = IDLE_POLL_MS;
    while (stop_read(query->stop) == STOP_NOT) {
        int64_t began_ms = clock_wall_ms();
        query_status_say(&query->status, QUERY_WAITING, false, "Getting offsets from the topic");
        bool ran;
        if (!look_at_topic(query, err) || !run_trigger(query, &ran, err))
            return false;
        if (ran)
            query_status_say(&query->status, QUERY_WAITING, true, "Waiting for next trigger");
        else
            say_idle(query);
        int64_t now_ms = clock_wall_ms();
        int64_t pause_ms = trigger_next_ms(&query->options->trigger, began_ms, now_ms) - now_ms;
        idle_ms = ran                              ? IDLE_POLL_MS
                  : 2 * idle_ms < IDLE_POLL_MAX_MS ? 2 * idle_ms
                                                   : IDLE_POLL_MAX_MS;
        if (pause_ms == 0 && !ran)
            pause_ms = idle_ms;
        if (rest(query, pause_ms))
            return true;
    }
    return true;
}

static bool run_query(struct query *query, struct error *err) {
    if (!resume(query, err))
        return false;
    if (query->cluster != NULL)
        return cluster_run(query, err);
    query_status_set_started(&query->status);
    return query->options->trigger.available_now ? run_available(query, err)
                                                 : run_triggers(query, err);
}

/* So that top -H and a debugger show whose thread it is. */
static void name_thread(const char *query) {
    char name[16]; // the kernel's limit
    snprintf(name, sizeof name, "%s", query);
    (void)pthread_setname_np(pthread_self(), name); // only for people
}

static void *query_main(void *argument) {
    struct query *query = argument;
    struct error err = {0};
    name_thread(query->how.name);
    bool done = run_query(query, &err);
    query->failed = !done && err.kind != ERROR_STOPPED;
    query->failed_us = clock_monotonic_us();
    query->error = err;
    if (query->failed) {
        log_write(LOG_CRITICAL, query->how.name, "Query failed: %s", err.message);
        query_status_fault(&query->status, QUERY_FAILED, false, err.message, err.message);
    } else {
        query_status_say(&query->status, QUERY_STOPPED, false, "Stopped");
    }
    query_status_set_active(&query->status, false);
    if (query->failed)
        stop_request(query->stop, STOP_AFTER_BATCH); // the others finish their batch
    query->on_end();
    return NULL;
}

bool query_start(struct query *query, struct worker *workers, size_t worker_count,
                 struct error *err) {
    query->workers = workers;
    query->worker_count = worker_count;
    query_status_set_active(&query->status, true);
    char what[64];
    (void)snprintf(what, sizeof what, "start the thread of %s", query->how.name);
    return thread_start(&query->thread, query_main, query, what, err);
}

void query_join(struct query *query) {
    check(pthread_join(query->thread, NULL) == 0);
}
