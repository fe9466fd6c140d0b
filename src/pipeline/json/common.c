#include "pipeline/json/common.h"

#include "core/double_text.h"
#include "pipeline/json/scan.h"

/* So many digits can't overflow an int64. */
enum { DIGITS_MAX = 18 };

const bool json_behind_value[256] = {
    [','] = true, ['}'] = true, [' '] = true, ['\n'] = true, ['\r'] = true, ['\t'] = true};

static const uint64_t powers_of_ten[] = {1,      10,      100,      1000,     10000,
                                         100000, 1000000, 10000000, 100000000};

/* At least one digit, at most DIGITS_MAX; NULL: none, or more. */
static const char *read_digits(const char *at, uint64_t *value) {
    const char *end = at;
    *value = 0;
    for (unsigned count = WORD_SIZE; count == WORD_SIZE && end - at <= DIGITS_MAX; end += count) {
        uint64_t digits = digits_load(end);
        count = digits_count(digits);
        if (count > 0)
            *value = *value * powers_of_ten[count] + digits_number(digits, count);
    }
    return end == at || end - at > DIGITS_MAX ? NULL : end;
}

/* The digits of a whole number: without a leading zero. */
static const char *read_whole(const char *at, uint64_t *value) {
    const char *behind = read_digits(at, value);
    return behind == NULL || (*at == '0' && behind - at > 1) ? NULL : behind;
}

const char *json_common_long(const char *at, int64_t *value) {
    bool negative = *at == '-';
    uint64_t magnitude;
    const char *behind = read_whole(at + negative, &magnitude);
    if (behind == NULL || !json_is_behind_value(*behind))
        return NULL;
    *value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return behind;
}

const char *json_common_double(const char *at, double *value) {
    bool negative = *at == '-';
    uint64_t whole;
    const char *point = read_whole(at + negative, &whole);
    if (point == NULL || *point != '.' || point - at > DIGITS_MAX - WORD_SIZE)
        return NULL;
    uint64_t digits = digits_load(point + 1);
    unsigned count = digits_count(digits);
    if (count == 0)
        return NULL;
    const char *behind = point + 1 + count;
    whole = whole * powers_of_ten[count] + digits_number(digits, count);
    if (!json_is_behind_value(*behind) || !double_compose(negative, whole, -(int64_t)count, value))
        return NULL;
    return behind;
}

const char *json_common_null(const char *at) {
    bool same = (uint32_t)word_load(at) == (uint32_t)word_load("null\0\0\0");
    return same && json_is_behind_value(at[4]) ? at + 4 : NULL;
}

const char *json_common_bool(const char *at, uint8_t *value) {
    bool is_true = (uint32_t)word_load(at) == (uint32_t)word_load("true\0\0\0");
    bool is_false = *at == 'f' && (uint32_t)word_load(at + 1) == (uint32_t)word_load("alse\0\0\0");
    const char *behind = at + (is_true ? 4 : 5);
    if (!(is_true || is_false) || !json_is_behind_value(*behind))
        return NULL;
    *value = is_true;
    return behind;
}
