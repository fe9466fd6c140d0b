/* common.h: values in the form that nearly all have, read in one go.
 *
 * Numbers without exponent, true, false, null. Readable bytes must follow, as stops.h makes them,
 * and the record must end in a byte that is part of no value. Each returns the byte behind the
 * value, or NULL: another form, and *value is as it was. Where these say yes, column.h would have
 * set the same value and stood behind the same byte. */
#ifndef PIPELINE_JSON_COMMON_H
#define PIPELINE_JSON_COMMON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digits.h"

/* Whether a byte may stand behind a number or a word. */
extern const bool json_behind_value[256];

static inline bool json_is_behind_value(char byte) {
    return json_behind_value[(unsigned char)byte];
}

/* Any size up to 18 digits. */
const char *json_common_long(const char *at, int64_t *value);

/* Most integers have a few digits and no sign: at most eight bytes, read at once. */
static inline const char *json_common_int64(const char *at, int64_t *value) {
    uint64_t digits = digits_load(at);
    unsigned count = digits_count(digits);
    bool has_leading_zero = (digits & 0xFF) == 0 && count > 1;
    if (count == 0 || count == WORD_SIZE || has_leading_zero || !json_is_behind_value(at[count]))
        return json_common_long(at, value);
    *value = digits_number(digits, count);
    return at + count;
}

static inline const char *json_common_int32(const char *at, int32_t *value) {
    int64_t wide;
    const char *behind = json_common_int64(at, &wide);
    if (behind == NULL || wide != (int32_t)wide)
        return NULL;
    *value = (int32_t)wide;
    return behind;
}

const char *json_common_double(const char *at, double *value);
const char *json_common_bool(const char *at, uint8_t *value);
const char *json_common_null(const char *at);

#endif
