/* Arrays and maps: what is counted, what rejects say, and the room of elements. The
 * values themselves are compared with Spark's in tests/conformance/nested. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/data_type.h"
#include "pipeline/json/decode_json.h"

#define PATH(...)                                                                                  \
    .path = (const char *const[]){__VA_ARGS__},                                                    \
    .path_length = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)

enum { ID, PLAYERS, MAP, GRID, OTHER, COLUMNS, STRING_BYTES = 1 << 20, RECORD_MAX = 1 << 16 };

static const struct data_type integer = {.kind = TYPE_INT32};
static const struct data_type integers = {.kind = TYPE_ARRAY, .element = &integer};
static const struct data_field player_fields[] = {
    {"name", {.kind = TYPE_STRING}, NULL},
    {"kills", {.kind = TYPE_INT32}, NULL},
    {"items", {.kind = TYPE_ARRAY, .element = &integer}, NULL},
};
static const struct data_type player = {
    .kind = TYPE_STRUCT, .fields = player_fields, .field_count = 3};
static const struct data_type players = {.kind = TYPE_ARRAY, .element = &player};
static const struct data_type map = {.kind = TYPE_MAP, .element = &integer};
static const struct data_type grid = {.kind = TYPE_ARRAY, .element = &integers};

static const struct column columns[COLUMNS] = {
    {"id", TYPE_STRING},
    {"players", TYPE_ARRAY, PATH("info", "players"), .nested = &players,
     .readable_or_reject = true},
    {"map", TYPE_MAP, .nested = &map, .readable_or_reject = true},
    {"grid", TYPE_ARRAY, .nested = &grid, .readable_or_reject = true},
    {"other", TYPE_ARRAY, .nested = &integers},
};
static const struct record_schema record_schema = {"lists", columns, COLUMNS,
                                                   .has_identifier = true};

struct fixture {
    struct schema schema;
    struct rows rows;
    struct decoder *decoder;
    struct reject reject;
};

static void open_fixture(struct fixture *fixture, enum parse_mode mode) {
    schema_init_record(&fixture->schema, &record_schema);
    rows_init(&fixture->rows, &fixture->schema, 4, STRING_BYTES);
    struct error err;
    assert_true(decode_json_open(&fixture->decoder, &record_schema, mode, "UTC", &err));
}

static void close_fixture(struct fixture *fixture) {
    decoder_close(fixture->decoder);
    rows_deinit(&fixture->rows);
}

static enum decode_result decode(struct fixture *fixture, const char *json) {
    struct record record = {.value = json, .value_size = strlen(json)};
    return decode_record(fixture->decoder, &record, &fixture->rows, &fixture->reject);
}

static void elements_of_rows_follow_one_another(void **state) {
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, PARSE_REJECT);
    const struct vector *vector = &fixture.rows.inputs[PLAYERS];
    static const char *const documents[] = {
        "{\"id\":\"a\",\"info\":{\"players\":[{\"kills\":1,\"items\":[5,6]},{\"kills\":2}]}}",
        "{\"info\":{\"players\":[{\"kills\":3}]}}", // a reject: its element is given back
        "{\"id\":\"b\",\"info\":{\"players\":[{\"kills\":4,\"items\":[7]}]}}"};
    for (size_t i = 0; i < 3; i++)
        fixture.rows.count += decode(&fixture, documents[i]) == DECODE_ROW;
    assert_int_equal(fixture.rows.count, 2);
    assert_int_equal(vector->lists[0].first, 0);
    assert_int_equal(vector->lists[0].count, 2);
    assert_int_equal(vector->lists[1].first, 2);
    assert_int_equal(vector->lists[1].count, 1);
    const struct vector *kills = &vector->children[0].children[1];
    assert_int_equal(kills->int32s[0], 1);
    assert_int_equal(kills->int32s[2], 4);
    const struct vector *items = &vector->children[0].children[2];
    assert_int_equal(items->lists[2].first, 2);
    assert_int_equal(items->children[0].int32s[2], 7);
    assert_int_equal(items->valid[1], 0);
    rows_reset(&fixture.rows);
    assert_int_equal(decode(&fixture, "{\"id\":\"c\",\"info\":{\"players\":[{}]}}"), DECODE_ROW);
    assert_int_equal(vector->lists[0].first, 0);
    assert_int_equal(kills->valid[0], 0);
    assert_int_equal(items->valid[0], 0);
    close_fixture(&fixture);
}

static void a_row_that_is_not_counted_gives_its_elements_back(void **state) {
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, PARSE_REJECT);
    const struct vector *vector = &fixture.rows.inputs[PLAYERS];
    for (int i = 0; i < 100; i++)
        assert_int_equal(decode(&fixture, "{\"id\":\"a\",\"info\":{\"players\":[{\"kills\":7}]}}"),
                         DECODE_ROW);
    assert_int_equal(vector->lists[0].first, 0);
    fixture.rows.count = 1;
    assert_int_equal(decode(&fixture, "{\"id\":\"a\",\"info\":{\"players\":[{}]}}"), DECODE_ROW);
    assert_int_equal(vector->lists[1].first, 1);
    assert_int_equal(vector->children[0].children[1].valid[0], 1);
    assert_int_equal(vector->children[0].children[1].valid[1], 0);
    close_fixture(&fixture);
}

static void a_fault_is_counted_for_the_column_that_it_is_in(void **state) {
    (void)state;
    static const struct {
        const char *json;
        int64_t faults[COLUMNS];
    } cases[] = {
        {"{\"id\":\"a\",\"info\":{\"players\":[{\"kills\":\"x\",\"items\":[1]}]}}",
         {[PLAYERS] = 1}},
        {"{\"id\":\"a\",\"info\":{\"players\":[{\"kills\":\"x\",\"items\":[\"y\"]}]}}",
         {[PLAYERS] = 2}},
        {"{\"id\":\"a\",\"info\":{\"players\":[\"x\",\"y\"]}}", {[PLAYERS] = 1}},
        {"{\"id\":\"a\",\"info\":5,\"other\":{}}", {[PLAYERS] = 1, [OTHER] = 1}},
        {"{\"id\":\"a\",\"map\":{\"a\":\"x\",\"b\":true}}", {[MAP] = 2}},
        {"{\"id\":\"a\",\"grid\":[[1],[2,{}]],\"other\":[null]}", {[GRID] = 1}},
        {"{\"id\":\"a\",\"grid\":null,\"other\":[],\"map\":{}}", {0}},
    };
    struct fixture fixture;
    open_fixture(&fixture, PARSE_PERMISSIVE);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture.decoder->counts = (struct decode_counts){0};
        assert_int_equal(decode(&fixture, cases[i].json), DECODE_ROW);
        for (size_t column = 0; column < COLUMNS; column++)
            assert_int_equal(fixture.decoder->counts.field_faults[column], cases[i].faults[column]);
    }
    close_fixture(&fixture);
}

static void an_array_that_must_be_readable_makes_a_reject(void **state) {
    (void)state;
    static const struct {
        const char *json, *detail, *at; // what is at the position
    } cases[] = {
        {"{\"id\":\"a\",\"info\":{\"players\":[{},\"x\"]}}",
         "info.players[1] is \"x\", not an object", "\"x\""},
        {"{\"id\":\"a\",\"info\":{\"players\":[[1]]}}",
         "info.players[0] is an array, not an object", "[1]]"},
        {"{\"id\":\"a\",\"info\":{\"players\":{\"a\":1}}}",
         "info.players is an object, not an array", "{\"a\""},
        {"{\"id\":\"a\",\"info\":-1.5}", "info is -1.5, not an object", "-1.5"},
        {"{\"id\":\"a\",\"info\":{\"players\":[{}],}}",
         "info cannot be read: expected a key in quotes", "}}"},
        {"{\"id\":\"a\",\"info\":{\"players\":[{},tru,1]}}",
         "info.players cannot be read: unknown token: expected a value", "tru"},
        {"{\"id\":\"a\",\"info\":{\"players\":[{\"kills\":1,}]}}",
         "info.players[0] cannot be read: expected a key in quotes", "}]"},
        {"{\"id\":\"a\",\"map\":{\"k\":1,\"l\\\"m\\u0001\":true}}",
         "map[\"l\"m?\"] is true, not of type INT", "true"},
        {"{\"id\":\"a\",\"grid\":[[1],[2,\"0123456789012345678901234567890123456789\"]]}",
         "grid[1][1] is \"012345678901234567890123456789\"…, not of type INT", "\"0123"},
        {"{\"id\":\"a\",\"map\":{\"k\":null},\"map\":5,\"grid\":5,\"map\":null}",
         "'grid' cannot be read", "{"},
        {"{\"map\":5}", "the object has no key 'id'", "{"},
    };
    struct fixture fixture;
    open_fixture(&fixture, PARSE_REJECT);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(decode(&fixture, cases[i].json), DECODE_REJECT);
        assert_string_equal(fixture.reject.detail, cases[i].detail);
        assert_ptr_equal(cases[i].json + fixture.reject.position,
                         strstr(cases[i].json, cases[i].at));
        assert_int_equal(fixture.reject.reason, i + 1 < sizeof cases / sizeof cases[0]
                                                    ? REJECT_BAD_FIELD
                                                    : REJECT_MISSING_IDENTIFIER);
    }
    close_fixture(&fixture);
}

static void a_record_without_the_array_or_with_another_one_behind_it_is_a_row(void **state) {
    (void)state;
    static const char *const documents[] = {
        "{\"id\":\"a\"}",
        "{\"id\":\"a\",\"info\":null,\"map\":null,\"grid\":null}",
        "{\"id\":\"a\",\"info\":{\"players\":[{\"kills\":\"x\",\"items\":[{}]}]}}",
        "{\"id\":\"a\",\"info\":{\"players\":[{}]},\"info\":5}", // Spark keeps the first
        "{\"id\":\"a\",\"info\":5,\"info\":{\"players\":[{}]}}",
        "{\"id\":\"a\",\"info\":5,\"info\":{}}",
        "{\"id\":\"a\",\"info\":{\"players\":5,\"players\":null}}",
        "{\"id\":\"a\",\"other\":5}", // need not be readable
    };
    struct fixture fixture;
    open_fixture(&fixture, PARSE_REJECT);
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
        assert_int_equal(decode(&fixture, documents[i]), DECODE_ROW);
    assert_int_equal(decode(&fixture, "{\"id\":\"a\",\"map\":5}"), DECODE_REJECT);
    assert_int_equal(fixture.decoder->counts.rejected_values[ID], 1);
    close_fixture(&fixture);

    open_fixture(&fixture, PARSE_PERMISSIVE);
    assert_int_equal(decode(&fixture, "{\"id\":\"a\",\"map\":5}"), DECODE_ROW);
    assert_int_equal(fixture.rows.inputs[MAP].valid[0], 0);
    close_fixture(&fixture);
}

static void write_grid(char *json, int rows, int columns_each) {
    char *at = stpcpy(json, "{\"id\":\"a\",\"grid\":[");
    for (int i = 0; i < rows; i++) {
        at = stpcpy(at, i > 0 ? ",[" : "[");
        for (int j = 0; j < columns_each; j++)
            at += sprintf(at, j > 0 ? ",%d" : "%d", j);
        at = stpcpy(at, "]");
    }
    (void)stpcpy(at, "]}");
}

static void a_record_whose_elements_do_not_fit_is_full_and_taken_back(void **state) {
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, PARSE_REJECT);
    static char json[RECORD_MAX];
    write_grid(json, 10, 100);
    size_t at_first = rows_elements_memory(&fixture.rows);
    assert_int_equal(decode(&fixture, "{\"id\":\"a\",\"grid\":[[1]]}"), DECODE_ROW);
    fixture.rows.count = 1;
    assert_int_equal(decode(&fixture, json), DECODE_FULL);
    assert_int_equal(fixture.rows.inputs[GRID].children[0].children[0].valid[1], 0);

    rows_reset(&fixture.rows);
    int grown = 0;
    while (decode(&fixture, json) == DECODE_FULL) {
        assert_true(rows_grow_elements(&fixture.rows));
        grown++;
    }
    assert_int_equal(grown, 5); // 1,000 elements of 32
    struct list last = fixture.rows.inputs[GRID].children[0].lists[9];
    assert_int_equal(last.count, 100);
    assert_int_equal(fixture.rows.inputs[GRID].children[0].children[0].int32s[last.first + 99], 99);
    assert_true(rows_elements_memory(&fixture.rows) > at_first);
    rows_reset(&fixture.rows);
    assert_int_equal(rows_elements_memory(&fixture.rows), at_first);
    assert_false(rows_grow_elements(&fixture.rows));
    close_fixture(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_of_rows_follow_one_another),
        cmocka_unit_test(a_row_that_is_not_counted_gives_its_elements_back),
        cmocka_unit_test(a_fault_is_counted_for_the_column_that_it_is_in),
        cmocka_unit_test(an_array_that_must_be_readable_makes_a_reject),
        cmocka_unit_test(a_record_without_the_array_or_with_another_one_behind_it_is_a_row),
        cmocka_unit_test(a_record_whose_elements_do_not_fit_is_full_and_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
