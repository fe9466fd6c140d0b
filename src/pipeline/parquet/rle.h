/* rle.h: Parquet's hybrid of run-length and bit-packed encoding, for definition levels and
 * dictionary codes. Source: Encodings.md of apache/parquet-format, "RLE = 3".
 *
 *     run        varint(length << 1), then the value in (width + 7) / 8 bytes
 *     literals   varint(groups << 1 | 1), then groups of 8 values, `width` bits each, low bit first
 */
#ifndef PARQUET_RLE_H
#define PARQUET_RLE_H

#include <stdint.h>

#include "pipeline/parquet/codes.h"

/* Bits that a code below `count` needs; 0 for a single one. */
unsigned rle_width(uint32_t count);

/* Appends codes below 2^width. */
void rle_encode(struct bytes *out, struct codes codes, unsigned width);

/* Appends `count` values of width 1, given as bytes 0 or 1. */
void rle_encode_bits(struct bytes *out, const uint8_t *values, size_t count);

/* Packs bytes 0 or 1 to bits, low bit first, as PLAIN booleans are. */
void rle_pack_bits(struct bytes *out, const uint8_t *values, size_t count);

#endif
