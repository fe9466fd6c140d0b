#include "pipeline/derive.h"

bool derive_rows(struct rows *rows, size_t first, size_t count) {
    (void)rows;
    (void)first;
    (void)count;
    return true;
}
