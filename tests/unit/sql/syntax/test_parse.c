#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "print_tree.h"

/* A text, and its tree or why it is refused. That Spark reads it the same: test_sql_grammar.py. */
struct example {
    const char *text, *expected;
};

static const struct example expressions[] = {
    {"a", "a"},
    {"a.b.c", "(. (. a b) c)"},
    {"a . b", "(. a b)"},
    {"a.`b c`", "(. a `b c`)"},
    {"`a``b`", "`a`b`"},
    {"(a).b", "(. a b)"},
    {"games[0].id", "(. ([] games 0) id)"},
    {"a[b + 1][-1]", "([] ([] a (+ b 1)) (negative 1))"},
    {"f(a)[0].b", "(. ([] (f a) 0) b)"},
    {"'abc'.b", "(. 'abc' b)"},
    {"CAST(a AS INT).b", "(. (cast a INT) b)"},
    {"CASE WHEN a THEN b END.c", "(. (case a b) c)"},
    {"match + timestamp + date + partition + offset + key + value + rank + user + order + end + "
     "begin",
     "(+ (+ (+ (+ (+ (+ (+ (+ (+ (+ (+ match timestamp) date) partition) offset) key) value) rank) "
     "user) order) end) begin)"},
    {"a.from.where.select.case", "(. (. (. (. a from) where) select) case)"},
    {"array[0] + map + struct", "(+ (+ ([] array 0) map) struct)"},
    {"array < 3", "(< array 3)"},
    {"interval + 1", "(+ interval 1)"},
    {"1a + a.1b", "(+ 1a (. a 1b))"},
    {"1 + 007", "(+ 1 007)"},
    {"1L + 2s + 3Y + 1.5F + 2d + 1e3f",
     "(+ (+ (+ (+ (+ 1:BIGINT 2:SMALLINT) 3:TINYINT) 1.5:FLOAT) 2:DOUBLE) 1e3:FLOAT)"},
    {"1.5 + .5 + 1. + 1e5 + 1.5E-3 + .5e+2", "(+ (+ (+ (+ (+ 1.5 .5) 1.) 1e5) 1.5E-3) .5e+2)"},
    {"1.e", "(. 1 e)"},
    {"99999999999999999999", "99999999999999999999"},
    {"-1", "(negative 1)"},
    {"- -a", "(negative (negative a))"},
    {"a - -1", "(- a (negative 1))"},
    {"2 -1", "(- 2 1)"},
    {"+1", "1"},
    {"-a.b[0]", "(negative ([] (. a b) 0))"},
    {"-a * b", "(* (negative a) b)"},
    {"a + b * c - d / e % f DIV g", "(- (+ a (* b c)) (div (% (/ d e) f) g))"},
    {"a - b - c", "(- (- a b) c)"},
    {"a || b || 'c'", "(concat (concat a b) 'c')"},
    {"a = b = c", "(= (= a b) c)"},
    {"a + 1 = b || c", "(= (+ a 1) (concat b c))"},
    {"a == b", "(= a b)"},
    {"a <> b", "(not (= a b))"},
    {"a != b", "(not (= a b))"},
    {"a <=> b", "(<=> a b)"},
    {"a < b AND c <= d AND e > f AND g >= h",
     "(and (and (and (< a b) (<= c d)) (> e f)) (>= g h))"},
    {"a !< b OR a !> b", "(or (>= a b) (<= a b))"},
    {"NOT a = b", "(not (= a b))"},
    {"NOT a AND b", "(and (not a) b)"},
    {"NOT NOT a", "(not (not a))"},
    {"!a", "(not a)"},
    {"a OR b AND c", "(or a (and b c))"},
    {"a AND b OR c AND d", "(or (and a b) (and c d))"},
    {"(a OR b) AND c", "(and (or a b) c)"},
    {"a IS NULL", "(isnull a)"},
    {"a IS NOT NULL", "(isnotnull a)"},
    {"a IS TRUE", "(<=> a TRUE)"},
    {"a IS NOT FALSE", "(not (<=> a FALSE))"},
    {"a IS UNKNOWN", "(isnull a)"},
    {"a IS DISTINCT FROM b", "(not (<=> a b))"},
    {"a IS NOT DISTINCT FROM b = c", "(<=> a (= b c))"},
    {"a = b IS NULL", "(isnull (= a b))"},
    {"a + b IS NOT NULL", "(isnotnull (+ a b))"},
    {"(a IS NULL) = b", "(= (isnull a) b)"},
    {"a BETWEEN 1 AND 2", "(and (>= a 1) (<= a 2))"},
    {"a BETWEEN 1 AND 2 AND b", "(and (and (>= a 1) (<= a 2)) b)"},
    {"a NOT BETWEEN b + 1 AND c = d", "(not (and (>= a (+ b 1)) (<= a (= c d))))"},
    {"NOT a BETWEEN 1 AND 2", "(not (and (>= a 1) (<= a 2)))"},
    {"a < b BETWEEN c AND d", "(and (>= (< a b) c) (<= (< a b) d))"},
    {"a IN (1, 'b', c)", "(in a 1 'b' c)"},
    {"a NOT IN (1)", "(not (in a 1))"},
    {"a IN (NULL)", "(in a NULL)"},
    {"a LIKE 'x%'", "(like a 'x%')"},
    {"a LIKE b = c", "(like a (= b c))"},
    {"a NOT LIKE 'x'", "(not (like a 'x'))"},
    {"a LIKE 'x/%' ESCAPE '/'", "(like a 'x/%' '/')"},
    {"a NOT LIKE 'x' ESCAPE '\\\\'", "(not (like a 'x' '\\x5c'))"},
    {"a LIKE 'x' ESCAPE 'é'", "(like a 'x' 'é')"},
    {"CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END", "(case a 1 b 2 3)"},
    {"CASE WHEN a THEN b END", "(case a b)"},
    {"CASE status WHEN 'running' THEN 'live' WHEN 'x' THEN 'y' ELSE status END",
     "(case (= status 'running') 'live' (= status 'x') 'y' status)"},
    {"CASE end WHEN 1 THEN end END", "(case (= end 1) end)"},
    {"CASE WHEN CASE WHEN a THEN b END THEN c END", "(case (case a b) c)"},
    {"CAST(a AS DECIMAL(10, 2))", "(cast a DECIMAL(10,2))"},
    {"cast(a AS ARRAY<STRUCT<b: INT>>)", "(cast a ARRAY<STRUCT<b: INT>>)"},
    {"TRY_CAST(a AS timestamp_ntz)", "(try_cast a TIMESTAMP_NTZ)"},
    {"f()", "(f)"},
    {"Concat_WS(' ', a.b, c)", "(concat_ws ' ' (. a b) c)"},
    {"if(a, b, c) + left(a, 1) + filter(a, b)", "(+ (+ (if a b c) (left a 1)) (filter a b))"},
    {"transform(a, x -> x.y + 1)", "(transform a (lambda (x) (+ (. x y) 1)))"},
    {"aggregate(a, 0, (acc, x) -> acc + x)", "(aggregate a 0 (lambda (acc x) (+ acc x)))"},
    {"exists(a, order -> order > 1 AND order < 5)",
     "(exists a (lambda (order) (and (> order 1) (< order 5))))"},
    {"transform(a, x -> transform(x, y -> y + x))",
     "(transform a (lambda (x) (transform x (lambda (y) (+ y x)))))"},
    {"DATE '2024-01-02'", "DATE'2024-01-02'"},
    {"date", "date"},
    {"date'2024-01-02' < TIMESTAMP '2024-01-02 03:04:05'",
     "(< DATE'2024-01-02' TIMESTAMP'2024-01-02 03:04:05')"},
    {"timestamp_ntz '2024-01-02' > timestamp_ltz '2024-01-02'",
     "(> TIMESTAMP_NTZ'2024-01-02' TIMESTAMP'2024-01-02')"},
    {"X'1Fa'", "BINARY'1Fa'"},
    {"'it''s' 'a' ' text'", "'it\\x27sa text'"},
    {"''", "''"},
    {"''''", "'\\x27'"},
    {"'a\\'b\\\"c\\\\d\\n\\t\\r\\b\\0\\Z'", "'a\\x27b\"c\\x5cd\\x0a\\x09\\x0d\\x08\\x00\\x1a'"},
    {"'\\%\\_\\q'", "'\\x5c%\\x5c_q'"},
    {"'\\141\\177\\177\\400\\18\\0x'", "'a\\x7f\\x7f40018\\x00x'"},
    {"'\\u0041\\u00e9\\U0001F600'", "'Aé😀'"},
    {"'\\ud83d\\ude00'", "'😀'"},
    {"'\\u00AB\\u00fF\\U0000aFfA\\uD7FF\\ue000'", "'«ÿ꿺퟿'"},
    {"'\\180\\108\\200\\100\\000\\177'", "'180108200@\\x00\\x7f'"},
    {"'\\udbff\\udfff\\ud800\\udc00\\uDBFF\\U0000DFFF'", "'􏿿𐀀􏿿'"},
    {"'\\U0010ffff'", "'􏿿'"},
    {"'\\u\\U\\1\\10'", "'uU110'"},
    {"'\\u00g1\\u00e'", "'u00g1u00e'"},
    {"'${not} a @ b'", "'${not} a @ b'"},
    {"NULL OR true OR False", "(or (or NULL TRUE) FALSE)"},
    {"a -- b", "a"},
    {"a /* b /* c */ d */ + e", "(+ a e)"},
    {"a /* b /*+ c */ + d", "(+ a d)"},
    {" a", "a"},
    {"a=-1", "(= a (negative 1))"},
    {"a<-1", "(< a (negative 1))"},
    {"a>-b", "(> a (negative b))"},
    {"x IN (y) AND z", "(and (in x y) z)"},
    {"f(case when a then b end, cast(c as int))", "(f (case a b) (cast c INT))"},
    {"f(x -> a IS NULL)", "(f (lambda (x) (isnull a)))"},
    {"f(x -> a = b IS NULL, c)", "(f (lambda (x) (isnull (= a b))) c)"},
    {"f(x -> x IN (1) AND NOT y OR z)", "(f (lambda (x) (or (and (in x 1) (not y)) z)))"},
};

static const struct example refused_expressions[] = {
    {"a.b.", "1:5: found the end of the text, expected a name"},
    {"a.", "1:3: found the end of the text, expected a name"},
    {"a[]", "1:3: found ']', expected an expression"},
    {"a[1", "1:4: found the end of the text, expected an operator or ']'"},
    {"(a", "1:3: found the end of the text, expected an operator or ')'"},
    {"a)", "1:2: found ')', expected an operator or the end of the text"},
    {"()", "1:2: found ')', expected an expression"},
    {"a,", "1:2: found ',', expected an operator or the end of the text"},
    {"a b", "1:3: found 'b', expected an operator or the end of the text"},
    {"a +", "1:4: found the end of the text, expected an expression"},
    {"+ a", "1:1: a '+' in front of a value is not supported: leave it out"},
    {"* a", "1:1: found '*', expected an expression"},
    {"*", "1:1: found '*', expected an expression"},
    {"a.*", "1:3: all fields of a STRUCT, as in a.*, are not supported: write the fields"},
    {"f(*)",
     "1:3: '*' is not supported as an argument, and neither are aggregations such as count(*)"},
    {"f(a,)", "1:5: found ')', expected an expression"},
    {"f(,a)", "1:3: found ',', expected an expression or ')'"},
    {"f(a b)", "1:5: found 'b', expected an operator, ')' or ','"},
    {"f(DISTINCT a)", "1:3: DISTINCT is not supported: a query sees one record at a time"},
    {"f(a) OVER (PARTITION BY b)", "1:6: OVER is not supported: a query sees one record at a time"},
    {"f(a) FILTER (WHERE b)",
     "1:6: FILTER (WHERE …) is not supported: a query sees one record at a time"},
    {"first(a IGNORE NULLS)",
     "1:9: IGNORE NULLS is not supported: a query sees one record at a time"},
    {"f(x => 1)", "1:5: named arguments are not supported: leave out the name"},
    {"f((x) -> x)", "1:7: a lambda is possible only as an argument: transform(array, x -> …)"},
    {"f((x, 1) -> x)", "1:7: found '1', expected a name"},
    {"x -> x", "1:3: a lambda is possible only as an argument: transform(array, x -> …)"},
    {"a = (x -> x)", "1:8: a lambda is possible only as an argument: transform(array, x -> …)"},
    {"a.b(c)", "1:4: the name of a function has one part: leave out the one before the dot"},
    {"struct(a AS b)", "1:10: AS in a call is not supported"},
    {"(SELECT 1)", "1:2: subqueries are not supported: a query sees one record at a time"},
    {"a IN (SELECT 1)", "1:7: subqueries are not supported: a query sees one record at a time"},
    {"EXISTS (SELECT 1)", "1:9: subqueries are not supported: a query sees one record at a time"},
    {"a IN ()", "1:7: found ')', expected an expression"},
    {"a IN b", "1:6: found 'b', expected '('"},
    {"a IS b", "1:6: found 'b', expected DISTINCT, FALSE, NOT, NULL, TRUE or UNKNOWN"},
    {"a NOT b", "1:7: found 'b', expected BETWEEN, IN or LIKE"},
    {"a = NOT b", "1:5: NOT is written in parentheses here: a = (NOT b)"},
    {"-NOT a", "1:2: NOT is written in parentheses here: a = (NOT b)"},
    {"a IS NULL IS NULL", "1:11: found 'IS', expected AND, OR or the end of the text"},
    {"a IN (1) = b", "1:10: found '=', expected AND, OR or the end of the text"},
    {"a ! IN (1)", "1:3: '!' is not possible here: write NOT"},
    {"a IS ! NULL", "1:6: '!' is not possible here: write NOT"},
    {"a BETWEEN 1", "1:12: found the end of the text, expected an operator or AND"},
    {"a BETWEEN 1 OR 2", "1:13: found 'OR', expected an operator or AND"},
    {"a LIKE ANY ('x')",
     "1:8: LIKE ANY and LIKE ALL are not supported: join several LIKE with OR or AND"},
    {"a LIKE ALL ('x')",
     "1:8: LIKE ANY and LIKE ALL are not supported: join several LIKE with OR or AND"},
    {"a NOT LIKE some ('x')",
     "1:12: LIKE ANY and LIKE ALL are not supported: join several LIKE with OR or AND"},
    {"a LIKE 'x' ESCAPE 'xx'", "1:19: ESCAPE needs a text of one character"},
    {"a LIKE 'x' ESCAPE ''", "1:19: ESCAPE needs a text of one character"},
    {"a LIKE 'x' ESCAPE b", "1:19: found 'b', expected a text in single quotes"},
    {"a RLIKE 'x'",
     "1:3: RLIKE is not supported, because regular expressions differ: write LIKE or startswith()"},
    {"a regexp 'x'", "1:3: REGEXP is not supported, because regular expressions differ: write LIKE "
                     "or startswith()"},
    {"a ILIKE 'x'", "1:3: ILIKE is not supported: write lower(…) LIKE …"},
    {"a COLLATE b", "1:3: COLLATE is not supported: texts are compared byte by byte"},
    {"a::INT", "1:2: a::type is not supported: write CAST(a AS type)"},
    {"a:b", "1:2: a:b is not supported: declare the field in the topic's table and write a.b"},
    {"a[1:2]", "1:4: a:b is not supported: declare the field in the topic's table and write a.b"},
    {"a | b", "1:3: operators on bits are not supported"},
    {"a & b", "1:3: operators on bits are not supported"},
    {"a ^ b", "1:3: operators on bits are not supported"},
    {"~a", "1:1: operators on bits are not supported"},
    {"a << 1", "1:4: operators on bits are not supported"},
    {"a >> 1", "1:4: operators on bits are not supported"},
    {"a >>> 1", "1:4: operators on bits are not supported"},
    {"a ? b", "1:3: parameters are not supported"},
    {":a", "1:1: parameters are not supported"},
    {"$a", "1:1: ${NAME} is replaced only in the quotes of OPTIONS and TBLPROPERTIES"},
    {"${a}", "1:1: ${NAME} is replaced only in the quotes of OPTIONS and TBLPROPERTIES"},
    {"@a", "1:1: found '@', expected an expression"},
    {"a \\ b", "1:3: a '\\' is possible in quotes only"},
    {"a # b", "1:3: found '#', expected an operator or the end of the text"},
    {"CASE END", "1:9: found the end of the text, expected an operator or WHEN"},
    {"CASE WHEN a END", "1:13: found 'END', expected an operator or THEN"},
    {"CASE WHEN a THEN b",
     "1:19: found the end of the text, expected an operator, ELSE, WHEN or END"},
    {"CASE a ELSE b END", "1:8: found 'ELSE', expected an operator or WHEN"},
    {"CAST(a)", "1:7: found ')', expected an operator or AS"},
    {"CAST(a AS)", "1:10: found ')', expected a type"},
    {"CAST(a AS INTT)", "1:11: unknown type 'INTT' (did you mean INT?)"},
    {"CAST(a AS INT", "1:14: found the end of the text, expected ')'"},
    {"INTERVAL 1 DAY", "1:10: INTERVAL is not supported: compute with numbers of seconds"},
    {"INTERVAL '1' DAY", "1:1: INTERVAL is not supported: compute with numbers of seconds"},
    {"trim(BOTH 'x' FROM a)", "1:6: BOTH in a call is not supported: write trim(text)"},
    {"trim(BOTH FROM a)",
     "1:11: words in a call are not supported: write the arguments with commas between them"},
    {"substring(a FROM 1 FOR 2)",
     "1:13: words in a call are not supported: write the arguments with commas between them"},
    {"extract(year FROM a)",
     "1:14: words in a call are not supported: write the arguments with commas between them"},
    {"overlay(a PLACING b FROM 1)",
     "1:11: words in a call are not supported: write the arguments with commas between them"},
    {"and", "1:1: found 'and', expected an expression (a name that is a word of SQL is written in "
            "backticks)"},
    {"a AND", "1:6: found the end of the text, expected an expression"},
    {"a AND AND b", "1:7: found 'AND', expected an expression (a name that is a word of SQL is "
                    "written in backticks)"},
    {"when", "1:1: found 'when', expected an expression (a name that is a word of SQL is written "
             "in backticks)"},
    {"1.5BD", "1:1: numbers with BD are not supported: write CAST('1.5' AS DECIMAL(3,1))"},
    {"1BD", "1:1: numbers with BD are not supported: write CAST('1.5' AS DECIMAL(3,1))"},
    {"\"a\"", "1:1: texts are written in single quotes, names in backticks"},
    {"r'a'", "1:1: r'…' is not supported: write '…' and double each backslash"},
    {"R\"a\"", "1:1: r'…' is not supported: write '…' and double each backslash"},
    {"name 'a'", "1:1: a text cannot follow 'name': only DATE, TIMESTAMP, TIMESTAMP_NTZ and X make "
                 "a literal of it"},
    {"'a", "1:1: this text has no closing quote"},
    {"`a", "1:1: this name has no closing backtick"},
    {"``", "1:1: a name is empty"},
    {"é", "1:1: a name with other characters than A to Z, 0 to 9 and '_' is written in backticks"},
    {"aé", "1:1: a name with other characters than A to Z, 0 to 9 and '_' is written in backticks"},
    {"a /* b", "1:3: this comment has no end"},
    {"a /*+ b */", "1:3: hints are not supported: leave it out"},
    {"'\\ud83d'", "1:1: \\ud83d in this text is not a character"},
    {"'\\ud83dx'", "1:1: \\ud83d in this text is not a character"},
    {"'\\U00110000'", "1:1: \\U00110000 in this text is not a character"},
    {"--", "1:3: found the end of the text, expected an expression"},
    {"'\\udc00'", "1:1: \\udc00 in this text is not a character"},
    {"'\\ud800\\ud800'", "1:1: \\ud800 in this text is not a character"},
    {"'\\udbff\\ue000'", "1:1: \\udbff in this text is not a character"},
    {"'\\udfff'", "1:1: \\udfff in this text is not a character"},
};

static const struct example types[] = {
    {"boolean", "BOOLEAN"},
    {"TINYINT", "TINYINT"},
    {"byte", "TINYINT"},
    {"smallint", "SMALLINT"},
    {"short", "SMALLINT"},
    {"int", "INT"},
    {"integer", "INT"},
    {"bigint", "BIGINT"},
    {"long", "BIGINT"},
    {"float", "FLOAT"},
    {"real", "FLOAT"},
    {"double", "DOUBLE"},
    {"string", "STRING"},
    {"binary", "BINARY"},
    {"date", "DATE"},
    {"timestamp", "TIMESTAMP"},
    {"timestamp_ltz", "TIMESTAMP"},
    {"timestamp_ntz", "TIMESTAMP_NTZ"},
    {"decimal", "DECIMAL(10,0)"},
    {"dec(5)", "DECIMAL(5,0)"},
    {"numeric(38, 38)", "DECIMAL(38,38)"},
    {"decimal(05,02)", "DECIMAL(5,2)"},
    {"array<int>", "ARRAY<INT>"},
    {"ARRAY<ARRAY<ARRAY<STRING>>>", "ARRAY<ARRAY<ARRAY<STRING>>>"},
    {"map<string, array<map<string, double>>>", "MAP<STRING, ARRAY<MAP<STRING, DOUBLE>>>"},
    {"struct<a: int, b string comment 'x', `c d`: date>", "STRUCT<a: INT, b: STRING, `c d`: DATE>"},
    {"struct<select: int, from int, array: array<int>, comment string, not int>",
     "STRUCT<select: INT, from: INT, array: ARRAY<INT>, comment: STRING, not: INT>"},
    {"array<struct<a: map<string, struct<b: int>>>>",
     "ARRAY<STRUCT<a: MAP<STRING, STRUCT<b: INT>>>>"},
};

static const struct example refused_types[] = {
    {"decimal()", "1:9: found ')', expected a whole number"},
    {"decimal(39)", "1:1: DECIMAL has at most 38 digits"},
    {"decimal(5, 6)", "1:1: the scale of DECIMAL(5,6) is larger than its precision"},
    {"decimal(0)", "1:1: DECIMAL needs a digit at least"},
    {"decimal(1, 2, 3)", "1:1: DECIMAL has a precision and a scale, not 3 numbers"},
    {"decimal(-1)", "1:9: found '-', expected a whole number"},
    {"decimal(1e1)", "1:9: found '1e1', expected a whole number"},
    {"decimal(100000000000000000000)", "1:1: DECIMAL has at most 38 digits"},
    {"int(5)", "1:1: the type INT has no length or precision"},
    {"timestamp(6)", "1:1: the type TIMESTAMP has no length or precision"},
    {"varchar(5)",
     "1:1: the type VARCHAR is not supported: write STRING: from_json has no VARCHAR"},
    {"char", "1:1: the type CHAR is not supported: write STRING: from_json has no CHAR"},
    {"interval", "1:1: the type INTERVAL is not supported: write INT or BIGINT, a number of "
                 "seconds for example"},
    {"interval day", "1:10: INTERVAL is not supported: compute with numbers of seconds"},
    {"variant", "1:1: the type VARIANT is not supported: declare the fields that are used as a "
                "STRUCT, or write STRING for the JSON text"},
    {"void", "1:1: the type VOID is not supported: write the type that the values have"},
    {"time", "1:1: the type TIME is not supported: write STRING"},
    {"geometry", "1:1: the type GEOMETRY is not supported: write STRING"},
    {"null", "1:1: found 'null', expected a type"},
    {"text", "1:1: the type TEXT is not supported: write STRING"},
    {"INTEGR", "1:1: unknown type 'INTEGR' (did you mean INTEGER?)"},
    {"strng", "1:1: unknown type 'strng' (did you mean STRING?)"},
    {"array", "1:6: found the end of the text, expected '<'"},
    {"map", "1:4: found the end of the text, expected '<'"},
    {"struct", "1:7: found the end of the text, expected '<'"},
    {"array<>", "1:6: an empty type is not supported"},
    {"array<int", "1:10: found the end of the text, expected '>'"},
    {"array<int>>", "1:11: found '>', expected the end of the text"},
    {"array(int)", "1:6: found '(', expected '<'"},
    {"map<int, string>", "1:5: the keys of a MAP are STRING, as in JSON"},
    {"map<string>", "1:11: found '>', expected ','"},
    {"struct<>", "1:7: an empty type is not supported"},
    {"struct<a>", "1:9: found '>', expected a type or ':'"},
    {"struct<a: int,>", "1:15: found '>', expected a name"},
    {"struct<a int b int>", "1:14: found 'b', expected NOT NULL, COMMENT, ',' or '>'"},
    {"struct<a.b: int>", "1:9: found '.', expected a type or ':'"},
    {"struct<a-b: int>", "1:9: a name with '-' is written in backticks"},
    {"struct<1: int>", "1:8: found '1', expected a name"},
    {"struct<'a': int>", "1:8: found the text 'a', expected a name"},
    {"struct<a: int not null>", "1:8: NOT NULL is not possible in a STRUCT, because from_json "
                                "ignores it: write it at a column of a streaming table"},
    {"struct<a: int comment>", "1:22: found '>', expected a text in single quotes"},
    {"`int`", "1:1: found '`int`', expected a type"},
    {"int int", "1:5: found 'int', expected the end of the text"},
    {"aray<int>", "1:5: found '<', expected the end of the text (is 'aray' meant to be ARRAY?)"},
    {"decimal<int>", "1:8: found '<', expected the end of the text"},
};

static const struct example statements[] = {
    {";;", ""},
    {"CREATE TABLE r (a INT, b STRUCT<c: INT>) USING kafka OPTIONS (subscribe 'x', kafka.a.b = "
     "'y', 'z' 10, w = true, v FALSE, u 1.50)",
     "(topic r (a INT, b STRUCT<c: INT>) options (subscribe='x', kafka.a.b='y', z='10', w='true', "
     "v='false', u='1.50'))"},
    {"create table r (a INT NOT NULL COMMENT 'x', b INT COMMENT 'y' NOT NULL) using KAFKA comment "
     "'a' 'b' options (a 'b');",
     "(topic r (a INT required comment 'x', b INT required comment 'y') options (a='b') comment "
     "'ab')"},
    {"CREATE TABLE r USING kafka", "(topic r ())"},
    {"CREATE TABLE `r s` (match INT, timestamp INT, `a b` INT, select INT, from INT, all INT, "
     "lateral INT, comment INT COMMENT 'c') USING kafka",
     "(topic r s (match INT, timestamp INT, a b INT, select INT, from INT, all INT, lateral INT, "
     "comment INT comment 'c'))"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r", "(table t (select a) (from r))"},
    {"CREATE STREAMING TABLE t (a INT NOT NULL COMMENT 'x', b DECIMAL(5,2)) PARTITIONED BY (a, b) "
     "COMMENT 'c' TBLPROPERTIES ('k' = 'v', a.b 1) AS SELECT a, b FROM STREAM r",
     "(table t (a INT required comment 'x', b DECIMAL(5,2)) by a by b comment 'c' properties "
     "(k='v', a.b='1') (select a b) (from r))"},
    {"CREATE STREAMING TABLE t COMMENT 'c' TBLPROPERTIES (k '${X:-y}') PARTITIONED BY (a) AS "
     "SELECT a FROM STREAM(r)",
     "(table t by a comment 'c' properties (k='${X:-y}') (select a) (from r))"},
    {"CREATE STREAMING TABLE t AS SELECT a x, b AS y, c AS select, d date, e end, f `g h`, * FROM "
     "STREAM r AS z",
     "(table t (select a:x b:y c:select d:date e:end f:g h *) (from r):z)"},
    {"CREATE STREAMING TABLE t AS SELECT ALL a FROM STREAM r z WHERE a = 1 AND NOT b",
     "(table t (select a) (from r):z where (and (= a 1) (not b)))"},
    {"CREATE STREAMING TABLE t AS SELECT key, value FROM STREAM kafka('my-topic') k",
     "(table t (select key value) (kafka my-topic):k)"},
    {"CREATE STREAMING TABLE t AS SELECT p FROM STREAM r LATERAL VIEW explode(a.b) x AS p",
     "(table t (select p) (from r) (explode (. a b) x p))"},
    {"CREATE STREAMING TABLE t AS SELECT p FROM STREAM r LATERAL VIEW OUTER posexplode(b) x AS "
     "pos, p LATERAL VIEW EXPLODE(p.c) y q, v WHERE p IS NOT NULL;",
     "(table t (select p) (from r) (outer posexplode b x pos p) (explode (. p c) y q v) where "
     "(isnotnull p))"},
    {"CREATE TABLE r (a INT) USING kafka;\n\n-- two\nCREATE STREAMING TABLE t AS SELECT a FROM "
     "STREAM r;\nCREATE STREAMING TABLE u AS SELECT a FROM STREAM r;",
     "(topic r (a INT))(table t (select a) (from r))(table u (select a) (from r))"},
};

static const struct example refused_statements[] = {
    {"CREATE", "1:7: found the end of the text, expected STREAMING TABLE or TABLE"},
    {"CREATE VIEW v AS SELECT 1", "1:8: found 'VIEW', expected STREAMING TABLE or TABLE"},
    {"CREATE OR REFRESH STREAMING TABLE t AS SELECT a FROM STREAM r",
     "1:8: OR REFRESH and OR REPLACE are not supported: write CREATE STREAMING TABLE, which "
     "continues a table that exists"},
    {"CREATE STREMING TABLE t AS SELECT a FROM STREAM r",
     "1:8: found 'STREMING', expected STREAMING TABLE or TABLE (is 'STREMING' meant to be "
     "STREAMING?)"},
    {"INSERT INTO x", "1:1: found 'INSERT', expected CREATE or ';'"},
    {"SELECT a FROM STREAM r",
     "1:1: a query needs a table that it writes: CREATE STREAMING TABLE name AS SELECT …"},
    {"CREATE TABLE r (a INT)", "1:23: found the end of the text, expected USING"},
    {"CREATE TABLE r (a INT) USING kakfa",
     "1:30: found 'kakfa', expected kafka: CREATE TABLE declares what a topic's records hold; the "
     "tables that are written are always Parquet"},
    {"CREATE TABLE r (a INT) USING parquet",
     "1:30: found 'parquet', expected kafka: CREATE TABLE declares what a topic's records hold; "
     "the tables that are written are always Parquet"},
    {"CREATE TABLE r (a INT,) USING kafka", "1:23: found ')', expected a name"},
    {"CREATE TABLE r () USING kafka", "1:17: found ')', expected a name"},
    {"CREATE TABLE r (a) USING kafka", "1:18: found ')', expected a type"},
    {"CREATE TABLE r (a, b) USING kafka", "1:18: found ',', expected a type"},
    {"CREATE TABLE r (a: INT) USING kafka",
     "1:18: a ':' between name and type is possible in a STRUCT only: leave it out"},
    {"CREATE TABLE r (a INT b INT) USING kafka",
     "1:23: found 'b', expected NOT NULL, COMMENT, ')' or ','"},
    {"CREATE TABLE r (a INT DEFAULT 1) USING kafka",
     "1:23: DEFAULT is not supported: write coalesce(value, default) in the query"},
    {"CREATE TABLE r (a INT GENERATED ALWAYS AS (1)) USING kafka",
     "1:23: generated columns are not supported: compute the column in the query"},
    {"CREATE TABLE r (a INT PRIMARY KEY) USING kafka",
     "1:23: constraints other than NOT NULL are not supported"},
    {"CREATE TABLE r (a INT NOT NULL NOT NULL) USING kafka", "1:32: NOT NULL is given twice"},
    {"CREATE TABLE r (a INT COMMENT 'a' COMMENT 'b') USING kafka", "1:35: COMMENT is given twice"},
    {"CREATE TABLE r (a-b INT) USING kafka", "1:18: a name with '-' is written in backticks"},
    {"CREATE TABLE db.r (a INT) USING kafka",
     "1:16: the name of a table has one part: leave out the one before the dot"},
    {"CREATE TABLE t (a INT) PARTITIONED BY (a) AS SELECT a FROM STREAM r",
     "1:24: a table that is made of a topic begins with CREATE STREAMING TABLE"},
    {"CREATE TABLE IF NOT EXISTS r (a INT) USING kafka",
     "1:17: IF NOT EXISTS is not supported: leave it out"},
    {"CREATE TABLE r (a INT) USING kafka TBLPROPERTIES (a = 'b')",
     "1:36: TBLPROPERTIES belongs to a streaming table: write OPTIONS"},
    {"CREATE TABLE r (a INT) USING kafka PARTITIONED BY (a)",
     "1:36: PARTITIONED BY belongs to a streaming table"},
    {"CREATE TABLE r (a INT) USING kafka LOCATION 'x'",
     "1:36: LOCATION is not supported: the records are in Kafka"},
    {"CREATE TABLE r (a INT) USING kafka OPTIONS (a)", "1:46: found ')', expected a value or '='"},
    {"CREATE TABLE r (a INT) USING kafka OPTIONS (a b)",
     "1:47: found 'b', expected a value or '='"},
    {"CREATE TABLE r (a INT) USING kafka OPTIONS (a = -1)",
     "1:49: a negative number is written in quotes here"},
    {"CREATE TABLE r (a INT) USING kafka OPTIONS (a = 1L)", "1:49: found '1L', expected a value"},
    {"CREATE TABLE r (a INT) USING kafka OPTIONS (a-b 'c')",
     "1:46: a name with '-' is written in backticks"},
    {"CREATE TABLE r (a INT) USING kafka OPTIONS (a ${X})",
     "1:47: ${NAME} is replaced only in the quotes of OPTIONS and TBLPROPERTIES"},
    {"CREATE TABLE r (a INT) USING kafka OPTIONS ()",
     "1:45: found ')', expected a name or a text in single quotes"},
    {"CREATE TABLE r (a INT) USING kafka OPTIONS (a 'b') OPTIONS (c 'd')",
     "1:52: OPTIONS is given twice"},
    {"CREATE TABLE r (a INT) USING kafka COMMENT 'a\\0b'",
     "1:36: a NUL character is not possible in this text"},
    {"CREATE TABLE r (a INT) USING kafka CREATE TABLE s (a INT) USING kafka",
     "1:36: found 'CREATE', expected COMMENT, OPTIONS or ';'"},
    {"CREATE STREAMING TABLE t",
     "1:25: found the end of the text, expected AS, COMMENT, PARTITIONED BY, TBLPROPERTIES or '('"},
    {"CREATE STREAMING TABLE IF NOT EXISTS t AS SELECT a FROM STREAM r",
     "1:27: IF NOT EXISTS is not supported: leave it out, an existing table is continued"},
    {"CREATE STREAMING TABLE db.t AS SELECT a FROM STREAM r",
     "1:26: the name of a table has one part: leave out the one before the dot"},
    {"CREATE STREAMING TABLE t USING parquet AS SELECT a FROM STREAM r",
     "1:26: USING belongs to a topic's table: leave it out, a streaming table is written as "
     "Parquet"},
    {"CREATE STREAMING TABLE t OPTIONS (a 'b') AS SELECT a FROM STREAM r",
     "1:26: OPTIONS belongs to a topic's table: write TBLPROPERTIES"},
    {"CREATE STREAMING TABLE t LOCATION 'x' AS SELECT a FROM STREAM r",
     "1:26: LOCATION is not supported: the directory can be set in TBLPROPERTIES"},
    {"CREATE STREAMING TABLE t CLUSTER BY (a) AS SELECT a FROM STREAM r",
     "1:26: CLUSTER BY is not supported: write PARTITIONED BY"},
    {"CREATE STREAMING TABLE t PARTITIONED BY (a DATE) AS SELECT a FROM STREAM r",
     "1:44: found 'DATE', expected ')' or ','"},
    {"CREATE STREAMING TABLE t PARTITIONED BY () AS SELECT a FROM STREAM r",
     "1:42: found ')', expected a name"},
    {"CREATE STREAMING TABLE t PARTITIONNED BY (a) AS SELECT a FROM STREAM r",
     "1:26: found 'PARTITIONNED', expected AS, COMMENT, PARTITIONED BY, TBLPROPERTIES or '(' (is "
     "'PARTITIONNED' meant to be PARTITIONED?)"},
    {"CREATE STREAMING TABLE t COMMENT 'a' COMMENT 'b' AS SELECT a FROM STREAM r",
     "1:38: COMMENT is given twice"},
    {"CREATE STREAMING TABLE t PARTITIONED BY (a) PARTITIONED BY (b) AS SELECT a FROM STREAM r",
     "1:45: PARTITIONED BY is given twice"},
    {"CREATE STREAMING TABLE t TBLPROPERTIES (a 'b') TBLPROPERTIES (a 'b') AS SELECT a FROM STREAM "
     "r",
     "1:48: TBLPROPERTIES is given twice"},
    {"CREATE STREAMING TABLE t AS FROM STREAM r SELECT a", "1:29: found 'FROM', expected SELECT"},
    {"CREATE STREAMING TABLE t AS (SELECT a FROM STREAM r)", "1:29: found '(', expected SELECT"},
    {"CREATE STREAMING TABLE t AS WITH x AS (SELECT 1) SELECT a FROM STREAM r",
     "1:29: WITH is not supported: a query is one SELECT"},
    {"CREATE STREAMING TABLE t AS SELECT FROM STREAM r",
     "1:36: found 'FROM', expected an expression"},
    {"CREATE STREAMING TABLE t AS SELECT a, FROM STREAM r",
     "1:39: found 'FROM', expected an expression"},
    {"CREATE STREAMING TABLE t AS SELECT a b c FROM STREAM r",
     "1:40: found 'c', expected FROM or ','"},
    {"CREATE STREAMING TABLE t AS SELECT a AS (b, c) FROM STREAM r",
     "1:41: names after AS are written without parentheses"},
    {"CREATE STREAMING TABLE t AS SELECT a AS 'b' FROM STREAM r",
     "1:41: found the text 'b', expected a name"},
    {"CREATE STREAMING TABLE t AS SELECT a group FROM STREAM r",
     "1:38: GROUP BY is not supported: a query sees one record at a time. Aggregate the table it "
     "writes"},
    {"CREATE STREAMING TABLE t AS SELECT DISTINCT a FROM STREAM r",
     "1:36: DISTINCT is not supported: a query sees one record at a time"},
    {"CREATE STREAMING TABLE t AS SELECT /*+ BROADCAST(r) */ a FROM STREAM r",
     "1:36: hints are not supported: leave it out"},
    {"CREATE STREAMING TABLE t AS SELECT TRANSFORM(a) USING 'cat' FROM STREAM r",
     "1:55: TRANSFORM … USING, which runs a program, is not supported"},
    {"CREATE STREAMING TABLE t AS SELECT * EXCEPT (a) FROM STREAM r",
     "1:38: * EXCEPT is not supported: write the columns that are wanted"},
    {"CREATE STREAMING TABLE t AS SELECT * AS x FROM STREAM r",
     "1:38: found 'AS', expected FROM or ','"},
    {"CREATE STREAMING TABLE t AS SELECT r.* FROM STREAM r",
     "1:38: all fields of a STRUCT, as in a.*, are not supported: write the fields"},
    {"CREATE STREAMING TABLE t AS SELECT (a + b FROM STREAM r",
     "1:43: found 'FROM', expected an operator or ')'"},
    {"CREATE STREAMING TABLE t AS SELECT CASE WHEN a THEN b FROM STREAM r",
     "1:55: found 'FROM', expected an operator, ELSE, WHEN or END"},
    {"CREATE STREAMING TABLE t AS SELECT when FROM STREAM r",
     "1:36: found 'when', expected an expression (a name that is a word of SQL is written in "
     "backticks)"},
    {"CREATE STREAMING TABLE t AS SELECT a FORM STREAM r",
     "1:43: found 'STREAM', expected FROM or ',' (is 'FORM' meant to be FROM?)"},
    {"CREATE STREAMING TABLE t AS SELECT a WHERE b",
     "1:38: found 'WHERE', expected an operator, AS, FROM or ','"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM r", "1:43: found 'r', expected STREAM"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREM r",
     "1:43: found 'STREM', expected STREAM (is 'STREM' meant to be STREAM?)"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM",
     "1:49: found the end of the text, expected a name or '('"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM a.b",
     "1:51: the name of a table has one part: leave out the one before the dot"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM topic('x')",
     "1:50: found 'topic', expected kafka: a query reads the table of a topic, or kafka('topic')"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM kafka(x)",
     "1:56: found 'x', expected a text in single quotes"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r x(a, b)",
     "1:53: found '(', expected WHERE, LATERAL VIEW or ';'"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r x y",
     "1:54: found 'y', expected WHERE, LATERAL VIEW or ';'"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r, STREAM s",
     "1:51: a query reads one topic; the elements of an array are read with LATERAL VIEW "
     "explode(array) x AS element"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r, LATERAL explode(b) AS x(p)",
     "1:51: a query reads one topic; the elements of an array are read with LATERAL VIEW "
     "explode(array) x AS element"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r JOIN s ON a",
     "1:52: JOIN is not supported: a query reads one topic. Join the tables it writes"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r LEFT JOIN s ON a",
     "1:52: JOIN is not supported: a query reads one topic. Join the tables it writes"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r |> WHERE a",
     "1:52: |> is not supported: write the query as one SELECT"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r WEHRE a",
     "1:58: found 'a', expected WHERE, LATERAL VIEW or ';' (is 'WEHRE' meant to be WHERE?)"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r WHERE",
     "1:57: found the end of the text, expected an expression"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r GROUP BY a",
     "1:52: GROUP BY is not supported: a query sees one record at a time. Aggregate the table it "
     "writes"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r HAVING a",
     "1:52: HAVING is not supported: a query sees one record at a time. Aggregate the table it "
     "writes"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r WHERE a ORDER BY a",
     "1:60: ORDER BY is not supported: rows are written in the order of the topic"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r LIMIT 1",
     "1:52: LIMIT is not supported: a query reads its topic without end"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r UNION ALL SELECT a FROM STREAM s",
     "1:52: UNION is not supported: write a streaming table for each query"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r TABLESAMPLE (10 PERCENT)",
     "1:52: TABLESAMPLE is not supported: a query reads all records"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r LATERAL VIEW explode(b) AS p",
     "1:76: LATERAL VIEW needs a name in front of AS: LATERAL VIEW explode(array) x AS element"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r LATERAL VIEW explode(b) x",
     "1:77: found the end of the text, expected AS"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r LATERAL VIEW explode(b) x AS (pos, p)",
     "1:81: names after AS are written without parentheses"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r LATERAL VIEW explode(b, c) x AS p",
     "1:74: found ',', expected an operator or ')'"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r LATERAL VIEW expolde(b) x AS p",
     "1:65: found 'expolde', expected explode or posexplode (did you mean explode?)"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r LATERAL VIEW explode_outer(b) x AS p",
     "1:65: explode_outer is not supported: write LATERAL VIEW OUTER explode(…)"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r LATERAL VIEW inline(b) x AS p, q",
     "1:65: inline is not supported: write LATERAL VIEW explode(…) x AS e, and e.field for each "
     "field"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r LATERAL VIEW size(b) x AS p",
     "1:65: found 'size', expected explode or posexplode"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r LATERAL explode(b) x AS p",
     "1:60: found 'explode', expected VIEW"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r LATERLA VIEW explode(b) x AS p",
     "1:60: found 'VIEW', expected WHERE, LATERAL VIEW or ';' (is 'LATERLA' meant to be LATERAL?)"},
    {"CREATE STREAMING TABLE t AS SELECT a FROM STREAM r WHERE a LATERAL VIEW explode(b) x AS p",
     "1:60: LATERAL VIEW is written before WHERE"},
    {"CREATE STREAMING TABLE t AS SELECT\n  a,\n  'é', b c d\nFROM STREAM r",
     "3:12: found 'd', expected FROM or ','"},
    {"CREATE TABLE r (a INT) USING `ka\tfka`",
     "1:30: found 'ka\\tfka', expected kafka: CREATE TABLE declares what a topic's records hold; "
     "the tables that are written are always Parquet"},
    {"CREATE TABLE r (a INT) USING kafka 'a\tb\033[31m'",
     "1:36: found the text 'a\\tb\\x1b[31m', expected COMMENT, OPTIONS or ';'"},
    {"CREATE TABLE r (a INT) USING kafka 'ééééééééééééééééééééééééééé'",
     "1:36: found the text 'ééééééééééééééééééé…, expected COMMENT, OPTIONS or ';'"},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- texts and their trees ---- */

enum start { EXPRESSION, TYPE, STATEMENTS };

/* What is read, or why it is not; owned by the caller. */
static char *read_text(enum start start, const char *text, size_t length, bool *is_read) {
    char *printed = NULL;
    size_t size;
    FILE *out = open_memstream(&printed, &size);
    assert_non_null(out);
    struct error err = {0};
    struct pool pool;
    struct sql_file file = {0};
    struct sql_node *node;
    struct data_type type;
    pool_init(&pool);
    *is_read = true;
    if (start == EXPRESSION && sql_parse_expression(text, length, &pool, &node, &err))
        print_node(out, node);
    else if (start == TYPE && sql_parse_type(text, length, &pool, &type, &err))
        print_type(out, &type);
    else if (start == STATEMENTS && sql_parse("a.sql", text, length, &file, &err))
        print_file(out, &file);
    else
        *is_read = false;
    if (!*is_read) {
        assert_int_equal(err.kind, ERROR_CONFIG);
        fputs(err.message, out);
    }
    pool_deinit(&pool);
    sql_file_deinit(&file);
    assert_int_equal(fclose(out), 0);
    return printed;
}

static void assert_read(enum start start, const char *text, const char *expected) {
    bool is_read;
    char *printed = read_text(start, text, strlen(text), &is_read);
    assert_string_equal(printed, expected);
    assert_true(is_read);
    free(printed);
}

static void assert_refused(enum start start, const char *text, size_t length,
                           const char *expected) {
    bool is_read;
    char *printed = read_text(start, text, length, &is_read);
    const char *path = start == STATEMENTS ? "a.sql:" : "";
    assert_memory_equal(printed, path, strlen(path));
    assert_string_equal(printed + strlen(path), expected);
    assert_false(is_read);
    free(printed);
}

static void assert_all_read(enum start start, const struct example *examples, size_t count) {
    for (size_t i = 0; i < count; i++)
        assert_read(start, examples[i].text, examples[i].expected);
}

static void assert_all_refused(enum start start, const struct example *examples, size_t count) {
    for (size_t i = 0; i < count; i++)
        assert_refused(start, examples[i].text, strlen(examples[i].text), examples[i].expected);
}

static void expressions_have_sparks_structure(void **state) {
    (void)state;
    assert_all_read(EXPRESSION, expressions, COUNT(expressions));
}

static void other_expressions_are_refused_with_the_reason(void **state) {
    (void)state;
    assert_all_refused(EXPRESSION, refused_expressions, COUNT(refused_expressions));
}

static void types_have_sparks_names(void **state) {
    (void)state;
    assert_all_read(TYPE, types, COUNT(types));
    for (size_t i = 0; i < COUNT(types); i++) // and what we write is read again
        assert_read(TYPE, types[i].expected, types[i].expected);
}

static void other_types_are_refused_with_the_reason(void **state) {
    (void)state;
    assert_all_refused(TYPE, refused_types, COUNT(refused_types));
}

static void statements_declare_topics_and_tables(void **state) {
    (void)state;
    assert_all_read(STATEMENTS, statements, COUNT(statements));
}

static void other_statements_are_refused_with_the_reason(void **state) {
    (void)state;
    assert_all_refused(STATEMENTS, refused_statements, COUNT(refused_statements));
}

/* ---- places ---- */

static void assert_place(struct sql_place place, int line, int column) {
    assert_int_equal(place.line, line);
    assert_int_equal(place.column, column);
}

static void parts_know_their_places(void **state) {
    (void)state;
    static const char text[] = "CREATE TABLE r (\n"
                               "  a INT,\n"
                               "  /*é*/`b` INT\n"
                               ") USING kafka\n"
                               "OPTIONS (\tk 'v');\r\n"
                               "CREATE STREAMING TABLE t (x INT) PARTITIONED BY (y)\n"
                               "AS SELECT 'é' || a.b [0] AS x, f(-1)\n"
                               "FROM STREAM r LATERAL VIEW explode(q) v AS w WHERE a IN (1)";
    struct sql_file file;
    struct error err;
    assert_true(sql_parse("a.sql", text, strlen(text), &file, &err));
    assert_string_equal(file.path, "a.sql");
    assert_place(file.topics[0].place, 1, 14);
    assert_place(file.topics[0].fields[0].place, 2, 3);
    assert_place(file.topics[0].fields[1].place, 3, 8);
    assert_place(file.topics[0].options[0].place, 5, 11);
    const struct sql_table *table = &file.tables[0];
    assert_place(table->place, 6, 24);
    assert_place(table->columns[0].place, 6, 27);
    assert_place(table->partition_columns[0].place, 6, 50);
    const struct sql_node *concat = table->items[0].node, *index = concat->children[1];
    assert_place(concat->place, 7, 15);
    assert_place(concat->children[0]->place, 7, 11);
    assert_place(index->place, 7, 22);
    assert_place(index->children[0]->place, 7, 20);
    assert_place(index->children[0]->children[0]->place, 7, 18);
    assert_place(table->items[0].alias_place, 7, 29);
    assert_place(table->items[1].node->place, 7, 32);
    assert_place(table->items[1].node->children[0]->place, 7, 34);
    assert_place(table->source.place, 8, 13);
    assert_place(table->views[0].place, 8, 15);
    assert_place(table->where->place, 8, 54);
    sql_file_deinit(&file);
}

static void a_byte_order_mark_is_skipped(void **state) {
    (void)state;
    assert_refused(STATEMENTS, "\xEF\xBB\xBFSELEC", 8,
                   "1:1: found 'SELEC', expected CREATE or ';' (is 'SELEC' meant to be SELECT?)");
}

static void text_that_is_not_utf8_is_refused_at_its_place(void **state) {
    (void)state;
    assert_refused(EXPRESSION, "'é'\n + '\xC3'", 10, "2:5: the text is not UTF-8");
    assert_refused(EXPRESSION, "-- \xED\xA0\x80", 6, "1:4: the text is not UTF-8");
    assert_refused(EXPRESSION, "a + \0b", 6, "1:5: found a NUL character");
}

/* ---- limits ---- */

/* `count` times `before`, `middle`, `count` times `after`; owned by the caller. */
static char *nested(const char *before, const char *middle, const char *after, size_t count) {
    size_t size = strlen(middle) + count * (strlen(before) + strlen(after)) + 1;
    char *text = malloc(size), *at = text;
    assert_non_null(text);
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, before);
    at = stpcpy(at, middle);
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, after);
    return text;
}

static const struct {
    const char *before, *middle, *after;
    size_t levels; // of one repetition
} nestings[] = {
    {"NOT ", "a", "", 1},
    {"- ", "a", "", 1},
    {"f(", "a", ")", 1},
    {"f(b, ", "a", ")", 1},
    {"", "a", ".b", 1},
    {"", "a", "[0]", 1},
    {"a[", "b", "]", 1},
    {"", "a", " + b", 1},
    {"a + (", "b", ")", 1},
    {"a = b + c * (", "d", ")", 3},
    {"a OR b AND NOT c IN (1, ", "d", ")", 4},
    {"CAST(", "a", " AS INT)", 1},
    {"CASE WHEN a THEN ", "b", " END", 1},
    {"CASE WHEN a THEN b ELSE c + CASE WHEN ", "d", " THEN e END END", 3},
    {"f(x -> ", "x", ")", 2},
    {"f((x, y) -> ", "x", ")", 2},
    {"a IN (", "b", ")", 1},
    {"a NOT IN (1, 2, ", "b", ")", 2},
    {"a LIKE (", "b", ")", 1},
};

static void expressions_are_nested_as_deep_as_promised_and_no_deeper(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(nestings); i++) {
        size_t most = (SQL_DEPTH_MAX - 1) / nestings[i].levels;
        const size_t counts[] = {most, most + 2, 10000};
        for (size_t j = 0; j < COUNT(counts); j++) {
            char *text =
                nested(nestings[i].before, nestings[i].middle, nestings[i].after, counts[j]);
            bool is_read;
            char *printed = read_text(EXPRESSION, text, strlen(text), &is_read);
            assert_int_equal(is_read, j == 0);
            if (j > 0)
                assert_non_null(strstr(printed, ": nested too deeply (limit: 200 levels)"));
            free(printed);
            free(text);
        }
    }
}

static void the_depth_of_parentheses_is_limited_too(void **state) {
    (void)state;
    char *text = nested("(", "a", ")", SQL_DEPTH_MAX);
    assert_read(EXPRESSION, text, "a");
    free(text);
    text = nested("(", "a", ")", 400000);
    assert_refused(EXPRESSION, text, strlen(text), "1:1998: nested too deeply (limit: 200 levels)");
    free(text);
}

static void types_are_nested_as_deep_as_promised_and_no_deeper(void **state) {
    (void)state;
    static const char *const openings[] = {"ARRAY<", "MAP<STRING, ", "STRUCT<a INT, b: "};
    for (size_t i = 0; i < COUNT(openings); i++) {
        const size_t counts[] = {DATA_TYPE_DEPTH_MAX - 1, DATA_TYPE_DEPTH_MAX, 50000};
        for (size_t j = 0; j < COUNT(counts); j++) {
            char *text = nested(openings[i], "INT", ">", counts[j]);
            bool is_read;
            char *printed = read_text(TYPE, text, strlen(text), &is_read);
            assert_int_equal(is_read, j == 0);
            if (j > 0)
                assert_non_null(strstr(printed, "nested too deeply"));
            free(printed);
            free(text);
        }
    }
}

/* BETWEEN and CASE x share a child, so a walk of the tree takes longer than its text is. */
static void a_tree_that_shares_its_children_is_bounded(void **state) {
    (void)state;
    char *text = nested("(", "a", " BETWEEN 1 AND 2)", 10);
    bool is_read;
    char *printed = read_text(EXPRESSION, text, strlen(text), &is_read);
    assert_true(is_read);
    free(printed);
    free(text);
    text = nested("(", "a", " BETWEEN 1 AND 2)", 60);
    assert_refused(EXPRESSION, text, strlen(text),
                   "1:301: the expression is too large (limit: 100000 parts)");
    free(text);
    text = nested("CASE ", "a", " WHEN 1 THEN 2 WHEN 2 THEN 3 WHEN 3 THEN 4 END", 60);
    printed = read_text(EXPRESSION, text, strlen(text), &is_read);
    assert_false(is_read);
    assert_non_null(strstr(printed, "the expression is too large"));
    free(printed);
    free(text);
}

static void assert_list(enum start start, const char *before, const char *one, const char *after,
                        size_t count, const char *expected) {
    char *all = malloc(strlen(before) + strlen(after) + 1 + count * (strlen(one) + 1));
    assert_non_null(all);
    char *at = stpcpy(all, before);
    for (size_t i = 0; i < count; i++) {
        at = stpcpy(at, i > 0 && *before != '-' ? "," : "");
        at = stpcpy(at, one);
    }
    stpcpy(at, after);
    bool is_read;
    char *printed = read_text(start, all, strlen(all), &is_read);
    assert_int_equal(is_read, expected == NULL);
    if (expected != NULL)
        assert_non_null(strstr(printed, expected));
    free(printed);
    free(all);
}

static void lists_have_a_limit(void **state) {
    (void)state;
    static const struct {
        enum start start;
        const char *before, *one, *after, *expected;
    } lists[] = {
        {STATEMENTS, "CREATE TABLE r (", "a INT", ") USING kafka", "more than 1000 columns"},
        {STATEMENTS, "CREATE STREAMING TABLE t AS SELECT ", "a", " FROM STREAM r",
         "more than 1000 columns"},
        {STATEMENTS, "CREATE STREAMING TABLE t PARTITIONED BY (", "a",
         ") AS SELECT a FROM STREAM r", "more than 1000 columns"},
        {STATEMENTS, "CREATE TABLE r (a INT) USING kafka OPTIONS (", "a 'b'", ")",
         "more than 1000 properties"},
        {TYPE, "STRUCT<", "a: INT", ">", "more than 1000 fields in a STRUCT"},
        {STATEMENTS, "-- each is a statement\n", "CREATE TABLE r (a INT) USING kafka;", "",
         "more than 1000 topics in a file"},
    };
    for (size_t i = 0; i < COUNT(lists); i++) {
        assert_list(lists[i].start, lists[i].before, lists[i].one, lists[i].after, SQL_COLUMNS_MAX,
                    NULL);
        assert_list(lists[i].start, lists[i].before, lists[i].one, lists[i].after,
                    SQL_COLUMNS_MAX + 1, lists[i].expected);
    }
    assert_list(EXPRESSION, "a IN (", "1", ")", 50000, NULL);
    assert_list(EXPRESSION, "a IN (", "1", ")", 400000, "the expression is too large");
}

static void a_file_has_a_limit(void **state) {
    (void)state;
    char *text = nested(" ", "", "", SQL_FILE_BYTES_MAX + 1);
    bool is_read;
    char *printed = read_text(STATEMENTS, text, SQL_FILE_BYTES_MAX, &is_read);
    assert_true(is_read);
    free(printed);
    assert_refused(STATEMENTS, text, SQL_FILE_BYTES_MAX + 1,
                   "1:1: the text is too long: 1048577 bytes (limit: 1048576)");
    free(text);
}

static void a_key_has_a_limit(void **state) {
    (void)state;
    char *key = nested("", "CREATE TABLE r (a INT) USING kafka OPTIONS (a", ".b", 100000);
    bool is_read;
    char *printed = read_text(STATEMENTS, key, strlen(key), &is_read);
    assert_false(is_read);
    assert_non_null(strstr(printed, "the key is too long (limit: 1000 bytes)"));
    free(printed);
    free(key);
}

/* Places are counted once, however long a line is, and texts are joined in linear time: otherwise
 * this test would take minutes. */
static void large_files_are_read(void **state) {
    (void)state;
    assert_list(EXPRESSION, "--\n", "'abc' ", "", 150000, NULL);
    assert_list(STATEMENTS, "-- empty statements\n", ";", "", 1000000, NULL);
    assert_list(EXPRESSION, "-- comments\na", "/* b */", "", 100000, NULL);
    assert_list(EXPRESSION, "-- open\n", "/*", "", 500000, "this comment has no end");
    assert_list(EXPRESSION, "-- no quote\n'", "\\'", "", 500000, "this text has no closing quote");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_have_sparks_structure),
        cmocka_unit_test(other_expressions_are_refused_with_the_reason),
        cmocka_unit_test(types_have_sparks_names),
        cmocka_unit_test(other_types_are_refused_with_the_reason),
        cmocka_unit_test(statements_declare_topics_and_tables),
        cmocka_unit_test(other_statements_are_refused_with_the_reason),
        cmocka_unit_test(parts_know_their_places),
        cmocka_unit_test(a_byte_order_mark_is_skipped),
        cmocka_unit_test(text_that_is_not_utf8_is_refused_at_its_place),
        cmocka_unit_test(expressions_are_nested_as_deep_as_promised_and_no_deeper),
        cmocka_unit_test(the_depth_of_parentheses_is_limited_too),
        cmocka_unit_test(types_are_nested_as_deep_as_promised_and_no_deeper),
        cmocka_unit_test(a_tree_that_shares_its_children_is_bounded),
        cmocka_unit_test(lists_have_a_limit),
        cmocka_unit_test(a_file_has_a_limit),
        cmocka_unit_test(a_key_has_a_limit),
        cmocka_unit_test(large_files_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
