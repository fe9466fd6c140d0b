#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "pipeline/json/stops.h"

enum { SIZE_MAX_TRIED = 300, ROUNDS = 40 };

struct result {
    size_t count;
    uint16_t at[SIZE_MAX_TRIED + JSON_STOPS_BLOCK];
    char copy[SIZE_MAX_TRIED + JSON_STOPS_BLOCK];
};

static bool is_stop(char byte) {
    unsigned char value = (unsigned char)byte;
    return value == '"' || value == '\\' || value < ' ' || value >= 0x80;
}

static void assert_right(const char *bytes, size_t size, const struct result *result) {
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        if (!is_stop(bytes[i]))
            continue;
        assert_true(count < result->count);
        assert_int_equal(result->at[count++], i);
    }
    assert_int_equal(count, result->count);
    assert_memory_equal(result->copy, bytes, size);
    assert_int_equal(result->copy[size], 0);
}

/* `mask` thins out the bytes that can be drawn. */
static void fill(char *bytes, size_t size, unsigned mask, uint64_t *state) {
    for (size_t i = 0; i < size; i++) {
        *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407U;
        unsigned drawn = (unsigned)(*state >> 40);
        bytes[i] = (drawn & mask) == 0 ? (char)(drawn >> 8) : 'a';
    }
}

static void every_kernel_finds_every_stop_at_every_size(void **state) {
    (void)state;
    uint64_t random = 1;
    static struct result result;
    for (size_t kernel = 0; kernel < json_stops_kernel_count; kernel++) {
        if (!json_stops_kernels[kernel].is_supported())
            continue;
        for (size_t size = 0; size <= SIZE_MAX_TRIED; size++) {
            // Allocated to the byte, so that the sanitizer sees every read beyond it.
            char *bytes = malloc(size == 0 ? 1 : size);
            assert_non_null(bytes);
            for (unsigned round = 0; round < ROUNDS; round++) {
                fill(bytes, size, round % 4 == 0 ? 0 : (1u << round % 6) - 1, &random);
                result.count = json_stops_kernels[kernel].find(bytes, size, result.copy, result.at);
                assert_right(bytes, size, &result);
            }
            free(bytes);
        }
    }
}

static void every_byte_is_classified_in_every_place(void **state) {
    (void)state;
    static struct result result;
    char bytes[2 * JSON_STOPS_BLOCK + 1];
    for (size_t kernel = 0; kernel < json_stops_kernel_count; kernel++) {
        if (!json_stops_kernels[kernel].is_supported())
            continue;
        for (unsigned byte = 0; byte < 256; byte++) {
            for (size_t place = 0; place < sizeof bytes; place++) {
                memset(bytes, 'x', sizeof bytes);
                bytes[place] = (char)byte;
                result.count =
                    json_stops_kernels[kernel].find(bytes, sizeof bytes, result.copy, result.at);
                assert_right(bytes, sizeof bytes, &result);
            }
        }
    }
}

static void the_end_is_marked_behind_the_last_stop(void **state) {
    (void)state;
    static struct json_stops stops;
    json_stops_init(&stops, true);
    static char bytes[JSON_STOPS_RECORD_MAX];
    memset(bytes, '"', sizeof bytes);
    for (size_t size = 0; size <= sizeof bytes; size += size < 200 ? 1 : 32568 / 8) {
        json_stops_read(&stops, bytes, size);
        assert_int_equal(stops.count, size);
        assert_int_equal(stops.at[size], size);
        assert_int_equal(stops.at[size + 1], size);
        assert_int_equal(json_stops_bytes(&stops)[size], 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_finds_every_stop_at_every_size),
        cmocka_unit_test(every_byte_is_classified_in_every_place),
        cmocka_unit_test(the_end_is_marked_behind_the_last_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
