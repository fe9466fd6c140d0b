/* The first value is in the head. Then come blocks: the least difference of the block, the bit
 * widths of its miniblocks, and by how much each difference is above the least, in as many bits as
 * the largest of its miniblock takes. Differences wrap around, so that any two values have one.
 *
 * Reading keeps the open block and miniblock and gives values one by one. Before anything is read,
 * its size is checked against the bytes that are left. */
#include "pipeline/parquet/delta.h"

#include "base/check.h"

enum {
    BLOCK = 128,
    MINIBLOCKS = 4,
    MINIBLOCK = BLOCK / MINIBLOCKS,
    MINIBLOCK_SIZE_MAX = 1 << 20, // that is read: far more than any writer's
    BLOCK_ROOM = 10 + MINIBLOCKS + BLOCK * (int)sizeof(uint64_t) + 8, // maximum size of one
};

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
 * Differences wrap around, as the format requires; those of 32-bit values are 32-bit numbers. */
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

static bool get_varint(struct delta_reader *reader, uint64_t *value) {
    return varint_read(&reader->at, reader->end, 64, value);
}

bool delta_reader_init(struct delta_reader *reader, const uint8_t *at, size_t size) {
    uint64_t block, first;
    *reader = (struct delta_reader){.at = at, .end = at + size, .first = true};
    if (!get_varint(reader, &block) || !get_varint(reader, &reader->miniblocks) ||
        !get_varint(reader, &reader->left) || !get_varint(reader, &first))
        return false;
    if (reader->miniblocks == 0 || block % reader->miniblocks != 0)
        return false;
    reader->miniblock_size = block / reader->miniblocks;
    reader->miniblock = reader->miniblocks; // no block is open
    reader->value = (uint64_t)unzigzag(first);
    return reader->miniblock_size > 0 && reader->miniblock_size % 8 == 0 &&
           reader->miniblock_size <= MINIBLOCK_SIZE_MAX;
}

static bool open_block(struct delta_reader *reader) {
    uint64_t least;
    if (!get_varint(reader, &least) || (uint64_t)(reader->end - reader->at) < reader->miniblocks)
        return false;
    reader->least = (uint64_t)unzigzag(least);
    reader->widths = reader->at;
    reader->at += reader->miniblocks;
    reader->miniblock = 0;
    return true;
}

/* `values_left` are to be read from here on. Some writers cut the last miniblock's padding off:
 * what is missing reads as zero bits. */
static bool open_miniblock(struct delta_reader *reader, uint64_t values_left) {
    if (reader->miniblock == reader->miniblocks && !open_block(reader))
        return false;
    reader->width = reader->widths[reader->miniblock++];
    if (reader->width > 64)
        return false;
    reader->numbers = reader->miniblock_size;
    reader->packed = reader->at;
    reader->bit = 0;
    uint64_t size = reader->miniblock_size / 8 * reader->width;
    uint64_t left = (uint64_t)(reader->end - reader->at);
    uint64_t needed = values_left < reader->numbers ? values_left : reader->numbers;
    if (left < size && left < (needed * reader->width + 7) / 8)
        return false;
    reader->at += size < left ? size : left;
    return true;
}

static uint64_t next_number(struct delta_reader *reader) {
    if (reader->width == 0)
        return 0;
    const uint8_t *at = reader->packed + reader->bit / 8;
    unsigned shift = reader->bit % 8;
    size_t left = (size_t)(reader->end - at);
    uint64_t low = 0, high = 0;
    memcpy(&low, at, left < sizeof low ? left : sizeof low);
    if (left > sizeof low)
        high = at[sizeof low];
    reader->bit += reader->width;
    uint64_t number = shift == 0 ? low : low >> shift | high << (64 - shift);
    return reader->width == 64 ? number : number & ((UINT64_C(1) << reader->width) - 1);
}

/* The next `count` values of the open miniblock. */
static inline __attribute__((always_inline)) void
read_open(struct delta_reader *reader, uint8_t *values, size_t width, size_t count) {
    uint64_t mask = reader->width == 0 ? 0 : UINT64_MAX >> (64 - reader->width), word;
    size_t size = (size_t)(reader->end - reader->packed), i = 0;
    // As long as eight bytes, which hold the number whole, are there to be read at once.
    for (; i < count && reader->width <= 56 && reader->bit / 8 + sizeof word <= size; i++) {
        memcpy(&word, reader->packed + reader->bit / 8, sizeof word);
        reader->value += reader->least + (word >> (reader->bit % 8) & mask);
        reader->bit += reader->width;
        memcpy(values + i * width, &reader->value, width); // little-endian: the low bytes
    }
    for (; i < count; i++) {
        reader->value += reader->least + next_number(reader);
        memcpy(values + i * width, &reader->value, width);
    }
}

bool delta_read(struct delta_reader *reader, void *values, size_t width, size_t count) {
    uint8_t *to = values;
    if (count > reader->left)
        return false;
    reader->left -= count;
    if (count > 0 && reader->first) {
        reader->first = false;
        memcpy(to, &reader->value, width);
        to += width;
        count--;
    }
    for (size_t part; count > 0; count -= part, to += part * width) {
        if (reader->numbers == 0 && !open_miniblock(reader, reader->left + count))
            return false;
        part = count < reader->numbers ? count : (size_t)reader->numbers;
        if (width == sizeof(int32_t))
            read_open(reader, to, sizeof(int32_t), part);
        else
            read_open(reader, to, sizeof(int64_t), part);
        reader->numbers -= part;
    }
    return true;
}
