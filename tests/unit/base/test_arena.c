#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"

static void byte_allocations_lie_end_to_end(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 64);
    char *first = arena_alloc_bytes(&arena, 3);
    char *second = arena_alloc_bytes(&arena, 5);
    assert_ptr_equal(second, first + 3);
    assert_int_equal(arena_room(&arena), 56);
    arena_deinit(&arena);
}

static void a_full_arena_gives_null_and_stays_as_it_is(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 64);
    assert_non_null(arena_alloc_bytes(&arena, 64));
    assert_null(arena_alloc_bytes(&arena, 1));
    assert_null(arena_alloc(&arena, 1));
    assert_non_null(arena_alloc_bytes(&arena, 0));
    assert_int_equal(arena.used, 64);
    arena_deinit(&arena);
}

static void rewinding_gives_back_what_came_after(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 64);
    assert_non_null(arena_alloc_bytes(&arena, 10));
    size_t used = arena.used;
    char *guess = arena_alloc_bytes(&arena, 50);
    arena_rewind(&arena, used + 20);
    assert_ptr_equal(arena_alloc_bytes(&arena, 1), guess + 20);
    arena_rewind(&arena, used);
    assert_ptr_equal(arena_alloc_bytes(&arena, 1), guess);
    arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_allocations_lie_end_to_end),
        cmocka_unit_test(a_full_arena_gives_null_and_stays_as_it_is),
        cmocka_unit_test(rewinding_gives_back_what_came_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
