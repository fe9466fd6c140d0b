/* stage.h: what the stage benchmarks share. */
#ifndef BENCH_STAGE_H
#define BENCH_STAGE_H

#include <stddef.h>
#include <stdint.h>

/* Runs `run` until `rounds` are done and returns the shortest one's CPU time of this thread in
 * nanoseconds: on a shared machine the shortest is the one that was disturbed least. */
double stage_shortest_ns(void (*run)(void *job), void *job, int rounds);

/* One line of the table. */
void stage_print(const char *name, double ns, size_t records, size_t bytes);

/* Decoding `records` made-up matches from memory, in both styles, with keys in order and shuffled.
 * Non-zero: the decoded rows differ from simdjson's. */
int stage_decode(size_t records, int rounds);

/* Decoding large nested documents (match_v5.h). */
int stage_nested(size_t records, int rounds);

#endif
