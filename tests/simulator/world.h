/* world.h: what a life is lived in: the settings of its query, and how likely what can happen is.
 * All of it follows from the seed.
 *
 * Each part draws from a sequence of its own, so that a part can be switched off and the others
 * stay nearly as they were. That is how a life that fails is made smaller. */
#ifndef SIMULATOR_WORLD_H
#define SIMULATOR_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "model_broker.h"
#include "model_disk.h"
#include "random.h"
#include "streaming/query/query_definition.h"

#define LAKE "/lake"
#define CHECKPOINT LAKE "/checkpoints/match_stream"
#define TABLE LAKE "/processed/matches"
#define REJECTS LAKE "/rejected/matches"

/* What can be switched off, by its name on the command line. */
enum life_part {
    PART_KILLS,
    PART_POWER,
    PART_SIGNALS,
    PART_DISK,
    PART_BROKER,
    PART_JUMPS,
    PART_OPERATIONS,
    PART_CARE,
    PART_ACCIDENTS,
    PART_MALFORMED,
    PART_RETENTION,
    LIFE_PARTS
};
extern const char *const life_part_names[LIFE_PARTS];

struct life_switches {
    unsigned off;          // a bit for each life_part
    uint64_t skipped;      // a bit for each process
    unsigned records_most; // that one event produces; 0: as drawn
    bool traces, hashes;
};

/* The random sequences of a life. */
enum life_sequence { OF_SCHEDULER = 1, OF_DISK, OF_WORLD, OF_LIFE, OF_VIEWS, OF_PROCESS = 100 };

struct world {
    uint64_t seed;
    const struct life_switches *switches;
    struct store_options store;
    struct broker_chances chances;
    bool no_exchange; // of the disk
    bool disk_is_bad; // in some processes
    bool jumps;
    int64_t began_ms;       // wall
    int32_t expired_before; // a day since 1970: older ones may have left; INT32_MIN: none
    bool date_column;
    bool is_long;         // many small batches, so that manifests are folded
    bool replays;         // many malformed records, and replays of them
    int64_t latest_ms;    // the wall clock's latest so far
    bool log_was_changed; // adopt or release has run
    bool is_permissive;   // so has a replay with PARSE_MODE=permissive
};

static inline bool world_has(const struct world *world, enum life_part part) {
    return (world->switches->off & 1U << part) == 0;
}

void world_draw(struct world *world, uint64_t seed, const struct life_switches *switches);

/* Options of one process. `last`: it can take all there is. */
struct query_options world_query_options(const struct world *world, struct random *random,
                                         bool last);

#endif
