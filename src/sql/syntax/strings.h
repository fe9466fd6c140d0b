/* strings.h: the text between quotes. For this room only. */
#ifndef SQL_SYNTAX_STRINGS_H
#define SQL_SYNTAX_STRINGS_H

#include "sql/syntax/input.h"

/* The text as Spark reads it: without its escapes. Can refuse it. `place` is of the opening quote.
 */
struct sql_string sql_unescape(struct sql_input *in, struct sql_place place, const char *text,
                               size_t length);

#endif
