/* codes.h: dictionary codes in as few bytes each as their dictionary's count allows: 1, 2 or 4.
 *
 * They gather so in the open page, and are packed from there. */
#ifndef PARQUET_CODES_H
#define PARQUET_CODES_H

#include "pipeline/parquet/bytes.h"

struct codes {
    const uint8_t *at; // aligned for their size
    size_t count;
    size_t size; // bytes of each
};

/* The size of codes below `dictionary_count`. */
static inline size_t code_size_for(uint32_t dictionary_count) {
    return dictionary_count <= 1u << 8 ? 1 : dictionary_count <= 1u << 16 ? 2 : 4;
}

/* `size` is a constant where this is inlined. */
static inline uint32_t code_load(const uint8_t *at, size_t size, size_t index) {
    uint16_t two;
    uint32_t four;
    if (size == 1)
        return at[index];
    if (size == 2) {
        memcpy(&two, at + index * 2, sizeof two);
        return two;
    }
    memcpy(&four, at + index * 4, sizeof four);
    return four;
}

/* Appends `count` codes, which fit into `size` bytes each. */
void codes_append(struct bytes *bytes, size_t size, const uint32_t *codes, size_t count);

/* The codes in `bytes` take `to` bytes each from now on, more than the `from` bytes before. */
void codes_widen(struct bytes *bytes, size_t from, size_t to);

/* Sets seen[code] to 1 for each, which was 0 for all below `dictionary_count`. */
void codes_mark(struct codes codes, uint8_t *seen, size_t dictionary_count);

#endif
