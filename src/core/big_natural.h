/* big_natural.h: whole numbers of up to 1536 bits, enough for the digits of any double. */
#ifndef CORE_BIG_NATURAL_H
#define CORE_BIG_NATURAL_H

#include <stdint.h>

enum { BIG_WORDS_MAX = 48 };

struct big_natural {
    int count;                     // words in use; the highest is not 0
    uint32_t words[BIG_WORDS_MAX]; // lowest first
};

/* factor * 5^power5 * 2^power2. */
void big_set(struct big_natural *big, uint64_t factor, int power5, int power2);

void big_multiply(struct big_natural *big, uint32_t factor);

/* big %= divisor, and the quotient, which must be less than 10. */
unsigned big_divide_small(struct big_natural *big, const struct big_natural *divisor);

/* Negative, 0, positive: a < b, a == b, a > b; and the same for a + b and c. */
int big_compare(const struct big_natural *a, const struct big_natural *b);
int big_compare_sum(const struct big_natural *a, const struct big_natural *b,
                    const struct big_natural *c);

/* 5^n for n <= 27. */
uint64_t power_of_5(int n);

#endif
