/* digits.h: eight bytes at once, for digits in text. The first byte of a word is its lowest. */
#ifndef BASE_DIGITS_H
#define BASE_DIGITS_H

#include <stdint.h>
#include <string.h>

enum { WORD_SIZE = sizeof(uint64_t) };

static inline uint64_t word_load(const char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* Each digit of the word as its value, everything else as 10 or more. */
static inline uint64_t digits_load(const char *at) {
    return word_load(at) ^ UINT64_C(0x3030303030303030);
}

/* The number of digits before the first byte that is not a digit. */
static inline unsigned digits_count(uint64_t digits) {
    // A byte of 10 or more gets its highest bit; a carry only spoils bytes behind such a one.
    uint64_t others =
        ((digits + UINT64_C(0x7676767676767676)) | digits) & UINT64_C(0x8080808080808080);
    return others == 0 ? WORD_SIZE : (unsigned)__builtin_ctzll(others) / 8;
}

/* The number that the first `count` digits make, 1 to 8: neighbours are put together to two, four
 * and eight places in three multiplications. */
static inline uint32_t digits_number(uint64_t digits, unsigned count) {
    digits <<= 64 - 8 * count; // leading zeros
    digits = digits * 10 + (digits >> 8);
    uint64_t low = (digits & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x000F424000000064);
    uint64_t high = (digits >> 16 & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x0000271000000001);
    return (uint32_t)((low + high) >> 32);
}

#endif
