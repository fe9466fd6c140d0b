/* open_file.h: files that stay open for a while: bytes read from anywhere in one, or appended.
 *
 * Errors are those of base/disk/disk_error.h, with the path; the comments call them ERROR_RETRY. */
#ifndef BASE_DISK_OPEN_FILE_H
#define BASE_DISK_OPEN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

struct file_reader {
    int fd;       // -1: not open
    bool is_file; // not a directory, nor anything else that has no bytes
    char *path;   // owned
    int64_t size; // when it was opened
};

/* *found false: there is no such file, and nothing to close. */
MUST_CHECK bool file_reader_open(struct file_reader *reader, const char *path, bool *found,
                                 struct error *err);

/* Bytes [at, at + size). *got is less only where the file ends before. Any thread. */
MUST_CHECK bool file_reader_read(const struct file_reader *reader, int64_t at, void *bytes,
                                 size_t size, size_t *got, struct error *err);
void file_reader_close(struct file_reader *reader);

/* Whether both files have the same bytes. Only meaningful when both exist. */
MUST_CHECK bool file_has_same_bytes(const char *a, const char *b, bool *same, struct error *err);

/* The whole file for stdio, to be closed by fclose(). *stream NULL: there is no such file. That it
 * was cut off since is an error, too: ENODATA. */
MUST_CHECK bool file_stream_open(const char *path, FILE **stream, struct error *err);

struct file_append {
    int fd;           // -1: not open
    const char *path; // borrowed
};

/* With `create` it must not exist, else it must. */
MUST_CHECK bool file_append_open(struct file_append *file, const char *path, bool create,
                                 struct error *err);
MUST_CHECK bool file_append_write(struct file_append *file, const void *bytes, size_t size,
                                  struct error *err);

/* The bytes, not the name. */
MUST_CHECK bool file_append_sync(struct file_append *file, struct error *err);
MUST_CHECK bool file_append_close(struct file_append *file, struct error *err);

/* Closes silently. Does nothing to one that is not open. */
void file_append_abandon(struct file_append *file);

#endif
