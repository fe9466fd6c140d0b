/* life.h: one life of a query and its lake, from an empty disk to the proof that every record is
 * there once. */
#ifndef SIMULATOR_LIFE_H
#define SIMULATOR_LIFE_H

#include "process.h"
#include "world.h"

struct life_result {
    uint64_t hash; // of what was done and what is on the disk
    int processes; // that were drawn
};

void life_run(uint64_t seed, const struct life_switches *switches, struct life_result *result);

/* As a reader at this moment: whole batches, complete files, no row twice. Called before any call
 * of the disk. */
void life_look(void);

/* A refusal (exit codes 2 and 5) that the documents announce for what the lake went through; NULL:
 * none. */
const char *life_documented_refusal(const struct process *process);

bool run_verify(const struct query_options *options, FILE *out, struct error *err);

#endif
