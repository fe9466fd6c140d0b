/* thrift.h: the Thrift compact protocol, as far as Parquet's headers and footers need it. Source:
 * thrift-compact-protocol.md of apache/thrift.
 *
 * Writing:  struct thrift_writer writer = {.out = &bytes};      the outermost struct is open
 *           thrift_put_i32(&writer, 1, 42);
 *           thrift_begin(&writer, 5); … thrift_end(&writer);    a struct in field 5
 *           thrift_end(&writer);                                closes the outermost struct
 *
 * Fields of one struct are put in ascending order.
 *
 * Reading, from untrusted bytes:
 *     thrift_enter(&reader);                              the outermost struct, or one in a field
 *     while (thrift_field(&reader, &field, &type))        ends at the struct's end, and leaves it
 *         switch (field) { case 1: x = thrift_get_int(&reader, type); break;
 *                          default: thrift_skip(&reader, type); }
 *
 * Every error sets `failed`, and from then on every call gives zero or nothing, so that it
 * must be checked only once, at the end. Lengths and counts are checked against the bytes that are
 * left. */
#ifndef PARQUET_THRIFT_H
#define PARQUET_THRIFT_H

#include "base/text.h"
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
void thrift_put_i8(struct thrift_writer *writer, int field, int8_t value);
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

struct thrift_reader {
    const uint8_t *at, *end; // borrowed
    bool failed;
    int depth;
    int last[THRIFT_DEPTH_MAX];
};

void thrift_enter(struct thrift_reader *reader);
/* What is rare of the functions below, and what goes wrong. */
bool thrift_field_other(struct thrift_reader *reader, int *field, enum thrift_type *type);
int64_t thrift_get_int_other(struct thrift_reader *reader, enum thrift_type type);
void thrift_skip_other(struct thrift_reader *reader, enum thrift_type type);

/* Most fields have a head of one byte: the distance from the one before, and the type. */
static inline bool thrift_field(struct thrift_reader *reader, int *field, enum thrift_type *type) {
    if (reader->at == reader->end || *reader->at >> 4 == 0)
        return thrift_field_other(reader, field, type);
    int id = reader->last[reader->depth] + (*reader->at >> 4);
    if (id > INT16_MAX)
        return thrift_field_other(reader, field, type);
    *type = (enum thrift_type)(*reader->at++ & 15);
    *field = reader->last[reader->depth] = id;
    return true;
}

/* Of i16, i32 and i64; booleans of fields are their type. */
static inline int64_t thrift_get_int(struct thrift_reader *reader, enum thrift_type type) {
    uint64_t value;
    // Two bytes are no more than any of the types can say.
    if (reader->end - reader->at < 2 || type < THRIFT_I16 || type > THRIFT_I64 ||
        (reader->at[0] >= 0x80 && reader->at[1] >= 0x80))
        return thrift_get_int_other(reader, type);
    value = *reader->at++;
    if (value >= 0x80)
        value = (value & 0x7f) | (uint64_t)*reader->at++ << 7;
    return unzigzag(value);
}

bool thrift_get_bool(struct thrift_reader *reader, enum thrift_type type);

/* Points into the bytes being read. */
struct text thrift_get_binary(struct thrift_reader *reader, enum thrift_type type);

/* Enters a struct in a field or a list. False: something else is there. */
bool thrift_get_struct(struct thrift_reader *reader, enum thrift_type type);

/* The count of elements, each of type `element`; 0 when it is no such list. */
size_t thrift_get_list(struct thrift_reader *reader, enum thrift_type type,
                       enum thrift_type element);

static inline void thrift_skip(struct thrift_reader *reader, enum thrift_type type) {
    if (type >= THRIFT_I16 && type <= THRIFT_I64 && reader->at != reader->end && *reader->at < 0x80)
        reader->at++;
    else
        thrift_skip_other(reader, type);
}

#endif
