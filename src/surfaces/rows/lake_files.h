/* lake_files.h: the Parquet files below a table's root, found as a reader that globs finds them. */
#ifndef SURFACES_ROWS_LAKE_FILES_H
#define SURFACES_ROWS_LAKE_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct lake_file {
    char *directory; // relative to the root, as the path: "status=live", or ""
    char *path;
    int64_t rows, bytes;
};

struct lake_files {
    struct lake_file *files; // owned; ascending by directory, then path
    size_t count;
};

/* Names that begin with '_' or '.' are left out, as readers do. A root that is not there has no
 * files. ERROR_RETRY: the disk; ERROR_STATE: a file that is no Parquet. */
MUST_CHECK bool lake_files_list(const char *root, struct lake_files *files, struct error *err);
void lake_files_deinit(struct lake_files *files);

#endif
