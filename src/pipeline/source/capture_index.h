/* capture_index.h: where the lines of a capture's files start, as far as somebody has counted them.
 * Shared by a broker and its sources, so that a file of many GB is counted once and not by each.
 *
 * Any thread. What an index says of a file stays true: whoever appends to a capture appends. */
#ifndef PIPELINE_SOURCE_CAPTURE_INDEX_H
#define PIPELINE_SOURCE_CAPTURE_INDEX_H

#include "pipeline/source/capture_file.h"

struct capture_index;

struct capture_index *capture_index_create(void);
void capture_index_destroy(struct capture_index *index);

/* Opens the file as capture_file_open() does, and counts only what nobody has counted before. */
MUST_CHECK bool capture_index_open_file(struct capture_index *index, struct capture_file *file,
                                        const char *directory, const char *topic, int32_t partition,
                                        struct error *err);

#endif
