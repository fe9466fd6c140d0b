#include "pipeline/parquet/rle.h"

#include <stdbool.h>

enum { GROUP = 8 };

unsigned rle_width(uint32_t count) {
    return count <= 1 ? 0 : 32 - (unsigned)__builtin_clz(count - 1);
}

/* A run pays when it is shorter than the same values bit-packed, the head of the literals that must
 * begin anew behind it counted. */
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

static void append_literals(struct bytes *out, const uint32_t *values, size_t count,
                            unsigned width) {
    if (count == 0)
        return;
    size_t groups = (count + GROUP - 1) / GROUP;
    bytes_append_varint(out, (uint64_t)groups << 1 | 1);
    uint8_t *at = bytes_reserve(out, groups * width + sizeof(uint64_t));
    out->size += groups * width;

    uint64_t pending = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < count; i++) {
        pending |= (uint64_t)values[i] << bits;
        bits += width;
        if (bits >= 32) {
            memcpy(at, &pending, 4);
            at += 4;
            pending >>= 32;
            bits -= 32;
        }
    }
    // What is missing of the last group is zero; it can be more than what is pending.
    memset(at, 0, (size_t)(out->at + out->size - at));
    for (; bits > 0; bits = bits > 8 ? bits - 8 : 0) {
        *at++ = (uint8_t)pending;
        pending >>= 8;
    }
}

static bool group_is_equal(const uint32_t *values) {
    uint32_t difference = 0;
    for (size_t i = 1; i < GROUP; i++)
        difference |= values[i] ^ values[0];
    return difference == 0;
}

void rle_encode(struct bytes *out, const uint32_t *values, size_t count, unsigned width) {
    if (width == 0) {
        if (count > 0)
            append_run(out, count, 0, 0);
        return;
    }
    size_t worth = run_length_min(width);
    size_t literals = 0, at = 0;
    while (at + GROUP <= count) {
        if (!group_is_equal(values + at)) {
            at += GROUP;
            continue;
        }
        size_t length = GROUP;
        while (at + length < count && values[at + length] == values[at])
            length++;
        if (length < worth) {
            at += length / GROUP * GROUP;
            continue;
        }
        append_literals(out, values + literals, at - literals, width);
        append_run(out, length, values[at], width);
        at += length;
        literals = at;
    }
    append_literals(out, values + literals, count - literals, width);
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
