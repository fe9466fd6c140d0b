/* rewind_target.h: which batch is the newest one that stays, and what its plan said: of offsets/,
 * or of history/ (streaming/history/history.h). */
#ifndef STREAMING_OPERATIONS_REWIND_TARGET_H
#define STREAMING_OPERATIONS_REWIND_TARGET_H

#include <stdio.h>

#include "streaming/history/history.h"
#include "streaming/kafka/broker.h"
#include "streaming/operations/operations.h"

struct rewind_target {
    int64_t batch_id;
    int64_t timestamp_ms;
    struct offsets ends, known_ends; // owned
    struct offsets before;           // owned; where the batch before it ended, as far as is known
    bool planned;    // its plan and the one before it are in offsets/, where Spark needs them
    bool times_tell; // all later batches are later by their timestamps, too
};

void rewind_target_deinit(struct rewind_target *target); // accepts a zeroed struct

/* ERROR_CONFIG: nothing is known of this batch; the message has those next to it. */
MUST_CHECK bool rewind_target_read(const struct store *store, const struct history *history,
                                   int64_t batch_id, struct rewind_target *target,
                                   struct error *err);

/* The newest batch up to `newest` that was planned before a time, and says so on `out`.
 * ERROR_CONFIG: there is none. */
MUST_CHECK bool rewind_target_before(const struct store *store, const struct history *history,
                                     int64_t newest, int64_t before_ms, int64_t *batch_id,
                                     FILE *out, struct error *err);

/* Whether Kafka still has what would be read again; `now`: where the query stands. ERROR_CONFIG: it
 * has not; the message names what is gone, and the oldest batch that can stay. ERROR_BROKER: it
 * does not answer. */
MUST_CHECK bool rewind_target_check(const struct rewind_target *target,
                                    const struct history *history, const struct offsets *now,
                                    struct broker *broker, const char *topic, struct error *err);

enum { REWIND_TIME_MAX = 32 };
const char *rewind_time(int64_t ms, char text[static REWIND_TIME_MAX]); // 2026-11-28T00:00:00.000Z

#endif
