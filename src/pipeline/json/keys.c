#include "pipeline/json/keys.h"

#include "base/check.h"

_Static_assert(SCHEMA_COLUMNS_MAX <= KEY_SLOTS / 2, "a lookup must meet an empty slot soon");

/* A key with the bytes around it that json_keys_find_plain() wants. */
struct quoted_key {
    char bytes[1 + KEY_NAME_MAX + 1 + JSON_PREFIX_MAX];
};

static struct quoted_key quote_key(struct json_raw key, size_t *size) {
    struct quoted_key quoted = {.bytes = "\""};
    char *start = quoted.bytes + 1;
    struct json_output output = {start, start + KEY_NAME_MAX, false};
    json_output_text(&output, key);
    *output.at = '"';
    *size = output.is_full ? 0 : (size_t)(output.at - start);
    return quoted;
}

void json_keys_init(struct json_keys *keys, const struct schema *schema) {
    *keys = (struct json_keys){0};
    for (size_t i = 0; i < schema->record_count; i++) {
        const char *name = schema->columns[i].name;
        size_t size = strlen(name);
        check(size > 0 && size <= KEY_NAME_MAX);
        struct quoted_key quoted =
            quote_key((struct json_raw){.bytes = name, .size = size, .plain = true}, &size);
        const char *key = quoted.bytes + 1;
        keys->names[i].name = (struct text){name, (uint32_t)size};
        json_prefix_set(&keys->names[i].head, key,
                        size < JSON_PREFIX_MAX ? size + 1 : JSON_PREFIX_MAX);

        size_t slot = json_keys_slot(key, size);
        while (keys->slots[slot] != 0)
            slot = (slot + 1) % KEY_SLOTS;
        keys->slots[slot] = (uint8_t)(i + 1);
    }
}

int json_keys_find(const struct json_keys *keys, struct json_raw key) {
    size_t size;
    struct quoted_key quoted = quote_key(key, &size);
    return size == 0 ? -1 : json_keys_find_plain(keys, quoted.bytes + 1, size, json_has_prefix);
}
