#include "surfaces/rows/picks.h"

#include <stdlib.h>

#include "base/check.h"

void picks_init(struct picks *picks, size_t limit) {
    check(limit <= PICKS_MAX);
    *picks = (struct picks){.limit = limit};
}

void picks_deinit(struct picks *picks) {
    for (size_t i = 0; i < picks->count; i++)
        free(picks->items[i].text);
    free(picks->items);
    *picks = (struct picks){0};
}

bool picks_are_full(const struct picks *picks) {
    return picks->count == picks->limit;
}

static int compare(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

static int by_age(const void *a, const void *b) {
    const struct pick *left = a, *right = b;
    int order = compare(left->batch, right->batch);
    order = order != 0 ? order : compare(left->micros, right->micros);
    order = order != 0 ? order : compare(left->partition, right->partition);
    return order != 0 ? order : compare(left->offset, right->offset);
}

static int by_place(const void *a, const void *b) {
    const struct pick *left = a, *right = b;
    return left->file != right->file ? (left->file > right->file) - (left->file < right->file)
                                     : compare(left->row, right->row);
}

static void swap(struct pick *a, struct pick *b) {
    struct pick held = *a;
    *a = *b;
    *b = held;
}

static void sink_down(struct picks *picks) {
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < picks->count; child++)
            if (by_age(&picks->items[child], &picks->items[least]) < 0)
                least = child;
        if (least == at)
            return;
        swap(&picks->items[at], &picks->items[least]);
        at = least;
    }
}

static void rise(struct picks *picks, size_t at) {
    for (size_t parent; at > 0; at = parent) {
        parent = (at - 1) / 2;
        if (by_age(&picks->items[at], &picks->items[parent]) >= 0)
            return;
        swap(&picks->items[at], &picks->items[parent]);
    }
}

void picks_offer(struct picks *picks, const struct pick *pick) {
    if (picks->limit == 0)
        return;
    if (picks->count == picks->limit) {
        if (by_age(pick, &picks->items[0]) <= 0)
            return;
        picks->items[0] = *pick;
        sink_down(picks);
        return;
    }
    if ((picks->count & (picks->count - 1)) == 0) { // a power of two: full
        picks->items = reallocarray(picks->items, picks->count == 0 ? 1 : 2 * picks->count,
                                    sizeof *picks->items);
        check(picks->items != NULL);
    }
    picks->items[picks->count] = *pick;
    rise(picks, picks->count++);
}

void picks_sort_by_place(struct picks *picks) {
    if (picks->count > 1)
        qsort(picks->items, picks->count, sizeof *picks->items, by_place);
}

void picks_sort_by_age(struct picks *picks) {
    if (picks->count > 1)
        qsort(picks->items, picks->count, sizeof *picks->items, by_age);
}
