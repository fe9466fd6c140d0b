/* output.h: bytes appended to a file, gathered so that small pieces cost no system call each.
 *
 * The file is open only between output_open() and output_close(): a table with a thousand files in
 * the making does not need a thousand descriptors. Every close syncs. An error of the disk that the
 * kernel meets while writing back is told to descriptors that are open then; a later one may never
 * hear of it. */
#ifndef PARQUET_OUTPUT_H
#define PARQUET_OUTPUT_H

#include "base/disk/open_file.h"
#include "base/error.h"
#include "pipeline/parquet/bytes.h"

struct output {
    struct file_append file; // its path is borrowed
    int64_t offset;          // of the next byte in the file
    struct bytes *pending;   // borrowed; bytes not yet handed to the system
    int64_t busy_ns;         // how long the disk was waited for
};

/* Opens the file for appending at `offset`, which is its size; 0 creates it: it must not exist.
 * All errors here are ERROR_RETRY with path and reason. */
MUST_CHECK bool output_open(struct output *output, const char *path, int64_t offset,
                            struct bytes *pending, struct error *err);
MUST_CHECK bool output_write(struct output *output, const void *bytes, size_t size,
                             struct error *err);

/* Writes what is pending, syncs and closes. */
MUST_CHECK bool output_close(struct output *output, struct error *err);

/* Closes without a word, after an error. */
void output_abandon(struct output *output);

#endif
