/* row_runs.c: runs as words, side by side, filled by many threads and then sorted.
 *
 * A run is: log, offset (two words), the outer levels, start, end. Compared word by word they have
 * the wanted order. A pen takes room for many runs at once; what it does not use of it stays zero,
 * and no run is all zero, because `end` is at least 1. Rejects have levels that no row has. */
#include "streaming/verify/row_runs.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { RUNS_AT_ONCE = 256, RUNS_MIN = 16 * RUNS_AT_ONCE, REJECT_LEVEL = -1 };

static size_t run_size(const struct row_runs *runs) {
    return runs->word_count * sizeof *runs->words;
}

void row_runs_init(struct row_runs *runs, size_t level_count, size_t bytes) {
    check(level_count > 0 && level_count <= ROW_LEVELS_MAX);
    *runs = (struct row_runs){.level_count = level_count, .word_count = level_count + 4};
    runs->capacity = bytes / run_size(runs) / RUNS_AT_ONCE * RUNS_AT_ONCE;
    if (runs->capacity < RUNS_MIN)
        runs->capacity = RUNS_MIN;
    runs->words = must_alloc(runs->capacity, run_size(runs));
}

void row_runs_deinit(struct row_runs *runs) {
    free(runs->words);
    *runs = (struct row_runs){0};
}

static size_t count_of(const struct row_runs *runs) {
    size_t count = atomic_load(&runs->count);
    return count < runs->capacity ? count : runs->capacity;
}

void row_runs_clear(struct row_runs *runs) {
    memset(runs->words, 0, count_of(runs) * run_size(runs));
    atomic_store(&runs->count, 0);
}

bool row_runs_full(const struct row_runs *runs) {
    return atomic_load(&runs->count) > runs->capacity;
}

static int compare(const void *a, const void *b, void *context) {
    const uint32_t *left = a, *right = b;
    const struct row_runs *runs = context;
    for (size_t i = 0; i < runs->word_count; i++)
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    return 0;
}

void row_runs_sort(struct row_runs *runs) {
    qsort_r(runs->words, count_of(runs), run_size(runs), compare, runs);
}

bool row_runs_next(const struct row_runs *runs, size_t *at, struct row_run *run) {
    for (size_t count = count_of(runs); *at < count;) {
        const uint32_t *words = &runs->words[(*at)++ * runs->word_count];
        const uint32_t *last = words + runs->word_count - 2;
        if (last[1] == 0)
            continue;
        *run = (struct row_run){.log = words[0],
                                .offset = (int64_t)((uint64_t)words[1] << 32 | words[2]),
                                .levels = words + 3,
                                .start = last[0],
                                .end = last[1],
                                .reject = last[1] == (uint32_t)REJECT_LEVEL};
        return true;
    }
    return false;
}

/* ---- pens ---- */

void row_pen_init(struct row_pen *pen, struct row_runs *runs) {
    *pen = (struct row_pen){.runs = runs};
}

static void flush(struct row_pen *pen) {
    struct row_runs *runs = pen->runs;
    if (!pen->is_open)
        return;
    pen->is_open = false;
    if (pen->next == pen->end) {
        // Relaxed: runs are only read when the threads have ended.
        pen->next = atomic_fetch_add_explicit(&runs->count, RUNS_AT_ONCE, memory_order_relaxed);
        pen->end = pen->next + RUNS_AT_ONCE;
    }
    if (pen->next < runs->capacity)
        memcpy(&runs->words[pen->next * runs->word_count], pen->open, run_size(runs));
    pen->next++;
}

static void set_head(uint32_t *words, uint32_t log, int64_t offset) {
    words[0] = log;
    words[1] = (uint32_t)((uint64_t)offset >> 32);
    words[2] = (uint32_t)offset;
}

void row_pen_add(struct row_pen *pen, uint32_t log, int64_t offset, const int32_t *positions) {
    uint32_t words[ROW_LEVELS_MAX + 5];
    size_t head = pen->runs->word_count - 2; // without start and end
    uint32_t *open = pen->open;
    set_head(words, log, offset);
    for (size_t i = 0; i < pen->runs->level_count; i++)
        words[3 + i] = (uint32_t)positions[i] + 1;
    words[head + 1] = words[head] + 1;
    // The row of OUTER is alone.
    if (pen->is_open && words[head] == open[head + 1] && open[head] != 0 &&
        memcmp(words, open, head * sizeof *words) == 0) {
        open[head + 1]++;
        return;
    }
    flush(pen);
    memcpy(open, words, run_size(pen->runs));
    pen->is_open = true;
}

void row_pen_add_reject(struct row_pen *pen, uint32_t log, int64_t offset) {
    flush(pen);
    set_head(pen->open, log, offset);
    for (size_t i = 3; i < pen->runs->word_count; i++)
        pen->open[i] = (uint32_t)REJECT_LEVEL;
    pen->is_open = true;
}

void row_pen_finish(struct row_pen *pen) {
    flush(pen);
}
