/* delta.h: DELTA_BINARY_PACKED (Encodings.md of apache/parquet-format): integers as the bits in
 * which each differs from the one before. Offsets and times take a part of the bytes that any codec
 * leaves of them PLAIN, and a few instructions each.
 *
 * Blocks of 128 differences in four miniblocks, as parquet-mr has them. */
#ifndef PARQUET_DELTA_H
#define PARQUET_DELTA_H

#include "pipeline/parquet/bytes.h"

/* Appends `count` values of `width` bytes, 4 or 8, native. */
void delta_encode(struct bytes *out, const void *values, size_t width, size_t count);

#endif
