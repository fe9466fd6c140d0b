#include "surfaces/text_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "surfaces/paragraph.h"

void text_table_init(struct text_table *table, const char *const *headings, size_t count) {
    check(count <= TEXT_TABLE_COLUMNS_MAX);
    *table = (struct text_table){.column_count = count};
    for (size_t i = 0; i < count; i++)
        table->right[i] = headings[i][0] == '>';
    text_table_add(table, headings);
}

void text_table_add(struct text_table *table, const char *const *cells) {
    size_t used = table->row_count * table->column_count;
    void *grown = realloc(table->cells, (used + table->column_count) * sizeof table->cells[0]);
    check(grown != NULL);
    table->cells = grown;
    for (size_t i = 0; i < table->column_count; i++) {
        bool marked = table->row_count == 0 && table->right[i]; // a heading's '>'
        table->cells[used + i] = strdup(marked ? cells[i] + 1 : cells[i]);
        check(table->cells[used + i] != NULL);
    }
    table->row_count++;
}

static const char *cell(const struct text_table *table, size_t row, size_t column) {
    return table->cells[row * table->column_count + column];
}

void text_table_print(const struct text_table *table, int indent, FILE *out) {
    int widths[TEXT_TABLE_COLUMNS_MAX] = {0};
    for (size_t row = 0; row < table->row_count; row++) {
        for (size_t i = 0; i < table->column_count; i++) {
            int columns = text_columns(cell(table, row, i));
            widths[i] = columns > widths[i] ? columns : widths[i];
        }
    }
    for (size_t row = 0; row < table->row_count; row++) {
        (void)fprintf(out, "%*s", indent, "");
        for (size_t i = 0; i < table->column_count; i++) {
            const char *text = cell(table, row, i);
            int padding = widths[i] - text_columns(text);
            bool last = i + 1 == table->column_count;
            (void)fprintf(out, "%*s%s%*s", table->right[i] ? padding : 0, "", text,
                          table->right[i] || last ? 0 : padding, "");
            (void)fprintf(out, "%s", last ? "\n" : "  ");
        }
    }
}

void text_table_deinit(struct text_table *table) {
    for (size_t i = 0; i < table->row_count * table->column_count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct text_table){0};
}
