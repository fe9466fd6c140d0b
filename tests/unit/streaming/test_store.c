#include "store_fixture.h"

static void a_new_query_runs_and_a_restart_goes_on(void **state) {
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_must_advance(&fixture, 1, 0);
    fixture_must_advance(&fixture, 3, 1);
    assert_true(fixture_has(&fixture, "checkpoints/match_stream/commits/3"));
    assert_true(fixture_has(&fixture, "processed/matches/_spark_metadata/3"));
    assert_false(fixture_has(&fixture, "processed/matches/_staging/3"));
    fixture_clear(&fixture);
}

static void a_query_that_never_had_a_batch_still_knows_where_it_began(void **state) {
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = {0};
    for (int start = 0; start < 2; start++) {
        struct store *store = NULL;
        assert_true(store_open(&fixture.options, &store, &err));
        struct recovery recovery;
        assert_true(store_recover(store, &recovery, &err));
        assert_int_equal(recovery.new_query, start == 0);
        assert_int_equal(recovery.next_batch, 0);
        if (start == 0) {
            struct offset_range began = {.partition = 0, .start = 7, .end = 7};
            assert_true(store_write_initial(store, &began, 1, &err));
        } else {
            assert_int_equal(recovery.start_count, 1);
            assert_int_equal(recovery.starts[0].start, 7);
        }
        recovery_deinit(&recovery);
        store_close(store);
    }
    fixture_clear(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_query_runs_and_a_restart_goes_on),
        cmocka_unit_test(a_query_that_never_had_a_batch_still_knows_where_it_began),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
