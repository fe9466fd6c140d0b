/* A start, whichever engine runs the query:
 *
 *   1. the store is opened, which takes the lock; then the engine
 *   2. a run on a cluster that did not end cleanly is ended, because a Spark that still writes
 * must not be tidied up after
 *   3. recovery settles the state on disk and finds the query's position
 *   4. it begins to look for missing files of the table
 *   5. the topic is listed, and is one of the Kafka cluster that the offsets are of
 *   6. the rejects of that former run's last batches are written
 *   7. a new query gets its first offsets; then the engine runs it, a planned batch first */
#include "streaming/start/query_run.h"

#include <inttypes.h>

#include "base/log/log.h"
#include "streaming/cluster/engine/former_run.h"
#include "streaming/kafka/starting_offsets.h"
#include "streaming/start/file_check.h"
#include "streaming/store/batch_steps.h"

/* What could not be opened before the query's thread began. */
static bool open_store(struct query *query, struct error *err) {
    struct retry retry = {0};
    while (query->store == NULL && !query_open(query, err))
        if (!retry_again(&query->retrier, &retry, err))
            return false;
    return true;
}

static bool begin_new(struct query *query, struct error *err) {
    struct query_position *position = &query->position;
    const char *topic = query->definition.topic;
    const char *starting_offsets = query->definition.options->starting_offsets;
    if (!starting_offsets_resolve(starting_offsets, topic, &query->watch.topic, &position->starts,
                                  err))
        return false;
    position->start_count = query->watch.topic.count;
    log_write(LOG_INFO, query->report.name,
              "New query: no checkpoint yet | topic=%s | partitions=%zu | starting_offsets=%s",
              topic, query->watch.topic.count, starting_offsets);
    struct retry retry = {0};
    while (!store_write_initial(query->store, position->starts, position->start_count, err))
        if (!retry_again(&query->retrier, &retry, err))
            return false;
    return true;
}

static bool begin(struct query *query, const struct recovery *recovery, struct error *err) {
    if (recovery->new_query)
        return begin_new(query, err);
    if (!recovery->has_open_plan)
        log_write(LOG_INFO, query->report.name,
                  "Resuming from the checkpoint | next_batch=%" PRId64, query->position.next_batch);
    return true;
}

static bool take_position(struct query *query, struct recovery *recovery,
                          const struct former_run *former, struct error *err) {
    query->change.unproven = recovery->start_count > 0;
    query_position_take(&query->position, recovery);
    if (!topic_watch_start(&query->watch, err) ||
        !kafka_identity_settle(&query->watch.identity, recovery->new_query, query->watch.topic.id,
                               err) ||
        !former_run_settle(query, former, err) || !begin(query, recovery, err))
        return false;
    topic_watch_moved(&query->watch);
    return true;
}

static bool run(struct query *query, struct engine *engine, const struct connect_url *today,
                struct error *err) {
    struct recovery recovery = {0};
    struct former_run former;
    if (!open_store(query, err) || !engine->ops->open(engine, err) ||
        !former_run_end(query, today, &former, err) || !query_recover(query, &recovery, err))
        return false;
    struct file_check check = {0};
    bool ok = file_check_begin(&check, query, err) && take_position(query, &recovery, &former, err);
    if (ok)
        query_commit_group(query); // a start after a crash, or after a rewind
    ok = ok && engine->ops->run(engine, recovery.has_open_plan ? &recovery.open_plan : NULL, err);
    file_check_end(&check, ok);
    recovery_deinit(&recovery);
    return ok;
}

bool query_run(struct query *query, struct engine *engine, const struct connect_url *today,
               struct error *err) {
    bool ok = run(query, engine, today, err);
    engine->ops->close(engine);
    return ok;
}
