/* thrift_reader.h: reading the Thrift compact protocol from bytes that nobody vouches for.
 *
 *     thrift_enter(&reader);                              the outermost struct, or one in a field
 *     while (thrift_field(&reader, &field, &type))        ends at the struct's end, and leaves it
 *         switch (field) { case 1: x = thrift_get_int(&reader, type); break;
 *                          default: thrift_skip(&reader, type); }
 *
 * Whatever goes wrong sets `failed`, and from then on every call gives zero or nothing, so that it
 * need be asked only once, at the end. Lengths and counts are checked against the bytes that are
 * left. */
#ifndef PARQUET_THRIFT_READER_H
#define PARQUET_THRIFT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "pipeline/parquet/thrift.h"

struct thrift_reader {
    const uint8_t *at, *end; // borrowed
    bool failed;
    int depth;
    int last[THRIFT_DEPTH_MAX];
};

void thrift_enter(struct thrift_reader *reader);
bool thrift_field(struct thrift_reader *reader, int *field, enum thrift_type *type);

/* Of i16, i32 and i64; booleans of fields are their type. */
int64_t thrift_get_int(struct thrift_reader *reader, enum thrift_type type);
bool thrift_get_bool(struct thrift_reader *reader, enum thrift_type type);

/* Points into the bytes being read. */
struct text thrift_get_binary(struct thrift_reader *reader, enum thrift_type type);

/* Enters a struct in a field or a list. False: something else is there. */
bool thrift_get_struct(struct thrift_reader *reader, enum thrift_type type);

/* The count of elements, each of type `element`; 0 when it is no such list. */
size_t thrift_get_list(struct thrift_reader *reader, enum thrift_type type,
                       enum thrift_type element);

void thrift_skip(struct thrift_reader *reader, enum thrift_type type);

#endif
