/* input.h: a Parquet file's bytes, in a file or in memory. */
#ifndef PARQUET_INPUT_H
#define PARQUET_INPUT_H

#include "base/disk/open_file.h"
#include "base/error.h"
#include "pipeline/parquet/bytes.h"

struct input {
    const char *name;        // the path, for messages
    struct file_reader file; // not open: in memory
    const uint8_t *memory;   // borrowed; bytes [memory_at, memory_at + memory_size) of it
    int64_t memory_at;
    size_t memory_size;
    int64_t size;
};

/* ERROR_RETRY: the disk; ERROR_STATE: there is no such file. */
MUST_CHECK bool input_open(struct input *input, const char *path, struct error *err);
void input_open_memory(struct input *input, const uint8_t *bytes, size_t size);
void input_close(struct input *input);

/* Reads bytes [at, at + size) of the file into `room`, which it borrows: from then on input_view()
 * finds them there, without a system call for each. ERROR_STATE: they are not all there. */
MUST_CHECK bool input_load(struct input *input, int64_t at, size_t size, struct bytes *room,
                           struct error *err);

/* Bytes [at, at + size) of the file: where they are in memory, or read into `room`. */
MUST_CHECK bool input_view(const struct input *input, int64_t at, size_t size, struct bytes *room,
                           const uint8_t **bytes, struct error *err);

/* Replaces what is in `out` by bytes [at, at + size) of the file. ERROR_STATE: they are not all
 * there. */
MUST_CHECK bool input_read(const struct input *input, int64_t at, size_t size, struct bytes *out,
                           struct error *err);

#endif
