/* model_broker.h: a Kafka cluster with one topic, behind `struct broker` and `struct source`.
 *
 * It keeps the history of the topic: every record that was ever in it, by incarnation, partition
 * and offset, and why an offset holds none (a transaction's marker, aborted, compacted) or holds it
 * no more (deleted by retention, gone with its topic). The checker compares table and rejects with
 * this history.
 *
 * Events come from the broker's own random sequence, when model_broker_live() is called: records
 * are produced (also in transactions, committed, aborted or open), partitions are added, retention
 * moves a log's start, compaction takes records away, the topic is deleted and created again, a log
 * is cut (an unclean election), listings and fetches fail, stall, or are slow, the cluster is
 * unreachable for a while.
 *
 * A record's JSON is made from its place and the seed, so that the checker can make it again and
 * knows the row or the reason of the reject that it must become. */
#ifndef SIMULATOR_MODEL_BROKER_H
#define SIMULATOR_MODEL_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "random.h"
#include "streaming/kafka/broker.h"

enum broker_event {
    BROKER_PRODUCED,
    BROKER_TRANSACTION_BEGUN,
    BROKER_TRANSACTION_COMMITTED,
    BROKER_TRANSACTION_ABORTED,
    BROKER_PARTITION_ADDED,
    BROKER_RETENTION,
    BROKER_COMPACTED,
    BROKER_TOPIC_DELETED,
    BROKER_TOPIC_CREATED,
    BROKER_LOG_CUT,
    BROKER_LISTING_FAILED,
    BROKER_FETCH_FAILED,
    BROKER_FETCH_STALLED,
    BROKER_UNREACHABLE,
    BROKER_REACHABLE,
    BROKER_DAMAGED, // a fetch that can't be read, once
    BROKER_EVENTS
};

/* In thousand calls of model_broker_live() or of the interface's functions. */
struct broker_chances {
    unsigned of[BROKER_EVENTS];
    unsigned records_most; // that one event produces, in a partition
    unsigned malformed;    // of thousand records
};

enum offset_fate {
    OFFSET_RECORD,
    OFFSET_ABSENT,  // a marker, aborted, or compacted: never a record for a reader that comes later
    OFFSET_DELETED, // by retention, or with its topic: a reader may have had it, or has lost it
};

struct model_record {
    int incarnation;
    int32_t partition;
    int64_t offset, timestamp_ms;
    enum offset_fate fate;
    bool was_readable; // at some time a committed record below the high watermark
    bool is_reject;    // its JSON must become one
};

void model_broker_begin(uint64_t seed, const struct broker_chances *chances,
                        void (*trace)(const char *text));
void model_broker_end(void);

/* The seam, for one process's life; closed by the process. */
struct broker *model_broker_open(void);

/* One step of the cluster's life. `quiet`: nothing but what ends a fault (reachable again,
 * transactions committed or aborted, topic created), so that a last run can take all. */
void model_broker_live(bool quiet);

/* The process that asks is dead: all fails at once. */
void model_broker_kill(void);
void model_broker_restart(void);

/* The history, in order of incarnation, partition, offset. */
size_t model_broker_history(const struct model_record **records);
/* The bytes of a record's JSON; NULL: a tombstone. Valid until the next call. */
const char *model_broker_json(int incarnation, int32_t partition, int64_t offset, size_t *size);

long model_broker_count(enum broker_event event); // over all lives
const char *model_broker_event_name(enum broker_event event);

#endif
