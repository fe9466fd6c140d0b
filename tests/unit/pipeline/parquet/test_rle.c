#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pipeline/parquet/rle.h"

enum { VALUES_MAX = 5000 };

static void encode(struct bytes *bytes, const uint32_t *values, size_t count, unsigned width) {
    rle_encode(bytes, (struct codes){(const void *)values, count, sizeof *values}, width);
}

/* The same codes in fewer bytes each give the same bytes. */
static void assert_same_when_narrow(const uint32_t *values, size_t count, unsigned width,
                                    const struct bytes *expected) {
    for (size_t size = width <= 8 ? 1 : 2; width <= 16 && size <= 2; size++) {
        struct bytes narrow = {0}, bytes = {0};
        codes_append(&narrow, size, values, count);
        uint8_t *copy = malloc(narrow.size + (narrow.size == 0)); // so that ASan sees its end
        if (narrow.size > 0)
            memcpy(copy, narrow.at, narrow.size);
        rle_encode(&bytes, (struct codes){copy, count, size}, width);
        assert_int_equal(bytes.size, expected->size);
        if (bytes.size > 0)
            assert_memory_equal(bytes.at, expected->at, bytes.size);
        bytes_deinit(&narrow);
        bytes_deinit(&bytes);
        free(copy);
    }
}

static void assert_round_trip(const uint32_t *values, size_t count, unsigned width) {
    struct bytes bytes = {0};
    encode(&bytes, values, count, width);
    assert_same_when_narrow(values, count, width, &bytes);
    // A copy of exactly this size, so that ASan sees a read past the end.
    uint8_t *copy = malloc(bytes.size + (bytes.size == 0));
    memcpy(copy, bytes.at, bytes.size);
    struct rle_reader reader;
    rle_reader_init(&reader, copy, bytes.size, width);
    uint32_t *back = malloc(VALUES_MAX * sizeof *back);
    for (size_t at = 0; at < count; at += 37) // in steps that fit no group
        assert_true(rle_read(&reader, back + at, count - at < 37 ? count - at : 37));
    assert_memory_equal(values, back, count * sizeof *back);
    free(back);
    free(copy);
    bytes_deinit(&bytes);
}

static void the_width_is_that_of_the_largest_code(void **state) {
    (void)state;
    static const struct {
        uint32_t count;
        unsigned width;
    } cases[] = {{0, 0}, {1, 0}, {2, 1}, {3, 2}, {4, 2}, {5, 3}, {256, 8}, {257, 9}, {65536, 16}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(rle_width(cases[i].count), cases[i].width);
}

static void the_example_of_the_specification_is_packed_as_it_says(void **state) {
    (void)state;
    static const uint32_t values[] = {0, 1, 2, 3, 4, 5, 6, 7};
    static const uint8_t expected[] = {0x03, 0x88, 0xc6, 0xfa}; // 1 group of literals, then 3 bytes
    struct bytes bytes = {0};
    encode(&bytes, values, 8, 3);
    assert_int_equal(bytes.size, sizeof expected);
    assert_memory_equal(bytes.at, expected, sizeof expected);
    bytes_deinit(&bytes);
}

static void any_values_come_back(void **state) {
    (void)state;
    uint32_t values[VALUES_MAX];
    srand(1);
    for (unsigned width = 0; width <= 32; width++) {
        for (int round = 0; round < 20; round++) {
            size_t count = (size_t)rand() % VALUES_MAX;
            uint32_t mask = width == 32 ? UINT32_MAX : (1u << width) - 1;
            for (size_t i = 0; i < count;) { // runs and singles in turn
                uint32_t value = ((uint32_t)rand() * 2654435761u) & mask;
                size_t length = rand() % 3 == 0 ? (size_t)(rand() % 200) : 1;
                for (; length > 0 && i < count; length--)
                    values[i++] = value;
            }
            assert_round_trip(values, count, width);
        }
    }
}

static void bits_come_back(void **state) {
    (void)state;
    uint8_t bits[1000];
    uint32_t back[1000];
    srand(2);
    for (size_t count = 0; count < sizeof bits; count += 7) {
        for (size_t i = 0; i < count;) {
            uint8_t bit = rand() & 1;
            size_t length = rand() % 4 == 0 ? (size_t)(rand() % 90) : 1;
            for (; length > 0 && i < count; length--)
                bits[i++] = bit;
        }
        struct bytes bytes = {0};
        rle_encode_bits(&bytes, bits, count);
        struct rle_reader reader;
        rle_reader_init(&reader, bytes.at, bytes.size, 1);
        assert_true(rle_read(&reader, back, count));
        for (size_t i = 0; i < count; i++)
            assert_int_equal(back[i], bits[i]);
        bytes_deinit(&bytes);
    }
}

static void a_long_run_takes_few_bytes(void **state) {
    (void)state;
    uint32_t values[VALUES_MAX];
    for (size_t i = 0; i < VALUES_MAX; i++)
        values[i] = 3;
    struct bytes bytes = {0};
    encode(&bytes, values, VALUES_MAX, 2);
    assert_int_equal(bytes.size, 3);
    bytes_deinit(&bytes);
}

static void bytes_that_are_cut_short_are_refused(void **state) {
    (void)state;
    uint32_t values[VALUES_MAX], back[VALUES_MAX];
    for (size_t i = 0; i < VALUES_MAX; i++)
        values[i] = (uint32_t)(i * 7919 % 1000);
    struct bytes bytes = {0};
    encode(&bytes, values, VALUES_MAX, 10);
    for (size_t size = 0; size < bytes.size; size += 11) {
        uint8_t *copy = malloc(size + 1);
        memcpy(copy, bytes.at, size);
        struct rle_reader reader;
        rle_reader_init(&reader, copy, size, 10);
        assert_false(rle_read(&reader, back, VALUES_MAX));
        free(copy);
    }
    bytes_deinit(&bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_width_is_that_of_the_largest_code),
        cmocka_unit_test(the_example_of_the_specification_is_packed_as_it_says),
        cmocka_unit_test(any_values_come_back),
        cmocka_unit_test(bits_come_back),
        cmocka_unit_test(a_long_run_takes_few_bytes),
        cmocka_unit_test(bytes_that_are_cut_short_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
