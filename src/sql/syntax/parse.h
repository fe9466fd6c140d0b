/* parse.h: the text of a query file as a tree. docs/queries.md describes the language for users;
 * grammar.y is its grammar. */
#ifndef SQL_SYNTAX_PARSE_H
#define SQL_SYNTAX_PARSE_H

#include "base/error.h"
#include "sql/syntax/tree.h"

/* `path` is only for messages; NULL: there is none. ERROR_CONFIG, with "path:line:column: ": what
 * was found, what is expected, and, for what Spark has and we do not, the reason and what to write
 * instead. The text can be anything: it is limited to SQL_FILE_BYTES_MAX, must be UTF-8, and what
 * is nested deeper than SQL_DEPTH_MAX or has more than SQL_COLUMNS_MAX columns is refused.
 * sql_file_deinit() is needed after success only. */
MUST_CHECK bool sql_parse(const char *path, const char *text, size_t length, struct sql_file *file,
                          struct error *err);
void sql_file_deinit(struct sql_file *file); // accepts a zeroed struct

/* ERROR_CONFIG with "path:line:column: " in front, or "line:column: "; always false. */
bool sql_error(struct error *err, const char *path, struct sql_place place, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* One expression or one type on its own: for tests and for tools. In `pool`. */
MUST_CHECK bool sql_parse_expression(const char *text, size_t length, struct pool *pool,
                                     struct sql_node **node, struct error *err);
MUST_CHECK bool sql_parse_type(const char *text, size_t length, struct pool *pool,
                               struct data_type *type, struct error *err);

#endif
