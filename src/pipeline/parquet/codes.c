#include "pipeline/parquet/codes.h"

static inline void code_store(uint8_t *at, size_t size, size_t index, uint32_t code) {
    memcpy(at + index * size, &code, size); // little-endian: the low bytes come first
}

void codes_append(struct bytes *bytes, size_t size, const uint32_t *codes, size_t count) {
    uint8_t *at = bytes_reserve(bytes, (count + 1) * size);
    switch (size) {
    case 1:
        for (size_t i = 0; i < count; i++)
            code_store(at, 1, i, codes[i]);
        break;
    case 2:
        for (size_t i = 0; i < count; i++)
            code_store(at, 2, i, codes[i]);
        break;
    default:
        memcpy(at, codes, count * size);
    }
    bytes->size += count * size;
}

void codes_widen(struct bytes *bytes, size_t from, size_t to) {
    size_t count = bytes->size / from;
    (void)bytes_reserve(bytes, (count + 1) * to);
    // From the end: what is written lies behind what is still to be read.
    for (size_t i = count; i-- > 0;)
        code_store(bytes->at, to, i, code_load(bytes->at, from, i));
    bytes->size = count * to;
}

static inline __attribute__((always_inline)) void mark(struct codes codes, size_t size,
                                                       uint8_t *seen) {
    for (size_t i = 0; i < codes.count; i++)
        seen[code_load(codes.at, size, i)] = 1;
}

/* Few codes have mostly all been seen before long. */
enum { MARK_AT_ONCE = 1024 };

void codes_mark(struct codes codes, uint8_t *seen, size_t dictionary_count) {
    if (codes.size == 2)
        mark(codes, 2, seen);
    else if (codes.size == 4)
        mark(codes, 4, seen);
    while (codes.size == 1 && codes.count > 0) {
        struct codes part = codes;
        part.count = codes.count < MARK_AT_ONCE ? codes.count : MARK_AT_ONCE;
        mark(part, 1, seen);
        if (memchr(seen, 0, dictionary_count) == NULL)
            return;
        codes.at += part.count;
        codes.count -= part.count;
    }
}
