/* keys.h: which column a key names.
 *
 * Producers write their keys in the same order and with the same white space nearly always. So for
 * each column we remember which key came behind it and what stood around that key, and compare this
 * first; only if it differs the key is read and looked up. A key that is left out costs one
 * look-up. Keys match exactly, case included. */
#ifndef PIPELINE_JSON_KEYS_H
#define PIPELINE_JSON_KEYS_H

#include "core/schema.h"
#include "pipeline/json/reader.h"

enum { KEY_NAME_MAX = 128, KEY_SLOTS = 256, KEY_PATTERN_MAX = 61 };

/* A key as it was, with all that stood between the value before and its own. */
struct json_prediction {
    uint8_t column;
    uint8_t size;       // 0: nothing is known yet
    uint8_t confidence; // falls with each miss; at 0 another key is learned
    char pattern[KEY_PATTERN_MAX];
};

struct json_keys {
    size_t count;
    size_t longest; // bytes of the longest name
    struct text names[SCHEMA_COLUMNS_MAX];
    uint8_t slots[KEY_SLOTS]; // open addressing: index + 1; 0: empty
    struct json_prediction predictions[SCHEMA_COLUMNS_MAX + 1]; // behind column i - 1; 0: the first
};

/* The record columns of a schema, which is borrowed. */
void json_keys_init(struct json_keys *keys, const struct schema *schema);

/* Whether the key that came behind column `previous` (-1: as the first) last time comes next in the
 * root object: the first byte of its value, and *column; NULL: something else comes. Only where the
 * root's own next member may stand, and with -1 only where no member came before: a remembered
 * pattern holds the comma in front of its key, or that there was none. */
const char *json_keys_match(struct json_keys *keys, const struct json_reader *reader, int previous,
                            size_t *column);

/* The column that the reader's current key names, or -1. `from` is where the value before it ended,
 * so that the key can be remembered; NULL: it can't, because json_keys_match() could not be asked.
 */
int json_keys_find(struct json_keys *keys, const struct json_reader *reader, int previous,
                   const char *from);

#endif
