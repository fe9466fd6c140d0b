/* delta.h: DELTA_BINARY_PACKED (Encodings.md of apache/parquet-format): integers as the bits in
 * which each differs from the one before. Offsets and times take a part of the bytes that any codec
 * leaves of them PLAIN, and a few instructions each.
 *
 * Blocks of 128 differences in four miniblocks, as parquet-mr has them. */
#ifndef PARQUET_DELTA_H
#define PARQUET_DELTA_H

#include "pipeline/parquet/bytes.h"

/* Appends `count` values of `width` bytes, 4 or 8, native. */
void delta_encode(struct bytes *out, const void *values, size_t width, size_t count);

/* Reads some values at a time, of any block size. What a damaged page says is never believed: no
 * byte outside of it is read. */
struct delta_reader {
    const uint8_t *at, *end;
    uint64_t miniblocks, miniblock_size; // of a block
    uint64_t left;                       // values
    bool first;                          // the next value is `value` itself
    uint64_t value;                      // the last one read
    // the open block
    uint64_t least;
    const uint8_t *widths; // of its miniblocks
    uint64_t miniblock;    // of those, the next
    // the open miniblock
    unsigned width;
    uint64_t numbers; // left in it
    uint64_t bit;     // of the next, from `packed` on
    const uint8_t *packed;
};

/* False: it is damaged. */
bool delta_reader_init(struct delta_reader *reader, const uint8_t *at, size_t size);

/* Values of `width` bytes, 4 or 8. False: there are not so many, or it is damaged. */
bool delta_read(struct delta_reader *reader, void *values, size_t width, size_t count);

#endif
