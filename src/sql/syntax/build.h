/* build.h: what the actions of grammar.y do: nodes, types, statements. For this room only.
 *
 * No function fails: what must be refused is noted by sql_refuse(), and the parse ends at the next
 * token. What is returned then can be used like any other. */
#ifndef SQL_SYNTAX_BUILD_H
#define SQL_SYNTAX_BUILD_H

#include "sql/syntax/input.h"

/* ---- lists ---- */

/* Room for one more item of `size` bytes, zeroed. More than `max` are refused, as too many
 * `things`; max 0: any number. */
void *sql_list_grow(struct sql_input *in, struct sql_list *list, size_t size, size_t max,
                    struct sql_place place, const char *things);

struct sql_list sql_list_node(struct sql_input *in, struct sql_list list, struct sql_node *node);
struct sql_list sql_list_word(struct sql_input *in, struct sql_list list, const char *word);
struct sql_list sql_list_name(struct sql_input *in, struct sql_list list, struct sql_place place,
                              const char *name);
struct sql_list sql_list_field(struct sql_input *in, struct sql_list list, struct sql_field field);
struct sql_list sql_list_struct_field(struct sql_input *in, struct sql_list list,
                                      struct sql_field field);
struct sql_list sql_list_property(struct sql_input *in, struct sql_list list,
                                  struct sql_property property);
struct sql_list sql_list_item(struct sql_input *in, struct sql_list list, struct sql_place place,
                              struct sql_item item);

/* ---- texts ---- */

struct sql_string sql_string_of(const char *text);

/* For where a text must not contain NUL. */
const char *sql_plain_text(struct sql_input *in, struct sql_place place, struct sql_string string);

/* Texts that follow each other, put together in `in`. */
void sql_start_string(struct sql_input *in, struct sql_string string);
void sql_continue_string(struct sql_input *in, struct sql_string string);
struct sql_string sql_whole_string(const struct sql_input *in);

/* ---- expressions ---- */

struct sql_node *sql_make_leaf(struct sql_input *in, struct sql_place place,
                               enum sql_node_kind kind);
struct sql_node *sql_make_star(struct sql_input *in, struct sql_place place);
struct sql_node *sql_make_number(struct sql_input *in, struct sql_place place,
                                 struct sql_number number);
struct sql_node *sql_make_string(struct sql_input *in, struct sql_place place,
                                 struct sql_string string);
struct sql_node *sql_make_literal(struct sql_input *in, struct sql_place place, const char *name,
                                  struct sql_string string);
struct sql_node *sql_make_name(struct sql_input *in, struct sql_place place, const char *name);
struct sql_node *sql_make_field(struct sql_input *in, struct sql_place place, struct sql_node *of,
                                const char *name);
struct sql_node *sql_make_index(struct sql_input *in, struct sql_place place, struct sql_node *of,
                                struct sql_node *index);
struct sql_node *sql_make_call(struct sql_input *in, struct sql_place place, const char *name,
                               struct sql_list arguments);
struct sql_node *sql_make_cast(struct sql_input *in, struct sql_place place,
                               enum sql_node_kind kind, struct sql_node *of,
                               const struct data_type *type);
struct sql_node *sql_make_lambda(struct sql_input *in, struct sql_place place,
                                 struct sql_list names, struct sql_node *body);

/* CASE of WHEN, THEN, WHEN, THEN, …; `of` and `otherwise` can be NULL. */
struct sql_node *sql_make_case(struct sql_input *in, struct sql_place place, struct sql_node *of,
                               struct sql_list branches, struct sql_node *otherwise);

/* Operators, which are calls; `place` is theirs. */
struct sql_node *sql_make_unary(struct sql_input *in, struct sql_place place, const char *name,
                                struct sql_node *of);
struct sql_node *sql_make_binary(struct sql_input *in, struct sql_place place, const char *name,
                                 struct sql_node *left, struct sql_node *right);
struct sql_node *sql_make_plus(struct sql_input *in, struct sql_place place, struct sql_node *of);
struct sql_node *sql_negate(struct sql_input *in, struct sql_place place, struct sql_node *of);
struct sql_node *sql_make_between(struct sql_input *in, struct sql_place place, struct sql_node *of,
                                  struct sql_node *low, struct sql_node *high);
struct sql_node *sql_make_in(struct sql_input *in, struct sql_place place, struct sql_node *of,
                             struct sql_list choices);
struct sql_node *sql_make_like(struct sql_input *in, struct sql_place place, struct sql_node *of,
                               struct sql_node *pattern);
struct sql_node *sql_make_like_escape(struct sql_input *in, struct sql_place place,
                                      struct sql_node *of, struct sql_node *pattern,
                                      struct sql_place escape_place, struct sql_string escape);

/* left <=> right, or not of it. */
struct sql_node *sql_make_is(struct sql_input *in, struct sql_place place, bool is,
                             struct sql_node *left, struct sql_node *right);

/* ---- types (build_types.c) ---- */

/* `numbers`: NULL, or what is in parentheses. */
struct data_type sql_scalar_type(struct sql_input *in, struct sql_place place, const char *name,
                                 const struct sql_list *numbers);
struct data_type sql_array_type(struct sql_input *in, struct sql_place place,
                                struct data_type element);
struct data_type sql_map_type(struct sql_input *in, struct sql_place place,
                              struct sql_place key_place, struct data_type key,
                              struct data_type value);
struct data_type sql_struct_type(struct sql_input *in, struct sql_place place,
                                 struct sql_list fields);

/* The type alone, for a literal. Static. */
const struct data_type *sql_plain_type(enum type kind);

/* ---- mistakes (mistake.c) ---- */

enum { TOKENS_MAX = 400 }; // numbers of tokens are below

/* What the grammar could use instead of a token, by the names that grammar.y gives its tokens. */
struct sql_expected {
    const char *names[TOKENS_MAX]; // NULL: not expected
};

void sql_expect(struct sql_expected *expected, int token, const char *name);

/* Refuses in->token: with the reason, if it is something that Spark has and we do not, else with
 * what was expected in its place. */
void sql_refuse_token(struct sql_input *in, struct sql_expected *expected);

/* ---- statements (build_statements.c) ---- */

struct sql_topic *sql_make_topic(struct sql_input *in, struct sql_place place, const char *name,
                                 struct sql_list fields, struct sql_place format_place,
                                 const char *format);
struct sql_topic *sql_topic_options(struct sql_input *in, struct sql_place place,
                                    struct sql_topic *topic, struct sql_list options);
struct sql_topic *sql_topic_comment(struct sql_input *in, struct sql_place place,
                                    struct sql_topic *topic, struct sql_string comment);
void sql_add_topic(struct sql_input *in, const struct sql_topic *topic);

struct sql_table *sql_make_table(struct sql_input *in, struct sql_place place, const char *name,
                                 struct sql_list columns);
struct sql_table *sql_table_partitions(struct sql_input *in, struct sql_place place,
                                       struct sql_table *table, struct sql_list names);
struct sql_table *sql_table_comment(struct sql_input *in, struct sql_place place,
                                    struct sql_table *table, struct sql_string comment);
struct sql_table *sql_table_properties(struct sql_input *in, struct sql_place place,
                                       struct sql_table *table, struct sql_list properties);

/* With the source and the views that `in` has. */
void sql_add_table(struct sql_input *in, struct sql_table *table, struct sql_list items,
                   struct sql_node *where);

struct sql_field sql_column_required(struct sql_input *in, struct sql_place place,
                                     struct sql_field column);
struct sql_field sql_column_comment(struct sql_input *in, struct sql_place place,
                                    struct sql_field column, struct sql_string comment);
struct sql_property sql_make_property(struct sql_input *in, struct sql_place place, const char *key,
                                      struct sql_place value_place, struct sql_string value);
const char *sql_join_key(struct sql_input *in, const char *key, const char *part);

struct sql_item sql_make_item(struct sql_input *in, struct sql_node *node, const char *alias,
                              struct sql_place alias_place);
void sql_set_source(struct sql_input *in, struct sql_place place, const char *name);
void sql_set_kafka_source(struct sql_input *in, struct sql_place place, const char *function,
                          struct sql_place topic_place, struct sql_string topic);
struct sql_view sql_make_view(struct sql_input *in, struct sql_place place, bool outer,
                              struct sql_place function_place, const char *function,
                              struct sql_node *argument, const char *name, struct sql_list aliases);
void sql_add_view(struct sql_input *in, struct sql_view view);

#endif
