#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pipeline/json/decode_json.h"
#include "pipeline/json/reader.h"

enum { ID, COUNT, TOTAL, SHARE, FLAG, AT, NOTE };

static const struct column columns[] = {
    {"id", TYPE_STRING}, {"count", TYPE_INT32},  {"total", TYPE_INT64}, {"share", TYPE_DOUBLE},
    {"flag", TYPE_BOOL}, {"at", TYPE_TIMESTAMP}, {"note", TYPE_STRING},
};
static const struct record_schema record_schema = {"thing", columns, 7, .has_identifier = true};

struct fixture {
    struct schema schema;
    struct rows rows;
    struct decoder *decoder;
    struct reject reject;
};

static void open_fixture(struct fixture *fixture, enum parse_mode mode, size_t string_bytes) {
    schema_init_record(&fixture->schema, &record_schema);
    rows_init(&fixture->rows, &fixture->schema, 4, string_bytes);
    struct error err;
    assert_true(decode_json_open(&fixture->decoder, &record_schema, mode, "UTC", &err));
    fixture->decoder->batch_time_ms = 1717243200000;
}

static void close_fixture(struct fixture *fixture) {
    decoder_close(fixture->decoder);
    rows_deinit(&fixture->rows);
}

static enum decode_result decode_bytes(struct fixture *fixture, const char *bytes, size_t size) {
    // Allocated to the exact byte, so that the sanitizer detects every read past the end.
    char *exact = malloc(size == 0 ? 1 : size);
    assert_non_null(exact);
    memcpy(exact, bytes, size);
    struct record record = {.value = exact, .value_size = size};
    enum decode_result result =
        decode_record(fixture->decoder, &record, &fixture->rows, &fixture->reject);
    free(exact);
    return result;
}

static enum decode_result decode(struct fixture *fixture, const char *json) {
    return decode_bytes(fixture, json, strlen(json));
}

static bool is_null(const struct fixture *fixture, size_t column) {
    return fixture->rows.inputs[column].valid[0] == 0;
}

static void assert_text(const struct fixture *fixture, size_t column, const char *expected) {
    assert_false(is_null(fixture, column));
    struct text text = fixture->rows.inputs[column].texts[0];
    if (text.length != strlen(expected) || memcmp(text.bytes, expected, text.length) != 0)
        fail_msg("'%.*s' is not '%s'", (int)text.length, text.bytes, expected);
}

static void every_type_is_read_from_its_json(void **state) {
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, PARSE_REJECT, 4096);
    assert_int_equal(decode(&fixture, "{\"id\":\"a\",\"count\":-5,\"total\":9007199254740993,"
                                      "\"share\":0.25,\"flag\":true,"
                                      "\"at\":\"2024-06-01T12:00:00Z\",\"note\":null}"),
                     DECODE_ROW);
    assert_text(&fixture, ID, "a");
    assert_int_equal(fixture.rows.inputs[COUNT].int32s[0], -5);
    assert_true(fixture.rows.inputs[TOTAL].int64s[0] == 9007199254740993);
    assert_true(fixture.rows.inputs[SHARE].doubles[0] == 0.25);
    assert_int_equal(fixture.rows.inputs[FLAG].booleans[0], 1);
    assert_true(fixture.rows.inputs[AT].int64s[0] == 1717243200000000);
    assert_true(is_null(&fixture, NOTE));
    assert_int_equal(fixture.rows.count, 0);
    close_fixture(&fixture);
}

static void a_row_is_the_same_in_any_order_and_spacing(void **state) {
    (void)state;
    static const char *const records[] = {
        "{\"id\":\"a\",\"count\":1,\"note\":\"n\"}",
        "{\"note\":\"n\",\"count\":1,\"id\":\"a\"}",
        "{ \"id\" : \"a\" , \"count\" : 1 , \"note\" : \"n\" }",
        "{'count':1,'note':'n','id':'a'}",
        "{\"i\\u0064\":\"a\",\"count\":1,\"other\":[{}],\"note\":\"n\"}",
        "{\"id\":\"x\",\"count\":1,\"note\":\"n\",\"id\":\"a\"}",
        "\t{\"count\":1,\"id\":\"a\",\"note\":\"n\"}\n",
    };
    const size_t count = sizeof records / sizeof records[0];
    struct fixture fixture;
    open_fixture(&fixture, PARSE_REJECT, 4096);
    for (size_t i = 0; i < count * count; i++) {
        // Every record follows every other one, so that every prediction is wrong at least once.
        assert_int_equal(decode(&fixture, records[i % count]), DECODE_ROW);
        assert_text(&fixture, ID, "a");
        assert_text(&fixture, NOTE, "n");
        assert_int_equal(fixture.rows.inputs[COUNT].int32s[0], 1);
        assert_int_equal(decode(&fixture, records[i / count]), DECODE_ROW);
        assert_text(&fixture, ID, "a");
        rows_reset(&fixture.rows);
    }
    close_fixture(&fixture);
}

static void a_learned_comma_is_not_accepted_before_the_first_key(void **state) {
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, PARSE_REJECT, 4096);
    for (int i = 0; i < 20; i++)
        assert_int_equal(decode(&fixture, "{\"x\":1,\"id\":\"a\"}"), DECODE_ROW);
    assert_int_equal(decode(&fixture, "{,\"id\":\"a\"}"), DECODE_REJECT);
    for (int i = 0; i < 20; i++)
        assert_int_equal(decode(&fixture, "{\"id\":\"a\"}"), DECODE_ROW);
    assert_int_equal(decode(&fixture, "{\"x\":1\"id\":\"a\"}"), DECODE_REJECT);
    close_fixture(&fixture);
}

static void a_value_of_the_wrong_type_is_null_and_counted(void **state) {
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, PARSE_REJECT, 4096);
    assert_int_equal(decode(&fixture, "{\"id\":\"a\",\"count\":1.0,\"total\":\"7\",\"share\":true,"
                                      "\"flag\":1,\"at\":\"soon\",\"note\":{\"b\" : 1.50}}"),
                     DECODE_ROW);
    for (size_t column = COUNT; column <= AT; column++) {
        assert_true(is_null(&fixture, column));
        assert_int_equal(fixture.decoder->counts.field_faults[column], 1);
    }
    assert_text(&fixture, NOTE, "{\"b\":1.5}");
    assert_int_equal(fixture.decoder->counts.field_faults[NOTE], 0);
    close_fixture(&fixture);
}

static void the_last_duplicate_that_fits_is_used(void **state) {
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, PARSE_REJECT, 4096);
    assert_int_equal(
        decode(&fixture,
               "{\"id\":\"a\",\"count\":1,\"count\":2,\"flag\":true,\"flag\":\"no\","
               "\"total\":1,\"total\":null,\"at\":1,\"at\":\"x\",\"share\":1,\"share\":[]}"),
        DECODE_ROW);
    assert_int_equal(fixture.rows.inputs[COUNT].int32s[0], 2);
    assert_int_equal(fixture.rows.inputs[FLAG].booleans[0], 1);
    assert_true(is_null(&fixture, TOTAL));
    assert_true(fixture.rows.inputs[AT].int64s[0] == 1000000);
    assert_true(fixture.rows.inputs[SHARE].doubles[0] == 1);
    close_fixture(&fixture);
}

static void a_reject_says_why_and_where(void **state) {
    (void)state;
    static const struct {
        const char *json;
        enum reject_reason reason;
        size_t position;
        const char *detail;
    } cases[] = {
        {"", REJECT_BLANK_VALUE, 0, "the value is empty or blank"},
        {" \t\r\n", REJECT_BLANK_VALUE, 0, "the value is empty or blank"},
        {"{\"id\":\"a\" \"count\":1}", REJECT_MALFORMED, 10, "expected ',' or '}' after a value"},
        {"{\"id\":\"a\",\"count\":1", REJECT_MALFORMED, 19, "JSON is cut off inside an object"},
        {"{\"id\":\"a\",\"count\":tru}", REJECT_MALFORMED, 18, "unknown token: expected a value"},
        {"{\"id\":\"a", REJECT_MALFORMED, 8, "JSON is cut off inside a string"},
        {"hello", REJECT_MALFORMED, 0, "unknown token: expected a value"},
        {"[{\"id\":\"a\"}]", REJECT_NOT_AN_OBJECT, 0, "expected an object, not an array"},
        {" 17", REJECT_NOT_AN_OBJECT, 1, "expected an object, not a number"},
        {"null", REJECT_NOT_AN_OBJECT, 0, "expected an object, not null"},
        {"{}", REJECT_MISSING_IDENTIFIER, 0, "the object has no key 'id'"},
        {"{\"ID\":\"a\"}", REJECT_MISSING_IDENTIFIER, 0, "the object has no key 'id'"},
        {"{\"id\":null}", REJECT_NULL_IDENTIFIER, 6, "'id' is null"},
        {"{\"id\":\"\\u12\",\"count\":1}", REJECT_NULL_IDENTIFIER, 6,
         "'id' cannot be read: expected four hexadecimal digits after \\u"},
    };
    struct fixture fixture;
    open_fixture(&fixture, PARSE_REJECT, 4096);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t used = fixture.rows.strings.used;
        assert_int_equal(decode(&fixture, cases[i].json), DECODE_REJECT);
        assert_string_equal(reject_reason_name(fixture.reject.reason),
                            reject_reason_name(cases[i].reason));
        assert_string_equal(fixture.reject.detail, cases[i].detail);
        assert_int_equal(fixture.reject.position, cases[i].position);
        assert_int_equal(fixture.rows.strings.used, used);
    }
    struct record tombstone = {.value = NULL};
    assert_int_equal(decode_record(fixture.decoder, &tombstone, &fixture.rows, &fixture.reject),
                     DECODE_REJECT);
    assert_int_equal(fixture.reject.reason, REJECT_NULL_VALUE);
    close_fixture(&fixture);
}

static void permissive_makes_rows_of_nulls_but_rejects_blank_values(void **state) {
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, PARSE_PERMISSIVE, 4096);
    static const char *const records[] = {"{\"id\":\"a\",\"note\":\"n\",", "[]", "x", "\0", "{}"};
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        size_t size = records[i][0] == '\0' ? 1 : strlen(records[i]);
        assert_int_equal(decode_bytes(&fixture, records[i], size), DECODE_ROW);
        for (size_t column = 0; column < fixture.schema.record_count; column++)
            assert_true(is_null(&fixture, column));
    }
    assert_int_equal(decode(&fixture, " \n"), DECODE_REJECT);
    assert_int_equal(fixture.rows.strings.used, 0);
    close_fixture(&fixture);
}

static void unknown_keys_and_trailing_bytes_are_counted(void **state) {
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, PARSE_REJECT, 4096);
    const struct decode_counts *counts = &fixture.decoder->counts;
    assert_int_equal(decode(&fixture, "{\"id\":\"a\",\"x\":1,\"y\":{\"z\":2}}\r\n "), DECODE_ROW);
    assert_int_equal(counts->unknown_keys, 2);
    assert_int_equal(counts->trailing_bytes, 0);
    assert_int_equal(decode(&fixture, "{\"id\":\"a\"}{\"id\":\"b\"}"), DECODE_ROW);
    assert_text(&fixture, ID, "a");
    assert_int_equal(counts->trailing_bytes, 1);
    // Text that only starts like an object: nothing is counted.
    assert_int_equal(decode(&fixture, "{\"x\":1,\"count\":\"1\", z"), DECODE_REJECT);
    assert_int_equal(counts->unknown_keys, 2);
    // A rejected object: its keys are counted.
    assert_int_equal(decode(&fixture, "{\"x\":1,\"count\":\"1\",\"note\":\"n\"} z"), DECODE_REJECT);
    assert_int_equal(counts->unknown_keys, 3);
    assert_int_equal(counts->unknown_names.names[0].count, 2);
    assert_int_equal(counts->trailing_bytes, 1);
    assert_int_equal(counts->field_faults[COUNT], 0);
    assert_int_equal(counts->rejected_values[ID], 0);
    assert_int_equal(counts->rejected_values[NOTE], 1);
    assert_int_equal(decode(&fixture, "{\"id\":null}"), DECODE_REJECT);
    assert_int_equal(counts->rejected_values[ID], 1); // the key was present
    // A row that a later stage refuses: its keys are counted if it becomes a reject, else nothing.
    for (int i = 0; i < 2; i++) {
        bool is_reject = i == 1;
        assert_int_equal(decode(&fixture, "{\"id\":\"a\",\"x\":1,\"count\":\"1\"} z"), DECODE_ROW);
        assert_int_equal(counts->field_faults[COUNT], 1);
        assert_int_equal(counts->unknown_keys, 4);
        decoder_uncount_row(fixture.decoder, is_reject);
        decoder_uncount_row(fixture.decoder, is_reject);
        assert_int_equal(counts->unknown_keys, is_reject ? 4 : 3);
        assert_int_equal(counts->unknown_names.names[0].count, is_reject ? 3 : 2);
        assert_int_equal(counts->trailing_bytes, 1);
        assert_int_equal(counts->field_faults[COUNT], 0);
    }
    close_fixture(&fixture);
}

static void a_record_that_does_not_fit_leaves_no_trace(void **state) {
    (void)state;
    static const char json[] =
        "{\"id\":\"abcdefgh\",\"x\":1,\"count\":\"\",\"note\":[\"\\u00e9\xFF\"]}";
    struct fixture fixture;
    open_fixture(&fixture, PARSE_REJECT, 0);
    size_t room = 0;
    enum decode_result result = DECODE_FULL;
    for (; result == DECODE_FULL; room++) {
        assert_true(room < 3 * sizeof json);
        rows_resize_strings(&fixture.rows, room);
        result = decode(&fixture, json);
        assert_true(result == DECODE_ROW || fixture.rows.strings.used == 0);
    }
    assert_int_equal(result, DECODE_ROW);
    assert_text(&fixture, ID, "abcdefgh");
    assert_text(&fixture, NOTE, "[\"\xC3\xA9\xEF\xBF\xBD\"]");
    assert_int_equal(fixture.decoder->counts.unknown_keys, 1);
    assert_int_equal(fixture.decoder->counts.field_faults[COUNT], 1);
    close_fixture(&fixture);
}

static void errors_in_a_copied_value_are_tolerated_as_in_spark(void **state) {
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, PARSE_REJECT, 4096);
    // The field is null. The rest is kept.
    assert_int_equal(decode(&fixture, "{\"id\":\"a\",\"note\":{\"b\":1,},\"count\":7}"),
                     DECODE_ROW);
    assert_true(is_null(&fixture, NOTE));
    assert_int_equal(fixture.rows.inputs[COUNT].int32s[0], 7);
    // The field and all later ones are null.
    assert_int_equal(decode(&fixture, "{\"id\":\"a\",\"note\":{\"b\"},\"count\":7}"), DECODE_ROW);
    assert_text(&fixture, ID, "a");
    assert_true(is_null(&fixture, NOTE));
    assert_true(is_null(&fixture, COUNT));
    // In the value of any other key no error is tolerated.
    assert_int_equal(decode(&fixture, "{\"id\":\"a\",\"x\":{\"b\":1,},\"count\":7}"),
                     DECODE_REJECT);
    close_fixture(&fixture);
}

static char *nested(size_t levels, const char *prefix) {
    char *json = malloc(strlen(prefix) + 2 * levels + 2);
    assert_non_null(json);
    char *at = stpcpy(json, prefix);
    memset(at, '[', levels);
    memset(at + levels, ']', levels);
    (void)stpcpy(at + 2 * levels, "}");
    return json;
}

static void ten_thousand_levels_do_no_harm(void **state) {
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, PARSE_REJECT, 1 << 20);
    static const struct {
        size_t levels;
        const char *prefix;
        enum decode_result result;
    } cases[] = {
        {999, "{\"id\":\"a\",\"x\":", DECODE_ROW},
        {1000, "{\"id\":\"a\",\"x\":", DECODE_REJECT},
        {10000, "{\"id\":\"a\",\"x\":", DECODE_REJECT},
        {999, "{\"id\":\"a\",\"note\":", DECODE_ROW},
        {10000, "{\"id\":\"a\",\"note\":", DECODE_REJECT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *json = nested(cases[i].levels, cases[i].prefix);
        assert_int_equal(decode(&fixture, json), cases[i].result);
        free(json);
    }
    close_fixture(&fixture);
}

/* Seconds of CPU time to decode a record of `size` bytes made of `unit`s. */
static double seconds_for(struct fixture *fixture, const char *prefix, const char *unit,
                          const char *suffix, size_t size) {
    char *json = malloc(strlen(prefix) + size + strlen(unit) + strlen(suffix) + 1);
    assert_non_null(json);
    char *at = stpcpy(json, prefix);
    for (const char *end = at + size; at < end;)
        at = stpcpy(at, unit);
    (void)stpcpy(at, suffix);

    rows_reset(&fixture->rows);
    struct record record = {.value = json, .value_size = strlen(json)};
    struct timespec start, end;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    assert_int_not_equal(decode_record(fixture->decoder, &record, &fixture->rows, &fixture->reject),
                         DECODE_FULL);
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    free(json);
    return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) * 1e-9;
}

static void time_is_linear_in_the_size(void **state) {
    (void)state;
    static const struct {
        const char *prefix, *unit, *suffix;
    } cases[] = {
        {"{\"note\":\"", "x", "\"}"},
        {"{\"note\":\"", "\\u00e9", "\"}"},
        {"{\"note\":\"", "\xFF", "\"}"},
        {"{\"note\":\"", "\\ud83d", "\"}"},
        {"{\"note\":[", "1e9,", "1]}"},
        {"{\"note\":[", "{\"a\":[]},", "1]}"},
        {"{\"x\":[", "[],", "1]}"},
        {"{", "\"count\":1,", "\"id\":\"a\"}"},
        {"{", "\"x\":1,", "\"id\":\"a\"}"},
        {"{", "\"note\":\"n\",", "\"id\":\"a\"}"},
        {"{\"at\":\"2024-06-01T12:00:00.", "7", "\"}"},
        {"{\"at\":\"", "GMT", "\"}"},
        {"{\"at\":\"", " ", "\"}"},
        {"{\"note\":[", "tru,", "1]}"},
        {"{\"note\":[1 ", "foo,", "1]}"},
        {"{", " ", "\"id\":\"a\"}"},
        {"{\"id\":\"a\"}", " ", ""},
        {"{\"note\":\"", "a", ""},
        {"{\"", "k", "\":1}"},
        {"{\"share\":", "9", "}"},
    };
    const size_t size = 1 << 14, times = 16;
    struct fixture fixture;
    open_fixture(&fixture, PARSE_PERMISSIVE, 3 * (size * times + 64));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *prefix = cases[i].prefix, *unit = cases[i].unit, *suffix = cases[i].suffix;
        // The best of several runs, because the machine is shared. 4 is far below the 16 of a
        // quadratic.
        double small = 1, large = 1;
        for (int run = 0; run < 10 && (run == 0 || large > 4 * (double)times * small); run++) {
            double again = seconds_for(&fixture, prefix, unit, suffix, size);
            small = run == 0 || again < small ? again : small;
            again = seconds_for(&fixture, prefix, unit, suffix, size * times);
            large = run == 0 || again < large ? again : large;
        }
        if (large > 4 * (double)times * small && large > 0.05)
            fail_msg("'%s%s…%s': %.6f s for 16 KiB, %.6f s for 256 KiB", prefix, unit, suffix,
                     small, large);
    }
    close_fixture(&fixture);
}

static void a_record_of_fifty_megabytes_is_decoded(void **state) {
    (void)state;
    enum { SIZE = 50 << 20 };
    static const char prefix[] = "{\"id\":\"a\",\"x\":\"", suffix[] = "\",\"count\":3}";
    char *json = malloc(SIZE);
    assert_non_null(json);
    memset(json, 'y', SIZE);
    memcpy(json, prefix, sizeof prefix - 1);
    memcpy(json + SIZE - (sizeof suffix - 1), suffix, sizeof suffix - 1);
    struct fixture fixture;
    open_fixture(&fixture, PARSE_REJECT, 4096);
    struct record record = {.value = json, .value_size = SIZE};
    assert_int_equal(decode_record(fixture.decoder, &record, &fixture.rows, &fixture.reject),
                     DECODE_ROW);
    assert_int_equal(fixture.rows.inputs[COUNT].int32s[0], 3);
    free(json);
    close_fixture(&fixture);
}

static void a_string_of_more_than_twenty_million_characters_is_not_a_value(void **state) {
    (void)state;
    static const struct {
        const char *key;
        size_t beyond;
        enum decode_result result;
    } cases[] = {
        {"note", 0, DECODE_ROW},         {"note", 1, DECODE_ROW},   {"count", 1, DECODE_ROW},
        {"note", 100000, DECODE_REJECT}, {"x", 100000, DECODE_ROW},
    };
    struct fixture fixture;
    open_fixture(&fixture, PARSE_REJECT, JSON_STRING_MAX + 16);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = JSON_STRING_MAX + cases[i].beyond;
        char *json = malloc(size + 64);
        assert_non_null(json);
        int prefix = sprintf(json, "{\"id\":\"a\",\"%s\":\"", cases[i].key);
        memset(json + prefix, 'y', size);
        (void)stpcpy(json + (size_t)prefix + size, "\"}");
        rows_reset(&fixture.rows);
        struct record record = {.value = json, .value_size = (size_t)prefix + size + 2};
        assert_int_equal(decode_record(fixture.decoder, &record, &fixture.rows, &fixture.reject),
                         cases[i].result);
        if (cases[i].result == DECODE_ROW)
            assert_int_equal(is_null(&fixture, NOTE), i != 0);
        free(json);
    }
    close_fixture(&fixture);
}

static void an_unknown_time_zone_is_an_error_in_the_settings(void **state) {
    (void)state;
    struct decoder *decoder;
    struct error err = {0};
    assert_false(decode_json_open(&decoder, &record_schema, PARSE_REJECT, "Europe/Pariss", &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "Europe/Pariss"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read_from_its_json),
        cmocka_unit_test(a_row_is_the_same_in_any_order_and_spacing),
        cmocka_unit_test(a_learned_comma_is_not_accepted_before_the_first_key),
        cmocka_unit_test(a_value_of_the_wrong_type_is_null_and_counted),
        cmocka_unit_test(the_last_duplicate_that_fits_is_used),
        cmocka_unit_test(a_reject_says_why_and_where),
        cmocka_unit_test(permissive_makes_rows_of_nulls_but_rejects_blank_values),
        cmocka_unit_test(unknown_keys_and_trailing_bytes_are_counted),
        cmocka_unit_test(a_record_that_does_not_fit_leaves_no_trace),
        cmocka_unit_test(errors_in_a_copied_value_are_tolerated_as_in_spark),
        cmocka_unit_test(ten_thousand_levels_do_no_harm),
        cmocka_unit_test(time_is_linear_in_the_size),
        cmocka_unit_test(a_record_of_fifty_megabytes_is_decoded),
        cmocka_unit_test(a_string_of_more_than_twenty_million_characters_is_not_a_value),
        cmocka_unit_test(an_unknown_time_zone_is_an_error_in_the_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
