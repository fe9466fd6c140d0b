#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log/log.h"
#include "base/system/clock.h"
#include "surfaces/service/service_manager.h"

static const int64_t second = 1000; // in milliseconds

static int64_t now_ms;

static int64_t monotonic_us(void) {
    return now_ms * 1000;
}

static int64_t wall_ms(void) {
    return now_ms;
}

static const struct clock_ops test_clock = {wall_ms, monotonic_us};

/* The service manager's end of NOTIFY_SOCKET. */
static int listener;
static char path[64];
static char received[4096];

static int setup(void **state) {
    (void)state;
    clock_source = &test_clock;
    now_ms = 1000 * second;
    log_configure(LOG_CRITICAL, false);
    snprintf(path, sizeof path, "/tmp/notify-%d", (int)getpid());
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
    assert_int_equal(setenv("WATCHDOG_USEC", "60000000", 1), 0);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    close(listener);
    unlink(path);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    return 0;
}

/* All datagrams since the last call, with a '|' after each. */
static const char *told(void) {
    size_t used = 0;
    for (;;) {
        ssize_t size = recv(listener, received + used, sizeof received - used - 2, 0);
        if (size < 0)
            break;
        used += (size_t)size;
        received[used++] = '|';
    }
    received[used] = '\0';
    return received;
}

static const char *told_by_update(struct service_manager *manager,
                                  const struct query_snapshot *queries, size_t count) {
    service_manager_update(manager, queries, count);
    return told();
}

static struct query_snapshot running(const char *name) {
    struct query_snapshot query = {
        .name = name, .is_active = true, .is_started = true, .batch_id = -1};
    snprintf(query.message, sizeof query.message, "Waiting for data to arrive");
    return query;
}

static void ready_is_sent_once_when_every_query_has_started(void **state) {
    (void)state;
    struct service_manager manager;
    service_manager_init(&manager);
    struct query_snapshot queries[] = {running("match_stream"), running("player_stream")};
    queries[1].is_started = false;
    assert_null(strstr(told_by_update(&manager, queries, 2), "READY=1"));
    queries[1].is_started = true;
    assert_non_null(strstr(told_by_update(&manager, queries, 2), "READY=1|"));
    assert_null(strstr(told_by_update(&manager, queries, 2), "READY=1"));
}

static void status_names_every_query_and_changes_at_most_every_second(void **state) {
    (void)state;
    struct service_manager manager;
    service_manager_init(&manager);
    struct query_snapshot queries[] = {running("match_stream"), running("player_stream")};
    queries[0].batch_id = 7;
    queries[0].rows = 1203;
    queries[0].rejects = 2;
    queries[0].lag = (struct topic_lag){.is_known = true, .records = 40};
    snprintf(queries[1].message, sizeof queries[1].message, "one\ntwo");
    assert_non_null(strstr(told_by_update(&manager, queries, 2),
                           "STATUS=match_stream: Waiting for data to arrive, batch 7, 1203 rows, 2 "
                           "rejects, lag 40; player_stream: one two|"));
    queries[0].rows = 1204;
    assert_null(strstr(told_by_update(&manager, queries, 2), "STATUS"));
    now_ms += second;
    assert_non_null(strstr(told_by_update(&manager, queries, 2), "1204 rows"));
    now_ms += second;
    assert_null(strstr(told_by_update(&manager, queries, 2), "STATUS"));
}

/* Whether any update in the next `seconds` feeds the watchdog. */
static bool fed_within(struct service_manager *manager, const struct query_snapshot *queries,
                       size_t count, int seconds) {
    bool fed = false;
    for (int i = 0; i < seconds; i++) {
        now_ms += second;
        fed = strstr(told_by_update(manager, queries, count), "WATCHDOG=1") != NULL || fed;
    }
    return fed;
}

static void the_watchdog_is_fed_while_every_query_shows_activity(void **state) {
    (void)state;
    struct service_manager manager;
    service_manager_init(&manager);
    struct query_snapshot queries[] = {running("match_stream"), running("player_stream")};
    assert_non_null(strstr(told_by_update(&manager, queries, 2), "WATCHDOG=1|"));
    for (int i = 0; i < 10; i++) {
        queries[0].signs++;
        queries[1].signs++;
        assert_true(fed_within(&manager, queries, 2, 16));
    }
    // One continues, the other hangs. It has half of WatchdogSec to show activity.
    (void)fed_within(&manager, queries, 2, 31);
    for (int i = 0; i < 100; i++) {
        queries[0].signs++;
        assert_false(fed_within(&manager, queries, 2, 1));
    }
    queries[1].signs++;
    assert_true(fed_within(&manager, queries, 2, 1));
}

static void sleeping_on_purpose_counts_as_activity(void **state) {
    (void)state;
    struct service_manager manager;
    service_manager_init(&manager);
    struct query_snapshot query = running("match_stream");
    query.rest_until_ms = now_ms + 3600 * second;
    for (int i = 0; i < 3600 / 16; i++)
        assert_true(fed_within(&manager, &query, 1, 16));
    (void)fed_within(&manager, &query, 1, 31 + 16);
    assert_false(fed_within(&manager, &query, 1, 60));
}

static void a_query_that_has_ended_need_not_show_activity(void **state) {
    (void)state;
    struct service_manager manager;
    service_manager_init(&manager);
    struct query_snapshot queries[] = {running("match_stream"), running("player_stream")};
    queries[1].is_active = false;
    for (int i = 0; i < 10; i++) {
        queries[0].signs++;
        assert_true(fed_within(&manager, queries, 2, 16));
    }
}

static void a_start_that_waits_gets_more_time_and_one_that_hangs_does_not(void **state) {
    (void)state;
    struct service_manager manager;
    service_manager_init(&manager);
    struct query_snapshot query = running("match_stream");
    query.is_started = false;
    for (int i = 0; i < 100; i++) {
        query.signs++;
        now_ms += 10 * second;
        assert_non_null(
            strstr(told_by_update(&manager, &query, 1), "EXTEND_TIMEOUT_USEC=60000000|"));
    }
    now_ms += 61 * second;
    assert_null(strstr(told_by_update(&manager, &query, 1), "EXTEND_TIMEOUT_USEC"));
}

static void a_stop_says_so_and_how_long_it_may_take(void **state) {
    (void)state;
    struct service_manager manager;
    service_manager_init(&manager);
    struct query_snapshot query = running("match_stream");
    (void)told_by_update(&manager, &query, 1);
    service_manager_stop(&manager, 8 * second);
    assert_string_equal(told(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=13000000|");
    query.is_started = false;
    now_ms += 10 * second;
    query.signs++;
    assert_null(strstr(told_by_update(&manager, &query, 1), "EXTEND_TIMEOUT_USEC"));
}

static void a_full_socket_delays_nothing_and_the_next_update_sends_everything(void **state) {
    (void)state;
    struct service_manager manager;
    service_manager_init(&manager);
    int full = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    while (sendto(full, "x", 1, 0, (struct sockaddr *)&address, sizeof address) == 1)
        ;
    close(full);
    struct query_snapshot query = running("match_stream");
    service_manager_update(&manager, &query, 1);
    assert_null(strstr(told(), "READY"));
    const char *next = told_by_update(&manager, &query, 1);
    assert_non_null(strstr(next, "READY=1|"));
    assert_non_null(strstr(next, "STATUS=match_stream: Waiting"));
    assert_non_null(strstr(next, "WATCHDOG=1|"));
}

static void a_stop_that_could_not_be_sent_is_sent_by_the_next_update(void **state) {
    (void)state;
    struct service_manager manager;
    service_manager_init(&manager);
    struct query_snapshot query = running("match_stream");
    (void)told_by_update(&manager, &query, 1);
    setenv("NOTIFY_SOCKET", "/nowhere/notify", 1);
    service_manager_stop(&manager, 8 * second);
    setenv("NOTIFY_SOCKET", path, 1);
    assert_non_null(
        strstr(told_by_update(&manager, &query, 1), "STOPPING=1\nEXTEND_TIMEOUT_USEC=13000000|"));
    assert_null(strstr(told_by_update(&manager, &query, 1), "STOPPING"));
}

static void an_abstract_socket_is_supported(void **state) {
    (void)state;
    struct service_manager manager;
    service_manager_init(&manager);
    close(listener);
    listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "notify-%d", (int)getpid());
    size_t size = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(address.sun_path + 1);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, (socklen_t)size), 0);
    address.sun_path[0] = '@';
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    struct query_snapshot query = running("match_stream");
    assert_non_null(strstr(told_by_update(&manager, &query, 1), "READY=1|"));
}

static void a_watchdog_that_is_meant_for_another_process_is_not_fed(void **state) {
    (void)state;
    struct service_manager manager;
    setenv("WATCHDOG_PID", "1", 1);
    service_manager_init(&manager);
    unsetenv("WATCHDOG_PID");
    assert_int_equal(manager.watchdog_ms, 0);
}

static void without_a_service_manager_nothing_is_sent(void **state) {
    (void)state;
    struct service_manager manager;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    service_manager_init(&manager);
    struct query_snapshot query = running("match_stream");
    service_manager_update(&manager, &query, 1);
    service_manager_stop(&manager, second);
    assert_string_equal(told(), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ready_is_sent_once_when_every_query_has_started, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(status_names_every_query_and_changes_at_most_every_second,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_watchdog_is_fed_while_every_query_shows_activity, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(sleeping_on_purpose_counts_as_activity, setup, teardown),
        cmocka_unit_test_setup_teardown(a_query_that_has_ended_need_not_show_activity, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_start_that_waits_gets_more_time_and_one_that_hangs_does_not, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stop_says_so_and_how_long_it_may_take, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_full_socket_delays_nothing_and_the_next_update_sends_everything, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stop_that_could_not_be_sent_is_sent_by_the_next_update,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_abstract_socket_is_supported, setup, teardown),
        cmocka_unit_test_setup_teardown(a_watchdog_that_is_meant_for_another_process_is_not_fed,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_service_manager_nothing_is_sent, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
