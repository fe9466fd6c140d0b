#include "surfaces/terminal/markdown.h"

void markdown_cell(FILE *out, const char *text) {
    for (; *text != '\0'; text++)
        (void)fprintf(out, "%s%c", *text == '|' ? "\\" : "", *text);
}
