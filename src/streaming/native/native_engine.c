/* The driver of a query: decides when a trigger fires and what its batch takes.
 *
 * A trigger looks at the topic, plans what lies between the positions and the topic's ends, makes
 * the plan durable, and runs it. If the topic does not fit the positions, a batch without records
 * that moves them comes first (topic_fit_plan()). availableNow looks once, keeps the ends that it
 * sees, and runs batches up to these: a retry lists the topic again, but what has come since is
 * left to the next start.
 *
 * With MIN_OFFSETS_PER_TRIGGER a trigger that finds fewer offsets makes no batch, until
 * MAX_TRIGGER_DELAY has passed since the last one that was not held back so (Spark's rule). Nothing
 * else is held back: what moves the positions, a loss, or a plan that is already durable.
 *
 * Time is asked only by clock.h, and every wait is stop_sleep() or the crew's receive(), so that a
 * test runs the driver in its own thread. */
#include "streaming/native/native_engine.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "streaming/care/caretaker.h"
#include "streaming/kafka/planner.h"
#include "streaming/store/batch_steps.h"

/* With a trigger of 0 seconds: how soon an idle topic is looked at again. The pause doubles while
 * nothing comes, so that only the first record after a silence waits for the longer one. */
enum { IDLE_POLL_MS = 10, IDLE_POLL_MAX_MS = 400 };

/* Between two triggers: how often the topic is looked at, so that its going away is not missed. */
enum { GLANCE_EVERY_MS = 1000 };

struct native_engine {
    struct engine engine;
    struct query *query;
    int64_t passed_ms; // monotonic; the last trigger that did not wait for more offsets; 0: none
    int64_t held;      // offsets that the newest trigger lacked; 0: it was not held back
    struct caretaker *caretaker; // owned; NULL: there is none
    struct offsets ends;         // owned; availableNow: where it ends; empty: not known yet
};

/* ---- planning ---- */

/* The ends that availableNow reads to: those of the first listing that goes with the positions, and
 * again where the topic turns out to be another on the way. */
static void keep_ends(struct native_engine *native, bool anew) {
    const struct topic_offsets *topic = &native->query->watch.topic;
    if (!native->query->definition.options->trigger.available_now ||
        (native->ends.count > 0 && !anew))
        return;
    offsets_deinit(&native->ends);
    for (size_t i = 0; i < topic->count; i++)
        offsets_add(&native->ends, topic->partitions[i].partition, topic->partitions[i].end);
}

/* The newest listing, without what lies behind the ends that are kept. The caller owns it. */
static struct topic_offsets list_allowed(const struct native_engine *native) {
    const struct topic_offsets *topic = &native->query->watch.topic;
    struct topic_offsets allowed = {.partitions =
                                        must_alloc(topic->count + 1, sizeof *allowed.partitions)};
    for (size_t i = 0; i < topic->count; i++) {
        struct partition_offsets *partition = &allowed.partitions[allowed.count];
        const struct partition_offset *end =
            offsets_find(&native->ends, topic->partitions[i].partition);
        *partition = topic->partitions[i];
        if (end != NULL && end->offset < partition->end) {
            partition->end = end->offset;
            if (partition->log_start > partition->end)
                partition->log_start = partition->end; // what is gone behind it is the next start's
        }
        if (end != NULL || native->ends.count == 0)
            allowed.count++;
    }
    return allowed;
}

static void drop(struct plan *plan) {
    free(plan->ranges);
    plan->ranges = NULL;
    plan->count = 0;
}

/* Whether the trigger waits for more than these offsets. The first of a start does not. */
static bool holds_back(struct native_engine *native, int64_t waiting) {
    const struct query_options *options = native->query->definition.options;
    int64_t now_ms = clock_monotonic_ms();
    native->held = 0;
    if (query_holds_back(options) && native->passed_ms != 0 &&
        now_ms - native->passed_ms < options->max_trigger_delay_ms &&
        waiting < options->min_offsets_per_trigger)
        native->held = options->min_offsets_per_trigger - waiting;
    else
        native->passed_ms = now_ms;
    return native->held > 0;
}

/* Plans what lies between the positions and the topic's ends. */
static bool plan_backlog(struct native_engine *native, struct plan *plan, struct error *err) {
    struct query *query = native->query;
    const struct query_position *position = &query->position;
    struct topic_offsets allowed = list_allowed(native);
    struct data_loss loss;
    planner_next(position->starts, position->start_count, &allowed, 0, &plan->ranges, &plan->count,
                 &loss);
    topic_offsets_deinit(&allowed);
    bool is_loss = loss.texts.count > 0;
    if (is_loss && !topic_watch_loss(&query->watch, &loss, err)) {
        drop(plan);
        return false;
    }
    int64_t waiting = planner_size(plan->ranges, plan->count);
    if ((holds_back(native, waiting) && !is_loss) || waiting == 0)
        drop(plan);
    else
        planner_limit(plan->ranges, plan->count,
                      query->definition.options->max_offsets_per_trigger);
    return true;
}

/* Plans the next batch from the newest listing. Nothing new leaves plan->count 0; *moves: it takes
 * nothing, and another is due. */
static bool make_plan(struct native_engine *native, struct plan *plan, bool *moves,
                      struct error *err) {
    struct query *query = native->query;
    *plan = (struct plan){.batch_id = query->position.next_batch};
    if (!query_position_set_later(&query->position, plan, err) ||
        !topic_fit_plan(&query->change, plan, err))
        return false;
    *moves = plan->count > 0;
    keep_ends(native, *moves);
    if (!*moves)
        return plan_backlog(native, plan, err);
    // What waits is counted from where the plan moves the positions to.
    lag_book_set_positions(&query->report.status.lag, plan->ranges, plan->count);
    return true;
}

/* ---- one trigger ---- */

/* A trigger begins with a look at the topic. */
static bool look_at_topic(struct query *query, struct error *err) {
    struct trigger_clock *clock = &query->report.clock;
    trigger_clock_begin(clock);
    bool listed = topic_watch_refresh(&query->watch, err);
    trigger_clock_add(&clock->listing_us, clock->began_us);
    return listed;
}

static bool run_plan(struct query *query, const struct plan *plan, struct error *err) {
    int64_t began_us = clock_monotonic_us();
    bool done = query_position_write_plan(&query->position, plan, err);
    trigger_clock_add(&query->report.clock.logging_us, began_us);
    done = done && micro_batch_run(&query->runner, plan, err);
    if (done)
        query_move_past(query, plan);
    return done;
}

/* The rest of a trigger: plan and run a batch if there is anything to do; before it, one that moves
 * the positions if they don't fit the topic. */
static bool run_trigger(struct native_engine *native, bool *ran, struct error *err) {
    struct query *query = native->query;
    struct plan plan;
    *ran = false;
    for (bool moves = true; moves;) {
        int64_t began_us = clock_monotonic_us();
        if (!make_plan(native, &plan, &moves, err))
            return false;
        trigger_clock_add(&query->report.clock.planning_us, began_us);
        if (plan.count == 0)
            return true;
        *ran = run_plan(query, &plan, err);
        free(plan.ranges);
        if (!*ran)
            return false;
    }
    return true;
}

/* A plan that a former start made durable, and did not commit. */
static bool run_open_plan(struct query *query, const struct plan *plan, struct error *err) {
    struct trigger_clock *clock = &query->report.clock;
    log_write(LOG_INFO, query->report.name,
              "Rerunning a batch that was planned but not committed | batch_id=%" PRId64
              " | offsets=%" PRId64,
              plan->batch_id, planner_size(plan->ranges, plan->count));
    trigger_clock_begin(clock);
    bool ready = topic_fit_await(&query->change, plan, err);
    trigger_clock_add(&clock->listing_us, clock->began_us);
    if (!ready || !micro_batch_run(&query->runner, plan, err))
        return false;
    query_move_past(query, plan);
    return true;
}

/* ---- one after the other ---- */

/* TRIGGER=availableNow: the topic's ends and partitions as they are now, in batches, then the end.
 */
static bool run_available(struct native_engine *native, struct error *err) {
    struct query *query = native->query;
    if (!look_at_topic(query, err))
        return false;
    for (bool ran = true; ran && stop_read(query->stop) == STOP_NOT;) {
        if (!run_trigger(native, &ran, err) || !caretaker_attend(native->caretaker, err))
            return false;
        trigger_clock_begin(&query->report.clock);
    }
    topic_fit_say_left(&query->change);
    return caretaker_finish(native->caretaker, err);
}

static void say_idle(const struct native_engine *native) {
    struct query *query = native->query;
    const char *detail, *wait = topic_fit_wait(&query->change, &detail);
    struct query_status *status = &query->report.status;
    const struct query_options *options = query->definition.options;
    if (wait != NULL)
        query_status_fault(status, QUERY_RETRYING, false, wait, detail);
    else if (native->held > 0 && native->held < options->min_offsets_per_trigger)
        query_status_hold(status, native->held,
                          clock_wall_ms() - clock_monotonic_ms() + native->passed_ms +
                              options->max_trigger_delay_ms);
    else
        query_status_say(status, QUERY_WAITING, false, "Waiting for data to arrive");
}

/* *stopped: a stop is requested. Ends early when the topic turns out to be another, so that this
 * becomes durable. What the caretaker has prepared is published meanwhile. */
static bool rest(struct native_engine *native, int64_t pause_ms, bool *stopped, struct error *err) {
    struct query *query = native->query;
    *stopped = false;
    int64_t until_ms = clock_monotonic_ms() + pause_ms;
    query_status_rest(&query->report.status, pause_ms);
    for (;;) {
        int64_t left_ms = until_ms - clock_monotonic_ms();
        if (!caretaker_attend(native->caretaker, err))
            return false;
        if (left_ms <= GLANCE_EVERY_MS) {
            *stopped = left_ms > 0 && stop_sleep(query->stop, left_ms);
            return true;
        }
        *stopped = stop_sleep(query->stop, GLANCE_EVERY_MS);
        if (*stopped)
            return true;
        topic_watch_glance(&query->watch);
        if (!query->watch.fits)
            return true;
    }
}

static bool run_triggers(struct native_engine *native, struct error *err) {
    struct query *query = native->query;
    struct query_status *status = &query->report.status;
    int64_t idle_ms = IDLE_POLL_MS;
    while (stop_read(query->stop) == STOP_NOT) {
        int64_t began_ms = clock_wall_ms();
        query_status_say(status, QUERY_WAITING, false, "Getting offsets from the topic");
        bool ran, stopped;
        if (!look_at_topic(query, err) || !run_trigger(native, &ran, err))
            return false;
        if (ran)
            query_status_say(status, QUERY_WAITING, true, "Waiting for next trigger");
        else
            say_idle(native);
        int64_t now_ms = clock_wall_ms();
        int64_t pause_ms =
            trigger_next_ms(&query->definition.options->trigger, began_ms, now_ms) - now_ms;
        idle_ms = ran                              ? IDLE_POLL_MS
                  : 2 * idle_ms < IDLE_POLL_MAX_MS ? 2 * idle_ms
                                                   : IDLE_POLL_MAX_MS;
        if (pause_ms == 0 && !ran)
            pause_ms = idle_ms;
        if (!rest(native, pause_ms, &stopped, err))
            return false;
        if (stopped)
            return true;
    }
    return true;
}

/* ---- the engine ---- */

static bool open_engine(struct engine *engine, struct error *err) {
    (void)engine, (void)err;
    return true;
}

/* Spark keeps the sink log itself, so this is ours alone. */
static void start_upkeep(struct query *query) {
    struct error err;
    if (!store_start_upkeep(query->store, &err))
        log_write(LOG_WARNING, query->report.name,
                  "Every tenth commit will be slower: the sink log's next compact file cannot be "
                  "prepared | error=%s",
                  err.message);
}

static bool run_batches(struct native_engine *native, const struct plan *open_plan,
                        struct error *err) {
    struct query *query = native->query;
    if (open_plan != NULL && !run_open_plan(query, open_plan, err))
        return false;
    query_status_set_started(&query->report.status);
    return query->definition.options->trigger.available_now ? run_available(native, err)
                                                            : run_triggers(native, err);
}

/* The table is cared for while Kafka is away, too. */
static bool attend(void *context, struct error *err) {
    const struct native_engine *native = context;
    return caretaker_attend(native->caretaker, err);
}

static bool run(struct engine *engine, const struct plan *open_plan, struct error *err) {
    struct native_engine *native = (struct native_engine *)engine;
    struct query *query = native->query;
    start_upkeep(query);
    native->caretaker = caretaker_start(query);
    query->retrier.meanwhile = attend;
    query->retrier.meanwhile_context = native;
    bool ok = run_batches(native, open_plan, err);
    query->retrier.meanwhile = NULL;
    caretaker_stop(native->caretaker);
    native->caretaker = NULL;
    return ok;
}

static void close_engine(struct engine *engine) {
    offsets_deinit(&((struct native_engine *)engine)->ends);
    free(engine);
}

struct engine *native_engine_create(struct query *query) {
    static const struct engine_ops ops = {open_engine, run, close_engine};
    struct native_engine *native = must_alloc(1, sizeof *native);
    *native = (struct native_engine){.engine = {&ops}, .query = query};
    return &native->engine;
}
