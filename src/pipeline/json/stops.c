/* A kernel makes a mask of each block of 64 bytes, one bit per stop, and writes the offsets of its
 * bits one behind the other. Each instruction set has its kernel, all find the same, and the best
 * one that the machine has is picked at start.
 *
 * The last block is filled up with zeros. They would be stops, and are cut from its mask. */
#include "pipeline/json/stops.h"

#include <string.h>

#include "base/check.h"
#include "pipeline/json/words.h"

/* The records of one fetch lie behind one another. Asking for bytes this far ahead, which is
 * harmless where there are none, took decoding from 295 to 280 ns a record. */
enum { PREFETCH_BYTES = 1536 };

/* Offsets of the bits of a block's mask. Most blocks have no more than EAGER stops: writing so many
 * at once, needed or not, is cheaper than a branch for each. */
static inline uint16_t *put_bits(uint16_t *at, uint64_t mask, size_t offset) {
    enum { EAGER = 12 };
    uint16_t *end = at + __builtin_popcountll(mask);
    for (int i = 0; i < EAGER; i++) {
        at[i] = (uint16_t)(offset + (unsigned)__builtin_ctzll(mask | UINT64_C(1) << 63));
        mask &= mask - 1;
    }
    for (at += EAGER; at < end; at++) {
        *at = (uint16_t)(offset + (unsigned)__builtin_ctzll(mask));
        mask &= mask - 1;
    }
    return end;
}

/* The bytes of the last block, with zeros behind them. */
struct last_block {
    char bytes[JSON_STOPS_BLOCK];
};

static inline struct last_block load_last(const char *bytes, size_t size) {
    struct last_block block = {0};
    memcpy(block.bytes, bytes, size);
    return block;
}

static inline uint64_t first_bits(size_t count) {
    return (UINT64_C(1) << count) - 1;
}

static uint64_t block_portable(const char *bytes, char *copy) {
    uint64_t mask = 0;
    for (unsigned i = 0; i < JSON_STOPS_BLOCK; i++) {
        signed char byte = (signed char)bytes[i]; // not ASCII: negative
        bool stops = byte == '"' || byte == '\\' || byte < ' ';
        mask |= (uint64_t)stops << i;
        copy[i] = bytes[i];
    }
    return mask;
}

/* A kernel from the function that looks at one block: it copies the block, too. */
#define WALK_BLOCKS(block_mask)                                                                    \
    uint16_t *next = at;                                                                           \
    size_t offset = 0;                                                                             \
    for (; size - offset >= JSON_STOPS_BLOCK; offset += JSON_STOPS_BLOCK) {                        \
        __builtin_prefetch(bytes + offset + PREFETCH_BYTES);                                       \
        next = put_bits(next, block_mask(bytes + offset, copy + offset), offset);                  \
    }                                                                                              \
    struct last_block last = load_last(bytes + offset, size - offset);                             \
    next =                                                                                         \
        put_bits(next, block_mask(last.bytes, copy + offset) & first_bits(size - offset), offset); \
    return (size_t)(next - at)

static size_t find_portable(const char *bytes, size_t size, char *copy, uint16_t *at) {
    WALK_BLOCKS(block_portable);
}

static bool always(void) {
    return true;
}

#ifdef JSON_HAS_X86
static inline unsigned mask_sse2(const char *bytes, char *copy) {
    __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    _mm_storeu_si128((__m128i *)(void *)copy, chunk);
    __m128i stops = _mm_or_si128(_mm_cmpeq_epi8(chunk, _mm_set1_epi8('"')),
                                 _mm_cmpeq_epi8(chunk, _mm_set1_epi8('\\')));
    return (unsigned)_mm_movemask_epi8(
        _mm_or_si128(stops, _mm_cmplt_epi8(chunk, _mm_set1_epi8(' '))));
}

static inline uint64_t block_sse2(const char *bytes, char *copy) {
    uint64_t mask = 0;
    for (unsigned i = 0; i < JSON_STOPS_BLOCK; i += sizeof(__m128i))
        mask |= (uint64_t)mask_sse2(bytes + i, copy + i) << i;
    return mask;
}

static size_t find_sse2(const char *bytes, size_t size, char *copy, uint16_t *at) {
    WALK_BLOCKS(block_sse2);
}

JSON_AVX2 static inline unsigned mask_avx2(const char *bytes, char *copy) {
    __m256i chunk = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
    _mm256_storeu_si256((__m256i *)(void *)copy, chunk);
    __m256i stops = _mm256_or_si256(_mm256_cmpeq_epi8(chunk, _mm256_set1_epi8('"')),
                                    _mm256_cmpeq_epi8(chunk, _mm256_set1_epi8('\\')));
    return (unsigned)_mm256_movemask_epi8(
        _mm256_or_si256(stops, _mm256_cmpgt_epi8(_mm256_set1_epi8(' '), chunk)));
}

JSON_AVX2 static inline uint64_t block_avx2(const char *bytes, char *copy) {
    uint64_t low = mask_avx2(bytes, copy);
    return low | (uint64_t)mask_avx2(bytes + sizeof(__m256i), copy + sizeof(__m256i)) << 32;
}

JSON_AVX2 static size_t find_avx2(const char *bytes, size_t size, char *copy, uint16_t *at) {
    WALK_BLOCKS(block_avx2);
}

static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("popcnt");
}

/* Packs the offsets of the stops together in one instruction. */
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vbmi,avx512vbmi2,popcnt")))

AVX512 static inline uint16_t *block_avx512(__m512i block, char *copy, uint16_t *at,
                                            uint64_t inside, size_t offset) {
    enum { QUARTER = JSON_STOPS_BLOCK / 4 };
    static const _Alignas(64) uint8_t numbers[JSON_STOPS_BLOCK] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    _mm512_storeu_si512(copy, block);
    uint64_t mask = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('"')) |
                    _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('\\')) |
                    _mm512_cmplt_epi8_mask(block, _mm512_set1_epi8(' '));
    mask &= inside;
    __m512i packed = _mm512_maskz_compress_epi8(mask, _mm512_load_si512(numbers));
    __m256i first = _mm256_cvtepu8_epi16(_mm512_castsi512_si128(packed));
    __m256i start = _mm256_set1_epi16((short)offset);
    _mm256_storeu_si256((__m256i *)(void *)at, _mm256_add_epi16(first, start));
    unsigned count = (unsigned)__builtin_popcountll(mask);
    if (__builtin_expect(count > QUARTER, 0)) { // a whole block's
        __m512i starts = _mm512_set1_epi16((short)offset);
        __m512i low = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(packed));
        __m512i high = _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(packed, 1));
        _mm512_storeu_si512(at, _mm512_add_epi16(low, starts));
        _mm512_storeu_si512(at + JSON_STOPS_BLOCK / 2, _mm512_add_epi16(high, starts));
    }
    return at + count;
}

AVX512 static size_t find_avx512(const char *bytes, size_t size, char *copy, uint16_t *at) {
    uint16_t *next = at;
    size_t offset = 0;
    for (; size - offset >= JSON_STOPS_BLOCK; offset += JSON_STOPS_BLOCK) {
        __builtin_prefetch(bytes + offset + PREFETCH_BYTES);
        next = block_avx512(_mm512_loadu_si512(bytes + offset), copy + offset, next, UINT64_MAX,
                            offset);
    }
    uint64_t inside = first_bits(size - offset);
    next = block_avx512(_mm512_maskz_loadu_epi8(inside, bytes + offset), copy + offset, next,
                        inside, offset);
    return (size_t)(next - at);
}

static bool has_avx512(void) {
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi") &&
           __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("popcnt");
}
#endif

const struct json_stops_kernel json_stops_kernels[] = {
#ifdef JSON_HAS_X86
    {"avx512", find_avx512, has_avx512},
    {"avx2", find_avx2, has_avx2},
    {"sse2", find_sse2, always}, // part of x86-64
#endif
    {"portable", find_portable, always},
};
const size_t json_stops_kernel_count = sizeof json_stops_kernels / sizeof json_stops_kernels[0];

void json_stops_init(struct json_stops *stops, bool fastest) {
    size_t best = fastest ? 0 : json_stops_kernel_count - 1;
    while (!json_stops_kernels[best].is_supported())
        best++;
    stops->find = json_stops_kernels[best].find;
    stops->size = stops->count = 0;
}

void json_stops_read(struct json_stops *stops, const char *bytes, size_t size) {
    check(size <= JSON_STOPS_RECORD_MAX);
    stops->size = size;
    stops->count = stops->find(bytes, size, stops->copy + JSON_STOPS_SLACK, stops->at);
    stops->at[stops->count] = stops->at[stops->count + 1] = (uint16_t)size;
}
