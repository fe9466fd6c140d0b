/* stage.h: the stages of a batch, as its durations are told apart. */
#ifndef STREAMING_TASKS_STAGE_H
#define STREAMING_TASKS_STAGE_H

enum stage {
    STAGE_PLAN,   // listing the topic, planning, making the plan durable
    STAGE_FETCH,  // getting records from the source, waiting for them included
    STAGE_DECODE, // JSON to the record's columns
    STAGE_DERIVE, // the other columns
    STAGE_ENCODE, // rows to Parquet pages, in memory
    STAGE_WRITE,  // opening, writing and syncing the staged files
    STAGE_COMMIT, // the manifest, and all that comes after the commit point
    STAGE_COUNT,
};

/* "plan", "fetch", … */
const char *stage_name(enum stage stage);

#endif
