/* What a query says of itself while other threads listen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
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

    query_status_fault(&status, QUERY_RETRYING, true, "Waiting to write again after an error",
                       "no space");
    snapshot = query_status_read(&status);
    assert_int_equal(snapshot.state, QUERY_RETRYING);
    assert_string_equal(snapshot.message, "Waiting to write again after an error");
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

static void partitions_are_copied(void **state) {
    (void)state;
    struct partition_lag *copy;
    assert_int_equal(query_status_partitions(&status, &copy), 0);
    free(copy);
    const struct partition_lag partitions[] = {{0, 10, 5}, {1, 20, 20}};
    query_status_set_partitions(&status, partitions, 2);
    assert_int_equal(query_status_partitions(&status, &copy), 2);
    assert_memory_equal(copy, partitions, sizeof partitions);
    free(copy);
}

enum { ROUNDS = 20000, PARTITIONS_MAX = 50 };

/* Every set has as many partitions as each of them says in `position`. */
static void *set_many(void *argument) {
    (void)argument;
    struct partition_lag partitions[PARTITIONS_MAX];
    for (int round = 0; round < ROUNDS; round++) {
        size_t count = (size_t)round % PARTITIONS_MAX;
        for (size_t i = 0; i < count; i++)
            partitions[i] = (struct partition_lag){(int32_t)i, round, (int64_t)count};
        query_status_set_partitions(&status, partitions, count);
    }
    query_status_set_active(&status, false);
    return NULL;
}

static void readers_see_whole_sets_of_partitions(void **state) {
    (void)state;
    pthread_t driver;
    query_status_set_active(&status, true);
    assert_int_equal(pthread_create(&driver, NULL, set_many, NULL), 0);
    while (query_status_read(&status).is_active) {
        struct partition_lag *partitions;
        size_t count = query_status_partitions(&status, &partitions);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(partitions[i].partition, i);
            assert_int_equal(partitions[i].position, count);
            assert_int_equal(partitions[i].topic_end, partitions[0].topic_end);
        }
        free(partitions);
    }
    pthread_join(driver, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_error_stays_when_it_is_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(partitions_are_copied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(readers_see_whole_sets_of_partitions, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
