/* mistake.h: the message for a token that the grammar cannot use. For this room only. */
#ifndef SQL_SYNTAX_MISTAKE_H
#define SQL_SYNTAX_MISTAKE_H

#include "sql/syntax/input.h"

enum { EXPECTED_MAX = 128 };

/* What the grammar could use instead, by the names that grammar.y gives its tokens. */
struct sql_expected {
    const char *names[EXPECTED_MAX];
    size_t count;
};

void sql_expect(struct sql_expected *expected, const char *name);

/* Refuses in->token: with the reason, if it is something that Spark has and we do not, else with
 * what was expected in its place. */
void sql_refuse_token(struct sql_input *in, const struct sql_expected *expected);

#endif
