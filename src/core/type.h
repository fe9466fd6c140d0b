/* type.h: the value types of a column, and what each is called elsewhere. */
#ifndef CORE_TYPE_H
#define CORE_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef __int128 int128_t;

/* A value of an ARRAY or MAP: where its elements are in the vector of all of them (core/vector.h):
 * [first, first + count). */
struct list {
    uint32_t first, count;
};

enum type {
    TYPE_BOOL,
    TYPE_INT32,
    TYPE_INT64,
    TYPE_DOUBLE,
    TYPE_STRING,    // UTF-8
    TYPE_BINARY,    // bytes
    TYPE_TIMESTAMP, // int64 microseconds since 1970-01-01T00:00:00Z
    TYPE_INT8,
    TYPE_INT16,
    TYPE_FLOAT,
    TYPE_DECIMAL,       // int128_t, unscaled
    TYPE_DATE,          // int32 days since 1970-01-01
    TYPE_TIMESTAMP_NTZ, // int64 microseconds since 1970-01-01T00:00:00 of no time zone
    TYPE_NULL,          // of the literal NULL alone; in no file
    TYPE_STRUCT,        // the rest are trees (core/data_type.h)
    TYPE_ARRAY,
    TYPE_MAP,
    TYPE_COUNT,
};

/* Whether its values are texts of any length, and a vector points at them. */
static inline bool type_is_text(enum type type) {
    return type == TYPE_STRING || type == TYPE_BINARY;
}

/* Whether a value is a struct list. */
static inline bool type_is_list(enum type type) {
    return type == TYPE_ARRAY || type == TYPE_MAP;
}

static inline bool type_is_number(enum type type) {
    return type == TYPE_INT8 || type == TYPE_INT16 || type == TYPE_INT32 || type == TYPE_INT64 ||
           type == TYPE_FLOAT || type == TYPE_DOUBLE || type == TYPE_DECIMAL;
}

/* The types that can be in the names of directories (PARTITION_TYPES, for messages). Only a text
 * can be impossible as a name. */
#define PARTITION_TYPES "STRING, BOOLEAN, TINYINT, SMALLINT, INT, BIGINT or DATE"
static inline bool type_can_partition(enum type type) {
    return type == TYPE_STRING || type == TYPE_BOOL || type == TYPE_INT8 || type == TYPE_INT16 ||
           type == TYPE_INT32 || type == TYPE_INT64 || type == TYPE_DATE;
}

/* Bytes of one value in a vector. */
size_t type_width(enum type type);

/* The name in Spark's JSON schemas ("integer", "long", …). */
const char *type_spark_name(enum type type);

/* The name in SQL ("INT", "BIGINT", …). */
const char *type_sql_name(enum type type);

#endif
