#include "streaming/sink_log/sink_log.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "base/json.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "streaming/sink_log/sink_log_file.h"

/* Neither value matters to a reader; they are what Spark writes on a local file system. */
enum { BLOCK_REPLICATION = 1, BLOCK_SIZE = 33554432 };

int64_t sink_log_interval(const int64_t *compact, size_t count) {
    if (count == 0)
        return SINK_LOG_INTERVAL;
    if (count >= 2)
        return compact[count - 1] - compact[count - 2];
    int64_t batches = compact[0] + 1;
    // deriveCompactInterval() looks for a divisor only when there is room for one below the half: a
    // lone 19.compact goes on with 20, a lone 29.compact with 10.
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
    char name[40];
    (void)snprintf(name, sizeof name, "%" PRId64 "%s", batch_id,
                   is_compaction(log, batch_id) ? ".compact" : "");
    return file_join(log->directory.text, name);
}

bool sink_log_check(const struct sink_log *log, struct error *err) {
    int64_t compacted = (log->newest + 1) / log->interval * log->interval - 1;
    for (int64_t batch = compacted < 0 ? 0 : compacted; batch <= log->newest; batch++)
        if (is_compaction(log, batch)
                ? !sink_log_file_check_ends(sink_log_path(log, batch).text, err)
                : !sink_log_file_check(sink_log_path(log, batch).text, err))
            return false;
    return true;
}

char *sink_log_print_entry(const char *path, int64_t size, int64_t modified_ms) {
    scoped(scope_free) char *uri = sink_log_uri(path);
    struct json *entry = json_new_object();
    json_put_text(entry, "path", uri);
    json_put_int(entry, "size", size);
    json_put_bool(entry, "isDir", false);
    json_put_int(entry, "modificationTime", modified_ms);
    json_put_int(entry, "blockReplication", BLOCK_REPLICATION);
    json_put_int(entry, "blockSize", BLOCK_SIZE);
    json_put_text(entry, "action", "add");
    char *line = json_print(entry);
    json_free(entry);
    return line;
}

char *sink_log_print(const struct sink_log *log, const struct file_list *files, size_t *size) {
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    check(out != NULL);
    for (size_t i = 0; i < files->count; i++) {
        const struct data_file *file = &files->files[i];
        scoped(scope_free) char *line = sink_log_print_entry(file_join(log->table, file->path).text,
                                                             file->size, file->modified_ms);
        check(fprintf(out, "\n%s", line) > 0);
    }
    check(fclose(out) == 0);
    return text;
}

static bool publish(struct sink_log *log, int64_t batch_id, const struct file_list *files,
                    struct error *err) {
    size_t size;
    scoped(scope_free) char *entries = sink_log_print(log, files, &size);
    if (is_compaction(log, batch_id))
        return sink_log_upkeep_publish(&log->upkeep, batch_id, entries, size, err);

    char name[32];
    (void)snprintf(name, sizeof name, "%" PRId64, batch_id);
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

/* The batch is in the log already: does it say what we would write? */
static bool confirm(struct sink_log *log, int64_t batch_id, const struct file_list *files,
                    struct error *err) {
    enum sink_log_names names;
    note_newest(log, batch_id);
    if (!sink_log_compare(log, batch_id, files, &names, err))
        return false;
    if (names != SINK_LOG_NAMES_THESE)
        return error_set(err, ERROR_STATE,
                         "'%s' lists batch %" PRId64 " with other files: another writer uses "
                         "this table; stop it and start again",
                         log->directory.text, batch_id);
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
        // Taken, or published and not synced: the next call looks at what is there.
        struct error ignored;
        if (err->kind == ERROR_STATE &&
            file_exists(sink_log_path(log, batch_id).text, NULL, &ignored) == 1)
            err->kind = ERROR_RETRY;
        return false;
    }
    note_newest(log, batch_id);
    return true;
}

bool sink_log_sweep(const struct sink_log *log, struct error *err) {
    return file_remove_drafts(log->directory.text, err);
}
