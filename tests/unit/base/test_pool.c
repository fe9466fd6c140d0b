#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pool.h"

static void assert_zero(const unsigned char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++)
        assert_int_equal(bytes[i], 0);
}

static void pieces_are_zeroed_aligned_and_apart(void **state) {
    (void)state;
    struct pool pool;
    pool_init(&pool);
    unsigned char *before = NULL;
    size_t before_size = 0;
    for (size_t size = 1; size < 6000; size += 7) {
        unsigned char *piece = pool_alloc(&pool, 1, size);
        assert_int_equal((uintptr_t)piece % _Alignof(max_align_t), 0);
        assert_zero(piece, size);
        memset(piece, 0xFF, size);
        for (size_t i = 0; i < before_size; i++)
            assert_int_equal(before[i], 0xFF);
        before = piece;
        before_size = size;
    }
    pool_deinit(&pool);
}

static void a_large_piece_leaves_the_room_of_the_newest_block(void **state) {
    (void)state;
    struct pool pool;
    pool_init(&pool);
    char *first = pool_alloc(&pool, 1, 16);
    size_t used = pool.used;
    unsigned char *large = pool_alloc(&pool, 1000, 1000);
    assert_zero(large, 1000000);
    memset(large, 1, 1000000);
    char *second = pool_alloc(&pool, 1, 16);
    assert_ptr_equal(second, first + used);
    assert_zero((unsigned char *)second, 16);
    assert_int_equal(pool.total, 16 + 1000000 + 16);
    pool_deinit(&pool);
}

static void the_first_piece_can_be_large(void **state) {
    (void)state;
    struct pool pool;
    pool_init(&pool);
    unsigned char *large = pool_alloc(&pool, 100, 1000);
    assert_zero(large, 100000);
    assert_non_null(pool_alloc(&pool, 1, 1));
    pool_deinit(&pool);
}

static void no_bytes_are_a_pointer_too(void **state) {
    (void)state;
    struct pool pool;
    pool_init(&pool);
    assert_non_null(pool_alloc(&pool, 0, 8));
    assert_non_null(pool_alloc(&pool, 8, 0));
    assert_string_equal(pool_copy(&pool, (struct text){0}), "");
    pool_deinit(&pool);
}

static void copies_are_terminated_and_independent(void **state) {
    (void)state;
    struct pool pool;
    pool_init(&pool);
    char bytes[] = "abcdef";
    const char *copy = pool_copy(&pool, (struct text){bytes, 3});
    const char *printed = pool_format(&pool, "%s-%d", copy, 7);
    memset(bytes, 'x', sizeof bytes);
    assert_string_equal(copy, "abc");
    assert_string_equal(printed, "abc-7");
    pool_deinit(&pool);
}

static void an_empty_pool_can_be_freed_again_and_used_again(void **state) {
    (void)state;
    struct pool pool = {0};
    pool_deinit(&pool);
    pool_deinit(&pool);
    assert_string_equal(pool_copy(&pool, TEXT("again")), "again");
    pool_deinit(&pool);
    assert_int_equal(pool.total, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(a_large_piece_leaves_the_room_of_the_newest_block),
        cmocka_unit_test(the_first_piece_can_be_large),
        cmocka_unit_test(no_bytes_are_a_pointer_too),
        cmocka_unit_test(copies_are_terminated_and_independent),
        cmocka_unit_test(an_empty_pool_can_be_freed_again_and_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
