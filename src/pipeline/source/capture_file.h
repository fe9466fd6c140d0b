/* capture_file.h: one captured partition, "<directory>/<topic>-<partition>.ndjson": a record's
 * value a line, its offset the line's number from 0. A line "\N" is a null value. A last line
 * without a line end is a record too, so whoever appends to a capture that is being read must
 * append whole lines.
 *
 * The file is mapped, and the start of every 1,024th line is remembered. One thread at a time. */
#ifndef PIPELINE_SOURCE_CAPTURE_FILE_H
#define PIPELINE_SOURCE_CAPTURE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

struct capture_file {
    int fd;
    const char *bytes; // mapped; NULL while the file is empty
    size_t size;
    size_t passed; // up to here the mapping's pages were let go
    int64_t lines;
    size_t *marks; // owned; where line i * 1024 starts
    size_t mark_count, mark_capacity;
};

/* Its lines are counted by the first capture_file_refresh(). ERROR_BROKER: there is no such file,
 * or it can't be read. */
MUST_CHECK bool capture_file_open(struct capture_file *file, const char *directory,
                                  const char *topic, int32_t partition, struct error *err);
void capture_file_close(struct capture_file *file);

/* Before the first capture_file_refresh(): where lines 0, 1024, 2048… start, as someone counted. */
void capture_file_know(struct capture_file *file, const size_t *marks, size_t count);

/* Takes in what was appended since. ERROR_STATE: the file got shorter. */
MUST_CHECK bool capture_file_refresh(struct capture_file *file, struct error *err);

/* Where the line starts; 0 <= line <= lines. */
size_t capture_file_seek(const struct capture_file *file, int64_t line);

/* The line that starts at *at, without its end; *at moves to the next. There must be one. */
struct text capture_file_line(const struct capture_file *file, size_t *at);

/* Everything before `at` is not needed soon: a mapped file would count as this process's memory.
 * It can still be read. */
void capture_file_pass(struct capture_file *file, size_t at);

/* Where the lines of a capture's files start, as far as somebody has counted them. Shared by a
 * broker and its sources, so that a file of many GB is counted once and not by each.
 *
 * Any thread. What an index says of a file stays true: whoever appends to a capture appends. */
struct capture_index;

struct capture_index *capture_index_create(void);
void capture_index_destroy(struct capture_index *index);

/* Opens the file as capture_file_open() does, and counts only what nobody has counted before. */
MUST_CHECK bool capture_index_open_file(struct capture_index *index, struct capture_file *file,
                                        const char *directory, const char *topic, int32_t partition,
                                        struct error *err);

#endif
