/* Reads and writes random numbers, and compares each with strtod().
 *
 * usage: random_numbers COUNT [SEED]
 *
 * Of each double that is drawn: its text as Java writes it, as printf() writes it with 17 digits
 * and with fewer, with more digits than it has, and the number half-way to its neighbour, where a
 * wrong rounding shows. Floats likewise. */
#include <inttypes.h>

#include "numbers.h"

static uint64_t state;

/* splitmix64 */
static uint64_t draw(void) {
    uint64_t z = state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* Any bits; or a number of few digits; or one whose digits and exponent are drawn. */
static double draw_double(uint64_t kind) {
    uint64_t bits = draw();
    double value;
    switch (kind) {
    case 0:
        return (double)(int64_t)(bits % 2000000) / 100 - 10000;
    case 1:
        return (double)(bits >> 11) * 0x1p-53;
    case 2:
        return (double)bits;
    default:
        memcpy(&value, &bits, sizeof value);
        return value;
    }
}

static void check_printed(const char *format, int digits, double value) {
    char text[64];
    int size = snprintf(text, sizeof text, format, digits, value);
    check(size > 0 && (size_t)size < sizeof text);
    numbers_check_text(text, (size_t)size);
}

/* Exactly between two doubles, and a digit more than that: 770 digits at most. */
static void check_half_way(double value) {
    static char text[DOUBLE_PARSE_MAX + 1];
    double next = nextafter(value, INFINITY);
    if (!isfinite(next) || fabs(value) > 1e15 || fabs(value) < 1e-15)
        return;
    long double middle = ((long double)value + (long double)next) / 2; // has a bit to spare
    int size = snprintf(text, sizeof text, "%.80Lf", middle);
    check(size > 0 && (size_t)size < sizeof text - 1);
    numbers_check_text(text, (size_t)size);
    text[size] = '1';
    text[size + 1] = '\0';
    numbers_check_text(text, (size_t)size + 1);
}

/* Digits and an exponent that nobody rounded. */
static void check_digits(void) {
    char text[64];
    uint64_t digits = draw() >> draw() % 64;
    int size = snprintf(text, sizeof text, "%" PRIu64 "e%d", digits, (int)(draw() % 700) - 360);
    numbers_check_text(text, (size_t)size);
    size = snprintf(text, sizeof text, "-0.%" PRIu64 "E+%d", digits, (int)(draw() % 40));
    numbers_check_text(text, (size_t)size);
}

int main(int argc, char **argv) {
    check(argc == 2 || argc == 3);
    uint64_t count = strtoull(argv[1], NULL, 10);
    state = argc == 3 ? strtoull(argv[2], NULL, 10) : 1;
    check(count > 0);
    for (uint64_t i = 0; i < count; i++) {
        double value = draw_double(i % 8);
        float small;
        uint32_t bits = (uint32_t)draw();
        memcpy(&small, &bits, sizeof small);
        numbers_check_double(value);
        numbers_check_float(small);
        if (!isfinite(value))
            continue;
        check_printed("%.*e", 16, value);
        check_printed("%.*e", (int)(draw() % 25), value);
        if (i % 4 == 0)
            check_half_way(value);
        check_digits();
    }
    printf("%" PRIu64 " doubles and floats: every text is read as strtod() reads it\n", count);
    return 0;
}
