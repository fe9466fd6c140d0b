/* A heap of at most `limit` rows, the oldest first: a newer one takes its place and sinks to where
 * it belongs. Only keys are kept of the rows that are offered, so memory is bounded by the limit,
 * for a table of any size; what is kept is read whole at the end. A row that compares equal to a
 * kept one does not replace it. */
#include "surfaces/rows/newest_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

bool newest_rows_init(struct newest_rows *newest, int64_t limit, struct error *err) {
    *newest = (struct newest_rows){.limit = (size_t)limit};
    return limit <= NEWEST_ROWS_MAX ||
           error_set(err, ERROR_CONFIG, "--rows: expected at most %d", NEWEST_ROWS_MAX);
}

void newest_rows_deinit(struct newest_rows *newest) {
    for (size_t i = 0; i < newest->count; i++)
        free(newest->items[i].text);
    free(newest->items);
    *newest = (struct newest_rows){0};
}

bool newest_rows_are_full(const struct newest_rows *newest) {
    return newest->count == newest->limit;
}

static int compare(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

static int by_age(const void *a, const void *b) {
    const struct newest_row *left = a, *right = b;
    int order = compare(left->batch, right->batch);
    order = order != 0 ? order : compare(left->micros, right->micros);
    order = order != 0 ? order : compare(left->partition, right->partition);
    return order != 0 ? order : compare(left->offset, right->offset);
}

static int by_place(const void *a, const void *b) {
    const struct newest_row *left = a, *right = b;
    int order = strcmp(left->path, right->path);
    return order != 0 ? order : compare(left->row, right->row);
}

static void swap(struct newest_row *a, struct newest_row *b) {
    struct newest_row held = *a;
    *a = *b;
    *b = held;
}

static void sink_down(struct newest_rows *newest) {
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < newest->count; child++)
            if (by_age(&newest->items[child], &newest->items[least]) < 0)
                least = child;
        if (least == at)
            return;
        swap(&newest->items[at], &newest->items[least]);
        at = least;
    }
}

static void rise(struct newest_rows *newest, size_t at) {
    for (size_t parent; at > 0; at = parent) {
        parent = (at - 1) / 2;
        if (by_age(&newest->items[at], &newest->items[parent]) >= 0)
            return;
        swap(&newest->items[at], &newest->items[parent]);
    }
}

void newest_rows_offer(struct newest_rows *newest, const struct newest_row *row) {
    if (newest->limit == 0)
        return;
    if (newest->count == newest->limit) {
        if (by_age(row, &newest->items[0]) <= 0)
            return;
        newest->items[0] = *row;
        sink_down(newest);
        return;
    }
    if ((newest->count & (newest->count - 1)) == 0) { // a power of two: full
        newest->items = reallocarray(newest->items, newest->count == 0 ? 1 : 2 * newest->count,
                                     sizeof *newest->items);
        check(newest->items != NULL);
    }
    newest->items[newest->count] = *row;
    rise(newest, newest->count++);
}

void newest_rows_sort_by_place(struct newest_rows *newest) {
    if (newest->count > 1)
        qsort(newest->items, newest->count, sizeof *newest->items, by_place);
}

void newest_rows_sort_by_age(struct newest_rows *newest) {
    if (newest->count > 1)
        qsort(newest->items, newest->count, sizeof *newest->items, by_age);
}

/* Those of one file, which lie one behind the other. */
static bool read_file(struct newest_row *newest, size_t count, const struct newest_rows_reader *how,
                      struct error *err) {
    struct table_rows rows;
    size_t done = 0;
    const char *path = newest[0].path;
    bool ok = table_rows_open(&rows, &how->source, path, how->columns, how->column_count, err);
    while (ok && done < count && (ok = table_rows_next(&rows, err)) && rows.count > 0)
        for (; ok && done < count && newest[done].row < rows.first + (int64_t)rows.count; done++)
            ok = how->take(how->context, &newest[done], &rows,
                           (size_t)(newest[done].row - rows.first), err);
    table_rows_close(&rows);
    return ok && (done == count ||
                  error_set(err, ERROR_STATE, "'%s/%s' changed while it was being read: try again",
                            how->source.root, path));
}

bool newest_rows_read(struct newest_rows *newest, const struct newest_rows_reader *how,
                      struct error *err) {
    newest_rows_sort_by_place(newest); // so each file is opened once, and read front to back
    for (size_t first = 0, end; first < newest->count; first = end) {
        const struct newest_row *rows = newest->items + first;
        for (end = first; end < newest->count && strcmp(newest->items[end].path, rows->path) == 0;)
            end++;
        if (!read_file(newest->items + first, end - first, how, err))
            return false;
    }
    newest_rows_sort_by_age(newest);
    return true;
}
