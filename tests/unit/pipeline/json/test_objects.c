/* What is counted of records with objects in them, and what their rejects say. The rows themselves
 * are compared with Spark's in tests/conformance/nested. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "pipeline/json/decode_json.h"

#define PATH(...)                                                                                  \
    .path = (const char *const[]){__VA_ARGS__},                                                    \
    .path_length = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)

enum { ID, COUNT, X, Y, OTHER, STRING_BYTES = 4096 };

static const struct column columns[] = {
    {"head.id", TYPE_STRING, PATH("head", "id")}, {"count", TYPE_INT32},
    {"x", TYPE_INT32, PATH("head", "more", "x")}, {"y", TYPE_INT32, PATH("head", "more", "y")},
    {"other", TYPE_INT32, PATH("other", "x")},
};
static const struct record_schema record_schema = {
    "nested", columns, sizeof columns / sizeof columns[0], .has_identifier = true};

struct fixture {
    struct schema schema;
    struct rows rows;
    struct decoder *decoder;
    struct reject reject;
};

static void open_fixture(struct fixture *fixture) {
    schema_init_record(&fixture->schema, &record_schema);
    rows_init(&fixture->rows, &fixture->schema, 4, STRING_BYTES);
    struct error err;
    assert_true(decode_json_open(&fixture->decoder, &record_schema, PARSE_REJECT, "UTC", &err));
}

static void close_fixture(struct fixture *fixture) {
    decoder_close(fixture->decoder);
    rows_deinit(&fixture->rows);
}

static enum decode_result decode(struct fixture *fixture, const char *json) {
    struct record record = {.value = json, .value_size = strlen(json)};
    return decode_record(fixture->decoder, &record, &fixture->rows, &fixture->reject);
}

static int64_t unknown_count(const struct fixture *fixture, const char *name) {
    const struct unknown_keys *keys = &fixture->decoder->counts.unknown_names;
    for (size_t i = 0; i < keys->count; i++)
        if (strcmp(keys->names[i].text, name) == 0)
            return keys->names[i].count;
    return 0;
}

static void an_unknown_key_of_an_object_that_is_read_has_a_name_with_dots(void **state) {
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture);
    assert_int_equal(decode(&fixture, "{\"a\":{\"b\":1},\"head\":{\"id\":\"i\",\"b\":[{\"c\":1}],"
                                      "\"more\":{\"b\":2,\"\\u00e9\":{}}}}"),
                     DECODE_ROW);
    assert_int_equal(fixture.decoder->counts.unknown_keys, 4);
    assert_int_equal(unknown_count(&fixture, "a"), 1);
    assert_int_equal(unknown_count(&fixture, "head.b"), 1);
    assert_int_equal(unknown_count(&fixture, "head.more.b"), 1);
    assert_int_equal(unknown_count(&fixture, "head.more.é"), 1);
    decoder_uncount_row(fixture.decoder, false);
    assert_int_equal(fixture.decoder->counts.unknown_keys, 0);
    assert_int_equal(unknown_count(&fixture, "head.b"), 0);
    close_fixture(&fixture);
}

static void a_value_other_than_an_object_is_a_fault_of_each_column_in_it(void **state) {
    (void)state;
    static const struct {
        const char *json;
        int64_t faults[sizeof columns / sizeof columns[0]];
    } cases[] = {
        {"{\"head\":{\"id\":\"i\",\"more\":5}}", {[X] = 1, [Y] = 1}},
        {"{\"head\":{\"id\":\"i\",\"more\":\"\"},\"other\":[{\"x\":1}]}",
         {[X] = 1, [Y] = 1, [OTHER] = 1}},
        {"{\"head\":{\"id\":\"i\",\"more\":{\"x\":\"a\",\"y\":1}}}", {[X] = 1}},
        {"{\"head\":{\"id\":\"i\",\"more\":{\"x\":1,}}}", {[X] = 1, [Y] = 1}},
        {"{\"head\":{\"id\":\"i\"},\"other\":null}", {0}},
    };
    struct fixture fixture;
    open_fixture(&fixture);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture.decoder->counts = (struct decode_counts){0};
        assert_int_equal(decode(&fixture, cases[i].json), DECODE_ROW);
        for (size_t column = 0; column < record_schema.count; column++)
            assert_int_equal(fixture.decoder->counts.field_faults[column], cases[i].faults[column]);
    }
    close_fixture(&fixture);
}

static void a_reject_names_the_identifier_by_its_column(void **state) {
    (void)state;
    static const struct {
        const char *json;
        enum reject_reason reason;
        const char *detail;
        size_t position;
    } cases[] = {
        {"{\"count\":1}", REJECT_MISSING_IDENTIFIER, "the object has no key 'head.id'", 0},
        {"{\"head\":{}}", REJECT_MISSING_IDENTIFIER, "the object has no key 'head.id'", 8},
        {"{\"head\":{\"id\":\"a\"},\"head\":{}}", REJECT_MISSING_IDENTIFIER,
         "the object has no key 'head.id'", 26},
        {"{\"head\":null}", REJECT_NULL_IDENTIFIER, "'head.id' is null", 8},
        {"{\"head\":5}", REJECT_NULL_IDENTIFIER, "'head.id' is null", 8},
        {"{\"head\":{\"id\":null}}", REJECT_NULL_IDENTIFIER, "'head.id' is null", 14},
        {"{\"head\":{\"id\":tru}}", REJECT_NULL_IDENTIFIER,
         "'head.id' cannot be read: unknown token: expected a value", 8},
        {"{\"head\":{\"id\":\"a\",}}", REJECT_NULL_IDENTIFIER,
         "'head.id' cannot be read: expected a key in quotes", 14},
        {"{\"head\":{\"id\":\"a\"},\"q\":[}", REJECT_MALFORMED, "'}' without an open object", 24},
    };
    struct fixture fixture;
    open_fixture(&fixture);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(decode(&fixture, cases[i].json), DECODE_REJECT);
        assert_string_equal(fixture.reject.detail, cases[i].detail);
        assert_int_equal(fixture.reject.reason, cases[i].reason);
        assert_int_equal(fixture.reject.position, cases[i].position);
    }
    close_fixture(&fixture);
}

static void columns_are_rows_no_matter_how_often_their_object_comes(void **state) {
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture);
    char json[STRING_BYTES] = "{", *at = json + 1;
    for (int i = 0; i < 100; i++)
        at = stpcpy(at, "\"head\":{\"id\":\"a\",\"more\":{\"x\":1}},");
    (void)stpcpy(at, "\"count\":3}");
    assert_int_equal(decode(&fixture, json), DECODE_ROW);
    assert_int_equal(fixture.rows.inputs[X].valid[0], 1);
    assert_int_equal(fixture.rows.inputs[COUNT].int32s[0], 3);
    close_fixture(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_key_of_an_object_that_is_read_has_a_name_with_dots),
        cmocka_unit_test(a_value_other_than_an_object_is_a_fault_of_each_column_in_it),
        cmocka_unit_test(a_reject_names_the_identifier_by_its_column),
        cmocka_unit_test(columns_are_rows_no_matter_how_often_their_object_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
