/* source_file.h: the records of a capture (capture_file.h), for tests and benches without Kafka.
 *
 * Every offset from 0 to the number of lines is there. A record has no key, and its timestamp in
 * milliseconds is its offset, so that a capture gives the same rows on every machine. A range that
 * ends beyond the last line waits for more to be appended. */
#ifndef PIPELINE_SOURCE_SOURCE_FILE_H
#define PIPELINE_SOURCE_SOURCE_FILE_H

#include "pipeline/source/capture_file.h"
#include "pipeline/source/source.h"

/* Both are borrowed. */
struct source *source_file_open(const char *directory, struct capture_index *index);

#endif
