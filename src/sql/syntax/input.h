/* input.h: the text that is being read, what is known so far, and the first refusal. For this room
 * only. */
#ifndef SQL_SYNTAX_INPUT_H
#define SQL_SYNTAX_INPUT_H

#include <stdarg.h>

#include "base/error.h"
#include "sql/syntax/tree.h"

/* Items of one size, one after another, in the pool. */
struct sql_list {
    void *items;
    size_t count, room;
};

/* Terminated, but can contain NUL. */
struct sql_string {
    const char *text;
    size_t length;
};

struct sql_number {
    const char *text;
    const struct data_type *type; // of its suffix; NULL: none
};

/* One token as the text has it, for messages. */
struct sql_token {
    int kind;
    const char *start;
    size_t length;
    struct sql_place place;
};

struct sql_input {
    struct pool *pool;
    const char *path; // NULL: of no file
    struct error *err;
    bool failed;     // *err has the first refusal
    int first_token; // which start of the grammar; 0: has been read

    const char *text, *cursor, *marker, *limit; // *limit is NUL
    const char *placed;                         // where `place` is
    struct sql_place place;
    struct sql_token token, previous, callee; // the one before the last parenthesis

    struct sql_string string; // the text being put together
    size_t string_room;       // of its bytes; 0: they are the token's

    // The query of the table that is being read.
    struct sql_name source;
    bool source_is_kafka;
    const char *source_alias;
    struct sql_list views;

    // What was read.
    struct sql_list topics, tables;
    struct sql_node *expression;
    struct data_type type;
};

/* Notes the first refusal of this text; later ones are dropped. */
void sql_refuse(struct sql_input *in, struct sql_place place, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* sql_error() of parse.h. */
bool sql_error_list(struct error *err, const char *path, struct sql_place place, const char *format,
                    va_list args) PRINTF_LIKE(4, 0);

#endif
