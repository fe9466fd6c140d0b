#include "streaming/store/reject_walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* ---- files ---- */

static bool add_path(void *context, const char *path) {
    struct reject_files *files = context;
    if (files->count == files->capacity) {
        files->capacity = files->capacity == 0 ? 64 : 2 * files->capacity;
        files->paths = reallocarray(files->paths, files->capacity, sizeof *files->paths);
        check(files->paths != NULL);
    }
    files->paths[files->count] = strdup(path);
    check(files->paths[files->count++] != NULL);
    return true;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool reject_files_list(const struct table *rejects, struct reject_files *files, struct error *err) {
    *files = (struct reject_files){.rejects = rejects};
    if (!table_each_file(rejects, 0, add_path, files, err)) {
        reject_files_deinit(files);
        return false;
    }
    if (files->count > 1)
        qsort(files->paths, files->count, sizeof *files->paths, by_text);
    return true;
}

void reject_files_deinit(struct reject_files *files) {
    for (size_t i = 0; i < files->count; i++)
        free(files->paths[i]);
    free(files->paths);
    *files = (struct reject_files){0};
}

/* ---- rows ---- */

void reject_walk_begin(struct reject_walk *walk, const struct reject_files *files,
                       struct reject_place place, size_t page_size_max) {
    *walk = (struct reject_walk){.files = files, .page_size_max = page_size_max, .next = place};
}

void reject_walk_end(struct reject_walk *walk) {
    reject_reader_close(walk->reader);
    walk->reader = NULL;
}

static void pass_file(struct reject_walk *walk) {
    reject_walk_end(walk);
    walk->next = (struct reject_place){.file = walk->next.file + 1};
}

static bool skip_rows(struct reject_walk *walk, int64_t rows, struct error *err) {
    struct reject_row ignored;
    bool found = true;
    for (; rows > 0 && found; rows--)
        if (!reject_reader_next(walk->reader, &ignored, &found, err))
            return false;
    return true;
}

/* Opens the file of the next row; a walk that begins in its middle passes over what is before it.
 * *gone: there is no such file any more. */
static bool open_file(struct reject_walk *walk, bool *gone, struct error *err) {
    struct file_path path =
        file_join(walk->files->rejects->root.text, walk->files->paths[walk->next.file]);
    *gone = false;
    if (reject_reader_open(&walk->reader, path.text, walk->page_size_max, err))
        return skip_rows(walk, walk->next.row, err);
    *gone = file_is_gone(path.text);
    return *gone;
}

bool reject_walk_next(struct reject_walk *walk, struct reject_row *row, bool *found,
                      struct error *err) {
    for (*found = false; walk->next.file < walk->files->count; pass_file(walk)) {
        bool gone = false;
        if (walk->reader == NULL && !open_file(walk, &gone, err))
            return false;
        if (gone)
            continue;
        if (!reject_reader_next(walk->reader, row, found, err))
            return false;
        walk->next.row += *found;
        if (*found)
            return true;
    }
    return true;
}
