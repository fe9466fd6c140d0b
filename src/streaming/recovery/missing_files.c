/* How missing files are found.
 *
 * The sink log is opened first, so that the files of all its entries are in place by then. Each
 * directory of the table is listed, and the names are kept as hashes; then the log is streamed past
 * them. What is not among them is looked for once more by its own name before it counts, so that
 * nothing is reported by mistake. The names fall into as many shares as it takes to keep one of
 * them in memory, and each share is a pass of its own; almost every table has one.
 *
 * Without a sink log the files of the manifests are few and are looked for one by one. */
#include "streaming/recovery/missing_files.h"

#include <inttypes.h>
#include <string.h>

#include "base/scope.h"
#include "base/text.h"
#include "streaming/sink_log/sink_entry.h"
#include "streaming/sink_log/sink_log.h"
#include "streaming/store/store.h"
#include "streaming/table/path_list.h"

struct finder {
    const struct store *store;
    const struct missing_files_search *search;
    struct missing_files *missing;
    struct path_set there; // of one share
    size_t shares, share;
    bool is_full; // there are too many for it
    size_t used;  // of missing->names
};

static bool has_to_end(const struct finder *finder) {
    return atomic_load_explicit(finder->search->end, memory_order_relaxed) ||
           stop_read(finder->search->stop) != STOP_NOT;
}

static bool stopped(struct error *err) {
    return error_set(err, ERROR_STOPPED, "stopped while looking for missing files");
}

static void add_missing(struct finder *finder, const char *path) {
    struct missing_files *missing = finder->missing;
    if (missing->count++ < MISSING_FILES_NAMED)
        finder->used = text_append(missing->names, sizeof missing->names, finder->used, "%s%s",
                                   finder->used > 0 ? ", " : "", path);
}

/* A file that must be there, by its path in the table. */
static bool look_for(struct finder *finder, const char *path, struct error *err) {
    struct file_path full = file_join(finder->store->table.root.text, path);
    int there = file_exists(full.text, NULL, err);
    if (there == 0)
        add_missing(finder, path);
    return there >= 0;
}

/* ---- by the sink log ---- */

static bool note_there(void *context, const char *path) {
    struct finder *finder = context;
    if (path_set_share(path, finder->shares) != finder->share)
        return !has_to_end(finder);
    finder->is_full = finder->there.count == finder->search->names_max;
    if (!finder->is_full)
        path_set_add(&finder->there, path);
    return !finder->is_full && !has_to_end(finder);
}

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
    bool ok = !is_due || path_set_has(&finder->there, entry.relative) ||
              look_for(finder, entry.relative, err);
    sink_entry_deinit(&entry);
    return ok;
}

/* One share of the names. *is_full: it has to become smaller. */
static bool compare_share(struct finder *finder, const struct sink_log *log, struct error *err) {
    const struct store *store = finder->store;
    finder->there.count = 0;
    finder->is_full = false;
    if (!table_each_file(&store->table, store->options.partition_by_count, note_there, finder, err))
        return false;
    if (has_to_end(finder))
        return stopped(err);
    if (finder->is_full)
        return true;
    (void)path_set_seal(&finder->there);
    return sink_log_each_entry(log, check_entry, finder, err);
}

static bool compare_log(struct finder *finder, const struct sink_log *log, struct error *err) {
    bool ok = true;
    finder->missing->by_log = true;
    finder->shares = 1;
    while (ok && finder->share < finder->shares) {
        ok = compare_share(finder, log, err);
        if (finder->is_full) { // it is the first one, for the hashes spread evenly
            *finder->missing = (struct missing_files){.by_log = true};
            finder->used = finder->share = 0;
            finder->shares *= 2;
        } else {
            finder->share++;
        }
    }
    path_set_deinit(&finder->there);
    return ok;
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
        finder->missing->expected++;
        ok =
            has_to_end(finder) ? stopped(err) : look_for(finder, manifest.files.files[i].path, err);
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

/* ---- both ---- */

bool missing_files_find(const struct missing_files_search *search, struct missing_files *missing,
                        struct error *err) {
    struct store *store = NULL;
    *missing = (struct missing_files){0};
    if (!store_open_to_read(search->options, &store, err))
        return false;
    struct finder finder = {.store = store, .search = search, .missing = missing};
    bool ok = sink_log_open(&store->sink_log, store->options.table, err) &&
              (store->sink_log.exists ? compare_log(&finder, &store->sink_log, err)
                                      : check_manifests(&finder, err));
    store_close(store);
    return ok;
}

void missing_files_describe(const struct missing_files *missing, const char *table,
                            struct error *text) {
    const char *consequence =
        missing->by_log ? "Spark cannot read the table" : "their rows are missing from the table";
    (void)error_set(
        text, ERROR_STATE,
        "%s that %s %s missing from table '%s': %s%s; %s. Restore %s from a backup; if files were "
        "merged by hand, move the merged file out of the table first. Without a backup, "
        "`esports-stream rewind` to a batch before them reads their records from Kafka again, "
        "as long as Kafka still has them",
        text_count(missing->count, "file").text,
        missing->by_log ? "the sink log lists" : "the checkpoint's manifests name",
        missing->count == 1 ? "is" : "are", table, missing->names,
        missing->count > MISSING_FILES_NAMED ? ", …" : "", consequence,
        missing->count == 1 ? "it" : "them");
}
