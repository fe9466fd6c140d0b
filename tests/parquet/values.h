/* values.h: rows as text: a JSON array per row, of null, integers (booleans, timestamps in
 * microseconds, days, unscaled decimals, floats and doubles as their bits) and texts in
 * hexadecimal. */
#ifndef PARQUET_VALUES_H
#define PARQUET_VALUES_H

#include <inttypes.h>
#include <stdio.h>

#include "core/decimal.h"
#include "core/vector.h"

static inline void print_decimal(FILE *file, int128_t unscaled) {
    char text[DECIMAL_TEXT_MAX];
    (void)fwrite(text, 1, decimal_format(unscaled, 0, text), file);
}

static inline void print_value(FILE *file, const struct vector *vector, size_t row) {
    int64_t number = 0;
    if (!vector->valid[row]) {
        (void)fprintf(file, "null");
        return;
    }
    switch (vector->type) {
    case TYPE_BOOL:
        number = vector->booleans[row];
        break;
    case TYPE_INT8:
        number = vector->int8s[row];
        break;
    case TYPE_INT16:
        number = vector->int16s[row];
        break;
    case TYPE_DECIMAL:
        print_decimal(file, vector->decimals[row]);
        return;
    case TYPE_FLOAT: // their bits
    case TYPE_DATE:
    case TYPE_INT32:
        number = vector->int32s[row];
        break;
    case TYPE_STRING:
    case TYPE_BINARY:
        (void)fputc('"', file);
        for (size_t i = 0; i < vector->texts[row].length; i++) {
            static const char digits[] = "0123456789abcdef";
            uint8_t byte = (uint8_t)vector->texts[row].bytes[i];
            (void)fputc(digits[byte >> 4], file);
            (void)fputc(digits[byte & 15], file);
        }
        (void)fputc('"', file);
        return;
    default:
        number = vector->int64s[row]; // doubles too: their bits
        break;
    }
    (void)fprintf(file, "%" PRId64, number);
}

static inline void print_rows(FILE *file, const struct vector *columns, size_t column_count,
                              size_t row_count) {
    for (size_t row = 0; row < row_count; row++) {
        for (size_t column = 0; column < column_count; column++) {
            (void)fputs(column == 0 ? "[" : ",", file);
            print_value(file, &columns[column], row);
        }
        (void)fputs("]\n", file);
    }
}

#endif
