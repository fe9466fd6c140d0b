/* incarnation.h: how often the offsets of a query's topic have begun again
 * (docs/internals/positions.md).
 *
 * An incarnation ends when a position goes back, because the topic was deleted and created again or
 * its log was cut, or when a partition is gone. The same offset may be taken once in each, so
 * everything that counts offsets counts by (incarnation, partition, offset). They are numbered from
 * 0. The batch that begins one is later, by its timestamp, than every batch before it, and no later
 * batch is earlier: a row's `processing_timestamp` shows which incarnation its offset belongs to.
 *
 * Pure: no disk. */
#ifndef STREAMING_OFFSETS_INCARNATION_H
#define STREAMING_OFFSETS_INCARNATION_H

#include "streaming/offsets/offset_log.h"

/* That of a batch. */
struct incarnation {
    int32_t number;
    int64_t since_ms;            // the timestamp of the batch that begins it; 0 of the first
    char topic_id[TOPIC_ID_MAX]; // Kafka's; "": not known
};

/* How one begins; every one except the first has it. */
struct incarnation_begin {
    int64_t batch_id, since_ms; // of the batch that moves the positions
    bool by_spark;              // Spark has planned it, and does not tell why
    struct offsets former;      // owned; the positions when the one before it ended,
    struct offsets known_ends; // owned; how far the topic is known to have gone on from there: what
                               // lies between was never read, and is lost,
    struct offsets starts;     // owned; and where this one begins
};

/* Moved by assignment. */
void incarnation_begin_deinit(struct incarnation_begin *begin);

/* A partition that is known, and of which nothing was ever planned, was at 0. */
void incarnation_begin_complete(struct incarnation_begin *begin);

int64_t incarnation_begin_lost(const struct incarnation_begin *begin); // offsets

/* A replay of rejects of an earlier incarnation than its time tells. */
struct incarnation_replay {
    int64_t timestamp_ms; // of its batch
    int32_t incarnation;  // that its rows' offsets are of
};

struct incarnations {                 // {0}: there is only the first
    struct incarnation_begin *begins; // owned; of numbers 1, 2, …
    size_t count;
    struct incarnation_replay *replays; // owned
    size_t replay_count;
};

void incarnations_deinit(struct incarnations *incarnations);
void incarnations_add(struct incarnations *incarnations, struct incarnation_begin begin); // moves
/* Of those that began with batches up to `last`; and drops them. Batches ascend. */
void incarnations_add_copies(struct incarnations *incarnations, const struct incarnations *more,
                             int64_t last);
void incarnations_drop(struct incarnations *incarnations, int64_t last);
void incarnations_add_replay(struct incarnations *incarnations, int64_t timestamp_ms,
                             int32_t incarnation);

/* Of which one a row of the table is, by the batch that made it; the other is for rows of the
 * rejects table, which a replay never adds to. */
int32_t incarnations_of_row(const struct incarnations *incarnations, int64_t processed_ms);
int32_t incarnations_of_reject(const struct incarnations *incarnations, int64_t processed_ms);

/* Whether a plan with these ends, after one with those, begins one. */
bool incarnation_begins(const struct offsets *before, const struct offsets *ends);

/* [{"batch":7,"sinceMs":…,"former":{"0":100},"knownEnds":{"0":120},"starts":{"0":0}}], one of
 * Spark's with "bySpark":true, and [{"timestampMs":…,"incarnation":0}]. ERROR_STATE: not described
 * in full. Reading adds. */
struct json *incarnations_print(const struct incarnations *incarnations);
struct json *incarnations_print_replays(const struct incarnations *incarnations);
MUST_CHECK bool incarnations_parse(const struct json *array, struct incarnations *incarnations,
                                   struct error *err);
MUST_CHECK bool incarnations_parse_replays(const struct json *array,
                                           struct incarnations *incarnations, struct error *err);

#endif
