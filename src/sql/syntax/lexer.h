/* lexer.h: the tokens of a query file (lexer.re). For this room only. */
#ifndef SQL_SYNTAX_LEXER_H
#define SQL_SYNTAX_LEXER_H

#include "sql/syntax/grammar.h" // made by Bison

/* The next token, for the parser. */
int sql_yylex(SQL_YYSTYPE *value, struct sql_place *place, struct sql_input *in);

#endif
