#include "pipeline/json/number.h"

#include <math.h>
#include <string.h>

#include "core/double_text.h"

enum { INT64_DIGITS_SAFE = 18 }; // this many digits can't overflow

bool json_int64(struct json_raw number, int64_t *value) {
    const char *at = number.bytes, *end = at + number.size;
    bool negative = *at == '-';
    if (negative)
        at++;

    uint64_t magnitude = 0;
    if (end - at <= INT64_DIGITS_SAFE) {
        for (; at < end; at++)
            magnitude = magnitude * 10 + (uint64_t)(*at - '0');
    } else {
        uint64_t max = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
        for (; at < end; at++) {
            uint64_t digit = (uint64_t)(*at - '0');
            if (magnitude > (max - digit) / 10)
                return false;
            magnitude = magnitude * 10 + digit;
        }
    }
    *value = (int64_t)(negative ? -magnitude : magnitude);
    return true;
}

double json_double(enum json_token token, struct json_raw number) {
    double value = double_parse(number.bytes, number.size);
    return token == JSON_INTEGER && value == 0 ? 0.0 : value;
}

bool json_not_finite(struct json_raw word, double *value) {
    static const struct {
        const char *name;
        double value;
    } words[] = {
        {"NaN", (double)NAN},     {"Infinity", INFINITY}, {"+Infinity", INFINITY},
        {"-Infinity", -INFINITY}, {"+INF", INFINITY},     {"-INF", -INFINITY},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i].name) == word.size &&
            memcmp(words[i].name, word.bytes, word.size) == 0) {
            *value = words[i].value;
            return true;
        }
    }
    return false;
}
