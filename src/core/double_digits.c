/* The method, after Steele and White: the value is B / S * 10^exponent with 1 <= B / S < 10, and M
 * is half the distance to the neighbouring doubles on the same scale. Digits are the quotients of B
 * by S, until what remains is within M of a boundary. B, S and M are kept as powers of 2 and of 5.
 */
#include "core/double_digits.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"

enum { FRACTION_BITS = 52, EXPONENT_BIAS = 1023 };

/* A whole number of up to 1536 bits: enough for the digits of any double. */
enum { BIG_WORDS_MAX = 48 };

struct big_natural {
    int count;                     // words in use; the highest is not 0
    uint32_t words[BIG_WORDS_MAX]; // lowest first
};

enum { POWER_OF_5_MAX = 27, WORD_POWER_OF_5 = 13 }; // 5^27 < 2^64, 5^13 < 2^32

/* 5^n for n <= 27. */
static uint64_t power_of_5(int n) {
    check(n >= 0 && n <= POWER_OF_5_MAX);
    uint64_t power = 1;
    for (int i = 0; i < n; i++)
        power *= 5;
    return power;
}

static void big_multiply(struct big_natural *big, uint32_t factor) {
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

/* factor * 5^power5 * 2^power2. */
static void big_set(struct big_natural *big, uint64_t factor, int power5, int power2) {
    big->words[0] = (uint32_t)factor;
    big->words[1] = (uint32_t)(factor >> 32);
    big->count = big->words[1] != 0 ? 2 : 1;
    for (; power5 > 0; power5 -= WORD_POWER_OF_5) {
        int step = power5 < WORD_POWER_OF_5 ? power5 : WORD_POWER_OF_5;
        big_multiply(big, (uint32_t)power_of_5(step));
    }
    shift_left(big, power2);
}

/* Negative, 0, positive: a < b, a == b, a > b. */
static int big_compare(const struct big_natural *a, const struct big_natural *b) {
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (int i = a->count - 1; i >= 0; i--) {
        if (a->words[i] != b->words[i])
            return a->words[i] < b->words[i] ? -1 : 1;
    }
    return 0;
}

/* The same for a + b and c. */
static int big_compare_sum(const struct big_natural *a, const struct big_natural *b,
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

/* big %= divisor, and the quotient, which must be less than 10. */
static unsigned big_divide_small(struct big_natural *big, const struct big_natural *divisor) {
    unsigned quotient = 0;
    for (; big_compare(big, divisor) >= 0; quotient++)
        subtract(big, divisor);
    check(quotient < 10);
    return quotient;
}

/* A double taken apart: fraction * 2^(exponent - 52), with bit 52 of the fraction set. */
struct parts {
    uint64_t fraction;
    int exponent;
    int significant_bits; // fewer than 53 below the smallest normal number
    int fraction_bits;    // without the trailing zeros
    int trailing_zeros;
};

/* The powers that B, S and M are made of; B also has the fraction as a factor. */
struct scale {
    int decimal_exponent;
    int b2, b5, s2, s5, m2, m5;
};

static struct parts take_apart(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);

    struct parts parts = {.fraction = bits & ((UINT64_C(1) << FRACTION_BITS) - 1)};
    int exponent = (int)(bits >> FRACTION_BITS & 0x7FF);
    if (exponent == 0) {
        int leading_zeros = __builtin_clzll(parts.fraction);
        int shift = leading_zeros - (63 - FRACTION_BITS);
        parts.fraction <<= shift;
        exponent = 1 - shift;
        parts.significant_bits = 64 - leading_zeros;
    } else {
        parts.fraction |= UINT64_C(1) << FRACTION_BITS;
        parts.significant_bits = FRACTION_BITS + 1;
    }
    parts.exponent = exponent - EXPONENT_BIAS;
    parts.trailing_zeros = __builtin_ctzll(parts.fraction);
    parts.fraction_bits = FRACTION_BITS + 1 - parts.trailing_zeros;
    return parts;
}

/* A whole number below 2^63. From 2^54 on, digits below the precision are rounded away first. */
static void develop_whole(struct parts parts, struct double_digits *out) {
    // Decimal digits that do not matter for 2^n; from 2^62 on the general way is taken.
    static const int insignificant[] = {0, 0, 0, 0, 1, 1, 1, 2, 2,  2,  3,  3,  3,
                                        3, 4, 4, 4, 5, 5, 5, 6, 6,  6,  6,  7,  7,
                                        7, 8, 8, 8, 9, 9, 9, 9, 10, 10, 10, 11, 11};
    uint64_t whole = parts.exponent >= FRACTION_BITS
                         ? parts.fraction << (parts.exponent - FRACTION_BITS)
                         : parts.fraction >> (FRACTION_BITS - parts.exponent);
    int dropped = parts.exponent > parts.significant_bits
                      ? insignificant[parts.exponent - parts.significant_bits - 1]
                      : 0;
    uint64_t power = power_of_5(dropped) << dropped;
    bool round_up = dropped > 0 && whole % power >= power / 2;
    whole = whole / power + (round_up ? 1 : 0);

    int zeros = dropped;
    for (; whole % 10 == 0; whole /= 10)
        zeros++;
    char reversed[DOUBLE_DIGITS_MAX];
    int count = 0;
    for (; whole != 0; whole /= 10)
        reversed[count++] = (char)('0' + whole % 10);
    for (int i = 0; i < count; i++)
        out->digits[i] = reversed[count - 1 - i];
    out->count = count;
    out->exponent = count + zeros;
}

/* floor(log10(value)), perhaps one too high: the tangent of the logarithm at 1.5. */
static int estimate_decimal_exponent(struct parts parts) {
    uint64_t one = ((uint64_t)EXPONENT_BIAS << FRACTION_BITS) |
                   (parts.fraction & ((UINT64_C(1) << FRACTION_BITS) - 1));
    double mantissa;
    memcpy(&mantissa, &one, sizeof mantissa);
    // Java's constants, to the digit: another estimate would give other digits.
    return (int)floor((mantissa - 1.5) * 0.289529654 + 0.176091259 +
                      (double)parts.exponent * 0.301029995663981);
}

static int larger(int a, int b) {
    return a > b ? a : b;
}

static struct scale scale_of(struct parts parts) {
    int tiny_bits = larger(0, parts.fraction_bits - parts.exponent - 1);
    struct scale scale = {.decimal_exponent = estimate_decimal_exponent(parts)};
    scale.b5 = larger(0, -scale.decimal_exponent);
    scale.b2 = scale.b5 + tiny_bits + parts.exponent;
    scale.s5 = larger(0, scale.decimal_exponent);
    scale.s2 = scale.s5 + tiny_bits;
    scale.m5 = scale.b5;
    scale.m2 = scale.b2 - parts.significant_bits;

    scale.b2 -= parts.fraction_bits - 1;
    int common = scale.b2 < scale.s2 ? scale.b2 : scale.s2;
    scale.b2 -= common;
    scale.s2 -= common;
    scale.m2 -= common;
    if (parts.fraction_bits == 1)
        scale.m2 -= 1; // a power of two's lower neighbour is only half as far away
    if (scale.m2 < 0) {
        scale.b2 -= scale.m2;
        scale.s2 -= scale.m2;
        scale.m2 = 0;
    }
    return scale;
}

static void round_up(struct double_digits *out) {
    int i = out->count - 1;
    for (; i > 0 && out->digits[i] == '9'; i--)
        out->digits[i] = '0';
    if (out->digits[i] == '9') {
        out->digits[i] = '1';
        out->exponent++;
        return;
    }
    out->digits[i]++;
}

/* `remainder_cmp`: how twice the remainder compares to 10 S; only read when both are true. */
static void finish(struct double_digits *out, bool low, bool high, int remainder_cmp) {
    if (!high)
        return;
    bool last_is_odd = ((out->digits[out->count - 1] - '0') & 1) != 0;
    if (!low || remainder_cmp > 0 || (remainder_cmp == 0 && last_is_odd))
        round_up(out);
}

/* Java writes two digits where the text will have an exponent. */
static bool is_written_with_exponent(int decimal_exponent) {
    return decimal_exponent < -3 || decimal_exponent >= 8;
}

/* B, S and 10 S fit in 63 bits, their sums and doubles may not: Java's arithmetic wraps, and so it
 * is done without sign here. Note `>` where the long way has `>=`: Java's, too. */
static void develop_short(struct parts parts, struct scale scale, struct double_digits *out) {
    uint64_t b = ((parts.fraction >> parts.trailing_zeros) * power_of_5(scale.b5)) << scale.b2;
    uint64_t s = power_of_5(scale.s5) << scale.s2;
    uint64_t m = power_of_5(scale.m5) << scale.m2;
    uint64_t tens = s * 10;
    bool low = false, high = false;
    bool first = true;

    while (first || (!low && !high)) {
        uint64_t digit = b / s;
        b = 10 * (b % s);
        m *= 10;
        bool wrapped = (int64_t)m <= 0; // it is then beyond b for certain
        low = wrapped || b < m;
        high = wrapped || (int64_t)(b + m) > (int64_t)tens;
        if (first && digit == 0 && !high)
            scale.decimal_exponent--; // the estimate was one too high
        else
            out->digits[out->count++] = (char)('0' + digit);
        if (first && is_written_with_exponent(scale.decimal_exponent))
            low = high = false;
        first = false;
    }
    out->exponent = scale.decimal_exponent + 1;
    int64_t difference = (int64_t)(2 * b - tens);
    finish(out, low, high, (difference > 0) - (difference < 0));
}

static void develop_long(struct parts parts, struct scale scale, struct double_digits *out) {
    struct big_natural b, s, m, tens;
    big_set(&b, parts.fraction >> parts.trailing_zeros, scale.b5, scale.b2);
    big_set(&s, 1, scale.s5, scale.s2);
    big_set(&m, 1, scale.m5 + 1, scale.m2 + 1);
    big_set(&tens, 1, scale.s5 + 1, scale.s2 + 1);
    bool low = false, high = false;
    bool first = true;

    while (first || (!low && !high)) {
        unsigned digit = big_divide_small(&b, &s);
        big_multiply(&b, 10);
        if (!first)
            big_multiply(&m, 10);
        low = big_compare(&b, &m) < 0;
        high = big_compare_sum(&b, &m, &tens) >= 0;
        if (first && digit == 0 && !high)
            scale.decimal_exponent--;
        else
            out->digits[out->count++] = (char)('0' + digit);
        if (first && is_written_with_exponent(scale.decimal_exponent))
            low = high = false;
        first = false;
    }
    out->exponent = scale.decimal_exponent + 1;
    big_multiply(&b, 2);
    finish(out, low, high, big_compare(&b, &tens));
}

/* Bits of 5^n, generously beyond the table. */
static int power_of_5_bits(int n) {
    static const int bits[] = {0,  3,  5,  7,  10, 12, 14, 17, 19, 21, 24, 26, 28, 31,
                               33, 35, 38, 40, 42, 45, 47, 49, 52, 54, 56, 59, 61};
    return n < (int)(sizeof bits / sizeof bits[0]) ? bits[n] : 3 * n;
}

static void develop(struct parts parts, struct double_digits *out) {
    out->count = 0;
    if (parts.fraction_bits - parts.exponent - 1 <= 0 && parts.exponent <= 62) {
        develop_whole(parts, out);
        return;
    }

    struct scale scale = scale_of(parts);
    int b_bits = parts.fraction_bits + scale.b2 + power_of_5_bits(scale.b5);
    int tens_bits = scale.s2 + 1 + power_of_5_bits(scale.s5 + 1);
    if (b_bits < 64 && tens_bits < 64)
        develop_short(parts, scale, out);
    else
        develop_long(parts, scale, out);
}

void double_digits(double value, struct double_digits *out) {
    check(isfinite(value) && value > 0);
    develop(take_apart(value), out);
}

void float_digits(float value, struct double_digits *out) {
    enum { FLOAT_BITS = 24, FLOAT_EXPONENT_MIN = -126 };
    check(isfinite(value) && value > 0);
    struct parts parts = take_apart((double)value);
    parts.significant_bits = FLOAT_BITS;
    if (parts.exponent < FLOAT_EXPONENT_MIN)
        parts.significant_bits -= FLOAT_EXPONENT_MIN - parts.exponent;
    develop(parts, out);
}
