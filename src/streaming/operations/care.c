/* care.c: a process does the work that holds the checkpoint's lock. If another one does, it is
 * asked by a file, and what it answers is printed. When it ends or is started again in the middle,
 * the command begins again: what was published stays. */
#include "streaming/operations/care.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/system/clock.h"
#include "streaming/care/care_command.h"
#include "streaming/changes/change_steps.h"
#include "streaming/operations/operations.h"
#include "streaming/recovery/recover.h"

enum {
    ASK_EVERY_NS = 200000000,
    SIGN_WITHIN_MS = 60 * 1000, // else the program that runs is starting, older, or hangs
    FINISH_TRIES = 3,
};

struct work {
    const struct care_operation *operation;
    struct query_definition definition;
    struct store *store; // owned
    FILE *out;
};

/* ---- here ---- */

static bool breathe(void *context) {
    const struct work *work = context;
    return work->operation->is_cancelled == NULL || !work->operation->is_cancelled();
}

static bool publish(void *context, const struct change *change, bool *recorded, struct error *err) {
    struct work *work = context;
    if (change_publish(work->store, change, recorded, err))
        return true;
    for (int i = 0; *recorded && i < FINISH_TRIES; i++)
        if (change_finish(work->store, err))
            return true;
    return *recorded &&
           error_wrap(err, "the change is recorded, and the next start of the query or "
                           "of this command finishes it");
}

static void say(void *context, const char *line) {
    const struct work *work = context;
    (void)fprintf(work->out, "%s\n", line);
    (void)fflush(work->out);
}

static void finished(void *context, const struct care_report *report) {
    char line[CARE_LINE_MAX];
    care_report_line(report, line);
    say(context, line);
}

static void warn(void *context, const char *what, const struct error *err) {
    const struct work *work = context;
    (void)fprintf(work->out, "%s: %s: %s\n", work->operation->query->store.query, what,
                  err->message);
    (void)fflush(work->out);
}

static bool run_here(struct work *work, struct error *err) {
    const struct care_operation *operation = work->operation;
    const struct care_host host = {.breathe = breathe,
                                   .breathe_context = work,
                                   .publish = publish,
                                   .finished = finished,
                                   .say = say,
                                   .warn = warn,
                                   .context = work,
                                   .memory_max = operation->query->care.memory_max};
    if (!care_command_run(&operation->request, operation->dry_run, &work->definition, work->store,
                          host, err))
        return false;
    return operation->dry_run ||
           change_sweep(work->store, clock_wall_ms(), operation->query->care.grace_ms, err);
}

static bool recover_and_run(struct work *work, struct error *err) {
    struct recovery recovery = {0};
    bool settled, ok = operation_recover(work->store, false, &recovery, &settled, work->out, err);
    recovery_deinit(&recovery);
    return ok && run_here(work, err);
}

/* ---- by the query that runs ---- */

static bool is_held(const struct work *work, char holder[static CHECKPOINT_HOLDER_MAX]) {
    bool held;
    struct error ignored;
    return !checkpoint_holder(work->operation->query->store.checkpoint, &held, holder, &ignored) ||
           held;
}

/* Prints the lines of an answer that are new. */
static void print_answer(const struct work *work, const struct care_answer *answer,
                         size_t *printed) {
    for (; *printed < answer->line_count; (*printed)++)
        (void)fprintf(work->out, "%s\n", answer->lines[*printed]);
    (void)fflush(work->out);
}

/* Waits for the answer. *again: nobody is left to give it. */
static bool await_answer(const struct work *work, const struct care_request *request, bool *again,
                         struct error *err) {
    const char *checkpoint = work->operation->query->store.checkpoint;
    char holder[CHECKPOINT_HOLDER_MAX] = "";
    int64_t began_ms = clock_monotonic_ms();
    bool seen = false;
    *again = false;
    for (size_t printed = 0;; (void)nanosleep(&(struct timespec){.tv_nsec = ASK_EVERY_NS}, NULL)) {
        bool requested = request_is_there(checkpoint), held = is_held(work, holder), found;
        struct care_answer answer;
        if (!answer_read(checkpoint, request->id, &answer, &found, err))
            return false;
        print_answer(work, &answer, &printed);
        enum answer_state state = answer.state;
        struct error error = answer.error;
        answer_deinit(&answer);
        seen = seen || found;
        if (found && state == ANSWER_FAILED)
            *err = error;
        if (found && state != ANSWER_WORKING)
            return state == ANSWER_DONE;
        if (!breathe((void *)work))
            return error_set(err, ERROR_STOPPED, "cancelled");
        if (!held || (!requested && seen)) {
            *again = true;
            return true;
        }
        if (!seen && clock_monotonic_ms() - began_ms > SIGN_WITHIN_MS)
            return error_set(err, ERROR_LOCKED,
                             "the program that runs the query does not answer (%s): it may still "
                             "be starting (for example wait for Kafka: see `esports-stream "
                             "status`), be an older version, or another command. Try again, or "
                             "stop the query first",
                             holder);
    }
}

static bool run_there(const struct work *work, bool *again, struct error *err) {
    const char *checkpoint = work->operation->query->store.checkpoint;
    struct care_request request = work->operation->request;
    if (!request_write(checkpoint, &request, err))
        return false;
    bool ok = await_answer(work, &request, again, err);
    request_remove(checkpoint);
    answer_remove(checkpoint);
    return ok;
}

/* ---- which ---- */

static bool run(struct work *work, const struct store_options *options, struct error *err) {
    if (work->operation->dry_run)
        return store_open_to_read(options, &work->store, err) && run_here(work, err);
    for (bool again = true; again;) {
        if (recovery_open(options, &work->store, err))
            return recover_and_run(work, err);
        if (err->kind != ERROR_LOCKED || !run_there(work, &again, err))
            return false;
    }
    return true;
}

bool operation_care(const struct care_operation *operation, FILE *out, struct error *err) {
    struct query_options query = *operation->query;
    struct work work = {.operation = operation, .out = out};
    query.store.sink_log = SINK_LOG_AUTO; // what is on disk counts, not the setting
    bool ok = query_definition_init(&work.definition, &query, err) &&
              operation_check(&query.store, err) && run(&work, &query.store, err);
    store_close(work.store);
    return ok;
}
