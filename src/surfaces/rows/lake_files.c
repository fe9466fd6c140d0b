#include "surfaces/rows/lake_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/disk/disk.h"
#include "base/disk/disk_error.h"
#include "base/disk/file.h"
#include "pipeline/parquet/read/reader.h"

/* Directories still to be listed and files found; paths relative to the root. */
struct lake_search {
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

static bool add_file(struct lake_search *search, const char *path, const char *relative,
                     int64_t bytes) {
    struct lake_files *files = search->files;
    struct lake_file file = {.bytes = bytes};
    if (!count_rows(path, &file.rows, search->err)) {
        bool gone = file_is_gone(path);
        if (gone)
            search->err->kind = ERROR_NONE;
        return gone;
    }
    file.directory = strdup(search->directory);
    file.path = strdup(relative);
    void *grown = realloc(files->files, (files->count + 1) * sizeof file);
    check(file.directory != NULL && file.path != NULL && grown != NULL);
    files->files = grown;
    files->files[files->count++] = file;
    return true;
}

static bool visit(void *context, const char *name) {
    struct lake_search *search = context;
    if (name[0] == '_' || name[0] == '.')
        return true;
    char *relative = join(search->directory, name);
    struct file_path path = file_join(search->root, relative);
    struct stat status;
    bool ok = true;
    if (disk->stat(path.text, &status) != 0) {
        ok = errno == ENOENT || disk_error(search->err, "look at", path.text);
    } else if (S_ISDIR(status.st_mode)) {
        void *grown =
            realloc(search->pending, (search->pending_count + 1) * sizeof search->pending[0]);
        check(grown != NULL);
        search->pending = grown;
        search->pending[search->pending_count++] = relative;
        relative = NULL;
    } else if (is_parquet(name)) {
        ok = add_file(search, path.text, relative, status.st_size);
    }
    free(relative);
    return ok;
}

static int compare(const void *a, const void *b) {
    const struct lake_file *left = a, *right = b;
    int order = strcmp(left->directory, right->directory);
    return order != 0 ? order : strcmp(left->path, right->path);
}

static bool list_directory(struct lake_search *search) {
    struct file_path path = file_join(search->root, search->directory);
    search->err->kind = ERROR_NONE;
    if (disk->list(path.text, visit, search) == 0 && search->err->kind == ERROR_NONE)
        return true;
    if (search->err->kind != ERROR_NONE)
        return false;    // the visitor's
    if (errno == ENOENT) // nothing was ever put there, or it has just been removed
        return true;
    return disk_error(search->err, "list", path.text);
}

bool lake_files_list(const char *root, struct lake_files *files, struct error *err) {
    *files = (struct lake_files){0};
    struct lake_search search = {.root = root, .directory = "", .files = files, .err = err};
    bool ok = list_directory(&search);
    while (search.pending_count > 0) {
        char *directory = search.pending[--search.pending_count];
        search.directory = directory;
        ok = ok && list_directory(&search);
        free(directory);
    }
    free(search.pending);
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
