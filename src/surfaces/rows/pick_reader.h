/* pick_reader.h: reads the rows that were picked (picks.h), each file once, and makes their texts.
 */
#ifndef SURFACES_ROWS_PICK_READER_H
#define SURFACES_ROWS_PICK_READER_H

#include "surfaces/rows/picks.h"
#include "surfaces/rows/table_rows.h"

struct pick_reader {
    const char *root;
    const struct wanted_column *columns; // NULL: all
    size_t column_count;
    const char *(*path_of)(const void *context, size_t file); // relative to the root
    char *(*render)(const void *context, const struct table_rows *rows, size_t row);
    const void *context;
};

/* Fills in the picks' texts and sorts them by age. ERROR_STATE: a file is gone, or another. */
MUST_CHECK bool picks_read(struct picks *picks, const struct pick_reader *reader,
                           struct error *err);

#endif
