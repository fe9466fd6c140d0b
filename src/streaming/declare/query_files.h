/* query_files.h: query files on disk. */
#ifndef STREAMING_DECLARE_QUERY_FILES_H
#define STREAMING_DECLARE_QUERY_FILES_H

#include "sql/syntax/parse.h"

struct query_files {
    char **paths; // owned; NULL while there is none
    size_t count;
};

/* Adds the files that a path stands for: those of a directory whose names end in ".sql", hidden
 * ones left out, in the order of their names; otherwise the path itself, no matter what
 * it is.
 * ERROR_CONFIG: the directory has no such file, or cannot be listed. */
MUST_CHECK bool query_files_add(struct query_files *files, const char *path, struct error *err);
void query_files_deinit(struct query_files *files);

/* ERROR_CONFIG: it cannot be read, has a mistake, or declares no streaming table. Needs
 * sql_file_deinit() after success. */
MUST_CHECK bool query_file_read(const char *path, struct sql_file *file, struct error *err);

#endif
