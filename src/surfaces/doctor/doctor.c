/* The checks run side by side, each in a thread of its own. Each thread has a report of its own,
 * which the one who waits takes over once the thread has ended. A thread that does not end in time
 * is left to itself: the last one, it or the waiting thread, frees what both have used. The
 * configuration it works with must stay. */
#include "surfaces/doctor/doctor.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/system/thread.h"
#include "surfaces/doctor/doctor_checks.h"
#include "surfaces/terminal/output.h"

struct check {
    const char *what; // for one that does not end
    void (*run)(const struct config *config, struct doctor_report *report);
    const char *cure;
};

static const struct check checks[] = {
    {"brokers", doctor_check_brokers,
     "check that the names in KAFKA_BOOTSTRAP_SERVERS can be resolved"},
    {"topics", doctor_check_topics, "check that the brokers respond"},
    {"cluster", doctor_check_cluster, "check that the names in SPARK_MASTER_URL can be resolved"},
    {"disk", doctor_check_disk,
     "the file system does not respond (perhaps a network mount whose server is down); it would "
     "block a query, too: restore it"},
    {"directories", doctor_check_directories, "check that the lake's file system responds"},
    {"files", doctor_check_care, "check that the table's file system responds"},
    {"machine", doctor_check_machine, NULL},
    {"checkpoints", doctor_check_queries, "check that the checkpoint's file system responds"},
};

enum { CHECKS = sizeof checks / sizeof checks[0] };

/* One check under way. */
struct examination {
    const struct check *check;
    const struct config *config;
    struct doctor_report report;
    pthread_t thread;
    bool started;
    atomic_bool left; // by one of the two
};

static void leave(struct examination *examination) {
    if (!atomic_exchange(&examination->left, true))
        return;
    doctor_report_deinit(&examination->report);
    free(examination);
}

static void *examine(void *argument) {
    struct examination *examination = argument;
    examination->check->run(examination->config, &examination->report);
    leave(examination);
    return NULL;
}

static struct examination *begin(const struct check *check, const struct config *config) {
    struct examination *examination = must_alloc(1, sizeof *examination);
    examination->check = check;
    examination->config = config;
    struct error err;
    examination->started =
        thread_start(&examination->thread, examine, examination, "cannot start a thread", &err);
    if (!examination->started) {
        doctor_fail_limit(&examination->report, check->what, NULL, "%s", err.message);
        atomic_store(&examination->left, true); // no thread will
    }
    return examination;
}

/* Moves its results over. False: it has not ended, and never may. */
static bool end(struct examination *examination, const struct timespec *deadline, int limit_ms,
                struct doctor_report *report) {
    bool ended =
        !examination->started || pthread_timedjoin_np(examination->thread, NULL, deadline) == 0;
    if (ended) {
        doctor_report_move(report, &examination->report);
    } else {
        doctor_fail(report, EXIT_CODE_UNEXPECTED, examination->check->what, NULL,
                    examination->check->cure, "no answer within %d ms", limit_ms);
        check(pthread_detach(examination->thread) == 0);
    }
    leave(examination);
    return ended;
}

bool doctor_examine(const struct config *config, int limit_ms, struct doctor_report *report) {
    struct examination *examinations[CHECKS];
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline); // as pthread_timedjoin_np() needs it
    deadline.tv_sec += limit_ms / 1000;
    deadline.tv_nsec += limit_ms % 1000 * 1000000L;
    deadline.tv_sec += deadline.tv_nsec / 1000000000;
    deadline.tv_nsec %= 1000000000;
    for (size_t i = 0; i < CHECKS; i++)
        examinations[i] = begin(&checks[i], config);
    bool ended = true;
    for (size_t i = 0; i < CHECKS; i++)
        ended = end(examinations[i], &deadline, limit_ms, report) && ended;
    return ended;
}

bool doctor_command(const struct command_call *call, struct error *err) {
    const struct config *config = call->config;
    struct doctor_report report = {0};
    bool ended = doctor_examine(config, DOCTOR_LIMIT_MS, &report);
    doctor_report_print(&report, call->out, config->arguments.json);
    *call->code = doctor_report_code(&report);
    bool flushed = output_flush(call->out, err);
    if (!ended)
        _exit(*call->code); // do not wait for a thread that still waits for a disk
    doctor_report_deinit(&report);
    return flushed;
}
