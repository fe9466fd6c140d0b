/* keys.h: which column a key names.
 *
 * Producers write their keys in the same order nearly always: the n-th key is first compared with
 * the one that was n-th last time, and only then looked up. Keys match exactly, case included. */
#ifndef PIPELINE_JSON_KEYS_H
#define PIPELINE_JSON_KEYS_H

#include "core/schema.h"
#include "pipeline/json/reader.h"

enum { KEY_NAME_MAX = 128, KEY_SLOTS = 256, KEY_PREDICTIONS_MAX = 128 };

struct json_keys {
    size_t count;
    size_t longest; // bytes of the longest name
    struct text names[SCHEMA_COLUMNS_MAX];
    uint8_t slots[KEY_SLOTS];                 // open addressing: index + 1; 0: empty
    uint8_t predictions[KEY_PREDICTIONS_MAX]; // index + 1 of the column named there last time
};

/* The record columns of a schema, which is borrowed. */
void json_keys_init(struct json_keys *keys, const struct schema *schema);

/* The column that the record's `nth` key (from 0) names, or -1. */
int json_keys_find(struct json_keys *keys, struct json_raw key, size_t nth);

#endif
