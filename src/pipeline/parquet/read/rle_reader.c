#include "pipeline/parquet/read/rle_reader.h"

#include <string.h>

enum { GROUP = 8 };

void rle_reader_init(struct rle_reader *reader, const uint8_t *at, size_t size, unsigned width) {
    *reader = (struct rle_reader){.at = at, .end = at + size, .width = width};
}

static bool get_varint(struct rle_reader *reader, uint64_t *value) {
    *value = 0;
    for (unsigned shift = 0; shift < 35 && reader->at < reader->end; shift += 7) {
        uint8_t byte = *reader->at++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

/* Literals may be cut short at the end of a page: some writers leave the padding out. */
static bool next_part(struct rle_reader *reader) {
    uint64_t head;
    if (!get_varint(reader, &head))
        return false;
    size_t left = (size_t)(reader->end - reader->at);
    if ((head & 1) == 0) {
        size_t size = (reader->width + 7) / 8;
        if (left < size)
            return false;
        reader->run = head >> 1;
        reader->run_value = 0;
        memcpy(&reader->run_value, reader->at, size);
        reader->at += size;
        return true;
    }
    uint64_t size = (head >> 1) * reader->width;
    reader->literals = (head >> 1) * GROUP;
    reader->packed = reader->at;
    reader->bit = 0;
    if (size > left) {
        reader->literals = left * 8 / reader->width;
        size = left;
    }
    reader->at += size;
    return true;
}

static void unpack(struct rle_reader *reader, uint32_t *values, size_t count) {
    uint64_t mask = ((uint64_t)1 << reader->width) - 1, bit = reader->bit;
    for (size_t i = 0; i < count; i++, bit += reader->width) {
        const uint8_t *at = reader->packed + bit / 8;
        uint64_t word = 0;
        size_t left = (size_t)(reader->end - at);
        memcpy(&word, at, left < sizeof word ? left : sizeof word);
        values[i] = (uint32_t)(word >> (bit % 8) & mask);
    }
    reader->bit = bit;
}

bool rle_read(struct rle_reader *reader, uint32_t *values, size_t count) {
    while (count > 0) {
        if (reader->run == 0 && reader->literals == 0 && !next_part(reader))
            return false;
        size_t part = count;
        if (reader->run > 0) {
            part = reader->run < part ? (size_t)reader->run : part;
            for (size_t i = 0; i < part; i++)
                values[i] = reader->run_value;
            reader->run -= part;
        } else {
            part = reader->literals < part ? (size_t)reader->literals : part;
            unpack(reader, values, part);
            reader->literals -= part;
        }
        values += part;
        count -= part;
    }
    return true;
}
