/* keys.h: which column a key names. Keys match exactly, case included. */
#ifndef PIPELINE_JSON_KEYS_H
#define PIPELINE_JSON_KEYS_H

#include "core/schema.h"
#include "pipeline/json/reader.h"
#include "pipeline/json/words.h"

enum { KEY_NAME_MAX = 128, KEY_SLOTS = 1024 };

struct json_key_name {
    struct text name;
    struct json_prefix head; // its first bytes
};

struct json_keys {
    size_t longest;           // bytes of the longest name
    uint8_t slots[KEY_SLOTS]; // open addressing: index + 1; 0: empty
    struct json_key_name names[SCHEMA_COLUMNS_MAX];
};

/* The record columns of a schema, which is borrowed. */
void json_keys_init(struct json_keys *keys, const struct schema *schema);

/* The column that the key names, or -1. */
int json_keys_find(const struct json_keys *keys, struct json_raw key);

/* The same for a plain key with readable bytes around it: eight before, JSON_PREFIX_MAX behind. */
int json_keys_find_plain(const struct json_keys *keys, const char *bytes, size_t size);

#endif
