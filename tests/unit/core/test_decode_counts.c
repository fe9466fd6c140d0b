#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "core/decoder.h"

static void unknown_names_are_counted_until_there_is_no_room(void **state) {
    (void)state;
    struct unknown_keys more = {0}, sum = {0};
    assert_int_equal(unknown_keys_find(&more, TEXT("colour")), 0);
    more.names[0].count = 2;
    char name[8];
    for (int i = 0; i < 40; i++) {
        int size = snprintf(name, sizeof name, "k%d", i);
        int index = unknown_keys_find(&more, (struct text){name, (uint32_t)size});
        assert_int_equal(index, i + 1 < UNKNOWN_NAMES_MAX ? i + 1 : -1);
        if (index >= 0)
            more.names[index].count = i; // k0 came in a record that does not count
    }
    unknown_keys_add(&sum, &more);
    assert_int_equal(sum.count, UNKNOWN_NAMES_MAX - 1);
    assert_string_equal(sum.names[0].text, "colour");
    assert_int_equal(sum.names[0].count, 2);
    assert_string_equal(sum.names[1].text, "k1");
    assert_int_equal(unknown_keys_find(&sum, TEXT("k1")), 1);
    assert_int_equal(unknown_keys_find(&sum, TEXT("k")), UNKNOWN_NAMES_MAX - 1);
}

static void a_long_unknown_name_is_cut_between_characters(void **state) {
    (void)state;
    struct unknown_keys keys = {0};
    char name[64];
    memset(name, 'a', sizeof name);
    name[UNKNOWN_NAME_MAX - 1] = (char)0xc3; // an e with an accent
    name[UNKNOWN_NAME_MAX] = (char)0xa9;
    assert_int_equal(unknown_keys_find(&keys, (struct text){name, sizeof name}), 0);
    assert_int_equal(strlen(keys.names[0].text), UNKNOWN_NAME_MAX - 1);
    assert_int_equal(unknown_keys_find(&keys, TEXT("a\0b")), 1);
    assert_string_equal(keys.names[1].text, "a?b");
}

static void all_counts_are_added(void **state) {
    (void)state;
    static struct decode_counts more = {.field_faults = {[1] = 1, [2] = 2},
                                        .unknown_keys = 2,
                                        .trailing_bytes = 1,
                                        .rejected_values = {[3] = 4}};
    static struct decode_counts sum = {.trailing_bytes = 5};
    more.unknown_names.names[unknown_keys_find(&more.unknown_names, TEXT("colour"))].count = 2;
    for (int times = 1; times <= 2; times++) {
        decode_counts_add(&sum, &more);
        assert_int_equal(sum.field_faults[1], times);
        assert_int_equal(sum.field_faults[2], 2 * times);
        assert_int_equal(sum.unknown_keys, 2 * times);
        assert_int_equal(sum.unknown_names.names[0].count, 2 * times);
        assert_int_equal(sum.trailing_bytes, 5 + times);
        assert_int_equal(sum.rejected_values[3], 4 * times);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_names_are_counted_until_there_is_no_room),
        cmocka_unit_test(a_long_unknown_name_is_cut_between_characters),
        cmocka_unit_test(all_counts_are_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
