/* thrift.h: the Thrift compact protocol, as far as Parquet's headers and footers need it.
 *
 * Writing:  struct thrift_writer writer = {.out = &bytes};      the outermost struct is open
 *           thrift_put_i32(&writer, 1, 42);
 *           thrift_begin(&writer, 5); … thrift_end(&writer);    a struct in field 5
 *           thrift_end(&writer);                                closes the outermost struct
 *
 * Fields of one struct are put in ascending order. Source: thrift-compact-protocol.md of
 * apache/thrift. */
#ifndef PARQUET_THRIFT_H
#define PARQUET_THRIFT_H

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/parquet/bytes.h"

enum thrift_type {
    THRIFT_STOP = 0,
    THRIFT_TRUE = 1, // also the element type of a list of booleans
    THRIFT_FALSE = 2,
    THRIFT_BYTE = 3,
    THRIFT_I16 = 4,
    THRIFT_I32 = 5,
    THRIFT_I64 = 6,
    THRIFT_DOUBLE = 7,
    THRIFT_BINARY = 8,
    THRIFT_LIST = 9,
    THRIFT_SET = 10,
    THRIFT_MAP = 11,
    THRIFT_STRUCT = 12,
};

enum { THRIFT_DEPTH_MAX = 16 };

struct thrift_writer {
    struct bytes *out; // borrowed
    int depth;
    int last[THRIFT_DEPTH_MAX]; // the id of the last field of each open struct
};

void thrift_put_bool(struct thrift_writer *writer, int field, bool value);
void thrift_put_i32(struct thrift_writer *writer, int field, int32_t value);
void thrift_put_i64(struct thrift_writer *writer, int field, int64_t value);
void thrift_put_binary(struct thrift_writer *writer, int field, const void *bytes, size_t size);
void thrift_put_text(struct thrift_writer *writer, int field, const char *text);

/* Opens a struct in a field, or as an element of the list just begun. */
void thrift_begin(struct thrift_writer *writer, int field);
void thrift_begin_element(struct thrift_writer *writer);
void thrift_end(struct thrift_writer *writer);

/* A list: its head, then `count` elements of one kind. */
void thrift_put_list(struct thrift_writer *writer, int field, enum thrift_type type, size_t count);
void thrift_element_bool(struct thrift_writer *writer, bool value);
void thrift_element_i32(struct thrift_writer *writer, int32_t value);
void thrift_element_i64(struct thrift_writer *writer, int64_t value);
void thrift_element_binary(struct thrift_writer *writer, const void *bytes, size_t size);

#endif
