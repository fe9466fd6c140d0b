/* Changes after which a file still ends like a Parquet file: the footer changes, and its length
 * with it, or a few bytes of the pages do, and no offset. Otherwise nearly all changes would only
 * be seen by the first checks of the tail. One in four is any change, for these checks. */
#include "mutate.h"

enum {
    MAGIC = 4,
    TAIL = sizeof(uint32_t) + MAGIC, // the footer's length, "PAR1"
    WINDOW_MAX = 64,
    ANY_IN = 4,
};

/* The footer's first byte, or 0: the file does not end like one. */
static size_t find_footer(const uint8_t *data, size_t size) {
    uint32_t length;
    if (size < MUTATE_HEAD + MAGIC + TAIL || memcmp(data + size - MAGIC, "PAR1", MAGIC) != 0)
        return 0;
    memcpy(&length, data + size - TAIL, sizeof length);
    return length <= size - MUTATE_HEAD - MAGIC - TAIL ? size - TAIL - length : 0;
}

static size_t mutate_footer(uint8_t *data, size_t at, size_t size, size_t size_max) {
    uint32_t length = (uint32_t)LLVMFuzzerMutate(data + at, size - TAIL - at, size_max - TAIL - at);
    memcpy(data + at + length, &length, sizeof length);
    memcpy(data + at + length + sizeof length, "PAR1", MAGIC);
    return at + length + TAIL;
}

static void mutate_pages(uint8_t *data, size_t end, uint64_t *state) {
    uint8_t window[WINDOW_MAX];
    size_t from = MUTATE_HEAD + mutate_draw(state, end - MUTATE_HEAD), left = end - from;
    size_t length = 1 + mutate_draw(state, left < WINDOW_MAX ? left : WINDOW_MAX);
    memcpy(window, data + from, length);
    (void)LLVMFuzzerMutate(window, length, length);
    memcpy(data + from, window, length);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned int seed) {
    uint64_t state = seed;
    size_t footer = find_footer(data, size);
    if (footer == 0 || size >= size_max || mutate_draw(&state, ANY_IN) == 0)
        return LLVMFuzzerMutate(data, size, size_max);
    if (mutate_draw(&state, 2) == 0)
        return mutate_footer(data, footer, size, size_max);
    mutate_pages(data, footer, &state);
    return size;
}
