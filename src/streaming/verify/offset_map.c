/* offset_map.c: a bit per offset, set by many threads without a lock.
 *
 * A pen gathers the bits of one word and sets them with one atomic or, whose result says which were
 * set before: these offsets were met twice. Only duplicates take the lock. Bits and counts are read
 * when no pen is in use. */
#include "streaming/verify/offset_map.h"

#include <stdlib.h>

#include "base/check.h"

enum { WORD_BITS = 64 };

void offset_map_init(struct offset_map *map) {
    *map = (struct offset_map){0};
    check(pthread_mutex_init(&map->lock, NULL) == 0);
}

void offset_map_deinit(struct offset_map *map) {
    free(map->windows);
    free(map->words);
    free(map->duplicates);
    check(pthread_mutex_destroy(&map->lock) == 0);
    *map = (struct offset_map){0};
}

void offset_map_set_windows(struct offset_map *map, const struct offset_window *windows,
                            size_t count) {
    free(map->windows);
    free(map->words);
    map->windows = must_alloc(count + 1, sizeof *map->windows);
    map->window_count = count;
    size_t words = 0;
    for (size_t i = 0; i < count; i++) {
        map->windows[i].log = windows[i].log;
        map->windows[i].start = windows[i].start;
        map->windows[i].end = windows[i].end;
        map->windows[i].word = words;
        words += ((size_t)(windows[i].end - windows[i].start) + WORD_BITS - 1) / WORD_BITS;
    }
    map->words = must_alloc(words + 1, sizeof *map->words);
}

void offset_pen_init(struct offset_pen *pen, struct offset_map *map) {
    *pen = (struct offset_pen){.map = map};
}

void offset_map_note_duplicate(struct offset_map *map, uint32_t log, int64_t offset) {
    if (map->duplicates == NULL)
        map->duplicates = must_alloc(OFFSET_MAP_DUPLICATES_MAX, sizeof *map->duplicates);
    if (map->duplicate_count < OFFSET_MAP_DUPLICATES_MAX)
        map->duplicates[map->duplicate_count++] = (struct duplicate_offset){log, offset};
}

static void note_duplicates(struct offset_pen *pen, size_t word, uint64_t bits) {
    struct offset_map *map = pen->map;
    struct offset_window *window = pen->window;
    if (pen->may_repeat)
        return;
    // Relaxed: a count, read when the threads have ended.
    atomic_fetch_add_explicit(&window->duplicates, __builtin_popcountll(bits),
                              memory_order_relaxed);
    int64_t base = window->start + (int64_t)((word - window->word) * WORD_BITS);
    pthread_mutex_lock(&map->lock);
    if (map->duplicates == NULL)
        map->duplicates = must_alloc(OFFSET_MAP_DUPLICATES_MAX, sizeof *map->duplicates);
    for (; bits != 0 && map->duplicate_count < OFFSET_MAP_DUPLICATES_MAX; bits &= bits - 1)
        map->duplicates[map->duplicate_count++] =
            (struct duplicate_offset){window->log, base + __builtin_ctzll(bits)};
    pthread_mutex_unlock(&map->lock);
}

static void flush(struct offset_pen *pen) {
    if (pen->bits == 0)
        return;
    // Relaxed: bits are only read when the threads have ended.
    uint64_t before =
        atomic_fetch_or_explicit(&pen->map->words[pen->word], pen->bits, memory_order_relaxed);
    if ((before & pen->bits) != 0)
        note_duplicates(pen, pen->word, before & pen->bits);
    pen->bits = 0;
}

static void change_log(struct offset_pen *pen, uint32_t log) {
    flush(pen);
    pen->started = true;
    pen->log = log;
    pen->window = NULL;
    for (size_t low = 0, high = pen->map->window_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        struct offset_window *window = &pen->map->windows[middle];
        if (window->log == log) {
            pen->window = window;
            return;
        }
        if (window->log < log)
            low = middle + 1;
        else
            high = middle;
    }
}

bool offset_pen_add(struct offset_pen *pen, uint32_t log, int64_t offset) {
    if (log != pen->log || !pen->started)
        change_log(pen, log);
    const struct offset_window *window = pen->window;
    if (window == NULL || offset < window->start || offset >= window->end)
        return false;
    uint64_t index = (uint64_t)(offset - window->start);
    size_t word = window->word + (size_t)(index / WORD_BITS);
    uint64_t bit = (uint64_t)1 << index % WORD_BITS;
    if (word != pen->word) {
        flush(pen);
        pen->word = word;
    }
    // Twice within a word that is still in the pen: the atomic or would not show it.
    if ((pen->bits & bit) != 0)
        note_duplicates(pen, word, bit);
    pen->bits |= bit;
    return true;
}

void offset_pen_finish(struct offset_pen *pen) {
    flush(pen);
    pen->started = false;
}

/* The first offset at or behind `from` whose bit is `set`; `end` when there is none before it. */
static int64_t find_bit(const struct offset_map *map, const struct offset_window *window,
                        int64_t from, int64_t end, bool set) {
    while (from < end) {
        uint64_t index = (uint64_t)(from - window->start);
        uint64_t word = atomic_load_explicit(&map->words[window->word + index / WORD_BITS],
                                             memory_order_relaxed);
        uint64_t left = (set ? word : ~word) >> index % WORD_BITS;
        if (left != 0) {
            int64_t found = from + __builtin_ctzll(left);
            return found < end ? found : end;
        }
        from += WORD_BITS - (int64_t)(index % WORD_BITS);
    }
    return end;
}

bool offset_map_gap(const struct offset_map *map, const struct offset_window *window, int64_t end,
                    int64_t *start, int64_t *gap_end) {
    *start = find_bit(map, window, *start, end, false);
    *gap_end = find_bit(map, window, *start, end, true);
    return *start < end;
}
