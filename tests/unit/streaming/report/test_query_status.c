/* What a query says of itself while other threads listen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "streaming/report/query_status.h"

static struct query_status status;

static int set_up(void **state) {
    (void)state;
    query_status_init(&status, "match_stream");
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    query_status_deinit(&status);
    return 0;
}

static void an_error_stays_when_it_is_over(void **state) {
    (void)state;
    struct query_snapshot snapshot = query_status_read(&status);
    assert_int_equal(snapshot.state, QUERY_STARTING);
    assert_string_equal(snapshot.error, "");
    assert_int_equal(strlen(snapshot.run_id), 36);

    query_status_fault(&status, QUERY_RETRYING, true, "Waiting to retry after an error",
                       "no space");
    snapshot = query_status_read(&status);
    assert_int_equal(snapshot.state, QUERY_RETRYING);
    assert_string_equal(snapshot.message, "Waiting to retry after an error");
    assert_string_equal(snapshot.error, "no space");
    assert_true(snapshot.error_ms > 0);

    query_status_say(&status, QUERY_RUNNING, true, "Processing new data");
    snapshot = query_status_read(&status);
    assert_int_equal(snapshot.state, QUERY_RUNNING);
    assert_string_equal(snapshot.error, "no space");

    query_status_note_error(&status, "offsets are gone");
    snapshot = query_status_read(&status);
    assert_int_equal(snapshot.state, QUERY_RUNNING);
    assert_string_equal(snapshot.error, "offsets are gone");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_error_stays_when_it_is_over, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
