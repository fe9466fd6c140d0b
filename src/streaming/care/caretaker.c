/* caretaker.c: the thread sleeps in short steps until a minute has passed, a request is there, or
 * it shall end; then it waits for its turn among the caretakers of the process, and makes a pass.
 *
 * A prepared change goes to the driver through one mailbox, and back through another with what came
 * of it. The thread waits for it to come back in any case, so that a message is never left behind:
 * a driver that ends sends back what it did not publish (caretaker_stop()). The driver publishes
 * between batches and while it waits for Kafka. Where a command has waited long enough
 * (hand_over.h), the thread takes the change back, if the driver has not taken it. */
#include "streaming/care/caretaker.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "base/system/thread.h"
#include "base/text.h"
#include "streaming/care/care_command.h"
#include "streaming/care/clock_check.h"
#include "streaming/care/compact.h"
#include "streaming/care/count_files.h"
#include "streaming/care/expire.h"
#include "streaming/care/hand_over.h"
#include "streaming/care/pace.h"
#include "streaming/care/request.h"
#include "streaming/changes/change_steps.h"
#include "streaming/query/retry.h"

enum {
    STEP_MS = 500, // how soon a request or a stop is noticed
    LOOK_EVERY_MS = 60 * 1000,
    LOOK_AT_DATES_EVERY_MS = 10 * 60 * 1000, // what is due by its date alone can wait so long
    LOOK_SHARE = 100,       // a look that takes long is made more seldom: 1 % of the time
    REQUEST_EVERY_MS = 500, // whether a request under way was cancelled
    FINISH_STEP_MS = 100,
    HAND_OVER_STEP_MS = 500,
    COUNT_FIRST_MS = 2 * 1000, // after a start: the first batches come first
    COUNT_EVERY_MS = 2 * 60 * 1000,
};

/* A prepared change on its way to the driver and back. */
struct care_order {
    struct message message;
    const struct change *change;
    bool done, recorded;
    struct error error;
};

struct caretaker {
    struct query *query;
    struct store *store; // the thread's own, only read
    pthread_t thread;
    struct mailbox to_driver, to_thread;
    struct stop stop;   // of the thread
    atomic_bool finish; // one more pass is wanted; false again: it is over
    int64_t swept_ms;   // driver: monotonic, of the newest sweep

    /* the thread's */
    struct pace pace;
    struct path_list left_alone;
    int64_t look_ms;            // monotonic, of the next pass
    int64_t count_ms;           // monotonic, of the next count of all files,
    int64_t count_again_ms;     // and of one because something was published
    struct care_answer *answer; // of the request under way; NULL: there is none
    bool cancelled;
    bool acknowledged;       // the request that waits for its turn
    int64_t request_seen_ms; // monotonic
    struct error warned;     // the newest warning is not repeated
    char strange[256];       // partitions that were warned of
    struct clock_check clock;
    char doubted[256];  // partitions that wait until the clock is believed
    bool doubts_warned; // of these, with a warning
    bool changed;       // the pass has published something
};

/* One at a time in the process: of memory, and of the share of a core. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static const struct care_options *options_of(const struct caretaker *self) {
    return &self->query->definition.options->care;
}

static const char *checkpoint_of(const struct caretaker *self) {
    return self->query->definition.options->store.checkpoint;
}

/* ---- the thread: what it hands over and says ---- */

static bool is_stopping(struct caretaker *self) {
    return stop_read(&self->stop) != STOP_NOT;
}

static bool is_cancelled(struct caretaker *self) {
    int64_t now_ms = clock_monotonic_ms();
    if (self->answer == NULL || now_ms - self->request_seen_ms < REQUEST_EVERY_MS)
        return self->cancelled;
    self->request_seen_ms = now_ms;
    self->cancelled = self->cancelled || !request_is_there(checkpoint_of(self));
    return self->cancelled;
}

static bool goes_on(void *context) {
    struct caretaker *self = context;
    return !is_stopping(self) && !is_cancelled(self);
}

/* What a request has got to say so far; a command that is gone is not waited for. */
static void send_answer(struct caretaker *self) {
    struct error ignored;
    if (self->answer != NULL)
        (void)!answer_write(checkpoint_of(self), self->answer, &ignored);
}

static void say_wait(struct caretaker *self, const struct query_snapshot *status) {
    scoped(scope_free) char *line =
        text_format("%s: the change is prepared; it is published when the running batch has ended "
                    "(%s).",
                    self->query->report.name, status->message);
    answer_add(self->answer, line);
    send_answer(self);
}

/* Whether a command waits on for the driver. */
static bool waits_on(struct caretaker *self, struct hand_over *wait, struct error *err) {
    if (is_cancelled(self))
        return error_set(err, ERROR_STOPPED, "cancelled");
    struct query_snapshot status = query_status_read(&self->query->report.status);
    enum hand_over_verdict verdict = hand_over_judge(wait, clock_monotonic_ms(), status.state);
    if (verdict == HAND_OVER_SAY)
        say_wait(self, &status);
    return verdict != HAND_OVER_GIVE_UP ||
           error_set(err, ERROR_LOCKED,
                     "the query is in the middle of a batch that makes no progress (%s: %s), and "
                     "nothing can be published before it ends. Try again when it has, or stop the "
                     "query first",
                     status.message, status.error);
}

/* Until the driver has sent the order back. False: it has not taken it, and gets it no more. */
static bool await_driver(struct caretaker *self, struct care_order *order, struct error *err) {
    struct hand_over wait = {.began_ms = clock_monotonic_ms()};
    int64_t step_ms = self->answer == NULL ? -1 : HAND_OVER_STEP_MS;
    struct message *back;
    while ((back = mailbox_receive(&self->to_thread, step_ms)) == NULL)
        if (!waits_on(self, &wait, err) && mailbox_receive(&self->to_driver, 0) != NULL)
            return false;
    check(back == &order->message);
    return true;
}

static bool hand_over(void *context, const struct change *change, bool *recorded,
                      struct error *err) {
    struct caretaker *self = context;
    struct care_order order = {.change = change};
    *recorded = false;
    mailbox_send(&self->to_driver, &order.message);
    if (!await_driver(self, &order, err))
        return false;
    *recorded = order.recorded;
    if (!order.done)
        *err = order.error;
    return order.done;
}

static void log_finished(const struct caretaker *self, const struct care_report *report) {
    const struct care_gain *gain = &report->gain;
    const char *table = report->table->of_rejects ? "rejects" : "table";
    if (report->kind == CHANGE_COMPACTION)
        log_write(LOG_INFO, self->query->report.name,
                  "Files were merged | of=%s | files_before=%" PRId64 " | files_after=%" PRId64
                  " | bytes_before=%" PRId64 " | bytes_after=%" PRId64 " | rows=%" PRId64
                  " | duration_ms=%" PRId64 " | directories=%s",
                  table, gain->files_before, gain->files_after, gain->bytes_before,
                  gain->bytes_after, gain->rows, report->duration_ms, report->directories);
    else
        log_write(LOG_INFO, self->query->report.name,
                  "Dates have expired | files=%" PRId64 " | bytes=%" PRId64 " | rows=%" PRId64
                  " | duration_ms=%" PRId64 " | directories=%s",
                  gain->files_before, gain->bytes_before, gain->rows, report->duration_ms,
                  report->directories);
}

static void note_finished(void *context, const struct care_report *report) {
    struct caretaker *self = context;
    struct care_status *status = &self->query->report.care;
    self->changed = true;
    log_finished(self, report);
    if (report->kind == CHANGE_COMPACTION)
        care_status_add_compaction(status, &report->gain, report->duration_ms);
    else
        care_status_add_expiry(status, report->gain.files_before, report->gain.rows);
    if (self->answer == NULL)
        return;
    char line[CARE_LINE_MAX];
    care_report_line(report, line);
    answer_add(self->answer, line);
    send_answer(self);
}

/* Without a request, what waits is in the status. */
static void say(void *context, const char *line) {
    struct caretaker *self = context;
    if (self->answer == NULL)
        return;
    answer_add(self->answer, line);
    send_answer(self);
}

static void warn(void *context, const char *what, const struct error *err) {
    struct caretaker *self = context;
    care_status_set_error(&self->query->report.care, err->message);
    if (strcmp(self->warned.message, err->message) != 0)
        log_write(LOG_WARNING, self->query->report.name, "%s | error=%s", what, err->message);
    self->warned = *err;
    if (self->answer == NULL)
        return;
    char line[sizeof err->message + 128];
    (void)snprintf(line, sizeof line, "%s: %s: %s", self->query->report.name, what, err->message);
    answer_add(self->answer, line);
    send_answer(self);
}

static struct care_host host_of(struct caretaker *self) {
    return (struct care_host){.breathe = pace_breathe,
                              .breathe_context = &self->pace,
                              .publish = hand_over,
                              .finished = note_finished,
                              .say = say,
                              .warn = warn,
                              .context = self,
                              .memory_max = options_of(self)->memory_max,
                              .left_alone = &self->left_alone};
}

/* ---- the thread: passes ---- */

static bool compact(struct caretaker *self, bool of_rejects, const struct compact_order *order,
                    struct error *err) {
    struct care_table table;
    struct care_result result;
    struct care_host host = host_of(self);
    care_table_init(&table, &self->query->definition, self->store, of_rejects);
    bool ok = compact_pass(&table, order, &host, &result, err);
    if (ok && !of_rejects)
        care_status_set_looked(&self->query->report.care, &result.counts);
    return ok;
}

static void log_doubts(const struct caretaker *self, bool warns, const char *partitions,
                       int64_t record_ms) {
    char age[32] = "not known";
    if (record_ms != 0)
        (void)snprintf(age, sizeof age, "%" PRId64, (clock_wall_ms() - record_ms) / 1000);
    log_write(warns ? LOG_WARNING : LOG_INFO, self->query->report.name,
              "Dates wait to expire until the clock is believed%s: a record with a timestamp of "
              "the last day settles it, or a day without a step of the clock. If the clock is "
              "right, `esports-stream expire --before` does not wait | newest_record_age_s=%s | "
              "partitions=%s",
              self->clock.stepped ? ", which was set by more than an hour" : "", age, partitions);
}

/* Dates that are over and stay, because of the clock: once for the same ones. At a start this is
 * usual, and the first record settles it: a warning says that the record or the clock does not. */
static void tell_doubts(struct caretaker *self, const char *partitions, int64_t record_ms) {
    bool same = strcmp(self->doubted, partitions) == 0;
    bool warns = partitions[0] != '\0' && (self->clock.stepped || record_ms != 0);
    care_status_set_expiry_waits(&self->query->report.care, partitions);
    if (partitions[0] != '\0' && (!same || (warns && !self->doubts_warned)))
        log_doubts(self, warns, partitions, record_ms);
    self->doubts_warned = warns || (same && self->doubts_warned);
    (void)snprintf(self->doubted, sizeof self->doubted, "%s", partitions);
}

static bool expire(struct caretaker *self, struct expire_order *order, struct error *err) {
    struct care_table table;
    struct care_result result;
    struct care_host host = host_of(self);
    int64_t record_ms = query_history_totals(&self->query->report.history).witness_ms;
    order->clock_believed =
        clock_check_look(&self->clock, clock_wall_ms(), clock_monotonic_ms(), record_ms);
    care_table_init(&table, &self->query->definition, self->store, false);
    if (!expire_pass(&table, order, &host, &result, err))
        return false;
    if (result.strange[0] != '\0' && strcmp(self->strange, result.strange) != 0)
        log_write(LOG_WARNING, self->query->report.name,
                  "Partitions do not expire: the query can hardly have had their dates, so a "
                  "producer's clock or field may be wrong. `esports-stream expire --before` "
                  "removes dates of the past | partitions=%s",
                  result.strange);
    memcpy(self->strange, result.strange, sizeof self->strange);
    tell_doubts(self, result.doubted, record_ms);
    return true;
}

/* What the settings ask for. */
static bool make_pass(struct caretaker *self, struct error *err) {
    const struct care_options *options = options_of(self);
    struct compact_order order = {.mode = SELECT_CLOSED, .target_size = options->target_size};
    bool ok = true;
    if (options->compact.mode != COMPACT_OFF)
        ok = compact(self, true, &order, err); // the rejects of days that are over
    if (options->compact.mode == COMPACT_LIVE) {
        order.mode = SELECT_LIVE;
        order.older_than_ms = options->compact.older_than_ms;
    }
    if (ok && options->compact.mode != COMPACT_OFF)
        ok = compact(self, false, &order, err);
    if (!ok || options->retention_days == 0)
        return ok;
    struct zone zone;
    check(zone_find(text_borrow(self->query->definition.options->time_zone), &zone));
    int64_t before = care_day_of(&zone, clock_wall_ms()) - options->retention_days;
    return expire(self, &(struct expire_order){.before = (int32_t)before, .by_retention = true},
                  err);
}

/* A minute, or what COMPACT says if that is shorter. If only dates count, an idle pass is followed
 * by a longer pause: each reads the whole list of files. Dates that wait for the clock may leave
 * with the next record. */
static int64_t look_every_ms(const struct caretaker *self, bool was_idle) {
    const struct compact_setting *compact = &options_of(self)->compact;
    if (compact->mode != COMPACT_LIVE)
        return was_idle && self->doubted[0] == '\0' ? LOOK_AT_DATES_EVERY_MS : LOOK_EVERY_MS;
    return compact->older_than_ms < LOOK_EVERY_MS ? compact->older_than_ms : LOOK_EVERY_MS;
}

static bool is_on(const struct caretaker *self) {
    const struct care_options *options = options_of(self);
    return options->compact.mode != COMPACT_OFF || options->retention_days > 0;
}

static bool open_store(struct caretaker *self, struct error *err) {
    return self->store != NULL ||
           store_open_to_read(&self->query->definition.options->store, &self->store, err);
}

static void pass(struct caretaker *self) {
    struct care_status *status = &self->query->report.care;
    struct error err;
    int64_t began_ns = clock_thread_cpu_ns();
    bool was_changed = self->changed;
    self->changed = false;
    care_status_set_busy(status, true);
    bool ok = open_store(self, &err) && make_pass(self, &err);
    care_status_set_busy(status, false);
    if (ok)
        care_status_set_error(status, "");
    else if (err.kind != ERROR_STOPPED)
        warn(self, "Cannot take care of the table; trying again in a minute", &err);
    care_status_set_passed(status, !ok && err.kind != ERROR_STOPPED, self->left_alone.count);
    int64_t now_ms = clock_monotonic_ms();
    int64_t pause_ms =
        self->changed ? 0 : LOOK_SHARE * ((clock_thread_cpu_ns() - began_ns) / 1000000);
    int64_t every_ms = look_every_ms(self, ok && !self->changed);
    self->changed |= was_changed;
    self->look_ms = now_ms + (pause_ms > every_ms ? pause_ms : every_ms);
    care_status_set_next(status, clock_wall_ms() + self->look_ms - now_ms);
}

/* ---- the thread: counting, also if the settings ask for nothing ---- */

static bool is_count_due(const struct caretaker *self) {
    int64_t now_ms = clock_monotonic_ms();
    return now_ms >= self->count_ms || (self->changed && now_ms >= self->count_again_ms);
}

/* What cannot be counted stays as it was: the next time tries again. */
static void count(struct caretaker *self) {
    struct error err;
    int64_t began_ms = clock_monotonic_ms();
    bool ok = open_store(self, &err);
    for (int of_rejects = 0; ok && of_rejects < 2; of_rejects++) {
        struct file_counts counts;
        ok = count_files(self->store, of_rejects == 1, options_of(self)->target_size, goes_on, self,
                         &counts, &err);
        if (ok)
            care_status_set_files(&self->query->report.care, of_rejects == 1, &counts);
    }
    if (!ok && err.kind != ERROR_STOPPED)
        log_write(LOG_DEBUG, self->query->report.name,
                  "The files of the table cannot be counted; trying again later | error=%s",
                  err.message);
    int64_t now_ms = clock_monotonic_ms(), pause_ms = LOOK_SHARE * (now_ms - began_ms);
    self->changed = false;
    self->count_again_ms = now_ms + pause_ms;
    self->count_ms = now_ms + (pause_ms > COUNT_EVERY_MS ? pause_ms : COUNT_EVERY_MS);
}

/* ---- the thread: requests ---- */

static bool do_request(struct caretaker *self, const struct care_request *request,
                       struct error *err) {
    return open_store(self, err) && care_command_run(request, false, &self->query->definition,
                                                     self->store, host_of(self), err);
}

/* A request that must wait for its turn gets a sign of life. */
static void acknowledge(struct caretaker *self) {
    struct care_request request;
    struct care_answer answer = {.state = ANSWER_WORKING};
    struct error ignored;
    bool found;
    if (self->acknowledged || !request_read(checkpoint_of(self), &request, &found, &ignored) ||
        !found)
        return;
    memcpy(answer.id, request.id, sizeof answer.id);
    self->acknowledged = answer_write(checkpoint_of(self), &answer, &ignored);
}

static void answer_request(struct caretaker *self) {
    struct care_request request;
    struct care_answer answer = {.state = ANSWER_WORKING};
    struct error err = {0};
    bool found, ok = request_read(checkpoint_of(self), &request, &found, &err);
    if (ok && !found)
        return;
    memcpy(answer.id, request.id, sizeof answer.id);
    self->answer = &answer;
    self->cancelled = false;
    self->request_seen_ms = clock_monotonic_ms();
    send_answer(self);
    care_status_set_busy(&self->query->report.care, true);
    ok = ok && do_request(self, &request, &err);
    care_status_set_busy(&self->query->report.care, false);
    answer.state = ok ? ANSWER_DONE : ANSWER_FAILED;
    answer.error = err;
    bool stops = !ok && err.kind == ERROR_STOPPED && !self->cancelled;
    if (!self->cancelled && !stops) // else the command notices that nobody answers any more
        send_answer(self);
    self->answer = NULL;
    self->acknowledged = false;
    if (self->cancelled)
        answer_remove(checkpoint_of(self));
    self->cancelled = false;
    request_remove(checkpoint_of(self));
    answer_deinit(&answer);
}

/* ---- the thread ---- */

/* Whether there is anything to do now. */
static bool is_due(struct caretaker *self) {
    return (is_on(self) && (atomic_load(&self->finish) || clock_monotonic_ms() >= self->look_ms)) ||
           is_count_due(self) || request_is_there(checkpoint_of(self));
}

static void work(struct caretaker *self) {
    if (request_is_there(checkpoint_of(self)))
        answer_request(self);
    bool finish = atomic_load(&self->finish);
    if (is_on(self) && (finish || clock_monotonic_ms() >= self->look_ms) && !is_stopping(self))
        pass(self);
    if (is_count_due(self) && !is_stopping(self))
        count(self);
    if (finish)
        atomic_store(&self->finish, false);
}

static void *caretaker_main(void *argument) {
    struct caretaker *self = argument;
    (void)pthread_setname_np(pthread_self(), "caretaker"); // only for people
    for (bool lowered = false; !is_stopping(self);) {
        bool due = is_due(self);
        if (!due || pthread_mutex_trylock(&turn) != 0) {
            if (due)
                acknowledge(self);
            (void)stop_sleep(&self->stop, STEP_MS);
            continue;
        }
        if (!lowered) // a thread that has never worked ends at once
            thread_lower_priority();
        lowered = true;
        pace_begin(&self->pace);
        work(self);
        pthread_mutex_unlock(&turn);
    }
    mailbox_close(&self->to_driver);
    return NULL;
}

/* ---- the driver ---- */

/* What the settings ask for, at each start. */
static void log_care(const struct query *query) {
    const struct care_options *options = &query->definition.options->care;
    char compact[32] = "off", retention[32] = "off";
    if (options->compact.mode == COMPACT_CLOSED)
        (void)snprintf(compact, sizeof compact, "closed");
    else if (options->compact.mode == COMPACT_LIVE)
        (void)snprintf(compact, sizeof compact, "%" PRId64 " s",
                       options->compact.older_than_ms / 1000);
    if (options->retention_days > 0)
        (void)snprintf(retention, sizeof retention, "%" PRId64 " days", options->retention_days);
    log_write(LOG_INFO, query->report.name,
              "Table care | compact=%s | target_file_size=%" PRId64
              " | retention=%s | grace_s=%" PRId64,
              compact, options->target_size, retention, options->grace_ms / 1000);
}

/* A compaction gives a file a new name, and the times of those that it replaces. */
static void warn_of_streams(const struct query *query) {
    const struct compact_setting *compact = &query->definition.options->care.compact;
    const int64_t day_ms = 24LL * 60 * 60 * 1000;
    bool is_closed = compact->mode == COMPACT_CLOSED;
    if (is_closed || (compact->mode == COMPACT_LIVE && compact->older_than_ms < 7 * day_ms))
        log_write(is_closed ? LOG_INFO : LOG_WARNING, query->report.name,
                  "COMPACT merges files that are younger than 7 days: a Spark stream that reads "
                  "this table reads their rows again, unless its maxFileAge is shorter than "
                  "%s (docs/operations.md)",
                  is_closed ? "the time until a date is over" : "COMPACT");
}

static void caretaker_free(struct caretaker *self) {
    store_close(self->store);
    path_list_deinit(&self->left_alone);
    mailbox_deinit(&self->to_driver);
    mailbox_deinit(&self->to_thread);
    stop_deinit(&self->stop);
    free(self);
}

struct caretaker *caretaker_start(struct query *query) {
    const struct query_options *options = query->definition.options;
    struct caretaker *self = must_alloc(1, sizeof *self);
    struct error err;
    *self = (struct caretaker){
        .query = query,
        .count_ms = clock_monotonic_ms() + COUNT_FIRST_MS,
        .pace = {.percent = options->care.cpu_percent, .goes_on = goes_on, .context = self}};
    request_remove(options->store.checkpoint); // of a former run: its command asks again
    answer_remove(options->store.checkpoint);
    care_status_set_on(&query->report.care, options->care.compact.mode != COMPACT_OFF,
                       options->care.retention_days > 0);
    stop_init(&self->stop);
    mailbox_init(&self->to_driver);
    mailbox_init(&self->to_thread);
    if (thread_start(&self->thread, caretaker_main, self,
                     "cannot start the thread that takes care of the table", &err)) {
        log_care(query);
        warn_of_streams(query);
        return self;
    }
    log_write(LOG_WARNING, query->report.name,
              "No files are merged, and no dates expire, until the next start | error=%s",
              err.message);
    caretaker_free(self);
    return NULL;
}

/* A change that is recorded must be finished, as a batch that is committed. */
static bool finish_change(struct query *query, struct error *err) {
    struct retry retry = {0};
    while (!change_finish(query->store, err))
        if (!retry_again(&query->retrier, &retry, err))
            return false;
    return true;
}

/* False: the query cannot continue. What is only not published is the thread's to say. */
static bool publish(struct caretaker *self, struct care_order *order) {
    struct query *query = self->query;
    order->done = change_publish(query->store, order->change, &order->recorded, &order->error);
    if (!order->done && order->recorded)
        order->done = finish_change(query, &order->error);
    return order->done || !order->recorded;
}

static bool take_order(struct caretaker *self, int64_t wait_ms, struct error *err) {
    struct care_order *order = (struct care_order *)mailbox_receive(&self->to_driver, wait_ms);
    if (order == NULL)
        return true;
    bool ok = publish(self, order);
    if (!ok)
        *err = order->error;
    mailbox_send(&self->to_thread, &order->message);
    return ok;
}

/* What cannot be deleted now stays until the next time. */
static void sweep(struct caretaker *self) {
    struct query *query = self->query;
    struct error err;
    int64_t now_ms = clock_monotonic_ms();
    if (self->swept_ms != 0 && now_ms - self->swept_ms < LOOK_EVERY_MS)
        return;
    self->swept_ms = now_ms;
    if (!change_sweep(query->store, clock_wall_ms(), options_of(self)->grace_ms, &err))
        log_write(LOG_WARNING, query->report.name,
                  "Files that were replaced cannot be deleted; trying again in a minute | error=%s",
                  err.message);
}

bool caretaker_attend(struct caretaker *self, struct error *err) {
    if (self == NULL)
        return true;
    if (!take_order(self, 0, err))
        return false;
    sweep(self);
    return true;
}

bool caretaker_finish(struct caretaker *self, struct error *err) {
    if (self == NULL || !is_on(self))
        return true;
    struct query_status *status = &self->query->report.status;
    query_status_say(status, QUERY_RUNNING, false, "Taking care of the table");
    atomic_store(&self->finish, true);
    while (atomic_load(&self->finish) && stop_read(self->query->stop) == STOP_NOT) {
        if (!take_order(self, FINISH_STEP_MS, err))
            return false;
        query_status_sign(status);
    }
    return true;
}

void caretaker_stop(struct caretaker *self) {
    if (self == NULL)
        return;
    stop_request(&self->stop, STOP_NOW);
    // What is on its way here is not published any more. The thread closes the mailbox at its end.
    for (struct message *message; (message = mailbox_receive(&self->to_driver, -1)) != NULL;) {
        struct care_order *order = (struct care_order *)message;
        (void)error_set(&order->error, ERROR_STOPPED, "the query stops");
        mailbox_send(&self->to_thread, &order->message);
    }
    check(pthread_join(self->thread, NULL) == 0);
    caretaker_free(self);
}
