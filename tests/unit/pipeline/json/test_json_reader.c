#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "pipeline/json/column.h"
#include "pipeline/json/reader.h"

/* The tokens of a text, one letter each, up to the end or to '!' for an error. */
static void trace(const char *json, char *letters, struct json_reader *reader) {
    static const char names[] = {
        [JSON_NONE] = '$',       [JSON_OBJECT] = '{',    [JSON_OBJECT_END] = '}',
        [JSON_ARRAY] = '[',      [JSON_ARRAY_END] = ']', [JSON_KEY] = 'k',
        [JSON_STRING] = 's',     [JSON_INTEGER] = 'i',   [JSON_FLOAT] = 'f',
        [JSON_NOT_FINITE] = 'n', [JSON_TRUE] = 't',      [JSON_FALSE] = 'F',
        [JSON_NULL] = '0',
    };
    json_reader_init(reader, json, strlen(json));
    size_t count = 0;
    do {
        bool ok = json_next(reader) && (reader->token != JSON_STRING || json_read_string(reader));
        letters[count++] = ok ? names[reader->token] : '!';
    } while (letters[count - 1] != '!' && letters[count - 1] != '$');
    letters[count] = '\0';
}

static void json_and_what_spark_takes_for_it_become_tokens(void **state) {
    (void)state;
    static const struct {
        const char *json, *letters;
    } cases[] = {
        {"{}", "{}$"},
        {" { \"a\" : [ 1 , -2.5 , true,false,null ] }\n", "{k[iftF0]}$"},
        {"{\"a\":{},\"b\":[],\"\":\"\"}", "{k{}k[]ks}$"},
        {"{'a':'it\\'s \"so\"'}", "{ks}$"},
        {"[NaN,Infinity,-Infinity,+Infinity,-INF,+INF]", "[nnnnnn]$"},
        {"[0,-0,1e5,1E-5,0.0,-0e+7,12345678901234567890]", "[iifff"
                                                           "fi]$"},
        {"\"\\u00e9\\n\\/\"", "s$"},
        {"{\"a\":1} x", "{ki}!"},
        {"", "$"},
        {"[1,]", "[i!"},
        {"[,1]", "[!"},
        {"[1 2]", "[i!"},
        {"{\"a\"}", "{!"},
        {"{\"a\":}", "{!"},
        {"{\"a\":1,}", "{ki!"},
        {"{\"a\":1 \"b\":2}", "{ki!"},
        {"{a:1}", "{!"},
        {"{\"a\":[1}", "{k[i!"},
        {"[1]]", "[i]!"},
        {"{\"a\":1", "{ki!"},
        {"\"a", "!"},
        {"\"a\x01\"", "!"},
        {"\"\\q\"", "!"},
        {"\"\\u12\"", "!"},
        {"[01]", "[!"},
        {"[+1]", "[!"},
        {"[.5]", "[!"},
        {"[1.]", "[!"},
        {"[1e]", "[!"},
        {"[-]", "[!"},
        {"[INF]", "[!"},
        {"[tru]", "[!"},
        {"[truex]", "[!"},
        {"[True]", "[!"},
        {"/*c*/1", "!"},
        {"[1#\n]", "[i!"},
        {"\xEF\xBB\xBF{}", "!"},
        {"\xC2\xA0{}", "!"},
        {"\x0C{}", "!"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char letters[64];
        static struct json_reader reader;
        trace(cases[i].json, letters, &reader);
        if (strcmp(letters, cases[i].letters) != 0)
            fail_msg("'%s' is %s, not %s", cases[i].json, letters, cases[i].letters);
        bool failed = strchr(letters, '!') != NULL;
        assert_true(!failed || (reader.lexer.problem != NULL && reader.lexer.problem[0] != '\0'));
        assert_true(!failed || reader.lexer.problem_at <= strlen(cases[i].json));
    }
}

static char *repeat(const char *prefix, const char *part, size_t count, const char *suffix) {
    size_t size = strlen(prefix) + strlen(part) * count + strlen(suffix);
    char *text = malloc(size + 1);
    assert_non_null(text);
    char *at = stpcpy(text, prefix);
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, part);
    (void)stpcpy(at, suffix);
    return text;
}

static bool is_json(char *json) {
    static struct json_reader reader;
    json_reader_init(&reader, json, strlen(json));
    bool ok = true;
    do
        ok = json_next(&reader);
    while (ok && reader.token != JSON_NONE);
    free(json);
    return ok;
}

static void limits_are_sparks(void **state) {
    (void)state;
    char *closed = repeat("", "]", 1000, "");
    assert_true(is_json(repeat("", "[", 1000, closed)));
    assert_false(is_json(repeat("", "[", 1001, closed)));
    assert_false(is_json(repeat("", "[", 10000, "")));
    assert_false(is_json(repeat("", "{\"a\":", 10000, "")));
    free(closed);
    assert_true(is_json(repeat("[-", "1", 1000, "]")));
    assert_false(is_json(repeat("[-", "1", 1001, "]")));
    assert_true(is_json(repeat("[1.", "1", 999, "]")));
    assert_false(is_json(repeat("[1.", "1", 1000, "]")));
    assert_true(is_json(repeat("{\"", "k", 50000, "\":1}")));
    assert_false(is_json(repeat("{\"", "k", 50001, "\":1}")));
    assert_true(is_json(repeat("{\"", "\xC3\xA9", 50000, "\":1}")));
    assert_false(is_json(repeat("{\"", "\\u0041", 50001, "\":1}")));
    assert_false(is_json(repeat("{\"", "\xF0\x9F\x98\x80", 25001, "\":1}")));
}

/* The stop of a string is found wherever it lies in the words that are looked at together. */
static void strings_end_at_their_quote_at_any_length(void **state) {
    (void)state;
    for (size_t length = 0; length < 100; length++) {
        char *json = repeat("\"", "x", length, "\"\"");
        static struct json_reader reader;
        json_reader_init(&reader, json, strlen(json) - 1);
        assert_true(json_next(&reader) && json_read_string(&reader));
        assert_int_equal(reader.lexer.value.size, length);
        assert_true(reader.lexer.value.plain);
        free(json);
    }
}

static void text_is_decoded_with_pairs_joined_and_halves_replaced(void **state) {
    (void)state;
    static const struct {
        const char *raw, *text;
    } cases[] = {
        {"a\\u00e9\\n\\t\\/\\\\\\\"\\'", "a\xC3\xA9\n\t/\\\"'"},
        {"\\ud83d\\ude00", "\xF0\x9F\x98\x80"},
        {"\\uD83D", "?"},
        {"\\uDE00\\uD83D", "??"},
        {"\\ud83d\\ud83d\\ude00", "?\xF0\x9F\x98\x80"},
        {"\\ud83d\xF0\x9F\x98\x80", "?\xF0\x9F\x98\x80"},
        {"\\ud83d\\n", "?\n"},
        {"\xFFz\xED\xA0\xBD", "\xEF\xBF\xBDz\xEF\xBF\xBD"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        struct json_output output = {text, text + sizeof text - 1, false};
        json_output_text(&output, (struct json_raw){cases[i].raw, strlen(cases[i].raw), false});
        *output.at = '\0';
        assert_string_equal(text, cases[i].text);
    }
}

static void any_value_is_copied_in_jacksons_form(void **state) {
    (void)state;
    static const struct {
        const char *json, *copy;
    } cases[] = {
        {"{ \"b\" : 1 , \"b\":[ ] }", "{\"b\":1,\"b\":[]}"},
        {"[1.50, 1e3, -0, -0.0, 1e400, NaN, -INF, 12345678901234567890123]",
         "[1.5,1000.0,0,-0.0,\"Infinity\",\"NaN\",\"-Infinity\",12345678901234567890123]"},
        {"{'k\\u0001':\"\\/\\b\\f\\n\\r\\t\\\"\\\\\\u001f\x7F\"}",
         "{\"k\\u0001\":\"/\\b\\f\\n\\r\\t\\\"\\\\\\u001F\x7F\"}"},
        {"[\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\", \"\\ud83d\"]",
         "[\"\xC3\xA9\xE2\x82\xAC\\uD83D\\uDE00\",\"\\uD83D\"]"},
        {"[true,[false,null],{}]", "[true,[false,null],{}]"},
        {"1e-7", "1.0E-7"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char copy[128];
        struct json_output output = {copy, copy + sizeof copy - 1, false};
        static struct json_reader reader;
        json_reader_init(&reader, cases[i].json, strlen(cases[i].json));
        assert_true(json_next(&reader));
        assert_true(json_copy_value(&reader, &output));
        *output.at = '\0';
        assert_string_equal(copy, cases[i].copy);

        // One byte less than it needs.
        struct json_output small = {copy, copy + strlen(cases[i].copy) - 1, false};
        json_reader_init(&reader, cases[i].json, strlen(cases[i].json));
        assert_true(json_next(&reader));
        assert_true(json_copy_value(&reader, &small));
        assert_true(small.is_full);
    }
}

static void integers_are_read_up_to_both_ends_of_int64(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"-17", true, -17},
        {"999999999999999999", true, 999999999999999999},
        {"9223372036854775807", true, INT64_MAX},
        {"9223372036854775808", false, 0},
        {"-9223372036854775808", true, INT64_MIN},
        {"-9223372036854775809", false, 0},
        {"100000000000000000000000000000", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = 0;
        struct json_raw raw = {cases[i].text, strlen(cases[i].text), true};
        assert_int_equal(json_int64(raw, &value), cases[i].ok);
        assert_true(value == cases[i].value);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_and_what_spark_takes_for_it_become_tokens),
        cmocka_unit_test(limits_are_sparks),
        cmocka_unit_test(strings_end_at_their_quote_at_any_length),
        cmocka_unit_test(text_is_decoded_with_pairs_joined_and_halves_replaced),
        cmocka_unit_test(any_value_is_copied_in_jacksons_form),
        cmocka_unit_test(integers_are_read_up_to_both_ends_of_int64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
