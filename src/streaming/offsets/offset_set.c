/* offset_set.c: bits of all partitions in one array, each partition's behind those of the one
 * before.
 *
 * The spans are found in a first pass, so that the memory is known and bounded before it is taken.
 * Offsets are 64 bits wide and may come from a file of anybody's, so the size of a span is computed
 * unsigned, and compared with the limit before anything is added to it. */
#include "streaming/offsets/offset_set.h"

#include <stdlib.h>

#include "base/check.h"

enum { WORD_BITS = 64 };

void offset_set_deinit(struct offset_set *set) {
    free(set->spans);
    free(set->bits);
    *set = (struct offset_set){0};
}

static struct offset_span *find_span(struct offset_set *set, int32_t partition) {
    if (set->recent < set->span_count && set->spans[set->recent].partition == partition)
        return &set->spans[set->recent];
    for (size_t i = 0; i < set->span_count; i++) {
        if (set->spans[i].partition != partition)
            continue;
        set->recent = i;
        return &set->spans[i];
    }
    return NULL;
}

void offset_set_widen(struct offset_set *set, int32_t partition, int64_t offset) {
    struct offset_span *span = find_span(set, partition);
    if (span == NULL) {
        set->spans = realloc(set->spans, (set->span_count + 1) * sizeof *set->spans);
        check(set->spans != NULL);
        set->recent = set->span_count;
        span = &set->spans[set->span_count++];
        *span = (struct offset_span){.partition = partition, .first = offset, .last = offset};
    }
    span->first = offset < span->first ? offset : span->first;
    span->last = offset > span->last ? offset : span->last;
}

bool offset_set_allocate(struct offset_set *set, size_t size_max) {
    uint64_t bits = 0;
    for (size_t i = 0; i < set->span_count; i++) {
        uint64_t span_bits = (uint64_t)set->spans[i].last - (uint64_t)set->spans[i].first;
        set->spans[i].bit = (size_t)bits;
        if (span_bits / 8 >= size_max || (bits += span_bits + 1) / 8 >= size_max)
            return false;
    }
    set->bits = must_alloc((size_t)bits / WORD_BITS + 1, sizeof *set->bits);
    return true;
}

static bool find_bit(struct offset_set *set, int32_t partition, int64_t offset, size_t *bit) {
    const struct offset_span *span = find_span(set, partition);
    if (span == NULL || offset < span->first || offset > span->last)
        return false;
    *bit = span->bit + (size_t)(offset - span->first);
    return true;
}

void offset_set_add(struct offset_set *set, int32_t partition, int64_t offset) {
    size_t bit;
    check(find_bit(set, partition, offset, &bit));
    uint64_t mask = (uint64_t)1 << bit % WORD_BITS;
    set->count += (set->bits[bit / WORD_BITS] & mask) == 0;
    set->bits[bit / WORD_BITS] |= mask;
}

void offset_set_remove(struct offset_set *set, int32_t partition, int64_t offset) {
    size_t bit;
    if (!find_bit(set, partition, offset, &bit))
        return;
    uint64_t mask = (uint64_t)1 << bit % WORD_BITS;
    set->count -= (set->bits[bit / WORD_BITS] & mask) != 0;
    set->bits[bit / WORD_BITS] &= ~mask;
}
