/* life.c: processes one after another, and what must be true between them and at the end.
 *
 * The last process has no faults and takes everything, no matter what happened before it. Then
 * the independent checker compares the broker's history with the lake, and the program's own
 * `verify` must agree. */
#include "life.h"
#include "streaming/recovery/recovery_table.h"

#include <stdlib.h>
#include <string.h>

#include "accidents.h"
#include "base/check.h"
#include "base/disk/disk.h"
#include "checker.h"
#include "counts.h"
#include "finding.h"
#include "scheduler.h"

enum { PROCESSES_MOST = 7, ACCIDENT_NUMBER = 100, DAY_MS = 24 * 3600 * 1000 };

static struct world world;

/* ---- in the place of the program's own functions ---- */

/* Counts which rows of the table of recovery are reached. */
const struct recovery_case *__real_recovery_decide(const struct survey *survey);
const struct recovery_case *__wrap_recovery_decide(const struct survey *survey);
const struct recovery_case *__wrap_recovery_decide(const struct survey *survey) {
    const struct recovery_case *found_case = __real_recovery_decide(survey);
    counts_add(1, "recovery: %s", found_case->state);
    trace("recovery: %s", found_case->state);
    return found_case;
}

/* ---- looking ---- */

static void note_any(void *context, const char *path, size_t size) {
    (void)path, (void)size;
    *(bool *)context = true;
}

static bool has_log(void) {
    bool has = false;
    if (!world.log_was_changed)
        return world.store.sink_log != SINK_LOG_OFF;
    model_disk_walk(TABLE "/_spark_metadata", note_any, &has);
    return has;
}

/* A topic was created again and no id can tell: the program warns of it
 * (docs/internals/positions.md, "Limits"). */
static bool topic_may_be_unnoticed(void) {
    return model_broker_topic() > 0 && (world.chances.has_no_ids || log_said_topic_is_unknown());
}

static long cuts_before; // this life

static bool log_was_cut(void) {
    return model_broker_count(BROKER_LOG_CUT) > cuts_before;
}

/* What a manifest says of an offset need not be true of the record that has it now. */
static bool verify_may_complain(const struct error *err) {
    return (topic_may_be_unnoticed() || log_was_cut()) &&
           strstr(err->message, "verify has found") != NULL;
}

/* What the checker must know, as of now. */
static void tell_checker(void) {
    struct checker_lake lake = {.table = TABLE,
                                .rejects = REJECTS,
                                .checkpoint = CHECKPOINT,
                                .partition_by_count = world.store.partition_by_count,
                                .has_no_sink_log = !has_log(),
                                .is_permissive = world.is_permissive,
                                .has_no_ids = topic_may_be_unnoticed(),
                                .expires_before_ms = world.expired_before == INT32_MIN
                                                         ? INT64_MIN
                                                         : (int64_t)world.expired_before * DAY_MS};
    for (size_t i = 0; i < lake.partition_by_count; i++)
        lake.partition_by[i] = world.store.partition_by[i];
    checker_begin(&lake);
}

void life_look(void) {
    struct checker_report report = {0};
    counts_add(1, "look: a reader, at any moment");
    bool looked = model_disk_look(true);
    tell_checker();
    bool right = checker_look(&report);
    (void)model_disk_look(looked);
    if (!right)
        found("a reader at this moment: %s", report.text);
}

static void look_at_end(const struct process *last) {
    struct checker_report report = {0};
    finding_set_step("the end");
    bool looked = model_disk_look(true);
    tell_checker();
    bool right = checker_look(&report) && checker_judge(&report);
    (void)model_disk_look(looked);
    // Without ids, and with a warning that nothing shows it, a batch may be of two topics: rare,
    // and counted.
    if (!right && topic_may_be_unnoticed() && log_said_topic_is_unknown())
        counts_add(
            1, "look: not right, after a warning that nothing shows whether the topic is the same");
    else if (!right)
        found("%s", report.text);
    counts_add(report.rows, "look: rows at the end");
    counts_add(report.rejects, "look: rejects at the end");
    for (int i = 0; i < CHECKER_REASONS; i++)
        counts_add(report.missing[i], "look: records in neither: %s",
                   checker_reason_name((enum checker_reason)i));
    struct error err = {0};
    bool clean = run_verify(&last->options, NULL, &err);
    counts_add(1, "look: verify is %s",
               clean ? "clean" : "not clean, because the topic was cut or created again unnoticed");
    if (!clean && !verify_may_complain(&err))
        found("the checker finds nothing, but %s", err.message);
}

/* ---- refusals ---- */

const char *life_documented_refusal(const struct process *process) {
    if (process->kind == PROCESS_VERIFY && verify_may_complain(&process->error))
        return "5: verify, because the topic was cut or created again unnoticed";
    static const struct {
        const char *text, *name;
        unsigned kinds; // of processes, as bits
    } refusals[] = {
        {"a rewind is not finished", "5: a rewind is not finished", ~0U},
        {"is planned and not committed: run the query once",
         "5: a batch is planned, the query must run it", 1U << PROCESS_REPLAY},
        {"is no longer known (REWIND_RETENTION)", "2: the batch is not known any more",
         1U << PROCESS_REWIND},
        {"no batch is known that was planned before", "2: no batch is as old as that",
         1U << PROCESS_REWIND},
        {"the file system does not support it", "2: the file system cannot exchange names",
         1U << PROCESS_COMPACT | 1U << PROCESS_EXPIRE},
        {"has no file `metadata`: check", "5: there is no checkpoint yet", ~(1U << PROCESS_RUN)},
        {"the records that would be read again are no longer in Kafka; choose a newer batch",
         "2: the topic was created again since", 1U << PROCESS_REWIND},
        {"Kafka no longer has all records after batch", "2: the records of the batches are gone",
         1U << PROCESS_REWIND},
        {"no batch is committed yet", "2: no batch is committed yet", 1U << PROCESS_REWIND},
        {"has no partition column of type DATE", "2: the table has no dates", 1U << PROCESS_EXPIRE},
        {"there is no checkpoint", "2: there is no checkpoint yet", ~(1U << PROCESS_RUN)},
        {"the first start of a query creates its checkpoint", "5: there is no checkpoint yet",
         ~(1U << PROCESS_RUN)},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        if ((refusals[i].kinds & 1U << process->kind) != 0 &&
            strstr(process->error.message, refusals[i].text) != NULL)
            return refusals[i].name;
    return NULL;
}

/* ---- a life ---- */

static void make_lake(void) {
    bool looked = model_disk_look(true);
    check(disk->mkdir(LAKE, 0755) == 0);
    int fd = disk->open("/", O_RDONLY | O_DIRECTORY, 0);
    check(fd >= 0 && disk->fsync(fd) == 0 && disk->close(fd) == 0);
    (void)model_disk_look(looked);
}

static void begin(uint64_t seed, const struct life_switches *switches) {
    cuts_before = model_broker_count(BROKER_LOG_CUT);
    world_draw(&world, seed, switches);
    scheduler_begin(random_fork(seed, OF_SCHEDULER), world.began_ms);
    model_disk_begin(random_fork(seed, OF_DISK), process_on_call);
    model_broker_begin(seed, &world.chances,
                       (struct broker_time){scheduler_pass, scheduler_wall_ms},
                       trace_is_on() ? trace_text : NULL);
    make_lake();
}

/* The topic lives on while no process runs. With partitions by date, days pass now and then: then
 * dates are over, and expire. */
static void pass_time(struct random *random) {
    bool for_days = world.date_column && random_chance(random, 125);
    scheduler_pass((int64_t)random_below(random, for_days ? 4 * DAY_MS : 20000));
    for (uint64_t steps = random_below(random, 8); steps > 0; steps--)
        model_broker_live(false);
}

static void settle_broker(void) {
    for (int i = 0; i < 50; i++)
        model_broker_live(true);
}

static void live(const struct life_switches *switches, struct life_result *result) {
    static struct process process;
    struct random random = random_fork(world.seed, OF_LIFE);
    result->processes = (int)random_below(&random, PROCESSES_MOST);
    for (int i = 0; i < result->processes; i++) {
        bool skipped = (switches->skipped & 1ULL << i) != 0;
        process_draw(&process, &world, i, false);
        if (i == 0)
            process.kind = PROCESS_RUN; // the others need a checkpoint
        pass_time(&random);
        if (!skipped)
            process_run(&process, &world);
        if (!skipped && world_has(&world, PART_ACCIDENTS) && random_chance(&random, 150))
            accident_happen(&world, &random, ACCIDENT_NUMBER + i);
    }
    int64_t ignored;
    finding_set_step("before the last process");
    settle_broker();
    if (unfinished_rewind(&ignored)) { // a start is refused, and says what to do
        process_draw(&process, &world, result->processes, true);
        process.last = false;
        process_run(&process, &world);
    }
    while (unfinished_rewind(&ignored)) {
        process_draw(&process, &world, result->processes, true);
        process.kind = PROCESS_REWIND;
        process_run(&process, &world);
    }
    settle_broker(); // the start that was refused may have had faults
    process_draw(&process, &world, result->processes, true);
    process_run(&process, &world);
    look_at_end(&process);
}

void life_run(uint64_t seed, const struct life_switches *switches, struct life_result *result) {
    begin(seed, switches);
    live(switches, result);
    result->hash = model_disk_hash() ^ (uint64_t)scheduler_steps() * 0x9e3779b97f4a7c15U ^
                   (uint64_t)scheduler_monotonic_us() ^ trace_hash();
    checker_end();
    model_broker_end();
    model_disk_end();
    scheduler_end();
    log_lines_clear();
}
