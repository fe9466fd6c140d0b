/* bounds.c: the least and the greatest value of a page, a chunk, or several of them.
 *
 * Bounds are kept as the bytes that go into the file, and read back to be compared. BOUNDS_UNKNOWN
 * spreads: a chunk with one such page is unknown as a whole.
 *
 * What must stay true: every value is within its bounds, because readers skip pages and row groups
 * by them. In doubt there are none. */
#include "pipeline/parquet/bounds.h"

#include <math.h>

#include "base/check.h"
#include "base/utf8.h"
#include "pipeline/parquet/text_hash.h"

static void set_bound(struct bound *bound, const void *value, size_t size) {
    *bound = (struct bound){.size = (uint8_t)size, .exact = true};
    if (size > 0)
        memcpy(bound->bytes, value, size);
}

static void bounds_of_booleans(struct bounds *bounds, const uint8_t *values, size_t count) {
    uint8_t min = 1, max = 0;
    for (size_t i = 0; i < count; i++) {
        min &= values[i];
        max |= values[i];
    }
    set_bound(&bounds->min, &min, sizeof min);
    set_bound(&bounds->max, &max, sizeof max);
}

static void bounds_of_int32s(struct bounds *bounds, const int32_t *values, size_t count) {
    int32_t min = values[0], max = values[0];
    for (size_t i = 1; i < count; i++) {
        min = values[i] < min ? values[i] : min;
        max = values[i] > max ? values[i] : max;
    }
    set_bound(&bounds->min, &min, sizeof min);
    set_bound(&bounds->max, &max, sizeof max);
}

static void bounds_of_int64s(struct bounds *bounds, const int64_t *values, size_t count) {
    int64_t min = values[0], max = values[0];
    for (size_t i = 1; i < count; i++) {
        min = values[i] < min ? values[i] : min;
        max = values[i] > max ? values[i] : max;
    }
    set_bound(&bounds->min, &min, sizeof min);
    set_bound(&bounds->max, &max, sizeof max);
}

static void bounds_of_doubles(struct bounds *bounds, const double *values, size_t count) {
    double min = INFINITY, max = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        if (isnan(values[i])) {
            bounds->state = BOUNDS_UNKNOWN;
            return;
        }
        min = values[i] < min ? values[i] : min;
        max = values[i] > max ? values[i] : max;
    }
    // 0.0 == -0.0 here, but a reader may order them: bounds cover both, as the format asks.
    if (min == 0)
        min = -0.0;
    if (max == 0)
        max = 0.0;
    set_bound(&bounds->min, &min, sizeof min);
    set_bound(&bounds->max, &max, sizeof max);
}

static void bounds_of_floats(struct bounds *bounds, const float *values, size_t count) {
    float min = INFINITY, max = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        if (isnan(values[i])) {
            bounds->state = BOUNDS_UNKNOWN;
            return;
        }
        min = values[i] < min ? values[i] : min;
        max = values[i] > max ? values[i] : max;
    }
    if (min == 0)
        min = -0.0F;
    if (max == 0)
        max = 0.0F;
    set_bound(&bounds->min, &min, sizeof min);
    set_bound(&bounds->max, &max, sizeof max);
}

static void set_decimal(struct bound *bound, int128_t value) {
    uint8_t bytes[sizeof value];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(value >> (8 * (sizeof bytes - 1 - i)));
    set_bound(bound, bytes, sizeof bytes);
}

static void bounds_of_decimals(struct bounds *bounds, const int128_t *values, size_t count) {
    int128_t min = values[0], max = values[0];
    for (size_t i = 1; i < count; i++) {
        min = values[i] < min ? values[i] : min;
        max = values[i] > max ? values[i] : max;
    }
    set_decimal(&bounds->min, min);
    set_decimal(&bounds->max, max);
}

static void shorten(struct bound *bound, size_t size) {
    memmove(bound->bytes, bound->bytes + bound->size - size, size);
    bound->size = (uint8_t)size;
}

void bounds_shorten(struct bounds *bounds, size_t size) {
    if (bounds->state != BOUNDS_KNOWN)
        return;
    shorten(&bounds->min, size);
    shorten(&bounds->max, size);
}

void bounds_of_values(struct bounds *bounds, enum type type, const void *values, size_t count) {
    bounds->state = count == 0 ? BOUNDS_EMPTY : BOUNDS_KNOWN;
    if (count == 0)
        return;
    switch (type) {
    case TYPE_BOOL:
        bounds_of_booleans(bounds, values, count);
        return;
    case TYPE_INT32:
        bounds_of_int32s(bounds, values, count);
        return;
    case TYPE_INT64:
    case TYPE_TIMESTAMP:
        bounds_of_int64s(bounds, values, count);
        return;
    case TYPE_DOUBLE:
        bounds_of_doubles(bounds, values, count);
        return;
    case TYPE_FLOAT:
        bounds_of_floats(bounds, values, count);
        return;
    case TYPE_DECIMAL:
        bounds_of_decimals(bounds, values, count);
        return;
    default:
        check(false); // texts have bounds_of_texts()
    }
}

int text_compare(struct text a, struct text b) {
    size_t common = a.length < b.length ? a.length : b.length;
    int order = common == 0 ? 0 : memcmp(a.bytes, b.bytes, common);
    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

static bool is_continuation(char byte) {
    return ((uint8_t)byte & 0xc0) == 0x80;
}

/* The longest prefix within the limit that does not cut a character. */
static uint32_t prefix_length(enum type type, struct text text) {
    uint32_t length = BOUND_SIZE_MAX;
    if (type == TYPE_STRING)
        while (length > 0 && is_continuation(text.bytes[length]))
            length--;
    return length;
}

/* The smallest text of no more characters that is larger than all texts with this prefix. False:
 * there is none. */
static bool next_utf8(struct bound *bound) {
    size_t size = bound->size;
    while (size > 0) {
        size_t start = size - 1;
        while (start > 0 && is_continuation((char)bound->bytes[start]))
            start--;
        char *last = (char *)bound->bytes + start;
        size_t last_size;
        bool valid;
        uint32_t code = utf8_decode(last, last + (size - start), &last_size, &valid);
        if (valid && code < 0x10ffff) {
            code = code + 1 == 0xd800 ? 0xe000 : code + 1; // surrogates are not characters
            bound->size = (uint8_t)(start + utf8_encode(code, last));
            return true;
        }
        size = start;
    }
    return false;
}

static bool next_bytes(struct bound *bound) {
    for (size_t size = bound->size; size > 0; size--) {
        if (bound->bytes[size - 1] == 0xff)
            continue;
        bound->bytes[size - 1]++;
        bound->size = (uint8_t)size;
        return true;
    }
    return false;
}

void bounds_of_texts(struct bounds *bounds, enum type type, struct text min, struct text max) {
    bounds->state = BOUNDS_KNOWN;
    if (min.length <= BOUND_SIZE_MAX) {
        set_bound(&bounds->min, min.bytes, min.length);
    } else {
        set_bound(&bounds->min, min.bytes, prefix_length(type, min));
        bounds->min.exact = false;
    }
    if (max.length <= BOUND_SIZE_MAX) {
        set_bound(&bounds->max, max.bytes, max.length);
        return;
    }
    set_bound(&bounds->max, max.bytes, prefix_length(type, max));
    bounds->max.exact = false;
    if (!(type == TYPE_STRING ? next_utf8(&bounds->max) : next_bytes(&bounds->max)))
        bounds->state = BOUNDS_UNKNOWN;
}

void bounds_find_texts(const uint8_t *plain, size_t size, struct text *min, struct text *max) {
    uint64_t min_prefix = UINT64_MAX, max_prefix = 0;
    bool first = true;
    for (size_t at = 0; at < size;) {
        uint32_t length;
        memcpy(&length, plain + at, sizeof length);
        struct text text = {.bytes = (const char *)plain + at + sizeof length, .length = length};
        uint64_t prefix = text_prefix(text);
        at += sizeof length + length;
        // Most texts differ from both bounds in their first bytes.
        if (prefix <= min_prefix && (first || text_compare(text, *min) < 0)) {
            *min = text;
            min_prefix = prefix;
        }
        if (prefix >= max_prefix && (first || text_compare(text, *max) > 0)) {
            *max = text;
            max_prefix = prefix;
        }
        first = false;
    }
}

/* Of the same size, big-endian: the sign decides first. */
static int compare_decimals(const struct bound *a, const struct bound *b) {
    int sign = (int8_t)a->bytes[0] < 0, other = (int8_t)b->bytes[0] < 0;
    return sign != other ? other - sign : memcmp(a->bytes, b->bytes, a->size);
}

int bound_compare(enum type type, const struct bound *a, const struct bound *b) {
    int64_t left = 0, right = 0;
    double x = 0, y = 0;
    float f = 0, g = 0;
    int32_t small = 0;
    switch (type) {
    case TYPE_BOOL:
        return a->bytes[0] - b->bytes[0];
    case TYPE_INT32:
        memcpy(&small, a->bytes, sizeof small);
        left = small;
        memcpy(&small, b->bytes, sizeof small);
        right = small;
        return (left > right) - (left < right);
    case TYPE_INT64:
    case TYPE_TIMESTAMP:
        memcpy(&left, a->bytes, sizeof left);
        memcpy(&right, b->bytes, sizeof right);
        return (left > right) - (left < right);
    case TYPE_DOUBLE:
        memcpy(&x, a->bytes, sizeof x);
        memcpy(&y, b->bytes, sizeof y);
        return (x > y) - (x < y);
    case TYPE_FLOAT:
        memcpy(&f, a->bytes, sizeof f);
        memcpy(&g, b->bytes, sizeof g);
        return (f > g) - (f < g);
    case TYPE_DECIMAL:
        return compare_decimals(a, b);
    default:
        return text_compare((struct text){(const char *)a->bytes, a->size},
                            (struct text){(const char *)b->bytes, b->size});
    }
}

void bounds_widen(struct bounds *bounds, enum type type, const struct bounds *other) {
    if (other->state == BOUNDS_EMPTY || bounds->state == BOUNDS_UNKNOWN)
        return;
    if (bounds->state == BOUNDS_EMPTY || other->state == BOUNDS_UNKNOWN) {
        *bounds = *other;
        return;
    }
    // Among equal bounds the exact one tells more.
    int min = bound_compare(type, &other->min, &bounds->min);
    if (min < 0 || (min == 0 && other->min.exact))
        bounds->min = other->min;
    int max = bound_compare(type, &other->max, &bounds->max);
    if (max > 0 || (max == 0 && other->max.exact))
        bounds->max = other->max;
}
