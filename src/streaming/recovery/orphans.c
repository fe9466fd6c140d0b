/* orphans.c: which files of the table nobody counts.
 *
 * Candidates are the files that are as new as the newest manifest. First the lists are asked: the
 * manifests of that time, then, only if a file is left, the whole sink log. Then the file itself.
 * If it is whole, and the plan that runs again does not have all its rows, its offsets are marked
 * in a set, and those that listed files hold are taken out: if nothing stays, each of its records
 * is elsewhere. A file is moved only on such proof, and durably before the plan runs again. */
#include "streaming/recovery/orphans.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "streaming/changes/changes.h"
#include "streaming/offsets/offset_set.h"
#include "streaming/store/checkpoint_notes.h"
#include "streaming/table/origin_reader.h"
#include "streaming/table/path_list.h"
#include "streaming/table/set_aside.h"

enum {
    FILES_MAX = 200000,             // about 30 MB of names
    OFFSET_SET_SIZE_MAX = 64 << 20, // half a billion offsets
};

struct recent_files {
    const struct table *table;
    struct timespec since;
    struct path_list list; // owned; relative to the table
    bool *listed;          // owned; the file counts
    bool failed;           // *err says why
    struct error *err;
};

void orphan_report_deinit(struct orphan_report *report) {
    free(report->left_path);
    *report = (struct orphan_report){0};
}

static void recent_files_deinit(struct recent_files *files) {
    path_list_deinit(&files->list);
    free(files->listed);
}

static bool add_if_recent(void *context, const char *path) {
    struct recent_files *files = context;
    struct file_status status;
    struct file_path full = file_join(files->table->root.text, path);
    int there = file_find(full.text, &status, files->err);
    files->failed = there < 0;
    if (there <= 0)
        return there == 0;
    if (clock_is_before(&status.modified, &files->since) || !status.is_file)
        return true;
    path_list_add(&files->list, path);
    return files->list.count <= FILES_MAX;
}

/* ---- what a batch write of Spark leaves when it is killed before its files are in place ---- */

enum { TEMPORARY_DEPTH = 4 }; // _temporary/0/_temporary/attempt_…/, and partition directories

struct temporary_search {
    struct recent_files *files;
    struct file_path directory; // relative to the table
    size_t depth;               // how many more directories down
};

static bool search_temporary(struct temporary_search *search);

static bool search_temporary_name(void *context, const char *name) {
    struct temporary_search *search = context;
    struct temporary_search below = *search;
    below.directory = file_join(search->directory.text, name);
    if (name[0] == '.' || search->depth == 0)
        return true;
    if (text_ends_with(name, ".parquet") && strchr(name, '=') == NULL) // no partition value
        return add_if_recent(search->files, below.directory.text);
    below.depth--;
    return search_temporary(&below);
}

/* Calls itself once per level, of which there are few. False: enough was seen. */
static bool search_temporary(struct temporary_search *search) {
    struct recent_files *files = search->files;
    struct file_path path = file_join(files->table->root.text, search->directory.text);
    if (file_list(path.text, search_temporary_name, search, files->err) < 0)
        files->failed = errno != ENOTDIR;
    return !files->failed && files->list.count <= FILES_MAX;
}

static bool add_temporary(struct recent_files *files, size_t partition_columns) {
    struct temporary_search search = {
        .files = files, .directory = {"_temporary"}, .depth = TEMPORARY_DEPTH + partition_columns};
    (void)search_temporary(&search);
    return !files->failed;
}

/* With a run on a cluster behind us, no file since its start is explained by our manifests; its
 * clocks may differ from ours by this much. */
enum { CLUSTER_CLOCK_S = 600 };

static bool widen_to_cluster(const struct store *store, struct timespec *since, struct error *err) {
    struct run_note note;
    bool found;
    if (!run_note_read(store->options.checkpoint, &note, &found, err))
        return false;
    time_t began = (time_t)(note.started_ms / 1000) - CLUSTER_CLOCK_S;
    if (found && began < since->tv_sec)
        *since = (struct timespec){.tv_sec = began};
    return true;
}

bool orphans_since(const struct store *store, int64_t manifest, struct timespec *since, bool *found,
                   struct error *err) {
    const struct file_path *log = &store->checkpoint.manifests;
    int64_t batch = manifest;
    if (manifest < 0) {
        scoped(scope_free) int64_t *plans = NULL;
        size_t count;
        log = &store->checkpoint.offsets;
        if (!file_list_numbers(log->text, "", &plans, &count, err))
            return false;
        batch = count == 0 ? -1 : plans[0];
    }
    *found = batch >= 0;
    if (!*found)
        return true;
    struct file_status status;
    struct file_path path = file_join_number(log->text, batch);
    if (!file_look(path.text, &status, err))
        return false;
    *since = status.modified;
    return widen_to_cluster(store, since, err);
}

static bool mark_listed_by_manifest(const struct store *store, int64_t batch_id,
                                    struct recent_files *files, struct error *err) {
    struct manifest manifest;
    if (!store_read_manifest(store, batch_id, &manifest, err))
        return false;
    for (size_t i = 0; i < files->list.count; i++)
        for (size_t j = 0; j < manifest.files.count; j++)
            if (strcmp(files->list.paths[i], manifest.files.files[j].path) == 0)
                files->listed[i] = true;
    manifest_deinit(&manifest);
    return true;
}

/* Of the newest one, and of those before it that are as new as the files that are looked at: within
 * one tick of the file system's clock there may be several. */
static bool mark_listed_by_manifests(const struct store *store, int64_t newest,
                                     struct recent_files *files, struct error *err) {
    for (int64_t batch = newest; batch >= 0; batch--) {
        struct file_status status;
        struct file_path before = file_join_number(store->checkpoint.manifests.text, batch - 1);
        if (!mark_listed_by_manifest(store, batch, files, err))
            return false;
        int there = file_find(before.text, &status, err);
        if (there <= 0)
            return there == 0;
        if (clock_is_before(&status.modified, &files->since))
            return true;
    }
    return true;
}

/* What a compaction has made is in no manifest. */
static bool mark_listed_by_changes(const struct store *store, struct recent_files *files,
                                   struct error *err) {
    struct changes changes;
    if (!changes_read(store, &changes, err))
        return false;
    for (size_t i = 0; i < files->list.count; i++)
        if (changes_added(&changes, false, files->list.paths[i]) != NULL)
            files->listed[i] = true;
    changes_deinit(&changes);
    return true;
}

/* The whole sink log is streamed only for a file that no manifest explains. */
static bool mark_listed(struct store *store, int64_t manifest, struct recent_files *files,
                        struct error *err) {
    if (!mark_listed_by_manifests(store, manifest, files, err) ||
        !mark_listed_by_changes(store, files, err))
        return false;
    size_t unexplained = 0;
    for (size_t i = 0; i < files->list.count; i++)
        unexplained += !files->listed[i];
    return unexplained == 0 || !store->sink_log_on ||
           sink_log_find(&store->sink_log, (const char *const *)files->list.paths,
                         files->list.count, files->listed, err);
}

/* ---- what is in an unlisted file ---- */

static bool is_in_plan(void *context, int32_t partition, int64_t offset) {
    const struct plan *plan = context;
    for (size_t i = 0; i < plan->count; i++)
        if (plan->ranges[i].partition == partition)
            return offset >= plan->ranges[i].start && offset < plan->ranges[i].end;
    return false;
}

/* Without a sink log the file may as well be of a committed batch that had the same offsets, in an
 * earlier incarnation of the topic: only that of this batch has its time. */
static bool is_of_batch(const char *path, const struct plan *plan, bool *orphan,
                        struct error *err) {
    int64_t processed_ms;
    bool ok = origin_time(path, &processed_ms, err);
    *orphan = ok && (processed_ms == plan->timestamp_ms || processed_ms < 0);
    return ok || err->kind == ERROR_STATE; // not a file of a query
}

static bool widen(void *context, int32_t partition, int64_t offset) {
    offset_set_widen(context, partition, offset);
    return true;
}

static bool add(void *context, int32_t partition, int64_t offset) {
    offset_set_add(context, partition, offset);
    return true;
}

static bool remove_offset(void *context, int32_t partition, int64_t offset) {
    struct offset_set *set = context;
    offset_set_remove(set, partition, offset);
    return set->count > 0;
}

/* Takes out of `set` what the listed files hold. */
static bool remove_listed(const struct recent_files *files, struct offset_set *set,
                          struct error *err) {
    for (size_t i = 0; i < files->list.count && set->count > 0; i++) {
        enum origin_end end;
        struct file_path path = file_join(files->table->root.text, files->list.paths[i]);
        if (files->listed[i] && !origin_each_offset(path.text, remove_offset, set, &end, err))
            return false;
    }
    return true;
}

static bool is_in_listed_files(const struct recent_files *files, const char *path, bool *orphan,
                               struct error *err) {
    struct offset_set set = {0};
    enum origin_end end;
    bool ok = origin_each_offset(path, widen, &set, &end, err);
    if (ok && end == ORIGIN_READ && offset_set_allocate(&set, OFFSET_SET_SIZE_MAX)) {
        ok = origin_each_offset(path, add, &set, &end, err) && remove_listed(files, &set, err);
        *orphan = ok && set.count == 0;
    }
    offset_set_deinit(&set);
    return ok;
}

static bool is_orphan(const struct recent_files *files, const struct plan *open_plan,
                      bool sink_log_on, const char *path, bool *orphan, struct error *err) {
    const struct plan nothing = {0};
    const struct plan *plan = open_plan == NULL ? &nothing : open_plan;
    enum origin_end end;
    *orphan = false;
    if (!origin_each_offset(path, is_in_plan, (void *)plan, &end, err))
        return false;
    *orphan = end == ORIGIN_TORN || (end == ORIGIN_READ && open_plan != NULL);
    if (*orphan && end == ORIGIN_READ && !sink_log_on)
        return is_of_batch(path, open_plan, orphan, err);
    if (*orphan || end == ORIGIN_OTHER || !sink_log_on)
        return true;
    return is_in_listed_files(files, path, orphan, err);
}

/* ---- and where it goes ---- */

static const struct set_aside_target orphanage = {"_orphans", ".orphan"};

/* Durable before the plan runs again: its manifest would be newer than the file, and no start would
 * look at it any more. */
static bool put_away(const struct table *table, const char *name, struct error *err) {
    bool moved;
    return set_aside(table->root.text, name, &orphanage, &moved, err) &&
           set_aside_sync(table->root.text, name, &orphanage, err);
}

static bool judge(const struct store *store, const struct recent_files *files,
                  const struct plan *open_plan, struct orphan_report *report, struct error *err) {
    for (size_t i = 0; i < files->list.count; i++) {
        bool orphan;
        struct file_path path = file_join(files->table->root.text, files->list.paths[i]);
        if (files->listed[i])
            continue;
        if (!is_orphan(files, open_plan, store->sink_log_on, path.text, &orphan, err) ||
            (orphan && !put_away(files->table, files->list.paths[i], err)))
            return false;
        if (orphan) {
            report->moved++;
        } else if (store->sink_log_on && report->left++ == 0) {
            report->left_path = text_copy(files->list.paths[i]);
        }
    }
    return true;
}

bool orphans_set_aside(struct store *store, const struct plan *open_plan, int64_t manifest,
                       struct orphan_report *report, struct error *err) {
    *report = (struct orphan_report){0};
    struct recent_files files = {.table = &store->table, .err = err};
    bool found;
    if (!orphans_since(store, manifest, &files.since, &found, err))
        return false;
    if (!found || (!store->sink_log_on && open_plan == NULL))
        return true;
    bool ok = table_each_file(&store->table, store->options.partition_by_count, add_if_recent,
                              &files, err) &&
              !files.failed &&
              (open_plan == NULL || add_temporary(&files, store->options.partition_by_count));
    report->too_many = files.list.count > FILES_MAX;
    if (report->too_many || (ok && files.list.count == 0)) {
        recent_files_deinit(&files);
        return true;
    }
    files.listed = must_alloc(files.list.count + 1, sizeof *files.listed);
    ok = ok && mark_listed(store, manifest, &files, err) &&
         judge(store, &files, open_plan, report, err);
    if (!ok)
        orphan_report_deinit(report);
    recent_files_deinit(&files);
    return ok;
}
