/* table.c: the table of functions, and what is refused. */
#include <stdlib.h>
#include <string.h>

#include "sql/functions/function.h"
#include "sql/functions/resolve.h"

enum { ANY = FUNCTION_ARGUMENTS_ANY };

/* How tightly operators bind, as in Spark's grammar. */
enum {
    BIND_OR = 1,
    BIND_AND,
    BIND_NOT,
    BIND_PREDICATE,
    BIND_COMPARE,
    BIND_ADD,
    BIND_MULTIPLY,
    BIND_SIGN,
    BIND_INDEX = 100
};

/* clang-format off: one function per row reads better than the formatter's layout */
const struct function functions[] = {
    {"%", 2, 2, FORM_INFIX, BIND_MULTIPLY, "%", "a % b",
     "Remainder, with the sign of a; NULL where b is 0", "-7 % 3", .resolve = resolve_remainder},
    {"*", 2, 2, FORM_INFIX, BIND_MULTIPLY, "*", "a * b", "Product; whole numbers wrap around",
     "6 * 7", .resolve = resolve_multiply},
    {"+", 2, 2, FORM_INFIX, BIND_ADD, "+", "a + b", "Sum; whole numbers wrap around", "1 + 2",
     .resolve = resolve_add},
    {"-", 2, 2, FORM_INFIX, BIND_ADD, "-", "a - b", "Difference; whole numbers wrap around",
     "3 - 2", .resolve = resolve_subtract},
    {"/", 2, 2, FORM_INFIX, BIND_MULTIPLY, "/", "a / b",
     "Quotient as a DOUBLE, also of whole numbers; NULL where b is 0", "7 / 2",
     .resolve = resolve_divide},
    {"<", 2, 2, FORM_INFIX, BIND_COMPARE, "<", "a < b",
     "Whether a is less than b; NaN is greater than every number", "1 < 2",
     .resolve = resolve_less},
    {"<=", 2, 2, FORM_INFIX, BIND_COMPARE, "<=", "a <= b", "Whether a is less than or equal to b",
     "2 <= 2", .resolve = resolve_less_or_equal},
    {"<=>", 2, 2, FORM_INFIX, BIND_COMPARE, "<=>", "a <=> b",
     "Whether both are equal or both are NULL; never NULL itself", "NULL <=> 1",
     .resolve = resolve_same},
    {"=", 2, 2, FORM_INFIX, BIND_COMPARE, "=", "a = b",
     "Whether a equals b; a text and a number are compared as numbers", "'1.0' = 1",
     .resolve = resolve_equal},
    {">", 2, 2, FORM_INFIX, BIND_COMPARE, ">", "a > b",
     "Whether a is greater than b; NaN is greater than every number", "2 > 1",
     .resolve = resolve_greater},
    {">=", 2, 2, FORM_INFIX, BIND_COMPARE, ">=", "a >= b",
     "Whether a is greater than or equal to b", "2 >= 2", .resolve = resolve_greater_or_equal},
    {"[]", 2, 2, FORM_INDEX, BIND_INDEX, "[]", "a[i]",
     "Element of an ARRAY, from 0, or value of a MAP by its key, the first one with this key; NULL "
     "if there is none",
     "list[0]", .resolve = resolve_index},
    {"abs", 1, 1, FORM_CALL, 0, NULL, "abs(x)",
     "Absolute value; that of the least whole number is itself", "abs(-5)", .resolve = resolve_abs},
    {"aggregate", 3, 4, FORM_CALL, 0, NULL, "aggregate(array, start, (a, x) -> … [, a -> …])",
     "Begins with the start as a, and for each element x makes a new a; the last lambda makes the "
     "result of the last a. All values of a have one type",
     "aggregate(list, 0, (a, x) -> a + x)", .resolve = resolve_aggregate, .is_lazy = true,
     .lambdas = 1 << 2 | 1 << 3, .parameters = parameters_of_aggregate},
    {"and", 2, 2, FORM_INFIX, BIND_AND, "AND", "a AND b",
     "Whether both are true; false where either is false, no matter what the other is",
     "NULL AND false", .resolve = resolve_and, .is_lazy = true},
    {"array_contains", 2, 2, FORM_CALL, 0, NULL, "array_contains(array, x)",
     "Whether an element equals x; NULL if none does and an element is NULL",
     "array_contains(list, 2)", .resolve = resolve_array_contains},
    {"btrim", 1, 1, FORM_CALL, 0, NULL, "btrim(text)", "The same as trim", "btrim('  a ')",
     .resolve = resolve_trim},
    {"cardinality", 1, 1, FORM_CALL, 0, NULL, "cardinality(array)", "The same as size",
     "cardinality(list)", .resolve = resolve_size},
    {"case", 2, ANY, FORM_CASE, 0, NULL, "CASE WHEN a THEN b … ELSE c END",
     "The value of the first condition that is true; else that of ELSE, or NULL",
     "CASE WHEN 1 > 2 THEN 'a' ELSE 'b' END", .resolve = resolve_case, .is_lazy = true},
    {"ceil", 1, 1, FORM_CALL, 0, NULL, "ceil(x)", "The least BIGINT that is not less than x",
     "ceil(-1.5D)", .resolve = resolve_ceil},
    {"ceiling", 1, 1, FORM_CALL, 0, NULL, "ceiling(x)", "The same as ceil", "ceiling(-1.5D)",
     .resolve = resolve_ceil},
    {"char_length", 1, 1, FORM_CALL, 0, NULL, "char_length(text)", "The same as length",
     "char_length('abc')", .resolve = resolve_length},
    {"coalesce", 1, ANY, FORM_CALL, 0, NULL, "coalesce(a, b, …)",
     "The first value that is not NULL", "coalesce(NULL, 'a')", .resolve = resolve_coalesce,
     .is_lazy = true},
    {"concat", 0, ANY, FORM_CALL, 0, NULL, "concat(a, b, …)",
     "The texts one after the other; NULL if one of them is NULL. Also written a || b",
     "concat('a', 1)", .resolve = resolve_concat},
    {"concat_ws", 1, ANY, FORM_CALL, 0, NULL, "concat_ws(separator, a, b, …)",
     "The texts that are not NULL, with the separator between them; an ARRAY of texts is as many",
     "concat_ws('-', 'a', NULL, 'b')", .resolve = resolve_concat_ws},
    {"contains", 2, 2, FORM_CALL, 0, NULL, "contains(text, piece)",
     "Whether the piece is in the text", "contains('abc', 'b')", .resolve = resolve_contains},
    {"date_trunc", 2, 2, FORM_CALL, 0, NULL, "date_trunc(unit, timestamp)",
     "The beginning of the year, quarter, month, week, day, hour, minute, second, millisecond or "
     "microsecond; the unit is a literal",
     "date_trunc('HOUR', timestamp_seconds(1717245045))", .resolve = resolve_date_trunc,
     .throws = "timestamps before the year -290300", .guard = guard_date_trunc},
    {"day", 1, 1, FORM_CALL, 0, NULL, "day(date)", "Day of the month", "day(DATE '2024-06-01')",
     .resolve = resolve_day},
    {"dayofmonth", 1, 1, FORM_CALL, 0, NULL, "dayofmonth(date)", "The same as day",
     "dayofmonth(DATE '2024-06-01')", .resolve = resolve_day},
    {"div", 2, 2, FORM_INFIX, BIND_MULTIPLY, "DIV", "a DIV b",
     "Quotient of whole numbers as a BIGINT, without its fraction; NULL where b is 0", "7 DIV 2",
     .resolve = resolve_div},
    {"element_at", 2, 2, FORM_CALL, 0, NULL, "element_at(array, place)",
     "Element of an ARRAY, from 1, or from -1 at the end, or value of a MAP by its key; NULL if "
     "there is none",
     "element_at(list, -1)", .resolve = resolve_element_at, .throws = "places 0 and -2147483648",
     .guard = guard_element_at},
    {"endswith", 2, 2, FORM_CALL, 0, NULL, "endswith(text, piece)",
     "Whether the text ends with the piece", "endswith('abc', 'bc')", .resolve = resolve_endswith},
    {"exists", 2, 2, FORM_CALL, 0, NULL, "exists(array, x -> …)",
     "Whether the condition is true for an element; NULL if it is for none and NULL for one",
     "exists(list, x -> x > 2)", .resolve = resolve_exists, .is_lazy = true, .lambdas = 1 << 1,
     .parameters = parameters_of_exists},
    {"filter", 2, 2, FORM_CALL, 0, NULL, "filter(array, x -> …)",
     "The elements for which the condition is true; (x, i) -> … has the position, too",
     "size(filter(list, x -> x > 2))", .resolve = resolve_filter, .is_lazy = true,
     .lambdas = 1 << 1, .parameters = parameters_of_filter},
    {"floor", 1, 1, FORM_CALL, 0, NULL, "floor(x)",
     "The greatest BIGINT that is not greater than x", "floor(-1.5D)", .resolve = resolve_floor},
    {"greatest", 2, ANY, FORM_CALL, 0, NULL, "greatest(a, b, …)",
     "The greatest value that is not NULL", "greatest(1, NULL, 3)", .resolve = resolve_greatest},
    {"hour", 1, 1, FORM_CALL, 0, NULL, "hour(timestamp)", "Hour of the day, 0 to 23",
     "hour(timestamp_seconds(1717245045))", .resolve = resolve_hour},
    {"if", 3, 3, FORM_CALL, 0, NULL, "if(condition, a, b)", "a where the condition is true, else b",
     "if(1 > 2, 'a', 'b')", .resolve = resolve_if, .is_lazy = true},
    {"ifnull", 2, 2, FORM_CALL, 0, NULL, "ifnull(a, b)", "The same as coalesce(a, b)",
     "ifnull(NULL, 1)", .resolve = resolve_coalesce, .is_lazy = true},
    {"in", 2, ANY, FORM_IN, BIND_PREDICATE, "IN", "a IN (b, c, …)",
     "Whether a equals one of the values; NULL if it equals none and one of them is NULL",
     "2 IN (1, 2)", .resolve = resolve_in, .is_lazy = true},
    {"isnotnull", 1, 1, FORM_POSTFIX, BIND_PREDICATE, "IS NOT NULL", "a IS NOT NULL",
     "Whether there is a value", "1 IS NOT NULL", .resolve = resolve_isnotnull},
    {"isnull", 1, 1, FORM_POSTFIX, BIND_PREDICATE, "IS NULL", "a IS NULL",
     "Whether there is no value", "1 IS NULL", .resolve = resolve_isnull},
    {"lcase", 1, 1, FORM_CALL, 0, NULL, "lcase(text)", "The same as lower", "lcase('ABC')",
     .resolve = resolve_lower},
    {"least", 2, ANY, FORM_CALL, 0, NULL, "least(a, b, …)", "The least value that is not NULL",
     "least(1, NULL, 3)", .resolve = resolve_least},
    {"len", 1, 1, FORM_CALL, 0, NULL, "len(text)", "The same as length", "len('abc')",
     .resolve = resolve_length},
    {"length", 1, 1, FORM_CALL, 0, NULL, "length(text)",
     "Number of characters; of a BINARY, of bytes", "length('日本')", .resolve = resolve_length},
    {"like", 2, 3, FORM_INFIX, BIND_PREDICATE, "LIKE", "a LIKE pattern [ESCAPE character]",
     "Whether the text has the form of the pattern, a literal, where % is any text, _ any "
     "character, and a backslash or the given character takes the next one as it is",
     "'abc' LIKE 'a%'", .resolve = resolve_like},
    {"lower", 1, 1, FORM_CALL, 0, NULL, "lower(text)",
     "The text in small letters, by Unicode's rules for no language in particular", "lower('ABC')",
     .resolve = resolve_lower},
    {"ltrim", 1, 1, FORM_CALL, 0, NULL, "ltrim(text)", "The text without blanks at its start",
     "ltrim('  a ')", .resolve = resolve_ltrim},
    {"map_keys", 1, 1, FORM_CALL, 0, NULL, "map_keys(map)", "The keys of a MAP as an ARRAY",
     "map_keys(tags)", .resolve = resolve_map_keys},
    {"map_values", 1, 1, FORM_CALL, 0, NULL, "map_values(map)", "The values of a MAP as an ARRAY",
     "map_values(tags)", .resolve = resolve_map_values},
    {"minute", 1, 1, FORM_CALL, 0, NULL, "minute(timestamp)", "Minute of the hour, 0 to 59",
     "minute(timestamp_seconds(1717245045))", .resolve = resolve_minute},
    {"month", 1, 1, FORM_CALL, 0, NULL, "month(date)", "Month of the year, 1 to 12",
     "month(DATE '2024-06-01')", .resolve = resolve_month},
    {"negative", 1, 1, FORM_PREFIX, BIND_SIGN, "-", "-a",
     "The number with the other sign; the least whole number stays", "-(5)",
     .resolve = resolve_negative},
    {"not", 1, 1, FORM_PREFIX, BIND_NOT, "NOT", "NOT a", "The other truth value", "NOT true",
     .resolve = resolve_not},
    {"nullif", 2, 2, FORM_CALL, 0, NULL, "nullif(a, b)", "NULL where a equals b, else a",
     "nullif('', '')", .resolve = resolve_nullif},
    {"nvl", 2, 2, FORM_CALL, 0, NULL, "nvl(a, b)", "The same as coalesce(a, b)", "nvl(NULL, 1)",
     .resolve = resolve_coalesce, .is_lazy = true},
    {"or", 2, 2, FORM_INFIX, BIND_OR, "OR", "a OR b",
     "Whether one is true; true where either is true, no matter what the other is", "NULL OR true",
     .resolve = resolve_or, .is_lazy = true},
    {"reduce", 3, 4, FORM_CALL, 0, NULL, "reduce(array, start, (a, x) -> … [, a -> …])",
     "The same as aggregate", "reduce(list, 0, (a, x) -> a + x)", .resolve = resolve_aggregate,
     .is_lazy = true, .lambdas = 1 << 2 | 1 << 3, .parameters = parameters_of_aggregate},
    {"round", 1, 2, FORM_CALL, 0, NULL, "round(x [, places])",
     "Rounded half away from zero, by the decimal text of x; places can be negative",
     "round(1.005D, 2)", .resolve = resolve_round},
    {"rtrim", 1, 1, FORM_CALL, 0, NULL, "rtrim(text)", "The text without blanks at its end",
     "rtrim('  a ')", .resolve = resolve_rtrim},
    {"second", 1, 1, FORM_CALL, 0, NULL, "second(timestamp)", "Second of the minute, 0 to 59",
     "second(timestamp_seconds(1717245045))", .resolve = resolve_second},
    {"size", 1, 1, FORM_CALL, 0, NULL, "size(array)",
     "Number of elements of an ARRAY or a MAP; -1 for NULL", "size(list)", .resolve = resolve_size},
    {"split_part", 3, 3, FORM_CALL, 0, NULL, "split_part(text, separator, number)",
     "One of the parts between separators, from 1, or from -1 at the end; an empty text if there "
     "are not so many",
     "split_part('14.23.5', '.', 2)", .resolve = resolve_split_part,
     .throws = "numbers 0 and -2147483648", .guard = guard_split_part},
    {"startswith", 2, 2, FORM_CALL, 0, NULL, "startswith(text, piece)",
     "Whether the text starts with the piece", "startswith('abc', 'ab')",
     .resolve = resolve_startswith},
    {"substr", 2, 3, FORM_CALL, 0, NULL, "substr(text, position [, length])",
     "The same as substring", "substr('abcd', 2, 2)", .resolve = resolve_substring,
     .throws = "of a BINARY, a position and a length whose sum is less than -2147483648",
     .guard = guard_substring},
    {"substring", 2, 3, FORM_CALL, 0, NULL, "substring(text, position [, length])",
     "Characters from a position on, which counts from 1, or from -1 at the end; of a BINARY, "
     "bytes",
     "substring('abcd', 2, 2)", .resolve = resolve_substring,
     .throws = "of a BINARY, a position and a length whose sum is less than -2147483648",
     .guard = guard_substring},
    {"timestamp_micros", 1, 1, FORM_CALL, 0, NULL, "timestamp_micros(number)",
     "The timestamp so many microseconds after 1970", "timestamp_micros(1717245045000000)",
     .resolve = resolve_timestamp_micros},
    {"timestamp_millis", 1, 1, FORM_CALL, 0, NULL, "timestamp_millis(number)",
     "The timestamp so many milliseconds after 1970", "timestamp_millis(1717245045000)",
     .resolve = resolve_timestamp_millis, .throws = "numbers beyond ±9223372036854775",
     .guard = guard_timestamp_millis},
    {"timestamp_seconds", 1, 1, FORM_CALL, 0, NULL, "timestamp_seconds(number)",
     "The timestamp so many seconds after 1970", "timestamp_seconds(1717245045)",
     .resolve = resolve_timestamp_seconds, .throws = "whole numbers beyond ±9223372036854",
     .guard = guard_timestamp_seconds},
    {"to_date", 1, 1, FORM_CALL, 0, NULL, "to_date(a)", "The same as CAST(a AS DATE)",
     "to_date('2024-06-01')", .resolve = resolve_to_date},
    {"to_timestamp", 1, 1, FORM_CALL, 0, NULL, "to_timestamp(a)",
     "The same as CAST(a AS TIMESTAMP)", "to_timestamp('2024-06-01 12:30:45')",
     .resolve = resolve_to_timestamp},
    {"transform", 2, 2, FORM_CALL, 0, NULL, "transform(array, x -> …)",
     "An ARRAY of what the lambda gives for each element; (x, i) -> … has the position, too",
     "transform(list, x -> x * 2)[0]", .resolve = resolve_transform, .is_lazy = true,
     .lambdas = 1 << 1, .parameters = parameters_of_transform},
    {"trim", 1, 1, FORM_CALL, 0, NULL, "trim(text)", "The text without blanks at both ends",
     "trim('  a ')", .resolve = resolve_trim},
    {"ucase", 1, 1, FORM_CALL, 0, NULL, "ucase(text)", "The same as upper", "ucase('abc')",
     .resolve = resolve_upper},
    {"unix_millis", 1, 1, FORM_CALL, 0, NULL, "unix_millis(timestamp)", "Milliseconds since 1970",
     "unix_millis(timestamp_seconds(1717245045))", .resolve = resolve_unix_millis},
    {"unix_seconds", 1, 1, FORM_CALL, 0, NULL, "unix_seconds(timestamp)", "Seconds since 1970",
     "unix_seconds(timestamp_seconds(1717245045))", .resolve = resolve_unix_seconds},
    {"unix_timestamp", 1, 1, FORM_CALL, 0, NULL, "unix_timestamp(a)",
     "Seconds since 1970; a text must have exactly the form 2024-06-01 12:30:45",
     "unix_timestamp('2024-06-01 12:30:45')", .resolve = resolve_unix_timestamp},
    {"upper", 1, 1, FORM_CALL, 0, NULL, "upper(text)",
     "The text in capital letters, by Unicode's rules for no language in particular",
     "upper('abc')", .resolve = resolve_upper},
    {"year", 1, 1, FORM_CALL, 0, NULL, "year(date)", "Year", "year(DATE '2024-06-01')",
     .resolve = resolve_year},
    {NULL},
};
/* clang-format on */

const size_t function_count = sizeof functions / sizeof functions[0] - 1;

static int compare_names(const void *name, const void *function) {
    return strcmp(name, ((const struct function *)function)->name);
}

const struct function *function_find(const char *name) {
    return bsearch(name, functions, function_count, sizeof functions[0], compare_names);
}

static const char aggregate[] = "it aggregates rows: each record becomes rows of its own here, "
                                "without those of others; aggregate the table when you read it";
static const char window[] = "it looks at other rows: each record becomes rows of its own here; "
                             "use it when you read the table";
static const char clock_reason[] =
    "its value depends on the time of the run: a batch that is run again would have other rows; "
    "use kafka_timestamp or processing_timestamp";
static const char chance[] = "its value is random: a batch that is run again would have other rows";
static const char pattern[] = "regular expressions of Java are not supported; use startswith, "
                              "split_part or substring";
static const char explosion[] = "write LATERAL VIEW [OUTER] posexplode(…) behind FROM instead";
static const char surroundings[] = "its value depends on where the query runs";

static const struct {
    const char *names; // separated by blanks, with one at either end
    const char *reason;
} refusals[] = {
    {" any any_value approx_count_distinct approx_percentile avg bool_and bool_or collect_list "
     "collect_set corr count count_if count_min_sketch covar_pop covar_samp every first "
     "first_value grouping grouping_id histogram_numeric kurtosis last last_value listagg max "
     "max_by mean median min min_by mode percentile percentile_approx regr_avgx regr_avgy "
     "regr_count skewness some std stddev stddev_pop stddev_samp string_agg sum try_avg try_sum "
     "var_pop var_samp variance array_agg bit_and bit_or bit_xor ",
     aggregate},
    {" cume_dist dense_rank lag lead nth_value ntile percent_rank rank row_number session_window "
     "window window_time ",
     window},
    {" current_date current_time current_timestamp curdate localtimestamp now ", clock_reason},
    {" rand randn random randstr shuffle uniform uuid monotonically_increasing_id ", chance},
    {" ilike regexp regexp_count regexp_extract regexp_extract_all regexp_instr "
     "regexp_like regexp_replace regexp_substr rlike split ",
     pattern},
    {" explode explode_outer inline inline_outer posexplode posexplode_outer stack json_tuple ",
     explosion},
    {" current_catalog current_database current_schema current_timezone current_user user "
     "session_user input_file_name input_file_block_length input_file_block_start "
     "spark_partition_id version ",
     surroundings},
    {" java_method reflect try_reflect ", "it calls code of a cluster"},
};

const char *function_refusal(const char *name) {
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const char *names = refusals[i].names;
        for (const char *at = strstr(names, name); length > 0 && at != NULL;
             at = strstr(at + 1, name))
            if (at[-1] == ' ' && at[length] == ' ')
                return refusals[i].reason;
    }
    return NULL;
}
