/* tree.h: what a query file says, before anything in it is looked up: names are texts, and types
 * are only those that are written out.
 *
 * All of a tree is in its file's pool; nothing is freed on its own. Texts are terminated, without
 * quotes and escapes. Trees are bounded by the parser (SQL_DEPTH_MAX), so walking one may recurse.
 */
#ifndef SQL_SYNTAX_TREE_H
#define SQL_SYNTAX_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"
#include "core/data_type.h"

enum {
    SQL_FILE_BYTES_MAX = 1024 * 1024,
    SQL_DEPTH_MAX = 200,        // of expressions; of types, DATA_TYPE_DEPTH_MAX
    SQL_NODES_MAX = 100 * 1000, // of an expression, a shared child counted each time
    SQL_COLUMNS_MAX = 1000,     // of each list: columns, fields of one STRUCT, properties, views
};

/* Where something is in its file, from 1. A column counts characters. */
struct sql_place {
    int32_t line, column;
};

enum sql_node_kind {
    SQL_NULL,
    SQL_TRUE,
    SQL_FALSE,
    SQL_NUMBER, // `text` as written, without its suffix, which is in `type`; without one `type` is
                // NULL: digits alone are INT, BIGINT or DECIMAL by their size, with a point
                // DECIMAL, with an exponent DOUBLE. Never negative: a sign is a call of `negative`
    SQL_STRING, // `text`, `text_length`: it may contain NUL
    SQL_LITERAL, // DATE '…', TIMESTAMP '…', TIMESTAMP_NTZ '…', X'…' (BINARY): `type` and `text` as
                 // written
    SQL_NAME,  // an identifier
    SQL_FIELD, // children[0].text
    SQL_INDEX, // children[0][children[1]]
    SQL_CALL,  // text(children…); `text` in lower case, `written` as the file has it
    SQL_CAST,  // CAST(children[0] AS type)
    SQL_TRY_CAST,
    SQL_CASE, // children: condition, value, condition, value, …; then the value of ELSE, if it is
              // odd in number. CASE x WHEN y … is written as CASE WHEN x = y …
    SQL_LAMBDA, // names -> children[0]
    SQL_STAR,   // only in a select list
};

/* Operators are calls by the names of Spark's functions, so the table of functions has them, too:
 *
 *     or and not  =  <=>  <  <=  >  >=  +  -  *  /  %  div  negative  isnull  isnotnull  in  like
 *     concat (for ||)
 *
 * `like` has a third child, a text of one character, if there is an ESCAPE.
 *
 * `a <> b` and `a != b` are not(a = b); `a BETWEEN b AND c` is and(a >= b, a <= c), where both have
 * the same child; NOT IN, NOT LIKE and NOT BETWEEN are not(…); IS [NOT] TRUE, FALSE and DISTINCT
 * FROM are `<=>`. A tree can therefore share children; it has no circle. */
struct sql_node {
    enum sql_node_kind kind;
    struct sql_place place; // of its first character; of an operator itself, of the name after
                            // a dot, of the bracket of an index
    const char *text;
    size_t text_length;
    const char *written; // SQL_CALL; NULL: an operator
    const struct data_type *type;
    struct sql_node **children;
    size_t child_count;
    const char *const *names; // SQL_LAMBDA
    size_t name_count;
    int depth;    // levels, with this one
    size_t nodes; // with all below; a shared child counts each time
};

struct sql_field {
    const char *name;
    struct data_type type;
    bool required;       // NOT NULL
    const char *comment; // NULL: none
    struct sql_place place;
};

/* Of OPTIONS and TBLPROPERTIES; keys as written, without quotes, joined by points. Values are
 * texts: numbers as written, "true" and "false". */
struct sql_property {
    const char *key;
    const char *value;
    struct sql_place place;
};

/* CREATE TABLE name [(fields)] USING kafka [OPTIONS (…)] [COMMENT '…'] */
struct sql_topic {
    const char *name;
    struct sql_place place;
    const struct sql_field *fields;
    size_t field_count;
    const struct sql_property *options;
    size_t option_count;
    const char *comment;
};

/* LATERAL VIEW [OUTER] explode|posexplode(argument) view AS [position,] element[, value] */
struct sql_view {
    bool outer, with_position;
    struct sql_node *argument;
    const char *name;
    const char *const *aliases;
    size_t alias_count;
    struct sql_place place; // of LATERAL
};

struct sql_item {
    struct sql_node *node;
    const char *alias;            // NULL: none
    struct sql_place alias_place; // without an alias, of the item
};

struct sql_name {
    const char *name;
    struct sql_place place;
};

/* CREATE STREAMING TABLE name [(columns)] … AS SELECT … FROM STREAM source … */
struct sql_table {
    const char *name;
    struct sql_place place;
    bool has_columns;
    const struct sql_field *columns;
    size_t column_count;
    const struct sql_name *partition_columns;
    size_t partition_column_count;
    const char *comment;
    const struct sql_property *properties;
    size_t property_count;

    const struct sql_item *items;
    size_t item_count;
    struct sql_name source; // the name of a topic's table; of `kafka('topic')`, the topic
    bool source_is_kafka;
    const char *source_alias; // NULL: none
    const struct sql_view *views;
    size_t view_count;
    struct sql_node *where; // NULL: none
};

/* Statements in the order of the file, topics and tables apart. */
struct sql_file {
    struct pool pool; // owned; has everything below
    const char *path; // for messages
    const struct sql_topic *topics;
    size_t topic_count;
    const struct sql_table *tables;
    size_t table_count;
};

#endif
