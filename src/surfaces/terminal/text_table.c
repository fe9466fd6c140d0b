/* A table keeps its cells until it is printed, since a column is as wide as its widest cell. An
 * endless one is printed in parts: widths only grow, and the header is printed once. On a terminal
 * texts have at most CELL_SHOWN_MAX characters. If it is narrower, columns of text are made
 * narrower one character at a time, always the widest, but never narrower than LEAST_WIDTH. Cells
 * of data are made safe first (cell_text()): without bytes that would drive the terminal, and not
 * endless. */
#include "surfaces/terminal/text_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"
#include "core/date_text.h"
#include "core/decimal.h"
#include "surfaces/terminal/output.h"
#include "surfaces/terminal/quantity.h"

void text_table_init(struct text_table *table, const char *const *headings, size_t count) {
    check(count > 0 && count <= TEXT_TABLE_COLUMNS_MAX);
    *table = (struct text_table){.column_count = count};
    for (size_t i = 0; i < count; i++) {
        table->right[i] = headings[i][0] == '>';
        table->whole[i] = headings[i][0] == '=';
    }
    text_table_add(table, headings);
}

void text_table_add(struct text_table *table, const char *const *cells) {
    check(table->column_count > 0);
    size_t used = table->row_count * table->column_count;
    void *grown = realloc(table->cells, (used + table->column_count) * sizeof table->cells[0]);
    check(grown != NULL);
    table->cells = grown;
    for (size_t i = 0; i < table->column_count; i++) {
        bool marked = table->row_count == 0 && (table->right[i] || table->whole[i]);
        table->cells[used + i] = text_copy(marked ? cells[i] + 1 : cells[i]);
    }
    table->row_count++;
}

void text_table_add_numbers(struct text_table *table, const int64_t *numbers) {
    char texts[TEXT_TABLE_COLUMNS_MAX][24];
    const char *cells[TEXT_TABLE_COLUMNS_MAX];
    for (size_t i = 0; i < table->column_count; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%" PRId64, numbers[i]);
        cells[i] = texts[i];
    }
    text_table_add(table, cells);
}

void text_table_init_some(struct text_table *table, const char *const *headings, const bool *shown,
                          size_t count) {
    const char *some[TEXT_TABLE_COLUMNS_MAX] = {0};
    size_t some_count = 0;
    for (size_t i = 0; i < count; i++)
        if (shown[i])
            some[some_count++] = headings[i];
    text_table_init(table, some, some_count);
}

void text_table_add_some_numbers(struct text_table *table, const int64_t *numbers,
                                 const bool *shown, size_t count) {
    int64_t some[TEXT_TABLE_COLUMNS_MAX] = {0};
    size_t some_count = 0;
    for (size_t i = 0; i < count; i++)
        if (shown[i])
            some[some_count++] = numbers[i];
    text_table_add_numbers(table, some);
}

char *text_table_join(const struct text_table *table, const char *const *cells) {
    size_t size = 0, used = 0;
    check(table->column_count > 0);
    for (size_t i = 0; i < table->column_count; i++)
        size += strlen(cells[i]) + 1;
    char *joined = must_alloc(size, 1);
    for (size_t i = 0; i < table->column_count; used += strlen(cells[i++]) + 1)
        memcpy(joined + used, cells[i], strlen(cells[i]) + 1);
    return joined;
}

void text_table_add_joined(struct text_table *table, const char *joined) {
    const char *cells[TEXT_TABLE_COLUMNS_MAX];
    for (size_t i = 0; i < table->column_count; joined += strlen(joined) + 1)
        cells[i++] = joined;
    text_table_add(table, cells);
}

static const char *cell(const struct text_table *table, size_t row, size_t column) {
    return table->cells[row * table->column_count + column];
}

/* ---- fitting a terminal ---- */

enum { LEAST_WIDTH = 8, GAP = 2 };

static int line_width(const struct text_table *table, const int *widths, int indent) {
    int width = indent;
    for (size_t i = 0; i < table->shown; i++)
        width += widths[i] + (i > 0 ? GAP : 0);
    return width;
}

/* Makes the widest column of text narrower. False: none can be. */
static bool narrow(const struct text_table *table, int *widths) {
    size_t widest = table->shown;
    for (size_t i = 0; i < table->shown; i++)
        if (!table->right[i] && !table->whole[i] && widths[i] > LEAST_WIDTH &&
            (widest == table->shown || widths[i] > widths[widest]))
            widest = i;
    if (widest == table->shown)
        return false;
    widths[widest]--;
    return true;
}

/* The widths that are wanted; in a file or a pipe, what the cells need. */
static void start_widths(const struct text_table *table, int columns, int *widths) {
    memcpy(widths, table->widths, sizeof table->widths);
    for (size_t i = 0; columns > 0 && i < table->column_count; i++)
        if (!table->right[i] && !table->whole[i] && widths[i] > CELL_SHOWN_MAX)
            widths[i] = CELL_SHOWN_MAX;
}

/* The widths to print with. What was left out once stays so, since the header has gone out. */
static void fit(struct text_table *table, int indent, int columns, int *widths) {
    start_widths(table, columns, widths);
    if (!table->has_header)
        table->shown = table->column_count;
    while (columns > 0 && line_width(table, widths, indent) > columns) {
        if (narrow(table, widths))
            continue;
        if (!table->may_hide || table->has_header || table->shown == 1)
            break;
        table->shown--;
        start_widths(table, columns, widths);
    }
}

static void print_hidden(const struct text_table *table, int indent, FILE *out) {
    (void)fprintf(out, "%*s(hidden to fit the terminal:", indent, "");
    for (size_t i = table->shown; i < table->column_count; i++)
        (void)fprintf(out, "%s %s", i > table->shown ? "," : "", cell(table, 0, i));
    (void)fprintf(out, "; --json shows all)\n");
}

/* ---- printing ---- */

/* Cut to the width, with "…" for what is missing; returns the columns that it takes. */
static int print_cell(const char *text, int width, FILE *out) {
    int columns = text_columns(text);
    if (columns <= width) {
        (void)fputs(text, out);
        return columns;
    }
    const char *at = text;
    for (int left = width - 1; left > 0; left--)
        do
            at++;
        while (((unsigned char)*at & 0xc0) == 0x80);
    (void)fprintf(out, "%.*s…", (int)(at - text), text);
    return width;
}

static void print_text(const char *text, int width, bool is_last, FILE *out) {
    int columns = print_cell(text, width, out);
    (void)fprintf(out, "%*s", is_last ? 0 : width - columns, "");
}

static void print_row(const struct text_table *table, size_t row, int indent, const int *widths,
                      FILE *out) {
    (void)fprintf(out, "%*s", indent, "");
    for (size_t i = 0; i < table->shown; i++) {
        const char *text = cell(table, row, i);
        bool last = i + 1 == table->shown;
        if (table->right[i])
            (void)fprintf(out, "%*s%s", widths[i] - text_columns(text), "", text);
        else
            print_text(text, widths[i], last, out);
        (void)fprintf(out, "%s", last ? "\n" : "  ");
    }
}

void text_table_print(struct text_table *table, int indent, FILE *out) {
    int widths[TEXT_TABLE_COLUMNS_MAX];
    for (size_t row = 0; row < table->row_count; row++) {
        for (size_t i = 0; i < table->column_count; i++) {
            int columns = text_columns(cell(table, row, i));
            table->widths[i] = columns > table->widths[i] ? columns : table->widths[i];
        }
    }
    bool is_first = !table->has_header;
    fit(table, indent, output_columns(out), widths);
    for (size_t row = is_first ? 0 : 1; row < table->row_count; row++)
        print_row(table, row, indent, widths, out);
    if (is_first && table->shown < table->column_count)
        print_hidden(table, indent, out);
    table->has_header = true;
}

void text_table_empty(struct text_table *table) {
    for (size_t i = table->column_count; i < table->row_count * table->column_count; i++)
        free(table->cells[i]);
    table->row_count = table->row_count > 0 ? 1 : 0;
}

void text_table_deinit(struct text_table *table) {
    for (size_t i = 0; i < table->row_count * table->column_count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct text_table){0};
}

/* ---- cells ---- */

void cell_text_of(struct text value, char text[static CELL_TEXT_MAX]) {
    const char *at = value.bytes, *end = value.bytes + value.length;
    size_t used = 0, columns = 0;
    while (at < end) {
        char shown[ESCAPE_MAX];
        size_t size, taken = escape_next(at, end, shown, &size);
        columns += shown[0] == '\\' ? size : 1; // an escape, or one character
        if (columns > CELL_CHARACTERS_MAX)
            break;
        memcpy(text + used, shown, size);
        used += size;
        at += taken;
    }
    (void)text_append(text, CELL_TEXT_MAX, used, "%s", at < end ? "…" : "");
}

void cell_text(const struct vector *vector, size_t row, char text[static CELL_TEXT_MAX]) {
    if (!vector->valid[row]) {
        snprintf(text, CELL_TEXT_MAX, "(null)");
        return;
    }
    switch (vector->type) {
    case TYPE_BOOL:
        snprintf(text, CELL_TEXT_MAX, "%s", vector->booleans[row] ? "true" : "false");
        break;
    case TYPE_INT32:
        snprintf(text, CELL_TEXT_MAX, "%d", vector->int32s[row]);
        break;
    case TYPE_INT64:
        snprintf(text, CELL_TEXT_MAX, "%lld", (long long)vector->int64s[row]);
        break;
    case TYPE_DOUBLE:
        snprintf(text, CELL_TEXT_MAX, "%.10g", vector->doubles[row]);
        break;
    case TYPE_STRING:
    case TYPE_BINARY:
        cell_text_of(vector->texts[row], text);
        break;
    case TYPE_TIMESTAMP:
        moment_format(vector->int64s[row], text);
        break;
    case TYPE_TIMESTAMP_NTZ: // of no time zone: without the Z
        moment_format(vector->int64s[row], text);
        text[strcspn(text, "Z")] = '\0';
        break;
    case TYPE_INT8:
        snprintf(text, CELL_TEXT_MAX, "%d", vector->int8s[row]);
        break;
    case TYPE_INT16:
        snprintf(text, CELL_TEXT_MAX, "%d", vector->int16s[row]);
        break;
    case TYPE_FLOAT:
        snprintf(text, CELL_TEXT_MAX, "%.7g", (double)vector->floats[row]);
        break;
    case TYPE_DECIMAL:
        text[decimal_format(vector->decimals[row], vector->scale, text)] = '\0';
        break;
    case TYPE_DATE:
        text[date_text_format(vector->int32s[row], text)] = '\0';
        break;
    case TYPE_NULL:
    case TYPE_STRUCT:
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_COUNT:
        text[0] = '\0';
        break;
    }
}
