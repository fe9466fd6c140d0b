/* recover.c: a start looks, decides by the table, acts, and looks again, until the next batch can
 * run.
 *
 * Nothing is made or removed while anything on disk is in doubt: a state that is refused is left as
 * it was found. Each action is repeatable, so that a start may be killed, too. Once the state is
 * settled, the positions are read, what uncommitted batches staged is removed, and files that a
 * crash of Spark left in the table are set aside. */
#include "streaming/recovery/recover.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "streaming/changes/change_steps.h"
#include "streaming/history/history.h"
#include "streaming/recovery/later_files.h"
#include "streaming/recovery/orphans.h"
#include "streaming/recovery/recovery_table.h"
#include "streaming/store/batch_steps.h"
#include "streaming/store/checkpoint_notes.h"
#include "streaming/store/coverage.h"
#include "streaming/table/staging.h"

/* Every action that is followed by another look makes progress that the next one sees: a manifest
 * taken back or rolled forward, a commit written, a change finished. More rounds than this are a
 * bug of ours. */
enum { ROUNDS_MAX = 8 };

static void add_note(struct recovery *recovery, const char *format, ...) PRINTF_LIKE(2, 3);

static void add_note(struct recovery *recovery, const char *format, ...) {
    if (recovery->note_count == RECOVERY_NOTES_MAX)
        return;
    va_list args;
    va_start(args, format);
    int size = vasprintf(&recovery->notes[recovery->note_count], format, args);
    va_end(args);
    check(size >= 0);
    recovery->note_count++;
}

void recovery_deinit(struct recovery *recovery) {
    for (size_t i = 0; i < recovery->note_count; i++)
        free(recovery->notes[i]);
    free(recovery->open_plan.ranges);
    free(recovery->starts);
    incarnations_deinit(&recovery->begun);
    *recovery = (struct recovery){0};
}

static bool refuse(const struct store *store, const struct survey *survey,
                   const struct recovery_case *found, struct error *err) {
    char owner[512] = "";
    const struct table *table = table_has_other_owner(&store->table, store->checkpoint.query_id)
                                    ? &store->table
                                    : &store->rejects;
    if (survey->owned_by_other)
        (void)snprintf(owner, sizeof owner, " ('%s' says '%s')", table->root.text,
                       table->owner_checkpoint);
    return error_set(err, found->action == RECOVER_REFUSE ? ERROR_CONFIG : ERROR_STATE,
                     "checkpoint '%s', table '%s': %s%s. Newest batches: plan %" PRId64
                     ", commit %" PRId64 ", manifest %" PRId64 ", sink log %" PRId64 ". To fix: %s",
                     store->options.checkpoint, store->options.table, found->state, owner,
                     survey->planned, survey->committed, survey->manifest, survey->logged,
                     found->cure);
}

/* First of all files, so that a batch that cannot be finished is left as it was found. */
static bool finish(struct store *store, const struct manifest *manifest, struct error *err) {
    if (!table_check_staged(&store->table, manifest->batch_id, &manifest->files, err) ||
        !table_check_staged(&store->rejects, manifest->batch_id, &manifest->rejects, err))
        return error_wrap(err, "batch %" PRId64 " is committed, but cannot be finished",
                          manifest->batch_id);
    return store_roll_forward(store, manifest, err);
}

static bool with_manifest(struct store *store, int64_t batch_id, enum recovery_action action,
                          struct error *err) {
    struct manifest manifest;
    if (!store_read_manifest(store, batch_id, &manifest, err))
        return false;
    bool ok = action == RECOVER_TAKE_BACK ? store_take_back(store, &manifest, err)
                                          : finish(store, &manifest, err);
    manifest_deinit(&manifest);
    return ok;
}

static bool act(struct store *store, const struct survey *survey, enum recovery_action action,
                struct recovery *recovery, struct error *err) {
    switch (action) {
    case RECOVER_CHANGE:
        add_note(recovery, "A change of the table (a compaction or an expiry) was recorded; "
                           "finishing it");
        return change_finish(store, err);
    case RECOVER_TAKE_BACK:
        add_note(recovery,
                 "Batch %" PRId64 " was committed by this program and run again by Spark; removing "
                 "this program's files of it",
                 survey->manifest);
        return with_manifest(store, survey->manifest, action, err);
    case RECOVER_ROLL_FORWARD:
        add_note(recovery, "Batch %" PRId64 " was committed; rolling it forward", survey->manifest);
        return with_manifest(store, survey->manifest, action, err);
    case RECOVER_FINISH:
        add_note(recovery, "Batch %" PRId64 " is in the sink log; writing its commit",
                 survey->planned);
        return checkpoint_write_commit(&store->checkpoint, survey->planned, err);
    case RECOVER_STOP:
    case RECOVER_REFUSE:
    case RECOVER_START:
    case RECOVER_RUN_AGAIN:
    case RECOVER_RUN_NEXT:
        break;
    }
    check(false && "not an action that changes the disk");
    return false;
}

static bool is_last(enum recovery_action action) {
    return action == RECOVER_START || action == RECOVER_RUN_AGAIN || action == RECOVER_RUN_NEXT;
}

static bool is_refusal(enum recovery_action action) {
    return action == RECOVER_STOP || action == RECOVER_REFUSE;
}

/* False: the state on disk would be refused. */
static bool is_possible(struct store *store, struct error *err) {
    struct survey survey;
    if (!survey_take(store, &survey, err))
        return false;
    const struct recovery_case *found = recovery_decide(&survey);
    return !is_refusal(found->action) || refuse(store, &survey, found, err);
}

/* A table without files has had some, if a batch wrote them: in all of its batches they have the
 * same partition columns. What cannot be read is reported by what reads it next. */
static bool check_manifests(const struct store *store, struct error *err) {
    const struct store_options *options = &store->options;
    struct error ignored;
    int64_t *batches;
    size_t count;
    bool ok = true, found = false;
    if (!file_list_numbers(store->checkpoint.manifests.text, "", &batches, &count, err))
        return false;
    for (size_t i = count; ok && !found && i-- > 0;) {
        struct manifest manifest = {0};
        if (!store_read_manifest(store, batches[i], &manifest, &ignored))
            break;
        found = manifest.files.count > 0;
        ok = !found || table_check_file(manifest.files.files[0].path, options->partition_by,
                                        options->partition_by_count, err);
        manifest_deinit(&manifest);
    }
    free(batches);
    return ok;
}

/* A missing checkpoint must not be created, not even with a lock, for a table that would be
 * refused. */
static bool open_checkpoint(struct store *store, struct error *err) {
    const struct store_options *options = &store->options;
    if (!table_check_partitions(&store->table, options->partition_by, options->partition_by_count,
                                err))
        return false;
    int there = file_exists(options->checkpoint, NULL, err);
    return there >= 0 && (there == 1 || is_possible(store, err)) &&
           checkpoint_open(&store->checkpoint, err) && check_manifests(store, err);
}

bool recovery_open(const struct store_options *options, struct store **store, struct error *err) {
    return store_open_with(options, open_checkpoint, store, err);
}

/* A plan's id, unless it is that of another cluster: `adopt --cluster` has changed the note since.
 */
static bool read_plan_id(const struct store *store, int64_t planned, const char *cluster_id,
                         char id[static TOPIC_ID_MAX], struct error *err) {
    struct offset_entry entry = {0};
    if (!checkpoint_read_ends(&store->checkpoint, planned, &entry, err))
        return false;
    if (strcmp(entry.identity.cluster_id, cluster_id) == 0)
        memcpy(id, entry.identity.topic_id, TOPIC_ID_MAX);
    offset_entry_deinit(&entry);
    return true;
}

bool recovery_planned_id(const struct store *store, int64_t planned, char id[static TOPIC_ID_MAX],
                         struct error *err) {
    struct topic_identity note;
    id[0] = '\0';
    if (!kafka_note_read(store->options.checkpoint, &note, err))
        return false;
    if (planned >= 0)
        return read_plan_id(store, planned, note.cluster_id, id, err);
    memcpy(id, note.topic_id, TOPIC_ID_MAX);
    return true;
}

static bool fill_open_plan(const struct store *store, const struct survey *survey,
                           struct recovery *recovery, struct error *err) {
    int64_t batch_id = survey->planned;
    if (!checkpoint_read_plan(&store->checkpoint, batch_id, &recovery->open_plan, err) ||
        !recovery_planned_id(store, batch_id, recovery->planned_id, err))
        return false;
    add_note(recovery,
             survey->plan_is_empty
                 ? "Batch %" PRId64 " was planned for a replay of rejects (without offsets) and "
                   "not committed; its rejects are still unresolved"
                 : "Batch %" PRId64 " was planned but not committed; it will run again",
             batch_id);
    recovery->has_open_plan = true;
    recovery->next_batch = batch_id;
    return true;
}

static void set_starts(const struct offsets *offsets, struct recovery *recovery) {
    recovery->starts = must_alloc(offsets->count, sizeof *recovery->starts);
    recovery->start_count = offsets->count;
    for (size_t i = 0; i < offsets->count; i++) {
        struct partition_offset next = offsets->entries[i];
        recovery->starts[i] = (struct offset_range){next.partition, next.offset, next.offset};
    }
}

/* The query's position before the open plan. */
static bool fill_former_starts(const struct store *store, int64_t batch_id,
                               struct recovery *recovery, struct error *err) {
    struct offset_entry entry = {0};
    if (!checkpoint_read_starts(&store->checkpoint, batch_id, &entry, err))
        return false;
    set_starts(&entry.ends, recovery);
    offset_entry_deinit(&entry);
    return true;
}

/* After a rewind among batches of Spark's the newest manifest may be one that is folded. */
static bool take_folded(const struct store *store, struct recovery *recovery, struct error *err) {
    struct coverage coverage = {0};
    bool found;
    bool ok = coverage_read(store, &coverage, &found,
                            err); // the lock is ours: nobody else merges meanwhile
    const struct incarnations *all = &coverage.incarnations;
    if (ok && all->count > 0)
        recovery->incarnation = (struct incarnation){
            .number = (int32_t)all->count, .since_ms = all->begins[all->count - 1].since_ms};
    coverage_deinit(&coverage);
    return ok;
}

static bool fill_incarnation(const struct store *store, const struct survey *survey,
                             struct recovery *recovery, struct error *err) {
    recovery->incarnation = survey->incarnation;
    int64_t folded, last = survey->manifest;
    if (!checkpoint_newest(&store->checkpoint.coverage, &folded, err) ||
        (folded >= last && !take_folded(store, recovery, err)))
        return false;
    last = folded > last ? folded : last;
    return checkpoint_find_begun(&store->checkpoint, last + 1, survey->planned, &recovery->begun,
                                 err);
}

static bool fill_starts(const struct store *store, int64_t newest, struct recovery *recovery,
                        struct error *err) {
    struct offset_entry entry;
    if (!checkpoint_read_ends(&store->checkpoint, newest, &entry, err))
        return false;
    recovery->next_batch = newest + 1;
    set_starts(&entry.ends, recovery);
    offset_entry_deinit(&entry);
    return true;
}

/* A query that found nothing to do when it first started still begins where it stood then: with
 * STARTING_OFFSETS=latest, what came between two starts would be lost otherwise. */
static bool fill_initial(const struct store *store, struct recovery *recovery, struct error *err) {
    struct offset_entry entry = {0};
    bool found = false;
    if (!checkpoint_read_initial(&store->checkpoint, &entry, &found, err))
        return false;
    recovery->new_query = !found;
    if (found)
        set_starts(&entry.ends, recovery);
    offset_entry_deinit(&entry);
    return !found || recovery_planned_id(store, -1, recovery->planned_id, err);
}

/* A signature may promise a sink log that SINK_LOG=off does without: one that was removed, or that
 * a command promised before the first batch. Commands go by the signature, not by the setting. */
static bool take_promise_back(struct store *store, const struct survey *survey, struct error *err) {
    if (survey->sink_log != SINK_LOG_OFF || !store->table.owner_sink_log)
        return true;
    return table_sign(&store->table, store->checkpoint.query_id, store->options.checkpoint, false,
                      err);
}

/* Only now, when nothing on disk is in doubt, is anything made or removed. */
static bool prepare(struct store *store, const struct survey *survey, struct error *err) {
    const char *checkpoint = store->options.checkpoint;
    const char *id = store->checkpoint.query_id;
    bool fresh;
    // The tables are claimed before anything in them is removed.
    return checkpoint_create(&store->checkpoint, err) &&
           table_claim(&store->table, id, checkpoint, survey->sink_log_on, err) &&
           table_claim(&store->rejects, id, checkpoint, false, err) &&
           take_promise_back(store, survey, err) && store_lock_tables(store, &fresh, err) &&
           table_unstage_all(&store->table, err) && table_unstage_all(&store->rejects, err) &&
           checkpoint_sweep(&store->checkpoint, survey->planned, err) &&
           change_sweep_prepared(store, err) && sink_log_sweep(&store->sink_log, err);
}

/* Before old plans are removed; a new query has nothing to note. */
static bool note_history(const struct store *store) {
    if (store->checkpoint.has_metadata)
        history_keep(store, true);
    return true;
}

static bool look_for_orphans(struct store *store, const struct survey *survey,
                             struct recovery *recovery, struct error *err) {
    struct orphan_report report;
    const struct plan *plan = recovery->has_open_plan ? &recovery->open_plan : NULL;
    if (!orphans_set_aside(store, plan, survey->manifest, &report, err))
        return false;
    if (report.moved > 0)
        add_note(recovery,
                 "%s that a crash of Spark left in '%s' %s moved to its directory _orphans; the "
                 "records are in other files, or in the batch that runs again",
                 text_count((int64_t)report.moved, "file").text, store->options.table,
                 report.moved == 1 ? "was" : "were");
    if (report.left > 0)
        add_note(recovery,
                 "%s in '%s' %s not in its sink log, such as '%s'; they were not written by this "
                 "query and stay unchanged",
                 text_count((int64_t)report.left, "file").text, store->options.table,
                 report.left == 1 ? "is" : "are", report.left_path);
    recovery->orphans_unknown = report.too_many;
    if (report.too_many)
        add_note(recovery, "'%s' has too many new files to look for orphans", store->options.table);
    orphan_report_deinit(&report);
    return true;
}

/* Reads the query's position in a settled state. */
static bool fill(const struct store *store, const struct survey *survey,
                 enum recovery_action action, struct recovery *recovery, struct error *err) {
    bool ok = action == RECOVER_START ? fill_initial(store, recovery, err)
              : action == RECOVER_RUN_AGAIN
                  ? fill_open_plan(store, survey, recovery, err) &&
                        fill_former_starts(store, survey->planned, recovery, err)
                  : fill_starts(store, survey->planned, recovery, err);
    return ok && fill_incarnation(store, survey, recovery, err);
}

bool recovery_preview(struct store *store, struct recovery *recovery, bool *settled,
                      struct error *err) {
    struct survey survey;
    *recovery = (struct recovery){0};
    if (!survey_take(store, &survey, err))
        return false;
    const struct recovery_case *found = recovery_decide(&survey);
    if (is_refusal(found->action))
        return refuse(store, &survey, found, err);
    *settled = is_last(found->action);
    if (found->action == RECOVER_CHANGE)
        add_note(recovery, "A change of the table (a compaction or an expiry) was recorded; first, "
                           "it would be finished");
    else if (found->action == RECOVER_FINISH)
        add_note(recovery,
                 "Batch %" PRId64 " is in the sink log; first, its commit would be written",
                 survey.planned);
    else if (!*settled)
        add_note(recovery, "Batch %" PRId64 " was committed; first, %s", survey.manifest,
                 found->action == RECOVER_TAKE_BACK
                     ? "this program's files of it would be removed, because Spark has run it again"
                     : "it would be rolled forward");
    bool ok = !*settled || fill(store, &survey, found->action, recovery, err);
    if (!ok)
        recovery_deinit(recovery);
    return ok;
}

static bool refuse_later_files(const struct store *store, const struct survey *survey,
                               const struct recovery *recovery, struct error *err) {
    const struct later_position position = {
        .starts = recovery->starts,
        .start_count = recovery->start_count,
        .open_plan = recovery->has_open_plan ? &recovery->open_plan : NULL,
        .manifest = survey->manifest};
    return later_files_refuse(store, &position, err);
}

/* What a batch that is finished will look like. */
static struct survey once_finished(const struct survey *survey, enum recovery_action action) {
    struct survey then = *survey;
    int64_t batch = action == RECOVER_FINISH ? survey->planned : survey->manifest;
    then.committed = then.committed > batch ? then.committed : batch;
    if (action != RECOVER_ROLL_FORWARD)
        return then;
    then.manifest_done = true;
    then.manifest_commit = COMMIT_OURS;
    then.manifest_in_log = SINK_LOG_NAMES_THESE;
    if (then.sink_log_on && then.logged < batch)
        then.logged = batch;
    return then;
}

/* A batch is not finished in a state that would be refused afterwards, which must be left as it was
 * found. */
static bool may_finish(const struct store *store, const struct survey *survey,
                       enum recovery_action action, struct error *err) {
    if (action != RECOVER_ROLL_FORWARD && action != RECOVER_FINISH)
        return true;
    const struct survey then = once_finished(survey, action);
    const struct recovery_case *next = recovery_decide(&then);
    if (is_refusal(next->action))
        return refuse(store, survey, next, err);
    struct recovery position = {0};
    bool ok = !is_last(next->action) || (fill(store, &then, next->action, &position, err) &&
                                         refuse_later_files(store, &then, &position, err));
    recovery_deinit(&position);
    return ok;
}

static bool settle(struct store *store, struct survey *survey, enum recovery_action *action,
                   struct recovery *recovery, struct error *err) {
    for (int round = 0; round < ROUNDS_MAX; round++) {
        if (!survey_take(store, survey, err))
            return false;
        const struct recovery_case *found = recovery_decide(survey);
        bool fresh;
        *action = found->action;
        if (is_refusal(*action))
            return refuse(store, survey, found, err);
        // Only now: a state that is refused is left as it was found.
        if (!store_lock_tables(store, &fresh, err))
            return false;
        if (fresh)
            continue;
        store->sink_log_on = survey->sink_log_on;
        if (is_last(*action))
            return true;
        if (!may_finish(store, survey, *action, err) || !act(store, survey, *action, recovery, err))
            return false;
    }
    check(false && "recovery comes to an end");
    return false;
}

bool recover(struct store *store, struct recovery *recovery, struct error *err) {
    struct survey survey;
    enum recovery_action action;
    *recovery = (struct recovery){0};
    // Until all is done, closing the store must not tidy up.
    store->recovered = false;
    bool ok = checkpoint_sync_names(&store->checkpoint, err) &&
              settle(store, &survey, &action, recovery, err) &&
              fill(store, &survey, action, recovery, err) &&
              refuse_later_files(store, &survey, recovery, err) && note_history(store) &&
              prepare(store, &survey, err) && look_for_orphans(store, &survey, recovery, err);
    if (!ok) {
        recovery_deinit(recovery);
        return false;
    }
    store->recovered = true;
    recovery->sink_log = survey.sink_log_on;
    recovery->table_unlogged = survey.sink_log == SINK_LOG_AUTO && !survey.sink_log_on;
    return true;
}
