#include "pipeline/json/keys.h"

#include "base/check.h"
#include "base/digits.h"
#include "pipeline/json/text.h"

_Static_assert(SCHEMA_COLUMNS_MAX <= KEY_SLOTS / 2, "a lookup must meet an empty slot soon");

/* A key with the readable bytes around it that json_keys_find_plain() wants. */
struct surrounded_key {
    char before[sizeof(uint64_t)];
    char bytes[KEY_NAME_MAX];
    char behind[JSON_PREFIX_MAX];
};

/* From the length, the first and the last eight bytes: where the names of a schema differ. */
static inline size_t slot_of(const char *bytes, size_t size) {
    unsigned spare = size < WORD_SIZE ? (unsigned)(WORD_SIZE - size) * 8 : 0;
    uint64_t last = word_load(bytes + size - WORD_SIZE) >> spare;
    uint64_t first = spare == 0 ? word_load(bytes) : last;
    uint64_t hash = (first ^ last * 31) + size;
    return (size_t)(hash * UINT64_C(0x9E3779B97F4A7C15) >> 54) % KEY_SLOTS; // 2^64 / golden ratio
}

void json_keys_init(struct json_keys *keys, const struct schema *schema) {
    *keys = (struct json_keys){0};
    for (size_t i = 0; i < schema->record_count; i++) {
        const char *name = schema->columns[i].name;
        size_t size = strlen(name);
        check(size > 0 && size <= KEY_NAME_MAX);
        keys->names[i].name = (struct text){name, (uint32_t)size};
        keys->longest = size > keys->longest ? size : keys->longest;

        struct surrounded_key key = {0};
        memcpy(key.bytes, name, size);
        json_prefix_set(&keys->names[i].head, key.bytes,
                        size < JSON_PREFIX_MAX ? size : JSON_PREFIX_MAX);
        size_t slot = slot_of(key.bytes, size);
        while (keys->slots[slot] != 0)
            slot = (slot + 1) % KEY_SLOTS;
        keys->slots[slot] = (uint8_t)(i + 1);
    }
}

static inline bool is_name(const struct json_key_name *name, const char *bytes, size_t size) {
    return name->name.length == size && json_has_prefix(bytes, &name->head) &&
           (size <= JSON_PREFIX_MAX || memcmp(name->name.bytes, bytes, size) == 0);
}

int json_keys_find_plain(const struct json_keys *keys, const char *bytes, size_t size) {
    if (size == 0 || size > keys->longest)
        return -1;
    for (size_t slot = slot_of(bytes, size); keys->slots[slot] != 0;
         slot = (slot + 1) % KEY_SLOTS) {
        int column = keys->slots[slot] - 1;
        if (is_name(&keys->names[column], bytes, size))
            return column;
    }
    return -1;
}

int json_keys_find(const struct json_keys *keys, struct json_raw key) {
    struct surrounded_key copy = {0};
    struct json_output output = {copy.bytes, copy.bytes + sizeof copy.bytes, false};
    json_output_text(&output, key);
    return output.is_full
               ? -1
               : json_keys_find_plain(keys, copy.bytes, (size_t)(output.at - copy.bytes));
}
