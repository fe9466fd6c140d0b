/* accidents.c: a table of accidents, each with what the next start must come to. Numbers of batches
 * are the newest of each log. */
#include "accidents.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/disk/disk.h"
#include "base/text.h"
#include "counts.h"
#include "finding.h"
#include "scheduler.h"

#define BACKUP "/backup"
#define SINK_LOG TABLE "/_spark_metadata"

struct lake {
    int64_t planned, committed, manifest, logged;
    bool logs;                     // the table has a sink log
    bool settled;                  // all four are at one batch
    bool compact;                  // the newest file of the sink log is one
    struct query_options *options; // of the start
};

/* ---- hands ---- */

static char *path_of(const char *format, va_list args) {
    static char path[512];
    (void)vsnprintf(path, sizeof path, format, args);
    return path;
}

static bool there(const char *format, ...) PRINTF_LIKE(1, 2);
static bool there(const char *format, ...) {
    va_list args;
    size_t size;
    va_start(args, format);
    bool is_there = model_disk_bytes(path_of(format, args), &size) != NULL;
    va_end(args);
    return is_there;
}

static void delete (const char *format, ...)PRINTF_LIKE(1, 2);
static void delete (const char *format, ...) {
    va_list args;
    va_start(args, format);
    model_disk_remove(path_of(format, args));
    va_end(args);
}

static void write_file(const char *path, const void *bytes, size_t size) {
    int fd = disk->open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    check(fd >= 0 && disk_write_all(fd, bytes, size) && disk->close(fd) == 0);
}

/* A copy of a file's bytes, terminated; owned by the caller. */
static char *read_file(const char *path, size_t *size) {
    const void *bytes = model_disk_bytes(path, size);
    check(bytes != NULL);
    char *copy = must_alloc(*size + 1, 1);
    memcpy(copy, bytes, *size);
    return copy;
}

static void write_number(const char *directory, int64_t number, const char *text) {
    char path[256];
    (void)snprintf(path, sizeof path, CHECKPOINT "/%s/%" PRId64, directory, number);
    write_file(path, text, strlen(text));
}

static void note_data_file(void *context, const char *path, size_t size) {
    (void)size;
    size_t length = strlen(path);
    bool is_data =
        length > 8 && strcmp(path + length - 8, ".parquet") == 0 && strstr(path, "/_") == NULL;
    *(bool *)context = *(bool *)context || is_data;
}

static bool has_files(void) {
    bool has = false;
    model_disk_walk(TABLE, note_data_file, &has);
    return has;
}

/* Of a file of the sink log that is not compact: how many files it names. */
static size_t entries_of(int64_t batch, char *path, size_t room) {
    size_t size, lines = 0;
    (void)snprintf(path, room, SINK_LOG "/%" PRId64, batch);
    const char *bytes = model_disk_bytes(path, &size);
    for (size_t i = 0; bytes != NULL && i < size; i++)
        lines += bytes[i] == '\n';
    return lines;
}

/* ---- accidents ---- */

static bool lose_metadata(struct lake *lake) {
    delete (CHECKPOINT "/metadata");
    return lake->planned >= 0;
}

static bool use_other_checkpoint(struct lake *lake) {
    lake->options->store.checkpoint = LAKE "/checkpoints/other";
    return lake->committed >= 0;
}

static bool lose_all_but_log(struct lake *lake) {
    delete (CHECKPOINT "/offsets");
    delete (CHECKPOINT "/commits");
    delete (CHECKPOINT "/manifests");
    return lake->logs && lake->logged >= 0;
}

static bool lose_plans(struct lake *lake) {
    delete (CHECKPOINT "/offsets");
    return !lake->logs && lake->committed >= 0;
}

static bool move_table(struct lake *lake) {
    if (!lake->logs || !has_files())
        return false;
    check(disk->rename(LAKE "/processed", LAKE "/moved") == 0);
    lake->options->store.table = LAKE "/moved/matches";
    return true;
}

/* As after Spark's batches, which have none. */
static bool move_table_without_manifests(struct lake *lake) {
    delete (CHECKPOINT "/manifests");
    return lake->settled && move_table(lake);
}

static bool set_log_off(struct lake *lake) {
    lake->options->store.sink_log = SINK_LOG_OFF;
    return lake->logs && lake->planned >= 0;
}

static bool set_log_on(struct lake *lake) {
    lake->options->store.sink_log = SINK_LOG_ON;
    return !lake->logs && lake->committed >= 0 && has_files();
}

static bool lose_newest_plan(struct lake *lake) {
    delete (CHECKPOINT "/offsets/%" PRId64, lake->planned);
    return lake->settled && lake->planned >= 1;
}

static bool lose_plan_and_commit(struct lake *lake) {
    delete (CHECKPOINT "/commits/%" PRId64, lake->planned);
    return lose_newest_plan(lake);
}

static bool lose_all_of_newest(struct lake *lake) {
    delete (CHECKPOINT "/manifests/%" PRId64, lake->planned);
    return lose_plan_and_commit(lake) && lake->logs;
}

static bool lose_previous_plan(struct lake *lake) {
    if (lake->planned < 1)
        return false;
    delete (CHECKPOINT "/commits/%" PRId64, lake->planned);
    delete (CHECKPOINT "/offsets/%" PRId64, lake->planned - 1);
    return true;
}

static void lose_logged(int64_t batch) {
    delete (SINK_LOG "/%" PRId64, batch);
    delete (SINK_LOG "/%" PRId64 ".compact", batch);
}

static bool lose_newest_log(struct lake *lake) {
    lose_logged(lake->logged);
    return lake->logs && lake->settled && lake->logged >= 1;
}

/* The newest file of the log, if each batch is finished and it has that many entries. All of them
 * must be of the newest batch: `adopt` leaves those of the whole table in the newest file, and none
 * in the others. */
static bool has_entries(const struct lake *lake, size_t least, char *path, size_t room) {
    if (lake->logged > 0 && entries_of(lake->logged - 1, path, room) == 0)
        return false;
    return lake->settled && lake->logs && !lake->compact &&
           entries_of(lake->logged, path, room) >= least;
}

static bool lose_two_commits(struct lake *lake) {
    delete (CHECKPOINT "/commits/%" PRId64, lake->planned);
    delete (CHECKPOINT "/commits/%" PRId64, lake->planned - 1);
    return lake->settled && lake->planned >= 1;
}

/* The newest file of the log has one entry less. */
static bool forget_entry(struct lake *lake) {
    char path[256];
    size_t size;
    if (!has_entries(lake, 2, path, sizeof path))
        return false;
    char *text = read_file(path, &size);
    write_file(path, text, (size_t)(strrchr(text, '\n') - text));
    free(text);
    return true;
}

/* `uri`: of the file, terminated, not quoted. */
static void copy_to_other_name(const char *uri) {
    size_t size;
    char *bytes = read_file(uri + strlen("file://"), &size);
    char *copy = text_copy(uri + strlen("file://"));
    strstr(copy, "part-")[0] = 'P';
    write_file(copy, bytes, size);
    free(bytes);
    free(copy);
}

/* The newest file of the log names copies of its files. */
static bool log_copies(const struct lake *lake) {
    char path[256];
    size_t size;
    if (!has_entries(lake, 1, path, sizeof path))
        return false;
    char *text = read_file(path, &size), *at = text;
    bool is_plain = strchr(text, '%') == NULL;
    while (is_plain && (at = strstr(at, "file://")) != NULL) {
        char *quote = strchr(at, '"');
        *quote = '\0';
        copy_to_other_name(at);
        strstr(at, "part-")[0] = 'P';
        *quote = '"';
        at = quote;
    }
    write_file(path, text, size);
    free(text);
    return is_plain;
}

static bool log_half(struct lake *lake) {
    delete (CHECKPOINT "/commits/%" PRId64, lake->planned);
    return forget_entry(lake);
}

/* Spark leaves a checksum next to each of its files. */
static void mark_log_as_sparks(const struct lake *lake) {
    char path[256];
    (void)snprintf(path, sizeof path, SINK_LOG "/.%" PRId64 "%s.crc", lake->logged,
                   lake->compact ? ".compact" : "");
    write_file(path, "crc", 3);
}

static bool spark_runs_batch(struct lake *lake) {
    delete (CHECKPOINT "/commits/%" PRId64, lake->planned);
    if (lake->planned < 1 || !log_copies(lake))
        return false;
    mark_log_as_sparks(lake);
    return true;
}

static bool spark_commits(struct lake *lake) {
    char path[256];
    if (lake->logs || !lake->settled || lake->planned < 1)
        return false;
    (void)snprintf(path, sizeof path, CHECKPOINT "/commits/.%" PRId64 ".crc", lake->committed);
    write_file(path, "crc", 3);
    return true;
}

static bool plan_another(struct lake *lake) {
    char path[256];
    size_t size;
    if (!lake->settled || lake->planned < 1)
        return false;
    (void)snprintf(path, sizeof path, CHECKPOINT "/offsets/%" PRId64, lake->planned);
    char *plan = read_file(path, &size);
    write_number("offsets", lake->planned + 1, plan);
    free(plan);
    delete (CHECKPOINT "/commits/%" PRId64, lake->planned);
    if (lake->logs)
        lose_logged(lake->logged);
    return true;
}

static bool lose_two_logged(struct lake *lake) {
    if (!lake->settled || !lake->logs || lake->planned < 2)
        return false;
    for (int64_t batch = lake->planned - 1; batch <= lake->planned; batch++) {
        delete (CHECKPOINT "/commits/%" PRId64, batch);
        lose_logged(batch);
    }
    return true;
}

static bool lose_manifest_and_commit(struct lake *lake) {
    delete (CHECKPOINT "/commits/%" PRId64, lake->planned);
    delete (CHECKPOINT "/manifests/%" PRId64, lake->planned);
    return lake->settled && lake->logs && lake->planned >= 1;
}

static bool spark_logs_batch(struct lake *lake) {
    if (!lose_manifest_and_commit(lake))
        return false;
    mark_log_as_sparks(lake);
    return true;
}

static bool lose_file_of_spark(struct lake *lake) {
    char path[256];
    size_t size;
    if (!has_entries(lake, 1, path, sizeof path) || !spark_logs_batch(lake))
        return false;
    char *text = read_file(path, &size), *file = strstr(text, "file://");
    check(file != NULL);
    file[strcspn(file, "\"")] = '\0';
    bool is_plain = strchr(file, '%') == NULL;
    if (is_plain)
        delete ("%s", file + strlen("file://"));
    free(text);
    return is_plain;
}

static bool lose_newest_manifest(struct lake *lake) {
    delete (CHECKPOINT "/manifests/%" PRId64, lake->planned);
    return lake->settled && newest_number("manifests") >= 0;
}

static bool open_two(struct lake *lake) {
    if (!lake->settled || lake->planned < 3)
        return false;
    for (int64_t batch = lake->planned - 1; batch <= lake->planned; batch++) {
        delete (CHECKPOINT "/commits/%" PRId64, batch);
        delete (CHECKPOINT "/manifests/%" PRId64, batch);
        if (lake->logs)
            lose_logged(batch);
    }
    return true;
}

static bool lose_changes(struct lake *lake) {
    if (!lake->settled || newest_number("changes") < 0)
        return false;
    delete (CHECKPOINT "/changes");
    return true;
}

struct accident {
    const char *name;
    bool (*make)(struct lake *lake); // false: it does not fit this lake
    enum error_kind kind;            // of the refusal; ERROR_NONE: the start copes
};

static const struct accident accidents[] = {
    {"the checkpoint's file metadata is deleted", lose_metadata, ERROR_STATE},
    {"a second checkpoint on the table", use_other_checkpoint, ERROR_STATE},
    {"the checkpoint loses all batches, the sink log is there", lose_all_but_log, ERROR_STATE},
    {"the checkpoint loses its plans", lose_plans, ERROR_STATE},
    {"the table is moved", move_table, ERROR_STATE},
    {"the table is moved, and has no manifests", move_table_without_manifests, ERROR_STATE},
    {"SINK_LOG=off for a table with a log", set_log_off, ERROR_CONFIG},
    {"SINK_LOG=on for a table without one", set_log_on, ERROR_CONFIG},
    {"the newest plan is deleted", lose_newest_plan, ERROR_STATE},
    {"the newest plan and commit are deleted", lose_plan_and_commit, ERROR_STATE},
    {"plan, commit and manifest of the newest batch are deleted", lose_all_of_newest, ERROR_STATE},
    {"the plan before the newest is deleted", lose_previous_plan, ERROR_STATE},
    {"the two newest commits are deleted", lose_two_commits, ERROR_STATE},
    {"the newest file of the sink log is deleted", lose_newest_log, ERROR_STATE},
    {"the sink log names half a batch that is not finished", log_half, ERROR_STATE},
    {"Spark has run the batch", spark_runs_batch, ERROR_NONE},
    {"Spark has committed the batch, without a log", spark_commits, ERROR_NONE},
    {"another batch is planned before the newest is finished", plan_another, ERROR_STATE},
    {"two files of the sink log and their commits are deleted", lose_two_logged, ERROR_STATE},
    {"the sink log forgets a file of the newest batch", forget_entry, ERROR_STATE},
    {"manifest and commit of the newest batch are deleted", lose_manifest_and_commit, ERROR_STATE},
    {"the manifest of the newest batch is deleted", lose_newest_manifest, ERROR_STATE},
    {"Spark has logged the batch", spark_logs_batch, ERROR_NONE},
    {"Spark has logged the batch, and a file of it is gone", lose_file_of_spark, ERROR_STATE},
    {"two batches are open", open_two, ERROR_STATE},
    {"the checkpoint loses its records of changes", lose_changes, ERROR_STATE},
};

/* The last one fits few lakes, so it comes first in those that it fits. */
static const struct accident *draw(struct random *random) {
    bool has_changes = newest_number("changes") >= 0;
    size_t last = sizeof accidents / sizeof accidents[0] - 1;
    return &accidents[has_changes && random_chance(random, 500) ? last
                                                                : random_below(random, last + 1)];
}

enum { TRIES = 6 };

/* ---- the outcome ---- */

static void note_logged(void *context, const char *path, size_t size) {
    (void)size;
    struct lake *lake = context;
    char *end, *name = strrchr(path, '/') + 1;
    int64_t number = strtoll(name, &end, 10);
    bool compact = strcmp(end, ".compact") == 0;
    if (end == name || (*end != '\0' && !compact) || number < lake->logged)
        return;
    lake->logged = number;
    lake->compact = compact;
}

static void note_any(void *context, const char *path, size_t size) {
    (void)path, (void)size;
    *(bool *)context = true;
}

/* A file that has its old name, too, after a power cut: in a copy it would be two files. */
static bool has_staged(void) {
    bool has = false;
    model_disk_walk(TABLE "/_staging", note_any, &has);
    model_disk_walk(REJECTS "/_staging", note_any, &has);
    return has;
}

static struct lake look_at_lake(struct query_options *options) {
    struct lake lake = {.planned = newest_number("offsets"),
                        .committed = newest_number("commits"),
                        .manifest = newest_number("manifests"),
                        .logged = -1,
                        .options = options};
    model_disk_walk(SINK_LOG, note_logged, &lake);
    lake.logs = lake.logged >= 0;
    lake.settled = lake.planned >= 0 && lake.committed == lake.planned &&
                   lake.manifest == lake.planned && (!lake.logs || lake.logged == lake.planned) &&
                   !there(CHECKPOINT "/rewind");
    return lake;
}

static void add_file(void *context, const char *path, size_t size) {
    uint64_t *hash = context;
    if (text_ends_with(path, "/lock") || text_ends_with(path, "/_lock"))
        return; // has the name of the newest process
    for (const char *at = path; *at != '\0'; at++)
        *hash = (*hash ^ (unsigned char)*at) * 1099511628211U;
    const unsigned char *bytes = model_disk_bytes(path, &size);
    for (size_t i = 0; i < size; i++)
        *hash = (*hash ^ bytes[i]) * 1099511628211U;
}

static uint64_t hash_lake(void) {
    uint64_t hash = 14695981039346656037U;
    bool looked = model_disk_look(true);
    model_disk_walk(LAKE, add_file, &hash);
    (void)model_disk_look(looked);
    return hash;
}

/* Durable at once. The lake itself is moved, and the accident happens to a copy, because files of a
 * copy have one name each. */
static void move(const char *from, const char *to) {
    check(disk->rename(from, to) == 0);
    int fd = disk->open("/", O_RDONLY | O_DIRECTORY, 0);
    check(fd >= 0 && disk->fsync(fd) == 0 && disk->close(fd) == 0);
}

static void note_open(void *context, const char *path, size_t size) {
    (void)size;
    size_t length = strlen(path);
    *(bool *)context = *(bool *)context || (length > 5 && strcmp(path + length - 5, ".open") == 0);
}

/* A start finishes a change before it judges anything else. */
static bool has_open_change(void) {
    bool has = false;
    model_disk_walk(CHECKPOINT "/changes", note_open, &has);
    return has;
}

static bool make_one(const struct accident *accident, struct process *process) {
    bool looked = model_disk_look(true);
    struct lake lake = look_at_lake(&process->options);
    move(LAKE, BACKUP);
    model_disk_copy(BACKUP, LAKE);
    bool made = !there(CHECKPOINT "/rewind") && !has_open_change() && !has_staged() &&
                accident->make(&lake);
    (void)model_disk_look(looked);
    return made;
}

static void put_back(void) {
    bool looked = model_disk_look(true);
    model_disk_remove(LAKE);
    move(BACKUP, LAKE);
    (void)model_disk_look(looked);
}

/* A start without faults, so that only the accident matters. */
static void start_on(const struct accident *accident, struct process *process,
                     struct world *world) {
    uint64_t before = hash_lake();
    process->accident = accident->name;
    process->may_refuse = accident->kind;
    process->views = 0; // what was lost in the accident is lost for readers, too
    process->options.missing_files = MISSING_FILES_IGNORE;
    process->options.care.compact.mode = COMPACT_OFF;
    process->options.care.retention_days = 0;
    process_run(process, world);
    if (process->error.kind != accident->kind)
        found("after '%s' the start ends with error kind %d, not %d: %s", accident->name,
              process->error.kind, accident->kind, process->error.message);
    if (accident->kind != ERROR_NONE && hash_lake() != before)
        found("after '%s' the start is refused, but has changed the lake", accident->name);
    counts_add(1, "accident: %s", accident->name);
}

void accident_happen(struct world *world, struct random *random, int number) {
    static struct process process;
    for (int i = 0; i < TRIES; i++) {
        const struct accident *accident = draw(random);
        process_draw(&process, world, number, true);
        process.accident = accident->name;
        bool made = make_one(accident, &process);
        if (made)
            start_on(accident, &process, world);
        put_back();
        if (made)
            return;
    }
}
