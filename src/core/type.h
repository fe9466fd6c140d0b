/* type.h: the value types of a column, and what each is called elsewhere. */
#ifndef CORE_TYPE_H
#define CORE_TYPE_H

#include <stdbool.h>
#include <stddef.h>

enum type {
    TYPE_BOOL,
    TYPE_INT32,
    TYPE_INT64,
    TYPE_DOUBLE,
    TYPE_STRING,    // UTF-8
    TYPE_BINARY,    // bytes; only in the rejects table
    TYPE_TIMESTAMP, // int64 microseconds since 1970-01-01T00:00:00Z
    TYPE_COUNT,
};

/* Whether its values are texts of any length, and a vector points at them. */
static inline bool type_is_text(enum type type) {
    return type == TYPE_STRING || type == TYPE_BINARY;
}

/* Bytes of one value in a vector. */
size_t type_width(enum type type);

/* The name in Spark's JSON schemas ("integer", "long", …). */
const char *type_spark_name(enum type type);

/* The name in SQL ("INT", "BIGINT", …). */
const char *type_sql_name(enum type type);

#endif
