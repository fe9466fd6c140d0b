/* accidents.h: what people and Spark do to a lake between two processes, for the states of the disk
 * that the program alone cannot leave: a file is deleted, a part of a backup is put back, the table
 * is moved, Spark runs a batch.
 *
 * An accident has a stated outcome: the start is refused with a reason and changes nothing, or it
 * copes. Afterwards the lake is put back from a copy that was made before, because what was lost in
 * the accident is not the program's to find again. */
#ifndef SIMULATOR_ACCIDENTS_H
#define SIMULATOR_ACCIDENTS_H

#include "process.h"

struct accident;

/* Makes one that fits the state of the lake, and starts the program on it. Nothing if none of a few
 * that are drawn fits. */
void accident_happen(struct world *world, struct random *random, int number);

#endif
