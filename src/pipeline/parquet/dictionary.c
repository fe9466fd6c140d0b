/* There are two forms. 32-bit integers begin with an array that is indexed by the value, as long
 * as they lie near one another. All other values, and integers that do not, are in a hash table
 * with linear probing, which is at most half full. Which form it is does not show in the codes.
 *
 * A search that takes more than PROBES_MAX steps ends the dictionary, so that values which
 * somebody chose to collide cost no more than that. */
#include "pipeline/parquet/dictionary.h"

#include <stdlib.h>

#include "base/check.h"
#include "pipeline/parquet/text_hash.h"

enum {
    SLOTS_FIRST = 16,
    PROBES_MAX = 256,
    TEXT_HEAD = sizeof(uint32_t),
    DIRECT_FIRST = 32,
    DIRECT_MAX = 8192, // 16 KiB: half of what a core has nearest
};

void dictionary_deinit(struct dictionary *dictionary) {
    free(dictionary->slots);
    free(dictionary->direct);
    bytes_deinit(&dictionary->values);
    bytes_deinit(&dictionary->places);
    *dictionary = (struct dictionary){.type = dictionary->type, .portable = dictionary->portable};
}

/* Bits of a product depend only on those below them in its operands, and doubles differ
 * in their upper bits: those are brought down first. */
static inline uint32_t hash_word(uint64_t word) {
    return (uint32_t)((word ^ word >> 32) * hash_salt_1 >> 32);
}

/* `width` is 4 or 8, and known where this is inlined. */
static inline uint64_t load_value(const struct dictionary *dictionary, uint32_t code,
                                  size_t width) {
    const char *at = (const char *)dictionary->values.at + code * width;
    return width == 4 ? load_4(at) : load_8(at);
}

static uint32_t hash_of_code(const struct dictionary *dictionary, uint32_t code) {
    if (type_is_text(dictionary->type))
        return ((const struct dictionary_place *)(const void *)dictionary->places.at)[code].hash;
    return hash_word(load_value(dictionary, code, type_width(dictionary->type)));
}

static const uint32_t code_none = UINT32_MAX; // the dictionary is full

/* Values are coded in blocks: first all hashes, then, when the dictionary is too large to be in
 * cache anyway, what they point at is fetched, then the codes are found. A table of many files has
 * dictionaries of several MB in sum; the fetches of a block wait for memory together instead of one
 * after the other. */
enum { BLOCK = 16, FETCH_COUNT_MIN = 1024 };

/* At most half of the slots are taken. */
static void make_room(struct dictionary *dictionary, size_t more) {
    size_t wanted = (dictionary->count + more) * 2;
    if (wanted <= dictionary->slot_count)
        return;
    uint32_t slot_count =
        dictionary->slot_count == 0 ? (uint32_t)SLOTS_FIRST : dictionary->slot_count;
    while (slot_count < wanted)
        slot_count *= 2;
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

static uint32_t add_text(struct dictionary *dictionary, struct text text, uint32_t hash,
                         uint32_t slot) {
    if (dictionary->values.size + TEXT_HEAD + text.length > DICTIONARY_SIZE_MAX)
        return code_none;
    struct dictionary_place place = {.at = (uint32_t)dictionary->values.size, .hash = hash};
    bytes_append(&dictionary->places, &place, sizeof place);
    bytes_append(&dictionary->values, &text.length, TEXT_HEAD);
    bytes_append(&dictionary->values, text.bytes, text.length);
    dictionary->slots[slot] = ++dictionary->count;
    return dictionary->count - 1;
}

/* How a text is hashed and compared; a constant where encode_texts() is inlined. Which one it is
 * does not show in the codes. */
struct text_kernel {
    uint32_t (*hash)(struct text text);
    bool (*same)(struct text a, struct text b);
};

static inline __attribute__((always_inline)) uint32_t
encode_text(struct dictionary *dictionary, struct text text, uint32_t hash,
            const struct text_kernel *kernel) {
    uint32_t mask = dictionary->slot_count - 1, slot = hash & mask;
    const struct dictionary_place *places = (const void *)dictionary->places.at;
    for (int probes = 0; dictionary->slots[slot] != 0; slot = (slot + 1) & mask) {
        uint32_t code = dictionary->slots[slot] - 1;
        if (places[code].hash == hash && kernel->same(dictionary_text(dictionary, code), text))
            return code;
        if (++probes == PROBES_MAX)
            return code_none;
    }
    return add_text(dictionary, text, hash, slot);
}

static inline __attribute__((always_inline)) size_t encode_texts(struct dictionary *dictionary,
                                                                 const struct text *texts,
                                                                 size_t count, uint32_t *codes,
                                                                 const struct text_kernel *kernel) {
    uint32_t hashes[BLOCK];
    for (size_t i = 0; i < count; i++)
        hashes[i] = kernel->hash(texts[i]);
    make_room(dictionary, count);
    if (dictionary->count >= FETCH_COUNT_MIN)
        fetch(dictionary, hashes, count, dictionary->places.at, sizeof(struct dictionary_place));
    for (size_t i = 0; i < count; i++) {
        codes[i] = encode_text(dictionary, texts[i], hashes[i], kernel);
        if (codes[i] == code_none)
            return i;
    }
    return count;
}

static inline __attribute__((always_inline)) size_t
encode_all_texts(struct dictionary *dictionary, const struct text *texts, size_t count,
                 uint32_t *codes, const struct text_kernel *kernel) {
    for (size_t at = 0; at < count; at += BLOCK) {
        size_t part = count - at < BLOCK ? count - at : BLOCK;
        // The next block's bytes are on their way while this one is looked up.
        for (size_t i = at + BLOCK; i < at + 2 * (size_t)BLOCK && i < count; i++)
            __builtin_prefetch(texts[i].bytes);
        size_t coded = encode_texts(dictionary, texts + at, part, codes + at, kernel);
        if (coded < part)
            return at + coded;
    }
    return count;
}

static size_t encode_texts_anywhere(struct dictionary *dictionary, const struct text *texts,
                                    size_t count, uint32_t *codes) {
    static const struct text_kernel kernel = {text_hash, text_same};
    return encode_all_texts(dictionary, texts, count, codes, &kernel);
}

#ifdef TEXT_MASKED
static TEXT_MASKED size_t encode_texts_masked(struct dictionary *dictionary,
                                              const struct text *texts, size_t count,
                                              uint32_t *codes) {
    static const struct text_kernel kernel = {text_hash_masked, text_same_masked};
    return encode_all_texts(dictionary, texts, count, codes, &kernel);
}
#else
#define encode_texts_masked encode_texts_anywhere
#endif

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

static inline uint64_t word_at(const char *values, size_t width, size_t index) {
    return width == 4 ? load_4(values + index * width) : load_8(values + index * width);
}

static inline __attribute__((always_inline)) size_t encode_words(struct dictionary *dictionary,
                                                                 const char *values, size_t width,
                                                                 size_t count, uint32_t *codes) {
    make_room(dictionary, count);
    if (dictionary->count >= FETCH_COUNT_MIN) {
        uint32_t hashes[BLOCK];
        for (size_t i = 0; i < count; i++)
            hashes[i] = hash_word(word_at(values, width, i));
        fetch(dictionary, hashes, count, dictionary->values.at, width);
    }
    uint64_t last = ~word_at(values, width, 0);
    for (size_t i = 0; i < count; i++) {
        uint64_t word = word_at(values, width, i);
        codes[i] =
            word == last ? codes[i - 1] : encode_word(dictionary, word, width, hash_word(word));
        if (codes[i] == code_none)
            return i;
        last = word;
    }
    return count;
}

static inline __attribute__((always_inline)) size_t encode_all_words(struct dictionary *dictionary,
                                                                     const char *values,
                                                                     size_t width, size_t count,
                                                                     uint32_t *codes) {
    for (size_t at = 0; at < count; at += BLOCK) {
        size_t part = count - at < BLOCK ? count - at : BLOCK;
        size_t coded = encode_words(dictionary, values + at * width, width, part, codes + at);
        if (coded < part)
            return at + coded;
    }
    return count;
}

/* Integers of a small range need no hash: their codes are in an array. False: they are too far
 * apart for that. */
static bool widen_direct(struct dictionary *dictionary, int32_t value) {
    int64_t first = value, last = value;
    if (dictionary->direct_count > 0) {
        int64_t before = dictionary->direct_first;
        first = before < first ? before : first;
        before += dictionary->direct_count - 1;
        last = before > last ? before : last;
    }
    if (last - first >= DIRECT_MAX)
        return false;
    uint32_t count = DIRECT_FIRST;
    while (count <= last - first)
        count *= 2;
    if (dictionary->direct_count > 0 && first < dictionary->direct_first)
        first = last - count + 1; // room where the values go
    first = first < INT32_MIN ? INT32_MIN : first;

    free(dictionary->direct);
    dictionary->direct = must_alloc(count, sizeof *dictionary->direct);
    dictionary->direct_first = (int32_t)first;
    dictionary->direct_count = count;
    for (uint32_t code = 0; code < dictionary->count; code++) {
        uint32_t known = (uint32_t)load_value(dictionary, code, sizeof value);
        dictionary->direct[known - (uint32_t)first] = (uint16_t)(code + 1);
    }
    return true;
}

/* Code + 1 of a value that has none yet. 0: they lie too far from one another. */
static uint16_t add_direct(struct dictionary *dictionary, int32_t value) {
    uint32_t at = (uint32_t)value - (uint32_t)dictionary->direct_first;
    if (at >= dictionary->direct_count) {
        if (!widen_direct(dictionary, value))
            return 0;
        at = (uint32_t)value - (uint32_t)dictionary->direct_first;
    }
    bytes_append(&dictionary->values, &value, sizeof value);
    dictionary->direct[at] = (uint16_t)++dictionary->count;
    return dictionary->direct[at];
}

/* Returns how many were coded: all, or those before the first that lies too far away. */
static size_t encode_direct(struct dictionary *dictionary, const int32_t *values, size_t count,
                            uint32_t *codes) {
    uint32_t first = (uint32_t)dictionary->direct_first, direct_count = dictionary->direct_count;
    const uint16_t *direct = dictionary->direct;
    for (size_t i = 0; i < count; i++) {
        uint32_t at = (uint32_t)values[i] - first;
        uint16_t code = at < direct_count ? direct[at] : 0;
        if (code == 0) {
            code = add_direct(dictionary, values[i]);
            if (code == 0)
                return i;
            first = (uint32_t)dictionary->direct_first;
            direct_count = dictionary->direct_count;
            direct = dictionary->direct;
        }
        codes[i] = code - 1u;
    }
    return count;
}

static size_t encode_int32s(struct dictionary *dictionary, const int32_t *values, size_t count,
                            uint32_t *codes) {
    size_t coded = 0;
    if (!dictionary->scattered) {
        coded = encode_direct(dictionary, values, count, codes);
        if (coded == count)
            return count;
        dictionary->scattered = true;
        free(dictionary->direct);
        dictionary->direct = NULL;
        dictionary->direct_count = 0;
    }
    return coded + encode_all_words(dictionary, (const char *)(values + coded), sizeof *values,
                                    count - coded, codes + coded);
}

size_t dictionary_encode(struct dictionary *dictionary, const void *values, size_t count,
                         uint32_t *codes) {
    check(dictionary_takes(dictionary->type));
    if (dictionary->type == TYPE_INT32)
        return encode_int32s(dictionary, values, count, codes);
    if (type_width(dictionary->type) == sizeof(uint32_t))
        return encode_all_words(dictionary, values, sizeof(uint32_t), count, codes);
    if (!type_is_text(dictionary->type))
        return encode_all_words(dictionary, values, sizeof(uint64_t), count, codes);
    return !dictionary->portable && text_masked_runs()
               ? encode_texts_masked(dictionary, values, count, codes)
               : encode_texts_anywhere(dictionary, values, count, codes);
}
