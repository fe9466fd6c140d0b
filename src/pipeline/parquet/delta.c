#include "pipeline/parquet/delta.h"

#include "base/check.h"

enum {
    BLOCK = 128,
    MINIBLOCKS = 4,
    MINIBLOCK = BLOCK / MINIBLOCKS,
    BLOCK_ROOM = 10 + MINIBLOCKS + BLOCK * (int)sizeof(uint64_t) + 8, // most bytes that one takes
};

static uint64_t zigzag(int64_t value) {
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static int64_t load_value(const uint8_t *values, size_t width, size_t index) {
    int32_t narrow;
    int64_t wide;
    if (width == sizeof narrow) {
        memcpy(&narrow, values + index * sizeof narrow, sizeof narrow);
        return narrow;
    }
    memcpy(&wide, values + index * sizeof wide, sizeof wide);
    return wide;
}

/* 32 numbers below 2^width to width * 4 bytes; up to 7 more are written. */
static void pack_miniblock(const uint64_t *numbers, unsigned width, uint8_t *at) {
    __extension__ typedef unsigned __int128 wide;
    wide pending = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < MINIBLOCK; i++) {
        pending |= (wide)numbers[i] << bits;
        bits += width;
        if (bits < 64)
            continue;
        uint64_t word = (uint64_t)pending;
        memcpy(at, &word, sizeof word);
        at += sizeof word;
        pending >>= 64;
        bits -= 64;
    }
    uint64_t word = (uint64_t)pending;
    memcpy(at, &word, sizeof word);
}

/* `deltas`: BLOCK of them; those behind `count` are of no value and stored as the least.
 * Differences wrap around, as the format wants it; those of 32-bit values are 32-bit numbers. */
static void append_block(struct bytes *out, int64_t *deltas, size_t count) {
    int64_t least = deltas[0];
    for (size_t i = 1; i < count; i++)
        least = deltas[i] < least ? deltas[i] : least;
    for (size_t i = count; i < BLOCK; i++)
        deltas[i] = least;
    bytes_append_varint(out, zigzag(least));

    uint8_t *widths = bytes_reserve(out, BLOCK_ROOM);
    uint8_t *at = widths + MINIBLOCKS;
    for (size_t mini = 0; mini < MINIBLOCKS; mini++) {
        uint64_t numbers[MINIBLOCK], all = 0;
        for (size_t i = 0; i < MINIBLOCK; i++) {
            numbers[i] = (uint64_t)deltas[mini * MINIBLOCK + i] - (uint64_t)least;
            all |= numbers[i];
        }
        unsigned width = all == 0 ? 0 : 64 - (unsigned)__builtin_clzll(all);
        widths[mini] = (uint8_t)width;
        // Miniblocks without values have no bytes at all.
        if (width == 0 || mini * MINIBLOCK >= count)
            continue;
        pack_miniblock(numbers, width, at);
        at += (size_t)width * MINIBLOCK / 8;
    }
    out->size += (size_t)(at - widths);
}

/* `width` is a constant where this is inlined. */
static inline __attribute__((always_inline)) void
append_blocks(struct bytes *out, const uint8_t *values, size_t width, size_t count) {
    int64_t deltas[BLOCK];
    for (size_t at = 1; at < count; at += BLOCK) {
        size_t part = count - at < BLOCK ? count - at : BLOCK;
        for (size_t i = 0; i < part; i++) {
            int64_t before = load_value(values, width, at + i - 1);
            uint64_t delta = (uint64_t)load_value(values, width, at + i) - (uint64_t)before;
            deltas[i] = width == 4 ? (int32_t)delta : (int64_t)delta;
        }
        append_block(out, deltas, part);
    }
}

void delta_encode(struct bytes *out, const void *values, size_t width, size_t count) {
    check(width == sizeof(int32_t) || width == sizeof(int64_t));
    bytes_append_varint(out, BLOCK);
    bytes_append_varint(out, MINIBLOCKS);
    bytes_append_varint(out, count);
    bytes_append_varint(out, count == 0 ? 0 : zigzag(load_value(values, width, 0)));
    if (width == sizeof(int32_t))
        append_blocks(out, values, sizeof(int32_t), count);
    else
        append_blocks(out, values, sizeof(int64_t), count);
}
