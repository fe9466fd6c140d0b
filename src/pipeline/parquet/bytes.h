/* bytes.h: a growing run of bytes: pages, levels and footers are put together in one.
 *
 * Starts without memory and doubles, so that thousands of empty ones cost nothing. Sizes in bytes.
 */
#ifndef PARQUET_BYTES_H
#define PARQUET_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    uint8_t *at; // owned
    size_t size;
    size_t capacity;
};

void bytes_deinit(struct bytes *bytes);

/* Makes room for `more` bytes behind the present ones, without counting them. */
void bytes_grow(struct bytes *bytes, size_t more);

/* Room for `more` bytes behind the present ones. */
static inline uint8_t *bytes_reserve(struct bytes *bytes, size_t more) {
    if (bytes->capacity - bytes->size < more)
        bytes_grow(bytes, more);
    return bytes->size == 0 ? bytes->at : bytes->at + bytes->size; // NULL: there is no room yet
}

static inline void bytes_append(struct bytes *bytes, const void *from, size_t size) {
    if (size == 0)
        return;
    memcpy(bytes_reserve(bytes, size), from, size);
    bytes->size += size;
}

static inline void bytes_append_byte(struct bytes *bytes, uint8_t byte) {
    *bytes_reserve(bytes, 1) = byte;
    bytes->size++;
}

/* Unsigned LEB128, as Thrift and Parquet's encodings have it. */
void bytes_append_varint(struct bytes *bytes, uint64_t value);

bool varint_read_long(const uint8_t **at, const uint8_t *end, unsigned bits, uint64_t *value);

/* Reads one from [*at, end), of at most `bits` bits in whole bytes of seven, and moves *at behind
 * it. False: it ends too early, or not at all. */
static inline bool varint_read(const uint8_t **at, const uint8_t *end, unsigned bits,
                               uint64_t *value) {
    if (*at == end || **at >= 0x80)
        return varint_read_long(at, end, bits, value);
    *value = *(*at)++; // most are one byte
    return true;
}

/* Signed numbers as unsigned ones: those near zero are small. */
static inline uint64_t zigzag(int64_t value) {
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static inline int64_t unzigzag(uint64_t value) {
    return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

/* Empties; gives the memory back when it is more than `keep`. */
static inline void bytes_reset(struct bytes *bytes, size_t keep) {
    bytes->size = 0;
    if (bytes->capacity > keep)
        bytes_deinit(bytes);
}

#endif
