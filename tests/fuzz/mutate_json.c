/* Changes after which JSON is still JSON: a value becomes another one of the same text, or one that
 * is often awkward, comes twice, or is gone. One in four is any change, as libFuzzer makes it.
 *
 * A file with a checksum (base/checksum.h) gets the right one in most cases: otherwise only the
 * check of the checksum would see what has changed. */
#include "mutate.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/checksum.h"

enum { VALUES_MAX = 4096, DEPTH_MAX = 64, ANY_IN = 4, CHECKSUM_WRONG_IN = 8, PART_MAX = 4096 };

/* A value of the text, with quotes or brackets. */
struct span {
    size_t start, end;
};

static struct span values[VALUES_MAX];
static size_t value_count;

static void add_value(size_t start, size_t end) {
    if (value_count < VALUES_MAX)
        values[value_count++] = (struct span){start, end};
}

static size_t string_end(const uint8_t *data, size_t at, size_t size) {
    for (at++; at < size && data[at] != '"'; at++)
        at += data[at] == '\\';
    return at < size ? at + 1 : size;
}

static bool is_word(uint8_t byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || byte == 'E' ||
           byte == '-' || byte == '+' || byte == '.';
}

/* Strings, words, and what is between two brackets. */
static void find_values(const uint8_t *data, size_t size) {
    size_t open[DEPTH_MAX], depth = 0;
    value_count = 0;
    for (size_t at = MUTATE_HEAD; at < size;) {
        size_t start = at;
        if (data[at] == '"') {
            at = string_end(data, at, size);
            add_value(start, at);
        } else if (is_word(data[at])) {
            while (at < size && is_word(data[at]))
                at++;
            add_value(start, at);
        } else {
            if ((data[at] == '{' || data[at] == '[') && depth < DEPTH_MAX)
                open[depth++] = at;
            else if ((data[at] == '}' || data[at] == ']') && depth > 0)
                add_value(open[--depth], at + 1);
            at++;
        }
    }
}

/* The member that the value is of, with its key; of an element, itself. */
static struct span member_of(const uint8_t *data, struct span value) {
    for (size_t i = 0; i < value_count; i++)
        if (values[i].end + 1 == value.start && data[values[i].end] == ':')
            return (struct span){values[i].start, value.end};
    return value;
}

/* Returns the new size. The text stays as it is if it would get too long. */
static size_t replace(uint8_t *data, size_t size, size_t size_max, struct span old,
                      const uint8_t *bytes, size_t length) {
    size_t new_size = size - (old.end - old.start) + length;
    if (new_size > size_max)
        return size;
    memmove(data + old.start + length, data + old.end, size - old.end);
    memcpy(data + old.start, bytes, length);
    return new_size;
}

static size_t put_awkward(uint8_t *data, size_t size, size_t size_max, struct span value,
                          uint64_t *state) {
    static const char *const awkward[] = {"0",
                                          "-1",
                                          "1",
                                          "-0",
                                          "127",
                                          "2147483648",
                                          "4294967296",
                                          "9223372036854775807",
                                          "9223372036854775808",
                                          "-9223372036854775808",
                                          "0.1",
                                          "1e400",
                                          "123456789012345678901234567890",
                                          "null",
                                          "true",
                                          "{}",
                                          "[]",
                                          "[[]]",
                                          "\"\"",
                                          "\"\\u0000\"",
                                          "\"\\ud800\"",
                                          "\"..\"",
                                          "\"0\"",
                                          "\"1-3,5\"",
                                          "\"9223372036854775806-9223372036854775807\""};
    const char *other = awkward[mutate_draw(state, sizeof awkward / sizeof awkward[0])];
    return replace(data, size, size_max, value, (const uint8_t *)other, strlen(other));
}

static size_t copy_other(uint8_t *data, size_t size, size_t size_max, struct span value,
                         uint64_t *state) {
    uint8_t copy[PART_MAX];
    struct span other = values[mutate_draw(state, value_count)];
    size_t length = other.end - other.start;
    if (length > sizeof copy)
        return size;
    memcpy(copy, data + other.start, length);
    return replace(data, size, size_max, value, copy, length);
}

static size_t put_twice(uint8_t *data, size_t size, size_t size_max, struct span member) {
    uint8_t copy[PART_MAX];
    size_t length = member.end - member.start;
    if (length + 1 > sizeof copy)
        return size;
    copy[0] = ',';
    memcpy(copy + 1, data + member.start, length);
    return replace(data, size, size_max, (struct span){member.end, member.end}, copy, length + 1);
}

/* With the comma after it, or the one before it. */
static size_t take_out(uint8_t *data, size_t size, struct span member) {
    if (member.end < size && data[member.end] == ',')
        member.end++;
    else if (member.start > MUTATE_HEAD && data[member.start - 1] == ',')
        member.start--;
    return replace(data, size, size, member, data, 0);
}

/* What is between the quotes, or a word. */
static size_t mutate_inside(uint8_t *data, size_t size, size_t size_max, struct span value) {
    uint8_t copy[PART_MAX];
    if (data[value.start] == '"' && value.end - value.start >= 2) {
        value.start++;
        value.end--;
    }
    size_t length = value.end - value.start;
    if (length > sizeof copy)
        return size;
    memcpy(copy, data + value.start, length);
    length = LLVMFuzzerMutate(copy, length, sizeof copy);
    return replace(data, size, size_max, value, copy, length);
}

static size_t mutate_value(uint8_t *data, size_t size, size_t size_max, uint64_t *state) {
    struct span value = values[mutate_draw(state, value_count)];
    switch (mutate_draw(state, 5)) {
    case 0:
        return put_awkward(data, size, size_max, value, state);
    case 1:
        return copy_other(data, size, size_max, value, state);
    case 2:
        return put_twice(data, size, size_max, member_of(data, value));
    case 3:
        return take_out(data, size, member_of(data, value));
    default:
        return mutate_inside(data, size, size_max, value);
    }
}

/* The last member of the last object, if it is a checksum, is made the right one. */
static void repair_checksum(uint8_t *data, size_t size) {
    static const char start[] = ",\"" CHECKSUM_MEMBER "\":\"";
    enum { START = sizeof start - 1, DIGITS = 8, MEMBER = START + DIGITS + 1 };
    for (size_t at = size; at-- > MUTATE_HEAD;) {
        if (size - at < MEMBER || memcmp(data + at, start, START) != 0)
            continue;
        char digits[DIGITS + 1];
        uint32_t checksum = checksum_add(0, data + MUTATE_HEAD, at - MUTATE_HEAD);
        checksum = checksum_add(checksum, data + at + MEMBER, size - at - MEMBER);
        (void)snprintf(digits, sizeof digits, "%08x", (unsigned)checksum);
        memcpy(data + at + START, digits, DIGITS);
        return;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned int seed) {
    uint64_t state = seed;
    find_values(data, size);
    if (value_count == 0 || size > size_max || mutate_draw(&state, ANY_IN) == 0)
        size = LLVMFuzzerMutate(data, size, size_max);
    else
        size = mutate_value(data, size, size_max, &state);
    if (mutate_draw(&state, CHECKSUM_WRONG_IN) != 0)
        repair_checksum(data, size);
    return size;
}
