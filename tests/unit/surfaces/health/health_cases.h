/* health_cases.h: what happens to queries, the verdict that the judge of health must reach, and the
 * alerts of deploy/prometheus that must fire. test_health runs the cases. tools/health_cases prints
 * them as metrics, on which tests/stories/test_metrics.py evaluates the rules for Prometheus. */
#ifndef TESTS_UNIT_SURFACES_HEALTH_CASES_H
#define TESTS_UNIT_SURFACES_HEALTH_CASES_H

#include "surfaces/health/health.h"

/* A number of seconds in which the behaviour of a query does not change. */
struct health_step {
    int seconds;
    enum query_state state;
    int64_t produced; // records per second that arrive in the topic
    int64_t read;     // records per second that the running batch reads
    int64_t commits;  // records in each batch, every ten seconds; 0: no batch is committed
    int64_t rejects;  // among them
    int64_t lost;     // at the beginning of the step
    bool is_silent;   // shows no activity
    bool is_unlisted; // the topic's end offsets are unavailable
    int64_t missing;  // files of the table that were found missing
    int64_t changed;  // files of the table that another program has changed
    bool care_fails;  // compactions and expiries fail, once a minute
    int64_t held;     // offsets that the next batch waits for
};

struct health_case {
    const char *name;
    struct health_step steps[6]; // the last one is followed by 0 seconds
    enum health_state state;
    enum health_severity severity;
    unsigned causes;
    const char *alerts; // alerts that fire at the end; "": none
};

#define CAUSE(name) (1U << CAUSE_##name)

enum { CASE_AFTER_MS = 120000, CASE_TRIGGER_MS = 10000, CASE_REJECTS_PERCENT = 5 };

/* clang-format off */
static const struct health_case health_cases[] = {
    {"a start",
     {{30, .state = QUERY_STARTING}},
     HEALTH_STARTING, SEVERITY_NONE, 0, ""},
    {"a start that recovers a large table",
     {{1800, .state = QUERY_STARTING}},
     HEALTH_STARTING, SEVERITY_NONE, 0, ""},
    {"a start that shows no activity while it recovers a large table",
     {{800, .state = QUERY_STARTING, .is_silent = true}},
     HEALTH_STARTING, SEVERITY_NONE, 0, ""},
    {"a start that hangs",
     {{1000, .state = QUERY_STARTING, .is_silent = true}},
     HEALTH_STUCK, SEVERITY_CRITICAL, CAUSE(NO_SIGN), "EsportsStreamNoBatch"},
    {"it keeps up",
     {{1200, QUERY_RUNNING, .produced = 900, .commits = 10000}},
     HEALTH_HEALTHY, SEVERITY_NONE, 0, ""},
    {"it catches up, however far",
     {{1, QUERY_RUNNING, .produced = 5000000},
      {3600, QUERY_RUNNING, .produced = 900, .commits = 10000}},
     HEALTH_HEALTHY, SEVERITY_NONE, 0, ""},
    {"its first poll finds a backlog",
     {{1, QUERY_RUNNING, .produced = 5000000}},
     HEALTH_HEALTHY, SEVERITY_NONE, 0, ""},
    {"nothing comes",
     {{60, QUERY_RUNNING, .produced = 100, .commits = 1000},
      {1200, QUERY_WAITING}},
     HEALTH_WAITING, SEVERITY_NONE, 0, ""},
    {"few records come, and a batch waits for more",
     {{60, QUERY_RUNNING, .produced = 100, .commits = 1000},
      {1200, QUERY_WAITING, .produced = 1, .held = 500}},
     HEALTH_WAITING, SEVERITY_NONE, 0, ""},
    {"a batch takes what has waited for more",
     {{60, QUERY_RUNNING, .produced = 100, .commits = 1000},
      {1200, QUERY_WAITING, .produced = 1, .held = 500},
      {5, QUERY_RUNNING, .produced = 1}},
     HEALTH_HEALTHY, SEVERITY_NONE, 0, ""},
    {"it got more than it could take, until a batch waited for more",
     {{600, QUERY_RUNNING, .produced = 3000, .commits = 10000},
      {10, QUERY_RUNNING, .commits = 3000000},
      {60, QUERY_WAITING, .produced = 1, .held = 500}},
     HEALTH_HEALTHY, SEVERITY_NONE, 0, ""},
    {"nothing comes for a moment",
     {{60, QUERY_RUNNING, .produced = 100, .commits = 1000},
      {90, QUERY_WAITING}},
     HEALTH_HEALTHY, SEVERITY_NONE, 0, ""},
    {"one batch takes half an hour, but reads",
     {{1, QUERY_RUNNING, .produced = 5000000},
      {1800, QUERY_RUNNING, .read = 1000}},
     HEALTH_HEALTHY, SEVERITY_NONE, 0, ""},
    {"Kafka is away for a minute",
     {{60, QUERY_RUNNING, .produced = 100, .commits = 1000},
      {60, QUERY_RETRYING, .produced = 100}},
     HEALTH_RETRYING, SEVERITY_WARNING, CAUSE(RETRYING), ""},
    {"Kafka was away for a minute",
     {{60, QUERY_RETRYING, .produced = 100},
      {10, QUERY_RUNNING, .produced = 100, .commits = 7000}},
     HEALTH_HEALTHY, SEVERITY_NONE, 0, ""},
    {"Kafka stays away",
     {{60, QUERY_RUNNING, .produced = 100, .commits = 1000},
      {600, QUERY_RETRYING, .produced = 100}},
     HEALTH_STUCK, SEVERITY_CRITICAL, CAUSE(NO_SUCCESS), "EsportsStreamBatchFailing"},
    {"the disk refuses every attempt",
     {{110, QUERY_RETRYING, .produced = 100},
      {20, QUERY_RUNNING, .read = 1000},
      {110, QUERY_RETRYING},
      {20, QUERY_RUNNING, .read = 1000},
      {110, QUERY_RETRYING}},
     HEALTH_STUCK, SEVERITY_CRITICAL, CAUSE(NO_SUCCESS), "EsportsStreamBatchFailing"},
    {"Kafka was away for long, and what came meanwhile is read",
     {{1, QUERY_RUNNING, .produced = 5000000},
      {600, QUERY_RETRYING},
      {200, QUERY_RUNNING, .read = 1000}},
     HEALTH_HEALTHY, SEVERITY_NONE, 0, ""},
    {"Kafka was away between two triggers",
     {{10, QUERY_RUNNING, .produced = 100, .commits = 1000},
      {30, QUERY_RETRYING},
      {200, QUERY_WAITING, .produced = 10},
      {1, QUERY_RUNNING, .commits = 5000}},
     HEALTH_HEALTHY, SEVERITY_NONE, 0, ""},
    {"it gets more than it can take",
     {{600, QUERY_RUNNING, .produced = 900, .commits = 10000},
      {900, QUERY_RUNNING, .produced = 3000, .commits = 10000}},
     HEALTH_DEGRADED, SEVERITY_WARNING, CAUSE(BEHIND), "EsportsStreamFallingBehind"},
    {"it got more than it could take, and has caught up",
     {{600, QUERY_RUNNING, .produced = 3000, .commits = 10000},
      {900, QUERY_RUNNING, .produced = 0, .commits = 30000}},
     HEALTH_HEALTHY, SEVERITY_NONE, 0, ""},
    {"Kafka is gone between two triggers, for a minute",
     {{60, QUERY_RUNNING, .produced = 100, .commits = 1000},
      {100, QUERY_WAITING, .produced = 100, .is_unlisted = true}},
     HEALTH_HEALTHY, SEVERITY_NONE, 0, ""},
    {"Kafka is gone between two triggers",
     {{60, QUERY_RUNNING, .produced = 100, .commits = 1000},
      {600, QUERY_WAITING, .produced = 100, .is_unlisted = true}},
     HEALTH_DEGRADED, SEVERITY_WARNING, CAUSE(LAG_UNKNOWN), "EsportsStreamLagUnknown"},
    {"Kafka was gone between two triggers",
     {{60, QUERY_RUNNING, .produced = 100, .commits = 1000},
      {600, QUERY_WAITING, .produced = 100, .is_unlisted = true},
      {10, QUERY_WAITING, .produced = 100, .commits = 100000}},
     HEALTH_HEALTHY, SEVERITY_NONE, 0, ""},
    {"Kafka stays away, and its end offsets are unknown",
     {{60, QUERY_RUNNING, .produced = 100, .commits = 1000},
      {600, QUERY_RETRYING, .produced = 100, .is_unlisted = true}},
     HEALTH_STUCK, SEVERITY_CRITICAL, CAUSE(NO_SUCCESS), "EsportsStreamBatchFailing"},
    {"a batch hangs",
     {{300, QUERY_RUNNING, .produced = 100, .commits = 1000},
      {300, QUERY_RUNNING, .produced = 100, .is_silent = true}},
     HEALTH_STUCK, SEVERITY_CRITICAL, CAUSE(NO_SIGN) | CAUSE(BEHIND), "EsportsStreamFallingBehind EsportsStreamNoBatch"},
    {"no record arrives for the running batch",
     {{300, QUERY_RUNNING, .produced = 100, .commits = 1000},
      {1200, QUERY_RUNNING, .produced = 100}},
     HEALTH_STUCK, SEVERITY_CRITICAL, CAUSE(NO_BATCH) | CAUSE(BEHIND), "EsportsStreamFallingBehind EsportsStreamNoBatch"},
    {"records were lost a while ago",
     {{60, QUERY_RUNNING, .produced = 900, .commits = 10000},
      {1200, QUERY_RUNNING, .produced = 900, .commits = 10000, .lost = 4000}},
     HEALTH_DEGRADED, SEVERITY_CRITICAL, CAUSE(LOST), "EsportsStreamDataLost"},
    {"records were lost long ago",
     {{60, QUERY_RUNNING, .produced = 900, .commits = 10000},
      {4200, QUERY_RUNNING, .produced = 900, .commits = 10000, .lost = 4000}},
     HEALTH_HEALTHY, SEVERITY_NONE, 0, ""},
    {"files of the table are missing",
     {{60, QUERY_RUNNING, .produced = 900, .commits = 10000},
      {120, QUERY_RUNNING, .produced = 900, .commits = 10000, .missing = 31}},
     HEALTH_DEGRADED, SEVERITY_CRITICAL, CAUSE(MISSING), "EsportsStreamFilesMissing"},
    {"another program has changed files of the table",
     {{60, QUERY_RUNNING, .produced = 900, .commits = 10000},
      {120, QUERY_RUNNING, .produced = 900, .commits = 10000, .changed = 2}},
     HEALTH_DEGRADED, SEVERITY_WARNING, CAUSE(CHANGED), "EsportsStreamFilesChanged"},
    {"files are missing, and others were changed",
     {{60, QUERY_RUNNING, .produced = 900, .commits = 10000, .missing = 1, .changed = 1}},
     HEALTH_DEGRADED, SEVERITY_CRITICAL, CAUSE(MISSING) | CAUSE(CHANGED),
     "EsportsStreamFilesMissing EsportsStreamFilesChanged"},
    {"compactions have failed for half an hour",
     {{1800, QUERY_RUNNING, .produced = 900, .commits = 10000, .care_fails = true}},
     HEALTH_HEALTHY, SEVERITY_NONE, 0, ""},
    {"compactions have failed for more than an hour",
     {{60, QUERY_RUNNING, .produced = 900, .commits = 10000},
      {3900, QUERY_RUNNING, .produced = 900, .commits = 10000, .care_fails = true}},
     HEALTH_DEGRADED, SEVERITY_WARNING, CAUSE(CARE), "EsportsStreamCareFailing"},
    {"compactions failed for long, and work again",
     {{3900, QUERY_RUNNING, .produced = 900, .commits = 10000, .care_fails = true},
      {60, QUERY_RUNNING, .produced = 900, .commits = 10000}},
     HEALTH_HEALTHY, SEVERITY_NONE, 0, ""},
    {"five records of a hundred are rejected",
     {{900, QUERY_RUNNING, .produced = 1000, .commits = 10000, .rejects = 500}},
     HEALTH_HEALTHY, SEVERITY_NONE, 0, ""},
    {"six records of a hundred are rejected",
     {{900, QUERY_RUNNING, .produced = 1000, .commits = 10000, .rejects = 600}},
     HEALTH_DEGRADED, SEVERITY_WARNING, CAUSE(REJECTING), "EsportsStreamRejects"},
    {"many were rejected, and a few still are",
     {{900, QUERY_RUNNING, .produced = 1000, .commits = 10000, .rejects = 600},
      {900, QUERY_RUNNING, .produced = 1000, .commits = 10000, .rejects = 300}},
     HEALTH_DEGRADED, SEVERITY_WARNING, CAUSE(REJECTING), "EsportsStreamRejects"},
    {"many were rejected, and hardly any are now",
     {{900, QUERY_RUNNING, .produced = 1000, .commits = 10000, .rejects = 600},
      {900, QUERY_RUNNING, .produced = 1000, .commits = 10000, .rejects = 200}},
     HEALTH_HEALTHY, SEVERITY_NONE, 0, ""},
    {"a few of a few are rejected",
     {{10, QUERY_RUNNING, .produced = 10, .commits = 20, .rejects = 9},
      {600, QUERY_RUNNING, .produced = 1, .commits = 10}},
     HEALTH_HEALTHY, SEVERITY_NONE, 0, ""},
    {"all of a few are rejected",
     {{600, QUERY_RUNNING, .produced = 1, .commits = 10, .rejects = 10}},
     HEALTH_DEGRADED, SEVERITY_WARNING, CAUSE(REJECTING), "EsportsStreamRejects"},
    {"many were rejected, and then nothing came",
     {{600, QUERY_RUNNING, .produced = 1000, .commits = 10000, .rejects = 9000},
      {600, QUERY_WAITING}},
     HEALTH_WAITING, SEVERITY_NONE, 0, ""},
    {"it failed",
     {{60, QUERY_RUNNING, .produced = 100, .commits = 1000},
      {180, QUERY_FAILED}},
     HEALTH_FAILED, SEVERITY_CRITICAL, CAUSE(FAILED), "EsportsStreamQueryDown"},
    {"it has ended as asked, behind",
     {{60, QUERY_RUNNING, .produced = 100, .commits = 100},
      {1800, QUERY_STOPPED, .produced = 100}},
     HEALTH_STOPPED, SEVERITY_NONE, 0, ""},
};
/* clang-format on */

enum { HEALTH_CASE_COUNT = sizeof health_cases / sizeof health_cases[0] };

#endif
