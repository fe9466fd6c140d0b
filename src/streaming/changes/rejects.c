#include "streaming/changes/rejects.h"

#include "streaming/changes/snapshot.h"

/* ---- files ---- */

static bool add_path(void *context, const char *path) {
    struct reject_files *files = context;
    path_list_add(&files->list, path);
    return true;
}

bool reject_files_list(const struct table *rejects, struct reject_files *files, struct error *err) {
    *files = (struct reject_files){.rejects = rejects};
    if (!table_each_file(rejects, 0, add_path, files, err)) {
        reject_files_deinit(files);
        return false;
    }
    path_list_sort(&files->list);
    return true;
}

void reject_files_deinit(struct reject_files *files) {
    path_list_deinit(&files->list);
    *files = (struct reject_files){0};
}

/* ---- rows ---- */

void reject_cursor_open(struct reject_cursor *cursor, const struct reject_files *files,
                        struct reject_mark from, size_t page_size_max) {
    *cursor = (struct reject_cursor){.files = files, .page_size_max = page_size_max, .next = from};
}

void reject_cursor_close(struct reject_cursor *cursor) {
    reject_reader_close(cursor->reader);
    cursor->reader = NULL;
}

static void pass_file(struct reject_cursor *cursor) {
    reject_cursor_close(cursor);
    cursor->next = (struct reject_mark){.file = cursor->next.file + 1};
}

static bool skip_rows(struct reject_cursor *cursor, int64_t rows, struct error *err) {
    struct reject_row ignored;
    bool found = true;
    for (; rows > 0 && found; rows--)
        if (!reject_reader_next(cursor->reader, &ignored, &found, err))
            return false;
    return true;
}

/* Opens the file of the next row; a cursor that begins in its middle passes over what is before it.
 * *gone: there is no such file any more. */
static bool open_file(struct reject_cursor *cursor, bool *gone, struct error *err) {
    struct file_path path =
        file_join(cursor->files->rejects->root.text, cursor->files->list.paths[cursor->next.file]);
    *gone = false;
    if (reject_reader_open(&cursor->reader, path.text, cursor->page_size_max, err))
        return skip_rows(cursor, cursor->next.row, err);
    *gone = file_is_gone(path.text);
    return *gone;
}

bool reject_cursor_next(struct reject_cursor *cursor, struct reject_row *row, bool *found,
                        struct error *err) {
    for (*found = false; cursor->next.file < cursor->files->list.count; pass_file(cursor)) {
        bool gone = false;
        if (cursor->reader == NULL && !open_file(cursor, &gone, err))
            return false;
        if (gone)
            continue;
        if (!reject_reader_next(cursor->reader, row, found, err))
            return false;
        cursor->next.row += *found;
        if (*found)
            return true;
    }
    return true;
}

/* ---- which are resolved ---- */

bool resolved_rejects_read(struct store *store, struct resolved_rejects *rejects,
                           struct error *err) {
    struct snapshot snapshot;
    *rejects = (struct resolved_rejects){0};
    if (!snapshot_take(store, &snapshot, err))
        return false;
    rejects->set = snapshot.outcomes.replayed;
    rejects->incarnations = snapshot.outcomes.incarnations;
    snapshot.outcomes.replayed = (struct resolved){0};
    snapshot.outcomes.incarnations = (struct incarnations){0};
    snapshot_deinit(&snapshot);
    return true;
}

void resolved_rejects_deinit(struct resolved_rejects *rejects) {
    resolved_deinit(&rejects->set);
    incarnations_deinit(&rejects->incarnations);
}

bool resolved_rejects_has(const struct resolved_rejects *rejects, int64_t processed_ms,
                          int32_t partition, int64_t offset) {
    int32_t incarnation = incarnations_of_reject(&rejects->incarnations, processed_ms);
    return resolved_has(&rejects->set, incarnation, partition, offset);
}
