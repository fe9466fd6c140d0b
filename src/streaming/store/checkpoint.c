/* checkpoint.c: the files of the checkpoint, each by its own rule.
 *
 * The lock is the open file's and ends with the process; its text is for people. A plan, a commit
 * and the first offsets are published without replacing an existing file: a name that is taken
 * means another writer, unless it says the same. Whether a damaged file counts yet decides what to
 * do: what belongs to no committed batch may be removed, and the error says so. Old files are
 * forgotten for tidiness alone, and again by the next start. */
#include "streaming/store/checkpoint.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/disk/disk_error.h"
#include "base/json.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "base/system/uuid.h"
#include "base/text.h"

/* Far beyond what a topic's partitions and Spark's settings need. */
enum { LOG_FILE_SIZE_MAX = 16 << 20 };

static const char commit_text[] = "v1\n{\"nextBatchWatermarkMs\":0}";

bool checkpoint_note_holder(const char *root, const char *words, struct error *err) {
    return file_lock_add_words(file_join(root, "lock").text, words, err);
}

bool checkpoint_holder(const char *root, bool *held, char holder[static CHECKPOINT_HOLDER_MAX],
                       struct error *err) {
    return file_lock_look(file_join(root, "lock").text, held, holder, err);
}

static bool take_lock(struct checkpoint *checkpoint, struct error *err) {
    struct file_path path = file_join(checkpoint->root.text, "lock");
    char holder[CHECKPOINT_HOLDER_MAX];
    bool taken;
    if (!file_lock_take(path.text, &checkpoint->lock_fd, &taken, holder, err))
        return false;
    if (taken)
        return true;
    if (holder[0] == '\0')
        return error_set(err, ERROR_LOCKED, "'%s' is locked by another process", path.text);
    return error_set(err, ERROR_LOCKED,
                     "'%s' is locked: another instance runs this query (%s). Stop it first, or "
                     "give this one a CHECKPOINT_PATH of its own",
                     path.text, holder);
}

static bool parse_metadata(const char *text, size_t size, char query_id[static 37],
                           struct error *err) {
    struct json *metadata = json_parse(text, size, err);
    if (metadata == NULL)
        return false;
    const char *id = json_member_text(metadata, "id");
    bool ok = id != NULL && uuid_is_valid(id);
    for (size_t i = 0; ok && i < 37; i++)
        query_id[i] = (char)tolower((unsigned char)id[i]);
    if (!ok)
        error_set(err, ERROR_STATE, "its \"id\" is missing or not a UUID");
    json_free(metadata);
    return ok;
}

static bool read_metadata(struct checkpoint *checkpoint, struct error *err) {
    struct file_path path = file_join(checkpoint->root.text, "metadata");
    scoped(scope_free) char *text = NULL;
    size_t size;
    if (!file_read(path.text, LOG_FILE_SIZE_MAX, &text, &size, err))
        return false;
    checkpoint->has_metadata = text != NULL;
    if (text != NULL && !parse_metadata(text, size, checkpoint->query_id, err))
        return error_wrap(
            err,
            "'%s' cannot be used; restore it from a backup, or write the query's id into it as "
            "{\"id\":\"<uuid>\"} (\"query\" in the table's file _esports_stream; any UUID if there "
            "is no such file), and remove '.metadata.crc' in the same directory, if it exists",
            path.text);
    return true;
}

void checkpoint_init(struct checkpoint *checkpoint, const char *root, const char *topic) {
    *checkpoint = (struct checkpoint){.topic = topic, .lock_fd = -1, .uncommitted_from = INT64_MAX};
    (void)snprintf(checkpoint->root.text, sizeof checkpoint->root.text, "%s", root);
    checkpoint->sources = file_join(root, "sources/0");
    checkpoint->offsets = file_join(root, "offsets");
    checkpoint->commits = file_join(root, "commits");
    checkpoint->manifests = file_join(root, "manifests");
    checkpoint->coverage = file_join(root, "coverage");
    checkpoint->history = file_join(root, "history");
    checkpoint->changes = file_join(root, "changes");
    uuid_new(checkpoint->query_id);
}

bool checkpoint_open(struct checkpoint *checkpoint, struct error *err) {
    if (!file_make_directory(checkpoint->root.text, err))
        return error_wrap(err, "the checkpoint");
    if (take_lock(checkpoint, err) && read_metadata(checkpoint, err))
        return true;
    checkpoint_close(checkpoint);
    return false;
}

static bool set_missing(const char *root, struct error *err) {
    if (file_exists(root, NULL, err) == 0)
        return error_set(err, ERROR_STATE,
                         "'%s' does not exist: check DATA_LAKE_PATH and CHECKPOINT_PATH; the first "
                         "start of a query creates its checkpoint",
                         root);
    return error_set(err, ERROR_STATE,
                     "'%s' has no file `metadata`: check that this is the right checkpoint", root);
}

bool checkpoint_open_to_read(struct checkpoint *checkpoint, struct error *err) {
    return read_metadata(checkpoint, err) &&
           (checkpoint->has_metadata || set_missing(checkpoint->root.text, err));
}

bool checkpoint_check_lock(const struct checkpoint *checkpoint, struct error *err) {
    struct file_path path = file_join(checkpoint->root.text, "lock");
    bool holds = true;
    if (checkpoint->lock_fd >= 0 && !file_lock_holds(path.text, checkpoint->lock_fd, &holds, err))
        return false;
    return holds || error_set(err, ERROR_STATE, "checkpoint '%s'", checkpoint->root.text);
}

void checkpoint_close(struct checkpoint *checkpoint) {
    file_lock_release(&checkpoint->lock_fd);
}

bool checkpoint_create(struct checkpoint *checkpoint, struct error *err) {
    if (!checkpoint->has_metadata) {
        char text[64];
        int size = snprintf(text, sizeof text, "{\"id\":\"%s\"}", checkpoint->query_id);
        if (!file_publish_again(checkpoint->root.text, "metadata", text, (size_t)size, err))
            return false;
        checkpoint->has_metadata = true;
    }
    // A directory's name is durable before anything in it counts.
    struct file_path sources = file_join(checkpoint->root.text, "sources");
    return file_make_directory_name(sources.text, err) &&
           file_make_directory_name(checkpoint->offsets.text, err) &&
           file_make_directory_name(checkpoint->commits.text, err) &&
           file_make_directory_name(checkpoint->manifests.text, err) &&
           file_sync_directory(checkpoint->root.text, err) &&
           file_make_directory_name(checkpoint->sources.text, err) &&
           file_sync_directory(sources.text, err);
}

bool checkpoint_newest(const struct file_path *log, int64_t *batch_id, struct error *err) {
    scoped(scope_free) int64_t *numbers = NULL;
    size_t count;
    if (!file_list_numbers(log->text, "", &numbers, &count, err))
        return false;
    *batch_id = count == 0 ? -1 : numbers[count - 1];
    return true;
}

void checkpoint_set_uncommitted(struct checkpoint *checkpoint, int64_t committed, int64_t manifest,
                                int64_t logged) {
    // Any of the three says that a batch has happened, no matter what a crash left of the others.
    int64_t newest = committed > manifest ? committed : manifest;
    checkpoint->uncommitted_from = (newest > logged ? newest : logged) + 1;
}

static const char damaged[] = "restore this file from a backup; without it, it is unknown which "
                              "records are in the table, and a new checkpoint needs a new table";

static bool same_topic(const struct checkpoint *checkpoint, const char *path,
                       struct offset_entry *entry, struct error *err) {
    if (strcmp(entry->topic, checkpoint->topic) == 0)
        return true;
    error_set(err, ERROR_STATE,
              "'%s' has offsets of topic '%s', but the query reads '%s': set the topic back, or "
              "start over in new directories (CHECKPOINT_PATH, PROCESSED_DATA_PATH, and "
              "DATA_LAKE_PATH for the rejects)",
              path, entry->topic, checkpoint->topic);
    offset_entry_deinit(entry);
    return false;
}

/* Of a plan that counts for nothing yet. A power cut leaves Spark's newest file empty. */
static bool unused_plan(const struct checkpoint *checkpoint, int64_t batch_id, struct error *err) {
    const char *log = checkpoint->offsets.text;
    return error_wrap(
        err,
        "'%s/%" PRId64 "' cannot be used, but nothing of batch %" PRId64
        " is committed: remove this file (and '%s/.%" PRId64
        ".crc', if it exists) and start again; the batch is planned again, and nothing is lost",
        log, batch_id, batch_id, log, batch_id);
}

static bool unused_initial(const struct checkpoint *checkpoint, struct error *err) {
    return error_wrap(err,
                      "'%s/0' cannot be used, but nothing is committed yet: remove the directories "
                      "'%s' and '%s' and start again; the query begins at STARTING_OFFSETS",
                      checkpoint->sources.text, checkpoint->sources.text, checkpoint->offsets.text);
}

static bool counting_file(const char *path, struct error *err) {
    return error_wrap(err, "'%s' cannot be used (%s)", path, damaged);
}

bool checkpoint_read_offsets(const struct checkpoint *checkpoint, int64_t batch_id,
                             struct offset_entry *entry, bool *found, struct error *err) {
    struct file_path path = file_join_number(checkpoint->offsets.text, batch_id);
    scoped(scope_free) char *text = NULL;
    size_t size;
    if (!file_read(path.text, LOG_FILE_SIZE_MAX, &text, &size, err))
        return false;
    *found = text != NULL;
    if (text == NULL)
        return true;
    if (!offset_log_parse(text, size, entry, err))
        return batch_id >= checkpoint->uncommitted_from ? unused_plan(checkpoint, batch_id, err)
                                                        : counting_file(path.text, err);
    return same_topic(checkpoint, path.text, entry, err);
}

bool checkpoint_read_initial(const struct checkpoint *checkpoint, struct offset_entry *starts,
                             bool *found, struct error *err) {
    struct file_path path = file_join_number(checkpoint->sources.text, 0);
    scoped(scope_free) char *text = NULL;
    size_t size;
    if (!file_read(path.text, LOG_FILE_SIZE_MAX, &text, &size, err))
        return false;
    *found = text != NULL;
    if (text == NULL)
        return true;
    if (!offset_log_parse_initial(text, size, starts, err)) {
        // Only batch 0 begins here: once it is committed, no start needs this file.
        *found = false;
        return checkpoint->uncommitted_from > 0 || unused_initial(checkpoint, err);
    }
    return same_topic(checkpoint, path.text, starts, err);
}

bool checkpoint_read_ends(const struct checkpoint *checkpoint, int64_t batch_id,
                          struct offset_entry *ends, struct error *err) {
    bool found;
    if (!checkpoint_read_offsets(checkpoint, batch_id, ends, &found, err))
        return false;
    return found ||
           error_set(err, ERROR_STATE, "'%s/%" PRId64 "' is missing: restore it from a backup",
                     checkpoint->offsets.text, batch_id);
}

bool checkpoint_read_starts(const struct checkpoint *checkpoint, int64_t batch_id,
                            struct offset_entry *starts, struct error *err) {
    if (batch_id > 0)
        return checkpoint_read_ends(checkpoint, batch_id - 1, starts, err);
    bool found = false;
    if (!checkpoint_read_initial(checkpoint, starts, &found, err))
        return false;
    return found ||
           error_set(err, ERROR_STATE, "'%s/0' is missing or damaged: restore it from a backup",
                     checkpoint->sources.text);
}

/* What a batch takes lies between its own ends and those of the plan before. */
bool checkpoint_read_plan(const struct checkpoint *checkpoint, int64_t batch_id, struct plan *plan,
                          struct error *err) {
    struct offset_entry ends = {0}, starts = {0};
    *plan = (struct plan){.batch_id = batch_id};
    if (!checkpoint_read_ends(checkpoint, batch_id, &ends, err))
        return false;
    plan->timestamp_ms = ends.timestamp_ms;
    bool ok = checkpoint_read_starts(checkpoint, batch_id, &starts, err);
    if (ok)
        offsets_ranges(&starts.ends, &ends.ends, &plan->ranges, &plan->count);
    offset_entry_deinit(&starts);
    offset_entry_deinit(&ends);
    return ok;
}

/* Where a batch that moved positions begins: a partition of which it took something is new, or
 * continued from its position. */
static void set_begin(struct incarnation_begin *begin, const struct offset_entry *before,
                      const struct offset_entry *plan) {
    offsets_copy(&begin->former, &before->ends);
    offsets_copy(&begin->known_ends, &plan->known_ends);
    incarnation_begin_complete(begin);
    for (size_t i = 0; i < plan->ends.count; i++) {
        struct partition_offset end = plan->ends.entries[i];
        const struct partition_offset *start = offsets_find(&before->ends, end.partition);
        int64_t from = start == NULL ? 0 : start->offset;
        offsets_add(&begin->starts, end.partition, from < end.offset ? from : end.offset);
    }
}

/* *found false: one of the two is not there any more. */
static bool read_both(const struct checkpoint *checkpoint, int64_t batch_id,
                      struct offset_entry *before, struct offset_entry *plan, bool *found,
                      struct error *err) {
    *found = false;
    if (!checkpoint_read_offsets(checkpoint, batch_id, plan, found, err))
        return false;
    if (!*found)
        return true;
    return batch_id == 0 ? checkpoint_read_initial(checkpoint, before, found, err)
                         : checkpoint_read_offsets(checkpoint, batch_id - 1, before, found, err);
}

/* Spark leaves a checksum next to each of its files, we never do. */
static bool is_of_spark(const struct file_path *log, int64_t batch_id, bool *of_spark,
                        struct error *err) {
    char name[64];
    (void)snprintf(name, sizeof name, ".%" PRId64 ".crc", batch_id);
    int checksum = file_exists(file_join(log->text, name).text, NULL, err);
    *of_spark = checksum == 1;
    return checksum >= 0;
}

static bool find_begun(const struct checkpoint *checkpoint, int64_t batch_id,
                       struct incarnations *incarnations, struct error *err) {
    struct offset_entry before = {0}, plan = {0};
    bool found = false;
    bool ok = read_both(checkpoint, batch_id, &before, &plan, &found, err);
    if (ok && found && incarnation_begins(&before.ends, &plan.ends)) {
        struct incarnation_begin begin = {.batch_id = batch_id, .since_ms = plan.timestamp_ms};
        ok = is_of_spark(&checkpoint->offsets, batch_id, &begin.by_spark, err);
        set_begin(&begin, &before, &plan);
        incarnations_add(incarnations, begin);
    }
    offset_entry_deinit(&before);
    offset_entry_deinit(&plan);
    return ok;
}

bool checkpoint_find_begun(const struct checkpoint *checkpoint, int64_t first, int64_t last,
                           struct incarnations *incarnations, struct error *err) {
    int64_t oldest = last - CHECKPOINT_BATCHES_KEPT;
    oldest = oldest < 0 ? 0 : oldest;
    for (int64_t batch_id = first > oldest ? first : oldest; batch_id <= last; batch_id++)
        if (!find_begun(checkpoint, batch_id, incarnations, err))
            return false;
    return true;
}

bool checkpoint_sync_names(const struct checkpoint *checkpoint, struct error *err) {
    const struct file_path *const logs[] = {&checkpoint->sources, &checkpoint->offsets,
                                            &checkpoint->manifests, &checkpoint->commits};
    for (size_t i = 0; i < sizeof logs / sizeof logs[0]; i++) {
        int there = file_exists(logs[i]->text, NULL, err);
        if (there < 0 || (there == 1 && !file_sync_directory(logs[i]->text, err)))
            return false;
    }
    return true;
}

bool checkpoint_latest_plan(const struct checkpoint *checkpoint, int64_t *timestamp_ms,
                            struct error *err) {
    scoped(scope_free) int64_t *numbers = NULL;
    size_t count;
    int64_t latest_ms = 0; // of a part of the plans it must not reach a caller that tries again
    if (!file_list_numbers(checkpoint->offsets.text, "", &numbers, &count, err))
        return false;
    // All of them: a clock that went back makes an older plan the latest.
    for (size_t i = 0; i < count; i++) {
        struct offset_entry plan = {0};
        bool found;
        if (!checkpoint_read_offsets(checkpoint, numbers[i], &plan, &found, err))
            return false;
        if (found && plan.timestamp_ms > latest_ms)
            latest_ms = plan.timestamp_ms;
        offset_entry_deinit(&plan);
    }
    *timestamp_ms = latest_ms;
    return true;
}

bool checkpoint_write_initial(const struct checkpoint *checkpoint, const struct offsets *starts,
                              struct error *err) {
    size_t size;
    scoped(scope_free) char *text = offset_log_print_initial(checkpoint->topic, starts, &size);
    return file_publish_again(checkpoint->sources.text, "0", text, size, err);
}

/* Old batches are forgotten for tidiness only: what can't be removed now is swept at a start. */
static void forget(const struct file_path *log, int64_t batch_id) {
    char name[64];
    (void)snprintf(name, sizeof name, ".%" PRId64 ".crc", batch_id);
    file_discard(file_join(log->text, name).text);
    file_discard(file_join_number(log->text, batch_id).text);
}

bool checkpoint_write_offsets(const struct checkpoint *checkpoint, int64_t batch_id,
                              struct offset_entry *entry, struct error *err) {
    char name[32];
    free(entry->topic);
    entry->topic = text_copy(checkpoint->topic);
    (void)snprintf(name, sizeof name, "%" PRId64, batch_id);
    size_t size;
    scoped(scope_free) char *text = offset_log_print(entry, &size);
    if (!file_publish(checkpoint->offsets.text, name, text, size, err))
        return false;
    int64_t old = batch_id - CHECKPOINT_BATCHES_KEPT - 1;
    if (old >= 0) {
        forget(&checkpoint->offsets, old);
        forget(&checkpoint->commits, old);
    }
    return true;
}

/* It is written last of all, and says only that. */
static bool damaged_commit(const struct checkpoint *checkpoint, int64_t batch_id,
                           struct error *err) {
    const char *log = checkpoint->commits.text;
    return error_wrap(
        err,
        "'%s/%" PRId64
        "' cannot be used: restore it from a backup; or write it again, which only marks the batch "
        "as committed: run `printf 'v1\\n{\"nextBatchWatermarkMs\":0}' > %s/%" PRId64
        "` and remove '%s/.%" PRId64 ".crc', if it exists",
        log, batch_id, log, batch_id, log, batch_id);
}

bool checkpoint_check_commit(const struct checkpoint *checkpoint, int64_t batch_id,
                             struct error *err) {
    struct file_path path = file_join_number(checkpoint->commits.text, batch_id);
    scoped(scope_free) char *text = NULL;
    size_t size;
    if (!file_read(path.text, LOG_FILE_SIZE_MAX, &text, &size, err))
        return false;
    if (text == NULL || size < 2 || memcmp(text, "v1", 2) != 0 || (size > 2 && text[2] != '\n')) {
        (void)error_set(err, ERROR_STATE, "its first line is not 'v1'");
        return damaged_commit(checkpoint, batch_id, err);
    }
    if (size <= 3) // nothing more: Spark takes it, too
        return true;
    struct json *commit = json_parse(text + 3, size - 3, err);
    json_free(commit);
    return commit != NULL || damaged_commit(checkpoint, batch_id, err);
}

bool checkpoint_write_commit(const struct checkpoint *checkpoint, int64_t batch_id,
                             struct error *err) {
    struct file_path path = file_join_number(checkpoint->commits.text, batch_id);
    int there = file_exists(path.text, NULL, err);
    if (there < 0)
        return false;
    if (there == 1) // perhaps Spark's, whose bytes differ from version to version
        return file_sync_directory(checkpoint->commits.text, err);
    char name[32];
    (void)snprintf(name, sizeof name, "%" PRId64, batch_id);
    return file_publish_again(checkpoint->commits.text, name, commit_text, sizeof commit_text - 1,
                              err);
}

bool checkpoint_commit_author(const struct checkpoint *checkpoint, int64_t batch_id,
                              enum commit_author *author, struct error *err) {
    bool of_spark;
    struct file_path path = file_join_number(checkpoint->commits.text, batch_id);
    int there = file_exists(path.text, NULL, err);
    if (there < 0 || !is_of_spark(&checkpoint->commits, batch_id, &of_spark, err))
        return false;
    *author = there == 0 ? COMMIT_MISSING : of_spark ? COMMIT_SPARKS : COMMIT_OURS;
    return true;
}

static bool sweep_log(const struct file_path *log, int64_t newest_batch, struct error *err) {
    scoped(scope_free) int64_t *numbers = NULL;
    size_t count;
    if (!file_remove_drafts(log->text, err) ||
        !file_list_numbers(log->text, "", &numbers, &count, err))
        return false;
    for (size_t i = 0; i < count && numbers[i] < newest_batch - CHECKPOINT_BATCHES_KEPT; i++)
        forget(log, numbers[i]);
    return true;
}

bool checkpoint_sweep(const struct checkpoint *checkpoint, int64_t newest_batch,
                      struct error *err) {
    return file_remove(file_join(checkpoint->root.text, "." CHECKPOINT_REWIND ".tmp").text, err) &&
           sweep_log(&checkpoint->offsets, newest_batch, err) &&
           sweep_log(&checkpoint->commits, newest_batch, err) &&
           file_remove_drafts(checkpoint->manifests.text, err) &&
           file_remove_drafts(checkpoint->coverage.text, err);
}

static bool remove_hidden(void *context, const char *name) {
    struct file_path path = file_join(context, name);
    if (name[0] == '.')
        file_discard(path.text);
    return true;
}

static bool clear_empty_log(const struct file_path *log, struct error *err) {
    int64_t newest;
    if (!checkpoint_newest(log, &newest, err))
        return false;
    return newest >= 0 || file_list(log->text, remove_hidden, (void *)log->text, err) >= 0 ||
           disk_error(err, "clear", log->text);
}

bool checkpoint_clear_empty_logs(const struct checkpoint *checkpoint, struct error *err) {
    return clear_empty_log(&checkpoint->offsets, err) && clear_empty_log(&checkpoint->commits, err);
}
