#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pipeline/parquet/thrift.h"

static void numbers_have_the_bytes_of_the_compact_protocol(void **state) {
    (void)state;
    // field 1: i32 -1; field 3: i64 300; field 30: true; field 31: "ab"; stop
    static const uint8_t expected[] = {0x15, 0x01, 0x26, 0xd8, 0x04, 0x01,
                                       0x3c, 0x18, 0x02, 'a',  'b',  0x00};
    struct bytes bytes = {0};
    struct thrift_writer writer = {.out = &bytes};
    thrift_put_i32(&writer, 1, -1);
    thrift_put_i64(&writer, 3, 300);
    thrift_put_bool(&writer, 30, true);
    thrift_put_text(&writer, 31, "ab");
    thrift_end(&writer);
    assert_int_equal(bytes.size, sizeof expected);
    assert_memory_equal(bytes.at, expected, sizeof expected);
    bytes_deinit(&bytes);
}

/* A struct with everything that Parquet's have. */
static void write_example(struct bytes *bytes) {
    struct thrift_writer writer = {.out = bytes};
    thrift_put_i64(&writer, 1, INT64_MIN);
    thrift_begin(&writer, 2);
    thrift_put_list(&writer, 1, THRIFT_I32, 20);
    for (int32_t i = 0; i < 20; i++)
        thrift_element_i32(&writer, i - 10);
    thrift_put_list(&writer, 2, THRIFT_TRUE, 2);
    thrift_element_bool(&writer, true);
    thrift_element_bool(&writer, false);
    thrift_put_list(&writer, 3, THRIFT_STRUCT, 1);
    thrift_begin_element(&writer);
    thrift_put_text(&writer, 1, "deep");
    thrift_end(&writer);
    thrift_end(&writer);
    thrift_put_bool(&writer, 3, false);
    thrift_put_i32(&writer, 4, INT32_MAX);
    thrift_end(&writer);
}

static void what_is_not_asked_for_is_skipped(void **state) {
    (void)state;
    struct bytes bytes = {0};
    write_example(&bytes);
    struct thrift_reader reader = {.at = bytes.at, .end = bytes.at + bytes.size, .depth = -1};
    int field, seen = 0;
    enum thrift_type type;
    thrift_enter(&reader);
    while (thrift_field(&reader, &field, &type)) {
        seen++;
        if (field == 1)
            assert_true(thrift_get_int(&reader, type) == INT64_MIN);
        else if (field == 3)
            assert_false(thrift_get_bool(&reader, type));
        else if (field == 4)
            assert_int_equal(thrift_get_int(&reader, type), INT32_MAX);
        else
            thrift_skip(&reader, type);
    }
    assert_int_equal(seen, 4);
    assert_false(reader.failed);
    assert_ptr_equal(reader.at, reader.end);
    bytes_deinit(&bytes);
}

static void lists_and_structs_are_read_in_depth(void **state) {
    (void)state;
    struct bytes bytes = {0};
    write_example(&bytes);
    struct thrift_reader reader = {.at = bytes.at, .end = bytes.at + bytes.size, .depth = -1};
    int field;
    enum thrift_type type;
    thrift_enter(&reader);
    assert_true(thrift_field(&reader, &field, &type));
    thrift_skip(&reader, type);
    assert_true(thrift_field(&reader, &field, &type));
    assert_true(thrift_get_struct(&reader, type));
    assert_true(thrift_field(&reader, &field, &type));
    assert_int_equal(thrift_get_list(&reader, type, THRIFT_I32), 20);
    for (int i = 0; i < 20; i++)
        assert_int_equal(thrift_get_int(&reader, THRIFT_I32), i - 10);
    assert_true(thrift_field(&reader, &field, &type));
    thrift_skip(&reader, type);
    assert_true(thrift_field(&reader, &field, &type));
    assert_int_equal(thrift_get_list(&reader, type, THRIFT_STRUCT), 1);
    thrift_enter(&reader);
    assert_true(thrift_field(&reader, &field, &type));
    struct text text = thrift_get_binary(&reader, type);
    assert_int_equal(text.length, 4);
    assert_memory_equal(text.bytes, "deep", 4);
    assert_false(thrift_field(&reader, &field, &type)); // the element ends
    assert_false(thrift_field(&reader, &field, &type)); // and so does field 2
    assert_true(thrift_field(&reader, &field, &type));
    assert_int_equal(field, 3);
    bytes_deinit(&bytes);
}

static void every_truncation_fails(void **state) {
    (void)state;
    struct bytes bytes = {0};
    write_example(&bytes);
    for (size_t size = 0; size < bytes.size; size++) {
        uint8_t *copy = malloc(size + (size == 0));
        memcpy(copy, bytes.at, size);
        struct thrift_reader reader = {.at = copy, .end = copy + size, .depth = -1};
        int field;
        enum thrift_type type;
        thrift_enter(&reader);
        while (thrift_field(&reader, &field, &type))
            thrift_skip(&reader, type);
        assert_true(reader.failed);
        free(copy);
    }
    bytes_deinit(&bytes);
}

static void nesting_beyond_the_limit_fails_without_recursion(void **state) {
    (void)state;
    uint8_t deep[100000];
    memset(deep, 0x1c, sizeof deep); // a struct in field 1 of a struct in field 1 of …
    struct thrift_reader reader = {.at = deep, .end = deep + sizeof deep, .depth = -1};
    int field;
    enum thrift_type type;
    thrift_enter(&reader);
    assert_true(thrift_field(&reader, &field, &type));
    thrift_skip(&reader, type);
    assert_true(reader.failed);
}

static void counts_beyond_the_bytes_fail(void **state) {
    (void)state;
    static const uint8_t list[] = {0x19, 0xf5, 0xff, 0xff, 0xff, 0x0f, 0x00};
    struct thrift_reader reader = {.at = list, .end = list + sizeof list, .depth = -1};
    int field;
    enum thrift_type type;
    thrift_enter(&reader);
    assert_true(thrift_field(&reader, &field, &type));
    assert_int_equal(thrift_get_list(&reader, type, THRIFT_I32), 0);
    assert_true(reader.failed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_the_bytes_of_the_compact_protocol),
        cmocka_unit_test(what_is_not_asked_for_is_skipped),
        cmocka_unit_test(lists_and_structs_are_read_in_depth),
        cmocka_unit_test(every_truncation_fails),
        cmocka_unit_test(nesting_beyond_the_limit_fails_without_recursion),
        cmocka_unit_test(counts_beyond_the_bytes_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
