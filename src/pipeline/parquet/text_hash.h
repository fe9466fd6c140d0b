/* text_hash.h: hashing and comparing short texts without a call, a word at a time.
 *
 * Words may overlap at the end of a text, and nothing is read outside of it. The hash is not
 * secret: an attacker can choose texts that collide, so callers must limit the length of a
 * search. */
#ifndef PARQUET_TEXT_HASH_H
#define PARQUET_TEXT_HASH_H

#include "base/text.h"

static const uint64_t hash_salt_1 = 0x9e3779b97f4a7c15u, hash_salt_2 = 0xe7037ed1a0b428dbu;

static inline uint64_t load_8(const char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint64_t load_4(const char *at) {
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Multiplying to 128 bits and folding, as wyhash does: every bit of both operands reaches every bit
 * of the result. */
static inline uint64_t hash_fold(uint64_t a, uint64_t b) {
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t text_hash(struct text text) {
    const char *at = text.bytes;
    size_t left = text.length;
    uint64_t hash = hash_salt_1 ^ left;
    for (; left > 16; at += 16, left -= 16)
        hash = hash_fold(load_8(at) ^ hash_salt_2, load_8(at + 8) ^ hash);
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
    return (uint32_t)hash_fold(a ^ hash_salt_2, b ^ hash);
}

/* memcmp() without the call: most texts are a few bytes long. Words that overlap cover the rest. */
static inline bool text_same(struct text a, struct text b) {
    const char *left = a.bytes, *right = b.bytes;
    size_t length = a.length;
    if (length != b.length)
        return false;
    if (length >= 8) {
        for (size_t i = 0; i + 8 < length; i += 8)
            if (load_8(left + i) != load_8(right + i))
                return false;
        return load_8(left + length - 8) == load_8(right + length - 8);
    }
    if (length >= 4)
        return load_4(left) == load_4(right) &&
               load_4(left + length - 4) == load_4(right + length - 4);
    for (size_t i = 0; i < length; i++)
        if (left[i] != right[i])
            return false;
    return true;
}

/* The first bytes of a text as a number in its order: where two differ, so do the texts. */
static inline uint64_t text_prefix(struct text text) {
    if (text.length >= 8)
        return __builtin_bswap64(load_8(text.bytes));
    uint64_t prefix = 0;
    for (size_t i = 0; i < 8; i++)
        prefix = prefix << 8 | (i < text.length ? (uint8_t)text.bytes[i] : 0);
    return prefix;
}

/* The same for processors that load up to 32 bytes under a mask (AVX-512BW, VL): no branch depends
 * on the length of a short text, and nothing outside of it is read. Texts of many lengths are
 * hashed and compared in less than half the time. */
#ifdef __x86_64__
#include <immintrin.h>

#define TEXT_MASKED __attribute__((target("avx512bw,avx512vl,bmi2")))
enum { MASKED_SIZE_MAX = 32 };

static inline bool text_masked_runs(void) {
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("bmi2");
}

static inline TEXT_MASKED __m256i load_masked(struct text text) {
    return _mm256_maskz_loadu_epi8(_bzhi_u32(UINT32_MAX, text.length), text.bytes);
}

static inline TEXT_MASKED uint32_t text_hash_masked(struct text text) {
    if (text.length > MASKED_SIZE_MAX)
        return text_hash(text);
    __m256i bytes = load_masked(text);
    __m128i low = _mm256_castsi256_si128(bytes), high = _mm256_extracti128_si256(bytes, 1);
    uint64_t a = (uint64_t)_mm_cvtsi128_si64(low), b = (uint64_t)_mm_extract_epi64(low, 1);
    uint64_t c = (uint64_t)_mm_cvtsi128_si64(high), d = (uint64_t)_mm_extract_epi64(high, 1);
    return (uint32_t)(hash_fold(a ^ hash_salt_1 ^ text.length, b ^ hash_salt_2) ^
                      hash_fold(c ^ hash_salt_2, d ^ hash_salt_1));
}

static inline TEXT_MASKED bool text_same_masked(struct text a, struct text b) {
    if (a.length != b.length || a.length > MASKED_SIZE_MAX)
        return text_same(a, b);
    return _mm256_cmpneq_epu8_mask(load_masked(a), load_masked(b)) == 0;
}
#else
static inline bool text_masked_runs(void) {
    return false;
}
#endif

#endif
