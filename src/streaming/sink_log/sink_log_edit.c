/* sink_log_edit.c: a file of the log rewritten in place.
 *
 * It is streamed twice: the first pass finds out whether anything is left to do, the second writes
 * the new file next to the old one. A rename puts it in its place, so a reader gets the old entries
 * or the new ones. Lines that stay are copied byte by byte. New entries come first: those
 * of the file's own batch stay its last ones (streaming/changes/batch_files.c). An entry is known
 * by the end of its URI, the path relative to the table. */
#include "streaming/sink_log/sink_log_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "streaming/sink_log/sink_entry.h"

struct wanted_name {
    char *name; // owned; quoted, relative to the table
    size_t index;
};

/* The paths of a list as they end in a URI. */
struct name_index {
    struct wanted_name *names; // owned; ascending
    size_t count;
    bool *seen; // owned; by the list's index
};

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct wanted_name *)a)->name, ((const struct wanted_name *)b)->name);
}

static void name_index_init(struct name_index *index, const struct file_list *files) {
    *index = (struct name_index){.names = must_alloc(files->count + 1, sizeof *index->names),
                                 .count = files->count,
                                 .seen = must_alloc(files->count + 1, sizeof *index->seen)};
    for (size_t i = 0; i < files->count; i++)
        index->names[i] = (struct wanted_name){sink_entry_quote(files->files[i].path), i};
    if (index->count > 1)
        qsort(index->names, index->count, sizeof *index->names, by_name);
}

static void name_index_deinit(struct name_index *index) {
    for (size_t i = 0; i < index->count; i++)
        free(index->names[i].name);
    free(index->names);
    free(index->seen);
}

static bool name_index_mark(struct name_index *index, const char *name) {
    const struct wanted_name key = {.name = (char *)name};
    const struct wanted_name *found =
        index->count == 0 ? NULL : bsearch(&key, index->names, index->count, sizeof key, by_name);
    if (found != NULL)
        index->seen[found->index] = true;
    return found != NULL;
}

struct editor {
    const struct sink_log *log;
    const struct sink_log_edit *edit;
    size_t depth; // slashes in each path
    struct name_index left, added;
    bool *listed;                   // owned; the added ones that the file lists already
    size_t dropped;                 // entries of this file that are to go
    struct sink_log_writer *writer; // NULL: only look
};

static size_t slashes_in(const char *path) {
    size_t count = 0;
    for (; *path != '\0'; path++)
        count += *path == '/';
    return count;
}

static void editor_init(struct editor *editor, const struct sink_log *log,
                        const struct sink_log_edit *edit) {
    *editor = (struct editor){.log = log, .edit = edit};
    const struct file_list *some = edit->left->count > 0 ? edit->left : edit->added;
    editor->depth = some->count > 0 ? slashes_in(some->files[0].path) : 0;
    name_index_init(&editor->left, edit->left);
    name_index_init(&editor->added, edit->added);
    editor->listed = must_alloc(edit->added->count + 1, sizeof *editor->listed);
}

static void editor_deinit(struct editor *editor) {
    name_index_deinit(&editor->left);
    name_index_deinit(&editor->added);
    free(editor->listed);
}

static const char *end_of(const char *uri, size_t depth) {
    const char *name = uri + strlen(uri);
    for (size_t slashes = 0; name > uri; name--)
        if (name[-1] == '/' && slashes++ == depth)
            break;
    return name;
}

static bool visit(void *context, const char *line, size_t size, const char *uri,
                  struct error *err) {
    struct editor *editor = context;
    const char *name = end_of(uri, editor->depth);
    bool drop = name_index_mark(&editor->left, name);
    if (!drop)
        (void)name_index_mark(&editor->added, name);
    editor->dropped += drop;
    return drop || editor->writer == NULL ||
           sink_log_writer_add_bytes(editor->writer, line, size, err);
}

static bool walk(struct editor *editor, const char *path, struct error *err) {
    bool found;
    editor->dropped = 0;
    return sink_log_file_lines(path, visit, editor, &found, err) &&
           (found ||
            error_set(err, ERROR_STATE, "'%s' is missing: restore it from a backup", path));
}

static bool has_compact(const struct sink_log *log) {
    return log->newest + 1 >= log->interval;
}

/* The last batch whose file may be rewritten; less than the first: none. */
static int64_t last_of(const struct sink_log *log, const struct sink_log_edit *edit) {
    return edit->also_batches ? log->newest : has_compact(log) ? sink_log_first(log) : -1;
}

bool sink_log_each_compacted(const struct sink_log *log, sink_log_entry_fn *visit_entry,
                             void *context, struct error *err) {
    bool found = true;
    if (!has_compact(log))
        return true;
    struct file_path path = sink_log_path(log, sink_log_first(log));
    return sink_log_file_entries(path.text, visit_entry, context, &found, err) &&
           (found ||
            error_set(err, ERROR_STATE, "'%s' is missing: restore it from a backup", path.text));
}

bool sink_log_edit_check(const struct sink_log *log, const struct sink_log_edit *edit,
                         const char **missing, struct error *err) {
    struct editor editor;
    editor_init(&editor, log, edit);
    bool ok = true;
    for (int64_t batch = sink_log_first(log); ok && batch <= last_of(log, edit); batch++)
        ok = walk(&editor, sink_log_path(log, batch).text, err);
    *missing = NULL;
    for (size_t i = 0; ok && *missing == NULL && i < edit->left->count; i++)
        if (!editor.left.seen[i])
            *missing = edit->left->files[i].path;
    editor_deinit(&editor);
    return ok;
}

static bool write_added(const struct editor *editor, struct error *err) {
    const struct file_list *added = editor->edit->added;
    for (size_t i = 0; i < added->count; i++) {
        const struct data_file *file = &added->files[i];
        if (editor->listed[i])
            continue;
        struct file_path path = file_join(editor->log->table, file->path);
        scoped(scope_free) char *line = sink_entry_print(path.text, file->size, file->modified_ms);
        if (!sink_log_writer_add(editor->writer, line, err))
            return false;
    }
    return true;
}

static bool rewrite(struct editor *editor, int64_t batch, bool with_added, struct error *err) {
    char name[SINK_LOG_NAME_MAX], checksum[SINK_LOG_NAME_MAX + 8];
    sink_log_file_name(batch, (batch + 1) % editor->log->interval == 0, name);
    (void)snprintf(checksum, sizeof checksum, ".%s.crc", name);
    const char *directory = editor->log->directory.text;
    struct sink_log_writer writer;
    // Spark's checksum of the old bytes goes first: without one nobody compares.
    if (!file_remove(file_join(directory, checksum).text, err) ||
        !sink_log_writer_open(&writer, directory, name, err))
        return false;
    editor->writer = &writer;
    bool ok = (!with_added || write_added(editor, err)) &&
              walk(editor, file_join(directory, name).text, err);
    editor->writer = NULL;
    if (!ok) {
        sink_log_writer_discard(&writer);
        return false;
    }
    return sink_log_writer_replace(&writer, err);
}

static bool has_all(const bool *seen, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!seen[i])
            return false;
    return true;
}

/* The first file takes the new entries. */
static bool apply_to(struct editor *editor, int64_t batch, bool first, struct error *err) {
    struct file_path path = sink_log_path(editor->log, batch);
    size_t count = editor->edit->added->count;
    if (!walk(editor, path.text, err))
        return false;
    if (editor->dropped == 0 && (!first || has_all(editor->added.seen, count)))
        return true;
    memcpy(editor->listed, editor->added.seen, count * sizeof *editor->listed);
    return rewrite(editor, batch, first, err);
}

bool sink_log_edit_apply(const struct sink_log *log, const struct sink_log_edit *edit,
                         struct error *err) {
    struct editor editor;
    editor_init(&editor, log, edit);
    int64_t first = sink_log_first(log);
    bool ok = true;
    for (int64_t batch = first; ok && batch <= log->newest; batch++) {
        if (batch > last_of(log, edit) && has_all(editor.left.seen, edit->left->count))
            break;
        ok = apply_to(&editor, batch, batch == first, err);
    }
    editor_deinit(&editor);
    // A rename of an earlier attempt may be unsynced.
    return ok && file_sync_directory(log->directory.text, err);
}
