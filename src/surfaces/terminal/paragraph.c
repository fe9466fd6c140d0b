#include "surfaces/terminal/paragraph.h"

#include <string.h>

int text_columns(const char *text) {
    int columns = 0;
    for (; *text != '\0'; text++)
        columns += ((unsigned char)*text & 0xc0) != 0x80;
    return columns;
}

static void print_word(FILE *out, const char *word, size_t size) {
    for (size_t i = 0; i < size; i++)
        (void)fputc(word[i] == '`' ? '\'' : word[i], out);
}

void paragraph_print(FILE *out, int indent, const char *text) {
    int column = 0;
    while (*(text += strspn(text, " ")) != '\0') {
        size_t size = strcspn(text, " ");
        int width = 0;
        for (size_t i = 0; i < size; i++)
            width += ((unsigned char)text[i] & 0xc0) != 0x80;
        if (column > 0 && column + 1 + width > PARAGRAPH_WIDTH) {
            (void)fputc('\n', out);
            column = 0;
        }
        column += column == 0 ? fprintf(out, "%*s", indent, "") : fprintf(out, " ");
        print_word(out, text, size);
        column += width;
        text += size;
    }
    (void)fputc('\n', out);
}

void markdown_cell(FILE *out, const char *text) {
    for (; *text != '\0'; text++)
        (void)fprintf(out, "%s%c", *text == '|' ? "\\" : "", *text);
}
