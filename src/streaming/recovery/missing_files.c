/* How missing and changed files are found.
 *
 * The sink log is opened first, so that the files of all its entries are in place by then. It is
 * streamed, and each file's size is read. A missing file counts only if no change of the table
 * (compaction, expiry) has moved it away meanwhile. The names of the log are kept as
 * hashes, and then each directory of the table is listed against them: a file that the log does not
 * list, that no batch is about to commit, and that has an offset of a committed batch is somebody
 * else's: merged from other files, copied, or restored without its log. The names fall into as many
 * shares as it takes to keep one of them in memory, and each share is a pass of its own; almost
 * every table has one.
 *
 * Without a sink log the files of the manifests, and those that compactions have put in their
 * place, are few and are looked for one by one. */
#include "streaming/recovery/missing_files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/text.h"
#include "streaming/changes/kept_files.h"
#include "streaming/sink_log/sink_entry.h"
#include "streaming/sink_log/sink_log.h"
#include "streaming/store/store.h"
#include "streaming/table/origin_reader.h"
#include "streaming/table/path_list.h"

enum { UNLISTED_READ_MAX = 100 }; // of these the offsets are read; of more, the first ones do

struct finder {
    const struct store *store;
    const struct missing_files_search *search;
    struct missing_files *missing;
    struct kept_files kept;
    struct path_set listed; // of one share
    size_t shares, share;
    bool is_full; // there are too many for it
    size_t used;  // of missing->names
    size_t named;
    struct path_list unlisted; // owned
    struct offsets ends;       // owned; of the committed batches
};

static bool has_to_end(const struct finder *finder) {
    return atomic_load_explicit(finder->search->end, memory_order_relaxed) ||
           stop_read(finder->search->stop) != STOP_NOT;
}

static bool stopped(struct error *err) {
    return error_set(err, ERROR_STOPPED, "stopped while looking for missing files");
}

static void add_name(struct finder *finder, const char *path, const char *what) {
    struct missing_files *missing = finder->missing;
    if (finder->named++ < MISSING_FILES_NAMED)
        finder->used = text_append(missing->names, sizeof missing->names, finder->used, "%s%s%s",
                                   finder->used > 0 ? ", " : "", path, what);
}

/* A file that must be there and is not: a change of the table may have carried it away. */
static bool judge_missing(struct finder *finder, const char *path, struct error *err) {
    struct file_path at;
    bool there;
    enum file_fate fate = FILE_STAYED;
    struct path_list ignored = {0};
    bool ok = kept_files_find(&finder->kept, false, path, &at, &there, err) &&
              (there || kept_files_fate(&finder->kept, false, path, &fate, &ignored, err));
    path_list_deinit(&ignored);
    if (ok && !there && fate == FILE_STAYED) {
        finder->missing->count++;
        add_name(finder, path, "");
    }
    return ok;
}

/* A file that must be there, by its path in the table, with its size. */
static bool look_for(struct finder *finder, const char *path, int64_t size, struct error *err) {
    struct file_path full = file_join(finder->store->table.root.text, path);
    int64_t found = -1;
    int there = file_exists(full.text, &found, err);
    if (there == 0)
        return judge_missing(finder, path, err);
    if (there == 1 && found != size) {
        finder->missing->resized++;
        add_name(finder, path, " (another size)");
    }
    return there == 1;
}

/* ---- by the sink log ---- */

static bool check_entry(void *context, struct json *line, struct error *err) {
    struct finder *finder = context;
    const struct store_options *options = &finder->store->options;
    struct sink_entry entry;
    if (has_to_end(finder))
        return stopped(err);
    if (!sink_entry_read(&entry, line, options->table, options->partition_by_count, err))
        return false;
    bool is_due = path_set_share(entry.relative, finder->shares) == finder->share;
    finder->missing->expected += is_due;
    finder->is_full = is_due && finder->listed.count == finder->search->names_max;
    if (is_due && !finder->is_full)
        path_set_add(&finder->listed, entry.relative);
    bool ok = !is_due || look_for(finder, entry.relative, entry.size, err);
    sink_entry_deinit(&entry);
    return ok && (!finder->is_full || stopped(err));
}

static bool note_unlisted(void *context, const char *path) {
    struct finder *finder = context;
    if (path_set_share(path, finder->shares) == finder->share &&
        !path_set_has(&finder->listed, path))
        path_list_add(&finder->unlisted, path);
    return !has_to_end(finder);
}

/* One share of the names. *is_full: it has to become smaller. */
static bool compare_share(struct finder *finder, const struct sink_log *log, struct error *err) {
    const struct store *store = finder->store;
    finder->listed.count = 0;
    finder->is_full = false;
    if (!sink_log_each_entry(log, check_entry, finder, err))
        return finder->is_full;
    (void)path_set_seal(&finder->listed);
    if (!table_each_file(&store->table, store->options.partition_by_count, note_unlisted, finder,
                         err))
        return false;
    return !has_to_end(finder) || stopped(err);
}

static bool compare_shares(struct finder *finder, const struct sink_log *log, struct error *err) {
    bool ok = true;
    finder->shares = 1;
    while (ok && finder->share < finder->shares) {
        ok = compare_share(finder, log, err);
        if (ok && finder->is_full) { // it is the first one, for the hashes spread evenly
            *finder->missing = (struct missing_files){.by_log = true};
            path_list_deinit(&finder->unlisted);
            finder->used = finder->named = finder->share = 0;
            finder->shares *= 2;
        } else {
            finder->share++;
        }
    }
    path_set_deinit(&finder->listed);
    return ok;
}

/* ---- what the log does not list ---- */

/* Files of batches that the log did not list when it was opened. */
static bool leave_out_pending(struct finder *finder, int64_t logged, struct error *err) {
    const struct file_path *directory = &finder->store->checkpoint.manifests;
    scoped(scope_free) int64_t *batches = NULL;
    size_t count;
    if (!file_list_numbers(directory->text, "", &batches, &count, err))
        return false;
    for (; count > 0 && batches[count - 1] > logged; count--) {
        struct manifest manifest;
        if (!store_read_manifest(finder->store, batches[count - 1], &manifest, err)) {
            if (!file_is_gone(file_join_number(directory->text, batches[count - 1]).text))
                return false;
            continue; // taken back, and its files before it
        }
        for (size_t i = 0; i < manifest.files.count; i++)
            path_list_remove(&finder->unlisted, manifest.files.files[i].path);
        manifest_deinit(&manifest);
    }
    return true;
}

/* Those that a change has carried in or out since the log was read. */
static bool leave_out_changed(struct finder *finder, struct error *err) {
    struct changes changes;
    if (!changes_read(finder->store, &changes, err))
        return false;
    size_t kept = 0;
    for (size_t i = 0; i < finder->unlisted.count; i++) {
        char *path = finder->unlisted.paths[i];
        bool known = changes_fate(&changes, false, path, NULL) != FILE_STAYED ||
                     changes_added(&changes, false, path) != NULL;
        if (known)
            free(path);
        else
            finder->unlisted.paths[kept++] = path;
    }
    finder->unlisted.count = kept;
    changes_deinit(&changes);
    return true;
}

/* Ends the look at a file at an offset that a committed batch took. */
static bool is_not_committed(void *context, int32_t partition, int64_t offset) {
    const struct partition_offset *end = offsets_find(context, partition);
    return end == NULL || offset >= end->offset;
}

static bool judge_unlisted(struct finder *finder, struct error *err) {
    struct missing_files *missing = finder->missing;
    for (size_t i = 0; i < finder->unlisted.count; i++) {
        const char *path = finder->unlisted.paths[i];
        struct file_path full = file_join(finder->store->table.root.text, path);
        enum origin_end end = ORIGIN_ENDED;
        if (has_to_end(finder))
            return stopped(err);
        if (i < UNLISTED_READ_MAX &&
            !origin_each_offset(full.text, is_not_committed, &finder->ends, &end, err) &&
            !file_is_gone(full.text))
            return false;
        if (end != ORIGIN_ENDED || (i >= UNLISTED_READ_MAX && missing->unlisted == 0))
            continue;
        missing->unlisted++;
        add_name(finder, path, " (not listed)");
    }
    return true;
}

static bool read_ends(struct finder *finder, struct error *err) {
    const struct checkpoint *checkpoint = &finder->store->checkpoint;
    struct offset_entry plan = {0};
    int64_t committed;
    bool found = false;
    if (!checkpoint_newest(&checkpoint->commits, &committed, err))
        return false;
    bool ok = committed < 0 || checkpoint_read_offsets(checkpoint, committed, &plan, &found, err);
    if (found)
        offsets_copy(&finder->ends, &plan.ends);
    offset_entry_deinit(&plan);
    return ok;
}

static bool compare_log(struct finder *finder, const struct sink_log *log, struct error *err) {
    finder->missing->by_log = true;
    if (!compare_shares(finder, log, err))
        return false;
    if (finder->unlisted.count == 0)
        return true;
    path_list_sort(&finder->unlisted);
    return leave_out_pending(finder, log->newest, err) && leave_out_changed(finder, err) &&
           read_ends(finder, err) && judge_unlisted(finder, err);
}

/* ---- by the manifests ---- */

/* One that is folded meanwhile counts no more. */
static bool check_manifest(struct finder *finder, int64_t batch_id, struct error *err) {
    struct manifest manifest;
    if (!store_read_manifest(finder->store, batch_id, &manifest, err))
        return file_is_gone(
            file_join_number(finder->store->checkpoint.manifests.text, batch_id).text);
    bool ok = true;
    for (size_t i = 0; ok && i < manifest.files.count; i++) {
        const struct data_file *file = &manifest.files.files[i];
        finder->missing->expected++;
        ok = has_to_end(finder) ? stopped(err) : look_for(finder, file->path, file->size, err);
    }
    manifest_deinit(&manifest);
    return ok;
}

/* A manifest is there before its files are: only those of batches that are committed. */
static bool check_manifests(struct finder *finder, struct error *err) {
    const struct checkpoint *checkpoint = &finder->store->checkpoint;
    scoped(scope_free) int64_t *batches = NULL;
    size_t count;
    int64_t committed;
    if (!checkpoint_newest(&checkpoint->commits, &committed, err) ||
        !file_list_numbers(checkpoint->manifests.text, "", &batches, &count, err))
        return false;
    for (size_t i = 0; i < count && batches[i] <= committed; i++)
        if (!check_manifest(finder, batches[i], err))
            return false;
    return true;
}

static bool check_change(struct finder *finder, const struct changes *changes,
                         const struct change *change, struct error *err) {
    for (size_t i = 0; !change->of_rejects && i < change->added.count; i++) {
        const struct data_file *file = &change->added.files[i];
        if (changes_added(changes, false, file->path) == NULL)
            continue;
        finder->missing->expected++;
        if (has_to_end(finder))
            return stopped(err);
        if (!look_for(finder, file->path, file->size, err))
            return false;
    }
    return true;
}

/* Files that came in by changes. */
static bool check_changes(struct finder *finder, struct error *err) {
    struct changes changes;
    if (!changes_read(finder->store, &changes, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < changes.count; i++)
        ok = check_change(finder, &changes, &changes.changes[i], err);
    changes_deinit(&changes);
    return ok;
}

/* ---- both ---- */

bool missing_files_find(const struct missing_files_search *search, struct missing_files *missing,
                        struct error *err) {
    struct store *store = NULL;
    *missing = (struct missing_files){0};
    if (!store_open_to_read(search->options, &store, err))
        return false;
    struct finder finder = {.store = store, .search = search, .missing = missing};
    kept_files_init(&finder.kept, store);
    bool ok =
        sink_log_open(&store->sink_log, store->options.table, err) &&
        store_check_root(store, err) &&
        (store->sink_log.exists ? compare_log(&finder, &store->sink_log, err)
                                : check_manifests(&finder, err) && check_changes(&finder, err));
    kept_files_deinit(&finder.kept);
    path_list_deinit(&finder.unlisted);
    offsets_deinit(&finder.ends);
    store_close(store);
    return ok;
}

bool missing_files_any(const struct missing_files *missing) {
    return missing->count + missing->resized + missing->unlisted > 0;
}

static void describe_changed(const struct missing_files *missing, const char *table,
                             struct error *text) {
    (void)error_set(
        text, ERROR_STATE,
        "%s of table '%s' %s changed by another program (with another size: %" PRId64
        ", not in the sink log: %" PRId64
        "): %s%s. Restore the files from a backup and move the others out of the table; or take "
        "the table as it is: `esports-stream adopt --accept --dry-run` shows what that loses",
        text_count(missing->resized + missing->unlisted, "file").text, table,
        missing->resized + missing->unlisted == 1 ? "was" : "were", missing->resized,
        missing->unlisted, missing->names,
        missing->resized + missing->unlisted > MISSING_FILES_NAMED ? ", …" : "");
}

void missing_files_describe(const struct missing_files *missing, const char *table,
                            struct error *text) {
    const char *consequence =
        missing->by_log ? "Spark cannot read the table" : "their rows are missing from the table";
    if (missing->count == 0) {
        describe_changed(missing, table, text);
        return;
    }
    int64_t changed = missing->resized + missing->unlisted;
    scoped(scope_free) char *others = changed == 0
                                          ? text_copy("")
                                          : text_format("; %" PRId64 " with another size, %" PRId64
                                                        " that the sink log does not list",
                                                        missing->resized, missing->unlisted);
    (void)error_set(
        text, ERROR_STATE,
        "%s that %s %s missing from table '%s': %s%s%s; %s. Restore %s from a backup; if files "
        "were merged by hand, move the merged file out of the table first. Without a backup, "
        "`esports-stream rewind` to a batch before them reads their records from Kafka again, "
        "as long as Kafka still has them, or `esports-stream adopt --accept` takes the table as it "
        "is",
        text_count(missing->count, "file").text,
        missing->by_log ? "the sink log lists" : "the checkpoint's manifests name",
        missing->count == 1 ? "is" : "are", table, missing->names,
        missing->count + changed > MISSING_FILES_NAMED ? ", …" : "", others, consequence,
        missing->count == 1 ? "it" : "them");
}
