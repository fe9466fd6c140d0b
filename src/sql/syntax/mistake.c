/* mistake.c: what is wrong with a token, for people.
 *
 * First the table of reasons: what Spark has and we do not. Then the expected tokens, of which most
 * are replaced by a token that no text has, such as "an expression", if the grammar expects that.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/nearest.h"
#include "sql/syntax/build.h"
#include "sql/syntax/grammar.h" // made by Bison

enum { SHOWN_BYTES_MAX = 40 };

/* ---- reasons ---- */

#define ONE_RECORD "a query sees one record at a time"
#define NO_JOIN "JOIN is not supported: a query reads one topic. Join the tables it writes"
#define NO_BITS "operators on bits are not supported"
#define NO_CONSTRAINT "constraints other than NOT NULL are not supported"
#define ONE_PART "the name of a table has one part: leave out the one before the dot"

/* It applies if the token is `found` (or, with `previous`, if the one before it is) and `expects`
 * is 0 or a token that the grammar expects. The first row that applies decides. */
static const struct reason {
    const char *found;
    bool previous;
    int expects;
    const char *text;
} reasons[] = {
    // Statements.
    {"select", false, TOKEN_EXPRESSION_HERE, "subqueries are not supported: " ONE_RECORD},
    {"select", false, TOKEN_CREATE,
     "a query needs a table that it writes: CREATE STREAMING TABLE name AS SELECT …"},
    {"or", false, TOKEN_STREAMING,
     "OR REFRESH and OR REPLACE are not supported: write CREATE STREAMING TABLE, which "
     "continues a table that exists"},
    {"if", true, TOKEN_USING, "IF NOT EXISTS is not supported: leave it out"},
    {"if", true, TOKEN_TBLPROPERTIES,
     "IF NOT EXISTS is not supported: leave it out, an existing table is continued"},
    {"partitioned", false, TOKEN_USING,
     "a table that is made of a topic begins with CREATE STREAMING TABLE"},
    {".", false, TOKEN_USING, ONE_PART},
    {".", false, TOKEN_TBLPROPERTIES, ONE_PART},
    {".", false, TOKEN_LATERAL, ONE_PART},
    {"using", false, TOKEN_TBLPROPERTIES,
     "USING belongs to a topic's table: leave it out, a streaming table is written as Parquet"},
    {"options", false, TOKEN_TBLPROPERTIES,
     "OPTIONS belongs to a topic's table: write TBLPROPERTIES"},
    {"location", false, TOKEN_TBLPROPERTIES,
     "LOCATION is not supported: the directory can be set in TBLPROPERTIES"},
    {"cluster", false, TOKEN_TBLPROPERTIES, "CLUSTER BY is not supported: write PARTITIONED BY"},
    {"tblproperties", false, TOKEN_OPTIONS,
     "TBLPROPERTIES belongs to a streaming table: write OPTIONS"},
    {"partitioned", false, TOKEN_OPTIONS, "PARTITIONED BY belongs to a streaming table"},
    {"location", false, TOKEN_OPTIONS, "LOCATION is not supported: the records are in Kafka"},
    // Columns and types.
    {"default", false, TOKEN_COMMENT,
     "DEFAULT is not supported: write coalesce(value, default) in the query"},
    {"generated", false, TOKEN_COMMENT,
     "generated columns are not supported: compute the column in the query"},
    {"primary", false, TOKEN_COMMENT, NO_CONSTRAINT},
    {"unique", false, TOKEN_COMMENT, NO_CONSTRAINT},
    {"check", false, TOKEN_COMMENT, NO_CONSTRAINT},
    {"references", false, TOKEN_COMMENT, NO_CONSTRAINT},
    {":", false, TOKEN_TYPE_HERE,
     "a ':' between name and type is possible in a STRUCT only: leave it out"},
    {"<>", false, '<', "an empty type is not supported"},
    {"interval", true, 0, "INTERVAL is not supported: compute with numbers of seconds"},
    // What is selected.
    {"distinct", false, TOKEN_EXPRESSION_HERE, "DISTINCT is not supported: " ONE_RECORD},
    {"/*+", false, 0, "hints are not supported: leave it out"},
    {"except", false, TOKEN_FROM, "* EXCEPT is not supported: write the columns that are wanted"},
    {"as", false, ')', "AS in a call is not supported"},
    {"ignore", false, ')', "IGNORE NULLS is not supported: " ONE_RECORD},
    {"respect", false, ')', "RESPECT NULLS is not supported: " ONE_RECORD},
    {"as", false, TOKEN_ALIAS_HERE,
     "LATERAL VIEW needs a name in front of AS: LATERAL VIEW explode(array) x AS element"},
    {"using", true, TOKEN_FROM, "TRANSFORM … USING, which runs a program, is not supported"},
    // After the source.
    {",", false, TOKEN_LATERAL,
     "a query reads one topic; the elements of an array are read with "
     "LATERAL VIEW explode(array) x AS element"},
    {"join", false, 0, NO_JOIN},
    {"cross", false, 0, NO_JOIN},
    {"inner", false, 0, NO_JOIN},
    {"left", false, 0, NO_JOIN},
    {"right", false, 0, NO_JOIN},
    {"full", false, 0, NO_JOIN},
    {"semi", false, 0, NO_JOIN},
    {"anti", false, 0, NO_JOIN},
    {"natural", false, 0, NO_JOIN},
    {"group", false, 0, "GROUP BY is not supported: " ONE_RECORD ". Aggregate the table it writes"},
    {"having", false, 0, "HAVING is not supported: " ONE_RECORD ". Aggregate the table it writes"},
    {"order", false, 0, "ORDER BY is not supported: rows are written in the order of the topic"},
    {"sort", false, 0, "SORT BY is not supported: rows are written in the order of the topic"},
    {"cluster", false, 0,
     "CLUSTER BY is not supported: rows are written in the order of the topic"},
    {"distribute", false, 0,
     "DISTRIBUTE BY is not supported: a streaming table has PARTITIONED BY"},
    {"limit", false, 0, "LIMIT is not supported: a query reads its topic without end"},
    {"offset", false, 0,
     "OFFSET is not supported: a query starts at its starting offsets (TBLPROPERTIES)"},
    {"union", false, 0, "UNION is not supported: write a streaming table for each query"},
    {"except", false, 0, "EXCEPT is not supported: " ONE_RECORD},
    {"minus", false, 0, "MINUS is not supported: " ONE_RECORD},
    {"intersect", false, 0, "INTERSECT is not supported: " ONE_RECORD},
    {"with", false, TOKEN_SELECT, "WITH is not supported: a query is one SELECT"},
    {"window", false, 0, "windows are not supported: " ONE_RECORD},
    {"over", false, 0, "OVER is not supported: " ONE_RECORD},
    {"within", false, 0, "WITHIN GROUP is not supported: " ONE_RECORD},
    {"filter", false, 0, "FILTER (WHERE …) is not supported: " ONE_RECORD},
    {"pivot", false, 0, "PIVOT is not supported: " ONE_RECORD},
    {"unpivot", false, 0, "UNPIVOT is not supported: " ONE_RECORD},
    {"tablesample", false, 0, "TABLESAMPLE is not supported: a query reads all records"},
    {"lateral", false, TOKEN_OPERATOR_HERE, "LATERAL VIEW is written before WHERE"},
    // Operators.
    {"rlike", false, 0,
     "RLIKE is not supported, because regular expressions differ: write LIKE or startswith()"},
    {"regexp", false, 0,
     "REGEXP is not supported, because regular expressions differ: write LIKE or startswith()"},
    {"ilike", false, 0, "ILIKE is not supported: write lower(…) LIKE …"},
    {"collate", false, 0, "COLLATE is not supported: texts are compared byte by byte"},
    {"!", false, TOKEN_NOT, "'!' is not possible here: write NOT"},
    {"::", false, 0, "a::type is not supported: write CAST(a AS type)"},
    {":", false, TOKEN_OPERATOR_HERE,
     "a:b is not supported: declare the field in the topic's table and write a.b"},
    {"|>", false, 0, "|> is not supported: write the query as one SELECT"},
    {"=>", false, 0, "named arguments are not supported: leave out the name"},
    {"->", false, TOKEN_OPERATOR_HERE,
     "a lambda is possible only as an argument: transform(array, x -> …)"},
    {"$", false, 0, "${NAME} is replaced only in the quotes of OPTIONS and TBLPROPERTIES"},
    {"|", false, 0, NO_BITS},
    {"&", false, 0, NO_BITS},
    {"^", false, 0, NO_BITS},
    {"~", false, 0, NO_BITS},
    {"?", false, 0, "parameters are not supported"},
    {":", false, TOKEN_EXPRESSION_HERE, "parameters are not supported"},
    {"\\", false, 0, "a '\\' is possible in quotes only"},
};

static bool is_text(const struct sql_token *token, const char *text) {
    return token->length == strlen(text) && strncasecmp(token->start, text, token->length) == 0;
}

static bool follows_at_once(const struct sql_input *in) {
    return in->previous.start != NULL &&
           in->previous.start + in->previous.length == in->token.start;
}

/* substring(a FROM 2), trim(BOTH 'x' FROM a) and the like. */
static bool is_special_call(const struct sql_input *in) {
    static const char *const functions[] = {"extract", "overlay",   "position",
                                            "substr",  "substring", "trim"};
    static const char *const words[] = {"from", "for", "placing"};
    bool is_function = false, is_word = false;
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        is_function = is_function || is_text(&in->callee, functions[i]);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        is_word = is_word || is_text(&in->token, words[i]);
    return is_function && is_word;
}

/* Reasons that need more than one token. */
static const char *reason_of_two(const struct sql_input *in, const struct sql_expected *expected) {
    const struct sql_token *token = &in->token, *previous = &in->previous;
    bool is_shift = follows_at_once(in) && ((token->kind == '>' && previous->kind == '>') ||
                                            (token->kind == '<' && previous->kind == '<'));
    if (expected->names[')'] != NULL && is_special_call(in))
        return "words in a call are not supported: write the arguments with commas between them";
    if (is_shift && expected->names[TOKEN_EXPRESSION_HERE] != NULL)
        return NO_BITS;
    if (token->kind == '*' && previous->kind == '.')
        return "all fields of a STRUCT, as in a.*, are not supported: write the fields";
    if (token->kind == '*' && previous->kind == '(')
        return "'*' is not supported as an argument, and neither are aggregations such as count(*)";
    if (token->kind == '(' && previous->kind != TOKEN_AS && expected->names['.'] != NULL)
        return "the name of a function has one part: leave out the one before the dot";
    if (token->kind == '(' && previous->kind == TOKEN_AS &&
        expected->names[TOKEN_NAME_HERE] != NULL)
        return "names after AS are written without parentheses";
    if (token->kind == TOKEN_NOT && expected->names[TOKEN_EXPRESSION_HERE] != NULL)
        return "NOT is written in parentheses here: a = (NOT b)";
    if (token->kind == TOKEN_ALL && previous->kind == TOKEN_LIKE)
        return "LIKE ANY and LIKE ALL are not supported: join several LIKE with OR or AND";
    if (token->kind == '-' && expected->names[TOKEN_VALUE_HERE] != NULL && previous->kind == '=')
        return "a negative number is written in quotes here";
    if (token->kind == '-' && previous->kind == TOKEN_NAME && follows_at_once(in))
        return "a name with '-' is written in backticks";
    return NULL;
}

static const char *find_reason(const struct sql_input *in, const struct sql_expected *expected) {
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        const struct reason *reason = &reasons[i];
        const struct sql_token *token = reason->previous ? &in->previous : &in->token;
        bool is_name = token->kind == TOKEN_QUOTED_NAME || token->kind == TOKEN_STRING;
        bool applies = reason->expects == 0 || expected->names[reason->expects] != NULL;
        if (applies && !is_name && is_text(token, reason->found))
            return reason->text;
    }
    return reason_of_two(in, expected);
}

/* ---- what is expected ---- */

static const short plain_words[] = {TOKEN_NAME,        TOKEN_QUOTED_NAME,
                                    TOKEN_CLAUSE,      TOKEN_ARRAY,
                                    TOKEN_BY,          TOKEN_COMMENT,
                                    TOKEN_CREATE,      TOKEN_END,
                                    TOKEN_ESCAPE,      TOKEN_MAP,
                                    TOKEN_OPTIONS,     TOKEN_OUTER,
                                    TOKEN_PARTITIONED, TOKEN_STREAM,
                                    TOKEN_STREAMING,   TOKEN_STRUCT,
                                    TOKEN_TABLE,       TOKEN_TBLPROPERTIES,
                                    TOKEN_UNKNOWN,     TOKEN_USING,
                                    TOKEN_VIEW,        0};
static const short reserved_words[] = {
    TOKEN_ALL,  TOKEN_AND,      TOKEN_AS,   TOKEN_BETWEEN, TOKEN_CASE,
    TOKEN_CAST, TOKEN_DISTINCT, TOKEN_DIV,  TOKEN_ELSE,    TOKEN_FALSE,
    TOKEN_FROM, TOKEN_IN,       TOKEN_IS,   TOKEN_LATERAL, TOKEN_LIKE,
    TOKEN_NOT,  TOKEN_NULL,     TOKEN_OR,   TOKEN_SELECT,  TOKEN_THEN,
    TOKEN_TRUE, TOKEN_TRY_CAST, TOKEN_WHEN, TOKEN_WHERE,   0};
static const short expression_starts[] = {TOKEN_STRING,
                                          TOKEN_INTEGER,
                                          TOKEN_DECIMAL,
                                          TOKEN_NUMBER,
                                          TOKEN_NULL,
                                          TOKEN_TRUE,
                                          TOKEN_FALSE,
                                          TOKEN_CASE,
                                          TOKEN_CAST,
                                          TOKEN_NOT,
                                          TOKEN_TRY_CAST,
                                          TOKEN_ALL,
                                          '!',
                                          '-',
                                          '+',
                                          '(',
                                          '*',
                                          0};
static const short operators[] = {TOKEN_AND,
                                  TOKEN_OR,
                                  TOKEN_NOT,
                                  TOKEN_BETWEEN,
                                  TOKEN_DIV,
                                  TOKEN_IN,
                                  TOKEN_IS,
                                  TOKEN_LIKE,
                                  TOKEN_NOT_EQUAL,
                                  TOKEN_NULL_SAFE_EQUAL,
                                  TOKEN_AT_MOST,
                                  TOKEN_AT_LEAST,
                                  TOKEN_CONCAT,
                                  TOKEN_ARROW,
                                  TOKEN_STRING,
                                  '=',
                                  '<',
                                  '>',
                                  '+',
                                  '-',
                                  '*',
                                  '/',
                                  '%',
                                  '(',
                                  '.',
                                  '[',
                                  0};
static const short property_values[] = {
    TOKEN_STRING, TOKEN_INTEGER, TOKEN_DECIMAL, TOKEN_TRUE, TOKEN_FALSE, '.', 0};
static const short unseen[] = {TOKEN_NAME,   TOKEN_QUOTED_NAME, TOKEN_CLAUSE,         TOKEN_SYMBOL,
                               TOKEN_NUMBER, TOKEN_LENGTH_HERE, TOKEN_MORE_TEXT_HERE, 0};

static void hide(struct sql_expected *expected, const short *tokens) {
    for (; *tokens != 0; tokens++)
        expected->names[*tokens] = NULL;
}

/* A token that is always possible with another one says nothing next to it. */
static void hide_if(struct sql_expected *expected, int token, int other) {
    if (expected->names[other] != NULL)
        expected->names[token] = NULL;
}

static void hide_groups(struct sql_expected *expected) {
    const char **names = expected->names;
    bool between = names[TOKEN_AND] != NULL && names[TOKEN_OR] == NULL; // its AND is to come
    const char *and_name = names[TOKEN_AND];
    hide_if(expected, TOKEN_NAME_HERE, TOKEN_EXPRESSION_HERE);
    if (names[TOKEN_NAME_HERE] != NULL)
        hide(expected, reserved_words);
    if (names[TOKEN_EXPRESSION_HERE] != NULL)
        hide(expected, expression_starts);
    if (names[TOKEN_EXPRESSION_HERE] != NULL || names[TOKEN_ALIAS_HERE] != NULL ||
        names[TOKEN_NAME_HERE] != NULL)
        hide(expected, plain_words);
    if (names[TOKEN_OPERATOR_HERE] != NULL)
        hide(expected, operators);
    if (names[TOKEN_VALUE_HERE] != NULL)
        hide(expected, property_values);
    if (between && names[TOKEN_OPERATOR_HERE] != NULL)
        names[TOKEN_AND] = and_name;
    if (names[TOKEN_NOT] != NULL && names[TOKEN_COMMENT] != NULL)
        names[TOKEN_NOT] = "NOT NULL";
    hide_if(expected, TOKEN_ARRAY, TOKEN_TYPE_HERE);
    hide_if(expected, TOKEN_MAP, TOKEN_TYPE_HERE);
    hide_if(expected, TOKEN_STRUCT, TOKEN_TYPE_HERE);
    hide_if(expected, TOKEN_ALIAS_HERE, TOKEN_AS);
    hide_if(expected, TOKEN_ALIAS_HERE, TOKEN_FROM);
    hide_if(expected, '(', TOKEN_LENGTH_HERE);
    hide_if(expected, TOKEN_STRING, TOKEN_MORE_TEXT_HERE);
    hide_if(expected, TOKEN_YYEOF, ';');
    hide(expected, unseen);
}

/* Groups first, then words, then punctuation. */
static void print_expected(const struct sql_expected *expected, char *text, size_t size) {
    const char *shown[TOKENS_MAX];
    size_t count = 0, used = 0;
    for (int i = 256; i < TOKENS_MAX; i++)
        if (expected->names[i] != NULL)
            shown[count++] = expected->names[i];
    for (int i = 0; i < 256; i++)
        if (expected->names[i] != NULL)
            shown[count++] = expected->names[i];
    for (size_t i = 0; i < count; i++) {
        const char *joint = i == 0 ? "" : i + 1 == count ? " or " : ", ";
        used = text_append(text, size, used, "%s%s", joint, shown[i]);
    }
}

/* ---- what was found ---- */

/* At most SHOWN_BYTES_MAX of its bytes, in whole characters. */
static void print_found(const struct sql_token *token, char *text, size_t size) {
    bool is_text = token->kind == TOKEN_STRING;
    size_t shown = token->length;
    if (shown > SHOWN_BYTES_MAX)
        for (shown = SHOWN_BYTES_MAX; ((unsigned char)token->start[shown] & 0xC0) == 0x80;)
            shown--;
    if (token->kind == TOKEN_YYEOF)
        text_append(text, size, 0, "the end of the text");
    else
        text_append(text, size, 0, "%s%.*s%s%s", is_text ? "the text " : "'", (int)shown,
                    token->start, shown < token->length ? "…" : "", is_text ? "" : "'");
}

static bool is_in(int token, const short *tokens) {
    while (*tokens != 0 && *tokens != token)
        tokens++;
    return *tokens != 0;
}

/* The word that `token` was probably meant to be, of those that begin a clause. */
static bool find_nearest(const struct sql_token *token, struct nearest *nearest, char *given,
                         size_t size) {
    static const char *const words[] = {
        "CREATE",        "STREAMING", "TABLE",  "USING", "OPTIONS", "COMMENT",     "SELECT", "FROM",
        "STREAM",        "LATERAL",   "VIEW",   "OUTER", "WHERE",   "PARTITIONED", "BY",     "AS",
        "TBLPROPERTIES", "ARRAY",     "STRUCT", "THEN",  "ELSE",    "END"};
    snprintf(given, size, "%.*s", (int)(token->length < size ? token->length : 0), token->start);
    *nearest = (struct nearest){.given = given};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) > 2)
            nearest_offer(nearest, words[i]);
    return token->kind == TOKEN_NAME && nearest->word[0] != '\0';
}

/* What may help: a misspelt word, here or just before, or a word that is not a name. */
static void print_hint(const struct sql_input *in, bool wants_expression, char *text, size_t size) {
    struct nearest nearest;
    char given[64];
    bool is_word = is_in(in->token.kind, reserved_words) && in->token.kind != TOKEN_FROM &&
                   in->token.kind != TOKEN_WHERE;
    text[0] = '\0';
    if (wants_expression && is_word)
        snprintf(text, size, " (a name that is a word of SQL is written in backticks)");
    else if (find_nearest(&in->token, &nearest, given, sizeof given) ||
             find_nearest(&in->previous, &nearest, given, sizeof given))
        snprintf(text, size, " (is '%s' meant to be %s?)", given, nearest.word);
}

void sql_expect(struct sql_expected *expected, int token, const char *name) {
    if (token < TOKENS_MAX)
        expected->names[token] = name;
}

void sql_refuse_token(struct sql_input *in, struct sql_expected *expected) {
    if (in->failed)
        return;
    const char *reason = find_reason(in, expected);
    if (reason != NULL) {
        sql_refuse(in, in->token.place, "%s", reason);
        return;
    }
    char found[2 * SHOWN_BYTES_MAX], list[512] = "", hint[160];
    print_found(&in->token, found, sizeof found);
    print_hint(in, expected->names[TOKEN_EXPRESSION_HERE] != NULL, hint, sizeof hint);
    hide_groups(expected);
    print_expected(expected, list, sizeof list);
    sql_refuse(in, in->token.place, "found %s, expected %s%s", found, list, hint);
}
