/* Values are looked at in groups of eight. Equal groups become a run when the run is shorter than
 * the same values bit-packed; everything between two runs is bit-packed, a group to `width` bytes
 * in a few shifts. The last group is filled up with zeros.
 *
 * Codes keep the size in which they gathered, and the functions for it are inlined once per size,
 * so that no loop asks for it. Reading takes runs and groups of any writer, and never looks beyond
 * the bytes that it was given. */
#include "pipeline/parquet/rle.h"

enum {
    GROUP = 8,          // literals are written in groups of so many
    HEAD_BITS_MAX = 35, // of a part: 32 in whole bytes of seven
};

static inline void code_store(uint8_t *at, size_t size, size_t index, uint32_t code) {
    memcpy(at + index * size, &code, size); // little-endian: the low bytes come first
}

void codes_append(struct bytes *bytes, size_t size, const uint32_t *codes, size_t count) {
    uint8_t *at = bytes_reserve(bytes, (count + 1) * size);
    switch (size) {
    case 1:
        for (size_t i = 0; i < count; i++)
            code_store(at, 1, i, codes[i]);
        break;
    case 2:
        for (size_t i = 0; i < count; i++)
            code_store(at, 2, i, codes[i]);
        break;
    default:
        memcpy(at, codes, count * size);
    }
    bytes->size += count * size;
}

void codes_widen(struct bytes *bytes, size_t from, size_t to) {
    size_t count = bytes->size / from;
    (void)bytes_reserve(bytes, (count + 1) * to);
    // From the end: what is written lies behind what is still to be read.
    for (size_t i = count; i-- > 0;)
        code_store(bytes->at, to, i, code_load(bytes->at, from, i));
    bytes->size = count * to;
}

static inline __attribute__((always_inline)) void mark(struct codes codes, size_t size,
                                                       uint8_t *seen) {
    for (size_t i = 0; i < codes.count; i++)
        seen[code_load(codes.at, size, i)] = 1;
}

/* Few codes have mostly all been seen before long. */
enum { MARK_AT_ONCE = 1024 };

void codes_mark(struct codes codes, uint8_t *seen, size_t dictionary_count) {
    if (codes.size == 2)
        mark(codes, 2, seen);
    else if (codes.size == 4)
        mark(codes, 4, seen);
    while (codes.size == 1 && codes.count > 0) {
        struct codes part = codes;
        part.count = codes.count < MARK_AT_ONCE ? codes.count : MARK_AT_ONCE;
        mark(part, 1, seen);
        if (memchr(seen, 0, dictionary_count) == NULL)
            return;
        codes.at += part.count;
        codes.count -= part.count;
    }
}

unsigned rle_width(uint32_t count) {
    return count <= 1 ? 0 : 32 - (unsigned)__builtin_clz(count - 1);
}

/* A run pays when it is shorter than the same values bit-packed, including the head of the literals
 * that must begin again after it. */
static size_t run_length_min(unsigned width) {
    size_t bits = (size_t)8 * (2 + (width + 7) / 8);
    size_t length = (bits / width + GROUP - 1) / GROUP * GROUP;
    return length < GROUP ? GROUP : length;
}

static void append_run(struct bytes *out, size_t length, uint32_t value, unsigned width) {
    bytes_append_varint(out, (uint64_t)length << 1);
    for (unsigned bits = 0; bits < width; bits += 8)
        bytes_append_byte(out, (uint8_t)(value >> bits));
}

/* Eight codes of one byte to as many of `width` bits, side by side: neighbours are pushed together,
 * then pairs, then fours. */
static inline uint64_t pack_bytes(uint64_t eight, unsigned width) {
    const uint64_t bytes = 0x00ff00ff00ff00ffu, pairs = 0x0000ffff0000ffffu;
    eight = (eight & bytes) | (eight & ~bytes) >> (8 - width);
    eight = (eight & pairs) | (eight & ~pairs) >> (16 - 2 * width);
    return (eight & UINT32_MAX) | eight >> 32 << 4 * width;
}

/* Four codes of two bytes, likewise. */
static inline uint64_t pack_shorts(uint64_t four, unsigned width) {
    const uint64_t shorts = 0x0000ffff0000ffffu;
    four = (four & shorts) | (four & ~shorts) >> (16 - width);
    return (four & UINT32_MAX) | four >> 32 << 2 * width;
}

enum { PACK_ROOM = 2 * sizeof(uint64_t) }; // what is written of a group may be longer than it is

/* A group of eight codes to `width` bytes. */
static inline void pack_codes(const uint8_t *codes, size_t size, unsigned width, uint8_t *at) {
    uint64_t words[2];
    if (size == 1) {
        memcpy(words, codes, sizeof words[0]);
        words[0] = pack_bytes(words[0], width);
        memcpy(at, words, sizeof words[0]);
        return;
    }
    if (size == 2) {
        __extension__ typedef unsigned __int128 wide;
        memcpy(words, codes, sizeof words);
        wide group = (wide)pack_shorts(words[1], width) << 4 * width | pack_shorts(words[0], width);
        memcpy(at, &group, sizeof group);
        return;
    }
    uint64_t pending = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < GROUP; i++) {
        pending |= (uint64_t)code_load(codes, size, i) << bits;
        bits += width;
        if (bits >= 32) {
            memcpy(at, &pending, 4);
            at += 4;
            pending >>= 32;
            bits -= 32;
        }
    }
    memcpy(at, &pending, 4);
}

/* What is missing of the last group is zero. */
static inline __attribute__((always_inline)) void append_literals(struct bytes *out,
                                                                  const uint8_t *codes, size_t size,
                                                                  size_t count, unsigned width) {
    if (count == 0)
        return;
    size_t groups = (count + GROUP - 1) / GROUP, whole = count / GROUP;
    bytes_append_varint(out, (uint64_t)groups << 1 | 1);
    uint8_t *at = bytes_reserve(out, groups * width + PACK_ROOM);
    for (size_t group = 0; group < whole; group++)
        pack_codes(codes + group * GROUP * size, size, width, at + group * width);
    if (whole < groups) {
        uint8_t last[GROUP * sizeof(uint32_t)] = {0};
        memcpy(last, codes + whole * GROUP * size, (count - whole * GROUP) * size);
        pack_codes(last, size, width, at + whole * width);
    }
    out->size += groups * width;
}

static inline bool group_is_equal(const uint8_t *codes, size_t size) {
    uint64_t words[GROUP * sizeof(uint32_t) / sizeof(uint64_t)], difference;
    memcpy(words, codes, GROUP * size);
    if (size == 1)
        return words[0] == codes[0] * UINT64_C(0x0101010101010101);
    uint64_t first = code_load(codes, size, 0);
    first *= size == 2 ? 0x0001000100010001u : 0x0000000100000001u;
    difference = (words[0] ^ first) | (words[1] ^ first);
    if (size == sizeof(uint32_t))
        difference |= (words[2] ^ first) | (words[3] ^ first);
    return difference == 0;
}

/* `size` is a constant where this is inlined. */
static inline __attribute__((always_inline)) void
encode_codes(struct bytes *out, const uint8_t *codes, size_t size, size_t count, unsigned width) {
    size_t worth = run_length_min(width);
    size_t literals = 0, at = 0;
    while (at + GROUP <= count) {
        if (!group_is_equal(codes + at * size, size)) {
            at += GROUP;
            continue;
        }
        uint32_t code = code_load(codes, size, at);
        size_t length = GROUP;
        while (at + length < count && code_load(codes, size, at + length) == code)
            length++;
        if (length < worth) {
            at += length / GROUP * GROUP;
            continue;
        }
        append_literals(out, codes + literals * size, size, at - literals, width);
        append_run(out, length, code, width);
        at += length;
        literals = at;
    }
    append_literals(out, codes + literals * size, size, count - literals, width);
}

void rle_encode(struct bytes *out, struct codes codes, unsigned width) {
    if (codes.count == 0) // then they may be nowhere
        return;
    if (width == 0)
        append_run(out, codes.count, 0, 0);
    else if (codes.size == 1)
        encode_codes(out, codes.at, 1, codes.count, width);
    else if (codes.size == 2)
        encode_codes(out, codes.at, 2, codes.count, width);
    else
        encode_codes(out, codes.at, 4, codes.count, width);
}

/* Up to eight bytes of 0 or 1 to as many bits: the product moves byte i's bit to bit 56 + i. */
static uint8_t pack_bits(const uint8_t *values, size_t count) {
    uint64_t eight = 0;
    memcpy(&eight, values, count);
    return (uint8_t)((eight * 0x0102040810204080u) >> 56);
}

static uint8_t pack_group(const uint8_t *values) {
    return pack_bits(values, GROUP);
}

void rle_pack_bits(struct bytes *out, const uint8_t *values, size_t count) {
    uint8_t *at = bytes_reserve(out, count / GROUP + 1);
    size_t whole = count / GROUP * GROUP;
    for (size_t i = 0; i < whole; i += GROUP)
        *at++ = pack_group(values + i);
    if (whole < count)
        *at = pack_bits(values + whole, count - whole);
    out->size += (count + GROUP - 1) / GROUP;
}

static void append_literal_bits(struct bytes *out, const uint8_t *values, size_t count) {
    if (count == 0)
        return;
    bytes_append_varint(out, (uint64_t)((count + GROUP - 1) / GROUP) << 1 | 1);
    rle_pack_bits(out, values, count);
}

void rle_encode_bits(struct bytes *out, const uint8_t *values, size_t count) {
    size_t worth = run_length_min(1);
    size_t literals = 0, at = 0;
    while (at + GROUP <= count) {
        uint8_t bits = pack_group(values + at);
        if (bits != 0 && bits != 0xff) {
            at += GROUP;
            continue;
        }
        size_t length = GROUP;
        while (at + length + GROUP <= count && pack_group(values + at + length) == bits)
            length += GROUP;
        while (at + length < count && values[at + length] == values[at])
            length++;
        if (length < worth) {
            at += length / GROUP * GROUP;
            continue;
        }
        append_literal_bits(out, values + literals, at - literals);
        append_run(out, length, values[at], 1);
        at += length;
        literals = at;
    }
    append_literal_bits(out, values + literals, count - literals);
}

void rle_reader_init(struct rle_reader *reader, const uint8_t *at, size_t size, unsigned width) {
    *reader = (struct rle_reader){.at = at, .end = at + size, .width = width};
}

/* Literals may be cut short at the end of a page: some writers leave the padding out. */
static bool next_part(struct rle_reader *reader) {
    uint64_t head;
    if (!varint_read(&reader->at, reader->end, HEAD_BITS_MAX, &head))
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

bool rle_skip_run(struct rle_reader *reader, uint32_t value, size_t count) {
    struct rle_reader before = *reader;
    if (reader->run == 0 && reader->literals == 0 && !next_part(reader))
        *reader = before; // reading will say what is wrong
    if (reader->run < count || reader->run_value != value)
        return false;
    reader->run -= count;
    return true;
}

static void unpack(struct rle_reader *reader, uint32_t *values, size_t count) {
    uint64_t mask = ((uint64_t)1 << reader->width) - 1, bit = reader->bit, word;
    size_t size = (size_t)(reader->end - reader->packed), i = 0;
    // As long as eight bytes are there to be read at once.
    for (; i < count && bit / 8 + sizeof word <= size; i++, bit += reader->width) {
        memcpy(&word, reader->packed + bit / 8, sizeof word);
        values[i] = (uint32_t)(word >> (bit % 8) & mask);
    }
    for (; i < count; i++, bit += reader->width) {
        size_t left = size - bit / 8;
        word = 0;
        memcpy(&word, reader->packed + bit / 8, left < sizeof word ? left : sizeof word);
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
