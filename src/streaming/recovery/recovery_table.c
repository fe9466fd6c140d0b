/* recovery_table.c: one table, read from its top: the first case that holds decides.
 *
 * So a case may take for granted that none above it holds, and their order matters: what must be
 * left alone comes before what is repaired, and a batch with a manifest before one without. The
 * last cases leave nothing out: each state has a case. survey.c looks, recover.c acts. */
#include "streaming/recovery/recovery_table.h"

#include "base/check.h"

static bool owned_by_other(const struct survey *s) {
    return s->owned_by_other;
}

static bool log_without_plan(const struct survey *s) {
    return s->planned < 0 && s->logged >= 0;
}

static bool batches_without_plan(const struct survey *s) {
    return s->planned < 0 && (s->committed >= 0 || s->manifest >= 0);
}

static bool changed_since(const struct survey *s) {
    return s->changed_since;
}

static bool rewinding(const struct survey *s) {
    return s->rewinding;
}

static bool changing(const struct survey *s) {
    return s->changing;
}

static bool log_elsewhere(const struct survey *s) {
    return s->log_elsewhere;
}

static bool log_off_but_there(const struct survey *s) {
    return s->sink_log == SINK_LOG_OFF && s->sink_log_there;
}

static bool log_on_but_hides(const struct survey *s) {
    return s->sink_log == SINK_LOG_ON && !s->sink_log_there && s->table_has_files &&
           !s->sink_log_promised;
}

static bool nothing_planned(const struct survey *s) {
    return s->planned < 0;
}

static bool plan_without_metadata(const struct survey *s) {
    return s->planned >= 0 && !s->has_metadata;
}

static bool commit_ahead(const struct survey *s) {
    return s->committed > s->planned;
}

static bool manifest_ahead(const struct survey *s) {
    return s->manifest > s->planned;
}

static bool log_ahead(const struct survey *s) {
    return s->sink_log_on && s->logged > s->planned;
}

static bool previous_plan_missing(const struct survey *s) {
    return s->committed < s->planned && !s->has_previous_plan;
}

static bool log_behind(const struct survey *s) {
    return s->sink_log_on && s->committed > s->logged;
}

static bool manifest_lost(const struct survey *s) {
    return s->manifest_lost;
}

static bool open_manifest(const struct survey *s) {
    return s->manifest >= 0 && !s->manifest_done;
}

static bool manifest_half_logged(const struct survey *s) {
    return open_manifest(s) && s->sink_log_on && s->manifest_in_log == SINK_LOG_NAMES_SOME;
}

static bool manifest_overtaken_in_log(const struct survey *s) {
    return open_manifest(s) && s->sink_log_on && s->manifest_in_log == SINK_LOG_NAMES_OTHERS;
}

static bool manifest_overtaken_without_log(const struct survey *s) {
    return open_manifest(s) && !s->sink_log_on && s->manifest_commit == COMMIT_SPARKS;
}

static bool manifest_passed_over(const struct survey *s) {
    return open_manifest(s) && s->manifest < s->planned && s->manifest_commit == COMMIT_MISSING &&
           s->committed < s->manifest && s->manifest_in_log == SINK_LOG_SILENT;
}

static bool log_gap_before_manifest(const struct survey *s) {
    return open_manifest(s) && s->sink_log_on && s->logged < s->manifest - 1;
}

/* The batch before was committed before this one was planned. */
static bool commit_gap_before_manifest(const struct survey *s) {
    return open_manifest(s) && s->committed < s->manifest - 1;
}

static bool done_manifest_not_logged(const struct survey *s) {
    return s->manifest >= 0 && s->manifest_done && s->sink_log_on &&
           (s->manifest_in_log == SINK_LOG_NAMES_SOME ||
            s->manifest_in_log == SINK_LOG_NAMES_OTHERS);
}

static bool logged_files_missing(const struct survey *s) {
    return s->logged_files_missing;
}

static bool logged_not_committed(const struct survey *s) {
    return s->committed < s->planned && s->sink_log_on && s->logged == s->planned;
}

static bool earlier_batch_open(const struct survey *s) {
    return s->committed < s->planned - 1 && s->manifest < s->planned - 1 &&
           !(s->sink_log_on && s->logged >= s->planned - 1);
}

static bool planned_not_committed(const struct survey *s) {
    return s->committed < s->planned;
}

static bool empty_plan_not_committed(const struct survey *s) {
    return planned_not_committed(s) && s->plan_is_empty;
}

static bool all_committed(const struct survey *s) {
    return s->committed == s->planned;
}

static const char new_place[] = "restore the checkpoint from a backup, or start over in new "
                                "directories (CHECKPOINT_PATH, PROCESSED_DATA_PATH, and "
                                "DATA_LAKE_PATH for the rejects)";
static const char restore[] = "restore the checkpoint and the table from one backup";

static const char restore_or_spark[] =
    "restore the checkpoint and the table from one backup. If Spark ran that batch, and the hidden "
    ".crc files that it leaves were deleted since, run the Spark job for one more batch";

static const char write_metadata[] =
    "restore it, or write {\"id\":\"<uuid>\"} into it, with the query id from the table's file "
    "_esports_stream (any UUID if there is no such file)";

static const char use_owner[] =
    "two checkpoints must not write one table, because neither knows the other's batches: use the "
    "table's own checkpoint, or another PROCESSED_DATA_PATH and DATA_LAKE_PATH. If that checkpoint "
    "is lost and duplicate records are acceptable, remove the file _esports_stream from the table "
    "and from its rejects";

static const char rewind_again[] = "run `esports-stream rewind` again with --to-batch set to the "
                                   "number in the first line of that file";

static const char relocate[] =
    "if the lake was moved, run `esports-stream relocate`; if not, set PROCESSED_DATA_PATH back";

static const char find_log[] =
    "check that this is the right table. If it is from another backup than the checkpoint, restore "
    "both from one. If its directory _spark_metadata was removed, restore it, or set SINK_LOG=off "
    "to "
    "continue without one";

static const struct recovery_case cases[] = {
    {"a rewind is not finished (the checkpoint has a file `rewind`)", rewinding, RECOVER_STOP,
     rewind_again},

    // The table is not this checkpoint's, or not for these settings.
    {"the checkpoint has plans, but its file `metadata` is missing", plan_without_metadata,
     RECOVER_STOP, write_metadata},
    {"the table belongs to another checkpoint", owned_by_other, RECOVER_STOP, use_owner},
    {"the checkpoint is older than the table: it has no record (changes/) of a compaction or an "
     "expiry that the table has had",
     changed_since, RECOVER_STOP, restore},

    // Until it is finished, the log and the directories need not agree.
    {"a change of the table (a compaction or an expiry) is recorded but not finished", changing,
     RECOVER_CHANGE, NULL},

    {"the table has a sink log, but this checkpoint has planned no batch", log_without_plan,
     RECOVER_STOP, new_place},
    {"the table's sink log names files in another directory", log_elsewhere, RECOVER_STOP,
     relocate},
    {"the checkpoint has committed batches, but no plans (offsets/)", batches_without_plan,
     RECOVER_STOP, new_place},
    {"SINK_LOG=off, but the table has a sink log, which would hide new files from Spark",
     log_off_but_there, RECOVER_REFUSE, "set SINK_LOG=auto"},
    {"SINK_LOG=on, but the table has files and no sink log; a new one would hide them from Spark",
     log_on_but_hides, RECOVER_REFUSE, "set SINK_LOG=auto"},

    {"no batch is planned: the query is new", nothing_planned, RECOVER_START, NULL},

    // Logs that contradict each other.
    {"a commit is ahead of the newest plan (offsets/)", commit_ahead, RECOVER_STOP, restore},
    {"a manifest is ahead of the newest plan (offsets/)", manifest_ahead, RECOVER_STOP, restore},
    {"the table's sink log is ahead of the newest plan (offsets/)", log_ahead, RECOVER_STOP,
     restore},
    {"the plan before the newest one is missing", previous_plan_missing, RECOVER_STOP, restore},
    {"the table's sink log is missing, or does not contain a committed batch", log_behind,
     RECOVER_STOP, find_log},

    {"the newest batch is this program's, but its manifest is missing", manifest_lost, RECOVER_STOP,
     restore_or_spark},

    // A batch that is committed, but perhaps not in every log.
    {"the sink log names only some of the files of this program's newest batch",
     manifest_half_logged, RECOVER_STOP, restore},
    {"the batch of the newest manifest was run by Spark in the meantime, according to the sink log",
     manifest_overtaken_in_log, RECOVER_TAKE_BACK, NULL},
    {"the batch of the newest manifest was run by Spark in the meantime, according to its commit",
     manifest_overtaken_without_log, RECOVER_TAKE_BACK, NULL},
    {"a batch was planned after a batch that has a manifest but no commit", manifest_passed_over,
     RECOVER_STOP, restore},
    {"the table's sink log does not contain a batch before this program's newest one",
     log_gap_before_manifest, RECOVER_STOP, restore},
    {"a batch before this program's newest one is not committed", commit_gap_before_manifest,
     RECOVER_STOP, restore},
    {"the batch of the newest manifest is committed but not finished", open_manifest,
     RECOVER_ROLL_FORWARD, NULL},
    {"this program's newest batch is finished, but the sink log does not name exactly its files",
     done_manifest_not_logged, RECOVER_STOP, restore},

    // A batch that has no manifest.
    {"the newest plan's files are in the table's sink log, but not all of them are in the table",
     logged_files_missing, RECOVER_STOP, restore},
    {"the newest plan's files are in the table's sink log, but its commit is missing",
     logged_not_committed, RECOVER_FINISH, NULL},
    {"a batch before the newest plan is not committed", earlier_batch_open, RECOVER_STOP, restore},
    // A replay of rejects that did not come to its manifest. Run by the query it is a batch of no
    // files, as it is for Spark; by the next replay, that one's batch. Either way its rejects are
    // unresolved until then. One that did come to its manifest is a batch like any other: it is
    // rolled forward, or taken back if Spark has run it, and then its rejects are unresolved again.
    {"the newest plan has no offsets, like that of a replay, and is not committed",
     empty_plan_not_committed, RECOVER_RUN_AGAIN, NULL},
    {"the newest plan is not committed", planned_not_committed, RECOVER_RUN_AGAIN, NULL},
    {"all planned batches are committed", all_committed, RECOVER_RUN_NEXT, NULL},
};

const struct recovery_case *recovery_decide(const struct survey *survey) {
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (cases[i].holds(survey))
            return &cases[i];
    check(false && "the last cases are exhaustive");
    return NULL;
}

const struct recovery_case *recovery_cases(size_t *count) {
    *count = sizeof cases / sizeof cases[0];
    return cases;
}
