/* newest_rows.h: the newest few of any number of rows: found by their keys first, read whole
 * afterwards. */
#ifndef SURFACES_ROWS_NEWEST_ROWS_H
#define SURFACES_ROWS_NEWEST_ROWS_H

#include "surfaces/rows/table_rows.h"

enum { NEWEST_ROWS_MAX = 100000 };

struct newest_row {
    int64_t batch, micros; // the key: newest are the greatest; then by partition and offset
    int32_t partition;
    int64_t offset;
    const char *path; // borrowed; the row's file, relative to the table, and its number there
    int64_t row;
    char *text; // owned; what was made of it; NULL: nothing yet
};

struct newest_rows {
    struct newest_row *items; // owned; a heap, the oldest first, until sorted
    size_t count, limit;
};

/* ERROR_CONFIG: more than NEWEST_ROWS_MAX are wanted. */
MUST_CHECK bool newest_rows_init(struct newest_rows *newest, int64_t limit, struct error *err);
void newest_rows_deinit(struct newest_rows *newest);

/* Whether there is no room for more, so that the oldest would have to go. */
bool newest_rows_are_full(const struct newest_rows *newest);

void newest_rows_offer(struct newest_rows *newest, const struct newest_row *row);

/* No more offers after these. */
void newest_rows_sort_by_place(struct newest_rows *newest);
void newest_rows_sort_by_age(struct newest_rows *newest); // the oldest first

struct newest_rows_reader {
    struct rows_source source;
    const struct wanted_column *columns; // NULL: all
    size_t column_count;
    /* Row `at` of `rows` is `row`, whose text it may set. */
    bool (*take)(void *context, struct newest_row *row, const struct table_rows *rows, size_t at,
                 struct error *err);
    void *context;
};

/* Reads each of them whole, and each file once, and sorts them by age. ERROR_STATE: a file is gone,
 * or another; and the errors of take(). */
MUST_CHECK bool newest_rows_read(struct newest_rows *newest, const struct newest_rows_reader *how,
                                 struct error *err);

#endif
