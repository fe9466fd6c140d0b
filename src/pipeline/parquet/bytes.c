#include "pipeline/parquet/bytes.h"

#include <stdlib.h>

#include "base/check.h"

enum { CAPACITY_FIRST = 64 };

void bytes_deinit(struct bytes *bytes) {
    free(bytes->at);
    *bytes = (struct bytes){0};
}

void bytes_grow(struct bytes *bytes, size_t more) {
    size_t wanted = bytes->size + more;
    check(wanted >= more);
    size_t capacity = bytes->capacity * 2;
    if (capacity < CAPACITY_FIRST)
        capacity = CAPACITY_FIRST;
    if (capacity < wanted)
        capacity = wanted;
    bytes->at = realloc(bytes->at, capacity);
    check(bytes->at != NULL);
    bytes->capacity = capacity;
}

void bytes_append_varint(struct bytes *bytes, uint64_t value) {
    uint8_t *at = bytes_reserve(bytes, 10);
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        at[size++] = (uint8_t)(value | 0x80);
    at[size++] = (uint8_t)value;
    bytes->size += size;
}

bool varint_read_long(const uint8_t **at, const uint8_t *end, unsigned bits, uint64_t *value) {
    *value = 0;
    for (unsigned shift = 0; shift < bits && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}
