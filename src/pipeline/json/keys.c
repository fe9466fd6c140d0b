#include "pipeline/json/keys.h"

#include "base/check.h"
#include "pipeline/json/text.h"

_Static_assert(SCHEMA_COLUMNS_MAX <= KEY_SLOTS / 2, "a lookup must meet an empty slot soon");

static size_t slot_of(const char *bytes, size_t size) {
    uint32_t hash = 2166136261; // FNV-1a
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 16777619;
    return (hash ^ hash >> 16) % KEY_SLOTS;
}

void json_keys_init(struct json_keys *keys, const struct schema *schema) {
    *keys = (struct json_keys){.count = schema->record_count};
    for (size_t i = 0; i < keys->count; i++) {
        const char *name = schema->columns[i].name;
        keys->names[i] = (struct text){name, (uint32_t)strlen(name)};
        check(keys->names[i].length <= KEY_NAME_MAX);
        if (keys->names[i].length > keys->longest)
            keys->longest = keys->names[i].length;

        size_t slot = slot_of(name, keys->names[i].length);
        while (keys->slots[slot] != 0)
            slot = (slot + 1) % KEY_SLOTS;
        keys->slots[slot] = (uint8_t)(i + 1);
    }
}

static bool is_name(const struct json_keys *keys, size_t column, const char *bytes, size_t size) {
    return keys->names[column].length == size &&
           memcmp(keys->names[column].bytes, bytes, size) == 0;
}

static int look_up(const struct json_keys *keys, const char *bytes, size_t size) {
    if (size > keys->longest)
        return -1;
    for (size_t slot = slot_of(bytes, size); keys->slots[slot] != 0;
         slot = (slot + 1) % KEY_SLOTS) {
        size_t column = keys->slots[slot] - 1u;
        if (is_name(keys, column, bytes, size))
            return (int)column;
    }
    return -1;
}

int json_keys_find(struct json_keys *keys, struct json_raw key, size_t nth) {
    char decoded[KEY_NAME_MAX];
    if (!key.plain) {
        struct json_output output = {decoded, decoded + sizeof decoded, false};
        json_output_text(&output, key);
        if (output.is_full)
            return -1;
        key = (struct json_raw){decoded, (size_t)(output.at - decoded), true};
    }

    size_t predicted = nth < KEY_PREDICTIONS_MAX ? keys->predictions[nth] : 0;
    if (predicted != 0 && is_name(keys, predicted - 1, key.bytes, key.size))
        return (int)predicted - 1;
    int column = look_up(keys, key.bytes, key.size);
    if (column >= 0 && nth < KEY_PREDICTIONS_MAX)
        keys->predictions[nth] = (uint8_t)(column + 1);
    return column;
}
