#include "pipeline/parquet/dictionary.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/check.h"

enum { SLOTS_FIRST = 16, PROBES_MAX = 256, TEXT_HEAD = sizeof(uint32_t) };

void dictionary_deinit(struct dictionary *dictionary) {
    free(dictionary->slots);
    bytes_deinit(&dictionary->values);
    bytes_deinit(&dictionary->places);
    *dictionary = (struct dictionary){.type = dictionary->type};
}

/* Multiplying to 128 bits and folding, as wyhash does: every bit of both operands reaches every bit
 * of the result. */
static uint64_t fold(uint64_t a, uint64_t b) {
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static const uint64_t salt_1 = 0x9e3779b97f4a7c15u, salt_2 = 0xe7037ed1a0b428dbu;

static uint64_t load_8(const char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static uint64_t load_4(const char *at) {
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Not text_equals(): an empty text may have no bytes to point to. */
static bool is_same(struct text a, struct text b) {
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

static uint32_t hash_text(struct text text) {
    const char *at = text.bytes;
    size_t left = text.length;
    uint64_t hash = salt_1 ^ left;
    for (; left > 16; at += 16, left -= 16)
        hash = fold(load_8(at) ^ salt_2, load_8(at + 8) ^ hash);
    uint64_t a = 0, b = 0;
    if (left >= 8) {
        a = load_8(at);
        b = load_8(at + left - 8);
    } else if (left >= 4) {
        a = load_4(at);
        b = load_4(at + left - 4);
    } else if (left > 0) {
        a = (uint64_t)(uint8_t)at[0] << 16 | (uint64_t)(uint8_t)at[left / 2] << 8 |
            (uint8_t)at[left - 1];
    }
    return (uint32_t)fold(a ^ salt_2, b ^ hash);
}

static uint32_t hash_word(uint64_t word) {
    return (uint32_t)fold(word ^ salt_2, salt_1);
}

static uint64_t fixed_value(const struct dictionary *dictionary, uint32_t code) {
    if (dictionary->type == TYPE_INT32)
        return ((const uint32_t *)(const void *)dictionary->values.at)[code];
    return ((const uint64_t *)(const void *)dictionary->values.at)[code];
}

static bool is_text(enum type type) {
    return type == TYPE_STRING || type == TYPE_BINARY;
}

static uint32_t hash_of_code(const struct dictionary *dictionary, uint32_t code) {
    if (is_text(dictionary->type))
        return ((const struct dictionary_place *)(const void *)dictionary->places.at)[code].hash;
    return hash_word(fixed_value(dictionary, code));
}

/* At most half of the slots are taken. */
static void grow_slots(struct dictionary *dictionary) {
    uint32_t slot_count =
        dictionary->slot_count == 0 ? (uint32_t)SLOTS_FIRST : dictionary->slot_count * 2;
    free(dictionary->slots);
    dictionary->slots = must_alloc(slot_count, sizeof *dictionary->slots);
    dictionary->slot_count = slot_count;
    for (uint32_t code = 0; code < dictionary->count; code++) {
        uint32_t slot = hash_of_code(dictionary, code) & (slot_count - 1);
        while (dictionary->slots[slot] != 0)
            slot = (slot + 1) & (slot_count - 1);
        dictionary->slots[slot] = code + 1;
    }
}

static void make_room(struct dictionary *dictionary) {
    if ((dictionary->count + 1) * 2 > dictionary->slot_count)
        grow_slots(dictionary);
}

static const uint32_t code_none = UINT32_MAX; // the dictionary is full

static uint32_t encode_text(struct dictionary *dictionary, struct text text) {
    make_room(dictionary);
    uint32_t hash = hash_text(text), mask = dictionary->slot_count - 1, slot = hash & mask;
    const struct dictionary_place *places = (const void *)dictionary->places.at;
    for (int probes = 0; dictionary->slots[slot] != 0; slot = (slot + 1) & mask) {
        uint32_t code = dictionary->slots[slot] - 1;
        if (places[code].hash == hash && is_same(dictionary_text(dictionary, code), text))
            return code;
        if (++probes == PROBES_MAX)
            return code_none;
    }
    if (dictionary->values.size + TEXT_HEAD + text.length > DICTIONARY_SIZE_MAX)
        return code_none;
    struct dictionary_place place = {.at = (uint32_t)dictionary->values.size, .hash = hash};
    bytes_append(&dictionary->places, &place, sizeof place);
    bytes_append(&dictionary->values, &text.length, TEXT_HEAD);
    bytes_append(&dictionary->values, text.bytes, text.length);
    dictionary->slots[slot] = ++dictionary->count;
    return dictionary->count - 1;
}

static uint32_t encode_word(struct dictionary *dictionary, uint64_t word, size_t width) {
    make_room(dictionary);
    uint32_t mask = dictionary->slot_count - 1, slot = hash_word(word) & mask;
    for (int probes = 0; dictionary->slots[slot] != 0; slot = (slot + 1) & mask) {
        uint32_t code = dictionary->slots[slot] - 1;
        if (fixed_value(dictionary, code) == word)
            return code;
        if (++probes == PROBES_MAX)
            return code_none;
    }
    if (dictionary->values.size + width > DICTIONARY_SIZE_MAX)
        return code_none;
    bytes_append(&dictionary->values, &word, width); // little-endian: the low bytes come first
    dictionary->slots[slot] = ++dictionary->count;
    return dictionary->count - 1;
}

static size_t encode_texts(struct dictionary *dictionary, const struct text *texts, size_t count,
                           uint32_t *codes) {
    for (size_t i = 0; i < count; i++) {
        codes[i] = i > 0 && is_same(texts[i], texts[i - 1]) ? codes[i - 1]
                                                            : encode_text(dictionary, texts[i]);
        if (codes[i] == code_none)
            return i;
    }
    return count;
}

static size_t encode_4(struct dictionary *dictionary, const uint32_t *values, size_t count,
                       uint32_t *codes) {
    for (size_t i = 0; i < count; i++) {
        codes[i] = i > 0 && values[i] == values[i - 1]
                       ? codes[i - 1]
                       : encode_word(dictionary, values[i], sizeof *values);
        if (codes[i] == code_none)
            return i;
    }
    return count;
}

static size_t encode_8(struct dictionary *dictionary, const uint64_t *values, size_t count,
                       uint32_t *codes) {
    for (size_t i = 0; i < count; i++) {
        codes[i] = i > 0 && values[i] == values[i - 1]
                       ? codes[i - 1]
                       : encode_word(dictionary, values[i], sizeof *values);
        if (codes[i] == code_none)
            return i;
    }
    return count;
}

size_t dictionary_encode(struct dictionary *dictionary, const void *values, size_t count,
                         uint32_t *codes) {
    check(dictionary->type != TYPE_BOOL);
    if (is_text(dictionary->type))
        return encode_texts(dictionary, values, count, codes);
    if (dictionary->type == TYPE_INT32)
        return encode_4(dictionary, values, count, codes);
    return encode_8(dictionary, values, count, codes);
}
