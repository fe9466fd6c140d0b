/* sink_log.c: writing the log, and reading it as of a batch.
 *
 * A batch's file is published under a name that nobody has. If the name is taken, by an attempt
 * before a crash or by a Spark that ran the batch, its entries must be the ones that we would
 * write. A reader begins at the newest compact file, as the interval has it, and reads every file
 * from there on: one that is missing is an error, never skipped. */
#include "streaming/sink_log/sink_log.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "base/scope.h"
#include "streaming/sink_log/sink_entry.h"

int64_t sink_log_interval(const int64_t *compact, size_t count) {
    if (count == 0)
        return SINK_LOG_INTERVAL;
    if (count >= 2)
        return compact[count - 1] - compact[count - 2];
    int64_t batches = compact[0] + 1;
    // deriveCompactInterval() looks for a divisor only when there is room for one below the half: a
    // lone 19.compact continues with 20, a lone 29.compact with 10.
    for (int64_t divisor = SINK_LOG_INTERVAL;
         batches / 2 > SINK_LOG_INTERVAL && divisor <= batches / 2; divisor++)
        if (batches % divisor == 0)
            return divisor;
    return batches;
}

bool sink_log_open(struct sink_log *log, const char *table, struct error *err) {
    *log = (struct sink_log){.table = table, .newest = -1, .newest_compact = -1};
    log->directory = file_join(table, "_spark_metadata");
    int there = file_exists(log->directory.text, NULL, err);
    if (there < 0)
        return false;
    log->exists = there == 1;

    scoped(scope_free) int64_t *plain = NULL;
    scoped(scope_free) int64_t *compact = NULL;
    size_t plain_count, compact_count;
    if (!file_list_numbers(log->directory.text, "", &plain, &plain_count, err) ||
        !file_list_numbers(log->directory.text, ".compact", &compact, &compact_count, err))
        return false;
    if (plain_count > 0)
        log->newest = plain[plain_count - 1];
    if (compact_count > 0)
        log->newest_compact = compact[compact_count - 1];
    if (log->newest_compact > log->newest)
        log->newest = log->newest_compact;
    log->interval = sink_log_interval(compact, compact_count);
    sink_log_upkeep_init(&log->upkeep, &log->directory, log->interval);
    return true;
}

void sink_log_close(struct sink_log *log) {
    if (log->interval > 0) // it was opened
        sink_log_upkeep_stop(&log->upkeep);
}

static bool is_compaction(const struct sink_log *log, int64_t batch_id) {
    return (batch_id + 1) % log->interval == 0;
}

struct file_path sink_log_path(const struct sink_log *log, int64_t batch_id) {
    char name[SINK_LOG_NAME_MAX];
    sink_log_file_name(batch_id, is_compaction(log, batch_id), name);
    return file_join(log->directory.text, name);
}

int64_t sink_log_first(const struct sink_log *log) {
    int64_t compacted = (log->newest + 1) / log->interval * log->interval - 1;
    return compacted < 0 ? 0 : compacted;
}

/* A compact file lists the whole table, so only its ends are looked at: a start may not take longer
 * the longer a table has been written. */
bool sink_log_check(const struct sink_log *log, struct error *err) {
    for (int64_t batch = sink_log_first(log); batch <= log->newest; batch++)
        if (is_compaction(log, batch)
                ? !sink_log_file_check_ends(sink_log_path(log, batch).text, err)
                : !sink_log_file_check(sink_log_path(log, batch).text, err))
            return false;
    return true;
}

char *sink_log_print(const struct sink_log *log, const struct file_list *files, size_t *size) {
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    check(out != NULL);
    for (size_t i = 0; i < files->count; i++) {
        const struct data_file *file = &files->files[i];
        scoped(scope_free) char *line =
            sink_entry_print(file_join(log->table, file->path).text, file->size, file->modified_ms);
        check(fprintf(out, "\n%s", line) > 0);
    }
    must_close_text(out, &text);
    return text;
}

static bool publish(struct sink_log *log, int64_t batch_id, const struct file_list *files,
                    struct error *err) {
    size_t size;
    scoped(scope_free) char *entries = sink_log_print(log, files, &size);
    if (is_compaction(log, batch_id))
        return sink_log_upkeep_publish(&log->upkeep, batch_id, entries, size, err);

    char name[SINK_LOG_NAME_MAX];
    sink_log_file_name(batch_id, false, name);
    struct file_draft draft;
    if (!file_draft_open(&draft, log->directory.text, name, err))
        return false;
    if (!file_draft_write(&draft, "v1", 2, err) || !file_draft_write(&draft, entries, size, err)) {
        file_draft_discard(&draft);
        return false;
    }
    if (!file_draft_publish(&draft, err))
        return false;
    sink_log_upkeep_note(&log->upkeep, batch_id);
    return true;
}

static void note_newest(struct sink_log *log, int64_t batch_id) {
    if (log->newest < batch_id)
        log->newest = batch_id;
    if (is_compaction(log, batch_id) && log->newest_compact < batch_id)
        log->newest_compact = batch_id;
}

bool sink_log_has_all(const struct sink_log *log, const struct file_list *files, bool *all,
                      struct error *err) {
    size_t count = files->count;
    scoped(scope_free) const char **paths = must_alloc(count, sizeof *paths);
    scoped(scope_free) bool *found = must_alloc(count, sizeof *found);
    *all = count == 0;
    for (size_t i = 0; i < count; i++)
        paths[i] = files->files[i].path;
    if (count == 0 || !sink_log_find(log, paths, count, found, err))
        return count == 0;
    *all = true;
    for (size_t i = 0; i < count; i++)
        *all = *all && found[i];
    return true;
}

bool sink_log_confirm(const struct sink_log *log, int64_t batch_id, const struct file_list *files,
                      enum sink_log_names *names, struct error *err) {
    bool all = false;
    if (!sink_log_compare(log, batch_id, files, names, err))
        return false;
    bool may_be_elsewhere =
        *names == SINK_LOG_NAMES_SOME || (*names == SINK_LOG_NAMES_OTHERS && files->count > 0);
    if (!may_be_elsewhere)
        return true;
    if (!sink_log_has_all(log, files, &all, err))
        return false;
    if (all)
        *names = SINK_LOG_NAMES_THESE;
    return true;
}

/* The batch is in the log already: does it say what we would write? */
static bool confirm(struct sink_log *log, int64_t batch_id, const struct file_list *files,
                    struct error *err) {
    enum sink_log_names names;
    note_newest(log, batch_id); // it is in the log, no matter what it says
    if (!sink_log_confirm(log, batch_id, files, &names, err))
        return false;
    if (names != SINK_LOG_NAMES_THESE)
        return error_set(err, ERROR_STATE,
                         "'%s' lists other files for batch %" PRId64
                         ": another writer uses this table. Stop it, then start again",
                         log->directory.text, batch_id);
    // The process that gave it its name may have died before the sync.
    if (!file_sync_directory(log->directory.text, err))
        return false;
    sink_log_upkeep_note(&log->upkeep, batch_id);
    return true;
}

bool sink_log_write(struct sink_log *log, int64_t batch_id, const struct file_list *files,
                    struct error *err) {
    if (!log->exists) {
        if (!file_make_directory_name(log->directory.text, err) ||
            !file_sync_directory(log->table, err))
            return false;
        log->exists = true;
    }
    int there = file_exists(sink_log_path(log, batch_id).text, NULL, err);
    if (there < 0)
        return false;
    if (there == 1)
        return confirm(log, batch_id, files, err);
    if (!publish(log, batch_id, files, err)) {
        // Taken, or published and not synced: the next call looks at the existing file.
        struct error ignored;
        if (err->kind == ERROR_RESTART ||
            (err->kind == ERROR_STATE &&
             file_exists(sink_log_path(log, batch_id).text, NULL, &ignored) == 1))
            err->kind = ERROR_RETRY;
        return false;
    }
    note_newest(log, batch_id);
    return true;
}

bool sink_log_sweep(const struct sink_log *log, struct error *err) {
    return file_remove_drafts(log->directory.text, err);
}

/* ---- as of any batch ---- */

bool sink_log_at(const struct sink_log *log, int64_t last, struct sink_log *then, bool *complete,
                 struct error *err) {
    scoped(scope_free) int64_t *compact = NULL;
    size_t count, kept = 0;
    if (!file_list_numbers(log->directory.text, ".compact", &compact, &count, err))
        return false;
    while (kept < count && compact[kept] <= last)
        kept++;
    *then = *log;
    then->newest = last;
    then->newest_compact = kept == 0 ? -1 : compact[kept - 1];
    then->interval = sink_log_interval(compact, kept);
    *complete = log->newest >= last;
    for (int64_t batch = sink_log_first(then); *complete && batch <= last; batch++) {
        int there = file_exists(sink_log_path(then, batch).text, NULL, err);
        if (there < 0)
            return false;
        *complete = there == 1;
    }
    return true;
}

bool sink_log_each_entry(const struct sink_log *log, sink_log_entry_fn *visit, void *context,
                         struct error *err) {
    for (int64_t batch = sink_log_first(log); batch <= log->newest; batch++) {
        bool found;
        struct file_path path = sink_log_path(log, batch);
        if (!sink_log_file_entries(path.text, visit, context, &found, err))
            return false;
        if (!found)
            return error_set(err, ERROR_STATE, "'%s' is missing: restore it from a backup",
                             path.text);
    }
    return true;
}

struct first_entry {
    const struct sink_log *log;
    size_t depth;
    struct file_path elsewhere; // the table's root, if it is another
};

/* Ends the walk with ERROR_STOPPED, which is not an error here. */
static bool look_at_first(void *context, struct json *line, struct error *err) {
    struct first_entry *first = context;
    struct sink_entry entry;
    if (!sink_entry_read(&entry, line, first->log->table, first->depth, err))
        return false;
    if (!entry.in_table)
        (void)snprintf(first->elsewhere.text, sizeof first->elsewhere.text, "%.*s",
                       (int)(entry.relative - entry.path - 1), entry.path);
    sink_entry_deinit(&entry);
    return error_set(err, ERROR_STOPPED, "seen");
}

bool sink_log_other_root(const struct sink_log *log, size_t depth, struct file_path *other,
                         struct error *err) {
    struct first_entry first = {.log = log, .depth = depth};
    for (int64_t batch = sink_log_first(log);
         first.elsewhere.text[0] == '\0' && batch <= log->newest; batch++) {
        bool found;
        if (!sink_log_file_entries(sink_log_path(log, batch).text, look_at_first, &first, &found,
                                   err) &&
            err->kind != ERROR_STOPPED)
            return false;
    }
    *other = first.elsewhere;
    return true;
}

bool sink_log_is_elsewhere(const struct sink_log *log, size_t depth, bool *elsewhere,
                           struct error *err) {
    struct file_path other;
    bool ok = sink_log_other_root(log, depth, &other, err);
    *elsewhere = ok && other.text[0] != '\0';
    return ok;
}

bool sink_log_newest_is_ours(const struct sink_log *log, bool *ours, struct error *err) {
    char name[SINK_LOG_NAME_MAX], checksum[SINK_LOG_NAME_MAX + 8];
    sink_log_file_name(log->newest, log->newest == log->newest_compact, name);
    (void)snprintf(checksum, sizeof checksum, ".%s.crc", name);
    int there = file_exists(file_join(log->directory.text, checksum).text, NULL, err);
    *ours = there == 0;
    return there >= 0;
}

bool sink_log_file_of(const struct sink_log *log, int64_t batch_id, struct file_path *path,
                      struct error *err) {
    // The compact file first: it has the other one's entries, which may be deleted.
    for (int compact = 1; compact >= 0; compact--) {
        char name[SINK_LOG_NAME_MAX];
        sink_log_file_name(batch_id, compact == 1, name);
        *path = file_join(log->directory.text, name);
        int there = file_exists(path->text, NULL, err);
        if (there != 0)
            return there == 1;
    }
    path->text[0] = '\0';
    return true;
}
