/* expectation.h: one line of expected.jsonl against a row. */
#ifndef CONFORMANCE_EXPECTATION_H
#define CONFORMANCE_EXPECTATION_H

#include <jansson.h>

#include "core/rows.h"

/* Every column that the line names, bit by bit; differences go to stderr. The number of them. */
int expectation_compare(const json_t *expected, const struct rows *rows, size_t row);

/* Every record column with the array's value at its place. */
int expectation_compare_values(const json_t *expected, const struct rows *rows, size_t row);

/* The bytes of a document, allocated to the byte, so that the sanitizer sees every read beyond it.
 */
char *expectation_decode_base64(const char *text, size_t *size);
char *expectation_copy(const json_t *text, size_t *size);

/* Every decoded and derived column of the row, to standard output. */
void expectation_print_row(const struct rows *rows, size_t row);

/* The row's directory under the given string columns, outermost first. 1: it differs; 0: it does
 * not, or there can be none for a reason that stops Spark, too: NUL, or a name over 255 bytes. */
int expectation_compare_directory(const json_t *expected, const struct rows *rows, size_t row,
                                  const char *const columns[], size_t column_count);

#endif
