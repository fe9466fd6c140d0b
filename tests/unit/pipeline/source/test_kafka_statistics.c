#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "pipeline/source/kafka_statistics.h"

/* What librdkafka 2.0.2 prints, shortened. */
static const char told[] =
    "{ \"name\": \"esports-stream#consumer-2\", \"rxmsg_bytes\":7, \"brokers\":{ "
    "\"127.0.0.1:9092/bootstrap\": { \"nodeid\":-1, \"state\":\"UP\", \"tx\":2, \"rxbytes\":100, "
    "\"rxerrs\":1, \"txerrs\":0, \"req_timeouts\":0, \"disconnects\":0, \"rtt\": { \"avg\":9, "
    "\"p99\":9, \"cnt\":1 } }, "
    "\"127.0.0.1:9092/1\": { \"nodeid\":1, \"state\":\"UP\", \"tx\":20, \"rxbytes\":5000, "
    "\"rxerrs\":0, \"txerrs\":2, \"req_timeouts\":3, \"disconnects\":4, \"rtt\": { \"min\":100, "
    "\"avg\":1500, \"p99\":21000, \"cnt\":12 } }, "
    "\"127.0.0.1:9093/2\": { \"nodeid\":2, \"state\":\"CONNECT\", \"tx\":0, \"rxbytes\":0, "
    "\"rtt\": { \"avg\":0, \"cnt\":0 } } }, "
    "\"topics\":{ \"t\": { \"topic\":\"t\", \"partitions\":{ "
    "\"0\": { \"fetchq_cnt\":10, \"fetchq_size\":7000 }, "
    "\"1\": { \"fetchq_cnt\":5, \"fetchq_size\":300 }, "
    "\"-1\": { \"fetchq_cnt\":0, \"fetchq_size\":0 } } } } }";

static struct kafka_statistics_box box;
static struct kafka_statistics seen;

static int set_up(void **state) {
    (void)state;
    kafka_statistics_init(&box);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    kafka_statistics_deinit(&box);
    return 0;
}

static void nothing_is_known_before_the_first_report(void **state) {
    (void)state;
    assert_false(kafka_statistics_read(&box, &seen));
    kafka_statistics_take(&box, "{ \"brok", 7);
    assert_false(kafka_statistics_read(&box, &seen));
}

static void brokers_and_partitions_are_summed_up(void **state) {
    (void)state;
    kafka_statistics_take(&box, told, strlen(told));
    assert_true(kafka_statistics_read(&box, &seen));
    assert_int_equal(seen.received_bytes, 5100);
    assert_int_equal(seen.requests, 22);
    assert_int_equal(seen.request_timeouts, 3);
    assert_int_equal(seen.receive_errors, 1);
    assert_int_equal(seen.send_errors, 2);
    assert_int_equal(seen.disconnects, 4);
    assert_int_equal(seen.queue_records, 15);
    assert_int_equal(seen.queue_bytes, 7300);
    assert_int_equal(seen.brokers_up, 1); // a bootstrap name is not a broker
    assert_int_equal(seen.round_trip_count, 1);
    assert_int_equal(seen.round_trips[0].broker, 1);
    assert_int_equal(seen.round_trips[0].average_us, 1500);
    assert_int_equal(seen.round_trips[0].p99_us, 21000);
}

static void sums_continue_when_a_new_handle_starts_at_0(void **state) {
    (void)state;
    kafka_statistics_take(&box, told, strlen(told));
    kafka_statistics_take(&box, told, strlen(told)); // newer, of the same handle
    kafka_statistics_restart(&box);
    assert_true(kafka_statistics_read(&box, &seen));
    assert_int_equal(seen.received_bytes, 5100);
    assert_int_equal(seen.queue_bytes, 0);
    kafka_statistics_take(&box, told, strlen(told));
    assert_true(kafka_statistics_read(&box, &seen));
    assert_int_equal(seen.received_bytes, 10200);
    assert_int_equal(seen.request_timeouts, 6);
    assert_int_equal(seen.queue_bytes, 7300);
}

static void members_that_are_missing_count_as_0(void **state) {
    (void)state;
    static const char few[] = "{\"brokers\":{\"a\":{},\"b\":{\"nodeid\":1}},\"topics\":{\"t\":{}}}";
    kafka_statistics_take(&box, few, strlen(few));
    assert_true(kafka_statistics_read(&box, &seen));
    assert_int_equal(seen.received_bytes, 0);
    assert_int_equal(seen.brokers_up, 0);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        FACT(nothing_is_known_before_the_first_report),
        FACT(brokers_and_partitions_are_summed_up),
        FACT(sums_continue_when_a_new_handle_starts_at_0),
        FACT(members_that_are_missing_count_as_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
