/* source_file.h: captured partitions, and a source of their records, for tests and benches without
 * Kafka.
 *
 * A partition is "<directory>/<topic>-<partition>.ndjson": a record's value a line, its offset the
 * line's number from 0. A line "\N" is a null value. A last line without a line end is a record
 * too, so a writer that appends to a capture while it is read must append whole lines.
 *
 * The file is mapped, and the start of every 1,024th line is remembered. One thread at a time. */
#ifndef PIPELINE_SOURCE_SOURCE_FILE_H
#define PIPELINE_SOURCE_SOURCE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "pipeline/source/source.h"

struct capture_file {
    int fd;
    const char *bytes; // mapped; NULL while the file is empty
    size_t size;
    size_t passed; // up to here the mapping's pages were let go
    int64_t lines;
    size_t *marks; // owned; where line i * 1024 starts
    size_t mark_count, mark_capacity;
};

void capture_file_close(struct capture_file *file);

/* Where the lines of a capture's files start, as far as somebody has counted them. Shared by a
 * broker and its sources, so that a file of many GB is counted once and not by each.
 *
 * Any thread. What an index says about a file stays true: captures are only appended to. */
struct capture_index;

struct capture_index *capture_index_create(void);
void capture_index_destroy(struct capture_index *index);

/* Opens the file and counts its lines, but those only that nobody has counted before. ERROR_BROKER:
 * there is no such file, or it can't be read. */
MUST_CHECK bool capture_index_open_file(struct capture_index *index, struct capture_file *file,
                                        const char *directory, const char *topic, int32_t partition,
                                        struct error *err);

/* A source of the captures in a directory. Every offset from 0 to the number of lines is there. A
 * record has no key, and its timestamp in milliseconds is its offset, so that a capture gives the
 * same rows on every machine. A range that ends beyond the last line waits for more to be appended.
 * Both are borrowed. */
struct source *source_file_open(const char *directory, struct capture_index *index);

#endif
