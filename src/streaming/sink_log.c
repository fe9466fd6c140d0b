#include "streaming/sink_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/disk.h"
#include "base/json.h"
#include "base/scope.h"
#include "streaming/sink_log_file.h"

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
    return true;
}

static bool is_compaction(const struct sink_log *log, int64_t batch_id) {
    return (batch_id + 1) % log->interval == 0;
}

static void name_of(int64_t batch_id, bool compact, char name[static 40]) {
    (void)snprintf(name, 40, "%" PRId64 "%s", batch_id, compact ? ".compact" : "");
}

static struct file_path path_of(const struct sink_log *log, int64_t batch_id, bool compact) {
    char name[40];
    name_of(batch_id, compact, name);
    return file_join(log->directory.text, name);
}

bool sink_log_check(const struct sink_log *log, struct error *err) {
    int64_t compacted = (log->newest + 1) / log->interval * log->interval - 1;
    for (int64_t batch = compacted < 0 ? 0 : compacted; batch <= log->newest; batch++)
        if (!sink_log_file_check(path_of(log, batch, is_compaction(log, batch)).text, err))
            return false;
    return true;
}

/* "\n" and the JSON of each file; owned by the caller. */
static char *print_entries(const struct sink_log *log, const struct file_list *files,
                           size_t *size) {
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    check(out != NULL);
    for (size_t i = 0; i < files->count; i++) {
        scoped(scope_free) char *uri =
            sink_log_uri(file_join(log->table, files->files[i].path).text);
        struct json *entry = json_new_object();
        json_put_text(entry, "path", uri);
        json_put_int(entry, "size", files->files[i].size);
        json_put_bool(entry, "isDir", false);
        json_put_int(entry, "modificationTime", files->files[i].modified_ms);
        json_put_int(entry, "blockReplication", BLOCK_REPLICATION);
        json_put_int(entry, "blockSize", BLOCK_SIZE);
        json_put_text(entry, "action", "add");
        scoped(scope_free) char *line = json_print(entry);
        json_free(entry);
        check(fprintf(out, "\n%s", line) > 0);
    }
    check(fclose(out) == 0);
    return text;
}

/* Copies the entries of batches [first, last] into a draft. */
static bool copy_entries(const struct sink_log *log, int64_t first, int64_t last,
                         struct file_draft *draft, struct error *err) {
    for (int64_t batch = first; batch <= last; batch++) {
        struct file_path path = path_of(log, batch, is_compaction(log, batch));
        if (!sink_log_file_copy(path.text, draft, err))
            return false;
    }
    return true;
}

static bool publish(const struct sink_log *log, int64_t batch_id, const struct file_list *files,
                    struct error *err) {
    bool compact = is_compaction(log, batch_id);
    int64_t first = batch_id < log->interval ? 0 : batch_id - log->interval;
    char name[40];
    name_of(batch_id, compact, name);
    size_t size;
    scoped(scope_free) char *entries = print_entries(log, files, &size);

    struct file_draft draft;
    if (!file_draft_open(&draft, log->directory.text, name, err))
        return false;
    if (!file_draft_write(&draft, "v1", 2, err) ||
        (compact && !copy_entries(log, first, batch_id - 1, &draft, err)) ||
        !file_draft_write(&draft, entries, size, err)) {
        file_draft_discard(&draft);
        return false;
    }
    return file_draft_publish(&draft, err);
}

/* A number with or without ".compact", optionally as a checksum's name: ".N.crc". */
static bool batch_of(const char *name, int64_t *batch_id) {
    if (*name == '.')
        name++;
    if (*name < '0' || *name > '9')
        return false;
    char *rest;
    errno = 0;
    *batch_id = strtoll(name, &rest, 10);
    static const char *const endings[] = {"", ".compact", ".crc", ".compact.crc"};
    for (size_t i = 0; errno == 0 && i < sizeof endings / sizeof endings[0]; i++)
        if (strcmp(rest, endings[i]) == 0)
            return true;
    return false;
}

struct expiry {
    const struct sink_log *log;
    int64_t keep_from;       // batches before it may go
    int64_t modified_before; // milliseconds
};

static bool delete_expired(void *context, const char *name) {
    const struct expiry *expiry = context;
    int64_t batch_id;
    struct stat status;
    if (!batch_of(name, &batch_id) || batch_id >= expiry->keep_from)
        return true;
    struct file_path path = file_join(expiry->log->directory.text, name);
    if (disk->stat(path.text, &status) == 0 &&
        (int64_t)status.st_mtim.tv_sec * 1000 <= expiry->modified_before)
        (void)disk->unlink(path.text); // tidiness: the next compaction tries again
    return true;
}

/* Spark's rule: what only a reader that is 100 batches late could want, if it is old enough that
 * none is in the middle of reading it. */
static void forget_old(const struct sink_log *log, int64_t batch_id) {
    int64_t least = batch_id + 1 - SINK_LOG_BATCHES_KEPT;
    if (least < log->interval || !is_compaction(log, batch_id))
        return;
    struct expiry expiry = {
        .log = log,
        .keep_from = least - least % log->interval - 1,
        .modified_before = clock_wall_ms() - (int64_t)SINK_LOG_CLEANUP_MINUTES * 60 * 1000,
    };
    (void)disk->list(log->directory.text, delete_expired, &expiry);
}

bool sink_log_write(struct sink_log *log, int64_t batch_id, const struct file_list *files,
                    struct error *err) {
    if (!log->exists) {
        if (!file_make_directory_name(log->directory.text, err) ||
            !file_sync_directory(log->table, err))
            return false;
        log->exists = true;
    }
    int there = file_exists(path_of(log, batch_id, is_compaction(log, batch_id)).text, NULL, err);
    if (there < 0)
        return false;
    if (there == 1) {
        enum sink_log_names names;
        log->newest = log->newest < batch_id ? batch_id : log->newest;
        if (!sink_log_compare(log, batch_id, files, &names, err))
            return false;
        if (names != SINK_LOG_NAMES_THESE)
            return error_set(err, ERROR_STATE,
                             "'%s' lists batch %" PRId64 " with other files: another writer uses "
                             "this table; stop it and start again",
                             log->directory.text, batch_id);
        return file_sync_directory(log->directory.text, err);
    }
    if (!publish(log, batch_id, files, err)) {
        // Taken, or published and not synced: the next call looks at what is there.
        struct error ignored;
        if (err->kind == ERROR_STATE &&
            file_exists(path_of(log, batch_id, is_compaction(log, batch_id)).text, NULL,
                        &ignored) == 1)
            err->kind = ERROR_RETRY;
        return false;
    }
    log->newest = batch_id;
    if (is_compaction(log, batch_id))
        log->newest_compact = batch_id;
    forget_old(log, batch_id);
    return true;
}

bool sink_log_sweep(const struct sink_log *log, struct error *err) {
    return file_remove_drafts(log->directory.text, err);
}
