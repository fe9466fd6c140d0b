/* rewind.c: takes the batches after one back, so that they are done again from Kafka.
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
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/disk.h"
#include "base/scope.h"
#include "streaming/commit.h"
#include "streaming/data_offsets.h"
#include "streaming/operations.h"
#include "streaming/path_set.h"
#include "streaming/set_aside.h"
#include "streaming/sink_log_entries.h"
#include "streaming/store_parts.h"

static const char table_word[] = "table", rejects_word[] = "rejects";

struct rewind {
    struct store *store;
    int64_t to_batch;
    int64_t newest;      // committed batch before the rewind
    struct offsets ends; // owned; of to_batch
    struct log_draft intent;
    struct path_set kept; // what the log lists as of to_batch
    bool failed;          // *err says why
    struct error *err;
};

/* ---- deciding ---- */

static bool add_aside(struct rewind *rewind, const char *path, const char *of, struct error *err) {
    struct json *line = json_new_object();
    json_put_text(line, "path", path);
    json_put_text(line, "aside", of);
    scoped(scope_free) char *text = json_print(line);
    json_free(line);
    return log_draft_add(&rewind->intent, text, err);
}

static bool add_files(struct rewind *rewind, const struct file_list *files, const char *of,
                      struct error *err) {
    for (size_t i = 0; i < files->count; i++)
        if (!add_aside(rewind, files->files[i].path, of, err))
            return false;
    return true;
}

static bool has_manifest(const struct rewind *rewind, int64_t batch_id, bool *has,
                         struct error *err) {
    struct file_path path = file_join_number(rewind->store->checkpoint.manifests.text, batch_id);
    int there = file_exists(path.text, NULL, err);
    *has = there == 1;
    return there >= 0;
}

/* The rejects of our batches, and `with_files` the table's files as well. */
static bool add_manifests(struct rewind *rewind, bool with_files, struct error *err) {
    for (int64_t batch = rewind->to_batch + 1; batch <= rewind->newest; batch++) {
        struct manifest manifest;
        bool has;
        if (!has_manifest(rewind, batch, &has, err))
            return false;
        if (!has)
            continue;
        if (!commit_read(rewind->store, batch, &manifest, err))
            return false;
        bool ok = add_files(rewind, &manifest.rejects, rejects_word, err) &&
                  (!with_files || add_files(rewind, &manifest.files, table_word, err));
        manifest_deinit(&manifest);
        if (!ok)
            return false;
    }
    return true;
}

static bool manifests_complete(const struct rewind *rewind, bool *complete, struct error *err) {
    *complete = true;
    for (int64_t batch = rewind->to_batch + 1; *complete && batch <= rewind->newest; batch++)
        if (!has_manifest(rewind, batch, complete, err))
            return false;
    return true;
}

static bool read_entry(const struct rewind *rewind, struct json *line, struct sink_entry *entry,
                       struct error *err) {
    const struct store_options *options = &rewind->store->options;
    return sink_entry_read(entry, line, options->table, options->partition_by_count, err);
}

static bool keep_entry(void *context, struct json *line, struct error *err) {
    struct rewind *rewind = context;
    struct sink_entry entry;
    if (!read_entry(rewind, line, &entry, err))
        return false;
    path_set_add(&rewind->kept, entry.relative);
    sink_entry_deinit(&entry);
    return true;
}

static bool add_if_newer(void *context, struct json *line, struct error *err) {
    struct rewind *rewind = context;
    struct sink_entry entry;
    if (!read_entry(rewind, line, &entry, err))
        return false;
    bool ok = path_set_has(&rewind->kept, entry.relative) ||
              add_aside(rewind, entry.relative, table_word, err);
    sink_entry_deinit(&entry);
    return ok;
}

/* The log as it was with `to_batch` against all that came later, compact files included. */
static bool decide_by_log(struct rewind *rewind, const struct sink_log *then, struct error *err) {
    const struct sink_log *log = &rewind->store->sink_log;
    if (!sink_log_each_entry(then, keep_entry, rewind, err))
        return false;
    (void)path_set_seal(&rewind->kept);
    for (int64_t batch = rewind->to_batch + 1; batch <= log->newest; batch++) {
        struct file_path path;
        bool found;
        if (!sink_log_file_of(log, batch, &path, err) ||
            (path.text[0] != '\0' &&
             !sink_log_file_entries(path.text, add_if_newer, rewind, &found, err)))
            return false;
    }
    return true;
}

/* On which side of the plan's ends the rows of a file lie. */
struct sides {
    const struct offsets *ends;
    bool before, beyond;
};

static bool visit_row(void *context, int32_t partition, int64_t offset) {
    struct sides *sides = context;
    const struct partition_offset *end = offsets_find(sides->ends, partition);
    if (end != NULL && offset < end->offset)
        sides->before = true;
    else
        sides->beyond = true;
    return !(sides->before && sides->beyond);
}

static bool look_into(const struct rewind *rewind, const char *relative, bool *beyond,
                      struct error *err) {
    struct file_path path = file_join(rewind->store->options.table, relative);
    struct sides sides = {.ends = &rewind->ends};
    enum data_offsets outcome;
    if (!data_offsets_each(path.text, visit_row, &sides, &outcome, err))
        return false;
    *beyond = sides.beyond;
    if (outcome == DATA_OFFSETS_READ)
        return true;
    return error_set(err, ERROR_STATE,
                     "which batch '%s' is of can't be told: %s. Rewind to a batch after the table "
                     "was adopted, or move the file out of the table and its line out of the log",
                     path.text,
                     outcome == DATA_OFFSETS_ENDED ? "it has rows from both sides of the batch"
                                                   : "its columns partition and offset can't be "
                                                     "read");
}

static bool sort_entry(void *context, struct json *line, struct error *err) {
    struct rewind *rewind = context;
    struct sink_entry entry;
    bool beyond;
    if (!read_entry(rewind, line, &entry, err))
        return false;
    bool ok = look_into(rewind, entry.relative, &beyond, err);
    if (ok && beyond) {
        ok = add_aside(rewind, entry.relative, table_word, err);
    } else if (ok) {
        scoped(scope_free) char *text = json_print(line);
        ok = log_draft_add(&rewind->intent, text, err);
    }
    sink_entry_deinit(&entry);
    return ok;
}

static bool sort_file(void *context, const char *path) {
    struct rewind *rewind = context;
    bool beyond;
    rewind->failed = !look_into(rewind, path, &beyond, rewind->err) ||
                     (beyond && !add_aside(rewind, path, table_word, rewind->err));
    return !rewind->failed;
}

/* A compact interval with which the log can hold all in one file and still be read by Spark's rule;
 * 0: none. */
static bool find_interval(const struct rewind *rewind, int64_t *interval, struct error *err) {
    const struct sink_log *log = &rewind->store->sink_log;
    scoped(scope_free) int64_t *compact = NULL;
    size_t count, kept = 0;
    if (!file_list_numbers(log->directory.text, ".compact", &compact, &count, err))
        return false;
    while (kept < count && compact[kept] <= rewind->to_batch)
        kept++;
    const int64_t candidates[] = {log->interval, SINK_LOG_INTERVAL};
    scoped(scope_free) int64_t *then = must_alloc(kept + 1, sizeof *then);
    for (size_t i = 0; i < 2; i++) {
        struct log_layout layout = log_layout_of(rewind->to_batch, candidates[i]);
        size_t then_count = kept;
        if (kept > 0)
            memcpy(then, compact, kept * sizeof *then);
        if (layout.compact && (kept == 0 || then[kept - 1] < layout.holder))
            then[then_count++] = layout.holder;
        struct log_layout read =
            log_layout_of(rewind->to_batch, sink_log_interval(then, then_count));
        *interval = candidates[i];
        if (read.holder == layout.holder && read.compact == layout.compact)
            return true;
    }
    return error_set(err, ERROR_STATE,
                     "the compact files of '%s' do not follow Spark's rule, so that the log can't "
                     "be shortened to batch %" PRId64 ": rewind to a newer batch",
                     log->directory.text, rewind->to_batch);
}

enum decision { BY_LOG, BY_MANIFESTS, BY_ROWS };

/* An adopted log does not say which batch a file is of, up to the batch it was adopted at; a log of
 * Spark's with a short retention may have lost what it was. */
static bool choose(struct rewind *rewind, struct sink_log *then, enum decision *decision,
                   struct error *err) {
    struct store *store = rewind->store;
    bool complete = false;
    *decision = BY_ROWS;
    if (store->sink_log.exists) {
        if (!sink_log_at(&store->sink_log, rewind->to_batch, then, &complete, err))
            return false;
        if (complete && rewind->to_batch >= store->table.owner_adopted_at)
            *decision = BY_LOG;
        return true;
    }
    if (!manifests_complete(rewind, &complete, err))
        return false;
    *decision = complete ? BY_MANIFESTS : BY_ROWS;
    return true;
}

static bool decide_by_rows(struct rewind *rewind, struct error *err) {
    struct store *store = rewind->store;
    if (store->sink_log.exists)
        return sink_log_each_entry(&store->sink_log, sort_entry, rewind, err);
    return table_each_file(&store->table, store->options.partition_by_count, sort_file, rewind,
                           err) &&
           !rewind->failed;
}

static bool write_decision(struct rewind *rewind, enum decision decision,
                           const struct sink_log *then, struct error *err) {
    struct json *header = json_new_object();
    int64_t interval = 0;
    json_put_text(header, "path", "");
    json_put_int(header, "toBatch", rewind->to_batch);
    bool ok = true;
    if (decision == BY_ROWS && rewind->store->sink_log.exists) {
        ok = find_interval(rewind, &interval, err);
        json_put_int(header, "interval", interval);
    }
    scoped(scope_free) char *text = json_print(header);
    json_free(header);
    ok = ok && log_draft_add(&rewind->intent, text, err) &&
         add_manifests(rewind, decision == BY_MANIFESTS, err);
    if (ok && decision == BY_LOG)
        ok = decide_by_log(rewind, then, err);
    if (ok && decision == BY_ROWS)
        ok = decide_by_rows(rewind, err);
    return ok;
}

static bool decide(struct rewind *rewind, struct error *err) {
    struct sink_log then;
    enum decision decision;
    if (!choose(rewind, &then, &decision, err) ||
        !log_draft_open(&rewind->intent, rewind->store->options.checkpoint, CHECKPOINT_REWIND, err))
        return false;
    if (write_decision(rewind, decision, &then, err))
        return log_draft_replace(&rewind->intent, err);
    log_draft_discard(&rewind->intent);
    return false;
}

/* ---- doing ---- */

static const struct set_aside_place table_place = {"_rewound", ".rewound"};
static const struct set_aside_place log_place = {"", ".rewound"};

enum { SYNCED_MAX = 256 };

/* The decision, line by line. */
struct execution {
    struct rewind *rewind;
    int64_t interval;         // 0: the log is only shortened
    bool sync;                // the second walk, which syncs the directories of the first
    char *synced[SYNCED_MAX]; // owned; directories that were synced, by hash
    struct log_draft holder;
    int64_t table_files, reject_files;
};

static bool read_header(void *context, struct json *line, struct error *err) {
    struct execution *execution = context;
    int64_t to_batch;
    if (json_member_text(line, "path")[0] != '\0' || !json_member_int(line, "toBatch", &to_batch))
        return error_set(err, ERROR_STATE, "the file `rewind` does not begin with a batch");
    if (to_batch != execution->rewind->to_batch)
        return error_set(err, ERROR_STATE,
                         "a rewind to batch %" PRId64 " is not finished: run it again, with "
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
        if (!set_aside(log->text, name, &log_place, &moved, err))
            return false;
    }
    return file_sync_directory(log->text, err);
}

static bool hold_line(void *context, struct json *line, struct error *err) {
    struct execution *execution = context;
    if (json_member_text(line, "path")[0] == '\0' || json_member_text(line, "aside") != NULL)
        return true;
    scoped(scope_free) char *text = json_print(line);
    return log_draft_add(&execution->holder, text, err);
}

/* Everything that stays listed goes into one file of the log. */
static bool rebuild_log(struct execution *execution, struct error *err) {
    const char *directory = execution->rewind->store->sink_log.directory.text;
    struct log_layout layout = log_layout_of(execution->rewind->to_batch, execution->interval);
    bool found;
    if (!log_layout_write_empty(&layout, directory, err) ||
        !log_draft_open(&execution->holder, directory, layout.name, err))
        return false;
    if (!each_line(execution, hold_line, &found, err)) {
        log_draft_discard(&execution->holder);
        return false;
    }
    if (!log_draft_replace(&execution->holder, err))
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

/* Whether this directory was not synced lately; one of many is synced twice, which is no harm. */
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
    *slot = strdup(directory.text);
    check(*slot != NULL);
    return true;
}

static bool set_line_aside(void *context, struct json *line, struct error *err) {
    struct execution *execution = context;
    const struct store *store = execution->rewind->store;
    const char *of = json_member_text(line, "aside"), *path = json_member_text(line, "path");
    if (of == NULL || path[0] == '\0')
        return true;
    bool rejects = strcmp(of, rejects_word) == 0, moved;
    const char *root = rejects ? store->options.rejects : store->options.table;
    if (execution->sync)
        return !needs_sync(execution, root, path) || set_aside_sync(root, path, &table_place, err);
    if (!set_aside(root, path, &table_place, &moved, err))
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

static void report(const struct execution *execution, FILE *out) {
    const struct rewind *rewind = execution->rewind;
    const struct store_options *options = &rewind->store->options;
    (void)fprintf(out,
                  "%s: rewound to batch %" PRId64 ". %" PRId64 " files of the table and %" PRId64
                  " of rejects were set aside, in '%s/_rewound' and '%s/_rewound'. Batch %" PRId64
                  " is next; it reads %s from",
                  options->query, rewind->to_batch, execution->table_files, execution->reject_files,
                  options->table, options->rejects, rewind->to_batch + 1, options->topic);
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
        return error_wrap(err, "the rewind to batch %" PRId64 " is not finished, run it again",
                          rewind->to_batch);
    report(&execution, out);
    return true;
}

/* ---- whether it can be done ---- */

/* Spark starts from the plan of the newest commit, and wants the one before it to be there. */
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
                         "the plans of batches %" PRId64 " and %" PRId64 " are not in '%s' any "
                         "more, which keeps the newest %d: choose a newer batch",
                         rewind->to_batch - 1, rewind->to_batch, checkpoint->offsets.text,
                         CHECKPOINT_BATCHES_KEPT + 1);
    rewind->ends = entry.ends;
    entry.ends = (struct offsets){0};
    offset_entry_deinit(&entry);
    return true;
}

static bool begin(struct rewind *rewind, FILE *out, bool *needed, struct error *err) {
    struct recovery recovery;
    if (!operation_recover(rewind->store, &recovery, out, err))
        return false;
    bool open = recovery.has_open_plan;
    rewind->newest = recovery.next_batch - 1;
    recovery_deinit(&recovery);
    if (rewind->to_batch > rewind->newest)
        return error_set(err, ERROR_CONFIG,
                         "batch %" PRId64 " is not committed, the newest that is is %" PRId64
                         ": choose an older batch",
                         rewind->to_batch, rewind->newest);
    *needed = open || rewind->to_batch < rewind->newest;
    if (*needed)
        return read_ends(rewind, err) && decide(rewind, err);
    (void)fprintf(out, "%s: batch %" PRId64 " is the newest: nothing to do.\n",
                  rewind->store->options.query, rewind->to_batch);
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
    return !needed || execute(rewind, out, err);
}

bool operation_rewind(const struct store_options *options, int64_t to_batch, FILE *out,
                      struct error *err) {
    struct rewind rewind = {.to_batch = to_batch, .err = err};
    if (!operation_open(options, &rewind.store, err))
        return false;
    bool ok = rewind_store(&rewind, out, err);
    offsets_deinit(&rewind.ends);
    path_set_deinit(&rewind.kept);
    store_close(rewind.store);
    return ok;
}
