/* keys.h: which column a key names. Keys match exactly, case included. */
#ifndef PIPELINE_JSON_KEYS_H
#define PIPELINE_JSON_KEYS_H

#include "base/digits.h"
#include "core/schema.h"
#include "pipeline/json/text.h"
#include "pipeline/json/words.h"

enum { KEY_NAME_MAX = 128, KEY_SLOTS = 1024 };

struct json_key_name {
    struct text name;
    struct json_prefix head; // its first bytes; the quote behind it, too, if that fits in
};

struct json_keys {
    uint8_t slots[KEY_SLOTS]; // open addressing: index + 1; 0: empty
    struct json_key_name names[SCHEMA_COLUMNS_MAX];
};

/* The record columns of a schema, which is borrowed. */
void json_keys_init(struct json_keys *keys, const struct schema *schema);

/* The column that the key names, or -1. */
int json_keys_find(const struct json_keys *keys, struct json_raw key);

/* From the size, the first eight bytes and the last two: where the names of a schema differ. */
static inline size_t json_keys_slot(const char *bytes, size_t size) {
    static const uint64_t masks[WORD_SIZE] = {
        0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF};
    uint16_t last;
    memcpy(&last, bytes + size - sizeof last, sizeof last);
    uint64_t first = word_load(bytes) & (size < WORD_SIZE ? masks[size] : UINT64_MAX);
    uint64_t hash = (first + size + ((uint64_t)last << 40)) * UINT64_C(0x9E3779B97F4A7C15);
    return hash >> 54; // 2^64 / golden ratio; KEY_SLOTS
}

/* The same for a plain key between two quotes, with JSON_PREFIX_MAX readable bytes behind it.
 * `has_prefix` is json_has_prefix() or another version of it. */
static inline __attribute__((always_inline)) int
json_keys_find_plain(const struct json_keys *keys, const char *bytes, size_t size,
                     bool (*has_prefix)(const char *at, const struct json_prefix *prefix)) {
    for (size_t slot = json_keys_slot(bytes, size); keys->slots[slot] != 0;
         slot = (slot + 1) % KEY_SLOTS) {
        int column = keys->slots[slot] - 1;
        const struct json_key_name *name = &keys->names[column];
        // A head with the quote in it says that the key ends there.
        if (has_prefix(bytes, &name->head) &&
            (size < JSON_PREFIX_MAX ||
             (name->name.length == size && memcmp(name->name.bytes, bytes, size) == 0)))
            return column;
    }
    return -1;
}

#endif
