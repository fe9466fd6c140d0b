/* words.h: many bytes at once. What is looked at must be followed by readable bytes; stops.h sees
 * to it. */
#ifndef PIPELINE_JSON_WORDS_H
#define PIPELINE_JSON_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#define JSON_HAS_X86 1
#define JSON_AVX2 __attribute__((target("avx2,bmi,popcnt")))
#endif

enum { JSON_PREFIX_MAX = 32 };

/* Up to JSON_PREFIX_MAX bytes to compare with. */
struct json_prefix {
    char bytes[JSON_PREFIX_MAX];
    uint32_t needed; // a bit for each byte that counts, the first one lowest
};

static inline void json_prefix_set(struct json_prefix *prefix, const char *bytes, size_t size) {
    memcpy(prefix->bytes, bytes, sizeof prefix->bytes);
    prefix->needed = (uint32_t)((UINT64_C(1) << size) - 1);
}

/* Without a loop or a branch, however long the prefix is. */
static inline bool json_has_prefix(const char *at, const struct json_prefix *prefix) {
#ifdef JSON_HAS_X86
    const __m128i *bytes = (const __m128i *)(const void *)at;
    const __m128i *wanted = (const __m128i *)(const void *)prefix->bytes;
    __m128i low = _mm_cmpeq_epi8(_mm_loadu_si128(bytes), _mm_loadu_si128(wanted));
    __m128i high = _mm_cmpeq_epi8(_mm_loadu_si128(bytes + 1), _mm_loadu_si128(wanted + 1));
    uint32_t same = (uint32_t)_mm_movemask_epi8(low) | (uint32_t)_mm_movemask_epi8(high)
                                                           << sizeof low;
    return (prefix->needed & ~same) == 0;
#else
    return memcmp(at, prefix->bytes, (size_t)__builtin_popcount(prefix->needed)) == 0;
#endif
}

/* Copies at least `size` bytes and at most 31 more. */
static inline void json_copy_loosely(char *to, const char *from, size_t size) {
    enum { STEP = 32 };
    memcpy(to, from, STEP);
    for (size_t done = STEP; done < size; done += STEP)
        memcpy(to + done, from + done, STEP);
}

#ifdef JSON_HAS_X86
/* The two once more, in half the instructions. */
JSON_AVX2 static inline bool json_has_prefix_avx2(const char *at,
                                                  const struct json_prefix *prefix) {
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)at);
    __m256i wanted = _mm256_loadu_si256((const __m256i *)(const void *)prefix->bytes);
    uint32_t same = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, wanted));
    return (prefix->needed & ~same) == 0;
}

JSON_AVX2 static inline void json_copy_loosely_avx2(char *to, const char *from, size_t size) {
    size_t done = 0;
    do {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(from + done));
        _mm256_storeu_si256((__m256i *)(void *)(to + done), bytes);
        done += sizeof bytes;
    } while (done < size);
}
#endif

#endif
