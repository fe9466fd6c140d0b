/* survey.c: how a start looks at the disk.
 *
 * The newest number in each log comes first: what is newer than all that counts may be damaged
 * without harm. Then the newest plan and the newest manifest are read, and what the sink log says
 * of that manifest's files: these three tell in which step of a batch the last process ended, and
 * whether Spark has gone on since. The sink log is read at both ends only, unless its end does not
 * name the manifest's files. Files of the manifest that have left the table with a change of it
 * (streaming/changes/changes.h) are not looked for. While a change is recorded and not finished
 * nothing else is looked at: the log and the directories may be on different sides of it. */
#include "streaming/recovery/survey.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "streaming/changes/changes.h"
#include "streaming/recovery/batch_without_manifest.h"
#include "streaming/sink_log/sink_log.h"
#include "streaming/sink_log/sink_log_file.h"
#include "streaming/table/staging.h"

static bool survey_sink_log(struct store *store, struct survey *survey, struct error *err) {
    if (!sink_log_open(&store->sink_log, store->options.table, err) ||
        !table_has_files(&store->table, store->options.partition_by_count, &survey->table_has_files,
                         err))
        return false;
    survey->sink_log = store->options.sink_log;
    survey->logged = store->sink_log.newest;
    survey->sink_log_there = store->sink_log.exists;
    survey->sink_log_promised = store->table.has_owner && store->table.owner_sink_log;

    // A table that has a log continues with it; a new one gets one. Once a table is ours, its
    // signature says what was decided, even if the log has nothing yet.
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

static bool set_disagreement(const struct store *store, int64_t batch_id, struct error *err) {
    return error_set(
        err, ERROR_STATE,
        "'%s/%" PRId64
        "' and its plan in '%s' end at different offsets: restore both from one backup",
        store->checkpoint.manifests.text, batch_id, store->checkpoint.offsets.text);
}

/* The newest plan begins where the plan of the newest manifest ends. What Spark has forgotten is
 * not needed any more. */
static bool check_former_plan(const struct store *store, const struct manifest *manifest,
                              struct error *err) {
    struct offset_entry plan = {0};
    bool found = false;
    if (!checkpoint_read_offsets(&store->checkpoint, manifest->batch_id, &plan, &found, err))
        return false;
    bool agrees = !found || agrees_with_plan(manifest, &plan);
    offset_entry_deinit(&plan);
    return agrees || set_disagreement(store, manifest->batch_id, err);
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
    if (manifest->files.count ==
        0) // its file in the log may list what others have added, as after `adopt`
        *listed = true;
    return *listed || sink_log_has_all(log, &manifest->files, listed, err);
}

static bool look_in_log(struct store *store, struct survey *survey, const struct manifest *manifest,
                        struct error *err) {
    const struct sink_log *log = &store->sink_log;
    if (!survey->manifest_done)
        return sink_log_confirm(log, survey->manifest, &manifest->files, &survey->manifest_in_log,
                                err);
    bool listed = true;
    if (survey->manifest == survey->logged && !is_listed(log, manifest, &listed, err))
        return false;
    if (!listed)
        survey->manifest_in_log = SINK_LOG_NAMES_SOME;
    return true;
}

/* Takes the files that have left the table out of the list. */
static size_t drop_left(const struct changes *changes, bool of_rejects, struct file_list *files) {
    size_t kept = 0, count = files->count;
    for (size_t i = 0; i < count; i++) {
        struct data_file file = files->files[i];
        if (changes_fate(changes, of_rejects, file.path, NULL) == FILE_STAYED) {
            files->files[kept++] = file;
            continue;
        }
        free(file.path);
        free(file.staged);
    }
    files->count = kept;
    return count - kept;
}

/* A file leaves only after its batch was finished: then a staging directory is one whose removal a
 * power cut has undone. */
static bool apply_changes(struct store *store, struct survey *survey, struct manifest *manifest,
                          struct error *err) {
    struct changes changes;
    if (!changes_read(store, &changes, err))
        return false;
    size_t left = drop_left(&changes, false, &manifest->files);
    left += drop_left(&changes, true, &manifest->rejects);
    if (left > 0)
        survey->manifest_done = survey->manifest_commit != COMMIT_MISSING;
    changes_deinit(&changes);
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
    if (!store_read_manifest(store, survey->manifest, &manifest, err))
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
        ok = set_disagreement(store, survey->manifest, err);
    else
        ok = (survey->manifest == survey->planned || check_former_plan(store, &manifest, err)) &&
             apply_changes(store, survey, &manifest, err) &&
             look_in_log(store, survey, &manifest, err);
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

static bool survey_changes(const struct store *store, struct survey *survey, struct error *err) {
    scoped(scope_free) int64_t *open = NULL;
    scoped(scope_free) int64_t *all = NULL;
    size_t open_count, count;
    if (!file_list_numbers(store->checkpoint.changes.text, ".open", &open, &open_count, err) ||
        !changes_numbers(store, &all, &count, err))
        return false;
    survey->changing = open_count > 0;
    survey->changed_since = changes_are_behind(store, count == 0 ? -1 : all[count - 1]);
    return true;
}

static bool check_sink_log(struct store *store, struct survey *survey, struct error *err) {
    return sink_log_check(&store->sink_log, err) &&
           sink_log_is_elsewhere(&store->sink_log, store->options.partition_by_count,
                                 &survey->log_elsewhere, err);
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
        "the newest file of the sink log is damaged. Restore it from a backup; or remove it%s%s%s "
        "(and the hidden .crc file of each, if any) and start again: %s",
        ours && !open ? " and '" : "",
        ours && !open ? file_join_number(store->checkpoint.commits.text, survey->logged).text : "",
        ours && !open ? "'" : "",
        ours ? "it is written again from the manifest"
             : "its batch is not committed and is run again");
}

static bool survey_batch_without_manifest(const struct store *store, struct survey *survey,
                                          struct error *err) {
    const struct newest_batches newest = {.planned = survey->planned,
                                          .committed = survey->committed,
                                          .manifest = survey->manifest,
                                          .logged = survey->sink_log_on ? survey->logged : -1};
    struct batch_without_manifest batch;
    if (!batch_without_manifest_look(store, &newest, &batch, err))
        return false;
    survey->manifest_lost = batch.is_ours;
    survey->logged_files_missing = batch.has_missing_file;
    return true;
}

static bool look_at_logs(struct store *store, struct survey *survey, struct error *err) {
    return (survey_newest(store, survey, err) && check_sink_log(store, survey, err) &&
            survey_batch_without_manifest(store, survey, err)) ||
           explain_newest_log(store, survey, err);
}

bool survey_take(struct store *store, struct survey *survey, struct error *err) {
    *survey = (struct survey){.has_metadata = store->checkpoint.has_metadata};
    const char *id = store->checkpoint.query_id;
    survey->owned_by_other =
        table_has_other_owner(&store->table, id) || table_has_other_owner(&store->rejects, id);
    if (!survey_rewind(store, survey, err) || !survey_changes(store, survey, err) ||
        !survey_plans(store, survey, err) || !survey_sink_log(store, survey, err))
        return false;
    checkpoint_set_uncommitted(&store->checkpoint, survey->committed, survey->manifest,
                               survey->logged);
    return survey->rewinding || survey->owned_by_other || survey->changed_since ||
           survey->changing || survey->planned < 0 || look_at_logs(store, survey, err);
}
