#include "streaming/query/query_position.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "streaming/store/batch_steps.h"

enum { CLOCK_BEHIND_MS = 1000 }; // less is two plans in a hurry, or a clock that is being set

void query_position_deinit(struct query_position *position) {
    incarnations_deinit(&position->begun);
    free(position->starts);
    *position = (struct query_position){0};
}

void query_position_take(struct query_position *position, struct recovery *recovery) {
    position->next_batch = recovery->next_batch;
    position->incarnation = recovery->incarnation;
    position->begun = recovery->begun;
    recovery->begun = (struct incarnations){0};
    // Spark may have read another topic since the manifest that the id is from.
    for (size_t i = 0; i < position->begun.count; i++)
        if (position->begun.begins[i].by_spark)
            position->incarnation.topic_id[0] = '\0';
    if (recovery->planned_id[0] != '\0')
        memcpy(position->incarnation.topic_id, recovery->planned_id, sizeof recovery->planned_id);
    position->starts = recovery->starts;
    position->start_count = recovery->start_count;
    recovery->starts = NULL;
}

void query_position_move_past(struct query_position *position, const struct plan *plan) {
    free(position->starts);
    position->starts = must_alloc(plan->count + 1, sizeof *position->starts);
    position->start_count = plan->count;
    for (size_t i = 0; i < plan->count; i++)
        position->starts[i] = (struct offset_range){plan->ranges[i].partition, plan->ranges[i].end,
                                                    plan->ranges[i].end};
    position->next_batch = plan->batch_id + 1;
}

struct incarnation query_position_incarnation(const struct query_position *position,
                                              int64_t batch_id) {
    const struct incarnations *begun = &position->begun;
    struct incarnation incarnation = position->incarnation;
    for (size_t i = 0; i < begun->count && begun->begins[i].batch_id <= batch_id; i++) {
        incarnation.number++;
        incarnation.since_ms = begun->begins[i].since_ms;
    }
    return incarnation;
}

void query_position_commit(struct query_position *position, const struct manifest *manifest) {
    position->incarnation = manifest->incarnation;
    incarnations_drop(&position->begun, manifest->batch_id);
}

bool query_position_note_begun(struct query_position *position, int64_t batch_id,
                               struct error *err) {
    struct incarnations *begun = &position->begun;
    if (begun->count > 0 && begun->begins[begun->count - 1].batch_id >= batch_id)
        return true;
    struct retry retry = {0};
    while (!checkpoint_find_begun(&position->store->checkpoint, batch_id, batch_id, begun, err))
        if (!retry_again(position->retrier, &retry, err))
            return false;
    return true;
}

/* Once: it stays so until the clock has caught up. */
static void say_clock(struct query_position *position, int64_t behind_ms) {
    if (position->clock_said || behind_ms < CLOCK_BEHIND_MS)
        return;
    position->clock_said = true;
    log_write(LOG_WARNING, position->retrier->report->name,
              "The clock is behind the newest batch; until it catches up, each batch gets a "
              "timestamp 1 ms after the one before | behind=%.1f s",
              (double)behind_ms / 1000);
}

bool query_position_set_later(struct query_position *position, struct plan *plan,
                              struct error *err) {
    int64_t latest_ms = position->latest_plan_ms;
    struct retry retry = {0};
    while (latest_ms == 0 && !checkpoint_latest_plan(&position->store->checkpoint, &latest_ms, err))
        if (!retry_again(position->retrier, &retry, err))
            return false;
    int64_t since_ms = query_position_incarnation(position, plan->batch_id).since_ms;
    if (latest_ms < since_ms)
        latest_ms = since_ms;
    position->latest_plan_ms = latest_ms;
    plan->timestamp_ms = clock_wall_ms();
    if (plan->timestamp_ms > latest_ms)
        return true;
    say_clock(position, latest_ms - plan->timestamp_ms);
    plan->timestamp_ms = latest_ms + 1;
    return true;
}

static struct topic_identity identity_of(const struct query_position *position) {
    struct topic_identity identity = {0};
    if (position->cluster_id != NULL)
        (void)snprintf(identity.cluster_id, sizeof identity.cluster_id, "%s", position->cluster_id);
    memcpy(identity.topic_id, position->incarnation.topic_id, sizeof identity.topic_id);
    return identity;
}

bool query_position_write_plan(struct query_position *position, const struct plan *plan,
                               struct error *err) {
    struct retry retry = {0};
    struct offsets known_ends = {0};
    const struct topic_identity identity = identity_of(position);
    for (size_t i = 0; i < position->begun.count; i++)
        if (position->begun.begins[i].batch_id == plan->batch_id)
            known_ends = position->begun.begins[i].known_ends;
    while (!store_write_known(position->store, plan, &known_ends, &identity, err))
        if (!retry_again(position->retrier, &retry, err))
            return false;
    if (position->latest_plan_ms != 0 && position->latest_plan_ms < plan->timestamp_ms)
        position->latest_plan_ms = plan->timestamp_ms;
    return true;
}
