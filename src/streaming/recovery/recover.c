#include "streaming/recovery/recover.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "streaming/recovery/orphans.h"
#include "streaming/sink_log/sink_log_entries.h"
#include "streaming/sink_log/sink_log_file.h"
#include "streaming/store/commit.h"
#include "streaming/store/coverage.h"
#include "streaming/store/store_parts.h"

/* Every action that is followed by another look makes progress that the next one sees: a manifest
 * taken back or rolled forward, a commit written. More rounds than this are a bug of ours. */
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

static bool signed_by_other(const struct table *table, const char *query_id) {
    return table->has_owner && strcmp(table->owner_query, query_id) != 0;
}

static bool survey_sink_log(struct store *store, struct survey *survey, struct error *err) {
    if (!sink_log_open(&store->sink_log, store->options.table, err) ||
        !table_has_files(&store->table, store->options.partition_by_count, &survey->table_has_files,
                         err))
        return false;
    survey->sink_log = store->options.sink_log;
    survey->logged = store->sink_log.newest;
    survey->sink_log_there = store->sink_log.exists;
    survey->sink_log_promised = store->table.has_owner && store->table.owner_sink_log;

    // A table that has a log goes on with it; a new one gets one. Once a table is ours, its
    // signature remembers what was decided, whatever is or isn't in it yet.
    bool automatic = survey->sink_log_there || (store->table.has_owner ? survey->sink_log_promised
                                                                       : !survey->table_has_files);
    survey->sink_log_on =
        survey->sink_log == SINK_LOG_AUTO ? automatic : survey->sink_log == SINK_LOG_ON;
    return true;
}

/* A manifest must end each partition where its plan does. */
static bool agrees_with_plan(const struct manifest *manifest, const struct offset_entry *plan) {
    for (size_t i = 0; i < manifest->outcome_count; i++) {
        const struct offset_range *range = &manifest->outcomes[i].range;
        const struct partition_offset *end = offsets_find(&plan->ends, range->partition);
        if (end == NULL || end->offset != range->end)
            return false;
    }
    return true;
}

/* Of a batch that is done: its own file in the log is small, its compact file is known by its end.
 * If they don't tell, the files may be listed elsewhere (`adopt` puts all that there are in one).
 */
static bool is_listed(const struct sink_log *log, const struct manifest *manifest, bool *listed,
                      struct error *err) {
    enum sink_log_names names = SINK_LOG_SILENT;
    bool compact = (manifest->batch_id + 1) % log->interval == 0;
    if (compact ? !sink_log_is_our_compact(log, manifest->batch_id, &manifest->files, listed, err)
                : !sink_log_compare(log, manifest->batch_id, &manifest->files, &names, err))
        return false;
    *listed = compact ? *listed : names == SINK_LOG_NAMES_THESE;
    size_t count = manifest->files.count;
    if (count == 0) // its file in the log may list what others have added, as after `adopt`
        *listed = true;
    if (*listed)
        return true;
    scoped(scope_free) const char **paths = must_alloc(count, sizeof *paths);
    scoped(scope_free) bool *found = must_alloc(count, sizeof *found);
    for (size_t i = 0; i < count; i++)
        paths[i] = manifest->files.files[i].path;
    if (!sink_log_find(log, paths, count, found, err))
        return false;
    *listed = true;
    for (size_t i = 0; i < count; i++)
        *listed = *listed && found[i];
    return true;
}

static bool look_in_log(struct store *store, struct survey *survey, const struct manifest *manifest,
                        struct error *err) {
    const struct sink_log *log = &store->sink_log;
    if (!survey->manifest_done)
        return sink_log_compare(log, survey->manifest, &manifest->files, &survey->manifest_in_log,
                                err);
    bool listed = true;
    if (survey->manifest == survey->logged && !is_listed(log, manifest, &listed, err))
        return false;
    if (!listed)
        survey->manifest_in_log = SINK_LOG_NAMES_SOME;
    return true;
}

static bool compare_manifest(struct store *store, struct survey *survey,
                             const struct offset_entry *plan, struct error *err) {
    bool table_staged, rejects_staged;
    if (!table_is_staged(&store->table, survey->manifest, &table_staged, err) ||
        !table_is_staged(&store->rejects, survey->manifest, &rejects_staged, err) ||
        !checkpoint_commit_author(&store->checkpoint, survey->manifest, &survey->manifest_commit,
                                  err))
        return false;
    struct manifest manifest;
    if (!commit_read(store, survey->manifest, &manifest, err))
        return false;
    bool staged = table_staged || rejects_staged;
    survey->incarnation = manifest.incarnation;
    survey->manifest_of_spark = manifest.of_spark;
    if (manifest.of_spark) { // it only has rejects to be put into place
        survey->manifest_done = !staged;
        manifest_deinit(&manifest);
        return true;
    }
    survey->manifest_done = survey->manifest_commit == COMMIT_OURS && !staged;
    bool ok = true;
    // A replay's takes no offsets: those of a plan that has some would never be read.
    bool strange = manifest.replayed.count > 0 && !survey->plan_is_empty &&
                   survey->committed < survey->planned;
    if (survey->manifest == survey->planned && (strange || !agrees_with_plan(&manifest, plan)))
        ok = error_set(err, ERROR_STATE,
                       "'%s/%" PRId64 "' ends at other offsets than its plan in '%s': restore "
                       "both from one backup",
                       store->checkpoint.manifests.text, survey->manifest,
                       store->checkpoint.offsets.text);
    else
        ok = look_in_log(store, survey, &manifest, err);
    // Killed before commits/N, we may find it written by Spark, which passes over a batch that the
    // sink log has.
    if (ok && survey->sink_log_on && survey->manifest_commit == COMMIT_SPARKS && !staged &&
        survey->manifest_in_log == SINK_LOG_NAMES_THESE)
        survey->manifest_done = true;
    manifest_deinit(&manifest);
    return ok;
}

static bool is_empty(const struct offsets *starts, const struct offsets *ends) {
    for (size_t i = 0; i < ends->count; i++) {
        const struct partition_offset *start = offsets_find(starts, ends->entries[i].partition);
        if (start == NULL || start->offset != ends->entries[i].offset)
            return false;
    }
    return true;
}

static bool survey_emptiness(const struct store *store, struct survey *survey,
                             const struct offset_entry *plan, struct error *err) {
    struct offset_entry starts = {0};
    if (survey->committed >= survey->planned || !survey->has_previous_plan)
        return true;
    if (!checkpoint_read_starts(&store->checkpoint, survey->planned, &starts, err))
        return false;
    survey->plan_is_empty = is_empty(&starts.ends, &plan->ends);
    offset_entry_deinit(&starts);
    return true;
}

/* Reads the newest plan for the sake of its errors, and the newest manifest. */
static bool survey_newest(struct store *store, struct survey *survey, struct error *err) {
    survey->manifest_in_log = SINK_LOG_SILENT;
    if (survey->committed >= 0 &&
        !checkpoint_check_commit(&store->checkpoint, survey->committed, err))
        return false;
    struct offset_entry plan;
    if (!checkpoint_read_ends(&store->checkpoint, survey->planned, &plan, err))
        return false;
    bool ok = survey_emptiness(store, survey, &plan, err) &&
              (survey->manifest < 0 || survey->manifest > survey->planned ||
               compare_manifest(store, survey, &plan, err));
    offset_entry_deinit(&plan);
    return ok;
}

static bool survey_plans(struct store *store, struct survey *survey, struct error *err) {
    const struct checkpoint *checkpoint = &store->checkpoint;
    if (!checkpoint_newest(&checkpoint->offsets, &survey->planned, err) ||
        !checkpoint_newest(&checkpoint->commits, &survey->committed, err) ||
        !checkpoint_newest(&checkpoint->manifests, &survey->manifest, err))
        return false;
    if (survey->planned < 0)
        return true;
    struct file_path previous =
        survey->planned == 0 ? file_join_number(checkpoint->sources.text, 0)
                             : file_join_number(checkpoint->offsets.text, survey->planned - 1);
    int there = file_exists(previous.text, NULL, err);
    survey->has_previous_plan = there == 1;
    return there >= 0;
}

static bool survey_rewind(struct store *store, struct survey *survey, struct error *err) {
    struct file_path path = file_join(store->checkpoint.root.text, CHECKPOINT_REWIND);
    int there = file_exists(path.text, NULL, err);
    survey->rewinding = there == 1;
    return there >= 0;
}

static bool check_sink_log(struct store *store, struct survey *survey, struct error *err) {
    return sink_log_check(&store->sink_log, err) &&
           sink_log_is_elsewhere(&store->sink_log, store->options.partition_by_count,
                                 &survey->log_elsewhere, err);
}

void recovery_note_counting(struct checkpoint *checkpoint, int64_t committed, int64_t manifest,
                            int64_t logged) {
    int64_t newest = committed > manifest ? committed : manifest;
    checkpoint->uncommitted_from = (newest > logged ? newest : logged) + 1;
}

/* The sink log's newest file is damaged: whether it can be written again depends on
 * what else there is of its batch. If it can't, the error stays as it is. */
static bool explain_newest_log(struct store *store, const struct survey *survey,
                               struct error *err) {
    struct error damage;
    struct file_path log = sink_log_path(&store->sink_log, survey->logged);
    bool ours = survey->manifest == survey->logged && survey->planned == survey->logged &&
                !survey->manifest_of_spark;
    bool open = survey->logged == survey->planned && survey->committed < survey->planned;
    if (err->kind != ERROR_STATE || survey->logged < 0 || (!ours && !open) ||
        sink_log_file_check(log.text, &damage) || damage.kind != ERROR_STATE)
        return false;
    *err = damage;
    return error_wrap(
        err,
        "the sink log's newest file is damaged. Restore it from a backup; or remove "
        "it%s%s%s (and the hidden .crc file beside each, if it is there) and start "
        "again: %s",
        ours && !open ? " and '" : "",
        ours && !open ? file_join_number(store->checkpoint.commits.text, survey->logged).text : "",
        ours && !open ? "'" : "",
        ours ? "it is written again, by the manifest"
             : "its batch is not committed, and is run again");
}

static bool look_at_logs(struct store *store, struct survey *survey, struct error *err) {
    return (survey_newest(store, survey, err) && check_sink_log(store, survey, err)) ||
           explain_newest_log(store, survey, err);
}

static bool look(struct store *store, struct survey *survey, struct error *err) {
    *survey = (struct survey){.has_metadata = store->checkpoint.has_metadata};
    const char *id = store->checkpoint.query_id;
    survey->owned_by_other =
        signed_by_other(&store->table, id) || signed_by_other(&store->rejects, id);
    if (!survey_rewind(store, survey, err) || !survey_plans(store, survey, err) ||
        !survey_sink_log(store, survey, err))
        return false;
    recovery_note_counting(&store->checkpoint, survey->committed, survey->manifest, survey->logged);
    return survey->rewinding || survey->owned_by_other || survey->planned < 0 ||
           look_at_logs(store, survey, err);
}

static bool refuse(const struct store *store, const struct survey *survey,
                   const struct recovery_case *found, struct error *err) {
    char owner[512] = "";
    const struct table *table = signed_by_other(&store->table, store->checkpoint.query_id)
                                    ? &store->table
                                    : &store->rejects;
    if (survey->owned_by_other)
        (void)snprintf(owner, sizeof owner, " ('%s' says '%s')", table->root.text,
                       table->owner_checkpoint);
    return error_set(err, found->action == RECOVER_REFUSE ? ERROR_CONFIG : ERROR_STATE,
                     "checkpoint '%s', table '%s': %s%s. Newest batches: plan %" PRId64
                     ", commit %" PRId64 ", manifest %" PRId64 ", sink log %" PRId64 ". Cure: %s",
                     store->options.checkpoint, store->options.table, found->state, owner,
                     survey->planned, survey->committed, survey->manifest, survey->logged,
                     found->cure);
}

static bool with_manifest(struct store *store, int64_t batch_id, enum recovery_action action,
                          struct error *err) {
    struct manifest manifest;
    if (!commit_read(store, batch_id, &manifest, err))
        return false;
    bool ok = action == RECOVER_TAKE_BACK ? commit_take_back(store, &manifest, err)
                                          : commit_roll_forward(store, &manifest, err);
    manifest_deinit(&manifest);
    return ok;
}

static bool act(struct store *store, const struct survey *survey, enum recovery_action action,
                struct recovery *recovery, struct error *err) {
    switch (action) {
    case RECOVER_TAKE_BACK:
        add_note(recovery,
                 "Batch %" PRId64
                 " was committed by us and run again by Spark; our files of it are "
                 "taken back",
                 survey->manifest);
        return with_manifest(store, survey->manifest, action, err);
    case RECOVER_ROLL_FORWARD:
        add_note(recovery, "Batch %" PRId64 " was committed and is rolled forward",
                 survey->manifest);
        return with_manifest(store, survey->manifest, action, err);
    case RECOVER_FINISH:
        add_note(recovery, "Batch %" PRId64 " is in the sink log; its commit is written",
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

bool recovery_look(struct store *store, struct survey *survey, const struct recovery_case **found,
                   struct error *err) {
    if (!look(store, survey, err))
        return false;
    *found = recovery_decide(survey);
    return true;
}

bool recovery_possible(struct store *store, struct error *err) {
    struct survey survey;
    const struct recovery_case *found;
    if (!recovery_look(store, &survey, &found, err))
        return false;
    return !is_refusal(found->action) || refuse(store, &survey, found, err);
}

static bool settle(struct store *store, struct survey *survey, enum recovery_action *action,
                   struct recovery *recovery, struct error *err) {
    for (int round = 0; round < ROUNDS_MAX; round++) {
        const struct recovery_case *found;
        if (!recovery_look(store, survey, &found, err))
            return false;
        *action = found->action;
        if (is_refusal(*action))
            return refuse(store, survey, found, err);
        store->sink_log_on = survey->sink_log_on;
        if (is_last(*action))
            return true;
        if (!act(store, survey, *action, recovery, err))
            return false;
    }
    check(false && "recovery comes to an end");
    return false;
}

static bool fill_open_plan(const struct store *store, const struct survey *survey,
                           struct recovery *recovery, struct error *err) {
    int64_t batch_id = survey->planned;
    if (!checkpoint_read_plan(&store->checkpoint, batch_id, &recovery->open_plan, err))
        return false;
    add_note(recovery,
             survey->plan_is_empty
                 ? "Batch %" PRId64 " was planned without offsets, as a replay of rejects is, and "
                   "not committed: what it was to take is still unresolved"
                 : "Batch %" PRId64 " was planned and not committed; it runs again",
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

/* Where the query stood before the open plan. */
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
    bool ok = coverage_read(store, &coverage, &found, err); // the lock is ours: no fold beside us
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
    return true;
}

/* Only now, when nothing on disk is in doubt, is anything made or removed. */
static bool prepare(struct store *store, const struct survey *survey, struct error *err) {
    const char *checkpoint = store->options.checkpoint;
    const char *id = store->checkpoint.query_id;
    return checkpoint_create(&store->checkpoint, err) &&
           table_claim(&store->table, id, checkpoint, survey->sink_log_on, err) &&
           table_claim(&store->rejects, id, checkpoint, false, err) &&
           table_unstage_all(&store->table, err) && table_unstage_all(&store->rejects, err) &&
           checkpoint_sweep(&store->checkpoint, survey->planned, err) &&
           sink_log_sweep(&store->sink_log, err);
}

static bool look_for_orphans(struct store *store, const struct survey *survey,
                             struct recovery *recovery, struct error *err) {
    struct orphan_report report;
    const struct plan *plan = recovery->has_open_plan ? &recovery->open_plan : NULL;
    if (!orphans_set_aside(store, plan, survey->manifest, &report, err))
        return false;
    if (report.moved > 0)
        add_note(recovery,
                 "%zu files that a crash of Spark left in '%s' were moved to its directory "
                 "_orphans: their records are in other files, or in the batch that runs again",
                 report.moved, store->options.table);
    if (report.left > 0)
        add_note(recovery,
                 "%zu files in '%s' are not in its sink log, such as '%s': they are not of this "
                 "query and were left alone",
                 report.left, store->options.table, report.left_path);
    recovery->orphans_unknown = report.too_many;
    if (report.too_many)
        add_note(recovery, "Too many files in '%s' are new to look for those that don't count",
                 store->options.table);
    orphan_report_deinit(&report);
    return true;
}

bool recover(struct store *store, struct recovery *recovery, struct error *err) {
    struct survey survey;
    enum recovery_action action;
    *recovery = (struct recovery){0};
    bool ok = settle(store, &survey, &action, recovery, err);
    if (ok && action == RECOVER_START)
        ok = fill_initial(store, recovery, err);
    else if (ok && action == RECOVER_RUN_AGAIN)
        ok = fill_open_plan(store, &survey, recovery, err) &&
             fill_former_starts(store, survey.planned, recovery, err);
    else if (ok)
        ok = fill_starts(store, survey.planned, recovery, err);
    ok = ok && fill_incarnation(store, &survey, recovery, err) && prepare(store, &survey, err) &&
         look_for_orphans(store, &survey, recovery, err);
    if (!ok) {
        recovery_deinit(recovery);
        return false;
    }
    recovery->sink_log = survey.sink_log_on;
    recovery->table_unlogged = survey.sink_log == SINK_LOG_AUTO && !survey.sink_log_on;
    return true;
}
