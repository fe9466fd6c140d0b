#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log/log.h"
#include "surfaces/service/progress.h"

static const int64_t SECOND = 1000000;

static void a_line_has_rows_rejects_rate_lag_and_time_to_catch_up(void **state) {
    (void)state;
    setenv("TZ", "UTC", 1);
    struct progress_rate rate = {0};
    char line[PROGRESS_LINE_MAX];
    struct query_snapshot query = {.name = "match_stream",
                                   .is_active = true,
                                   .rows = 1203000,
                                   .rejects = 12,
                                   .records_read = 0,
                                   .lag.since_ms = 1700000000000};
    progress_format(&query, &rate, SECOND, 200, line);
    assert_string_equal(line, "match_stream   1 203 000 rows  12 rejects  0 rows/s  "
                              "lag unknown since 22:13:20");
    query.records_read = 300000;
    query.lag = (struct topic_lag){.is_known = true, .records = 2400000};
    progress_format(&query, &rate, 2 * SECOND, 200, line);
    assert_string_equal(line, "match_stream   1 203 000 rows  12 rejects  300 000 rows/s  "
                              "lag 2 400 000  caught up in 8 s");
}

static void the_time_to_catch_up_is_shown_in_suitable_units(void **state) {
    (void)state;
    static const struct {
        int64_t lag;
        const char *text;
    } cases[] = {{0, "caught up"},
                 {1, "caught up in 1 s"},
                 {119, "caught up in 119 s"},
                 {600, "caught up in 10 min"},
                 {36000, "caught up in 10 h"},
                 {864000, "caught up in 10 days"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct progress_rate rate = {.at_us = 1000000, .per_second = 1};
        struct query_snapshot query = {.name = "q",
                                       .is_active = true,
                                       .records_read = 1,
                                       .lag = {.is_known = true, .records = cases[i].lag}};
        char line[PROGRESS_LINE_MAX];
        progress_format(&query, &rate, 2 * SECOND, 200, line);
        if (strstr(line, cases[i].text) == NULL)
            fail_msg("lag %lld gave '%s'", (long long)cases[i].lag, line);
    }
}

static void the_rate_is_smoothed(void **state) {
    (void)state;
    struct progress_rate rate = {0};
    struct query_snapshot query = {.name = "q", .is_active = true};
    char line[PROGRESS_LINE_MAX];
    progress_format(&query, &rate, SECOND, 200, line);
    query.records_read = 1000;
    progress_format(&query, &rate, 2 * SECOND, 200, line);
    assert_true(rate.per_second == 1000);
    progress_format(&query, &rate, 3 * SECOND, 200, line); // no records arrived
    assert_true(rate.per_second > 500 && rate.per_second < 1000);
    for (int i = 4; i < 60; i++)
        progress_format(&query, &rate, i * SECOND, 200, line);
    assert_true(rate.per_second < 1);
}

static void a_line_never_wraps(void **state) {
    (void)state;
    struct progress_rate rate = {0};
    struct query_snapshot query = {.name = "match_stream",
                                   .is_active = true,
                                   .rows = INT64_MAX,
                                   .rejects = INT64_MAX,
                                   .lag = {.is_known = true, .records = INT64_MAX}};
    char line[PROGRESS_LINE_MAX];
    progress_format(&query, &rate, SECOND, 20, line);
    assert_int_equal(strlen(line), 20);
}

static void without_a_terminal_there_is_no_display(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int saved = dup(STDOUT_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
    struct query_snapshot query = {.name = "q"};
    bool started = progress_start();
    progress_update(&query, 1);
    progress_stop();
    dup2(saved, STDOUT_FILENO);
    close(saved);
    char byte;
    assert_false(started);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
}

static void on_a_terminal_log_lines_go_above_the_display(void **state) {
    (void)state;
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    int inside = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    assert_true(inside >= 0);
    int saved = dup(STDOUT_FILENO);
    dup2(inside, STDOUT_FILENO);
    setenv("TERM", "xterm", 1);
    struct query_snapshot query = {.name = "q", .is_active = true, .lag.is_known = true};
    bool started = progress_start();
    progress_update(&query, 1);
    log_write(LOG_INFO, "main", "hello");
    progress_stop();
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_true(started);

    // A terminal may return the output in any number of pieces.
    char text[4096];
    size_t size = 0;
    struct pollfd readable = {.fd = terminal, .events = POLLIN};
    while (size < sizeof text - 1 && poll(&readable, 1, 200) == 1) {
        ssize_t more = read(terminal, text + size, sizeof text - 1 - size);
        assert_true(more > 0);
        size += (size_t)more;
    }
    text[size] = '\0';
    char *first = strstr(text, "q              0 rows");
    char *cleared = first != NULL ? strstr(first, "\x1b[1A\r\x1b[J") : NULL;
    char *line = cleared != NULL ? strstr(cleared, "INFO | hello\r\n") : NULL;
    char *again = line != NULL ? strstr(line, "q              0 rows") : NULL;
    assert_true(again != NULL && strstr(again, "\x1b[1A\r\x1b[J") != NULL); // removed at the end
    close(inside);
    close(terminal);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_rows_rejects_rate_lag_and_time_to_catch_up),
        cmocka_unit_test(the_time_to_catch_up_is_shown_in_suitable_units),
        cmocka_unit_test(the_rate_is_smoothed),
        cmocka_unit_test(a_line_never_wraps),
        cmocka_unit_test(without_a_terminal_there_is_no_display),
        cmocka_unit_test(on_a_terminal_log_lines_go_above_the_display),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
