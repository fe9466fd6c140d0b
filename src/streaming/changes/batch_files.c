/* batch_files.c: four sources, the cheapest first.
 *
 * The batch's own file of the sink log names its files and no others. A batch that was compacted
 * has none: its manifest tells, if we ran it. Else the compact file does: entries keep their order,
 * so the batch's own come behind the last entry of the batch before. If that can't be found, two
 * whole logs are compared, before and with the batch. */
#include "streaming/changes/batch_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/text.h"
#include "streaming/sink_log/sink_entry.h"
#include "streaming/sink_log/sink_log.h"
#include "streaming/sink_log/sink_log_file.h"
#include "streaming/table/path_list.h"

bool batch_newest(const struct store *store, int64_t *batch_id, struct error *err) {
    return checkpoint_newest(&store->checkpoint.commits, batch_id, err);
}

/* What happens to visited entries of the sink log. */
struct collector {
    const struct store *store;
    struct path_set *seen;   // they are noted here; NULL: added to `files`,
    struct path_set *before; // except those in this set; NULL: all
    struct file_list *files;
};

static void add_file(struct file_list *files, const char *path, int64_t size) {
    struct data_file file = {.path = text_copy(path), .size = size};
    file_list_add(files, file);
}

static bool visit(void *context, struct json *line, struct error *err) {
    struct collector *collector = context;
    const struct store_options *options = &collector->store->options;
    struct sink_entry entry;
    if (!sink_entry_read(&entry, line, options->table, options->partition_by_count, err))
        return false;
    bool ok = entry.in_table ||
              error_set(err, ERROR_STATE,
                        "the sink log of '%s' lists '%s', which is not below it: if the lake was "
                        "moved, run `esports-stream relocate`",
                        options->table, entry.path);
    if (ok && collector->seen != NULL)
        path_set_add(collector->seen, entry.relative);
    else if (ok && (collector->before == NULL || !path_set_has(collector->before, entry.relative)))
        add_file(collector->files, entry.relative, entry.size);
    sink_entry_deinit(&entry);
    return ok;
}

/* What the compact file of the batch has beyond the log as it was before. */
static bool read_difference(struct collector *collector, const struct file_path *compact,
                            int64_t batch_id, bool *known, struct error *err) {
    const struct sink_log *log = &collector->store->sink_log;
    struct path_set before = {0};
    struct sink_log then;
    *known = true;
    bool ok = batch_id == 0 || sink_log_at(log, batch_id - 1, &then, known, err);
    if (ok && *known && batch_id > 0) {
        collector->seen = &before;
        ok = sink_log_each_entry(&then, visit, collector, err);
        collector->seen = NULL;
        (void)path_set_seal(&before);
        collector->before = &before;
    }
    bool found = true;
    if (ok && *known)
        ok = sink_log_file_entries(compact->text, visit, collector, &found, err);
    *known = *known && found;
    collector->before = NULL;
    path_set_deinit(&before);
    return ok;
}

static bool is_compact(const struct file_path *path) {
    static const char suffix[] = ".compact";
    size_t size = strlen(path->text);
    return size >= sizeof suffix && strcmp(path->text + size - (sizeof suffix - 1), suffix) == 0;
}

/* The entry before those of the batch; NULL: there is none, or a file of the log is gone. */
static bool read_line_before(const struct sink_log *log, int64_t batch_id, char **line,
                             struct error *err) {
    bool ok = true;
    *line = NULL;
    for (int64_t batch = batch_id - 1; ok && batch >= 0 && *line == NULL; batch--) {
        struct file_path path;
        ok = sink_log_file_of(log, batch, &path, err);
        if (path.text[0] == '\0' || !ok)
            break;
        ok = sink_log_last_line(path.text, line, err);
        if (is_compact(&path))
            break; // what is before it, it has
    }
    return ok;
}

/* The end of the compact file, which lists the batch's own files last. *known false: it is not
 * written so that this could be seen. */
static bool read_end(struct collector *collector, const struct file_path *compact, int64_t batch_id,
                     bool *known, struct error *err) {
    scoped(scope_free) char *line = NULL;
    *known = false;
    return read_line_before(&collector->store->sink_log, batch_id, &line, err) &&
           (line == NULL ||
            sink_log_entries_behind(compact->text, line, visit, collector, known, err));
}

static bool read_manifest(const struct store *store, int64_t batch_id, struct file_list *files,
                          bool *known, struct error *err) {
    struct file_path path = file_join_number(store->checkpoint.manifests.text, batch_id);
    struct manifest manifest;
    *known = false;
    if (!store_read_manifest(store, batch_id, &manifest, err))
        return file_is_gone(path.text);
    *known = !manifest.of_spark; // else only the sink log knows them
    for (size_t i = 0; i < manifest.files.count; i++)
        add_file(files, manifest.files.files[i].path, manifest.files.files[i].size);
    manifest_deinit(&manifest);
    return true;
}

bool batch_files_read(struct store *store, int64_t batch_id, struct file_list *files, bool *known,
                      struct error *err) {
    struct collector collector = {.store = store, .files = files};
    struct file_path path = {0};
    *known = false;
    if (!sink_log_open(&store->sink_log, store->options.table, err) ||
        (store->sink_log.exists && !sink_log_file_of(&store->sink_log, batch_id, &path, err)))
        return false;
    if (path.text[0] != '\0' && !is_compact(&path))
        return sink_log_file_entries(path.text, visit, &collector, known, err);
    if (!read_manifest(store, batch_id, files, known, err))
        return false;
    if (*known || path.text[0] == '\0')
        return true;
    return read_end(&collector, &path, batch_id, known, err) &&
           (*known || read_difference(&collector, &path, batch_id, known, err));
}

bool batch_time(const struct store *store, int64_t batch_id, int64_t *time_ms, struct error *err) {
    struct file_path path = file_join_number(store->checkpoint.manifests.text, batch_id);
    struct manifest manifest;
    struct offset_entry plan = {0};
    bool found = false;
    *time_ms = -1;
    if (store_read_manifest(store, batch_id, &manifest, err)) {
        *time_ms = manifest.timestamp_ms;
        manifest_deinit(&manifest);
        return true;
    }
    if (!file_is_gone(path.text))
        return false;
    bool ok = checkpoint_read_offsets(&store->checkpoint, batch_id, &plan, &found, err);
    if (ok && found)
        *time_ms = plan.timestamp_ms;
    offset_entry_deinit(&plan);
    return ok;
}
