#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pipeline/parquet/dictionary.h"

static void codes_count_up_in_the_order_of_first_sight(void **state) {
    (void)state;
    const struct text texts[] = {TEXT("b"),  TEXT("a"), TEXT("b"), {NULL, 0},
                                 TEXT("ab"), {NULL, 0}, TEXT("a")};
    static const uint32_t expected[] = {0, 1, 0, 2, 3, 2, 1};
    uint32_t codes[7];
    struct dictionary dictionary = {.type = TYPE_STRING};
    assert_int_equal(dictionary_encode(&dictionary, texts, 7, codes), 7);
    assert_memory_equal(codes, expected, sizeof expected);
    assert_int_equal(dictionary.count, 4);
    struct text text = dictionary_text(&dictionary, 3);
    assert_int_equal(text.length, 2);
    assert_memory_equal(text.bytes, "ab", 2);
    dictionary_deinit(&dictionary);
}

static void doubles_differ_by_their_bits(void **state) {
    (void)state;
    static const double values[] = {0.0, -0.0, 0.0, 1.5};
    static const uint32_t expected[] = {0, 1, 0, 2};
    uint32_t codes[4];
    struct dictionary dictionary = {.type = TYPE_DOUBLE};
    assert_int_equal(dictionary_encode(&dictionary, values, 4, codes), 4);
    assert_memory_equal(codes, expected, sizeof expected);
    dictionary_deinit(&dictionary);
}

static void many_values_of_every_type_come_back_by_their_code(void **state) {
    (void)state;
    enum { COUNT = 60000 };
    int32_t *small = malloc(COUNT * sizeof *small);
    int64_t *wide = malloc(COUNT * sizeof *wide);
    uint32_t *codes = malloc(COUNT * sizeof *codes);
    srand(3);
    for (size_t i = 0; i < COUNT; i++) {
        small[i] = rand() % 30000 - 15000;
        wide[i] = (int64_t)small[i] * 4294967296;
    }
    struct dictionary first = {.type = TYPE_INT32}, second = {.type = TYPE_TIMESTAMP};
    assert_int_equal(dictionary_encode(&first, small, COUNT, codes), COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_memory_equal(first.values.at + codes[i] * sizeof *small, &small[i], sizeof *small);
    assert_int_equal(dictionary_encode(&second, wide, COUNT, codes), COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_memory_equal(second.values.at + codes[i] * sizeof *wide, &wide[i], sizeof *wide);
    assert_int_equal(first.count, second.count);
    dictionary_deinit(&first);
    dictionary_deinit(&second);
    free(small);
    free(wide);
    free(codes);
}

static void integers_near_and_far_come_back_by_their_code(void **state) {
    (void)state;
    static const int32_t values[] = {5,         70,        -3, 5,         4000,      -4000,     70,
                                     INT32_MAX, INT32_MIN, 5,  INT32_MIN, INT32_MAX, 2000000000};
    static const uint32_t expected[] = {0, 1, 2, 0, 3, 4, 1, 5, 6, 0, 6, 5, 7};
    enum { COUNT = sizeof values / sizeof values[0] };
    uint32_t codes[COUNT];
    for (size_t start = 0; start < 3; start++) { // at either end of the type, and in the middle
        struct dictionary dictionary = {.type = TYPE_INT32};
        int32_t edges[][3] = {{INT32_MIN, INT32_MIN + 9, INT32_MIN},
                              {INT32_MAX, INT32_MAX - 99, INT32_MAX},
                              {5, 70, 5}};
        assert_int_equal(dictionary_encode(&dictionary, edges[start], 3, codes), 3);
        assert_int_equal(codes[0], 0);
        assert_int_equal(codes[1], 1);
        assert_int_equal(codes[2], 0);
        assert_int_equal(dictionary_encode(&dictionary, values, COUNT, codes), COUNT);
        for (size_t i = 0; i < COUNT; i++)
            assert_memory_equal(dictionary.values.at + codes[i] * sizeof values[0], &values[i],
                                sizeof values[0]);
        dictionary_deinit(&dictionary);
    }
    struct dictionary dictionary = {.type = TYPE_INT32};
    assert_int_equal(dictionary_encode(&dictionary, values, COUNT, codes), COUNT);
    assert_memory_equal(codes, expected, sizeof expected);
    dictionary_deinit(&dictionary);
}

static void integers_that_were_near_keep_their_codes_when_one_is_far(void **state) {
    (void)state;
    enum { NEAR = 5000 };
    for (int32_t near = 1; near < NEAR; near *= 3) {
        struct dictionary dictionary = {.type = TYPE_INT32};
        uint32_t code;
        int32_t far[] = {INT32_MIN, INT32_MAX, 1 << 20};
        for (int32_t i = 0; i < near; i++)
            assert_int_equal(dictionary_encode(&dictionary, &i, 1, &code), 1);
        for (uint32_t i = 0; i < 3; i++) {
            assert_int_equal(dictionary_encode(&dictionary, &far[i], 1, &code), 1);
            assert_int_equal(code, (uint32_t)near + i);
        }
        for (int32_t i = 0; i < near; i++) {
            assert_int_equal(dictionary_encode(&dictionary, &i, 1, &code), 1);
            assert_int_equal(code, i);
        }
        dictionary_deinit(&dictionary);
    }
}

/* Texts that differ in their length or in one byte only, in memory of exactly their size. */
static void texts_of_all_lengths_come_back(void **state) {
    (void)state;
    enum { LENGTHS = 100 };
    uint32_t code, expected;
    struct dictionary dictionaries[] = {{.type = TYPE_BINARY},
                                        {.type = TYPE_BINARY, .portable = true}};
    for (uint32_t round = 0; round < 4; round++) {
        struct dictionary *dictionary = &dictionaries[round / 2];
        expected = 0;
        for (uint32_t length = 0; length < LENGTHS; length++) {
            char *bytes = calloc(1, length + (length == 0));
            struct text text = {bytes, length};
            for (uint32_t at = 0; at <= length; at++) {
                if (at < length)
                    bytes[at] = 1;
                assert_int_equal(dictionary_encode(dictionary, &text, 1, &code), 1);
                assert_int_equal(code, expected++);
                if (at < length)
                    bytes[at] = 0;
            }
            free(bytes);
        }
    }
    dictionary_deinit(&dictionaries[0]);
    dictionary_deinit(&dictionaries[1]);
}

static void a_full_dictionary_codes_no_more(void **state) {
    (void)state;
    char bytes[1000] = {0};
    struct text text = {bytes, sizeof bytes};
    uint32_t code, coded = 0;
    struct dictionary dictionary = {.type = TYPE_STRING};
    for (int i = 0; i < 2000; i++) {
        (void)snprintf(bytes, sizeof bytes, "%06d", i);
        coded += (uint32_t)dictionary_encode(&dictionary, &text, 1, &code);
    }
    assert_int_equal(coded, DICTIONARY_SIZE_MAX / (sizeof bytes + sizeof(uint32_t)));
    assert_true(dictionary.values.size <= DICTIONARY_SIZE_MAX);
    (void)snprintf(bytes, sizeof bytes, "%06d", 5); // what it knows it still codes
    assert_int_equal(dictionary_encode(&dictionary, &text, 1, &code), 1);
    assert_int_equal(code, 5);
    dictionary_deinit(&dictionary);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_count_up_in_the_order_of_first_sight),
        cmocka_unit_test(doubles_differ_by_their_bits),
        cmocka_unit_test(many_values_of_every_type_come_back_by_their_code),
        cmocka_unit_test(integers_near_and_far_come_back_by_their_code),
        cmocka_unit_test(integers_that_were_near_keep_their_codes_when_one_is_far),
        cmocka_unit_test(texts_of_all_lengths_come_back),
        cmocka_unit_test(a_full_dictionary_codes_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
