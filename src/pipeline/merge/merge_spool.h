/* merge_spool.h: the chunks of small files, column by column.
 *
 * A small file is read once, as a whole; reading it again for each of its columns would mostly be
 * opening files. What does not fit into a few MB of memory goes into a file of the staging
 * directory, which is never synced. */
#ifndef PIPELINE_MERGE_MERGE_SPOOL_H
#define PIPELINE_MERGE_MERGE_SPOOL_H

#include "base/disk/open_file.h"
#include "pipeline/parquet/bytes.h"

struct merge_spool {
    size_t column_count;
    size_t extent_size;    // bytes of an extent, which has chunks of one column only
    struct bytes *open;    // owned; of each column, its last extent
    uint32_t *open_number; // owned; the number of that extent
    struct bytes places;   // int64_t per extent: where it is in the file; -1: it is open
    struct bytes *read;    // owned; of each column, the extent that was read last
    uint32_t *read_number; // owned
    char *path;            // owned; NULL: there is no file yet
    char *directory;       // owned
    struct file_append out;
    struct file_reader in; // fd -1: not open
    int64_t size;
};

void merge_spool_init(struct merge_spool *spool, size_t column_count, size_t memory_max,
                      const char *directory);
void merge_spool_deinit(struct merge_spool *spool); // removes the file

/* Whether a chunk of this size may be added. */
bool merge_spool_has_room(const struct merge_spool *spool, size_t size);

/* *place is where it is found again. ERROR_RETRY, ERROR_LIMIT: the disk. */
MUST_CHECK bool merge_spool_add(struct merge_spool *spool, size_t column, const uint8_t *bytes,
                                size_t size, uint32_t *place, struct error *err);

/* Its bytes, until the next call for the same column. Chunks of a column are best asked for in the
 * order in which they were added. */
MUST_CHECK bool merge_spool_read(struct merge_spool *spool, size_t column, uint32_t place,
                                 const uint8_t **bytes, struct error *err);

size_t merge_spool_memory(const struct merge_spool *spool);

#endif
