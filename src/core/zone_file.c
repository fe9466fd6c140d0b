#include "core/zone_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { HEADER_SIZE = 44, TYPE_SIZE = 6 };

/* The counts in a header, in its order. */
struct counts {
    uint32_t is_ut, is_standard, leaps, times, types, characters;
};

static uint32_t read_u32(const unsigned char *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t read_i64(const unsigned char *at) {
    return (int64_t)((uint64_t)read_u32(at) << 32 | read_u32(at + 4));
}

static bool read_header(const unsigned char *bytes, size_t size, struct counts *counts) {
    if (size < HEADER_SIZE || memcmp(bytes, "TZif", 4) != 0 || bytes[4] < '2')
        return false;
    *counts = (struct counts){
        read_u32(bytes + 20), read_u32(bytes + 24), read_u32(bytes + 28),
        read_u32(bytes + 32), read_u32(bytes + 36), read_u32(bytes + 40),
    };
    return true;
}

/* Bytes behind the header; a time is 4 bytes in the first block and 8 in the second. */
static uint64_t block_size(struct counts counts, uint64_t time_size) {
    return counts.times * (time_size + 1) + (uint64_t)counts.types * TYPE_SIZE + counts.characters +
           counts.leaps * (time_size + 4) + counts.is_standard + counts.is_ut;
}

static bool read_transitions(struct zone_rules *rules, const unsigned char *block,
                             struct counts counts) {
    const unsigned char *type_of = block + (size_t)counts.times * 8;
    const unsigned char *types = type_of + counts.times;
    if (counts.types == 0)
        return false;

    rules->count = counts.times;
    rules->at = must_alloc(counts.times + 1, sizeof rules->at[0]);
    rules->offsets = must_alloc(counts.times + 1, sizeof rules->offsets[0]);
    rules->first_offset = (int32_t)read_u32(types);
    for (size_t i = 0; i < rules->count; i++) {
        if (type_of[i] >= counts.types)
            return false;
        rules->at[i] = read_i64(block + i * 8);
        rules->offsets[i] = (int32_t)read_u32(types + (size_t)type_of[i] * TYPE_SIZE);
        if (i > 0 && rules->at[i] <= rules->at[i - 1])
            return false;
    }
    return true;
}

/* "\n<TZ string>\n"; an empty one says nothing about the future. */
static bool read_footer(struct zone_rules *rules, const unsigned char *at, size_t size) {
    if (size < 2 || at[0] != '\n')
        return false;
    const unsigned char *end = memchr(at + 1, '\n', size - 1);
    if (end == NULL)
        return false;
    size_t length = (size_t)(end - at - 1);
    rules->has_forever = length > 0;
    return length == 0 || zone_forever_parse((const char *)at + 1, length, &rules->forever);
}

static bool parse(struct zone_rules *rules, const unsigned char *bytes, size_t size) {
    struct counts counts;
    if (!read_header(bytes, size, &counts))
        return false;
    uint64_t skip = HEADER_SIZE + block_size(counts, 4);
    if (skip > size || !read_header(bytes + skip, size - skip, &counts))
        return false;
    const unsigned char *block = bytes + skip + HEADER_SIZE;
    size_t room = size - skip - HEADER_SIZE;
    uint64_t block_bytes = block_size(counts, 8);
    if (block_bytes > room)
        return false;
    return read_transitions(rules, block, counts) &&
           read_footer(rules, block + block_bytes, room - block_bytes);
}

struct zone_rules *zone_rules_parse(const unsigned char *bytes, size_t size) {
    struct zone_rules *rules = must_alloc(1, sizeof *rules);
    if (parse(rules, bytes, size))
        return rules;
    zone_rules_destroy(rules);
    return NULL;
}

void zone_rules_destroy(struct zone_rules *rules) {
    if (rules == NULL)
        return;
    free(rules->at);
    free(rules->offsets);
    free(rules);
}
