/* delta_reader.h: reads DELTA_BINARY_PACKED (delta.h), some values at a time, of any block size.
 * What a damaged page says is never believed: no byte outside of it is read. */
#ifndef PARQUET_DELTA_READER_H
#define PARQUET_DELTA_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
