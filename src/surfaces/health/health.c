/* How a verdict is found. Each observation is compared with what is remembered of earlier ones:
 * when the query last committed, read or gave a sign of life, since when it tries again, and a ring
 * of samples of the topic's end, ALERT_AFTER long. Each cause has a condition on that memory; the
 * first cause that holds gives the state. Causes begin late and end early, so that a query at its
 * limit does not go back and forth: falling behind begins after ALERT_AFTER and ends at half of it,
 * many rejects likewise, and a retry is forgotten only after a success. */
#include "surfaces/health/health.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

/* ---- what states and causes mean ---- */

static const struct {
    const char *name;
    bool is_ready;
} states[HEALTH_STATES] = {
    [HEALTH_UNKNOWN] = {"unknown", false},   [HEALTH_STARTING] = {"starting", true},
    [HEALTH_HEALTHY] = {"healthy", true},    [HEALTH_WAITING] = {"waiting", true},
    [HEALTH_RETRYING] = {"retrying", false}, [HEALTH_DEGRADED] = {"degraded", true},
    [HEALTH_STUCK] = {"stuck", false},       [HEALTH_FAILED] = {"failed", false},
    [HEALTH_STOPPED] = {"stopped", true},
};

static const struct {
    const char *name;
    enum health_state state;
    enum health_severity severity;
    const char *action;
} causes[HEALTH_CAUSES] = {
    [CAUSE_FAILED] = {"failed", HEALTH_FAILED, SEVERITY_CRITICAL,
                      "Fix what the error says, then start the program: it continues after the "
                      "last committed batch."},
    [CAUSE_NO_SIGN] = {"no_sign_of_life", HEALTH_STUCK, SEVERITY_CRITICAL,
                       "Check for a disk that does not respond. Save the log and restart the "
                       "program: it runs the batch again; nothing is lost or duplicated."},
    [CAUSE_NO_SUCCESS] = {"retrying_without_success", HEALTH_STUCK, SEVERITY_CRITICAL,
                          "Fix what the reason names: see the brokers' state and their log, the "
                          "network, credentials and ACLs, or the disk. The query then continues by "
                          "itself, without a restart."},
    [CAUSE_NO_BATCH] =
        {"no_batch", HEALTH_STUCK, SEVERITY_CRITICAL,
         "See in the log what the query is waiting for. If nothing changes, save the log and "
         "restart the program: it runs the batch again; nothing is lost or duplicated."},
    [CAUSE_RETRYING] = {"retrying", HEALTH_RETRYING, SEVERITY_WARNING,
                        "Check what the reason names: the brokers, the network, credentials and "
                        "ACLs, or the disk; the query retries by itself and needs no restart."},
    [CAUSE_LAG_UNKNOWN] = {"lag_unknown", HEALTH_DEGRADED, SEVERITY_WARNING,
                           "Check the brokers and the network; the next batch needs them."},
    [CAUSE_BEHIND] = {"falling_behind", HEALTH_DEGRADED, SEVERITY_WARNING,
                      "Add CPUs, a faster disk or more partitions. If the lag approaches the "
                      "topic's retention, raise the retention first."},
    [CAUSE_LOST] = {"records_lost", HEALTH_DEGRADED, SEVERITY_CRITICAL,
                    "Raise the topic's retention, so that no more records are lost. If the topic "
                    "was deleted or truncated, find out by whom."},
    [CAUSE_MISSING] =
        {"files_missing", HEALTH_DEGRADED, SEVERITY_CRITICAL,
         "Restore the files from a backup, or rewind to before them as long as Kafka has their "
         "records, or take the table as it is (`adopt --accept`); then restart the program, which "
         "checks again."},
    [CAUSE_CHANGED] =
        {"files_changed", HEALTH_DEGRADED, SEVERITY_WARNING,
         "Find out which program changes the table, and stop it. Restore the files from a backup "
         "and move files away that the sink log does not list, or take the table as it is (`adopt "
         "--accept`); then restart the program, which checks again."},
    [CAUSE_REJECTING] = {"rejecting", HEALTH_DEGRADED, SEVERITY_WARNING,
                         "Run `esports-stream rejects ls` for the reasons, then fix the producer "
                         "and send the records again. The rejects are kept: `rejects replay` helps "
                         "only with another PARSE_MODE or a newer version."},
    [CAUSE_CARE] = {"care_failing", HEALTH_DEGRADED, SEVERITY_WARNING,
                    "Fix what the reason names; `esports-stream doctor` checks whether the file "
                    "system can do it. Batches are written as usual meanwhile, and the query tries "
                    "again every minute."},
};

/* The causes whose end is a recovery; the others end the query, or are over by time alone. */
static const unsigned recovering =
    1U << CAUSE_NO_SIGN | 1U << CAUSE_NO_SUCCESS | 1U << CAUSE_NO_BATCH | 1U << CAUSE_RETRYING |
    1U << CAUSE_LAG_UNKNOWN | 1U << CAUSE_BEHIND | 1U << CAUSE_REJECTING | 1U << CAUSE_CARE;

/* The thresholds; ALERT_AFTER (at least two triggers) and ALERT_REJECTS_PERCENT are the others. */
enum {
    NO_SIGN_MS =
        150000, // without a sign of life that was due: half of the WatchdogSec that we ship
    NO_BATCH_MS = 900000,      // without progress, and two triggers more
    LOST_MS = 3600000,         // for so long a loss is news
    REJECTS_MIN = 10,          // of health_recent_s()
    MEMORY_PERCENT_MAX = 90,   // of SPARK_DRIVER_MEMORY
    CARE_FAILING_MS = 3600000, // in which at least so many attempts have failed:
    CARE_ATTEMPTS = 3,

    ATTEMPT_MS = 60000,  // an attempt that reads for longer without a new error makes progress
    PAUSE_MS = 15000,    // who waits for longer without a new error does not try again any more
    LOOK_GAP_MS = 10000, // between two looks we were suspended ourselves, and know of no silence
};

const char *health_state_name(enum health_state state) {
    check(state < HEALTH_STATES);
    return states[state].name;
}

const char *health_severity_name(enum health_severity severity) {
    static const char *const names[] = {"none", "warning", "critical"};
    check(severity <= SEVERITY_CRITICAL);
    return names[severity];
}

const char *health_cause_name(enum health_cause cause) {
    check(cause < HEALTH_CAUSES);
    return causes[cause].name;
}

enum health_state health_state_find(const char *name) {
    for (enum health_state state = HEALTH_UNKNOWN; name != NULL && state < HEALTH_STATES; state++)
        if (strcmp(states[state].name, name) == 0)
            return state;
    return HEALTH_UNKNOWN;
}

bool health_state_is_ready(enum health_state state) {
    check(state < HEALTH_STATES);
    return states[state].is_ready;
}

void health_init(struct health *health, int64_t alert_after_ms, int rejects_percent,
                 int64_t trigger_ms, int64_t pause_ms) {
    // Between two batches what waits is older than a trigger, and that is normal.
    int64_t after_ms = alert_after_ms > 2 * trigger_ms ? alert_after_ms : 2 * trigger_ms;
    *health = (struct health){.alert_after_ms = alert_after_ms,
                              .after_ms = after_ms,
                              .pause_ms = pause_ms,
                              .rejects_percent = rejects_percent,
                              .batch_id = -1};
}

int64_t health_recent_s(const struct health *health) {
    int64_t seconds = 2 * health->pause_ms / 1000;
    if (seconds < HEALTH_RECENT_S)
        return HEALTH_RECENT_S;
    return seconds < HEALTH_RECENT_S_MAX ? seconds : HEALTH_RECENT_S_MAX;
}

int64_t health_interval_ms(const struct health *health) {
    int64_t interval_ms = health->after_ms / HEALTH_SAMPLES;
    return interval_ms < 1000 ? interval_ms : 1000;
}

/* ---- the memory ---- */

enum { RING = HEALTH_SAMPLES + 2 };

/* The newest sample that is at least so old; NULL: none is. */
static const struct health_sample *sample_before(const struct health *health, int64_t at_ms) {
    for (size_t i = 0; i < health->count; i++) {
        const struct health_sample *sample = &health->samples[(health->newest + RING - i) % RING];
        if (sample->at_ms <= at_ms)
            return sample;
    }
    return NULL;
}

static void take_sample(struct health *health, struct health_sample sample) {
    int64_t interval_ms = health->after_ms / HEALTH_SAMPLES;
    if (health->count > 0 && sample.at_ms - health->samples[health->newest].at_ms < interval_ms)
        return;
    health->newest = (health->newest + 1) % RING;
    health->samples[health->newest] = sample;
    if (health->count < RING)
        health->count++;
}

/* These only fall if the topic was created again or truncated: the samples are of the old one. */
static void note_topic(struct health *health, const struct health_look *look) {
    if (!look->is_topic_known)
        return;
    if (look->position < health->position ||
        (health->count > 0 && look->topic_end < health->samples[health->newest].topic_end))
        health->count = 0;
    health->position = look->position;
}

static int64_t lag_of(const struct health_look *look) {
    return look->is_topic_known ? look->topic_end - look->position : 0;
}

/* What the running batch has read waits no longer, though it is not committed. */
static int64_t waiting_of(const struct health *health, const struct health_look *look) {
    int64_t under_way = look->records_read - health->records_batch;
    return lag_of(look) > under_way ? lag_of(look) - under_way : 0;
}

static void note_retry(struct health *health, const struct health_look *look) {
    int64_t rest_ms = look->now_ms - health->retried_ms;
    if (look->state == QUERY_RETRYING) {
        if (health->retrying_ms == 0)
            health->retrying_ms = look->now_ms;
        health->retried_ms = look->now_ms;
        health->records_retried = look->records_read;
    } else if (look->state == QUERY_WAITING
                   ? rest_ms >= PAUSE_MS
                   : rest_ms >= ATTEMPT_MS && rest_ms >= health->after_ms &&
                         look->records_read > health->records_retried) {
        health->retrying_ms = 0;
    }
}

/* A batch since the last observation, or the topic's end, is progress, and so is all that a batch
 * does not wait for; what is read is some, too,
 * but not while it is read again and again. */
static void note_progress(struct health *health, const struct health_look *look) {
    bool committed = look->batch_id != health->batch_id;
    bool at_end = look->state == QUERY_WAITING && look->is_topic_known &&
                  (lag_of(look) <= 0 || look->is_held);
    if (committed) {
        health->batch_id = look->batch_id;
        health->records_batch = look->records_read;
    }
    if (committed || at_end)
        health->retrying_ms = 0;
    else
        note_retry(health, look);
    bool reads = look->records_read > health->records_read && health->retrying_ms == 0;
    bool has_work = lag_of(look) > 0 && look->state != QUERY_STARTING && health->looked_ms != 0;
    if (committed || at_end || reads || !has_work)
        health->progress_ms = look->now_ms;
    if (!at_end)
        health->at_end_ms = 0;
    else if (health->at_end_ms == 0)
        health->at_end_ms = look->now_ms;
    health->is_proven = health->is_proven || committed || at_end;
    health->records_read = look->records_read;
}

static void note_signs(struct health *health, const struct health_look *look) {
    bool stood_still = look->now_ms - health->looked_ms > LOOK_GAP_MS;
    if (look->signs != health->signs || health->alive_ms == 0 || stood_still)
        health->alive_ms = look->now_ms;
    if (look->rest_until_ms > health->alive_ms)
        health->alive_ms = look->rest_until_ms < look->now_ms ? look->rest_until_ms : look->now_ms;
    health->signs = look->signs;
    health->looked_ms = look->now_ms;
}

static void note_lost(struct health *health, const struct health_look *look) {
    if (look->lost > health->lost)
        health->lost_ms = look->now_ms;
    health->lost = look->lost;
}

/* ---- the causes ---- */

static bool is_in_vain(const struct health *health, int64_t now_ms) {
    return health->retrying_ms != 0 && now_ms - health->retrying_ms >= health->after_ms;
}

/* A query that catches up after a stop, however far it has to go, is not behind: what waits gets
 * fewer. What it tries again is why it does not catch up, and is reported as that. */
static bool is_behind(struct health *health, const struct health_look *look) {
    bool was_behind = (health->causes & 1U << CAUSE_BEHIND) != 0;
    if (look->is_held) { // what waits is too little for a batch
        health->count = 0;
        health->keeps_up = true;
        return false;
    }
    const struct health_sample *half = sample_before(health, look->now_ms - health->after_ms / 2);
    const struct health_sample *then = sample_before(health, look->now_ms - health->after_ms);
    health->keeps_up = look->is_topic_known && half != NULL && look->position >= half->topic_end;
    if (was_behind)
        return !health->keeps_up;
    return health->retrying_ms == 0 && look->is_topic_known && then != NULL &&
           look->position < then->topic_end && waiting_of(health, look) >= then->waiting;
}

/* Over at half of what it began with. */
static bool is_rejecting(struct health *health, const struct health_look *look) {
    int64_t rejects = look->recent_rejects, records = look->recent_accepted + look->recent_rejects;
    bool was_rejecting = (health->causes & 1U << CAUSE_REJECTING) != 0;
    health->takes_records =
        look->recent_accepted > 0 && 200 * rejects <= health->rejects_percent * records;
    if (was_rejecting)
        rejects *= 2;
    return rejects >= REJECTS_MIN && 100 * rejects > health->rejects_percent * records;
}

/* Whether the cause is there, and since when. */
static bool find_cause(struct health *health, const struct health_look *look,
                       enum health_cause cause, int64_t *since_ms) {
    int64_t now_ms = look->now_ms;
    *since_ms = now_ms;
    switch (cause) {
    case CAUSE_FAILED:
        return look->state == QUERY_FAILED;
    case CAUSE_NO_SIGN:
        *since_ms = health->alive_ms;
        // A start puts the disk in order without a sign: a large table takes its time.
        return now_ms - health->alive_ms >=
               (look->state == QUERY_STARTING ? NO_BATCH_MS : NO_SIGN_MS);
    case CAUSE_NO_SUCCESS:
        *since_ms = health->retrying_ms;
        return is_in_vain(health, now_ms);
    case CAUSE_NO_BATCH:
        *since_ms = health->progress_ms;
        return health->retrying_ms == 0 &&
               now_ms - health->progress_ms >= NO_BATCH_MS + 2 * health->pause_ms;
    case CAUSE_RETRYING:
        *since_ms = health->retrying_ms;
        return look->state == QUERY_RETRYING && !is_in_vain(health, now_ms);
    case CAUSE_LAG_UNKNOWN:
        *since_ms = now_ms - look->lag_age_ms;
        return !look->is_topic_known && look->lag_age_ms >= health->alert_after_ms &&
               (look->state == QUERY_RUNNING || look->state == QUERY_WAITING);
    case CAUSE_BEHIND:
        *since_ms = now_ms - health->after_ms;
        return is_behind(health, look);
    case CAUSE_LOST:
        return health->lost_ms != 0 && now_ms - health->lost_ms < LOST_MS;
    case CAUSE_MISSING:
        return look->missing_files > 0;
    case CAUSE_CHANGED:
        return look->changed_files > 0;
    case CAUSE_CARE:
        *since_ms = now_ms - look->care_failing_ms;
        return look->care_failing_ms >= CARE_FAILING_MS && look->care_attempts >= CARE_ATTEMPTS;
    default:
        return is_rejecting(health, look);
    }
}

static void find_causes(struct health *health, const struct health_look *look) {
    unsigned found = 0;
    bool has_ended = look->state == QUERY_FAILED || look->state == QUERY_STOPPED;
    for (enum health_cause cause = CAUSE_FAILED; cause < HEALTH_CAUSES; cause++) {
        int64_t since_ms;
        if ((has_ended && cause != CAUSE_FAILED) || !find_cause(health, look, cause, &since_ms))
            continue;
        found |= 1U << cause;
        if ((health->causes & 1U << cause) == 0)
            health->cause_since_ms[cause] = since_ms;
        if (causes[cause].state == HEALTH_STUCK || causes[cause].state == HEALTH_FAILED)
            health->is_proven = false;
    }
    health->causes = found;
}

/* ---- the verdict ---- */

static size_t append_cause(const struct health *health, const struct health_look *look,
                           enum health_cause cause, char *text, size_t used) {
    int64_t seconds = (look->now_ms - health->cause_since_ms[cause]) / 1000;
    switch (cause) {
    case CAUSE_FAILED:
    case CAUSE_RETRYING:
        return text_append(text, HEALTH_REASON_MAX, used, "%s", look->error);
    case CAUSE_NO_SIGN:
        return text_append(text, HEALTH_REASON_MAX, used, "has shown no activity for %" PRId64 " s",
                           seconds);
    case CAUSE_NO_SUCCESS:
        return text_append(text, HEALTH_REASON_MAX, used,
                           "has made no progress for %" PRId64 " s and keeps retrying: %s", seconds,
                           look->error);
    case CAUSE_NO_BATCH:
        return text_append(
            text, HEALTH_REASON_MAX, used, "has committed nothing for %" PRId64 " s while %s %s",
            seconds, text_count(lag_of(look), "record").text, lag_of(look) == 1 ? "waits" : "wait");
    case CAUSE_LAG_UNKNOWN:
        return text_append(text, HEALTH_REASON_MAX, used,
                           "the topic's end offsets have been unknown for %" PRId64 " s%s%s",
                           seconds, look->lag_error[0] != '\0' ? ": " : "", look->lag_error);
    case CAUSE_BEHIND:
        return text_append(text, HEALTH_REASON_MAX, used,
                           "%s of %s %s, some for more than %" PRId64
                           " s, and the number is not falling",
                           text_count(lag_of(look), "record").text, look->topic,
                           lag_of(look) == 1 ? "waits" : "wait", seconds);
    case CAUSE_LOST:
        return text_append(text, HEALTH_REASON_MAX, used,
                           "lost %s that were deleted from Kafka before they were read",
                           text_count(look->lost, "offset").text);
    case CAUSE_MISSING:
        return text_append(text, HEALTH_REASON_MAX, used, "%s of the table %s missing: %s%s",
                           text_count(look->missing_files, "file").text,
                           look->missing_files == 1 ? "is" : "are", look->missing_names,
                           look->missing_files > 3 ? ", …" : "");
    case CAUSE_CHANGED:
        return text_append(text, HEALTH_REASON_MAX, used,
                           "another program has changed %s of the table: %s%s",
                           text_count(look->changed_files, "file").text, look->missing_names,
                           look->missing_files + look->changed_files > 3 ? ", …" : "");
    case CAUSE_CARE:
        return text_append(text, HEALTH_REASON_MAX, used,
                           "files have not been merged, nor dates expired, for %" PRId64
                           " s: %" PRId64 " attempts failed: %s",
                           seconds, look->care_attempts, look->care_error);
    default:
        return text_append(text, HEALTH_REASON_MAX, used,
                           "rejected %" PRId64 " of the %s of the last %" PRId64 " minutes",
                           look->recent_rejects,
                           text_count(look->recent_accepted + look->recent_rejects, "record").text,
                           health_recent_s(health) / 60);
    }
}

static enum health_state state_without_cause(const struct health *health,
                                             const struct health_look *look) {
    if (look->state == QUERY_STOPPED)
        return HEALTH_STOPPED;
    if (look->state == QUERY_STARTING)
        return HEALTH_STARTING;
    bool is_quiet = health->at_end_ms != 0 && look->now_ms - health->at_end_ms >= health->after_ms;
    return is_quiet ? HEALTH_WAITING : HEALTH_HEALTHY;
}

static void judge_well(struct health *health, const struct health_look *look,
                       struct health_verdict *verdict) {
    static const char *const reasons[HEALTH_STATES] = {[HEALTH_HEALTHY] = "works",
                                                       [HEALTH_WAITING] =
                                                           "all records of the topic are committed",
                                                       [HEALTH_STOPPED] = "stopped as requested"};
    verdict->state = state_without_cause(health, look);
    verdict->action = "";
    if (verdict->state != health->state)
        health->state_since_ms = look->now_ms;
    verdict->since_ms =
        verdict->state == HEALTH_WAITING ? health->at_end_ms : health->state_since_ms;
    bool is_held = verdict->state == HEALTH_WAITING && look->is_held;
    const char *reason = is_held ? NULL : reasons[verdict->state];
    (void)text_append(verdict->reason, HEALTH_REASON_MAX, 0, "%s",
                      reason != NULL ? reason : look->message);
}

static void judge_causes(struct health *health, const struct health_look *look,
                         struct health_verdict *verdict) {
    size_t used = 0;
    for (enum health_cause cause = CAUSE_FAILED; cause < HEALTH_CAUSES; cause++) {
        if (!health_has(verdict, cause))
            continue;
        if (used == 0) {
            verdict->state = causes[cause].state;
            verdict->since_ms = health->cause_since_ms[cause];
            verdict->action = causes[cause].action;
        } else {
            used = text_append(verdict->reason, HEALTH_REASON_MAX, used, "; ");
        }
        if (causes[cause].severity > verdict->severity)
            verdict->severity = causes[cause].severity;
        used = append_cause(health, look, cause, verdict->reason, used);
    }
}

static void describe_incident(struct health_incident *incident, enum health_cause cause,
                              const struct health_look *look,
                              const struct health_verdict *verdict) {
    bool is_retry = cause == CAUSE_RETRYING || cause == CAUSE_NO_SUCCESS;
    incident->cause = cause;
    (void)text_append(incident->reason, sizeof incident->reason, 0, "%s",
                      is_retry ? look->error : verdict->reason);
}

/* Between two attempts there is no cause, but what is retried is not over. */
static void note_incident(struct health *health, const struct health_look *look,
                          const struct health_verdict *verdict) {
    struct health_incident *incident = &health->incident;
    bool goes_on = incident->since_ms != 0 && incident->ended_ms == 0;
    bool has_ended = look->state == QUERY_FAILED || look->state == QUERY_STOPPED;
    unsigned found = verdict->causes & recovering;
    if (found != 0) {
        enum health_cause worst = (enum health_cause)__builtin_ctz(found);
        if (!goes_on)
            *incident =
                (struct health_incident){.since_ms = health->cause_since_ms[worst], .cause = worst};
        if (worst <= incident->cause)
            describe_incident(incident, worst, look, verdict);
    } else if (goes_on && health->retrying_ms == 0 && !has_ended) {
        incident->ended_ms = look->now_ms;
    }
}

void health_judge(struct health *health, const struct health_look *look,
                  struct health_verdict *verdict) {
    note_progress(health, look);
    note_signs(health, look);
    note_lost(health, look);
    note_topic(health, look);
    find_causes(health, look);
    if (look->is_topic_known)
        take_sample(health, (struct health_sample){look->now_ms, look->topic_end,
                                                   waiting_of(health, look)});
    *verdict = (struct health_verdict){.causes = health->causes,
                                       .is_proven = health->is_proven,
                                       .keeps_up = health->keeps_up,
                                       .takes_records = health->takes_records};
    if (health->causes == 0)
        judge_well(health, look, verdict);
    else
        judge_causes(health, look, verdict);
    memcpy(verdict->cause_since_ms, health->cause_since_ms, sizeof verdict->cause_since_ms);
    note_incident(health, look, verdict);
    verdict->incident = health->incident;
    health->state = verdict->state;
}

void health_judge_memory(int64_t resident, int64_t budget, struct health_verdict *verdict) {
    *verdict = (struct health_verdict){.state = HEALTH_HEALTHY, .action = "", .reason = "works"};
    if (resident <= budget / 100 * MEMORY_PERCENT_MAX)
        return;
    verdict->state = HEALTH_DEGRADED;
    verdict->severity = SEVERITY_WARNING;
    verdict->action = "Raise SPARK_DRIVER_MEMORY (and keep the container's limit above it), or use "
                      "fewer workers.";
    (void)text_append(verdict->reason, HEALTH_REASON_MAX, 0,
                      "is close to its memory budget: %" PRId64 " MiB of %" PRId64 " MiB",
                      resident >> 20, budget >> 20);
}
