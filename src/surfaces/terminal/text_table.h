/* text_table.h: rows of short texts in columns, for people. */
#ifndef SURFACES_TERMINAL_TEXT_TABLE_H
#define SURFACES_TERMINAL_TEXT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/vector.h"

enum {
    TEXT_TABLE_COLUMNS_MAX = 17,
    CELL_CHARACTERS_MAX = 1000, // a value of a record may have megabytes
    CELL_TEXT_MAX = 4 * CELL_CHARACTERS_MAX + 4,
    CELL_SHOWN_MAX = 48, // on a terminal
};

struct text_table {
    size_t column_count;
    bool right[TEXT_TABLE_COLUMNS_MAX]; // aligned right: numbers
    bool whole[TEXT_TABLE_COLUMNS_MAX]; // texts that are never cut
    char **cells;                       // owned, row by row; the first row is the header
    size_t row_count;
    int widths[TEXT_TABLE_COLUMNS_MAX]; // that what was printed so far needs
    bool has_header;                    // it was printed
    bool may_hide; // set by the caller: on a narrow terminal the last columns may be left out
    size_t shown;  // how many columns are printed, once the header was
};

/* A heading that begins with '>' belongs to a column of numbers, one with '=' to texts that make no
 * sense when they are cut. */
void text_table_init(struct text_table *table, const char *const *headings, size_t count);
void text_table_add(struct text_table *table, const char *const *cells);

/* A row of whole numbers. */
void text_table_add_numbers(struct text_table *table, const int64_t *numbers);

/* The same for a table of numbers of which only some columns are shown. */
void text_table_init_some(struct text_table *table, const char *const *headings, const bool *shown,
                          size_t count);
void text_table_add_some_numbers(struct text_table *table, const int64_t *numbers,
                                 const bool *shown, size_t count);

/* A row's cells as one text, each terminated, for a row that is added later; owned by the caller.
 */
char *text_table_join(const struct text_table *table, const char *const *cells);
void text_table_add_joined(struct text_table *table, const char *joined);

/* On a terminal it keeps to the width: texts are cut with "…", first to CELL_SHOWN_MAX, then the
 * longest first, and never numbers. Where that is not enough, the last columns are left out and
 * named, or the lines stay too long.
 *
 * For a table that comes in parts: printed again, after text_table_empty() took its rows away, it
 * continues below, at least as wide, without a second header. */
void text_table_print(struct text_table *table, int indent, FILE *out);
void text_table_empty(struct text_table *table);
void text_table_deinit(struct text_table *table);

/* One value of a table as text. Texts and bytes are cut to CELL_CHARACTERS_MAX characters ("…" at
 * the end); control characters and bytes that are not UTF-8 are shown as \n, \t, \r, \xNN.
 * Timestamps are as in JSON (quantity.h); null is "(null)", which the text "null" is not. */
void cell_text(const struct vector *vector, size_t row, char text[static CELL_TEXT_MAX]);
void cell_text_of(struct text value, char text[static CELL_TEXT_MAX]);

#endif
