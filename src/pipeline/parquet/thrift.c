#include "pipeline/parquet/thrift.h"

#include "base/check.h"

enum { SHORT_LIST_MAX = 14, SHORT_DELTA_MAX = 15 };

static uint64_t zigzag(int64_t value) {
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static void put_field(struct thrift_writer *writer, int field, enum thrift_type type) {
    int delta = field - writer->last[writer->depth];
    check(delta > 0);
    if (delta <= SHORT_DELTA_MAX) {
        bytes_append_byte(writer->out, (uint8_t)(delta << 4 | (int)type));
    } else {
        bytes_append_byte(writer->out, (uint8_t)type);
        bytes_append_varint(writer->out, zigzag(field));
    }
    writer->last[writer->depth] = field;
}

void thrift_put_bool(struct thrift_writer *writer, int field, bool value) {
    put_field(writer, field, value ? THRIFT_TRUE : THRIFT_FALSE);
}

void thrift_put_i32(struct thrift_writer *writer, int field, int32_t value) {
    put_field(writer, field, THRIFT_I32);
    thrift_element_i32(writer, value);
}

void thrift_put_i64(struct thrift_writer *writer, int field, int64_t value) {
    put_field(writer, field, THRIFT_I64);
    thrift_element_i64(writer, value);
}

void thrift_put_binary(struct thrift_writer *writer, int field, const void *bytes, size_t size) {
    put_field(writer, field, THRIFT_BINARY);
    thrift_element_binary(writer, bytes, size);
}

void thrift_put_text(struct thrift_writer *writer, int field, const char *text) {
    thrift_put_binary(writer, field, text, strlen(text));
}

void thrift_begin(struct thrift_writer *writer, int field) {
    put_field(writer, field, THRIFT_STRUCT);
    thrift_begin_element(writer);
}

void thrift_begin_element(struct thrift_writer *writer) {
    check(writer->depth + 1 < THRIFT_DEPTH_MAX);
    writer->last[++writer->depth] = 0;
}

void thrift_end(struct thrift_writer *writer) {
    bytes_append_byte(writer->out, THRIFT_STOP);
    check(writer->depth >= 0);
    writer->depth--;
}

void thrift_put_list(struct thrift_writer *writer, int field, enum thrift_type type, size_t count) {
    put_field(writer, field, THRIFT_LIST);
    if (count <= SHORT_LIST_MAX) {
        bytes_append_byte(writer->out, (uint8_t)(count << 4 | type));
    } else {
        bytes_append_byte(writer->out, (uint8_t)(0xf0 | type));
        bytes_append_varint(writer->out, count);
    }
}

void thrift_element_bool(struct thrift_writer *writer, bool value) {
    bytes_append_byte(writer->out, value ? THRIFT_TRUE : THRIFT_FALSE);
}

void thrift_element_i32(struct thrift_writer *writer, int32_t value) {
    bytes_append_varint(writer->out, zigzag(value));
}

void thrift_element_i64(struct thrift_writer *writer, int64_t value) {
    bytes_append_varint(writer->out, zigzag(value));
}

void thrift_element_binary(struct thrift_writer *writer, const void *bytes, size_t size) {
    bytes_append_varint(writer->out, size);
    bytes_append(writer->out, bytes, size);
}
