/* dictionary.h: the distinct values of a column chunk, and the code of each.
 *
 * Codes count up from 0 in the order in which values come. An open-addressing hash table that
 * starts with a few slots and doubles: thousands of small ones cost little. It is full, and says so
 * by coding fewer values than it was given, when its values take DICTIONARY_SIZE_MAX bytes (Spark's
 * limit), or when a search gets so long that somebody must have chosen the values to collide. */
#ifndef PARQUET_DICTIONARY_H
#define PARQUET_DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "core/type.h"
#include "pipeline/parquet/bytes.h"

enum { DICTIONARY_SIZE_MAX = 1024 * 1024 };

/* Whether values stored as this type can have a dictionary: those of 4 or 8 bytes, and texts. */
static inline bool dictionary_takes(enum type stored) {
    return stored != TYPE_BOOL && stored != TYPE_DECIMAL;
}

struct dictionary {
    enum type type; // one that it takes
    bool portable;  // no instructions that only some processors have, for tests
    uint32_t count;
    // TYPE_INT32 at first, while its values lie near one another: code + 1 of each value from
    // direct_first on, 0: not seen. There are no slots then.
    int32_t direct_first;
    uint32_t direct_count;
    uint16_t *direct;    // owned
    bool scattered;      // they don't
    uint32_t slot_count; // a power of two, or 0
    uint32_t *slots;     // owned; 0: free, otherwise code + 1
    struct bytes values; // fixed width: native values; texts: PLAIN, each behind its 4-byte length
    struct bytes places; // texts: struct dictionary_place per code
};

/* Where the text of a code begins in `values` (at its length), and its hash. */
struct dictionary_place {
    uint32_t at;
    uint32_t hash;
};

void dictionary_deinit(struct dictionary *dictionary);

/* Codes values[0, count), which are in the vector form of the type (core/vector.h), until it is
 * full. Returns how many were coded. */
size_t dictionary_encode(struct dictionary *dictionary, const void *values, size_t count,
                         uint32_t *codes);

static inline size_t dictionary_memory(const struct dictionary *dictionary) {
    return dictionary->slot_count * sizeof *dictionary->slots + dictionary->values.capacity +
           dictionary->places.capacity + dictionary->direct_count * sizeof *dictionary->direct;
}

/* The bytes of a text: `at` as in its place. */
static inline struct text dictionary_text(const struct dictionary *dictionary, uint32_t code) {
    const struct dictionary_place *places = (const void *)dictionary->places.at;
    const uint8_t *at = dictionary->values.at + places[code].at;
    uint32_t length;
    memcpy(&length, at, sizeof length);
    return (struct text){.bytes = (const char *)at + sizeof length, .length = length};
}

#endif
