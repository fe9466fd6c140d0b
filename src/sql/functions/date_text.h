/* date_text.h: dates as texts, as Spark reads and writes them.
 *
 *     [+-]y{4,7}[-M{1,2}[-d{1,2}[(T| ).*]]]      with blanks and control characters around */
#ifndef SQL_FUNCTIONS_DATE_TEXT_H
#define SQL_FUNCTIONS_DATE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum { DATE_TEXT_MAX = 24 };

/* Days since 1970-01-01. False: no such form, or no such day. */
bool date_parse(struct text text, int32_t *days);

/* "2024-06-01", "+10000-01-01", "-0001-01-01". The number of bytes; not terminated. */
size_t date_format(int64_t days, char text[static DATE_TEXT_MAX]);

#endif
