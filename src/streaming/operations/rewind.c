/* rewind.c: takes back the batches after one, so that they are read from Kafka again.
 *
 * What is to be done is decided first and made durable as one file, `rewind` in the checkpoint:
 *
 *     v1
 *     {"path":"","toBatch":15,"newest":25,"interval":10,"checked":true}
 *                                  no "interval": the log is only shortened; "beforeMs": for a
 * time; "plan", "planBefore": the plans of the batch and of the one before it, if they are not
 * there any more
 *     {"path":"status=live/part-….parquet","aside":"table"}     and "rejects"
 *     {"path":"file:///lake/…","size":…}             with "interval": the lines that stay listed
 *     {"path":"","crc32":"89abcdef"}                 if "checked": of all lines before it
 *
 * From then on recovery refuses to start, and each step may be repeated:
 *
 *     plans written       those in the intent
 *     plans set aside     commits are ahead of plans now: Spark does not start either
 *     sink log shortened  readers through it never meet a file that is gone
 *     files set aside     <table>/_rewound, <rejects>/_rewound
 *     coverage cut        if later batches are folded: what history/ knows of them is taken out
 *     manifests set aside
 *     history cut
 *     commits removed     the newest last, so that Spark is kept out until here
 *     `rewind` removed */
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/text.h"
#include "streaming/operations/operations.h"
#include "streaming/operations/rewind_cut.h"
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
    char *plan, *before;      // owned; of plans that were deleted; NULL: they were not
    bool sync;                // the second walk, which syncs the directories of the first
    char *synced[SYNCED_MAX]; // owned; directories that were synced, by hash
    struct sink_log_writer holder;
    int64_t table_files, reject_files;
};

static bool is_asked_for(const struct rewind *rewind, int64_t to_batch, int64_t before_ms) {
    const struct rewind_request *request = rewind->request;
    return request->by_time ? before_ms == request->before_ms : to_batch == request->to_batch;
}

static char *copy_member(const struct json *line, const char *name) {
    const char *text = json_member_text(line, name);
    return text == NULL ? NULL : text_copy(text);
}

static bool read_header(void *context, struct json *line, struct error *err) {
    struct execution *execution = context;
    int64_t to_batch, before_ms = 0;
    if (json_member_text(line, "path")[0] != '\0' || !json_member_int(line, "toBatch", &to_batch))
        return error_set(err, ERROR_STATE,
                         "the file `rewind` in the checkpoint does not begin with a batch");
    (void)json_member_ms(line, "beforeMs", &before_ms);
    if (!is_asked_for(execution->rewind, to_batch, before_ms))
        return error_set(err, ERROR_STATE,
                         "a rewind to batch %" PRId64 " is not finished: run it again with "
                         "--to-batch %" PRId64,
                         to_batch, to_batch);
    execution->rewind->to_batch = to_batch;
    int64_t incarnation = 0;
    (void)json_member_int(line, "newest", &execution->rewind->newest);
    (void)json_member_int(line, "incarnation", &incarnation);
    execution->rewind->incarnation = (int32_t)incarnation;
    if (!json_member_int(line, "interval", &execution->interval))
        execution->interval = 0;
    execution->plan = copy_member(line, "plan");
    execution->before = copy_member(line, "planBefore");
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

/* Up to the batch, such a log does not say which batch a file is of, as one that was adopted. */
static bool sign(struct store *store, int64_t batch, struct error *err) {
    store->table.owner_adopted_at = batch;
    return table_sign(&store->table, store->checkpoint.query_id, store->options.checkpoint, true,
                      err);
}

/* The newest first: what is left is always a log that Spark can read. */
static bool shorten_log(struct execution *execution, struct error *err) {
    struct store *store = execution->rewind->store;
    int64_t to_batch = execution->rewind->to_batch;
    if (!sink_log_open(&store->sink_log, store->options.table, err))
        return false;
    if (!store->sink_log.exists)
        return true;
    if (execution->interval > 0 && (!sign(store, to_batch, err) || !rebuild_log(execution, err)))
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

static bool write_plan(const struct rewind *rewind, int64_t batch, const char *text,
                       struct error *err) {
    char name[32];
    (void)snprintf(name, sizeof name, "%" PRId64, batch);
    return text == NULL ||
           file_replace(rewind->store->checkpoint.offsets.text, name, text, strlen(text), err);
}

/* The one before it first: Spark looks for it from the newest. */
static bool write_plans(const struct execution *execution, struct error *err) {
    const struct rewind *rewind = execution->rewind;
    return write_plan(rewind, rewind->to_batch - 1, execution->before, err) &&
           write_plan(rewind, rewind->to_batch, execution->plan, err);
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
    for (size_t i = 0; i < rewind->target.ends.count; i++)
        (void)fprintf(out, "%s partition %d offset %" PRId64, i == 0 ? "" : ",",
                      rewind->target.ends.entries[i].partition,
                      rewind->target.ends.entries[i].offset);
    (void)fprintf(out, ".\n");
}

/* Where the next batch reads from. */
static bool read_next(const struct execution *execution, struct error *err) {
    struct rewind *rewind = execution->rewind;
    struct offset_entry entry = {0};
    bool ok = execution->plan == NULL
                  ? checkpoint_read_ends(&rewind->store->checkpoint, rewind->to_batch, &entry, err)
                  : offset_log_parse(execution->plan, strlen(execution->plan), &entry, err);
    if (!ok)
        return false;
    offsets_deinit(&rewind->target.ends);
    rewind->target.timestamp_ms = entry.timestamp_ms;
    rewind->target.ends = entry.ends;
    entry.ends = (struct offsets){0};
    offset_entry_deinit(&entry);
    return true;
}

static bool run_steps(struct execution *execution, struct error *err) {
    struct rewind *rewind = execution->rewind;
    const struct checkpoint *checkpoint = &rewind->store->checkpoint;
    return checkpoint_write_commit(checkpoint, rewind->to_batch, err) &&
           write_plans(execution, err) && set_log_aside(rewind, &checkpoint->offsets, err) &&
           shorten_log(execution, err) && set_files_aside(execution, err) &&
           rewind_cut(rewind, err) && set_log_aside(rewind, &checkpoint->manifests, err) &&
           history_cut(rewind->store, rewind->to_batch, err) && remove_commits(rewind, err) &&
           finish(rewind, err);
}

/* Damaged lines would move the wrong files. */
struct intent_check {
    uint32_t checksum; // of what was visited
    bool promised, right;
};

static bool check_line(void *context, const char *line, size_t size, const char *uri,
                       struct error *err) {
    static const char promise[] = "\"checked\":true";
    struct intent_check *check = context;
    char last[REWIND_LAST_LINE_MAX];
    (void)err;
    rewind_last_line(check->checksum, last);
    check->right = size == strlen(last) && memcmp(line, last, size) == 0;
    if (uri[0] == '\0' && memmem(line, size, promise, sizeof promise - 1) != NULL)
        check->promised = true;
    check->checksum = checksum_add(check->checksum, "\n", 1);
    check->checksum = checksum_add(check->checksum, line, size);
    return true;
}

static bool check_intent(const struct execution *execution, struct error *err) {
    struct intent_check check = {.checksum = checksum_add(0, "v1", SINK_LOG_HEADER_SIZE)};
    bool found;
    struct file_path path =
        file_join(execution->rewind->store->options.checkpoint, CHECKPOINT_REWIND);
    if (!sink_log_file_lines(path.text, check_line, &check, &found, err))
        return false;
    return check.right || !check.promised ||
           error_set(err, ERROR_STATE,
                     "'%s' was damaged, or changed by hand: restore it from a backup, then run the "
                     "rewind again",
                     path.text);
}

/* From here on `rewind` is in the checkpoint. */
static bool read_intent(struct execution *execution, struct error *err) {
    bool found;
    return check_intent(execution, err) &&
           (each_line(execution, read_header, &found, err) || err->kind == ERROR_STOPPED) &&
           read_next(execution, err);
}

static bool execute(struct execution *execution, FILE *out, struct error *err) {
    struct rewind *rewind = execution->rewind;
    if (!run_steps(execution, err))
        return error_wrap(err, "the rewind to batch %" PRId64 " is not finished; run it again",
                          rewind->to_batch);
    rewind->table_files = execution->table_files;
    rewind->reject_files = execution->reject_files;
    report(rewind, out);
    return true;
}

/* ---- whether it can be done ---- */

/* Of what is committed. */
static void take_incarnation(struct rewind *rewind, const struct recovery *recovery) {
    rewind->since_ms = recovery->incarnation.since_ms;
    rewind->incarnation = recovery->incarnation.number;
    for (size_t i = 0; i < recovery->begun.count; i++)
        if (recovery->begun.begins[i].batch_id <= rewind->newest) {
            rewind->since_ms = recovery->begun.begins[i].since_ms;
            rewind->incarnation++;
        }
}

static bool choose_batch(struct rewind *rewind, FILE *out, struct error *err) {
    const struct rewind_request *request = rewind->request;
    rewind->to_batch = request->to_batch;
    if (rewind->newest < 0)
        return error_set(err, ERROR_CONFIG, "no batch is committed yet, so there is none to keep");
    if (request->by_time)
        return rewind_target_before(rewind->store, &rewind->history, rewind->newest,
                                    request->before_ms, &rewind->to_batch, out, err);
    return rewind->to_batch <= rewind->newest ||
           error_set(err, ERROR_CONFIG,
                     "batch %" PRId64 " is not committed; the newest committed batch is %" PRId64
                     ": choose an older one",
                     rewind->to_batch, rewind->newest);
}

/* Whether its records can be read again. */
static bool check_target(struct rewind *rewind, struct error *err) {
    const struct store *store = rewind->store;
    if (rewind->target.timestamp_ms < rewind->since_ms)
        return error_set(err, ERROR_CONFIG,
                         "after batch %" PRId64
                         " the topic '%s' was created again, or its log was truncated: "
                         "the records that would be read again are no longer in Kafka; choose a "
                         "newer batch",
                         rewind->to_batch, store->options.topic);
    if (rewind->request->broker == NULL)
        return true;
    struct offset_entry now = {0};
    bool ok = checkpoint_read_ends(&store->checkpoint, rewind->newest, &now, err) &&
              rewind_target_check(&rewind->target, &rewind->history, &now.ends,
                                  rewind->request->broker, store->options.topic, err);
    offset_entry_deinit(&now);
    return ok;
}

static bool begin(struct rewind *rewind, FILE *out, bool *needed, struct error *err) {
    struct recovery recovery;
    if (!operation_recover(rewind->store, rewind->dry_run, &recovery, needed, out, err))
        return false;
    bool open = recovery.has_open_plan;
    rewind->newest = recovery.next_batch - 1;
    take_incarnation(rewind, &recovery);
    recovery_deinit(&recovery);
    if (!*needed)
        return true;
    if (!history_read(rewind->store, &rewind->history, err) || !choose_batch(rewind, out, err))
        return false;
    *needed = open || rewind->to_batch < rewind->newest;
    if (*needed)
        return rewind_target_read(rewind->store, &rewind->history, rewind->to_batch,
                                  &rewind->target, err) &&
               check_target(rewind, err) && rewind_decide(rewind, err);
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

static bool preview_unfinished(struct execution *execution, FILE *out, struct error *err) {
    struct rewind *rewind = execution->rewind;
    bool found;
    if (!each_line(execution, count_line, &found, err))
        return false;
    (void)fprintf(out, "%s: a rewind to batch %" PRId64 " has begun and would be finished.\n",
                  rewind->store->options.query, rewind->to_batch);
    report(rewind, out);
    return true;
}

static bool finish_intent(struct rewind *rewind, FILE *out, struct error *err) {
    struct execution execution = {.rewind = rewind};
    bool ok =
        read_intent(&execution, err) && (rewind->dry_run ? preview_unfinished(&execution, out, err)
                                                         : execute(&execution, out, err));
    free(execution.plan);
    free(execution.before);
    return ok;
}

static bool rewind_store(struct rewind *rewind, FILE *out, struct error *err) {
    const struct store *store = rewind->store;
    struct file_path intent = file_join(store->options.checkpoint, CHECKPOINT_REWIND);
    int there = file_exists(intent.text, NULL, err);
    bool needed = true;
    if (there < 0 || !checkpoint_newest(&store->checkpoint.coverage, &rewind->folded, err))
        return false;
    if (there == 0 && !begin(rewind, out, &needed, err))
        return false;
    if (there == 1 || (needed && !rewind->dry_run))
        return finish_intent(rewind, out, err);
    if (needed)
        report(rewind, out);
    return true;
}

bool operation_rewind(const struct store_options *options, const struct rewind_request *request,
                      bool dry_run, struct offsets *next, FILE *out, struct error *err) {
    struct rewind rewind = {.request = request, .dry_run = dry_run, .err = err};
    *next = (struct offsets){0};
    if (!operation_open(options, dry_run, out, &rewind.store, err))
        return false;
    bool ok = rewind_store(&rewind, out, err);
    *next = rewind.target.ends;
    rewind.target.ends = (struct offsets){0};
    rewind_target_deinit(&rewind.target);
    history_deinit(&rewind.history);
    path_set_deinit(&rewind.kept);
    path_set_deinit(&rewind.newer);
    path_list_deinit(&rewind.mixed_table);
    path_list_deinit(&rewind.mixed_rejects);
    store_close(rewind.store);
    return ok;
}
