/* format.h: the numbers of the Parquet format (parquet.thrift of apache/parquet-format), and the
 * choices that a table's files have in common.
 *
 * Only what the writer and the reader use is named. */
#ifndef PARQUET_FORMAT_H
#define PARQUET_FORMAT_H

#include <stdbool.h>

#include "core/type.h"

enum parquet_codec { CODEC_NONE, CODEC_SNAPPY, CODEC_ZSTD, CODEC_LZ4_RAW };
enum parquet_timestamp { TIMESTAMP_AS_MICROS, TIMESTAMP_AS_INT96 };

/* The user's choices for the files of a table. */
struct parquet_options {
    enum parquet_codec codec;
    enum parquet_timestamp timestamp;
    bool delta; // integers and timestamps without a dictionary as differences (delta.h)
};

/* Type in parquet.thrift. */
enum physical {
    PHYSICAL_BOOLEAN = 0,
    PHYSICAL_INT32 = 1,
    PHYSICAL_INT64 = 2,
    PHYSICAL_INT96 = 3, // 8 bytes nanoseconds of the day, 4 bytes Julian day; little-endian
    PHYSICAL_FLOAT = 4,
    PHYSICAL_DOUBLE = 5,
    PHYSICAL_BYTE_ARRAY = 6,
    PHYSICAL_FIXED = 7, // FIXED_LEN_BYTE_ARRAY
};

enum repetition { REPETITION_REQUIRED = 0, REPETITION_OPTIONAL = 1 };

enum encoding {
    ENCODING_PLAIN = 0,
    ENCODING_PLAIN_DICTIONARY = 2, // what format v1 calls both the dictionary and its codes
    ENCODING_RLE = 3,
    ENCODING_BIT_PACKED = 4, // what format v1 says for missing levels
    ENCODING_DELTA_BINARY_PACKED = 5,
    ENCODING_RLE_DICTIONARY = 8,
};

enum page_type { PAGE_DATA = 0, PAGE_DICTIONARY = 2, PAGE_DATA_V2 = 3 };

/* CompressionCodec in parquet.thrift. */
enum codec_number { NUMBER_NONE = 0, NUMBER_SNAPPY = 1, NUMBER_ZSTD = 6, NUMBER_LZ4_RAW = 7 };

enum converted_type { CONVERTED_UTF8 = 0, CONVERTED_TIMESTAMP_MICROS = 10 };

/* Fields of the LogicalType union. */
enum logical_type { LOGICAL_STRING = 1, LOGICAL_TIMESTAMP = 8 };

enum boundary_order { ORDER_NONE = 0, ORDER_ASCENDING = 1, ORDER_DESCENDING = 2 };

enum { INT96_SIZE = 12, JULIAN_DAY_OF_1970 = 2440588, MAGIC_SIZE = 4 };

#define PARQUET_MAGIC "PAR1"

/* How a column of `type` is stored. */
static inline enum physical physical_of(enum type type, enum parquet_timestamp timestamp) {
    static const enum physical of[TYPE_COUNT] = {
        [TYPE_BOOL] = PHYSICAL_BOOLEAN,      [TYPE_INT32] = PHYSICAL_INT32,
        [TYPE_INT64] = PHYSICAL_INT64,       [TYPE_DOUBLE] = PHYSICAL_DOUBLE,
        [TYPE_STRING] = PHYSICAL_BYTE_ARRAY, [TYPE_BINARY] = PHYSICAL_BYTE_ARRAY,
        [TYPE_TIMESTAMP] = PHYSICAL_INT64,
    };
    if (type == TYPE_TIMESTAMP && timestamp == TIMESTAMP_AS_INT96)
        return PHYSICAL_INT96;
    return of[type];
}

#endif
