#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pipeline/parquet/delta.h"

/* Encodes, and reads back from a copy of exactly that size (so that ASan sees a read past its end),
 * in steps that fit no miniblock. Returns the encoded size. */
static size_t assert_round_trip(const void *values, size_t width, size_t count) {
    struct bytes bytes = {0};
    delta_encode(&bytes, values, width, count);
    uint8_t *copy = malloc(bytes.size), *back = malloc(count * width + 1);
    memcpy(copy, bytes.at, bytes.size);
    struct delta_reader reader;
    assert_true(delta_reader_init(&reader, copy, bytes.size));
    for (size_t at = 0; at < count; at += 37) {
        size_t part = count - at < 37 ? count - at : 37;
        assert_true(delta_read(&reader, back + at * width, width, part));
    }
    assert_memory_equal(values, back, count * width);
    uint64_t more;
    assert_false(delta_read(&reader, &more, width, 1));
    size_t size = bytes.size;
    free(back);
    free(copy);
    bytes_deinit(&bytes);
    return size;
}

static uint64_t any(uint64_t seed) {
    uint64_t hash = (seed + 1) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
    return hash * 0xbf58476d1ce4e5b9u;
}

static const size_t counts[] = {0, 1, 2, 31, 32, 33, 128, 129, 130, 160, 161, 1000, 20000};

enum { COUNTS = sizeof counts / sizeof counts[0], VALUES = 20000 };

static void numbers_of_every_width_come_back(void **state) {
    (void)state;
    int64_t *wide = malloc(VALUES * sizeof *wide);
    int32_t *narrow = malloc(VALUES * sizeof *narrow);
    for (unsigned bits = 0; bits <= 64; bits++) {
        for (size_t i = 0; i < VALUES; i++) {
            wide[i] = bits == 0 ? 7 : (int64_t)(any(i) >> (64 - bits));
            narrow[i] = (int32_t)wide[i];
        }
        for (size_t i = 0; i < COUNTS; i++) {
            assert_round_trip(wide, sizeof *wide, counts[i]);
            assert_round_trip(narrow, sizeof *narrow, counts[i]);
        }
    }
    free(wide);
    free(narrow);
}

static void differences_that_wrap_around_come_back(void **state) {
    (void)state;
    static const int64_t wide[] = {INT64_MIN, INT64_MAX, 0, INT64_MAX, INT64_MIN, -1, INT64_MIN};
    static const int32_t narrow[] = {INT32_MIN, INT32_MAX, 0, INT32_MAX, INT32_MIN, -1, INT32_MIN};
    assert_round_trip(wide, sizeof wide[0], sizeof wide / sizeof wide[0]);
    // 32-bit differences never need more than 32 bits: readers refuse wider ones.
    size_t size = assert_round_trip(narrow, sizeof narrow[0], sizeof narrow / sizeof narrow[0]);
    assert_true(size <= 20 + 32 * sizeof narrow[0]);
}

static void numbers_that_count_up_take_almost_nothing(void **state) {
    (void)state;
    int64_t *offsets = malloc(VALUES * sizeof *offsets);
    for (size_t i = 0; i < VALUES; i++)
        offsets[i] = 1000000 + (int64_t)i;
    assert_true(assert_round_trip(offsets, sizeof *offsets, VALUES) < VALUES / 16);
    free(offsets);
}

/* The example of the format's own text: 7, 5, 3, 1, 2, 3, 4, 5 has these differences from -2 on. */
static void the_bytes_are_those_of_the_format(void **state) {
    (void)state;
    static const int32_t values[] = {7, 5, 3, 1, 2, 3, 4, 5};
    static const uint8_t expected[] = {
        0x80, 0x01, 4, 8, 14,         // block of 128 in 4, 8 values, first 7 as zigzag
        3,                            // least difference -2 as zigzag
        2,    0,    0, 0,             // widths of the miniblocks
        0xc0, 0x3f, 0, 0, 0,  0, 0, 0 // 0 0 0 3 3 3 3 in two bits each, padded to 32 of them
    };
    struct bytes bytes = {0};
    delta_encode(&bytes, values, sizeof values[0], sizeof values / sizeof values[0]);
    assert_int_equal(bytes.size, sizeof expected);
    assert_memory_equal(bytes.at, expected, sizeof expected);
    bytes_deinit(&bytes);
}

static void a_page_that_is_cut_or_changed_is_never_read_beyond(void **state) {
    (void)state;
    enum { COUNT = 300 };
    int64_t values[COUNT], back[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        values[i] = (int64_t)(any(i) >> 20);
    struct bytes bytes = {0};
    delta_encode(&bytes, values, sizeof values[0], COUNT);
    for (size_t size = 0; size < bytes.size; size++) {
        uint8_t *copy = malloc(size + 1);
        memcpy(copy, bytes.at, size);
        struct delta_reader reader;
        bool whole = delta_reader_init(&reader, copy, size) &&
                     delta_read(&reader, back, sizeof back[0], COUNT);
        // Only padding may be missing.
        assert_true(!whole || memcmp(values, back, sizeof values) == 0);
        free(copy);
    }
    for (size_t i = 0; i < bytes.size * 8; i++) {
        uint8_t *copy = malloc(bytes.size);
        memcpy(copy, bytes.at, bytes.size);
        copy[i / 8] ^= (uint8_t)(1u << i % 8);
        struct delta_reader reader;
        if (delta_reader_init(&reader, copy, bytes.size))
            (void)delta_read(&reader, back, sizeof back[0], COUNT);
        free(copy);
    }
    bytes_deinit(&bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_every_width_come_back),
        cmocka_unit_test(differences_that_wrap_around_come_back),
        cmocka_unit_test(numbers_that_count_up_take_almost_nothing),
        cmocka_unit_test(the_bytes_are_those_of_the_format),
        cmocka_unit_test(a_page_that_is_cut_or_changed_is_never_read_beyond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
