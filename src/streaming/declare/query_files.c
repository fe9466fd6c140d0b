#include "streaming/declare/query_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/disk/file.h"
#include "base/text.h"

static void add(struct query_files *files, char *path) {
    files->paths = reallocarray(files->paths, files->count + 1, sizeof *files->paths);
    check(files->paths != NULL);
    files->paths[files->count++] = path;
}

struct listing {
    struct query_files *files;
    const char *directory;
};

static bool add_name(void *context, const char *name) {
    const struct listing *listing = context;
    const char *slash = text_ends_with(listing->directory, "/") ? "" : "/";
    if (name[0] != '.' && text_ends_with(name, ".sql"))
        add(listing->files, text_format("%s%s%s", listing->directory, slash, name));
    return true;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool query_files_add(struct query_files *files, const char *path, struct error *err) {
    struct listing listing = {files, path};
    size_t before = files->count;
    int listed = file_list(path, add_name, &listing, err);
    if (listed < 0 && errno != ENOTDIR) {
        err->kind = ERROR_CONFIG;
        return false;
    }
    if (listed == 1 && files->count == before)
        return error_set(err, ERROR_CONFIG, "%s: the directory has no file *.sql", path);
    if (listed == 1)
        qsort(files->paths + before, files->count - before, sizeof *files->paths, by_name);
    else
        add(files, text_copy(path));
    return true;
}

void query_files_deinit(struct query_files *files) {
    for (size_t i = 0; i < files->count; i++)
        free(files->paths[i]);
    free(files->paths);
    *files = (struct query_files){0};
}

bool query_file_read(const char *path, struct sql_file *file, struct error *err) {
    char *text;
    size_t size;
    if (!file_read(path, SQL_FILE_BYTES_MAX, &text, &size, err)) {
        err->kind = ERROR_CONFIG;
        return false;
    }
    if (text == NULL)
        return error_set(err, ERROR_CONFIG, "%s: no such file", path);
    bool ok = sql_parse(path, text, size, file, err);
    free(text);
    if (ok && file->table_count == 0) {
        sql_file_deinit(file);
        return error_set(err, ERROR_CONFIG,
                         "%s: the file declares no streaming table (CREATE STREAMING TABLE …)",
                         path);
    }
    return ok;
}
