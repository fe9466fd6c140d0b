/* model_cluster.h: what is in the simulated cluster, and how it changes; shared by model_broker.c
 * and model_source.c, and not for others. */
#ifndef SIMULATOR_MODEL_CLUSTER_H
#define SIMULATOR_MODEL_CLUSTER_H

#include "base/error.h"
#include "model_broker.h"

enum entry_state { ENTRY_COMMITTED, ENTRY_OPEN, ENTRY_ABORTED };

/* An offset of a log. */
struct log_entry {
    struct model_record record; // its fate: OFFSET_RECORD, or how the log has lost it
    enum entry_state state;
    int transaction; // 0: none
    bool is_compacted;
};

enum { OPEN_TRANSACTIONS_MAX = 2 }; // in one log

struct log {
    int incarnation; // of what is appended next
    int64_t start, end;
    int64_t readable_to; // the furthest that a reader could ever come
    struct {
        int id; // 0: free
        int64_t first;
    } open[OPEN_TRANSACTIONS_MAX];
    size_t *entries; // owned; by offset, in the cluster's entries
    size_t capacity;
};

struct cluster {
    uint64_t seed;
    struct broker_chances chances;
    struct broker_time time;
    int64_t clock_ms; // where `time` has none
    void (*trace)(const char *text);
    struct random events, faults;
    bool may_cut; // else listings may be behind
    bool is_quiet, is_dead, is_unreachable, has_topic;
    int incarnation, topic, transaction; // the newest
    struct log logs[MODEL_PARTITIONS_MAX];
    int32_t log_count;
    struct log_entry *entries; // owned; in the order in which they were written
    size_t entry_count, entry_capacity;
    struct model_record *history; // owned
    int open_handles;
    char topic_id[24];
};

extern struct cluster cluster;

void cluster_pass(int64_t ms);
void cluster_say(const char *format, ...) PRINTF_LIKE(1, 2);

/* Draws whether a fault happens, and counts it. */
bool cluster_fault(enum broker_event event);
void cluster_note(enum broker_event event);

/* How far a reader may read: the last stable offset, or the log's end. */
int64_t cluster_readable_end(const struct log *log);
const struct log_entry *cluster_entry(const struct log *log, int64_t offset);
/* Whether a reader gets it. */
bool cluster_is_record(const struct log_entry *entry);

struct source *model_source_open(void);

#endif
