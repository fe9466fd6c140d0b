/* replay_source.h: the rejects that a replay takes, as a worker's source
 * (pipeline/source/source.h).
 *
 * "Offsets" of its ranges are positions among what is taken: the range [0, taken->count) of any
 * partition gives each taken record once, with its own partition and offset. */
#ifndef STREAMING_OPERATIONS_REPLAY_SOURCE_H
#define STREAMING_OPERATIONS_REPLAY_SOURCE_H

#include "pipeline/source/source.h"
#include "streaming/store/rejects.h"

/* What the batch takes. The driver sets it while no task is out. */
struct replay_load {
    struct reject_files files;
    struct reject_mark first;                // where its rejects begin
    struct resolved taken;                   // all of one
    int32_t incarnation;                     // of the topic
    const struct incarnations *incarnations; // borrowed
    size_t page_size_max;
};

/* `load` is borrowed. */
struct source *replay_source_open(const struct replay_load *load);

#endif
