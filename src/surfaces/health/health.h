/* health.h: whether a query is healthy, and whether somebody must act: the one place that decides
 * it. The page, the API, /readyz, /metrics, `status`, the webhook and the log show its verdict.
 *
 * A verdict has a state, the causes that were found, and how urgent the worst of them is. What each
 * state and each cause means is in two tables in health.c, and so are all thresholds.
 *
 *     state      when                                                           /readyz  status
 *     unknown    nobody has answered yet, or nobody answers                     503      11, or 0
 *     starting   checkpoint, table and topic are examined                       200      0
 *     healthy    batches are committed, and it keeps up or catches up           200      0
 *     waiting    all of the topic is committed, and nothing came for a while    200      0
 *     retrying   Kafka, the topic or the disk fails, and it retries             503      11
 *     degraded   it works, but falls behind, loses records or rejects many      200      13
 *     stuck      retries do not help, it hangs, or it commits nothing           503      11
 *     failed     it has ended with an error                                     503      11
 *     stopped    it was stopped                                                 200      0
 *
 * `status` gives 0 for unknown only if the process has no HTTP port.
 *
 * Pure: no clock, no I/O. */
#ifndef SURFACES_HEALTH_HEALTH_H
#define SURFACES_HEALTH_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "streaming/report/query_status.h"

enum health_state {
    HEALTH_UNKNOWN,
    HEALTH_STARTING,
    HEALTH_HEALTHY,
    HEALTH_WAITING,
    HEALTH_RETRYING,
    HEALTH_DEGRADED,
    HEALTH_STUCK,
    HEALTH_FAILED,
    HEALTH_STOPPED,
    HEALTH_STATES,
};

enum health_severity { SEVERITY_NONE, SEVERITY_WARNING, SEVERITY_CRITICAL };

/* What can be wrong with a query: the first of those that are found gives the state. */
enum health_cause {
    CAUSE_FAILED,
    CAUSE_NO_SIGN,    // of life
    CAUSE_NO_SUCCESS, // has retried for ALERT_AFTER without success
    CAUSE_NO_BATCH,   // though records wait
    CAUSE_RETRYING,
    CAUSE_LAG_UNKNOWN, // for ALERT_AFTER, with any trigger; not while it tries again
    CAUSE_BEHIND,      // what the topic held ALERT_AFTER ago is not committed, and no fewer wait
    CAUSE_LOST,
    CAUSE_MISSING,   // files of the table
    CAUSE_CHANGED,   // files of the table, by another program
    CAUSE_REJECTING, // more of what comes than ALERT_REJECTS_PERCENT
    CAUSE_CARE,      // no file is merged, and no date expires, for an hour
    HEALTH_CAUSES,
};

const char *health_state_name(enum health_state state);          // "healthy", …
const char *health_severity_name(enum health_severity severity); // "none", "warning", "critical"
const char *health_cause_name(enum health_cause cause);          // "falling_behind", …

/* HEALTH_UNKNOWN: none has that name. Accepts NULL. */
enum health_state health_state_find(const char *name);

/* Whether the query can make progress: what /readyz answers, and the exit code of `status`. */
bool health_state_is_ready(enum health_state state);

/* Rejects are judged by the records of the newest five minutes, or of two triggers if that is more,
 * up to four hours. */
enum { HEALTH_RECENT_S = 300, HEALTH_RECENT_S_MAX = 14400 };

/* What a look at the query shows. All texts are borrowed. */
struct health_look {
    int64_t now_ms; // monotonic, as all times here
    enum query_state state;
    int64_t batch_id;             // newest committed; -1: none yet
    int64_t records_read;         // since the start, also of the running batch
    int64_t signs, rest_until_ms; // as in query_status.h
    bool is_topic_known;          // its end offsets are recent
    int64_t topic_end, position;  // offsets, summed over partitions: at the newest listing of the
                                  // topic, and behind the newest committed batch; 0 if not known
    int64_t lag_age_ms;           // since the end offsets were last known
    const char *lag_error;        // why they are not; "": nobody says it
    int64_t lost;                 // offsets, since the start
    int64_t recent_accepted, recent_rejects; // records of the newest health_recent_s() seconds
    int64_t missing_files;                   // of the table; -1: not known
    int64_t changed_files;                   // likewise, of another size or not in the sink log
    int64_t care_failing_ms;                 // for how long every pass of care has failed; 0: none
    int64_t care_attempts;                   // that failed in this time
    bool is_held; // the next batch waits for more offsets, as MIN_OFFSETS_PER_TRIGGER says
    const char *topic, *message, *error, *missing_names, *care_error;
};

enum { HEALTH_REASON_MAX = QUERY_ERROR_MAX + 512 };

/* Some time in which the query made no progress, fell behind or rejected many records. */
struct health_incident {
    int64_t since_ms;             // 0: there was none since the start
    int64_t ended_ms;             // 0: not yet
    enum health_cause cause;      // the worst that was found
    char reason[QUERY_ERROR_MAX]; // the error that was retried, or what was found
};

struct health_verdict {
    enum health_state state;
    enum health_severity severity;         // of the worst cause
    unsigned causes;                       // bits, 1 << CAUSE_…
    int64_t since_ms;                      // when the state or its cause began; 0: not known
    int64_t cause_since_ms[HEALTH_CAUSES]; // of those in `causes`
    bool is_proven;     // something was committed, or the topic's end reached, since the
                        // query was last seen stuck or failed; false at the start
    bool keeps_up;      // what the topic held half of ALERT_AFTER ago is committed
    bool takes_records; // records came, and few of them are rejected
    char reason[HEALTH_REASON_MAX];  // plain text: what was found
    const char *action;              // what to do; "": nothing
    struct health_incident incident; // the newest: it lasts, or the query has recovered from it
};

static inline bool health_has_recovered(const struct health_verdict *verdict) {
    return verdict->incident.ended_ms != 0;
}

static inline bool health_has(const struct health_verdict *verdict, enum health_cause cause) {
    return (verdict->causes & 1U << cause) != 0;
}

enum { HEALTH_SAMPLES = 32 }; // in after_ms

struct health_sample {
    int64_t at_ms, topic_end, waiting; // waiting: records that were not read yet
};

/* What is remembered of a query between two looks. */
struct health {
    int64_t alert_after_ms, after_ms, pause_ms; // after_ms: two triggers at least
    int rejects_percent;
    int64_t looked_ms;               // the newest observation
    int64_t batch_id, records_batch; // newest committed; records_read when that was seen
    int64_t records_read;            // at the newest observation
    int64_t progress_ms;             // when it last made progress, or had nothing to do
    int64_t at_end_ms;               // since when all is committed; 0: it is not
    int64_t retrying_ms, retried_ms; // since when it tries again; when it last said so; 0: never
    int64_t records_retried;         // records_read then
    int64_t signs, alive_ms;         // when it last gave one
    int64_t lost, lost_ms;           // when it last grew; 0: never
    int64_t position;                // when the topic was last known
    bool is_proven, keeps_up, takes_records;
    unsigned causes;
    int64_t cause_since_ms[HEALTH_CAUSES];
    struct health_incident incident;
    enum health_state state;
    int64_t state_since_ms;
    size_t newest, count; // in the ring:
    struct health_sample samples[HEALTH_SAMPLES + 2];
};

/* `alert_after_ms` is ALERT_AFTER, `rejects_percent` ALERT_REJECTS_PERCENT, `trigger_ms` the
 * trigger's interval (0: none), `pause_ms` that and how long a batch can wait for more offsets. */
void health_init(struct health *health, int64_t alert_after_ms, int rejects_percent,
                 int64_t trigger_ms, int64_t pause_ms);

int64_t health_recent_s(const struct health *health);

/* How often health_judge() wants to be called, in milliseconds. */
int64_t health_interval_ms(const struct health *health);

/* Takes the look into the memory and fills *verdict. */
void health_judge(struct health *health, const struct health_look *look,
                  struct health_verdict *verdict);

/* The same of the program's memory, from one look: HEALTH_HEALTHY or HEALTH_DEGRADED. */
void health_judge_memory(int64_t resident, int64_t budget, struct health_verdict *verdict);

#endif
