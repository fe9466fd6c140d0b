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

static void doubles_are_told_apart_by_their_bits(void **state) {
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

static void texts_of_all_lengths_come_back(void **state) {
    (void)state;
    char bytes[200];
    uint32_t code;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7);
    struct dictionary dictionary = {.type = TYPE_BINARY};
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t length = 0; length < sizeof bytes; length++) {
            struct text text = {bytes, length};
            assert_int_equal(dictionary_encode(&dictionary, &text, 1, &code), 1);
            assert_int_equal(code, length);
        }
    }
    dictionary_deinit(&dictionary);
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
        cmocka_unit_test(doubles_are_told_apart_by_their_bits),
        cmocka_unit_test(many_values_of_every_type_come_back_by_their_code),
        cmocka_unit_test(texts_of_all_lengths_come_back),
        cmocka_unit_test(a_full_dictionary_codes_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
