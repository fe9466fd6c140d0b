#include "pipeline/parquet/read/delta_reader.h"

#include <string.h>

enum { MINIBLOCK_SIZE_MAX = 1 << 20 }; // far more than any writer's

static bool get_varint(struct delta_reader *reader, uint64_t *value) {
    *value = 0;
    for (unsigned shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
        uint8_t byte = *reader->at++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static uint64_t unzigzag(uint64_t value) {
    return value >> 1 ^ (0 - (value & 1));
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
    reader->value = unzigzag(first);
    return reader->miniblock_size > 0 && reader->miniblock_size % 8 == 0 &&
           reader->miniblock_size <= MINIBLOCK_SIZE_MAX;
}

static bool open_block(struct delta_reader *reader) {
    uint64_t least;
    if (!get_varint(reader, &least) || (uint64_t)(reader->end - reader->at) < reader->miniblocks)
        return false;
    reader->least = unzigzag(least);
    reader->widths = reader->at;
    reader->at += reader->miniblocks;
    reader->miniblock = 0;
    return true;
}

/* Some writers cut the last miniblock's padding off: what is missing reads as zero bits. */
static bool open_miniblock(struct delta_reader *reader) {
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
    uint64_t needed = (reader->left < reader->numbers ? reader->left : reader->numbers);
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

static bool next_value(struct delta_reader *reader) {
    if (reader->left == 0)
        return false;
    if (reader->first) {
        reader->first = false;
    } else {
        if (reader->numbers == 0 && !open_miniblock(reader))
            return false;
        reader->numbers--;
        reader->value += reader->least + next_number(reader);
    }
    reader->left--;
    return true;
}

bool delta_read(struct delta_reader *reader, void *values, size_t width, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!next_value(reader))
            return false;
        memcpy((uint8_t *)values + i * width, &reader->value,
               width); // little-endian: the low bytes
    }
    return true;
}
