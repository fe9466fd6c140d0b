#include "pipeline/json/keys.h"

#include "base/check.h"
#include "pipeline/json/text.h"

_Static_assert(SCHEMA_COLUMNS_MAX <= KEY_SLOTS / 2, "a lookup must meet an empty slot soon");

static uint64_t load(const char *bytes, size_t size) {
    uint64_t word = 0;
    memcpy(&word, bytes, size);
    return word;
}

/* From the length, the first and the last eight bytes: where the names of a schema differ. */
static size_t slot_of(const char *bytes, size_t size) {
    enum { WORD = sizeof(uint64_t) };
    uint64_t hash = size >= WORD ? load(bytes, WORD) ^ (load(bytes + size - WORD, WORD) * 31)
                                 : load(bytes, size);
    hash = (hash + size) * UINT64_C(0x9E3779B97F4A7C15); // 2^64 / golden ratio
    return (size_t)(hash >> 56) % KEY_SLOTS;
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

static int find(const struct json_keys *keys, struct json_raw key) {
    if (key.plain)
        return look_up(keys, key.bytes, key.size);
    char decoded[KEY_NAME_MAX];
    struct json_output output = {decoded, decoded + sizeof decoded, false};
    json_output_text(&output, key);
    return output.is_full ? -1 : look_up(keys, decoded, (size_t)(output.at - decoded));
}

/* memcmp() for short keys, inline. */
static bool same_bytes(const char *a, const char *b, size_t size) {
    uint64_t word_a, word_b;
    if (size < sizeof word_a)
        return memcmp(a, b, size) == 0;
    uint64_t difference = 0;
    for (size_t at = 0; at < size - sizeof word_a; at += sizeof word_a) {
        memcpy(&word_a, a + at, sizeof word_a);
        memcpy(&word_b, b + at, sizeof word_b);
        difference |= word_a ^ word_b;
    }
    memcpy(&word_a, a + size - sizeof word_a, sizeof word_a);
    memcpy(&word_b, b + size - sizeof word_b, sizeof word_b);
    return (difference | (word_a ^ word_b)) == 0;
}

static bool is_pattern(const struct json_prediction *prediction, const char *at, const char *end) {
    return prediction->size > 0 && (size_t)(end - at) > prediction->size &&
           same_bytes(at, prediction->pattern, prediction->size);
}

const char *json_keys_match(struct json_keys *keys, const struct json_reader *reader, int previous,
                            size_t *column) {
    enum { CONFIDENCE_MAX = 8 };
    struct json_prediction *prediction = &keys->predictions[previous + 1];
    if (!is_pattern(prediction, reader->at, reader->end))
        return NULL;
    prediction->confidence = CONFIDENCE_MAX;
    *column = prediction->column;
    return reader->at + prediction->size;
}

/* `from` is where the value before the current key ended. */
static void learn(struct json_prediction *prediction, const struct json_reader *reader,
                  const char *from, int column) {
    if (prediction->confidence > 0) {
        prediction->confidence--;
        return;
    }
    const char *to = reader->key.bytes + reader->key.size + 1;
    while (to < reader->end && *to != ':')
        to++;
    to++;
    while (to < reader->end && (*to == ' ' || *to == '\t' || *to == '\r' || *to == '\n'))
        to++;
    if (to - from > KEY_PATTERN_MAX || !reader->key.plain)
        return;
    *prediction = (struct json_prediction){.column = (uint8_t)column, .size = (uint8_t)(to - from)};
    memcpy(prediction->pattern, from, prediction->size);
}

int json_keys_find(struct json_keys *keys, const struct json_reader *reader, int previous,
                   const char *from) {
    int column = find(keys, reader->key);
    struct json_prediction *prediction = &keys->predictions[previous + 1];
    // Where the pattern is right, it was the value that did not come in its usual form.
    if (column >= 0 && from != NULL && !is_pattern(prediction, from, reader->end))
        learn(prediction, reader, from, column);
    return column;
}
