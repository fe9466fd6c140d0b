/* sink_log_compare.c: who wrote a batch of the sink log.
 *
 * After a crash the log may have the batch already, from us or from a Spark that ran it again; the
 * names of its files tell. A batch's own file answers by itself. A compact file lists all files of
 * the table: if it has the size of what we would have made of the files before it, and our entries
 * at its end, it is ours, and nothing of it was read but the end. Only if not is it streamed, and
 * its entries counted against those of the files before it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "streaming/sink_log/sink_entry.h"
#include "streaming/sink_log/sink_log.h"

/* A file that we look for. */
struct wanted {
    char *name; // owned; quoted, relative to the table
    size_t index;
};

/* The files that we look for, against the entries that go by. */
struct comparison {
    struct wanted *wanted; // owned, sorted
    size_t count;
    size_t depth;   // slashes in each name
    size_t entries; // entries seen
    size_t found;   // of them, ours
    bool *listed;   // borrowed; by index. NULL: not asked for
};

static int compare_names(const void *a, const void *b) {
    return strcmp(((const struct wanted *)a)->name, ((const struct wanted *)b)->name);
}

static void comparison_add(struct comparison *comparison, const char *path) {
    struct wanted *wanted = &comparison->wanted[comparison->count];
    *wanted = (struct wanted){sink_entry_quote(path), comparison->count};
    comparison->depth = 0;
    for (const char *at = path; *at != '\0'; at++)
        comparison->depth += *at == '/';
    comparison->count++;
}

static void comparison_sort(struct comparison *comparison) {
    if (comparison->count > 1)
        qsort(comparison->wanted, comparison->count, sizeof(struct wanted), compare_names);
}

static void comparison_deinit(struct comparison *comparison) {
    for (size_t i = 0; i < comparison->count; i++)
        free(comparison->wanted[i].name);
    free(comparison->wanted);
}

static void compare_entry(void *context, const char *uri) {
    struct comparison *comparison = context;
    comparison->entries++;
    if (comparison->count == 0)
        return;
    const char *name = uri + strlen(uri);
    for (size_t slashes = 0; name > uri; name--)
        if (name[-1] == '/' && slashes++ == comparison->depth)
            break;
    const struct wanted key = {.name = (char *)name};
    const struct wanted *found =
        bsearch(&key, comparison->wanted, comparison->count, sizeof key, compare_names);
    if (found == NULL)
        return;
    comparison->found++;
    if (comparison->listed != NULL)
        comparison->listed[found->index] = true;
}

/* Reads the file of one batch: N, or else N.compact. */
static bool compare_file(const struct sink_log *log, int64_t batch_id,
                         struct comparison *comparison, bool *found, bool *compact,
                         struct error *err) {
    struct file_path path = file_join_number(log->directory.text, batch_id);
    *compact = false;
    if (!sink_log_file_each(path.text, compare_entry, comparison, found, err))
        return false;
    if (*found)
        return true;
    char name[SINK_LOG_NAME_MAX];
    sink_log_file_name(batch_id, true, name);
    *compact = true;
    path = file_join(log->directory.text, name);
    return sink_log_file_each(path.text, compare_entry, comparison, found, err);
}

/* How many entries the log had before `batch_id`, which is in a compact file. -1: the files that
 * would tell are deleted. */
static bool entries_before(const struct sink_log *log, int64_t batch_id, int64_t *entries,
                           struct error *err) {
    int64_t first = batch_id < log->interval ? 0 : batch_id - log->interval;
    struct comparison counted = {0};
    for (int64_t batch = first; batch < batch_id; batch++) {
        bool found, compact;
        if (!compare_file(log, batch, &counted, &found, &compact, err))
            return false;
        if (!found) {
            *entries = -1;
            return true;
        }
    }
    *entries = (int64_t)counted.entries;
    return true;
}

bool sink_log_is_our_compact(const struct sink_log *log, int64_t batch_id,
                             const struct file_list *files, bool *ours, struct error *err) {
    *ours = false;
    if ((batch_id + 1) % log->interval != 0)
        return true;
    size_t entries_size;
    scoped(scope_free) char *entries = sink_log_print(log, files, &entries_size);
    int64_t expected = SINK_LOG_HEADER_SIZE + (int64_t)entries_size;
    int64_t first = batch_id < log->interval ? 0 : batch_id - log->interval;
    for (int64_t batch = first; batch < batch_id; batch++) {
        int64_t size = 0;
        struct file_path path = sink_log_path(log, batch);
        if (file_exists(path.text, &size, err) < 0)
            return false;
        expected += size - SINK_LOG_HEADER_SIZE;
    }
    struct file_path path = sink_log_path(log, batch_id);
    int64_t size = 0;
    if (file_exists(path.text, &size, err) < 0)
        return false;
    *ours = size == expected;
    return !*ours || sink_log_file_ends_with(path.text, entries, entries_size, ours, err);
}

/* All that we look for was found; whether the batch has other entries too. */
static bool has_others(const struct sink_log *log, int64_t batch_id,
                       const struct comparison *comparison, bool *others, struct error *err) {
    int64_t before;
    if (!entries_before(log, batch_id, &before, err))
        return false;
    // Entries can't be dropped from a compact file but by Spark's option "retention".
    *others = before >= 0 && before <= (int64_t)comparison->entries &&
              (int64_t)comparison->entries - before != (int64_t)comparison->count;
    return true;
}

static bool compare_batch(const struct sink_log *log, int64_t batch_id,
                          struct comparison *comparison, enum sink_log_names *names,
                          struct error *err) {
    bool found, compact, others = false;
    if (!compare_file(log, batch_id, comparison, &found, &compact, err))
        return false;
    if (found && !compact) {
        others = comparison->entries != comparison->count;
    } else if (!found) {
        // Its own file is deleted by now: what it named is in the newest compact file.
        if (!compare_file(log, log->newest_compact, comparison, &found, &compact, err))
            return false;
        if (!found || log->newest_compact < batch_id)
            return error_set(err, ERROR_STATE,
                             "'%s' has no file for batch %" PRId64
                             ", but has later ones: restore the missing file from a backup",
                             log->directory.text, batch_id);
    } else if (comparison->found == comparison->count &&
               !has_others(log, batch_id, comparison, &others, err)) {
        return false;
    }
    bool all = comparison->found == comparison->count;
    *names = all && !others           ? SINK_LOG_NAMES_THESE
             : comparison->found == 0 ? SINK_LOG_NAMES_OTHERS
                                      : SINK_LOG_NAMES_SOME;
    return true;
}

bool sink_log_compare(const struct sink_log *log, int64_t batch_id, const struct file_list *files,
                      enum sink_log_names *names, struct error *err) {
    *names = SINK_LOG_SILENT;
    if (log->newest < batch_id)
        return true;
    bool ours; // the whole log is only walked when it isn't
    if (!sink_log_is_our_compact(log, batch_id, files, &ours, err))
        return false;
    if (ours) {
        *names = SINK_LOG_NAMES_THESE;
        return true;
    }
    struct comparison comparison = {.wanted = must_alloc(files->count, sizeof(struct wanted))};
    for (size_t i = 0; i < files->count; i++)
        comparison_add(&comparison, files->files[i].path);
    comparison_sort(&comparison);
    bool ok = compare_batch(log, batch_id, &comparison, names, err);
    comparison_deinit(&comparison);
    return ok;
}

bool sink_log_find(const struct sink_log *log, const char *const *paths, size_t count, bool *listed,
                   struct error *err) {
    struct comparison comparison = {.wanted = must_alloc(count, sizeof(struct wanted))};
    comparison.listed = listed;
    for (size_t i = 0; i < count; i++)
        comparison_add(&comparison, paths[i]);
    comparison_sort(&comparison);
    bool ok = true;
    int64_t first = (log->newest + 1) / log->interval * log->interval - 1;
    for (int64_t batch = first < 0 ? 0 : first; ok && batch <= log->newest; batch++) {
        bool found, compact;
        ok = compare_file(log, batch, &comparison, &found, &compact, err);
    }
    comparison_deinit(&comparison);
    return ok;
}
