#include "world.h"

#include <string.h>

enum { MIB = 1 << 20, DAY_MS = 24 * 3600 * 1000 };

/* 2026-11-27T00:00:00Z */
static const int64_t first_day_ms = 1795737600000;

const char *const life_part_names[LIFE_PARTS] = {
    "kills",      "power", "signals",   "disk",      "broker",    "jumps",
    "operations", "care",  "accidents", "malformed", "retention",
};

/* One of the weights, in their proportion. */
static size_t draw(struct random *random, size_t count, const unsigned *weights) {
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += weights[i];
    uint64_t at = random_below(random, sum);
    size_t i = 0;
    for (; at >= weights[i]; i++)
        at -= weights[i];
    return i;
}

#define DRAW(random, ...)                                                                          \
    draw(random, sizeof((unsigned[]){__VA_ARGS__}) / sizeof(unsigned),                             \
         (const unsigned[]){__VA_ARGS__})

static void draw_chances(struct world *world, struct random *random) {
    struct broker_chances *chances = &world->chances;
    *chances = broker_chances_usual;
    bool calm = random_chance(random, 400);
    chances->malformed = random_chance(random, 300) ? 0 : (unsigned)random_below(random, 200);
    chances->records_most = 1U << random_below(random, random_chance(random, 200) ? 6 : 4);
    chances->read_uncommitted = random_chance(random, 200);
    chances->has_no_ids = random_chance(random, 300);
    if (calm || !world_has(world, PART_BROKER))
        for (int i = BROKER_PRODUCED + 1; i < BROKER_EVENTS; i++)
            chances->of[i] = 0;
    if (!world_has(world, PART_MALFORMED))
        chances->malformed = 0;
    if (world->switches->records_most > 0 && chances->records_most > world->switches->records_most)
        chances->records_most = world->switches->records_most;
}

static void draw_store(struct world *world, struct random *random) {
    static const char *const by_status[] = {"status"}, *const by_date[] = {"ingest_date", "status"};
    static const enum sink_log_mode modes[] = {SINK_LOG_AUTO, SINK_LOG_ON, SINK_LOG_OFF};
    world->date_column = random_chance(random, 400);
    const struct stream *stream = stream_of("matches");
    world->store = (struct store_options){
        .query = stream->name,
        .stream = stream,
        .topic = MODEL_TOPIC,
        .checkpoint = CHECKPOINT,
        .table = TABLE,
        .rejects = REJECTS,
        .partition_by = world->date_column ? by_date : by_status,
        .partition_by_count = world->date_column ? 2 : 1,
        .sink_log = modes[DRAW(random, 70, 10, 20)],
        .shuffle_partitions = 10,
        .rewind_retention_ms = random_chance(random, 300) ? 0 : 30LL * DAY_MS,
    };
    streams_partition_by(stream, world->store.partition_by, world->store.partition_by_count);
}

void world_draw(struct world *world, uint64_t seed, const struct life_switches *switches) {
    struct random random = random_fork(seed, OF_WORLD);
    *world = (struct world){.seed = seed, .switches = switches, .expired_before = INT32_MIN};
    draw_chances(world, &random);
    draw_store(world, &random);
    world->is_long = random_chance(&random, 30);
    world->replays = random_chance(&random, 100) && world_has(world, PART_MALFORMED);
    if (world->is_long)
        world->chances.records_most = 4;
    if (world->replays)
        world->chances.malformed = 200;
    world->no_exchange = random_chance(&random, 50);
    world->disk_is_bad = random_chance(&random, 400) && world_has(world, PART_DISK);
    world->jumps = random_chance(&random, 200) && world_has(world, PART_JUMPS);
    world->began_ms = first_day_ms + (int64_t)random_below(&random, DAY_MS);
}

static void draw_trigger(struct query_options *options, struct random *random, bool is_long,
                         bool last) {
    static const int64_t intervals[] = {0, 1000, 10000, 60000};
    options->trigger.interval_ms = intervals[DRAW(random, 30, 30, 30, 10)];
    options->trigger.available_now = random_chance(random, 250) || last;
    if (random_chance(random, 400))
        options->max_offsets_per_trigger = 1 + (int64_t)random_below(random, 60);
    if (is_long) {
        options->trigger = (struct trigger){.available_now = last};
        options->max_offsets_per_trigger = last ? 0 : 1;
    }
    if (random_chance(random, 150)) {
        options->min_offsets_per_trigger = 1 + (int64_t)random_below(random, 30);
        options->max_trigger_delay_ms = 1000 << random_below(random, 6);
    }
}

static void draw_care(const struct world *world, struct query_options *options,
                      struct random *random) {
    static const enum compact_mode modes[] = {COMPACT_OFF, COMPACT_LIVE, COMPACT_CLOSED};
    struct care_options *care = &options->care;
    *care = (struct care_options){.grace_ms = random_chance(random, 500) ? 3600 * 1000 : 1000,
                                  .target_size = (int64_t)MIB << random_below(random, 8),
                                  .cpu_percent = 50,
                                  .memory_max = 8 * (int64_t)MIB};
    care->compact.mode = modes[DRAW(random, 50, 35, 15)];
    care->compact.older_than_ms = 1000LL << random_below(random, 12);
    if (care->compact.mode == COMPACT_CLOSED && !world->date_column)
        care->compact.mode = COMPACT_OFF;
    int64_t retention = 1 + (int64_t)random_below(random, 3);
    if (world->date_column && random_chance(random, 250) && world_has(world, PART_RETENTION))
        care->retention_days = retention;
    if (!world_has(world, PART_CARE))
        care->compact.mode = COMPACT_OFF;
}

struct query_options world_query_options(const struct world *world, struct random *random,
                                         bool last) {
    static const enum missing_files_mode missing[] = {MISSING_FILES_REPORT, MISSING_FILES_IGNORE,
                                                      MISSING_FILES_STOP};
    static const enum parquet_codec codecs[] = {CODEC_SNAPPY, CODEC_ZSTD, CODEC_NONE};
    struct query_options options = {.stream = world->store.stream,
                                    .store = world->store,
                                    .starting_offsets = "earliest",
                                    .parse_mode = PARSE_REJECT,
                                    .time_zone = "UTC",
                                    .kafka_startup_timeout_ms = (int64_t)30 * 1000,
                                    .write_retry_timeout_ms = 1000LL << random_below(random, 9),
                                    .lag_interval_ms = (int64_t)10 * 1000};
    draw_trigger(&options, random, world->is_long, last);
    draw_care(world, &options, random);
    options.commit_group = random_chance(random, 300) ? "group" : "";
    options.fail_on_data_loss = random_chance(random, 250) && !last;
    options.missing_files = missing[DRAW(random, 50, 25, 25)];
    options.parquet.codec = codecs[DRAW(random, 60, 20, 20)];
    if (random_chance(random, 60) && !last)
        options.parse_mode = PARSE_FAILFAST;
    if (last) {
        options.kafka_startup_timeout_ms = (int64_t)10 * 60 * 1000;
        options.write_retry_timeout_ms = (int64_t)10 * 60 * 1000;
    }
    return options;
}
