/* process.c: the program starts, something happens to it, and it ends.
 *
 * A process that is killed cannot be taken off its threads' stacks. So all calls of disk and broker
 * fail from then on, nothing changes any more, and the program's own error handling brings every
 * thread to its end; what it says then does not count. */
#include "process.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/disk/disk_error.h"
#include "counts.h"
#include "finding.h"
#include "life.h"
#include "scheduler.h"
#include "streaming/operations/care.h"
#include "streaming/operations/operations.h"
#include "streaming/operations/replay.h"
#include "streaming/recovery/recover.h"
#include "streaming/start/streaming.h"
#include "streaming/verify/verify.h"

enum {
    MIB = 1 << 20,
    MEMORY = 64 * MIB,
    SHUTDOWN_MS = 8000, // SHUTDOWN_TIMEOUT
    HOUR_MS = 3600 * 1000,
    YIELDS = 100, // of thousand calls of the disk, before so many another thread may run
};

const char *const process_kind_names[PROCESS_KINDS] = {"run",    "compact", "expire", "rewind",
                                                       "replay", "verify",  "adopt",  "release"};
const char *const process_end_names[PROCESS_ENDS] = {"by itself", "by a signal", "by two signals",
                                                     "killed", "power cut"};

static struct process *now; // the one that runs

/* ---- what happens to it ---- */

static void end_now(const char *how, void (*end)(void)) {
    trace("**** %s", how);
    now->died = true;
    end();
    model_broker_kill();
}

static long count_faults(void) {
    long sum = 0;
    for (int i = DISK_NO_SPACE; i <= DISK_FAILED_LATE; i++)
        sum += model_disk_count((enum disk_event)i);
    return sum;
}

/* Counts the call. */
static bool is_last_call(enum disk_call call, bool changes) {
    long faults = count_faults();
    bool is_behind_fault = faults > now->faults_seen;
    now->faults_seen = faults;
    now->calls++;
    now->changes += changes;
    if (!changes || (now->end != END_BY_KILL && now->end != END_BY_POWER_CUT) ||
        (now->end_at == AT_KIND && call != now->end_at_kind) ||
        (now->end_at == BEHIND_FAULT && !is_behind_fault))
        return false;
    return ++now->counted == now->end_at_change;
}

void process_on_call(enum disk_call call, bool changes, const char *text) {
    if (now == NULL || now->died)
        return;
    trace("disk: %s", text);
    if (is_last_call(call, changes)) {
        end_now(now->end == END_BY_KILL ? "killed" : "power cut",
                now->end == END_BY_KILL ? model_disk_kill : model_disk_cut_power);
        return;
    }
    if (random_below(&now->random, 10000) < now->views)
        life_look();
    if (random_chance(&now->random, YIELDS))
        scheduler_yield();
}

/* ---- drawing ---- */

/* 0 to `count` - 1, the small ones more often. */
static unsigned fewer(struct random *random, unsigned count) {
    unsigned a = (unsigned)random_below(random, count), b = (unsigned)random_below(random, count);
    return a < b ? a : b;
}

static void draw_end(struct process *process, const struct world *world, struct random *random) {
    uint64_t way = random_below(random, 100);
    process->end = way < 25   ? END_BY_ITSELF
                   : way < 35 ? END_BY_SIGNAL
                   : way < 42 ? END_BY_SIGNALS
                   : way < 70 ? END_BY_KILL
                              : END_BY_POWER_CUT;
    process->end_after_ms = (500LL << fewer(random, 8)) + (int64_t)random_below(random, 2000);
    long most = 4L << random_below(random, 9);
    process->end_at_change = 1 + (long)random_below(random, (uint64_t)most);
    uint64_t where = random_below(random, 100);
    static const enum disk_call kinds[] = {DISK_EXCHANGE, DISK_LINK,   DISK_CHMOD,
                                           DISK_RENAME,   DISK_RENAME, DISK_RMDIR,
                                           DISK_TRUNCATE, DISK_UNLINK, DISK_MKDIR};
    process->end_at_kind = kinds[random_below(random, sizeof kinds / sizeof kinds[0])];
    process->end_at = where < 50 ? AT_CHANGE : where < 85 ? AT_KIND : BEHIND_FAULT;
    if (process->end_at != AT_CHANGE)
        process->end_at_change = 1 + fewer(random, process->end_at == AT_KIND ? 8 : 3);
    if (process->kind != PROCESS_RUN && process->end_at == AT_CHANGE)
        process->end_at_change = 1 + (long)random_below(random, 60);
    bool of_changes = process->end_at_kind == DISK_EXCHANGE || process->end_at_kind == DISK_LINK ||
                      process->end_at_kind == DISK_CHMOD;
    if (process->end_at == AT_KIND && of_changes && world_has(world, PART_CARE))
        process->options.care.compact = (struct compact_setting){COMPACT_LIVE, 1000};
    if ((process->end == END_BY_KILL && !world_has(world, PART_KILLS)) ||
        (process->end == END_BY_POWER_CUT && !world_has(world, PART_POWER)) ||
        ((process->end == END_BY_SIGNAL || process->end == END_BY_SIGNALS) &&
         !world_has(world, PART_SIGNALS)))
        process->end = END_BY_ITSELF;
}

static void draw_faults(struct process *process, const struct world *world, struct random *random) {
    struct disk_faults *faults = &process->faults;
    unsigned most = 2U << random_below(random, 6);
    *faults = (struct disk_faults){.no_exchange = world->no_exchange};
    if (process->end_at == BEHIND_FAULT && world_has(world, PART_DISK))
        faults->io_rename = faults->io_write = faults->late = 20;
    if (!world->disk_is_bad || random_chance(random, 400))
        return;
    unsigned *kinds[] = {&faults->no_space,    &faults->io_write, &faults->io_sync,
                         &faults->io_rename,   &faults->io_read,  &faults->late,
                         &faults->short_write, &faults->slow};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (random_chance(random, 350))
            *kinds[i] = 1 + (unsigned)random_below(random, most);
    faults->full_for = 1U << random_below(random, 18);
}

static enum process_kind draw_kind(const struct world *world, struct random *random) {
    static const unsigned weights[PROCESS_KINDS] = {70, 7, 4, 6, 4, 3, 3, 3};
    uint64_t at = random_below(random, 100);
    int kind = 0;
    while (at >= weights[kind])
        at -= weights[kind++];
    return world_has(world, PART_OPERATIONS) ? (enum process_kind)kind : PROCESS_RUN;
}

void process_draw(struct process *process, struct world *world, int number, bool last) {
    struct random random = random_fork(world->seed, OF_PROCESS + (unsigned)number);
    *process = (struct process){.number = number, .last = last};
    process->kind = draw_kind(world, &random);
    process->options = world_query_options(world, &random, last);
    if (world->replays && number > 0 && random_chance(&random, 500) &&
        world_has(world, PART_OPERATIONS))
        process->kind = PROCESS_REPLAY;
    draw_end(process, world, &random);
    if (world->is_long) {
        process->end_after_ms = 40000;
        process->end_at_change += 4000 * (long)random_below(&random, 3);
    }
    draw_faults(process, world, &random);
    process->views = random_chance(&random, 250) ? 20 : 0;
    if (last) {
        process->kind = PROCESS_RUN;
        process->end = END_BY_ITSELF;
        process->faults = (struct disk_faults){.no_exchange = world->no_exchange};
    }
    process->random = random_fork(random_next(&random), OF_LIFE);
}

/* ---- a run of the query ---- */

static void on_query_end(void) {
}

static bool is_stop_due(const struct process *process, int64_t lived_ms) {
    return !process->options.trigger.available_now || process->end != END_BY_ITSELF
               ? lived_ms >= process->end_after_ms
               : false;
}

/* As main.c does it: a signal, and at SHUTDOWN_TIMEOUT the process ends without waiting. */
static void stop_as_asked(struct process *process, struct streaming *streaming, int64_t *asked_ms) {
    int64_t now_ms = scheduler_monotonic_us() / 1000;
    if (*asked_ms == 0) {
        *asked_ms = now_ms;
        trace("**** signal");
        streaming_request_stop(streaming,
                               process->end == END_BY_SIGNALS ? STOP_NOW : STOP_AFTER_BATCH);
    } else if (now_ms - *asked_ms >= SHUTDOWN_MS - 1000 && !process->died) {
        streaming_request_stop(streaming, STOP_NOW);
        if (now_ms - *asked_ms >= SHUTDOWN_MS)
            end_now("ended without waiting", model_disk_kill);
    }
}

static void jump(struct process *process, const struct world *world) {
    if (!world->jumps || !random_chance(&process->random, 20))
        return;
    int64_t most_ms = 1000LL << random_below(&process->random, 14);
    int64_t ms = (int64_t)random_below(&process->random, (uint64_t)most_ms) - most_ms / 2;
    trace("**** the wall clock jumps by %" PRId64 " ms", ms);
    counts_add(1, "event: the wall clock jumps %s", ms < 0 ? "back" : "ahead");
    scheduler_jump(ms);
}

/* What retention may have taken away by now. */
static void note_time(const struct process *process, struct world *world) {
    int64_t now_ms = scheduler_wall_ms();
    if (now_ms > world->latest_ms)
        world->latest_ms = now_ms;
    int32_t before = (int32_t)(world->latest_ms / (24 * (int64_t)HOUR_MS) -
                               process->options.care.retention_days + 1);
    if (process->options.care.retention_days > 0 && before > world->expired_before)
        world->expired_before = before;
}

static bool care(struct process *process, struct world *world, FILE *out, struct error *err);

/* Another instance with the same checkpoint must be refused while this one holds the lock. */
static void try_second_instance(const struct process *process) {
    struct store *store = NULL;
    struct error err = {0};
    bool opened = recovery_open(&process->options.store, &store, &err);
    store_close(store);
    if (opened && !process->died)
        found("a second instance gets the lock of the checkpoint");
    counts_add(1, "look: a second instance");
}

static int64_t cancel_at_us;

/* A query in the middle of a batch publishes nothing. If the batch makes no progress, the command
 * gives up after two minutes; else it is cancelled some time. */
static bool is_cancelled(void) {
    return scheduler_monotonic_us() > cancel_at_us;
}

/* A command while the query runs: the query does it. */
static void ask_for_care(struct process *process, struct world *world) {
    struct process command = *process;
    char *said = NULL;
    size_t size;
    struct error err = {0};
    FILE *out = open_memstream(&said, &size);
    check(out != NULL);
    command.kind = PROCESS_COMPACT;
    bool ok = care(&command, world, out, &err);
    process->random = command.random;
    (void)fclose(out);
    free(said);
    counts_add(1, "look: compact, asked of the running query%s", ok ? "" : ", without an answer");
}

static void disturb(struct process *process, struct world *world) {
    if (random_chance(&process->random, 10))
        try_second_instance(process);
    if (random_chance(&process->random, 10) && world_has(world, PART_OPERATIONS) &&
        world_has(world, PART_CARE))
        ask_for_care(process, world);
}

static void watch(struct process *process, struct world *world, struct streaming *streaming) {
    int64_t began_ms = scheduler_monotonic_us() / 1000, asked_ms = 0, died_ms = 0;
    while (streaming_is_active(streaming)) {
        scheduler_pass(50 + (int64_t)random_below(&process->random, 400));
        int64_t lived_ms = scheduler_monotonic_us() / 1000 - began_ms;
        model_broker_live(process->last);
        jump(process, world);
        note_time(process, world);
        if (!process->died && process->accident == NULL && streaming_is_active(streaming) &&
            streaming_query_status(streaming, 0).id[0] != '\0') // it has the lock
            disturb(process, world);
        if (process->died && died_ms == 0) {
            died_ms = lived_ms + 1;
            streaming_request_stop(streaming, STOP_NOW);
        }
        if (!process->died && is_stop_due(process, lived_ms))
            stop_as_asked(process, streaming, &asked_ms);
        if (lived_ms > 12 * (int64_t)HOUR_MS || (died_ms != 0 && lived_ms - died_ms > HOUR_MS))
            found("the query does not end");
    }
}

static void run_query(struct process *process, struct world *world) {
    const struct query_options *queries[] = {&process->options};
    struct streaming_options options = {
        .query_count = 1, .worker_count = 1, .memory_max = MEMORY, .on_query_end = on_query_end};
    options.queries[0] = queries[0];
    struct streaming *streaming;
    if (!streaming_start(&streaming, &options, model_broker_open(), &process->error))
        return;
    watch(process, world, streaming);
    if (streaming_join(streaming, &process->error))
        process->error = (struct error){0};
}

/* ---- commands ---- */

struct newest {
    const char *directory;
    int64_t number;
};

static void note_number(void *context, const char *path, size_t size) {
    (void)size;
    struct newest *newest = context;
    char *end;
    int64_t number = strtoll(strrchr(path, '/') + 1, &end, 10);
    if (*end == '\0' && end != strrchr(path, '/') + 1 && number > newest->number)
        newest->number = number;
}

int64_t newest_number(const char *directory) {
    char path[256];
    struct newest newest = {.number = -1};
    (void)snprintf(path, sizeof path, CHECKPOINT "/%s", directory);
    bool looked = model_disk_look(true);
    model_disk_walk(path, note_number, &newest);
    (void)model_disk_look(looked);
    return newest.number;
}

/* The first line of the file `rewind` has it. */
bool unfinished_rewind(int64_t *to_batch) {
    size_t size;
    bool looked = model_disk_look(true);
    const char *bytes = model_disk_bytes(CHECKPOINT "/rewind", &size);
    (void)model_disk_look(looked);
    if (bytes == NULL)
        return false;
    static const char member[] = "\"toBatch\":";
    const char *at = memmem(bytes, size, member, sizeof member - 1);
    check(at != NULL); // it gets its name when it is whole
    *to_batch = strtoll(at + sizeof member - 1, NULL, 10);
    return true;
}

static bool rewind_query(struct process *process, FILE *out, struct error *err) {
    struct offsets next = {0};
    int64_t newest = newest_number("commits"), to_batch;
    struct rewind_request request = {.query = &process->options, .memory_max = MEMORY / 4};
    request.to_batch = newest - (int64_t)random_below(&process->random, 12);
    bool dry_run = random_chance(&process->random, 100);
    if (unfinished_rewind(&to_batch)) {
        request.to_batch = to_batch;
        dry_run = false;
    } else if (random_chance(&process->random, 300)) {
        request.by_time = true;
        request.before_ms = scheduler_wall_ms() - (int64_t)random_below(&process->random, 200000);
    }
    request.broker = random_chance(&process->random, 700) ? model_broker_open() : NULL;
    bool ok = operation_rewind(&process->options.store, &request, dry_run, &next, out, err);
    if (request.broker != NULL)
        request.broker->ops->close(request.broker);
    offsets_deinit(&next);
    return ok;
}

static bool care(struct process *process, struct world *world, FILE *out, struct error *err) {
    struct care_operation operation = {.query = &process->options,
                                       .dry_run = random_chance(&process->random, 100),
                                       .is_cancelled = is_cancelled};
    cancel_at_us = scheduler_monotonic_us() + 200 * (int64_t)1000000;
    int32_t today = (int32_t)(scheduler_wall_ms() / (24 * (int64_t)HOUR_MS));
    operation.request = (struct care_request){
        .kind = process->kind == PROCESS_COMPACT ? REQUEST_COMPACT : REQUEST_EXPIRE,
        .older_than_ms = (int64_t)random_below(&process->random, 2) * 1000,
        .target_size = (int64_t)MIB << random_below(&process->random, 8),
        .before = today - (int32_t)random_below(&process->random, 3)};
    if (process->kind == PROCESS_EXPIRE && operation.request.before > world->expired_before)
        world->expired_before = operation.request.before;
    return operation_care(&operation, out, err);
}

static bool replay(struct process *process, struct world *world, FILE *out, struct error *err) {
    struct replay_report report;
    if (random_chance(&process->random, 600)) {
        process->options.parse_mode = PARSE_PERMISSIVE;
        world->is_permissive = true;
    }
    struct replay_options options = {.query = &process->options,
                                     .dry_run = random_chance(&process->random, 100),
                                     .memory_max = MEMORY};
    return operation_replay(&options, &report, out, err);
}

bool run_verify(const struct query_options *options, FILE *out, struct error *err) {
    struct verify_report report;
    struct verify_options verify = {.store = &options->store,
                                    .broker = model_broker_open(),
                                    .memory_max = MEMORY,
                                    .workers = 1,
                                    .timeout_ms = 60 * 1000,
                                    .plan = &options->stream->plan};
    memset(&report, 0, sizeof report);
    bool ok = verify_run(&verify, &report, err);
    verify.broker->ops->close(verify.broker);
    if (ok && verify_faults(&report) > 0) {
        ok = false;
        size_t used = (size_t)snprintf(err->message, sizeof err->message,
                                       "verify has found %zu faults:", verify_faults(&report));
        for (int kind = 0; kind <= VERIFY_DUPLICATE; kind++)
            for (size_t i = 0; i < report.texts[kind].count && i < 3 && used < sizeof err->message;
                 i++)
                used += (size_t)snprintf(err->message + used, sizeof err->message - used, " %s;",
                                         report.texts[kind].texts[i]);
        err->kind = ERROR_STATE;
    }
    (void)out;
    verify_report_deinit(&report);
    return ok;
}

static bool run_command(struct process *process, struct world *world, FILE *out,
                        struct error *err) {
    const struct store_options *store = &process->options.store;
    bool dry_run = random_chance(&process->random, 100);
    switch (process->kind) {
    case PROCESS_COMPACT:
    case PROCESS_EXPIRE:
        return care(process, world, out, err);
    case PROCESS_REWIND:
        return rewind_query(process, out, err);
    case PROCESS_REPLAY:
        return replay(process, world, out, err);
    case PROCESS_VERIFY:
        return run_verify(&process->options, out, err);
    case PROCESS_ADOPT:
        world->log_was_changed = true;
        world->store.sink_log = SINK_LOG_AUTO;
        return operation_adopt(store, dry_run, out, err);
    case PROCESS_RELEASE:
        world->log_was_changed = true;
        world->store.sink_log = SINK_LOG_AUTO;
        return operation_release(store, dry_run, out, err);
    default:
        return true;
    }
}

static void run_operation(struct process *process, struct world *world) {
    char *said = NULL;
    size_t size;
    FILE *out = open_memstream(&said, &size);
    check(out != NULL);
    struct error err = {0};
    bool ok = run_command(process, world, out, &err);
    (void)fclose(out);
    char *rest;
    for (char *line = strtok_r(said, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        trace("said: %s", line);
    free(said);
    process->error = ok ? (struct error){0} : err;
}

/* ---- its end ---- */

static bool has_faults(const struct disk_faults *faults) {
    return faults->no_space + faults->io_write + faults->io_sync + faults->io_rename +
               faults->io_read + faults->late >
           0;
}

/* What the documents say of an end with this error, given what the process met; NULL: nothing, it
 * is a finding. */
static const char *documented(const struct process *process, const struct world *world,
                              const long *events_before) {
    const struct error *err = &process->error;
    bool broker_failed = false;
    for (int i = 0; i < BROKER_EVENTS; i++)
        broker_failed |= i != BROKER_PRODUCED && world->chances.of[i] > 0;
    bool damaged = model_broker_count(BROKER_DAMAGED) > events_before[BROKER_DAMAGED];
    switch (err->kind) {
    case ERROR_NONE:
    case ERROR_STOPPED:
        return "ended well";
    case ERROR_RETRY:
        return has_faults(&process->faults) ? "7: the disk failed for too long" : NULL;
    case ERROR_RESTART:
        return has_faults(&process->faults)
                   ? "7: a directory cannot be synced, so only a start can tell what is committed"
                   : NULL;
    case ERROR_BROKER:
    case ERROR_NO_TOPIC:
        return broker_failed ? "4: Kafka was not reachable at the start" : NULL;
    case ERROR_DATA_LOSS:
        return process->options.fail_on_data_loss ? "6: records are gone, FAIL_ON_DATA_LOSS=true"
                                                  : NULL;
    case ERROR_DAMAGED:
        return damaged ? "6: a record batch is damaged" : NULL;
    case ERROR_RECORD:
        return process->options.parse_mode == PARSE_FAILFAST
                   ? "8: a malformed record, PARSE_MODE=failfast"
                   : NULL;
    case ERROR_STATE:
    case ERROR_CONFIG:
        return life_documented_refusal(process);
    default:
        return NULL;
    }
}

static void judge(const struct process *process, const struct world *world,
                  const long *events_before) {
    const char *kind = process_kind_names[process->kind];
    if (process->died) {
        counts_add(1, "end: %s, %s", kind, process_end_names[process->end]);
        return;
    }
    const char *why = documented(process, world, events_before);
    trace("==== ended: %s | %s", why != NULL ? why : "NOT DOCUMENTED", process->error.message);
    if (process->accident != NULL && process->error.kind == process->may_refuse)
        return; // accidents.c says whether that is right
    if (why == NULL || (process->last && process->error.kind != ERROR_NONE))
        found("ended with error kind %d%s: %s", process->error.kind,
              why == NULL ? ", which is not documented for what it met" : "",
              process->error.message);
    counts_add(1, "end: %s, %s", kind, why);
}

void process_run(struct process *process, struct world *world) {
    long events_before[BROKER_EVENTS];
    for (int i = 0; i < BROKER_EVENTS; i++)
        events_before[i] = model_broker_count((enum broker_event)i);
    finding_set_step("process %d (%s, ends %s)", process->number, process_kind_names[process->kind],
                     process_end_names[process->end]);
    scheduler_set_process(process->number);
    model_disk_set_faults(&process->faults);
    now = process;
    now->faults_seen = count_faults();
    if (process->kind == PROCESS_RUN)
        run_query(process, world);
    else
        run_operation(process, world);
    now = NULL;
    judge(process, world, events_before);
    model_disk_set_faults(NULL);
    model_disk_restart();
    model_broker_restart();
}
