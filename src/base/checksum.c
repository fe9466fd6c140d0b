/* checksum.c: CRC-32, a byte at a time with a table that is made at the first use.
 *
 * What must stay true: put and check agree on which bytes count, those before and behind the
 * member. Damage inside the member leaves a text that has no such member and whose other bytes are
 * right. */
#include "base/checksum.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

enum { TABLE_SIZE = 256, DIGITS = 8 };

static const char member_start[] = ",\"" CHECKSUM_MEMBER "\":\"";
enum {
    START_SIZE = sizeof member_start - 1,
    MEMBER_SIZE = START_SIZE + DIGITS + 1, // with the quote, without the brace behind it
};

static uint32_t table[TABLE_SIZE];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void make_table(void) {
    for (uint32_t i = 0; i < TABLE_SIZE; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value >> 1 ^ ((value & 1) != 0 ? UINT32_C(0xEDB88320) : 0);
        table[i] = value;
    }
}

uint32_t checksum_add(uint32_t checksum, const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    check(pthread_once(&table_once, make_table) == 0);
    checksum = ~checksum;
    for (size_t i = 0; i < size; i++)
        checksum = checksum >> 8 ^ table[(checksum ^ at[i]) & 0xFF];
    return ~checksum;
}

/* Of the text without `size` bytes from `from` on. */
static uint32_t checksum_around(const char *text, size_t text_size, size_t from, size_t size) {
    uint32_t checksum = checksum_add(0, text, from);
    return checksum_add(checksum, text + from + size, text_size - from - size);
}

char *checksum_put(const char *text, size_t size, size_t object_end, size_t *new_size) {
    check(object_end >= 2 && object_end <= size && text[object_end - 1] == '}');
    size_t at = object_end - 1;
    char *with = must_alloc(size + MEMBER_SIZE + 1, 1);
    memcpy(with, text, at);
    (void)snprintf(with + at, MEMBER_SIZE + 1, "%s%08x\"", member_start,
                   (unsigned)checksum_around(text, size, at, 0));
    memcpy(with + at + MEMBER_SIZE, text + at, size - at);
    *new_size = size + MEMBER_SIZE;
    return with;
}

/* False: the object does not end with the member. */
static bool find_member(const char *text, size_t object_end, size_t *at, uint32_t *checksum) {
    if (object_end < MEMBER_SIZE + 1)
        return false;
    *at = object_end - 1 - MEMBER_SIZE;
    const char *digit = text + *at + START_SIZE;
    if (memcmp(text + *at, member_start, START_SIZE) != 0 || digit[DIGITS] != '"' ||
        digit[DIGITS + 1] != '}')
        return false;
    *checksum = 0;
    for (int i = 0; i < DIGITS; i++) {
        bool decimal = digit[i] >= '0' && digit[i] <= '9';
        if (!decimal && (digit[i] < 'a' || digit[i] > 'f'))
            return false;
        *checksum = *checksum << 4 | (uint32_t)(decimal ? digit[i] - '0' : digit[i] - 'a' + 10);
    }
    return true;
}

bool checksum_check(const char *text, size_t size, size_t object_end, struct error *err) {
    size_t at;
    uint32_t written;
    if (!find_member(text, object_end, &at, &written))
        return true;
    uint32_t found = checksum_around(text, size, at, MEMBER_SIZE);
    return found == written ||
           error_set(err, ERROR_STATE,
                     "its checksum is %08x, but \"" CHECKSUM_MEMBER "\" says %08x: it was damaged, "
                     "or changed by hand",
                     (unsigned)found, (unsigned)written);
}
