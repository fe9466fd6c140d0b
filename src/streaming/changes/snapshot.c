/* snapshot.c: a consistent look without a lock.
 *
 * The newest commit is read first: all else is looked at up to it. Meanwhile a fold may remove a
 * manifest that was listed, and a rewind a commit. If a file can't be read, its existence is
 * checked: if it is gone, all starts again; only an existing file that can't be read is an error.
 * Coverage is read before the manifests, and its newest number compared after them, so that no
 * batch is counted twice or not at all. The records of changes are read first: what a sweep removes
 * of them is in coverage before. */
#include "streaming/changes/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "streaming/changes/rewind_watch.h"

/* How often a running query may take a file away between our listing and our reading of it. */
enum { ATTEMPTS_MAX = 20 };

void snapshot_deinit(struct snapshot *snapshot) {
    for (size_t i = 0; i < snapshot->file_count; i++)
        free(snapshot->files[i].path);
    free(snapshot->files);
    free(snapshot->ranges);
    coverage_deinit(&snapshot->outcomes);
    changes_deinit(&snapshot->changes);
    resolved_deinit(&snapshot->expired);
    resolved_deinit(&snapshot->accepted);
    *snapshot = (struct snapshot){.horizon = -1, .newest_manifest = -1, .overtaken = -1};
}

bool snapshot_wants_times(const struct snapshot *snapshot) {
    return snapshot_newest(snapshot) > 0 || snapshot->later_ms > 0;
}

int32_t snapshot_newest(const struct snapshot *snapshot) {
    return (int32_t)snapshot->outcomes.incarnations.count;
}

const char *snapshot_name(const struct snapshot *snapshot, const struct snapshot_range *range,
                          char text[static SNAPSHOT_NAME_MAX]) {
    if (snapshot_newest(snapshot) == 0)
        (void)snprintf(text, SNAPSHOT_NAME_MAX, "partition %" PRId32, range->partition);
    else
        (void)snprintf(text, SNAPSHOT_NAME_MAX, "partition %" PRId32 " of incarnation %" PRId32,
                       range->partition, range->incarnation);
    return text;
}

const struct snapshot_range *snapshot_find(const struct snapshot *snapshot, int32_t incarnation,
                                           int32_t partition) {
    size_t low = 0, high = snapshot->range_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct snapshot_range *range = &snapshot->ranges[middle];
        if (range->incarnation == incarnation && range->partition == partition)
            return range;
        if (range->incarnation < incarnation ||
            (range->incarnation == incarnation && range->partition < partition))
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* *moved: a concurrent rewind has removed the commit. */
static bool find_horizon(const struct checkpoint *checkpoint, struct snapshot *snapshot,
                         bool *moved, struct error *err) {
    if (!checkpoint_newest(&checkpoint->commits, &snapshot->horizon, err))
        return false;
    if (snapshot->horizon < 0)
        return true;
    struct file_status status;
    struct file_path path = file_join_number(checkpoint->commits.text, snapshot->horizon);
    int there = file_find(path.text, &status, err);
    if (there <= 0) {
        *moved = there == 0;
        return *moved;
    }
    snapshot->committed = status.modified;
    if (checkpoint_check_commit(checkpoint, snapshot->horizon, err))
        return true;
    *moved = file_is_gone(path.text);
    return *moved;
}

/* ---- manifests ---- */

static void add_files(struct snapshot *snapshot, struct file_list *list, bool reject,
                      int64_t batch_id) {
    for (size_t i = 0; i < list->count; i++) {
        if (snapshot->file_count == snapshot->file_capacity) {
            snapshot->file_capacity =
                snapshot->file_capacity == 0 ? 64 : 2 * snapshot->file_capacity;
            snapshot->files =
                reallocarray(snapshot->files, snapshot->file_capacity, sizeof *snapshot->files);
            check(snapshot->files != NULL);
        }
        struct data_file *file = &list->files[i];
        snapshot->files[snapshot->file_count++] =
            (struct promised_file){file->path, reject, file->size, file->rows, batch_id};
        file->path = NULL;
    }
}

/* Whether Spark has run the newest manifest's batch again before we could finish it (the state
 * "overtaken" of recovery_table.c). */
static bool is_overtaken(const struct store *store, const struct manifest *manifest,
                         bool *overtaken, struct error *err) {
    enum commit_author author;
    enum sink_log_names names = SINK_LOG_SILENT;
    *overtaken = false;
    if (manifest->of_spark)
        return true;
    if (!checkpoint_commit_author(&store->checkpoint, manifest->batch_id, &author, err))
        return false;
    if (author == COMMIT_SPARKS && store->sink_log.exists &&
        !sink_log_compare(&store->sink_log, manifest->batch_id, &manifest->files, &names, err))
        return false;
    *overtaken = author == COMMIT_SPARKS && names != SINK_LOG_NAMES_THESE;
    return true;
}

static bool add_manifest(const struct store *store, int64_t batch_id, bool newest,
                         struct snapshot *snapshot, struct error *err) {
    struct manifest manifest;
    if (!store_read_manifest(store, batch_id, &manifest, err))
        return false;
    bool overtaken = false;
    bool ok = !newest || is_overtaken(store, &manifest, &overtaken, err);
    if (overtaken)
        snapshot->overtaken = batch_id;
    if (ok && !overtaken)
        ok = coverage_add_manifest(&snapshot->outcomes, &manifest, err) ||
             error_wrap(err, "'%s/%" PRId64 "'", store->checkpoint.manifests.text, batch_id);
    if (ok && !overtaken) {
        snapshot->newest_manifest = batch_id;
        memcpy(snapshot->topic_id, manifest.incarnation.topic_id, sizeof snapshot->topic_id);
        add_files(snapshot, &manifest.files, false, batch_id);
        add_files(snapshot, &manifest.rejects, true, batch_id);
        snapshot->manifest_count++;
    }
    manifest_deinit(&manifest);
    return ok;
}

/* *moved: a concurrent fold has removed a manifest that we had seen. */
static bool add_manifests(const struct store *store, struct snapshot *snapshot, bool *moved,
                          struct error *err) {
    scoped(scope_free) int64_t *batches = NULL;
    size_t count;
    const struct file_path *directory = &store->checkpoint.manifests;
    int64_t folded = snapshot->outcomes.through;
    if (!file_list_numbers(directory->text, "", &batches, &count, err))
        return false;
    for (size_t i = 0; i < count && batches[i] <= snapshot->horizon; i++) {
        if (batches[i] <= folded)
            continue;
        if (!add_manifest(store, batches[i], i + 1 == count, snapshot, err)) {
            *moved = file_is_gone(file_join_number(directory->text, batches[i]).text);
            return *moved;
        }
    }
    int64_t now;
    bool ok = checkpoint_newest(&store->checkpoint.coverage, &now, err);
    *moved = ok && now != folded;
    return ok;
}

/* ---- offsets ---- */

/* How far what is known of a former incarnation's partition goes. */
static int64_t known_end(const struct incarnation_begin *next,
                         const struct partition_offset *former) {
    const struct partition_offset *known = offsets_find(&next->known_ends, former->partition);
    return known != NULL && known->offset > former->offset ? known->offset : former->offset;
}

static void add_ranges(struct snapshot *snapshot, int32_t incarnation, const struct offsets *starts,
                       const struct offsets *ends) {
    const struct incarnations *all = &snapshot->outcomes.incarnations;
    size_t count = snapshot->range_count + ends->count;
    snapshot->ranges = reallocarray(snapshot->ranges, count + 1, sizeof *snapshot->ranges);
    check(snapshot->ranges != NULL);
    for (size_t i = 0; i < ends->count; i++) {
        const struct partition_offset *end = &ends->entries[i];
        // A partition that was added later is read from its beginning.
        const struct partition_offset *start = offsets_find(starts, end->partition);
        bool former = (size_t)incarnation < all->count;
        snapshot->ranges[snapshot->range_count++] = (struct snapshot_range){
            incarnation, end->partition, start == NULL ? 0 : start->offset,
            former ? known_end(&all->begins[incarnation], end) : end->offset};
    }
}

static void set_ranges(struct snapshot *snapshot, const struct offsets *starts,
                       const struct offsets *ends) {
    const struct incarnations *all = &snapshot->outcomes.incarnations;
    for (size_t i = 0; i < all->count; i++)
        add_ranges(snapshot, (int32_t)i, i == 0 ? starts : &all->begins[i - 1].starts,
                   &all->begins[i].former);
    add_ranges(snapshot, (int32_t)all->count,
               all->count == 0 ? starts : &all->begins[all->count - 1].starts, ends);
}

/* Those that Spark has begun since the newest manifest. */
static bool add_begun(const struct store *store, struct snapshot *snapshot, struct error *err) {
    int64_t manifest = snapshot->newest_manifest, folded = snapshot->outcomes.through;
    size_t known = snapshot->outcomes.incarnations.count;
    bool ok = checkpoint_find_begun(&store->checkpoint, (manifest > folded ? manifest : folded) + 1,
                                    snapshot->horizon, &snapshot->outcomes.incarnations, err);
    if (snapshot->outcomes.incarnations.count > known)
        snapshot->topic_id[0] = '\0'; // Spark may have read another topic since
    return ok;
}

static bool read_ranges(const struct checkpoint *checkpoint, struct snapshot *snapshot,
                        struct error *err) {
    struct offset_entry starts = {0}, ends = {0};
    bool found = false;
    bool ok = checkpoint_read_initial(checkpoint, &starts, &snapshot->starts_known, err) &&
              checkpoint_read_offsets(checkpoint, snapshot->horizon, &ends, &found, err);
    if (ok && !found)
        ok = error_set(
            err, ERROR_STATE,
            "'%s/%" PRId64
            "', the plan of the newest committed batch, is missing: restore it from a backup",
            checkpoint->offsets.text, snapshot->horizon);
    if (ok)
        set_ranges(snapshot, &starts.ends, &ends.ends);
    offset_entry_deinit(&starts);
    offset_entry_deinit(&ends);
    return ok;
}

static void add_gone(struct snapshot *snapshot) {
    resolved_add_all(&snapshot->expired, &snapshot->outcomes.expired);
    resolved_add_all(&snapshot->accepted, &snapshot->outcomes.accepted);
    snapshot_add_gone(snapshot, &snapshot->changes);
}

void snapshot_add_gone(struct snapshot *snapshot, const struct changes *changes) {
    changes_gone(changes, CHANGE_EXPIRY, &snapshot->expired);
    changes_gone(changes, CHANGE_ACCEPTANCE, &snapshot->accepted);
}

static bool try_to_take(struct store *store, struct snapshot *snapshot, bool *moved,
                        struct error *err) {
    bool found = true;
    if (!changes_read(store, &snapshot->changes, err) ||
        !find_horizon(&store->checkpoint, snapshot, moved, err))
        return false;
    if (snapshot->horizon < 0 || *moved)
        return true;
    if (!sink_log_open(&store->sink_log, store->options.table, err) ||
        !coverage_read(store, &snapshot->outcomes, &found, err))
        return false;
    *moved = !found;
    add_gone(snapshot);
    if (*moved || !add_manifests(store, snapshot, moved, err))
        return *moved;
    return *moved ||
           (add_begun(store, snapshot, err) && read_ranges(&store->checkpoint, snapshot, err));
}

/* Of what could not be read: while a rewind is not finished, plans and files of the log are
 * missing, and no backup helps. */
static bool explain(const struct store *store, struct error *err) {
    const char *checkpoint = store->checkpoint.root.text;
    return err->kind == ERROR_STATE && rewind_watch_is_there(checkpoint) &&
           rewind_watch_explain(checkpoint, err);
}

bool snapshot_take(struct store *store, struct snapshot *snapshot, struct error *err) {
    for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        bool moved = false;
        *snapshot = (struct snapshot){
            .horizon = -1, .newest_manifest = -1, .overtaken = -1, .outcomes.through = -1};
        bool ok = try_to_take(store, snapshot, &moved, err);
        if (ok && !moved)
            return true;
        snapshot_deinit(snapshot);
        if (!ok)
            return explain(store, err);
    }
    return error_set(err, ERROR_RETRY, "'%s' changes faster than it can be read; try again",
                     store->checkpoint.root.text);
}

bool snapshot_look_beyond(const struct store *store, struct snapshot *snapshot, struct error *err) {
    int64_t newest;
    struct incarnations begun = {0};
    if (!checkpoint_newest(&store->checkpoint.offsets, &newest, err))
        return false;
    bool ok = checkpoint_find_begun(&store->checkpoint, snapshot->horizon + 1, newest, &begun, err);
    if (begun.count > 0)
        snapshot->later_ms = begun.begins[0].since_ms;
    incarnations_deinit(&begun);
    return ok || err->kind == ERROR_STATE; // a plan that a crash has damaged counts for nothing yet
}
