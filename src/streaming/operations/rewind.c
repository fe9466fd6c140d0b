/* rewind.c: takes back the batches after one, so that they are read from Kafka again.
 *
 * What is to be done is decided first and made durable as one file, `rewind` in the checkpoint:
 *
 *     v1
 *     {"path":"","toBatch":15,"interval":10}         no "interval": the log is only shortened
 *     {"path":"status=live/part-….parquet","aside":"table"}     and "rejects"
 *     {"path":"file:///lake/…","size":…}             with "interval": the lines that stay listed
 *
 * From then on recovery refuses to start, and each step may be repeated:
 *
 *     plans set aside     commits are ahead of plans now: Spark does not start either
 *     sink log shortened  readers through it never meet a file that is gone
 *     files set aside     <table>/_rewound, <rejects>/_rewound
 *     manifests set aside
 *     commits removed     the newest last, so that Spark is kept out until here
 *     `rewind` removed */
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/text.h"
#include "streaming/operations/operations.h"
#include "streaming/operations/rewind_decide.h"
#include "streaming/recovery/recover.h"
#include "streaming/table/set_aside.h"

static const struct set_aside_target table_target = {"_rewound", ".rewound"};
static const struct set_aside_target log_target = {"", ".rewound"};

enum { SYNCED_MAX = 256 };

/* The decision, line by line. */
struct execution {
    struct rewind *rewind;
    int64_t interval;         // 0: the log is only shortened
    bool sync;                // the second walk, which syncs the directories of the first
    char *synced[SYNCED_MAX]; // owned; directories that were synced, by hash
    struct sink_log_writer holder;
    int64_t table_files, reject_files;
};

static bool read_header(void *context, struct json *line, struct error *err) {
    struct execution *execution = context;
    int64_t to_batch;
    if (json_member_text(line, "path")[0] != '\0' || !json_member_int(line, "toBatch", &to_batch))
        return error_set(err, ERROR_STATE,
                         "the file `rewind` in the checkpoint does not begin with a batch");
    if (to_batch != execution->rewind->to_batch)
        return error_set(err, ERROR_STATE,
                         "a rewind to batch %" PRId64 " is not finished: run it again with "
                         "--to-batch %" PRId64,
                         to_batch, to_batch);
    if (!json_member_int(line, "interval", &execution->interval))
        execution->interval = 0;
    return error_set(err, ERROR_STOPPED, "seen");
}

static bool each_line(const struct execution *execution, sink_log_entry_fn *visit, bool *found,
                      struct error *err) {
    struct file_path path =
        file_join(execution->rewind->store->options.checkpoint, CHECKPOINT_REWIND);
    return sink_log_file_entries(path.text, visit, (void *)execution, found, err);
}

/* Durably sets the files of a log of the checkpoint aside that are newer than the batch. */
static bool set_log_aside(const struct rewind *rewind, const struct file_path *log,
                          struct error *err) {
    scoped(scope_free) int64_t *batches = NULL;
    size_t count;
    if (!file_list_numbers(log->text, "", &batches, &count, err))
        return false;
    for (; count > 0 && batches[count - 1] > rewind->to_batch; count--) {
        char name[32];
        bool moved;
        (void)snprintf(name, sizeof name, "%" PRId64, batches[count - 1]);
        if (!set_aside(log->text, name, &log_target, &moved, err))
            return false;
    }
    return file_sync_directory(log->text, err);
}

static bool hold_line(void *context, struct json *line, struct error *err) {
    struct execution *execution = context;
    if (json_member_text(line, "path")[0] == '\0' || json_member_text(line, "aside") != NULL)
        return true;
    scoped(scope_free) char *text = json_print(line);
    return sink_log_writer_add(&execution->holder, text, err);
}

/* Everything that stays listed goes into one file of the log. */
static bool rebuild_log(struct execution *execution, struct error *err) {
    const char *directory = execution->rewind->store->sink_log.directory.text;
    struct log_layout layout = log_layout_of(execution->rewind->to_batch, execution->interval);
    bool found;
    if (!log_layout_write_empty(&layout, directory, err) ||
        !sink_log_writer_open(&execution->holder, directory, layout.name, err))
        return false;
    if (!each_line(execution, hold_line, &found, err)) {
        sink_log_writer_discard(&execution->holder);
        return false;
    }
    if (!sink_log_writer_replace(&execution->holder, err))
        return false;
    return !layout.compact || file_remove(file_join_number(directory, layout.holder).text, err);
}

static bool remove_numbered(const struct file_path *log, int64_t batch, const char *ending,
                            struct error *err) {
    char name[64], checksum[80];
    (void)snprintf(name, sizeof name, "%" PRId64 "%s", batch, ending);
    (void)snprintf(checksum, sizeof checksum, ".%s.crc", name);
    return file_remove(file_join(log->text, checksum).text, err) &&
           file_remove(file_join(log->text, name).text, err);
}

/* The newest first: what is left is always a log that Spark can read. */
static bool shorten_log(struct execution *execution, struct error *err) {
    struct store *store = execution->rewind->store;
    int64_t to_batch = execution->rewind->to_batch;
    if (!sink_log_open(&store->sink_log, store->options.table, err))
        return false;
    if (!store->sink_log.exists)
        return true;
    if (execution->interval > 0 && !rebuild_log(execution, err))
        return false;
    for (int64_t batch = store->sink_log.newest; batch > to_batch; batch--)
        if (!remove_numbered(&store->sink_log.directory, batch, ".compact", err) ||
            !remove_numbered(&store->sink_log.directory, batch, "", err) ||
            !file_sync_directory(store->sink_log.directory.text, err))
            return false;
    return true;
}

/* Whether this directory was not synced lately; one of many is synced twice, which does no harm. */
static bool needs_sync(struct execution *execution, const char *root, const char *path) {
    struct file_path directory = file_join(root, path);
    *strrchr(directory.text, '/') = '\0';
    size_t hash = 5381;
    for (const char *at = directory.text; *at != '\0'; at++)
        hash = hash * 33 + (unsigned char)*at;
    char **slot = &execution->synced[hash % SYNCED_MAX];
    if (*slot != NULL && strcmp(*slot, directory.text) == 0)
        return false;
    free(*slot);
    *slot = text_copy(directory.text);
    return true;
}

static bool set_line_aside(void *context, struct json *line, struct error *err) {
    struct execution *execution = context;
    const struct store *store = execution->rewind->store;
    const char *of = json_member_text(line, "aside"), *path = json_member_text(line, "path");
    if (of == NULL || path[0] == '\0')
        return true;
    bool rejects = strcmp(of, "rejects") == 0, moved;
    const char *root = rejects ? store->options.rejects : store->options.table;
    if (execution->sync)
        return !needs_sync(execution, root, path) || set_aside_sync(root, path, &table_target, err);
    if (!set_aside(root, path, &table_target, &moved, err))
        return false;
    execution->table_files += moved && !rejects;
    execution->reject_files += moved && rejects;
    return true;
}

static bool set_files_aside(struct execution *execution, struct error *err) {
    bool found;
    if (!each_line(execution, set_line_aside, &found, err))
        return false;
    execution->sync = true;
    bool ok = each_line(execution, set_line_aside, &found, err);
    for (size_t i = 0; i < SYNCED_MAX; i++)
        free(execution->synced[i]);
    memset(execution->synced, 0, sizeof execution->synced);
    return ok;
}

/* A checksum that stayed would later make a commit of ours look like Spark's. */
static bool remove_commits(const struct rewind *rewind, struct error *err) {
    const struct file_path *log = &rewind->store->checkpoint.commits;
    scoped(scope_free) int64_t *batches = NULL;
    size_t count;
    if (!file_list_numbers(log->text, "", &batches, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (batches[i] <= rewind->to_batch)
            continue;
        // Each is gone for good before the next goes, or a power cut could leave any of them.
        if (!remove_numbered(log, batches[i], "", err) || !file_sync_directory(log->text, err))
            return false;
    }
    return true;
}

static bool finish(const struct rewind *rewind, struct error *err) {
    const char *checkpoint = rewind->store->options.checkpoint;
    return file_remove(file_join(checkpoint, CHECKPOINT_REWIND).text, err) &&
           file_sync_directory(checkpoint, err);
}

static void report(const struct rewind *rewind, FILE *out) {
    const struct store_options *options = &rewind->store->options;
    bool dry = rewind->dry_run;
    (void)fprintf(out, "%s: %s to batch %" PRId64 ". ", options->query,
                  dry ? "would rewind" : "rewound", rewind->to_batch);
    if (dry && rewind->newest == rewind->to_batch + 1)
        (void)fprintf(out, "Batch %" PRId64 " would be undone. ", rewind->newest);
    else if (dry && rewind->newest > rewind->to_batch)
        (void)fprintf(out, "Batches %" PRId64 " to %" PRId64 " would be undone. ",
                      rewind->to_batch + 1, rewind->newest);
    (void)fprintf(out,
                  "%s and %s %s moved to '%s/_rewound' "
                  "and '%s/_rewound'. The next batch %s %" PRId64 " and read%s topic %s from",
                  text_count(rewind->table_files, "table file").text,
                  text_count(rewind->reject_files, "rejects file").text, dry ? "would be" : "were",
                  options->table, options->rejects, dry ? "would be" : "is", rewind->to_batch + 1,
                  dry ? "" : "s", options->topic);
    for (size_t i = 0; i < rewind->ends.count; i++)
        (void)fprintf(out, "%s partition %d offset %" PRId64, i == 0 ? "" : ",",
                      rewind->ends.entries[i].partition, rewind->ends.entries[i].offset);
    (void)fprintf(out, ".\n");
}

/* From here on `rewind` is in the checkpoint. */
static bool execute(struct rewind *rewind, FILE *out, struct error *err) {
    const struct checkpoint *checkpoint = &rewind->store->checkpoint;
    struct execution execution = {.rewind = rewind};
    bool found;
    if (!each_line(&execution, read_header, &found, err) && err->kind != ERROR_STOPPED)
        return false;
    if (!checkpoint_write_commit(checkpoint, rewind->to_batch, err) ||
        !set_log_aside(rewind, &checkpoint->offsets, err) || !shorten_log(&execution, err) ||
        !set_files_aside(&execution, err) || !set_log_aside(rewind, &checkpoint->manifests, err) ||
        !remove_commits(rewind, err) || !finish(rewind, err))
        return error_wrap(err, "the rewind to batch %" PRId64 " is not finished; run it again",
                          rewind->to_batch);
    rewind->table_files = execution.table_files;
    rewind->reject_files = execution.reject_files;
    report(rewind, out);
    return true;
}

/* ---- whether it can be done ---- */

/* Spark starts from the plan of the newest commit, and needs the one before it. */
static bool read_ends(struct rewind *rewind, struct error *err) {
    const struct checkpoint *checkpoint = &rewind->store->checkpoint;
    struct offset_entry entry;
    bool found = false, before = true;
    if (rewind->to_batch > 0) {
        int there = file_exists(
            file_join_number(checkpoint->offsets.text, rewind->to_batch - 1).text, NULL, err);
        before = there == 1;
        if (there < 0)
            return false;
    }
    if (before && !checkpoint_read_offsets(checkpoint, rewind->to_batch, &entry, &found, err))
        return false;
    if (!found)
        return error_set(err, ERROR_CONFIG,
                         "the plans of batches %" PRId64 " and %" PRId64 " are no longer in '%s', "
                         "which keeps the newest %d: choose a newer batch",
                         rewind->to_batch - 1, rewind->to_batch, checkpoint->offsets.text,
                         CHECKPOINT_BATCHES_KEPT + 1);
    rewind->ends = entry.ends;
    entry.ends = (struct offsets){0};
    bool former = entry.timestamp_ms < rewind->since_ms;
    offset_entry_deinit(&entry);
    return !former ||
           error_set(err, ERROR_CONFIG,
                     "after batch %" PRId64
                     " the topic '%s' was created again, or its log was truncated: "
                     "the records that would be read again are no longer in Kafka; choose a newer "
                     "batch",
                     rewind->to_batch, rewind->store->options.topic);
}

/* Of what is committed. */
static int64_t since_ms(const struct recovery *recovery, int64_t newest) {
    int64_t since = recovery->incarnation.since_ms;
    for (size_t i = 0; i < recovery->begun.count; i++)
        if (recovery->begun.begins[i].batch_id <= newest)
            since = recovery->begun.begins[i].since_ms;
    return since;
}

static bool begin(struct rewind *rewind, FILE *out, bool *needed, struct error *err) {
    struct recovery recovery;
    bool settled;
    if (!operation_recover(rewind->store, rewind->dry_run, &recovery, &settled, out, err))
        return false;
    bool open = recovery.has_open_plan;
    rewind->newest = recovery.next_batch - 1;
    rewind->since_ms = since_ms(&recovery, rewind->newest);
    recovery_deinit(&recovery);
    *needed = settled;
    if (!settled)
        return true;
    if (rewind->newest < 0)
        return error_set(err, ERROR_CONFIG, "no batch is committed yet, so there is none to keep");
    if (rewind->to_batch > rewind->newest)
        return error_set(err, ERROR_CONFIG,
                         "batch %" PRId64
                         " is not committed; the newest committed batch is %" PRId64
                         ": choose an older one",
                         rewind->to_batch, rewind->newest);
    *needed = open || rewind->to_batch < rewind->newest;
    if (*needed)
        return read_ends(rewind, err) && rewind_decide(rewind, err);
    (void)fprintf(out, "%s: batch %" PRId64 " is already the newest: nothing to do.\n",
                  rewind->store->options.query, rewind->to_batch);
    return true;
}

/* Counts what the decision of a rewind that was killed names. Files that were moved by then count,
 * too. */
static bool count_line(void *context, struct json *line, struct error *err) {
    struct execution *execution = context;
    const char *of = json_member_text(line, "aside");
    (void)err;
    execution->rewind->table_files += of != NULL && strcmp(of, "table") == 0;
    execution->rewind->reject_files += of != NULL && strcmp(of, "rejects") == 0;
    return true;
}

static bool preview_unfinished(struct rewind *rewind, FILE *out, struct error *err) {
    struct execution execution = {.rewind = rewind};
    bool found;
    if (!each_line(&execution, read_header, &found, err) && err->kind != ERROR_STOPPED)
        return false;
    if (!each_line(&execution, count_line, &found, err))
        return false;
    (void)fprintf(out, "%s: a rewind to batch %" PRId64 " has begun and would be finished.\n",
                  rewind->store->options.query, rewind->to_batch);
    report(rewind, out);
    return true;
}

static bool rewind_store(struct rewind *rewind, FILE *out, struct error *err) {
    const struct store *store = rewind->store;
    struct file_path intent = file_join(store->options.checkpoint, CHECKPOINT_REWIND);
    int there = file_exists(intent.text, NULL, err);
    bool needed = there == 1;
    if (there < 0 || (there == 0 && !begin(rewind, out, &needed, err)) ||
        (there == 1 && !read_ends(rewind, err)))
        return false;
    if (needed && !rewind->dry_run)
        return execute(rewind, out, err);
    if (needed && there == 1)
        return preview_unfinished(rewind, out, err);
    if (needed)
        report(rewind, out);
    return true;
}

bool operation_rewind(const struct store_options *options, int64_t to_batch, bool dry_run,
                      struct offsets *next, FILE *out, struct error *err) {
    struct rewind rewind = {.to_batch = to_batch, .dry_run = dry_run, .err = err};
    *next = (struct offsets){0};
    if (!operation_open(options, dry_run, out, &rewind.store, err))
        return false;
    bool ok = rewind_store(&rewind, out, err);
    *next = rewind.ends;
    path_set_deinit(&rewind.kept);
    path_set_deinit(&rewind.newer);
    store_close(rewind.store);
    return ok;
}
