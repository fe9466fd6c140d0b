#include "surfaces/rows/lake_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/disk/file.h"
#include "pipeline/parquet/read/reader.h"

/* Directories still to be walked and files found; paths relative to the root. */
struct walk {
    const char *root;
    const char *directory; // the one being listed
    char **pending;        // owned, with its texts
    size_t pending_count;
    struct lake_files *files;
    struct error *err;
};

static char *join(const char *directory, const char *name) {
    char *path = NULL;
    check(asprintf(&path, "%s%s%s", directory, *directory != '\0' ? "/" : "", name) >= 0);
    return path;
}

static bool is_parquet(const char *name) {
    static const char suffix[] = ".parquet";
    size_t size = strlen(name);
    return size > sizeof suffix - 1 && strcmp(name + size - (sizeof suffix - 1), suffix) == 0;
}

static bool count_rows(const char *path, int64_t *rows, struct error *err) {
    struct parquet_reader reader;
    bool ok = parquet_reader_open(&reader, path, err);
    if (ok)
        *rows = reader.metadata.rows;
    parquet_reader_close(&reader);
    return ok;
}

static bool add_file(struct walk *walk, const char *path, int64_t bytes) {
    struct lake_files *files = walk->files;
    struct lake_file file = {.bytes = bytes};
    if (!count_rows(path, &file.rows, walk->err)) {
        bool gone = file_is_gone(path);
        if (gone)
            walk->err->kind = ERROR_NONE;
        return gone;
    }
    file.directory = strdup(walk->directory);
    file.path = strdup(path);
    void *grown = realloc(files->files, (files->count + 1) * sizeof file);
    check(file.directory != NULL && file.path != NULL && grown != NULL);
    files->files = grown;
    files->files[files->count++] = file;
    return true;
}

static bool visit(void *context, const char *name) {
    struct walk *walk = context;
    if (name[0] == '_' || name[0] == '.')
        return true;
    char *relative = join(walk->directory, name);
    struct file_path path = file_join(walk->root, relative);
    struct file_status status;
    int there = file_find(path.text, &status, walk->err);
    bool ok = true;
    if (there <= 0) {
        ok = there == 0;
    } else if (status.is_directory) {
        void *grown = realloc(walk->pending, (walk->pending_count + 1) * sizeof walk->pending[0]);
        check(grown != NULL);
        walk->pending = grown;
        walk->pending[walk->pending_count++] = relative;
        relative = NULL;
    } else if (is_parquet(name)) {
        ok = add_file(walk, path.text, status.size);
    }
    free(relative);
    return ok;
}

static int compare(const void *a, const void *b) {
    const struct lake_file *left = a, *right = b;
    int order = strcmp(left->directory, right->directory);
    return order != 0 ? order : strcmp(left->path, right->path);
}

static bool list_directory(struct walk *walk) {
    struct file_path path = file_join(walk->root, walk->directory);
    walk->err->kind = ERROR_NONE;
    // Not there: nothing was ever put there, or it has just been removed.
    (void)file_list(path.text, visit, walk, walk->err);
    return walk->err->kind == ERROR_NONE; // the visitor's, or the list's
}

bool lake_files_list(const char *root, struct lake_files *files, struct error *err) {
    *files = (struct lake_files){0};
    struct walk walk = {.root = root, .directory = "", .files = files, .err = err};
    bool ok = list_directory(&walk);
    while (walk.pending_count > 0) {
        char *directory = walk.pending[--walk.pending_count];
        walk.directory = directory;
        ok = ok && list_directory(&walk);
        free(directory);
    }
    free(walk.pending);
    if (files->count > 0)
        qsort(files->files, files->count, sizeof files->files[0], compare);
    if (!ok)
        lake_files_deinit(files);
    return ok;
}

void lake_files_deinit(struct lake_files *files) {
    for (size_t i = 0; i < files->count; i++) {
        free(files->files[i].directory);
        free(files->files[i].path);
    }
    free(files->files);
    *files = (struct lake_files){0};
}
