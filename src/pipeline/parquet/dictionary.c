#include "pipeline/parquet/dictionary.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/check.h"
#include "pipeline/parquet/text_hash.h"

enum { SLOTS_FIRST = 16, PROBES_MAX = 256, TEXT_HEAD = sizeof(uint32_t) };

void dictionary_deinit(struct dictionary *dictionary) {
    free(dictionary->slots);
    bytes_deinit(&dictionary->values);
    bytes_deinit(&dictionary->places);
    *dictionary = (struct dictionary){.type = dictionary->type};
}

/* Bits of a product depend only on those below them in its operands, and what tells doubles apart
 * is in their upper bits: those are brought down first. */
static inline uint32_t hash_word(uint64_t word) {
    return (uint32_t)((word ^ word >> 32) * hash_salt_1 >> 32);
}

/* `width` is 4 or 8, and known where this is inlined. */
static inline uint64_t load_value(const struct dictionary *dictionary, uint32_t code,
                                  size_t width) {
    const char *at = (const char *)dictionary->values.at + code * width;
    return width == 4 ? load_4(at) : load_8(at);
}

static bool is_text(enum type type) {
    return type == TYPE_STRING || type == TYPE_BINARY;
}

static uint32_t hash_of_code(const struct dictionary *dictionary, uint32_t code) {
    if (is_text(dictionary->type))
        return ((const struct dictionary_place *)(const void *)dictionary->places.at)[code].hash;
    return hash_word(load_value(dictionary, code, type_width(dictionary->type)));
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

static const uint32_t code_none = UINT32_MAX; // the dictionary is full

/* Values are coded in blocks: first all hashes, then, when the dictionary is too large to be in
 * cache anyway, what they point at is fetched, then the codes are found. A table of many files has
 * dictionaries of several MB in sum; the fetches of a block wait for memory together instead of one
 * after the other. */
enum { BLOCK = 32, FETCH_COUNT_MIN = 1024 };

static void make_room(struct dictionary *dictionary, size_t more) {
    while ((dictionary->count + more) * 2 > dictionary->slot_count)
        grow_slots(dictionary);
}

/* `entry_size`: bytes of what a code leads to, at `entries`. */
static void fetch(const struct dictionary *dictionary, const uint32_t *hashes, size_t count,
                  const uint8_t *entries, size_t entry_size) {
    uint32_t mask = dictionary->slot_count - 1;
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(&dictionary->slots[hashes[i] & mask]);
    for (size_t i = 0; i < count; i++) {
        uint32_t code = dictionary->slots[hashes[i] & mask]; // one too high: near enough
        __builtin_prefetch(entries + code * entry_size);
    }
}

static uint32_t encode_text(struct dictionary *dictionary, struct text text, uint32_t hash) {
    uint32_t mask = dictionary->slot_count - 1, slot = hash & mask;
    const struct dictionary_place *places = (const void *)dictionary->places.at;
    for (int probes = 0; dictionary->slots[slot] != 0; slot = (slot + 1) & mask) {
        uint32_t code = dictionary->slots[slot] - 1;
        if (places[code].hash == hash && text_same(dictionary_text(dictionary, code), text))
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

static size_t encode_texts(struct dictionary *dictionary, const struct text *texts, size_t count,
                           uint32_t *codes) {
    uint32_t hashes[BLOCK];
    for (size_t i = 0; i < count; i++)
        hashes[i] = text_hash(texts[i]);
    make_room(dictionary, count);
    if (dictionary->count >= FETCH_COUNT_MIN)
        fetch(dictionary, hashes, count, dictionary->places.at, sizeof(struct dictionary_place));
    for (size_t i = 0; i < count; i++) {
        codes[i] = encode_text(dictionary, texts[i], hashes[i]);
        if (codes[i] == code_none)
            return i;
    }
    return count;
}

static inline uint32_t encode_word(struct dictionary *dictionary, uint64_t word, size_t width,
                                   uint32_t hash) {
    uint32_t mask = dictionary->slot_count - 1, slot = hash & mask;
    for (int probes = 0; dictionary->slots[slot] != 0; slot = (slot + 1) & mask) {
        uint32_t code = dictionary->slots[slot] - 1;
        if (load_value(dictionary, code, width) == word)
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

static inline __attribute__((always_inline)) size_t encode_words(struct dictionary *dictionary,
                                                                 const char *values, size_t width,
                                                                 size_t count, uint32_t *codes) {
    uint32_t hashes[BLOCK];
    uint64_t words[BLOCK];
    for (size_t i = 0; i < count; i++) {
        words[i] = width == 4 ? load_4(values + i * width) : load_8(values + i * width);
        hashes[i] = hash_word(words[i]);
    }
    make_room(dictionary, count);
    if (dictionary->count >= FETCH_COUNT_MIN)
        fetch(dictionary, hashes, count, dictionary->values.at, width);
    for (size_t i = 0; i < count; i++) {
        codes[i] = i > 0 && words[i] == words[i - 1]
                       ? codes[i - 1]
                       : encode_word(dictionary, words[i], width, hashes[i]);
        if (codes[i] == code_none)
            return i;
    }
    return count;
}

static size_t encode_block(struct dictionary *dictionary, const char *values, size_t width,
                           size_t count, uint32_t *codes) {
    if (is_text(dictionary->type))
        return encode_texts(dictionary, (const void *)values, count, codes);
    if (width == 4)
        return encode_words(dictionary, values, 4, count, codes);
    return encode_words(dictionary, values, 8, count, codes);
}

size_t dictionary_encode(struct dictionary *dictionary, const void *values, size_t count,
                         uint32_t *codes) {
    check(dictionary->type != TYPE_BOOL);
    size_t width = type_width(dictionary->type);
    for (size_t at = 0; at < count; at += BLOCK) {
        size_t part = count - at < BLOCK ? count - at : BLOCK;
        size_t coded =
            encode_block(dictionary, (const char *)values + at * width, width, part, codes + at);
        if (coded < part)
            return at + coded;
    }
    return count;
}
