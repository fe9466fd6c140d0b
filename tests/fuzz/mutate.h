/* mutate.h: what libFuzzer and a mutator of ours expect of one another. A target that has a mutator
 * says how many bytes are in front of what it mutates (MUTATE_HEAD, tests/fuzz/CMakeLists.txt). */
#ifndef MUTATE_H
#define MUTATE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef MUTATE_HEAD
#define MUTATE_HEAD 0 // for tools that read a mutator without a target
#endif

/* libFuzzer's. Returns the new size. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);

/* Called by libFuzzer instead of that. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned int seed);

/* A number below the limit, which is not 0. */
static inline size_t mutate_draw(uint64_t *state, size_t limit) {
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (size_t)(*state >> 33) % limit;
}

#endif
