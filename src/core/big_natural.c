#include "core/big_natural.h"

#include <string.h>

#include "base/check.h"

enum { POWER_OF_5_MAX = 27, WORD_POWER_OF_5 = 13 }; // 5^27 < 2^64, 5^13 < 2^32

uint64_t power_of_5(int n) {
    check(n >= 0 && n <= POWER_OF_5_MAX);
    uint64_t power = 1;
    for (int i = 0; i < n; i++)
        power *= 5;
    return power;
}

void big_multiply(struct big_natural *big, uint32_t factor) {
    uint64_t carry = 0;
    for (int i = 0; i < big->count; i++) {
        carry += (uint64_t)big->words[i] * factor;
        big->words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0) {
        check(big->count < BIG_WORDS_MAX);
        big->words[big->count++] = (uint32_t)carry;
    }
}

static void shift_left(struct big_natural *big, int bits) {
    int words = bits / 32;
    check(big->count + words <= BIG_WORDS_MAX);
    memmove(big->words + words, big->words, (size_t)big->count * sizeof big->words[0]);
    memset(big->words, 0, (size_t)words * sizeof big->words[0]);
    big->count += words;
    if (bits % 32 != 0)
        big_multiply(big, UINT32_C(1) << bits % 32);
}

void big_set(struct big_natural *big, uint64_t factor, int power5, int power2) {
    big->words[0] = (uint32_t)factor;
    big->words[1] = (uint32_t)(factor >> 32);
    big->count = big->words[1] != 0 ? 2 : 1;
    for (; power5 > 0; power5 -= WORD_POWER_OF_5) {
        int step = power5 < WORD_POWER_OF_5 ? power5 : WORD_POWER_OF_5;
        big_multiply(big, (uint32_t)power_of_5(step));
    }
    shift_left(big, power2);
}

int big_compare(const struct big_natural *a, const struct big_natural *b) {
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (int i = a->count - 1; i >= 0; i--) {
        if (a->words[i] != b->words[i])
            return a->words[i] < b->words[i] ? -1 : 1;
    }
    return 0;
}

int big_compare_sum(const struct big_natural *a, const struct big_natural *b,
                    const struct big_natural *c) {
    struct big_natural sum = {0};
    uint64_t carry = 0;
    int count = a->count > b->count ? a->count : b->count;
    for (int i = 0; i < count; i++) {
        carry += i < a->count ? a->words[i] : 0;
        carry += i < b->count ? b->words[i] : 0;
        sum.words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0) {
        check(count < BIG_WORDS_MAX);
        sum.words[count++] = (uint32_t)carry;
    }
    sum.count = count;
    return big_compare(&sum, c);
}

static void subtract(struct big_natural *big, const struct big_natural *other) {
    int64_t borrow = 0;
    for (int i = 0; i < big->count; i++) {
        borrow += (int64_t)big->words[i] - (i < other->count ? other->words[i] : 0);
        big->words[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    while (big->count > 0 && big->words[big->count - 1] == 0)
        big->count--;
}

unsigned big_divide_small(struct big_natural *big, const struct big_natural *divisor) {
    unsigned quotient = 0;
    for (; big_compare(big, divisor) >= 0; quotient++)
        subtract(big, divisor);
    check(quotient < 10);
    return quotient;
}
