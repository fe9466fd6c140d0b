/* files.c: the files of a verification, and what three lists say of them.
 *
 * With a sink log, its entries are the table's files, and what else lies in the directories is
 * unlisted; without one, all that lies there is. What a manifest of a batch beyond the horizon
 * names is left out: such a manifest is there before its files are, so none of them is missed.
 * Last, the manifests up to the horizon say which size and how many rows each of their files must
 * have. Unlisted files are judged by their own offsets. */
#include "streaming/verify/files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "streaming/store/store.h"
#include "streaming/verify/listing.h"

void verify_files_deinit(struct verify_files *files) {
    for (size_t i = 0; i < files->count; i++) {
        free(files->files[i].path);
        free(files->files[i].fault);
    }
    path_list_deinit(&files->unlisted);
    free(files->files);
    *files = (struct verify_files){0};
}

struct file_path verify_file_path(const struct store *store, const struct verify_file *file) {
    const struct table *table = file->reject ? &store->rejects : &store->table;
    return file_join(table->root.text, file->path);
}

int32_t verify_incarnation(const struct snapshot *snapshot, const struct verify_file *file,
                           const struct origin_rows *rows, size_t index) {
    if (rows->processed == NULL)
        return 0;
    const struct incarnations *all = &snapshot->outcomes.incarnations;
    int64_t processed_ms = rows->processed->int64s[index] / 1000;
    if (snapshot->later_ms > 0 && processed_ms >= snapshot->later_ms)
        return snapshot_newest(snapshot) + 1;
    return file->reject ? incarnations_of_reject(all, processed_ms)
                        : incarnations_of_row(all, processed_ms);
}

/* With what malloc() takes for itself. */
static void note_memory(struct verify_files *files, const char *path) {
    files->memory += strlen(path) + 32;
}

static struct verify_file *add_file(struct verify_files *files, const char *path, bool reject) {
    if (files->count == files->capacity) {
        files->capacity = files->capacity == 0 ? 256 : 2 * files->capacity;
        files->files = reallocarray(files->files, files->capacity, sizeof *files->files);
        check(files->files != NULL);
    }
    struct verify_file *file = &files->files[files->count++];
    *file = (struct verify_file){.path = text_copy(path), .reject = reject, .size = -1, .rows = -1};
    note_memory(files, path);
    files->memory += 2 * sizeof *file;
    return file;
}

static int by_path(const void *a, const void *b) {
    const struct verify_file *left = a, *right = b;
    return strcmp(left->path, right->path);
}

static void sort_files(struct verify_files *files, size_t first) {
    if (files->count - first > 1)
        qsort(files->files + first, files->count - first, sizeof *files->files, by_path);
}

static struct verify_file *find_file(const struct verify_files *files, const char *path,
                                     bool reject) {
    struct verify_file key = {.path = (char *)path};
    size_t first = reject ? files->table_count : 0;
    size_t count = reject ? files->count - files->table_count : files->table_count;
    return count == 0 ? NULL : bsearch(&key, files->files + first, count, sizeof key, by_path);
}

/* ---- lists ---- */

/* Where the names of listed files go. */
struct lister {
    struct verify_files *files;
    struct verify_report *report;
    const char *root; // of the table, when the sink log is read
    bool reject;
};

static void take_entry(void *context, const char *path, int64_t size) {
    struct lister *lister = context;
    size_t length = strlen(lister->root);
    if (strncmp(path, lister->root, length) != 0 || path[length] != '/') {
        verify_say(lister->report, VERIFY_FILE,
                   "the sink log lists '%s', which is not in '%s': if the table was moved, run "
                   "`esports-stream relocate`",
                   path, lister->root);
        return;
    }
    struct verify_file *file = add_file(lister->files, path + length + 1, false);
    file->counted = true;
    file->size = size;
}

static bool take_found(void *context, const char *path) {
    struct lister *lister = context;
    (void)add_file(lister->files, path, lister->reject);
    return true;
}

static bool take_unlisted(void *context, const char *path) {
    struct verify_files *files = ((struct lister *)context)->files;
    if (find_file(files, path, false) != NULL)
        return true;
    path_list_add(&files->unlisted, path);
    note_memory(files, path);
    return true;
}

static void find_listed_twice(const struct verify_files *files, struct verify_report *report) {
    for (size_t i = 1; i < files->table_count; i++)
        if (strcmp(files->files[i - 1].path, files->files[i].path) == 0)
            verify_say(report, VERIFY_FILE,
                       "'%s' is listed twice in the sink log: Spark reads it twice",
                       files->files[i].path);
}

static bool list_table(const struct store *store, const struct snapshot *snapshot,
                       struct lister *lister, struct error *err) {
    struct verify_files *files = lister->files;
    size_t depth = store->options.partition_by_count;
    const struct sink_log *log = &store->sink_log;
    if (!log->exists &&
        !table_check_partitions(&store->table, store->options.partition_by, depth, err))
        return false; // its files would not be found
    bool ok = log->exists ? listing_read(log, snapshot->horizon, take_entry, lister, err)
                          : table_each_file(&store->table, depth, take_found, lister, err);
    sort_files(files, 0);
    files->table_count = files->count;
    if (!ok || !log->exists)
        return ok;
    find_listed_twice(files, lister->report);
    for (size_t at = 0; ok && at <= depth; at++) // also where no writer of ours puts them
        ok = table_each_file(&store->table, at, take_unlisted, lister, err);
    path_list_sort(&files->unlisted);
    return ok;
}

/* ---- what is beyond the horizon ---- */

static void leave_out(struct verify_files *files, const char *path) {
    struct verify_file *file = find_file(files, path, false);
    if (file != NULL && !file->counted) { // a table without a sink log
        free(file->path);
        memmove(file, file + 1, (size_t)(files->files + files->count - file - 1) * sizeof *file);
        files->count--;
        files->table_count--;
    }
    path_list_remove(&files->unlisted, path);
}

/* A manifest is there before its files are, so a file that was listed is in an existing manifest.
 */
static bool leave_out_later(const struct store *store, const struct snapshot *snapshot,
                            struct verify_files *files, struct error *err) {
    scoped(scope_free) int64_t *batches = NULL;
    size_t count;
    const struct file_path *directory = &store->checkpoint.manifests;
    if (!file_list_numbers(directory->text, "", &batches, &count, err))
        return false;
    for (; count > 0 && batches[count - 1] > snapshot->horizon; count--) {
        struct manifest manifest;
        struct error ignored;
        if (!store_read_manifest(store, batches[count - 1], &manifest, err)) {
            // Taken back in the meantime, and its files before it.
            struct file_path path = file_join_number(directory->text, batches[count - 1]);
            if (file_exists(path.text, NULL, &ignored) == 0)
                continue;
            return false;
        }
        for (size_t i = 0; i < manifest.files.count; i++)
            leave_out(files, manifest.files.files[i].path);
        manifest_deinit(&manifest);
    }
    return true;
}

/* What the manifests say of files. */
static void compare_promises(const struct store *store, const struct snapshot *snapshot,
                             struct verify_files *files, struct verify_report *report) {
    for (size_t i = 0; i < snapshot->file_count; i++) {
        const struct promised_file *promise = &snapshot->files[i];
        struct verify_file *file = find_file(files, promise->path, promise->reject);
        bool listed = store->sink_log.exists && !promise->reject;
        if (file == NULL) {
            verify_say(report, VERIFY_FILE,
                       "%s'%s' is in the manifest of batch %" PRId64 ", but not %s",
                       promise->reject ? "the rejects' file " : "", promise->path,
                       promise->batch_id, listed ? "in the sink log" : "on disk");
            continue;
        }
        if (file->size >= 0 && file->size != promise->size)
            verify_say(
                report, VERIFY_FILE,
                "'%s' has %s in the sink log, but %" PRId64 " in the manifest of batch %" PRId64,
                file->path, text_count(file->size, "byte").text, promise->size, promise->batch_id);
        file->size = file->size < 0 ? promise->size : file->size;
        file->rows = promise->rows;
    }
}

bool verify_files_list(const struct store *store, const struct snapshot *snapshot,
                       struct verify_files *files, struct verify_report *report,
                       struct error *err) {
    struct lister lister = {.files = files, .report = report, .root = store->options.table};
    *files = (struct verify_files){0};
    if (store->sink_log.exists && store->sink_log.newest < snapshot->horizon)
        return error_set(err, ERROR_STATE,
                         "'%s' ends at batch %" PRId64 ", but batch %" PRId64
                         " is committed: check that this is the right table",
                         store->sink_log.directory.text, store->sink_log.newest, snapshot->horizon);
    if (!list_table(store, snapshot, &lister, err))
        return false;
    lister.reject = true;
    if (!table_each_file(&store->rejects, 0, take_found, &lister, err))
        return false;
    sort_files(files, files->table_count);
    if (!leave_out_later(store, snapshot, files, err))
        return false;
    compare_promises(store, snapshot, files, report);
    return true;
}

/* ---- what is not listed ---- */

struct judgement {
    const struct snapshot *snapshot;
    int32_t partition; // of the first row that is not beyond the horizon
    int64_t offset;
};

static bool is_beyond(void *context, int32_t partition, int64_t offset) {
    struct judgement *judgement = context;
    const struct snapshot_range *range =
        snapshot_find(judgement->snapshot, snapshot_newest(judgement->snapshot), partition);
    judgement->partition = partition;
    judgement->offset = offset;
    return range == NULL || offset >= range->end;
}

/* Whether it is of an incarnation of the topic that has begun since. */
static bool is_later(const struct snapshot *snapshot, const char *path, bool *later,
                     struct error *err) {
    int64_t processed_ms = 0;
    *later = false;
    if (snapshot->later_ms == 0)
        return true;
    bool ok = origin_time(path, &processed_ms, err);
    *later = ok && processed_ms >= snapshot->later_ms;
    return ok || err->kind == ERROR_STATE; // reported where its offsets are read
}

static bool judge(const struct store *store, const struct snapshot *snapshot, const char *path,
                  struct verify_report *report, struct error *err) {
    struct judgement judgement = {.snapshot = snapshot};
    struct file_path full = file_join(store->table.root.text, path);
    struct file_status status;
    enum origin_end end;
    bool later;
    int there = file_find(full.text, &status, err);
    if (there <= 0) // taken back, or set aside, by a query that starts
        return there == 0;
    if (!is_later(snapshot, full.text, &later, err))
        return false;
    if (later)
        return true;
    if (!origin_each_offset(full.text, is_beyond, &judgement, &end, err))
        return false;
    switch (end) {
    case ORIGIN_READ:
        break;
    case ORIGIN_ENDED:
        verify_say(report, VERIFY_FILE,
                   "'%s' is not in the sink log, but readers that list directories see it: it has "
                   "partition %" PRId32 ", offset %" PRId64,
                   path, judgement.partition, judgement.offset);
        break;
    case ORIGIN_TORN:
        // What was written since the horizon may belong to the running batch.
        if (clock_is_before(&status.modified, &snapshot->committed))
            verify_say(report, VERIFY_FILE, "'%s' is not in the sink log and is incomplete", path);
        break;
    case ORIGIN_OTHER:
        if (file_is_gone(full.text))
            break;
        verify_say(report, VERIFY_FILE,
                   "'%s' is not in the sink log and was not written by this query", path);
        break;
    }
    return true;
}

bool verify_files_judge(const struct store *store, const struct snapshot *snapshot,
                        const struct verify_files *files, struct verify_report *report,
                        struct error *err) {
    for (size_t i = 0; i < files->unlisted.count; i++)
        if (!judge(store, snapshot, files->unlisted.paths[i], report, err))
            return false;
    return true;
}
