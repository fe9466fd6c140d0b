/* rle_reader.h: the other direction of rle.h, from bytes that nobody vouches for. */
#ifndef PARQUET_RLE_READER_H
#define PARQUET_RLE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rle_reader {
    const uint8_t *at, *end; // borrowed
    unsigned width;          // bits of a value, at most 32
    uint64_t run;            // values left of the run
    uint32_t run_value;
    uint64_t literals; // values left of the literals, padding included
    uint64_t bit;      // of the next literal, counted from `packed`
    const uint8_t *packed;
};

void rle_reader_init(struct rle_reader *reader, const uint8_t *at, size_t size, unsigned width);

/* Reads exactly `count` values. False: there are fewer. */
bool rle_read(struct rle_reader *reader, uint32_t *values, size_t count);

#endif
