/* health_scene.h: a query that goes through a case (health_cases.h), second by second, on a clock
 * of the scene's: what it says of itself is written as a query's driver writes it, and looked at as
 * by the running program. */
#ifndef TESTS_UNIT_SURFACES_HEALTH_SCENE_H
#define TESTS_UNIT_SURFACES_HEALTH_SCENE_H

#include <stdatomic.h>

#include "../streaming/lag_fixture.h"
#include "base/system/clock.h"
#include "health/health_cases.h"
#include "surfaces/health/program_view.h"

enum { SCENE_START_MS = 20000000 }; // the machine has been up for some hours

static int64_t scene_ms; // monotonic

static int64_t scene_wall_ms(void) {
    return 1700000000000 + scene_ms;
}

static int64_t scene_monotonic_us(void) {
    return 1000 * scene_ms;
}

static const struct clock_ops scene_clock = {scene_wall_ms, scene_monotonic_us};

struct health_scene {
    struct config config;
    struct query_options options;
    struct schema schema;
    struct query_status status;
    struct query_history history;
    struct care_status care;
    struct program_view program;
    struct partition_lag partition;
    int64_t batch_id;
    struct health_verdict verdict;
};

static inline struct streaming_memory scene_memory(struct streaming *streaming) {
    (void)streaming;
    return (struct streaming_memory){.budget = 1 << 30};
}

static inline size_t scene_sources(struct streaming *streaming, size_t most, bool *found,
                                   struct kafka_statistics *statistics) {
    (void)streaming, (void)statistics;
    if (most > 0)
        found[0] = false;
    return 0;
}

static inline struct webhook_counts scene_notifications(struct alerts *alerts) {
    (void)alerts;
    return (struct webhook_counts){0};
}

static inline void scene_open(struct health_scene *scene) {
    clock_source = &scene_clock;
    scene_ms = SCENE_START_MS;
    *scene = (struct health_scene){
        .config = {.alert_after_ms = CASE_AFTER_MS,
                   .alert_rejects_percent = CASE_REJECTS_PERCENT,
                   .query.trigger.interval_ms = CASE_TRIGGER_MS},
        .options = {.stream = stream_of("matches"),
                    .store = {.topic = "esports-matches", .table = "/t", .checkpoint = "/c"},
                    .trigger.interval_ms = CASE_TRIGGER_MS},
        .batch_id = -1};
    stream_schema(stream_of("matches"), &scene->schema);
    query_status_init(&scene->status, "match_stream");
    query_history_init(&scene->history);
    care_status_init(&scene->care);
    scene->program =
        (struct program_view){.config = &scene->config,
                              .started_ms = scene_wall_ms(),
                              .query_count = 1,
                              .queries = {{&scene->options, &scene->schema, &scene->status,
                                           &scene->history, &scene->care}},
                              .memory = scene_memory,
                              .sources = scene_sources,
                              .notifications = scene_notifications};
    scene->program.health = health_watch_open(&scene->config, scene->program.queries, 1);
}

static inline void scene_close(struct health_scene *scene) {
    health_watch_close(scene->program.health);
    query_history_deinit(&scene->history);
    care_status_deinit(&scene->care);
    query_status_deinit(&scene->status);
}

static inline void scene_commit(struct health_scene *scene, int64_t size, int64_t rejects,
                                int64_t lost) {
    struct batch_report draft = {.batch_id = ++scene->batch_id,
                                 .committed_ms = scene_wall_ms(),
                                 .rows = size - rejects,
                                 .accepted = size - rejects,
                                 .rejects = rejects,
                                 .lost = lost,
                                 .rejects_by = {[REJECT_NULL_VALUE] = rejects}};
    struct tally tally = {0};
    scene->partition.position += size;
    atomic_fetch_add(&scene->status.records_read, size);
    query_history_add(&scene->history, batch_report_create(&draft), &(struct file_list){0}, &tally);
    query_status_add_batch(&scene->status, draft.batch_id, draft.rows, draft.rejects);
}

static inline void scene_say(struct health_scene *scene, enum query_state state) {
    static const char error[] = "No answer from Kafka";
    if (state == QUERY_RETRYING || state == QUERY_FAILED)
        query_status_fault(&scene->status, state, true, "Waiting for Kafka", error);
    else
        query_status_say(&scene->status, state, true, "Processing");
}

/* One second of the step, the `number`th. */
static inline void scene_second(struct health_scene *scene, const struct health_step *step,
                                int number) {
    struct partition_lag *at = &scene->partition;
    at->topic_end += step->produced;
    atomic_fetch_add(&scene->status.records_read, step->read);
    bool is_due =
        number % 10 == 9 || number == step->seconds - 1 || (number == 0 && step->lost > 0);
    int64_t size = at->topic_end - at->position;
    size = size < step->commits ? size : step->commits;
    if (is_due && size > 0)
        scene_commit(scene, size, step->rejects, number == 0 ? step->lost : 0);
    if (step->is_unlisted)
        lag_book_note_error(&scene->status.lag, "no broker answers");
    else if (step->state != QUERY_STARTING)
        lag_fixture_set(&scene->status.lag, at, 1);
    if (step->missing > 0 || step->changed > 0)
        query_status_set_missing(&scene->status, step->missing, step->changed,
                                 "a.parquet, b.parquet, c.parquet");
    if (number % 60 == 0 && step->care_fails) {
        care_status_set_error(&scene->care, "No space left on device");
        care_status_set_passed(&scene->care, true, 0);
    } else if (number % 60 == 0) {
        care_status_set_error(&scene->care, "");
        care_status_set_passed(&scene->care, false, 0);
    }
    if (step->held > 0)
        query_status_hold(&scene->status, step->held, 0);
    else if (!step->is_silent)
        scene_say(scene, step->state);
    health_watch_judge(scene->program.health, 0, &scene->verdict);
    scene_ms += 1000;
}

/* The whole case; `look`, unless NULL, is called every `every` seconds. */
static inline void scene_play(struct health_scene *scene, const struct health_case *one, int every,
                              void (*look)(struct health_scene *scene)) {
    int passed = 0;
    for (const struct health_step *step = one->steps; step->seconds > 0; step++)
        for (int i = 0; i < step->seconds; i++, passed++) {
            scene_second(scene, step, i);
            if (look != NULL && passed % every == 0)
                look(scene);
        }
}

#endif
