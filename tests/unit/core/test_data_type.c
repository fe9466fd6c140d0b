#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/data_type.h"

static const struct data_type int32 = {.kind = TYPE_INT32};
static const struct data_type int64 = {.kind = TYPE_INT64};
static const struct data_type decimal = {.kind = TYPE_DECIMAL, .precision = 10, .scale = 2};
static const struct data_type ints = {.kind = TYPE_ARRAY, .element = &int32};
static const struct data_type map = {.kind = TYPE_MAP, .element = &ints};

static struct data_type struct_of(const struct data_field *fields, size_t count) {
    return (struct data_type){.kind = TYPE_STRUCT, .fields = fields, .field_count = count};
}

static void assert_texts(const struct data_type *type, const char *ddl, const char *text) {
    struct pool pool;
    pool_init(&pool);
    assert_string_equal(data_type_ddl(type, &pool), ddl);
    assert_string_equal(data_type_text(type, &pool), text);
    pool_deinit(&pool);
}

static void types_are_written_as_in_spark(void **state) {
    (void)state;
    assert_texts(&int64, "BIGINT", "BIGINT");
    assert_texts(&decimal, "DECIMAL(10,2)", "DECIMAL(10,2)");
    assert_texts(&map, "MAP<STRING, ARRAY<INT>>", "MAP<STRING, ARRAY<INT>>");
    const struct data_field inner[] = {{"x", int32, NULL}};
    const struct data_field fields[] = {{"a", map, "why"}, {"b", struct_of(inner, 1), NULL}};
    struct data_type type = struct_of(fields, 2);
    assert_texts(&type, "STRUCT<`a`: MAP<STRING, ARRAY<INT>>, `b`: STRUCT<`x`: INT>>",
                 "STRUCT<a: MAP<STRING, ARRAY<INT>>, b: STRUCT<x: INT>>");
    struct data_type empty = struct_of(NULL, 0);
    assert_texts(&empty, "STRUCT<>", "STRUCT<>");
}

static void people_see_quotes_where_a_name_needs_them(void **state) {
    (void)state;
    static const struct {
        const char *name, *quoted, *plain;
    } cases[] = {
        {"matchId", "STRUCT<`matchId`: INT>", "STRUCT<matchId: INT>"},
        {"_1", "STRUCT<`_1`: INT>", "STRUCT<_1: INT>"},
        {"1a", "STRUCT<`1a`: INT>", "STRUCT<`1a`: INT>"},
        {"a b", "STRUCT<`a b`: INT>", "STRUCT<`a b`: INT>"},
        {"a.b", "STRUCT<`a.b`: INT>", "STRUCT<`a.b`: INT>"},
        {"", "STRUCT<``: INT>", "STRUCT<``: INT>"},
        {"`", "STRUCT<````: INT>", "STRUCT<````: INT>"},
        {"a``b`", "STRUCT<`a````b```: INT>", "STRUCT<`a````b```: INT>"},
        {"é", "STRUCT<`é`: INT>", "STRUCT<`é`: INT>"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct data_field field = {cases[i].name, int32, NULL};
        struct data_type type = struct_of(&field, 1);
        assert_texts(&type, cases[i].quoted, cases[i].plain);
    }
}

static void types_are_equal_if_they_differ_in_comments_only(void **state) {
    (void)state;
    const struct data_type other_decimal = {.kind = TYPE_DECIMAL, .precision = 10, .scale = 3};
    const struct data_type longer = {.kind = TYPE_DECIMAL, .precision = 11, .scale = 2};
    const struct data_type longs = {.kind = TYPE_ARRAY, .element = &int64};
    const struct data_field one[] = {{"a", int32, "x"}, {"b", ints, NULL}};
    const struct data_field same[] = {{"a", int32, NULL}, {"b", ints, "y"}};
    const struct data_field named[] = {{"A", int32, NULL}, {"b", ints, NULL}};
    const struct data_field typed[] = {{"a", int32, NULL}, {"b", longs, NULL}};
    struct data_type type = struct_of(one, 2), equal = struct_of(same, 2),
                     other_name = struct_of(named, 2), other_type = struct_of(typed, 2),
                     shorter = struct_of(one, 1);
    assert_true(data_type_equals(&int32, &int32));
    assert_false(data_type_equals(&int32, &int64));
    assert_true(data_type_equals(&decimal, &decimal));
    assert_false(data_type_equals(&decimal, &other_decimal));
    assert_false(data_type_equals(&decimal, &longer));
    assert_false(data_type_equals(&ints, &longs));
    assert_false(data_type_equals(&ints, &map));
    assert_true(data_type_equals(&type, &equal));
    assert_false(data_type_equals(&type, &other_name));
    assert_false(data_type_equals(&type, &other_type));
    assert_false(data_type_equals(&type, &shorter));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_written_as_in_spark),
        cmocka_unit_test(people_see_quotes_where_a_name_needs_them),
        cmocka_unit_test(types_are_equal_if_they_differ_in_comments_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
