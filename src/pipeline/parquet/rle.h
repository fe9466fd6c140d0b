/* rle.h: Parquet's hybrid of run-length and bit-packed encoding, for definition levels and
 * dictionary codes. Source: Encodings.md of apache/parquet-format, "RLE = 3".
 *
 *     run        varint(length << 1), then the value in (width + 7) / 8 bytes
 *     literals   varint(groups << 1 | 1), then groups of 8 values, `width` bits each, low bit first
 */
#ifndef PARQUET_RLE_H
#define PARQUET_RLE_H

#include "pipeline/parquet/bytes.h"

/* Dictionary codes in as few bytes each as their dictionary's count allows: 1, 2 or 4. They gather
 * so in the open page, and are packed from there. */
struct codes {
    const uint8_t *at; // aligned for their size
    size_t count;
    size_t size; // bytes of each
};

/* The size of codes below `dictionary_count`. */
static inline size_t code_size_for(uint32_t dictionary_count) {
    return dictionary_count <= 1u << 8 ? 1 : dictionary_count <= 1u << 16 ? 2 : 4;
}

/* `size` is a constant where this is inlined. */
static inline uint32_t code_load(const uint8_t *at, size_t size, size_t index) {
    uint16_t two;
    uint32_t four;
    if (size == 1)
        return at[index];
    if (size == 2) {
        memcpy(&two, at + index * 2, sizeof two);
        return two;
    }
    memcpy(&four, at + index * 4, sizeof four);
    return four;
}

/* Appends `count` codes, which fit into `size` bytes each. */
void codes_append(struct bytes *bytes, size_t size, const uint32_t *codes, size_t count);

/* The codes in `bytes` take `to` bytes each from now on, more than the `from` bytes before. */
void codes_widen(struct bytes *bytes, size_t from, size_t to);

/* Sets seen[code] to 1 for each, which was 0 for all below `dictionary_count`. */
void codes_mark(struct codes codes, uint8_t *seen, size_t dictionary_count);

/* Bits that a code below `count` needs; 0 for a single one. */
unsigned rle_width(uint32_t count);

/* Appends codes below 2^width. */
void rle_encode(struct bytes *out, struct codes codes, unsigned width);

/* Appends `count` values of width 1, given as bytes 0 or 1. */
void rle_encode_bits(struct bytes *out, const uint8_t *values, size_t count);

/* Packs bytes 0 or 1 to bits, low bit first, as PLAIN booleans are. */
void rle_pack_bits(struct bytes *out, const uint8_t *values, size_t count);

/* The other direction, from untrusted bytes. */
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

/* Skips `count` values if they are a run of `value`. False: they are not, and nothing is skipped.
 */
bool rle_skip_run(struct rle_reader *reader, uint32_t value, size_t count);

/* Reads exactly `count` values. False: there are fewer. */
bool rle_read(struct rle_reader *reader, uint32_t *values, size_t count);

#endif
