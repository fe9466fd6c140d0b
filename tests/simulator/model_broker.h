/* model_broker.h: a Kafka cluster with one topic, behind `struct broker` and `struct source`.
 *
 * It keeps the history of the topic: every record that was ever in it, by incarnation, partition
 * and offset, and why an offset holds none (a transaction's marker, aborted, compacted) or holds it
 * no more (deleted by retention, cut, gone with its topic). The checker compares table and rejects
 * with this history.
 *
 * An incarnation here is one writing of offsets: the topic that is created again has a new one, and
 * so have the records of a partition that come after its log was cut. What was before the cut
 * keeps its own. (The program counts its own incarnations, and need not notice each of these.)
 *
 * Events come from the broker's own random sequence, when model_broker_live() is called: records
 * are produced (also in transactions, committed, aborted or open), partitions are added, retention
 * moves a log's start, compaction takes records away, the topic is deleted and created again, a log
 * is cut (an unclean election), the cluster is unreachable for a while. Listings and fetches that
 * fail, stall or are slow come from another sequence, when the interface's functions are called.
 *
 * A record's JSON is made from its place and the seed (content.h), so that the checker can make it
 * again and knows the row or the reason of the reject that it must become.
 *
 * One thread at a time (scheduler.h). */
#ifndef SIMULATOR_MODEL_BROKER_H
#define SIMULATOR_MODEL_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "content.h"
#include "random.h"
#include "streaming/kafka/broker.h"

#define MODEL_TOPIC "esports-matches" // the only one

enum { MODEL_PARTITIONS_MAX = 6 };

enum broker_event {
    /* by model_broker_live() */
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
    BROKER_UNREACHABLE,
    BROKER_REACHABLE,
    /* by the interface's functions */
    BROKER_LISTING_FAILED,
    BROKER_LISTING_SLOW,
    /* Not in a life in which logs are cut: an end that is lower than one before means that the log
     * was cut (streaming/kafka/broker.h). The seed decides which of the two a life has. */
    BROKER_LISTING_BEHIND, // a partition's end is one that it had before; twice in a row at most
    BROKER_FETCH_FAILED,
    BROKER_FETCH_STALLED,
    BROKER_DAMAGED,   // a fetch that can't be read, once
    BROKER_DATA_LOSS, // no chance of its own: a range was refused because offsets are gone
    BROKER_EVENTS
};

struct broker_chances {
    unsigned of[BROKER_EVENTS]; // in thousand calls
    unsigned records_most;      // that one event produces, in a partition; at least 1
    unsigned malformed;         // of thousand records
    bool has_no_ids;            // topics have none, as of old brokers
    bool read_uncommitted;      // the isolation level; else read_committed
};

/* Those of a cluster in which each event happens now and then. */
extern const struct broker_chances broker_chances_usual;

/* How time passes, and what it is; both NULL: by a clock of the model's own. */
struct broker_time {
    void (*pass)(int64_t ms);
    int64_t (*wall_ms)(void);
};

/* A cluster with an empty topic of 1 to 4 partitions. `trace`, which may be NULL, gets a line for
 * each event. */
void model_broker_begin(uint64_t seed, const struct broker_chances *chances,
                        struct broker_time time, void (*trace)(const char *text));
void model_broker_end(void); // each broker and source must be closed

/* From now on; for a cluster that becomes worse or better in a life. */
void model_broker_set_chances(const struct broker_chances *chances);

/* The seam, for one process's life; closed by the process. */
struct broker *model_broker_open(void);

/* One step of the cluster's life. `quiet`: faults end, and stay away until the next step that is
 * not: the cluster is reachable, transactions are committed or aborted, a deleted topic is created
 * again; so that a last run can take all. */
void model_broker_live(bool quiet);

/* Makes an event happen now, as a step of the cluster's life does, if it can. */
bool model_broker_do(enum broker_event event);

/* The process that asks is dead: all fails at once, with ERROR_CONFIG, which nobody retries. */
void model_broker_kill(void);
void model_broker_restart(void);

enum offset_fate {
    OFFSET_RECORD,
    OFFSET_ABSENT,  // a marker, aborted, in an open transaction, or compacted: never a record for
                    // a reader that comes now
    OFFSET_DELETED, // by retention: a reader may have had it, or has lost it
    OFFSET_GONE,    // the same, with its topic, or cut off its log
};

struct model_record {
    int incarnation;
    int topic; // the incarnation that its topic began with
    int32_t partition;
    int64_t offset, timestamp_ms;
    enum offset_fate fate;
    bool was_readable; // at some time a record that a reader could have
    bool is_marker;    // of a transaction
    bool is_cut;       // off its log
    bool is_reject;    // its JSON must become one
};

/* The history, in order of incarnation, partition, offset; those of one incarnation and partition
 * have no gap. Valid until the next step. */
size_t model_broker_history(const struct model_record **records);

/* A record's bytes, and the row or reject that it must become. Valid until the next call. */
const struct content *model_broker_content(int incarnation, int32_t partition, int64_t offset);

/* The newest topic's id as the interface tells it. */
const char *model_broker_topic_id(void);
/* The newest topic's first incarnation; it may have no records yet. */
int model_broker_topic(void);

long model_broker_count(enum broker_event event); // over all lives
const char *model_broker_event_name(enum broker_event event);

#endif
