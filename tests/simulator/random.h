/* random.h: the simulator's only source of chance: one seed, one sequence (splitmix64). */
#ifndef SIMULATOR_RANDOM_H
#define SIMULATOR_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *random) {
    uint64_t z = random->state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

/* 0 to `count` - 1. */
static inline uint64_t random_below(struct random *random, uint64_t count) {
    return random_next(random) % count;
}

static inline bool random_chance(struct random *random, unsigned in_thousand) {
    return random_below(random, 1000) < in_thousand;
}

/* A sequence of its own that a seed and a name give, so that another call in one part of a life
 * does not change what the others draw. */
static inline struct random random_fork(uint64_t seed, uint64_t part) {
    struct random random = {seed ^ (part * 0xd6e8feb86659fd93U)};
    (void)random_next(&random);
    return random;
}

#endif
