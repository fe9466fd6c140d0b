/* grammar.y: the language of query files. docs/queries.md describes it for users; what each
 * construct becomes is in tree.h.
 *
 * It is a part of Spark SQL: what is accepted here, Spark accepts too, and gives it the same
 * structure. The two levels of expressions are Spark's: a condition (NOT, AND, OR and predicates such
 * as IN) consists of values, and only parentheses make a value of a condition again. So
 * `a = b IS NULL` is `(a = b) IS NULL`, and `a IS NULL = b` is refused.
 *
 * What Spark has and we do not is absent here. It is found as a syntax error, and mistake.c knows the
 * reason and what to write instead. Actions only call build.h: when one of its functions refuses
 * something, it returns a harmless value, and the next token ends the parse.
 *
 * Spark reserves no words. Here those that begin or continue an expression are reserved, because a
 * mistake near them is explained better: `name` lists the others. After a dot, after AS and in a
 * declaration every word is a name. */

%define api.prefix {sql_yy}
%define api.pure full
%define api.header.include {"sql/syntax/grammar.h"}
%define api.location.type {struct sql_place}
%define api.token.prefix {TOKEN_}
%define parse.error custom
%define parse.lac full
%locations
%param {struct sql_input *in}

%code requires {
#include "sql/syntax/build.h"
}

%union {
    const char *word;
    struct sql_string string;
    struct sql_number number;
    bool flag;
    struct sql_node *node;
    struct sql_list list;
    struct data_type type;
    struct sql_field field;
    struct sql_property property;
    struct sql_item item;
    struct sql_view view;
    struct sql_topic *topic;
    struct sql_table *table;
}

%code provides {
int sql_yylex(SQL_YYSTYPE *value, struct sql_place *place, struct sql_input *in); // lexer.re
}

%code {
// Where a construct begins. An empty one is where the text before it is.
#define YYLLOC_DEFAULT(current, of, count) ((current) = YYRHSLOC(of, (count) > 0 ? 1 : 0))

// One entry for each unfinished symbol. A level of nesting takes at most 7.
#define YYMAXDEPTH (10 * SQL_DEPTH_MAX)

static void sql_yyerror(const struct sql_place *place, struct sql_input *in, const char *message) {
    (void)message; // the stack is full
    sql_refuse(in, *place, "nested too deeply (limit: %d levels)", SQL_DEPTH_MAX);
}
}

%initial-action { @$ = (struct sql_place){1, 1}; }

/* What is to be read: the first token. */
%token START_FILE START_EXPRESSION START_TYPE

/* No text has these tokens. They name what is expected, in place of all that it can begin with. */
%token EXPRESSION_HERE "an expression" OPERATOR_HERE "an operator" TYPE_HERE "a type"
%token NAME_HERE "a name" ALIAS_HERE "another name" VALUE_HERE "a value" LENGTH_HERE MORE_TEXT_HERE

%token YYEOF 0 "the end of the text"
%token <word> NAME QUOTED_NAME
%token <string> STRING "a text in single quotes"
%token <number> INTEGER "a whole number" DECIMAL "a number" NUMBER
/* Words and symbols that only other statements of Spark have. */
%token <word> CLAUSE SYMBOL

/* Reserved in expressions. */
%token <word> ALL "ALL" AND "AND" AS "AS" BETWEEN "BETWEEN" CASE "CASE" CAST "CAST" DISTINCT "DISTINCT"
%token <word> DIV "DIV" ELSE "ELSE" FALSE "FALSE" FROM "FROM" IN "IN" IS "IS" LIKE "LIKE" NOT "NOT" NULL "NULL"
%token <word> OR "OR" SELECT "SELECT" THEN "THEN" TRUE "TRUE" TRY_CAST "TRY_CAST" WHEN "WHEN" WHERE "WHERE"
%token <word> LATERAL "LATERAL VIEW"

/* Names wherever a name is possible. */
%token <word> ARRAY "ARRAY" BY "BY" COMMENT "COMMENT" CREATE "CREATE" END "END" ESCAPE "ESCAPE" MAP "MAP"
%token <word> OPTIONS "OPTIONS" OUTER "OUTER" PARTITIONED "PARTITIONED BY" STREAM "STREAM"
%token <word> STREAMING "STREAMING TABLE" STRUCT "STRUCT" TABLE "TABLE" TBLPROPERTIES "TBLPROPERTIES"
%token <word> UNKNOWN "UNKNOWN" USING "USING" VIEW "VIEW"

%token NOT_EQUAL "<>" NULL_SAFE_EQUAL "<=>" AT_MOST "<=" AT_LEAST ">=" CONCAT "||" ARROW "->"

/* From the loosest to the closest. */
%left OR
%left AND
%precedence NOT '!'
%left '=' NOT_EQUAL NULL_SAFE_EQUAL '<' AT_MOST '>' AT_LEAST
%left '+' '-' CONCAT
%left '*' '/' '%' DIV
%precedence SIGN
%precedence OPERATOR_HERE

%nterm <word> name any_name reserved alias plain_word view_function
%nterm <string> string
%nterm <number> number
%nterm <flag> is outer not_null
%nterm <node> expression condition predicate value primary argument where
%nterm <list> expressions arguments argument_list branches lambda_names columns column_list
%nterm <list> struct_fields properties property_list partition_names items view_aliases
%nterm <type> type
%nterm <list> whole_numbers
%nterm <field> column struct_field
%nterm <word> comment
%nterm <property> property
%nterm <word> property_key
%nterm <string> property_value
%nterm <item> item
%nterm <view> view
%nterm <topic> topic
%nterm <table> table

%start start

%%

start:
  START_FILE statements
| START_EXPRESSION expression                   { in->expression = $2; }
| START_TYPE type                               { in->type = $2; }
;

/* ---- statements ---- */

statements:
  statement
| statements ';' statement
;

statement:
  %empty
| topic                                         { sql_add_topic(in, $1); }
| table AS SELECT all items FROM source views where
                                                { sql_add_table(in, $1, $5, $9); }
;

/* What a topic's records hold: CREATE TABLE name (fields) USING kafka OPTIONS (…) COMMENT '…' */
topic:
  CREATE TABLE any_name columns USING any_name  { $$ = sql_make_topic(in, @3, $3, $4, @6, $6); }
| topic OPTIONS properties                      { $$ = sql_topic_options(in, @2, $1, $3); }
| topic COMMENT string                          { $$ = sql_topic_comment(in, @2, $1, $3); }
;

/* CREATE STREAMING TABLE name (columns) PARTITIONED BY (names) COMMENT '…' TBLPROPERTIES (…) AS … */
table:
  CREATE STREAMING TABLE any_name columns       { $$ = sql_make_table(in, @4, $4, $5); }
| table PARTITIONED BY '(' partition_names ')'  { $$ = sql_table_partitions(in, @2, $1, $5); }
| table COMMENT string                          { $$ = sql_table_comment(in, @2, $1, $3); }
| table TBLPROPERTIES properties                { $$ = sql_table_properties(in, @2, $1, $3); }
;

columns:
  %empty                                        { $$ = (struct sql_list){0}; }
| '(' column_list ')'                           { $$ = $2; }
;

column_list:
  column                                        { $$ = sql_list_field(in, (struct sql_list){0}, $1); }
| column_list ',' column                        { $$ = sql_list_field(in, $1, $3); }
;

column:
  any_name type                                 { $$ = (struct sql_field){$1, $2, false, NULL, @1}; }
| column NOT NULL                               { $$ = sql_column_required(in, @2, $1); }
| column COMMENT string                         { $$ = sql_column_comment(in, @2, $1, $3); }
;

partition_names:
  any_name                                      { $$ = sql_list_name(in, (struct sql_list){0}, @1, $1); }
| partition_names ',' any_name                  { $$ = sql_list_name(in, $1, @3, $3); }
;

/* OPTIONS and TBLPROPERTIES: (key = value, kafka.key 'value', 'key' 10) */
properties:
  '(' property_list ')'                         { $$ = $2; }
;

property_list:
  property                                      { $$ = sql_list_property(in, (struct sql_list){0}, $1); }
| property_list ',' property                    { $$ = sql_list_property(in, $1, $3); }
;

property:
  property_key property_value                   { $$ = sql_make_property(in, @1, $1, @2, $2); }
| property_key '=' property_value               { $$ = sql_make_property(in, @1, $1, @3, $3); }
;

property_key:
  STRING                                        { $$ = sql_plain_text(in, @1, $1); }
| any_name
| property_key '.' any_name                     { $$ = sql_join_key(in, $1, $3); }
;

property_value:
  string
| INTEGER                                       { $$ = sql_string_of($1.text); }
| DECIMAL                                       { $$ = sql_string_of($1.text); }
| TRUE                                          { $$ = sql_string_of("true"); }
| FALSE                                         { $$ = sql_string_of("false"); }
| VALUE_HERE                                    { $$ = sql_string_of(""); }
;

/* ---- the query ---- */

all:
  %empty
| ALL
;

items:
  item                                          { $$ = sql_list_item(in, (struct sql_list){0}, @1, $1); }
| items ',' item                                { $$ = sql_list_item(in, $1, @3, $3); }
;

item:
  '*'                                           { $$ = sql_make_item(in, sql_make_star(in, @1), NULL, @1); }
| expression                                    { $$ = sql_make_item(in, $1, NULL, @1); }
| expression alias                              { $$ = sql_make_item(in, $1, $2, @2); }
| expression AS any_name                        { $$ = sql_make_item(in, $1, $3, @3); }
;

/* FROM STREAM topic, FROM STREAM(topic), FROM STREAM kafka('topic') */
source:
  stream
| stream alias                                  { in->source_alias = $2; }
| stream AS any_name                            { in->source_alias = $3; }
;

stream:
  STREAM any_name                               { sql_set_source(in, @2, $2); }
| STREAM '(' any_name ')'                       { sql_set_source(in, @3, $3); }
| STREAM any_name '(' string ')'                { sql_set_kafka_source(in, @2, $2, @4, $4); }
;

views:
  %empty
| views view                                    { sql_add_view(in, $2); }
;

/* LATERAL VIEW OUTER posexplode(array) x AS position, element */
view:
  LATERAL VIEW outer view_function '(' expression ')' alias view_aliases
                                                { $$ = sql_make_view(in, @1, $3, @4, $4, $6, $8, $9); }
;

outer:
  %empty                                        { $$ = false; }
| OUTER                                         { $$ = true; }
;

view_function:
  NAME
| QUOTED_NAME
| CLAUSE
| NAME_HERE                                     { $$ = ""; }
;

view_aliases:
  AS any_name                                   { $$ = sql_list_word(in, (struct sql_list){0}, $2); }
| alias                                         { $$ = sql_list_word(in, (struct sql_list){0}, $1); }
| view_aliases ',' any_name                     { $$ = sql_list_word(in, $1, $3); }
;

where:
  %empty                                        { $$ = NULL; }
| WHERE expression                              { $$ = $2; }
;

/* ---- expressions ---- */

expression:
  condition
;

condition:
  value
| predicate
| NOT condition                                 { $$ = sql_make_unary(in, @1, "not", $2); }
| '!' condition                                 { $$ = sql_make_unary(in, @1, "not", $2); }
| condition AND condition                       { $$ = sql_make_binary(in, @2, "and", $1, $3); }
| condition OR condition                        { $$ = sql_make_binary(in, @2, "or", $1, $3); }
;

predicate:
  value BETWEEN value AND value                 { $$ = sql_make_between(in, @2, $1, $3, $5); }
| value NOT BETWEEN value AND value             { $$ = sql_negate(in, @2, sql_make_between(in, @3, $1, $4, $6)); }
| value IN '(' expressions ')'                  { $$ = sql_make_in(in, @2, $1, $4); }
| value NOT IN '(' expressions ')'              { $$ = sql_negate(in, @2, sql_make_in(in, @3, $1, $5)); }
| value LIKE value                              { $$ = sql_make_like(in, @2, $1, $3); }
| value NOT LIKE value                          { $$ = sql_negate(in, @2, sql_make_like(in, @3, $1, $4)); }
| value LIKE value ESCAPE string                { $$ = sql_make_like_escape(in, @2, $1, $3, @5, $5); }
| value NOT LIKE value ESCAPE string            { $$ = sql_negate(in, @2, sql_make_like_escape(in, @3, $1, $4, @6, $6)); }
| value is NULL                                 { $$ = sql_make_unary(in, @2, $2 ? "isnull" : "isnotnull", $1); }
| value is UNKNOWN                              { $$ = sql_make_unary(in, @2, $2 ? "isnull" : "isnotnull", $1); }
| value is TRUE                                 { $$ = sql_make_is(in, @2, $2, $1, sql_make_leaf(in, @3, SQL_TRUE)); }
| value is FALSE                                { $$ = sql_make_is(in, @2, $2, $1, sql_make_leaf(in, @3, SQL_FALSE)); }
| value is DISTINCT FROM value                  { $$ = sql_make_is(in, @2, !$2, $1, $5); }
;

is:
  IS                                            { $$ = true; }
| IS NOT                                        { $$ = false; }
;

value:
  primary
| '-' value %prec SIGN                          { $$ = sql_make_unary(in, @1, "negative", $2); }
| '+' value %prec SIGN                          { $$ = sql_make_plus(in, @1, $2); }
| value '*' value                               { $$ = sql_make_binary(in, @2, "*", $1, $3); }
| value '/' value                               { $$ = sql_make_binary(in, @2, "/", $1, $3); }
| value '%' value                               { $$ = sql_make_binary(in, @2, "%", $1, $3); }
| value DIV value                               { $$ = sql_make_binary(in, @2, "div", $1, $3); }
| value '+' value                               { $$ = sql_make_binary(in, @2, "+", $1, $3); }
| value '-' value                               { $$ = sql_make_binary(in, @2, "-", $1, $3); }
| value CONCAT value                            { $$ = sql_make_binary(in, @2, "concat", $1, $3); }
| value '=' value                               { $$ = sql_make_binary(in, @2, "=", $1, $3); }
| value NOT_EQUAL value                         { $$ = sql_negate(in, @2, sql_make_binary(in, @2, "=", $1, $3)); }
| value NULL_SAFE_EQUAL value                   { $$ = sql_make_binary(in, @2, "<=>", $1, $3); }
| value '<' value                               { $$ = sql_make_binary(in, @2, "<", $1, $3); }
| value AT_MOST value                           { $$ = sql_make_binary(in, @2, "<=", $1, $3); }
| value '>' value                               { $$ = sql_make_binary(in, @2, ">", $1, $3); }
| value AT_LEAST value                          { $$ = sql_make_binary(in, @2, ">=", $1, $3); }
| value OPERATOR_HERE                           { $$ = NULL; }
;

primary:
  NULL                                          { $$ = sql_make_leaf(in, @1, SQL_NULL); }
| TRUE                                          { $$ = sql_make_leaf(in, @1, SQL_TRUE); }
| FALSE                                         { $$ = sql_make_leaf(in, @1, SQL_FALSE); }
| number                                        { $$ = sql_make_number(in, @1, $1); }
| string                                        { $$ = sql_make_string(in, @1, $1); }
| name STRING                                   { $$ = sql_make_literal(in, @1, $1, $2); }
| name                                          { $$ = sql_make_name(in, @1, $1); }
| primary '.' any_name                          { $$ = sql_make_field(in, @3, $1, $3); }
| primary '[' value ']'                         { $$ = sql_make_index(in, @2, $1, $3); }
| name '(' arguments ')'                        { $$ = sql_make_call(in, @1, $1, $3); }
| CAST '(' expression AS type ')'               { $$ = sql_make_cast(in, @1, SQL_CAST, $3, &$5); }
| TRY_CAST '(' expression AS type ')'           { $$ = sql_make_cast(in, @1, SQL_TRY_CAST, $3, &$5); }
| CASE branches END                             { $$ = sql_make_case(in, @1, NULL, $2, NULL); }
| CASE branches ELSE expression END             { $$ = sql_make_case(in, @1, NULL, $2, $4); }
| CASE expression branches END                  { $$ = sql_make_case(in, @1, $2, $3, NULL); }
| CASE expression branches ELSE expression END  { $$ = sql_make_case(in, @1, $2, $3, $5); }
| '(' expression ')'                            { $$ = $2; }
| EXPRESSION_HERE                               { $$ = NULL; }
;

number:
  INTEGER
| DECIMAL
| NUMBER
;

branches:
  WHEN expression THEN expression               { $$ = sql_list_node(in, sql_list_node(in, (struct sql_list){0}, $2), $4); }
| branches WHEN expression THEN expression      { $$ = sql_list_node(in, sql_list_node(in, $1, $3), $5); }
;

expressions:
  expression                                    { $$ = sql_list_node(in, (struct sql_list){0}, $1); }
| expressions ',' expression                    { $$ = sql_list_node(in, $1, $3); }
;

arguments:
  %empty                                        { $$ = (struct sql_list){0}; }
| argument_list
;

argument_list:
  argument                                      { $$ = sql_list_node(in, (struct sql_list){0}, $1); }
| argument_list ',' argument                    { $$ = sql_list_node(in, $1, $3); }
;

/* Lambdas are written in calls only. The body goes as far as it can. */
argument:
  expression
| name ARROW expression                         { $$ = sql_make_lambda(in, @1, sql_list_word(in, (struct sql_list){0}, $1), $3); }
| '(' lambda_names ')' ARROW expression         { $$ = sql_make_lambda(in, @1, $2, $5); }
;

lambda_names:
  name ',' name                                 { $$ = sql_list_word(in, sql_list_word(in, (struct sql_list){0}, $1), $3); }
| lambda_names ',' name                         { $$ = sql_list_word(in, $1, $3); }
;

/* ---- types ---- */

type:
  NAME                                          { $$ = sql_scalar_type(in, @1, $1, NULL); }
| NAME '(' whole_numbers ')'                    { $$ = sql_scalar_type(in, @1, $1, &$3); }
| ARRAY '<' type '>'                            { $$ = sql_array_type(in, @1, $3); }
| MAP '<' type ',' type '>'                     { $$ = sql_map_type(in, @1, @3, $3, $5); }
| STRUCT '<' struct_fields '>'                  { $$ = sql_struct_type(in, @1, $3); }
| NAME LENGTH_HERE                              { $$ = (struct data_type){0}; }
| TYPE_HERE                                     { $$ = (struct data_type){0}; }
;

whole_numbers:
  INTEGER                                       { $$ = sql_list_word(in, (struct sql_list){0}, $1.text); }
| whole_numbers ',' INTEGER                     { $$ = sql_list_word(in, $1, $3.text); }
;

struct_fields:
  struct_field                                  { $$ = sql_list_struct_field(in, (struct sql_list){0}, $1); }
| struct_fields ',' struct_field                { $$ = sql_list_struct_field(in, $1, $3); }
;

struct_field:
  any_name type not_null comment                { $$ = (struct sql_field){$1, $2, $3, $4, @1}; }
| any_name ':' type not_null comment            { $$ = (struct sql_field){$1, $3, $4, $5, @1}; }
;

not_null:
  %empty                                        { $$ = false; }
| NOT NULL                                      { $$ = true; }
;

comment:
  %empty                                        { $$ = NULL; }
| COMMENT string                                { $$ = sql_plain_text(in, @2, $2); }
;

/* ---- names and texts ---- */

string:
  strings                                       { $$ = sql_whole_string(in); }
;

/* Texts that follow each other are one text. */
strings:
  STRING                                        { sql_start_string(in, $1); }
| strings STRING                                { sql_continue_string(in, $2); }
| strings MORE_TEXT_HERE
;

any_name:
  name
| reserved
;

/* What can be a name without quotes in an expression. */
name:
  NAME
| QUOTED_NAME
| CLAUSE
| plain_word
| CREATE
| END
| ESCAPE
| NAME_HERE                                     { $$ = ""; }
;

/* What can follow an expression or a source as its name without AS. */
alias:
  NAME
| QUOTED_NAME
| plain_word
| END
| ALIAS_HERE                                    { $$ = ""; }
;

plain_word:
  ARRAY | BY | COMMENT | MAP | OPTIONS | OUTER | PARTITIONED | STREAM | STREAMING | STRUCT
| TABLE | TBLPROPERTIES | UNKNOWN | USING | VIEW
;

reserved:
  ALL | AND | AS | BETWEEN | CASE | CAST | DISTINCT | DIV | ELSE | FALSE | FROM | IN | IS | LATERAL | LIKE
| NOT | NULL | OR | SELECT | THEN | TRUE | TRY_CAST | WHEN | WHERE
;

%%
/* The number of a token, by its place in the tables. */
static int token_of(yysymbol_kind_t symbol) {
    int token = 0;
    while (token < TOKENS_MAX && YYTRANSLATE(token) != symbol)
        token++;
    return token;
}

static int yyreport_syntax_error(const yypcontext_t *context, struct sql_input *in) {
    struct sql_expected expected = {0};
    yysymbol_kind_t symbols[YYNTOKENS];
    int count = yypcontext_expected_tokens(context, symbols, YYNTOKENS);
    for (int i = 0; i < count; i++)
        sql_expect(&expected, token_of(symbols[i]), yysymbol_name(symbols[i]));
    sql_refuse_token(in, &expected);
    return 0;
}
