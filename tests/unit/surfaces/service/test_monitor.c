#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log/log.h"
#include "base/system/clock.h"
#include "surfaces/service/monitor.h"

static int64_t now_us;

static int64_t monotonic_us(void) {
    return now_us;
}

static int64_t wall_ms(void) {
    return now_us / 1000;
}

static const struct clock_ops test_clock = {wall_ms, monotonic_us};

static char output[1 << 16];

/* What monitor_update() logs at this moment. */
static const char *logged(struct monitor *monitor, int64_t at_ms,
                          const struct query_snapshot *queries, size_t count) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int saved = dup(STDOUT_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    now_us = at_ms * 1000;
    monitor_update(monitor, queries, count);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(ends[1]);
    ssize_t size = read(ends[0], output, sizeof output - 1);
    close(ends[0]);
    assert_true(size >= 0);
    output[size] = '\0';
    return output;
}

static size_t lines(const char *text) {
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

static int setup(void **state) {
    (void)state;
    clock_source = &test_clock;
    now_us = 0;
    log_configure(LOG_INFO, false);
    return 0;
}

static void a_status_line_has_the_old_jobs_words(void **state) {
    (void)state;
    struct monitor monitor;
    struct query_snapshot query = {.name = "match_stream",
                                   .is_active = true,
                                   .is_data_available = true,
                                   .message = "Processing new data",
                                   .lag = {.is_known = true, .records = 12}};
    monitor_init(&monitor, 30000);
    assert_non_null(strstr(logged(&monitor, 0, &query, 1),
                           "INFO | Query match_stream status | is_active=True | "
                           "is_data_available=True | message=Processing new data | lag=12\n"));
    query.is_active = query.is_data_available = false;
    query.lag = (struct topic_lag){.since_ms = 1700000000000};
    setenv("TZ", "UTC", 1);
    const char *line = logged(&monitor, 1, &query, 1);
    assert_non_null(strstr(line, "is_active=False | is_data_available=False"));
    assert_non_null(strstr(line, "| lag_unknown_since=22:13:20\n"));
}

static void a_line_comes_every_interval_and_at_the_end(void **state) {
    (void)state;
    struct monitor monitor;
    struct query_snapshot queries[2] = {
        {.name = "match_stream", .is_active = true, .message = "Waiting for next trigger"},
        {.name = "player_stream", .is_active = true, .message = "Waiting for next trigger"},
    };
    monitor_init(&monitor, 30000);
    assert_int_equal(lines(logged(&monitor, 0, queries, 2)), 2);     // the first
    assert_int_equal(lines(logged(&monitor, 29999, queries, 2)), 0); // nothing new
    assert_int_equal(lines(logged(&monitor, 30000, queries, 2)), 2); // the interval
    queries[1].is_data_available = true;
    assert_int_equal(lines(logged(&monitor, 30200, queries, 2)), 0); // a change
    assert_int_equal(lines(logged(&monitor, 60000, queries, 2)), 2);
    queries[0].is_active = false;
    assert_int_equal(lines(logged(&monitor, 60200, queries, 2)), 1); // an end
}

static void every_change_is_a_line_at_debug(void **state) {
    (void)state;
    struct monitor monitor;
    struct query_snapshot queries[2] = {
        {.name = "match_stream", .is_active = true, .message = "Waiting for next trigger"},
        {.name = "player_stream", .is_active = true, .message = "Waiting for next trigger"},
    };
    log_configure(LOG_DEBUG, false);
    monitor_init(&monitor, 30000);
    (void)logged(&monitor, 0, queries, 2);
    queries[1].is_data_available = true;
    const char *text = logged(&monitor, 200, queries, 2);
    assert_int_equal(lines(text), 1);
    assert_non_null(strstr(text, "DEBUG | Query player_stream status | "));
    queries[1].rows = 5000;
    assert_int_equal(lines(logged(&monitor, 400, queries, 2)), 0); // not what a line says
    strcpy(queries[0].message, "Processing new data");
    assert_int_equal(lines(logged(&monitor, 600, queries, 2)), 1);
    assert_non_null(strstr(logged(&monitor, 30000, queries, 2), "INFO | Query match_stream "));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_status_line_has_the_old_jobs_words, setup),
        cmocka_unit_test_setup(a_line_comes_every_interval_and_at_the_end, setup),
        cmocka_unit_test_setup(every_change_is_a_line_at_debug, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
