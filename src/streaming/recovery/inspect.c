/* inspect.c: each part is read for itself.
 *
 * What can't be read becomes a fault, and the rest is still reported. While a query runs, the
 * parts may be of different moments: if a log has changed since it was read, everything is read
 * again, a bounded number of times. What a start would do is decided by the recovery's own survey
 * and table, and only while nobody holds the lock. */
#include "streaming/recovery/inspect.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/text.h"
#include "streaming/changes/rewind_watch.h"
#include "streaming/changes/snapshot.h"
#include "streaming/recovery/recover.h"
#include "streaming/recovery/recovery_table.h"
#include "streaming/store/checkpoint_notes.h"
#include "streaming/store/declaration.h"

void inspection_deinit(struct inspection *inspection) {
    for (size_t i = 0; i < inspection->fault_count; i++)
        free(inspection->faults[i]);
    free(inspection->ranges);
    free(inspection->partitions);
    free(inspection->changes);
    free(inspection->table);
    free(inspection->rejects_table);
    free(inspection->owner_checkpoint);
    *inspection = (struct inspection){0};
}

/* All files of a lake that was moved say so. */
static bool is_same(const struct error *fault, const struct error *other) {
    static const char moved[] = "`esports-stream relocate`";
    return strcmp(fault->message, other->message) == 0 ||
           (strstr(fault->message, moved) != NULL && strstr(other->message, moved) != NULL);
}

/* Notes what could not be read, once, and continues. */
static void note(struct inspection *inspection, bool ok, const struct error *err) {
    if (ok || inspection->fault_count == INSPECTION_FAULTS_MAX)
        return;
    for (size_t i = 0; i < inspection->fault_count; i++)
        if (is_same(inspection->faults[i], err))
            return;
    struct error *fault = must_alloc(1, sizeof *fault);
    *fault = *err;
    inspection->faults[inspection->fault_count++] = fault;
}

static bool read_extent(const struct file_path *log, struct log_extent *extent, struct error *err) {
    scoped(scope_free) int64_t *numbers = NULL;
    *extent = (struct log_extent){.first = -1, .newest = -1, .unknown = true};
    if (!file_list_numbers(log->text, "", &numbers, &extent->count, err))
        return false;
    extent->unknown = false;
    if (extent->count > 0)
        *extent = (struct log_extent){extent->count, numbers[0], numbers[extent->count - 1], false};
    return true;
}

/* ---- the newest plan ---- */

static bool read_plan(const struct checkpoint *checkpoint, struct inspection *inspection,
                      struct error *err) {
    struct offset_entry before = {0}, plan = {0};
    bool found = false, found_before = false;
    int64_t newest = inspection->plans.newest;
    if (newest < 0)
        return true;
    bool ok = checkpoint_read_offsets(checkpoint, newest, &plan, &found, err) &&
              (newest == 0
                   ? checkpoint_read_initial(checkpoint, &before, &found_before, err)
                   : checkpoint_read_offsets(checkpoint, newest - 1, &before, &found_before, err));
    if (ok && found) {
        inspection->planned_ms = plan.timestamp_ms;
        // Without the plan before it, what it takes is not known: it is shown with empty ranges.
        offsets_ranges(found_before ? &before.ends : &plan.ends, &plan.ends, &inspection->ranges,
                       &inspection->range_count);
    }
    offset_entry_deinit(&before);
    offset_entry_deinit(&plan);
    return ok;
}

static bool read_commit(const struct checkpoint *checkpoint, struct inspection *inspection,
                        struct error *err) {
    struct file_status status;
    int64_t newest = inspection->commits.newest;
    if (newest < 0)
        return true;
    struct file_path path = file_join_number(checkpoint->commits.text, newest);
    if (!file_look(path.text, &status, err) ||
        !checkpoint_commit_author(checkpoint, newest, &inspection->committed, err))
        return false;
    inspection->committed_ms = file_modified_ms(&status);
    return true;
}

static bool read_manifest(const struct store *store, struct inspection *inspection,
                          struct error *err) {
    struct manifest manifest;
    if (inspection->manifests.newest < 0)
        return true;
    if (!store_read_manifest(store, inspection->manifests.newest, &manifest, err))
        return false;
    inspection->manifest_read = true;
    inspection->files = manifest.files.count;
    inspection->reject_files = manifest.rejects.count;
    inspection->manifest_of_spark = manifest.of_spark;
    // A manifest of Spark's batch has no ranges, only the rejects that we wrote.
    for (size_t i = 0; manifest.of_spark && i < manifest.rejects.count; i++)
        inspection->rejects += manifest.rejects.files[i].rows;
    for (size_t i = 0; i < manifest.files.count; i++)
        inspection->file_bytes += manifest.files.files[i].size;
    struct range_outcome sum = manifest_sum(&manifest);
    inspection->rows = sum.rows;
    inspection->rejects += sum.rejects;
    manifest_deinit(&manifest);
    return true;
}

/* ---- the outcome of the offsets ---- */

static int64_t offsets_of(const struct range_outcome *counts) {
    return range_outcome_accepted(counts) + counts->rejects + counts->absent + counts->lost;
}

static void take_changes(const struct changes *changes, struct inspection *inspection) {
    inspection->change_count = changes->count;
    inspection->changes = must_alloc(changes->count + 1, sizeof *inspection->changes);
    for (size_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->changes[i];
        inspection->changes[i] =
            (struct inspected_change){.number = change->number,
                                      .kind = change->kind,
                                      .of_rejects = change->of_rejects,
                                      .finished = change->number != changes->unfinished,
                                      .batch_id = change->batch_id,
                                      .made_ms = change->made_ms,
                                      .left = (int64_t)change->left.count,
                                      .added = (int64_t)change->added.count,
                                      .gone = change->gone.count};
    }
}

static bool read_outcomes(struct store *store, struct inspection *inspection, struct error *err) {
    struct snapshot snapshot;
    if (!snapshot_take(store, &snapshot, err))
        return false;
    inspection->outcomes_read = true;
    inspection->folded = snapshot.outcomes.through;
    inspection->counts_rows = snapshot.outcomes.counts_rows;
    inspection->incarnation = snapshot_newest(&snapshot);
    memcpy(inspection->topic_id, snapshot.topic_id, sizeof inspection->topic_id);
    inspection->partition_count = snapshot.range_count;
    inspection->partitions = must_alloc(snapshot.range_count, sizeof *inspection->partitions);
    for (size_t i = 0; i < snapshot.range_count; i++) {
        struct inspected_partition *partition = &inspection->partitions[i];
        const struct snapshot_range *range = &snapshot.ranges[i];
        *partition = (struct inspected_partition){.incarnation = range->incarnation,
                                                  .partition = range->partition,
                                                  .start = range->start,
                                                  .end = range->end};
        for (size_t j = 0; j < snapshot.outcomes.count; j++)
            if (snapshot.outcomes.ranges[j].incarnation == range->incarnation &&
                snapshot.outcomes.ranges[j].range.partition == range->partition)
                range_outcome_add(&partition->counts, &snapshot.outcomes.ranges[j]);
        partition->expired =
            resolved_count_of(&snapshot.expired, range->incarnation, range->partition);
        partition->accepted =
            resolved_count_of(&snapshot.accepted, range->incarnation, range->partition);
        partition->unproven = range->end - range->start - offsets_of(&partition->counts);
    }
    take_changes(&snapshot.changes, inspection);
    snapshot_deinit(&snapshot);
    return true;
}

/* ---- table and start ---- */

static bool read_sink_log(struct store *store, struct inspection *inspection, struct error *err) {
    struct sink_log *log = &store->sink_log;
    if (!sink_log_open(log, store->options.table, err))
        return false;
    inspection->sink_log_read = true;
    inspection->sink_log = log->exists;
    inspection->logged = log->newest;
    inspection->compacted = log->newest_compact;
    inspection->interval = log->interval;
    return true;
}

static void read_owner(const struct store *store, struct inspection *inspection) {
    const struct table *table = &store->table;
    if (!table->has_owner)
        return;
    memcpy(inspection->owner, table->owner_query, sizeof inspection->owner);
    inspection->owner_checkpoint = text_copy(table->owner_checkpoint);
}

static bool read_start(struct store *store, struct inspection *inspection, struct error *err) {
    static const char *const words[] = {
        [RECOVER_STOP] = "the next start fails and changes nothing",
        [RECOVER_REFUSE] = "the next start refuses these settings and changes nothing",
        [RECOVER_CHANGE] = "the next start finishes that change",
        [RECOVER_TAKE_BACK] = "the next start removes this program's files of that batch",
        [RECOVER_ROLL_FORWARD] = "the next start finishes that batch",
        [RECOVER_FINISH] = "the next start writes its commit",
        [RECOVER_START] = "the next start begins at STARTING_OFFSETS",
        [RECOVER_RUN_AGAIN] = "the next start runs that batch again",
        [RECOVER_RUN_NEXT] = "the next start plans the next batch",
    };
    struct survey survey = {0};
    if (!survey_take(store, &survey, err))
        return false;
    const struct recovery_case *found = recovery_decide(&survey);
    inspection->rewinding = survey.rewinding;
    inspection->state = found->state;
    inspection->next = words[found->action];
    inspection->cure = found->cure;
    return true;
}

/* A plan that moves the positions to another topic, and is refused with FAIL_ON_DATA_LOSS. */
static bool moves(const struct store *store, int64_t planned) {
    struct incarnations begun = {0};
    struct error ignored;
    bool found = planned >= 0 &&
                 checkpoint_find_begun(&store->checkpoint, planned, planned, &begun, &ignored);
    bool does_move = found && begun.count > 0;
    incarnations_deinit(&begun);
    return does_move;
}

/* What is not committed is newer than the newest manifest; but until a move to another topic is
 * committed, the rows are those of the former one. A plan that cannot be read is noted by then. */
static bool read_identity(const struct store *store, struct inspection *inspection,
                          struct error *err) {
    struct topic_identity note;
    struct error ignored;
    char planned_id[TOPIC_ID_MAX];
    if (!kafka_note_read(store->options.checkpoint, &note, err))
        return false;
    memcpy(inspection->kafka_id, note.cluster_id, sizeof inspection->kafka_id);
    int64_t planned = inspection->plans.newest;
    bool is_open = planned < 0 || planned > inspection->commits.newest;
    if (is_open && !moves(store, planned) &&
        recovery_planned_id(store, planned, planned_id, &ignored) && planned_id[0] != '\0')
        memcpy(inspection->topic_id, planned_id, sizeof inspection->topic_id);
    return true;
}

static void read_all(struct store *store, struct inspection *inspection) {
    const struct checkpoint *checkpoint = &store->checkpoint;
    struct error err;
    memcpy(inspection->query_id, checkpoint->query_id, sizeof inspection->query_id);
    note(inspection, read_extent(&checkpoint->offsets, &inspection->plans, &err), &err);
    note(inspection, read_extent(&checkpoint->commits, &inspection->commits, &err), &err);
    note(inspection, read_extent(&checkpoint->manifests, &inspection->manifests, &err), &err);
    note(inspection, read_sink_log(store, inspection, &err), &err);
    // Before the plan is read: it decides what is said of a damaged one.
    checkpoint_set_uncommitted(&store->checkpoint, inspection->commits.newest,
                               inspection->manifests.newest, inspection->logged);
    note(inspection, read_plan(checkpoint, inspection, &err), &err);
    note(inspection, read_commit(checkpoint, inspection, &err), &err);
    note(inspection, read_manifest(store, inspection, &err), &err);
    note(inspection, read_outcomes(store, inspection, &err), &err);
    read_owner(store, inspection);
    note(inspection, read_identity(store, inspection, &err), &err);
    note(inspection, declaration_check(&store->options, &err), &err);
    note(inspection,
         run_note_read(store->options.checkpoint, &inspection->cluster, &inspection->on_cluster,
                       &err),
         &err);
    // While a query runs, what is between two steps of it looks like a crash.
    if (!inspection->locked)
        note(inspection, read_start(store, inspection, &err), &err);
}

/* Whether batches were taken back since a log was read; with `any`, or others came or went. */
static bool has_moved(const struct file_path *log, const struct log_extent *extent, bool any) {
    struct log_extent now;
    struct error ignored;
    if (!read_extent(log, &now, &ignored))
        return false;
    return now.newest < extent->newest ||
           (any && (now.newest != extent->newest || now.count != extent->count));
}

/* *moved: what was read does not fit together, because it changed meanwhile. */
static void read_store(struct store *store, struct inspection *inspection, bool *moved) {
    const struct checkpoint *checkpoint = &store->checkpoint;
    read_all(store, inspection);
    // Batches that came meanwhile do no harm, unless they are why something could not be read.
    bool faulty = inspection->fault_count > 0;
    *moved = has_moved(&checkpoint->offsets, &inspection->plans, faulty) ||
             has_moved(&checkpoint->commits, &inspection->commits, faulty) ||
             has_moved(&checkpoint->manifests, &inspection->manifests, faulty);
}

static bool inspect_once(const struct store_options *options, struct inspection *inspection,
                         bool *moved, struct error *err) {
    struct error failure;
    struct store *store;
    static const struct log_extent unknown = {.first = -1, .newest = -1, .unknown = true};
    static const struct log_extent none = {.first = -1, .newest = -1};
    *inspection = (struct inspection){.plans = unknown,
                                      .commits = unknown,
                                      .manifests = unknown,
                                      .folded = -1,
                                      .logged = -1,
                                      .compacted = -1,
                                      .table = text_copy(options->table),
                                      .rejects_table = text_copy(options->rejects)};
    struct file_path metadata = file_join(options->checkpoint, "metadata");
    int there = file_exists(metadata.text, NULL, err);
    bool ok = there >= 0 &&
              checkpoint_holder(options->checkpoint, &inspection->locked, inspection->holder, err);
    if (!ok)
        return false;
    inspection->there = there == 1;
    if (!inspection->there) { // so there is nothing, which is known
        inspection->plans = inspection->commits = inspection->manifests = none;
        inspection->opened = inspection->outcomes_read = inspection->sink_log_read = true;
        return true;
    }
    inspection->opened = store_open_to_read(options, &store, &failure);
    if (inspection->opened) {
        read_store(store, inspection, moved);
        store_close(store);
    } else {
        note(inspection, false, &failure);
    }
    return true;
}

/* How often it is read again because a query runs meanwhile. */
enum { READINGS_MAX = 20 };

bool inspect(const struct store_options *options, struct inspection *inspection,
             struct error *err) {
    struct rewind_watch watch;
    rewind_watch_init(&watch, options->checkpoint);
    for (int reading = 1;; reading++) {
        bool moved = false;
        rewind_watch_begin(&watch);
        bool ok = inspect_once(options, inspection, &moved, err);
        moved = rewind_watch_has_moved(&watch) || moved;
        if (ok && (!moved || reading == READINGS_MAX))
            return true;
        inspection_deinit(inspection);
        if (!ok)
            return false;
    }
}
