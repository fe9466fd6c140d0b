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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_query_runs_and_a_restart_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
