/* files.c: the files of a verification, and what three lists say of them.
 *
 * With a sink log, its entries are the table's files, and what else lies in the directories is
 * unlisted; without one, all that lies there is. What a manifest of a batch beyond the horizon
 * names is left out: such a manifest is there before its files are, so none of them is missed.
 * Last, the manifests up to the horizon say which size and how many rows each of their files must
 * have, and so do the records of compactions of the files that they have added. Unlisted files are
 * judged by their own offsets.
 *
 * Changes of the table may be published meanwhile, by the query that runs. One that was finished
 * before the listing must show in it: what left is not there, and what came is. Of every later one
 * the listing may have either side, directory by directory; so neither is missed, and a file is
 * read wherever it is by then (streaming/changes/kept_files.h). That no row is missing or there
 * twice is proven by the offsets in any case. */
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

/* How often a file may be carried on between a look for it and its opening. */
enum { KEPT_ATTEMPTS_MAX = 5 };

void verify_files_deinit(struct verify_files *files) {
    for (size_t i = 0; i < files->count; i++) {
        free(files->files[i].path);
        free(files->files[i].fault);
    }
    path_list_deinit(&files->unlisted);
    changes_deinit(&files->changes);
    free(files->files);
    *files = (struct verify_files){0};
}

struct file_path verify_file_path(const struct store *store, const struct verify_file *file) {
    const struct table *table = file->reject ? &store->rejects : &store->table;
    return file_join(table->root.text, file->path);
}

bool verify_file_read(struct kept_files *kept, const struct verify_file *file, size_t page_size_max,
                      const struct origin_visitor *visitor, struct error *err) {
    struct file_path path = verify_file_path(kept->store, file);
    if (origin_read(path.text, page_size_max, visitor, err))
        return true;
    if (err->kind != ERROR_STATE || !file_is_gone(path.text))
        return false;
    // It was carried away since it was listed; or it is gone, as the error has it.
    struct error gone = *err;
    for (int attempt = 0; attempt < KEPT_ATTEMPTS_MAX; attempt++) {
        bool there;
        if (!kept_files_find(kept, file->reject, file->path, &path, &there, err))
            return false;
        if (!there) {
            *err = gone;
            return false;
        }
        if (origin_read(path.text, page_size_max, visitor, err))
            return true;
        if (err->kind != ERROR_STATE || !file_is_gone(path.text))
            return false;
    }
    return false;
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
    *file = (struct verify_file){.path = text_copy(path),
                                 .reject = reject,
                                 .size = -1,
                                 .rows = -1,
                                 .change = -1,
                                 .batch = -1};
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

/* ---- what manifests and records say of files ---- */

static const char *place_of_lists(const struct store *store, bool reject) {
    return store->sink_log.exists && !reject ? "in the sink log" : "on disk";
}

/* The change that has taken a file from the table; NULL: none has. */
static const struct change *change_of(const struct snapshot *snapshot,
                                      const struct verify_files *files, bool reject,
                                      const char *path) {
    const struct change *change = NULL;
    if (changes_fate(&files->changes, reject, path, &change) == FILE_STAYED &&
        changes_fate(&snapshot->changes, reject, path, &change) == FILE_STAYED)
        return NULL; // the second look is for a record that was removed meanwhile
    return change;
}

/* What was listed of a file that left the table. */
static void see_left(const struct store *store, const struct verify_files *files,
                     const struct change *change, const char *path, bool listed,
                     struct verify_report *report) {
    if (listed && change->number <= files->settled)
        verify_say(report, VERIFY_FILE,
                   "%s'%s' left the table with change %" PRId64 ", but is %s again: its rows are "
                   "there twice, or should not be there",
                   change->of_rejects ? "the rejects' file " : "", path, change->number,
                   place_of_lists(store, change->of_rejects));
}

static void set_promise(struct verify_file *file, const struct data_file *promise, const char *who,
                        struct verify_report *report) {
    if (file->size >= 0 && file->size != promise->size)
        verify_say(report, VERIFY_FILE, "'%s' has %s in the sink log, but %" PRId64 " in %s",
                   file->path, text_count(file->size, "byte").text, promise->size, who);
    file->size = file->size < 0 ? promise->size : file->size;
    file->rows = promise->rows > 0 ? promise->rows : file->rows; // 0: nobody has counted them
}

enum { WHO_MAX = 64 };

static void compare_manifests(const struct store *store, const struct snapshot *snapshot,
                              struct verify_files *files, struct verify_report *report) {
    for (size_t i = 0; i < snapshot->file_count; i++) {
        const struct promised_file *promise = &snapshot->files[i];
        const struct change *change = change_of(snapshot, files, promise->reject, promise->path);
        struct verify_file *file = find_file(files, promise->path, promise->reject);
        char who[WHO_MAX];
        (void)snprintf(who, sizeof who, "the manifest of batch %" PRId64, promise->batch_id);
        if (change != NULL)
            see_left(store, files, change, promise->path, file != NULL, report);
        else if (file == NULL) {
            verify_say(report, VERIFY_FILE, "%s'%s' is in %s, but not %s",
                       promise->reject ? "the rejects' file " : "", promise->path, who,
                       place_of_lists(store, promise->reject));
            verify_note_damaged(report, promise->batch_id);
        }
        if (file != NULL) {
            file->batch = promise->batch_id;
            set_promise(file, &(struct data_file){.size = promise->size, .rows = promise->rows},
                        who, report);
        }
    }
}

/* Files that came with a change and have not left with another. */
static void compare_added(const struct store *store, const struct snapshot *snapshot,
                          struct verify_files *files, const struct change *change,
                          struct verify_report *report) {
    char who[WHO_MAX];
    (void)snprintf(who, sizeof who, "the record of change %" PRId64, change->number);
    for (size_t i = 0; i < change->added.count; i++) {
        const struct data_file *added = &change->added.files[i];
        if (change_of(snapshot, files, change->of_rejects, added->path) != NULL)
            continue;
        struct verify_file *file = find_file(files, added->path, change->of_rejects);
        if (file == NULL && change->number <= files->settled)
            verify_say(report, VERIFY_FILE, "%s'%s' is in %s, but not %s",
                       change->of_rejects ? "the rejects' file " : "", added->path, who,
                       place_of_lists(store, change->of_rejects));
        if (file == NULL)
            continue;
        set_promise(file, added, who, report);
        file->change = change->number;
    }
}

static void compare_promises(const struct store *store, const struct snapshot *snapshot,
                             struct verify_files *files, struct verify_report *report) {
    compare_manifests(store, snapshot, files, report);
    for (size_t i = 0; i < files->changes.count; i++)
        compare_added(store, snapshot, files, &files->changes.changes[i], report);
    if (files->changes.unfinished >= 0)
        verify_say(report, VERIFY_NOTE,
                   "change %" PRId64 " of the table is recorded and not finished yet: the query "
                   "that runs finishes it, or the next start",
                   files->changes.unfinished);
}

/* Changes up to this one show in a listing that begins now. */
static int64_t find_settled(const struct changes *changes) {
    if (changes->unfinished >= 0)
        return changes->unfinished - 1;
    return changes->count == 0 ? -1 : changes->changes[changes->count - 1].number;
}

static bool list_all(const struct store *store, const struct snapshot *snapshot,
                     struct lister *lister, struct error *err) {
    if (!list_table(store, snapshot, lister, err))
        return false;
    lister->reject = true;
    if (!table_each_file(&store->rejects, 0, take_found, lister, err))
        return false;
    sort_files(lister->files, lister->files->table_count);
    return leave_out_later(store, snapshot, lister->files, err);
}

bool verify_files_list(const struct store *store, struct snapshot *snapshot,
                       struct verify_files *files, struct verify_report *report,
                       struct error *err) {
    struct lister lister = {.files = files, .report = report, .root = store->options.table};
    *files = (struct verify_files){.settled = find_settled(&snapshot->changes)};
    if (store->sink_log.exists && store->sink_log.newest < snapshot->horizon)
        return error_set(err, ERROR_STATE,
                         "'%s' ends at batch %" PRId64 ", but batch %" PRId64
                         " is committed: check that this is the right table",
                         store->sink_log.directory.text, store->sink_log.newest, snapshot->horizon);
    if (!store_check_root(store, err) || !list_all(store, snapshot, &lister, err) ||
        !changes_read(store, &files->changes, err))
        return false;
    snapshot_add_gone(snapshot, &files->changes);
    compare_promises(store, snapshot, files, report);
    return true;
}

/* ---- what is not listed ---- */

/* Whether a change has carried it in or out around the listing. */
static bool is_on_its_way(const struct verify_files *files, const char *path) {
    const struct changes *changes = &files->changes;
    for (size_t i = changes->count; i-- > 0 && changes->changes[i].number > files->settled;) {
        const struct change *change = &changes->changes[i];
        for (size_t j = 0; !change->of_rejects && j < change->added.count; j++)
            if (strcmp(change->added.files[j].path, path) == 0)
                return true;
        for (size_t j = 0; !change->of_rejects && j < change->left.count; j++)
            if (strcmp(change->left.files[j].path, path) == 0)
                return true;
    }
    return false;
}

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
        if (!is_on_its_way(files, files->unlisted.paths[i]) &&
            !judge(store, snapshot, files->unlisted.paths[i], report, err))
            return false;
    return true;
}
