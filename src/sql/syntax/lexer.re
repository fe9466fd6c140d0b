/* lexer.re: characters become tokens, as in Spark; re2c makes the C of it.
 *
 * The longest rule wins, and of equally long ones the first: `1d` is a number and `1dx` a name. The
 * text is whole UTF-8 and ends with a NUL. Places are counted on the way, so a text is gone through
 * twice, no matter how long its lines are.
 *
 * Words of the grammar have tokens of their own. CLAUSE is any word that begins a clause which only
 * Spark has: it can be a name, but not one without AS, so that `FROM STREAM riot JOIN …` is refused
 * at JOIN. SYMBOL is what nothing of ours has at all. */
#include <string.h>

#include "sql/syntax/build.h"
#include "sql/syntax/grammar.h" // made by Bison
#include "sql/syntax/strings.h"

/*!re2c
re2c:define:YYCTYPE = "unsigned char";
re2c:define:YYCURSOR = "in->cursor";
re2c:define:YYMARKER = "in->marker";
re2c:define:YYLIMIT = "in->limit";
re2c:yyfill:enable = 0;
re2c:eof = 0;
re2c:encoding:utf8 = 1;

space = [ \t\n\f\r\x0b\u00a0\u1680\u2000-\u200a\u2028\u202f\u205f\u3000];
digit = [0-9];
word = [A-Za-z0-9_];
letter = [^\x00-\x7f] \ space;
point = digit+ "." digit* | "." digit+;
exponent = 'e' [+-]? digit+;
*/

/* Counts the characters up to `at`; never goes back. */
static struct sql_place place_of(struct sql_input *in, const char *at) {
    for (; in->placed < at; in->placed++) {
        if (*in->placed == '\n') {
            in->place.line++;
            in->place.column = 1;
        } else if (((unsigned char)*in->placed & 0xC0) != 0x80) {
            in->place.column++;
        }
    }
    return in->place;
}

static const char *copy(struct sql_input *in, const char *start, const char *end) {
    return pool_copy(in->pool, (struct text){start, (uint32_t)(end - start)});
}

/* ---- comments ---- */

/* To the end of the line; a backslash in front of it continues the comment. */
static void skip_line_comment(struct sql_input *in) {
    while (in->cursor < in->limit && *in->cursor != '\n' && *in->cursor != '\r')
        in->cursor += in->cursor[0] == '\\' && in->cursor[1] == '\n' ? 2 : 1;
}

/* Comments can contain comments. False: it is not closed. */
static bool skip_comment(struct sql_input *in) {
    for (int depth = 1; depth > 0;) {
        if (in->cursor >= in->limit)
            return false;
        if (strncmp(in->cursor, "*/", 2) == 0) {
            depth--;
            in->cursor += 2;
        } else if (strncmp(in->cursor, "/*", 2) == 0 && in->cursor[2] != '+') {
            depth++;
            in->cursor += 2;
        } else {
            in->cursor++;
        }
    }
    return true;
}

/* ---- values of tokens ---- */

/* `name`, in which `` is a backtick. */
static const char *quoted_name(struct sql_input *in) {
    size_t length = (size_t)(in->cursor - in->token.start) - 2;
    char *name = pool_alloc(in->pool, length + 1, 1), *to = name;
    const char *from = in->token.start + 1;
    for (size_t i = 0; i < length; i++, to++) {
        *to = from[i];
        i += from[i] == '`';
    }
    if (length == 0)
        sql_refuse(in, in->token.place, "a name is empty");
    return name;
}

static int number(SQL_YYSTYPE *value, struct sql_input *in, int token, size_t suffix,
                  enum type type) {
    value->number.text = copy(in, in->token.start, in->cursor - suffix);
    value->number.type = suffix > 0 ? sql_plain_type(type) : NULL;
    return token;
}

/* A number with a point ends where no letter or digit follows. Otherwise Spark sees its digits
 * alone, or the point: `a.1b` is a path. */
static bool ends_well(const struct sql_input *in) {
    char next = *in->cursor;
    return !((next >= '0' && next <= '9') || (next >= 'a' && next <= 'z') ||
             (next >= 'A' && next <= 'Z') || next == '_');
}

static int before_point(SQL_YYSTYPE *value, struct sql_input *in) {
    in->cursor = in->token.start + strspn(in->token.start, "0123456789");
    if (in->cursor > in->token.start)
        return number(value, in, TOKEN_INTEGER, 0, TYPE_NULL);
    in->cursor++;
    return '.';
}

static int word_token(SQL_YYSTYPE *value, struct sql_input *in, int token) {
    value->word = copy(in, in->token.start, in->cursor);
    return token;
}

static int refused(struct sql_input *in, const char *why) {
    sql_refuse(in, in->token.place, "%s", why);
    return TOKEN_SQL_YYerror;
}

static int scan(SQL_YYSTYPE *value, struct sql_input *in) {
#define WORD(token) return word_token(value, in, TOKEN_##token)
#define POINT_NUMBER(token, suffix, type)                                                          \
    return ends_well(in) ? number(value, in, token, suffix, type) : before_point(value, in)
    for (;;) {
        in->token.start = in->cursor;
        in->token.place = place_of(in, in->cursor);
        /*!re2c
        $       { return TOKEN_YYEOF; }
        space+  { continue; }
        "--"    { skip_line_comment(in); continue; }
        "/*+"   { WORD(SYMBOL); }
        "/*"    {
            if (skip_comment(in))
                continue;
            return refused(in, "this comment has no end");
        }

        "'" ([^'\\\x00] | "\\" [^] | "''")* "'" {
            value->string = sql_unescape(in, in->token.place, in->token.start + 1,
                                         (size_t)(in->cursor - in->token.start) - 2);
            return TOKEN_STRING;
        }
        "'"     { return refused(in, "this text has no closing quote"); }
        'r' ['"] {
            return refused(in, "r'…' is not supported: write '…' and double each backslash");
        }
        "\""    { return refused(in, "texts are written in single quotes, names in backticks"); }
        "`" ([^`\x00] | "``")* "`" {
            value->word = quoted_name(in);
            return TOKEN_QUOTED_NAME;
        }
        "`"     { return refused(in, "this name has no closing backtick"); }

        digit+ 'l'              { return number(value, in, TOKEN_NUMBER, 1, TYPE_INT64); }
        digit+ 's'              { return number(value, in, TOKEN_NUMBER, 1, TYPE_INT16); }
        digit+ 'y'              { return number(value, in, TOKEN_NUMBER, 1, TYPE_INT8); }
        digit+                  { return number(value, in, TOKEN_INTEGER, 0, TYPE_NULL); }
        digit+ exponent         { return number(value, in, TOKEN_NUMBER, 0, TYPE_NULL); }
        point exponent          { POINT_NUMBER(TOKEN_NUMBER, 0, TYPE_NULL); }
        point                   { POINT_NUMBER(TOKEN_DECIMAL, 0, TYPE_NULL); }
        digit+ exponent? 'f'    { return number(value, in, TOKEN_NUMBER, 1, TYPE_FLOAT); }
        point exponent? 'f'     { POINT_NUMBER(TOKEN_NUMBER, 1, TYPE_FLOAT); }
        digit+ exponent? 'd'    { return number(value, in, TOKEN_NUMBER, 1, TYPE_DOUBLE); }
        point exponent? 'd'     { POINT_NUMBER(TOKEN_NUMBER, 1, TYPE_DOUBLE); }
        (digit+ | point) exponent? 'bd' {
            return refused(in, "numbers with BD are not supported: write CAST('1.5' AS DECIMAL(3,1))");
        }

        'all'           { WORD(ALL); }
        'and'           { WORD(AND); }
        'array'         { WORD(ARRAY); }
        'as'            { WORD(AS); }
        'between'       { WORD(BETWEEN); }
        'by'            { WORD(BY); }
        'case'          { WORD(CASE); }
        'cast'          { WORD(CAST); }
        'comment'       { WORD(COMMENT); }
        'create'        { WORD(CREATE); }
        'distinct'      { WORD(DISTINCT); }
        'div'           { WORD(DIV); }
        'else'          { WORD(ELSE); }
        'end'           { WORD(END); }
        'escape'        { WORD(ESCAPE); }
        'false'         { WORD(FALSE); }
        'from'          { WORD(FROM); }
        'in'            { WORD(IN); }
        'is'            { WORD(IS); }
        'lateral'       { WORD(LATERAL); }
        'like'          { WORD(LIKE); }
        'map'           { WORD(MAP); }
        'not'           { WORD(NOT); }
        'null'          { WORD(NULL); }
        'options'       { WORD(OPTIONS); }
        'or'            { WORD(OR); }
        'outer'         { WORD(OUTER); }
        'partitioned'   { WORD(PARTITIONED); }
        'select'        { WORD(SELECT); }
        'stream'        { WORD(STREAM); }
        'streaming'     { WORD(STREAMING); }
        'struct'        { WORD(STRUCT); }
        'table'         { WORD(TABLE); }
        'tblproperties' { WORD(TBLPROPERTIES); }
        'then'          { WORD(THEN); }
        'true'          { WORD(TRUE); }
        'try_cast'      { WORD(TRY_CAST); }
        'unknown'       { WORD(UNKNOWN); }
        'using'         { WORD(USING); }
        'view'          { WORD(VIEW); }
        'when'          { WORD(WHEN); }
        'where'         { WORD(WHERE); }

        'anti' | 'cluster' | 'collate' | 'cross' | 'distribute' | 'except' | 'filter' | 'full'
        | 'group' | 'having' | 'ilike' | 'inner' | 'intersect' | 'join' | 'left' | 'limit' | 'minus'
        | 'natural' | 'offset' | 'on' | 'order' | 'over' | 'pivot' | 'regexp' | 'right' | 'rlike'
        | 'semi' | 'sort' | 'tablesample' | 'union' | 'unpivot' | 'window' | 'within' {
            WORD(CLAUSE);
        }

        word+   { WORD(NAME); }
        (word | letter)+ {
            return refused(in, "a name with other characters than A to Z, 0 to 9 and '_' is "
                               "written in backticks");
        }

        "=" | "=="      { return '='; }
        "<>" | "!="     { return TOKEN_NOT_EQUAL; }
        "<=>"           { return TOKEN_NULL_SAFE_EQUAL; }
        "<=" | "!>"     { return TOKEN_AT_MOST; }
        ">=" | "!<"     { return TOKEN_AT_LEAST; }
        "||"            { return TOKEN_CONCAT; }
        "->"            { return TOKEN_ARROW; }
        [-+*/%<>!()[\],;.:] { return *in->token.start; }
        "::" | "=>" | "|>" | [^]  { WORD(SYMBOL); }
        *       { WORD(SYMBOL); }
        */
    }
#undef WORD
#undef POINT_NUMBER
}

int sql_yylex(SQL_YYSTYPE *value, struct sql_place *place, struct sql_input *in) {
    if (in->failed)
        return TOKEN_SQL_YYerror; // ends the parse, without another message
    if (in->first_token != 0) {
        int token = in->first_token;
        in->first_token = 0;
        return token;
    }
    in->previous = in->token;
    int token = scan(value, in);
    in->token.kind = token;
    in->token.length = (size_t)(in->cursor - in->token.start);
    if (token == '(')
        in->callee = in->previous;
    *place = in->token.place;
    return token;
}
