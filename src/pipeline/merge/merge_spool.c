/* Chunks of one column gather in an extent in memory; a full one is appended to the file. A place
 * is the number of the extent and the byte in it, so it is known before the extent is written. What
 * must stay true: a chunk is in one extent, as a whole. */
#include "pipeline/merge/merge_spool.h"

#include "base/check.h"
#include "base/disk/file.h"
#include "base/system/uuid.h"
#include "base/text.h"

enum {
    EXTENT_MAX = 64 * 1024,
    EXTENT_MIN = 4 * 1024,
    MEMORY_SHARE = 16, // of the memory, for extents that are open; as much again for those read
};

void merge_spool_init(struct merge_spool *spool, size_t column_count, size_t memory_max,
                      const char *directory) {
    size_t size = memory_max / MEMORY_SHARE / column_count / EXTENT_MIN * EXTENT_MIN;
    *spool = (struct merge_spool){
        .column_count = column_count,
        .extent_size = size < EXTENT_MIN   ? EXTENT_MIN
                       : size > EXTENT_MAX ? EXTENT_MAX
                                           : size,
        .open = must_alloc(column_count, sizeof *spool->open),
        .open_number = must_alloc(column_count, sizeof *spool->open_number),
        .read = must_alloc(column_count, sizeof *spool->read),
        .read_number = must_alloc(column_count, sizeof *spool->read_number),
        .directory = text_copy(directory),
        .out.fd = -1,
        .in.fd = -1,
    };
}

void merge_spool_deinit(struct merge_spool *spool) {
    for (size_t i = 0; i < spool->column_count; i++) {
        bytes_deinit(&spool->open[i]);
        bytes_deinit(&spool->read[i]);
    }
    free(spool->open);
    free(spool->open_number);
    free(spool->read);
    free(spool->read_number);
    free(spool->directory);
    bytes_deinit(&spool->places);
    file_append_abandon(&spool->out);
    file_reader_close(&spool->in);
    if (spool->path != NULL)
        file_discard(spool->path);
    free(spool->path);
    *spool = (struct merge_spool){0};
}

static size_t extent_count(const struct merge_spool *spool) {
    return spool->places.size / sizeof(int64_t);
}

bool merge_spool_has_room(const struct merge_spool *spool, size_t size) {
    return size <= spool->extent_size / 2 &&
           extent_count(spool) + spool->column_count < UINT32_MAX / spool->extent_size;
}

static bool open_file(struct merge_spool *spool, struct error *err) {
    char id[37];
    if (spool->path != NULL)
        return true;
    uuid_new(id);
    spool->path = text_format("%s/merge-%s.spool", spool->directory, id);
    return file_append_open(&spool->out, spool->path, true, err);
}

static bool write_extent(struct merge_spool *spool, size_t column, struct error *err) {
    struct bytes *extent = &spool->open[column];
    if (!open_file(spool, err) || !file_append_write(&spool->out, extent->at, extent->size, err))
        return false;
    ((int64_t *)(void *)spool->places.at)[spool->open_number[column]] = spool->size;
    spool->size += (int64_t)extent->size;
    extent->size = 0;
    return true;
}

bool merge_spool_add(struct merge_spool *spool, size_t column, const uint8_t *bytes, size_t size,
                     uint32_t *place, struct error *err) {
    struct bytes *extent = &spool->open[column];
    if (extent->size + size > spool->extent_size && !write_extent(spool, column, err))
        return false;
    if (extent->size == 0) {
        spool->open_number[column] = (uint32_t)extent_count(spool);
        bytes_append(&spool->places, &(int64_t){-1}, sizeof(int64_t));
    }
    *place = (uint32_t)(spool->open_number[column] * spool->extent_size + extent->size);
    bytes_append(extent, bytes, size);
    return true;
}

static bool read_extent(struct merge_spool *spool, struct bytes *to, int64_t at,
                        struct error *err) {
    bool found = true;
    size_t got;
    if (spool->in.fd < 0 && !file_reader_open(&spool->in, spool->path, &found, err))
        return false;
    if (!found)
        return error_set(err, ERROR_RETRY, "'%s' was removed", spool->path);
    // The last one written may be shorter, and so may be any: the rest is of another column.
    to->size = 0;
    return file_reader_read(&spool->in, at, bytes_reserve(to, spool->extent_size),
                            spool->extent_size, &got, err);
}

bool merge_spool_read(struct merge_spool *spool, size_t column, uint32_t place,
                      const uint8_t **bytes, struct error *err) {
    uint32_t number = (uint32_t)(place / spool->extent_size);
    size_t in_extent = place % spool->extent_size;
    int64_t at = ((const int64_t *)(const void *)spool->places.at)[number];
    struct bytes *read = &spool->read[column];
    if (at < 0) {
        *bytes = spool->open[column].at + in_extent;
        return true;
    }
    if (read->at == NULL || spool->read_number[column] != number) {
        if (!read_extent(spool, read, at, err))
            return false;
        spool->read_number[column] = number;
    }
    *bytes = read->at + in_extent;
    return true;
}

size_t merge_spool_memory(const struct merge_spool *spool) {
    return spool->column_count * spool->extent_size * 2 + spool->places.size;
}
