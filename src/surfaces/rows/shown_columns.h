/* shown_columns.h: which columns of a table are worth the width of a terminal: the identifier, the
 * partition columns, where the record came from, and what was derived. */
#ifndef SURFACES_ROWS_SHOWN_COLUMNS_H
#define SURFACES_ROWS_SHOWN_COLUMNS_H

#include "streaming/declare/stream.h"
#include "surfaces/terminal/text_table.h"

struct shown_columns {
    const char *names[TEXT_TABLE_COLUMNS_MAX]; // constants
    bool numbers[TEXT_TABLE_COLUMNS_MAX];      // whether it is a column of numbers
    size_t count;
};

void shown_columns_init(struct shown_columns *shown, const struct stream *stream,
                        const char *const *partition_by, size_t partition_by_count);

/* A table of text with these columns. */
void shown_columns_begin(const struct shown_columns *shown, struct text_table *table);

#endif
