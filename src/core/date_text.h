/* date_text.h: dates as texts.
 *
 *     [+-]y{4,7}[-M{1,2}[-d{1,2}[(T| ).*]]]      with blanks and control characters around */
#ifndef CORE_DATE_TEXT_H
#define CORE_DATE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum { DATE_TEXT_MAX = 24 };

/* Days since 1970-01-01, as Spark casts a text. False: no such form, no such day, or beyond int32.
 */
bool date_text_parse(struct text text, int32_t *days);

/* The same as Spark's reader of JSON has it, which also takes the text without "GMT", and whole
 * numbers: days since 1970 of a calendar that is the Julian one before 1582-10-15. */
bool date_text_parse_lenient(struct text text, int32_t *days);

/* "2024-06-01", "+10000-01-01", "-0001-01-01". The number of bytes; not terminated. */
size_t date_text_format(int64_t days, char text[static DATE_TEXT_MAX]);

#endif
