/* format.h: the numbers of the Parquet format (parquet.thrift of apache/parquet-format), and the
 * choices that a table's files have in common.
 *
 * Only what the writer and the reader use is named. */
#ifndef PARQUET_FORMAT_H
#define PARQUET_FORMAT_H

#include <stdbool.h>

#include "core/decimal.h"
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

enum converted_type {
    CONVERTED_UTF8 = 0,
    CONVERTED_DECIMAL = 5,
    CONVERTED_DATE = 6,
    CONVERTED_TIMESTAMP_MICROS = 10,
    CONVERTED_INT_8 = 15,
    CONVERTED_INT_16 = 16,
};

/* Fields of the LogicalType union. */
enum logical_type {
    LOGICAL_STRING = 1,
    LOGICAL_DECIMAL = 5,
    LOGICAL_DATE = 6,
    LOGICAL_TIMESTAMP = 8,
    LOGICAL_INTEGER = 10,
};

enum boundary_order { ORDER_NONE = 0, ORDER_ASCENDING = 1, ORDER_DESCENDING = 2 };

enum { INT96_SIZE = 12, JULIAN_DAY_OF_1970 = 2440588, MAGIC_SIZE = 4 };

#define PARQUET_MAGIC "PAR1"

/* Precisions up to which a decimal is stored as an integer, as Spark does. */
enum { DECIMAL_INT32_MAX = 9, DECIMAL_INT64_MAX = 18 };

/* The type whose vector form the values of a column have on their way into a file and out of it: a
 * small integer or a date is an INT, a decimal the shortest integer for its precision. */
static inline enum type stored_type(enum type type, int precision) {
    switch (type) {
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_DATE:
        return TYPE_INT32;
    case TYPE_TIMESTAMP_NTZ:
        return TYPE_INT64;
    case TYPE_DECIMAL:
        return precision <= DECIMAL_INT32_MAX   ? TYPE_INT32
               : precision <= DECIMAL_INT64_MAX ? TYPE_INT64
                                                : TYPE_DECIMAL;
    default:
        return type;
    }
}

/* How values of a stored type are stored. */
static inline enum physical physical_of(enum type stored, enum parquet_timestamp timestamp) {
    static const enum physical of[TYPE_COUNT] = {
        [TYPE_BOOL] = PHYSICAL_BOOLEAN,      [TYPE_INT32] = PHYSICAL_INT32,
        [TYPE_INT64] = PHYSICAL_INT64,       [TYPE_DOUBLE] = PHYSICAL_DOUBLE,
        [TYPE_STRING] = PHYSICAL_BYTE_ARRAY, [TYPE_BINARY] = PHYSICAL_BYTE_ARRAY,
        [TYPE_TIMESTAMP] = PHYSICAL_INT64,   [TYPE_FLOAT] = PHYSICAL_FLOAT,
        [TYPE_DECIMAL] = PHYSICAL_FIXED,
    };
    if (stored == TYPE_TIMESTAMP && timestamp == TIMESTAMP_AS_INT96)
        return PHYSICAL_INT96;
    return of[stored];
}

#endif
