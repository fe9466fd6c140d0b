/* mistake.h: the message for a token that the grammar cannot use. For this room only. */
#ifndef SQL_SYNTAX_MISTAKE_H
#define SQL_SYNTAX_MISTAKE_H

#include "sql/syntax/input.h"

enum { TOKENS_MAX = 400 }; // numbers of tokens are below

/* What the grammar could use instead, by the names that grammar.y gives its tokens. */
struct sql_expected {
    const char *names[TOKENS_MAX]; // NULL: not expected
};

void sql_expect(struct sql_expected *expected, int token, const char *name);

/* Refuses in->token: with the reason, if it is something that Spark has and we do not, else with
 * what was expected in its place. */
void sql_refuse_token(struct sql_input *in, struct sql_expected *expected);

#endif
