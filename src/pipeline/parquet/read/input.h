/* input.h: a Parquet file's bytes, in a file or in memory. */
#ifndef PARQUET_INPUT_H
#define PARQUET_INPUT_H

#include "base/disk/open_file.h"
#include "base/error.h"
#include "pipeline/parquet/bytes.h"

struct input {
    const char *name;        // the path, for messages
    struct file_reader file; // not open: in memory
    const uint8_t *memory;   // borrowed
    int64_t size;
};

/* ERROR_RETRY: the disk; ERROR_STATE: there is no such file. */
MUST_CHECK bool input_open(struct input *input, const char *path, struct error *err);
void input_open_memory(struct input *input, const uint8_t *bytes, size_t size);
void input_close(struct input *input);

/* Replaces what is in `out` by bytes [at, at + size) of the file. ERROR_STATE: they are not all
 * there. */
MUST_CHECK bool input_read(const struct input *input, int64_t at, size_t size, struct bytes *out,
                           struct error *err);

#endif
