#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/log/log.h"

enum { PIPE_SIZE = 4096, WAIT_MS = 10000 };

static int reader, writer;             // the log's output, and where it comes out
static char output[4 * LOG_QUEUE_MAX]; // what came out
static size_t output_size;

static void start(void) {
    struct error err;
    assert_true(log_output_start(&err));
    output_size = 0;
}

/* A pipe that is full soon. */
static int setup(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_true(fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE) >= PIPE_SIZE);
    reader = ends[0];
    writer = ends[1];
    log_configure(LOG_INFO, false);
    log_output_set(writer);
    start();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    close(reader);
    close(writer);
    log_output_set(STDOUT_FILENO);
    return 0;
}

/* Reads until the text is there. */
static void read_until(const char *text) {
    const char *from = output;
    output[output_size] = '\0';
    while (strstr(from, text) == NULL) {
        from = output + output_size - (output_size < 100 ? output_size : 100);
        ssize_t got = read(reader, output + output_size, sizeof output - 1 - output_size);
        assert_true(got > 0);
        output_size += (size_t)got;
        output[output_size] = '\0';
    }
}

/* About 1,050 bytes a line. */
static void log_lines(int from, int count) {
    for (int i = from; i < from + count; i++)
        log_write(LOG_INFO, "main", "line %d. | padding=%1000d", i, i);
}

/* The number of the next "line N." from `at` on; -1: there is none. */
static long next_number(const char **at) {
    const char *found = strstr(*at, "line ");
    if (found == NULL)
        return -1;
    *at = found + strlen("line ");
    return strtol(*at, NULL, 10);
}

/* The sum of what is said to have been dropped. */
static int64_t told_dropped(void) {
    int64_t sum = 0;
    for (const char *at = output; (at = strstr(at, "dropped=")) != NULL; at++)
        sum += strtoll(at + strlen("dropped="), NULL, 10);
    return sum;
}

/* Every line is there once and in order, or counted as dropped. */
static void assert_all_told(int lines) {
    long expected = 0, number;
    const char *at = output;
    int64_t dropped = told_dropped(), missing = 0;
    while ((number = next_number(&at)) >= 0) {
        assert_true(number >= expected);
        missing += number - expected;
        expected = number + 1;
    }
    assert_int_equal(expected, lines);
    assert_int_equal(dropped, missing);
}

static void a_reader_that_stops_reading_stops_nobody(void **state) {
    (void)state;
    int64_t before = log_output_dropped();
    log_lines(0, 2000);
    assert_true(log_output_dropped() > before);

    read_until("line 1999.");
    assert_all_told(2000);
    assert_non_null(strstr(
        output,
        " | log | WARNING | Log lines dropped: the output was blocked or failed | dropped="));
    assert_non_null(strstr(output, "reason=the reader is too slow or has stopped reading\n"));
    log_lines(2000, 1);
    read_until("line 2000.");
    assert_int_equal(told_dropped(), log_output_dropped() - before);
    log_output_stop(WAIT_MS);
}

static void nothing_is_dropped_as_long_as_there_is_room(void **state) {
    (void)state;
    int64_t before = log_output_dropped();
    log_lines(0, 500);
    assert_int_equal(log_output_dropped(), before);
    read_until("line 499.");
    assert_all_told(500);
    assert_null(strstr(output, "dropped"));
    log_output_stop(WAIT_MS);
}

/* Slowly until lines are dropped because of it. */
static void *read_slowly(void *argument) {
    struct timespec pause = {.tv_nsec = 1000000};
    const int64_t *before = argument;
    for (ssize_t got; (got = read(reader, output + output_size, 256)) > 0;) {
        output_size += (size_t)got;
        if (log_output_dropped() == *before)
            nanosleep(&pause, NULL);
    }
    output[output_size] = '\0';
    return NULL;
}

static void the_last_line_reaches_a_slow_reader(void **state) {
    (void)state;
    pthread_t slow;
    log_lines(0, 2000);
    log_write(LOG_CRITICAL, "main", "Query failed");
    int64_t before = log_output_dropped();
    assert_int_equal(pthread_create(&slow, NULL, read_slowly, &before), 0);
    log_output_stop(2000);
    assert_true(log_output_dropped() > before);
    log_output_set(STDOUT_FILENO);
    close(writer);
    pthread_join(slow, NULL);
    assert_non_null(strstr(output, "CRITICAL | Query failed\n"));
}

static void a_full_disk_is_retried_until_it_has_room(void **state) {
    (void)state;
    log_output_stop(WAIT_MS);
    int full = open("/dev/full", O_WRONLY);
    int log = dup(full);
    log_output_set(log);
    start();
    log_lines(0, 2000);
    dup2(writer, log); // there is room again
    read_until("line 1999.");
    assert_all_told(2000);
    assert_non_null(strstr(output, "reason=No space left on device\n"));
    log_output_stop(WAIT_MS);
    close(full);
    close(log);
}

static void a_stop_does_not_wait_for_a_full_disk_or_a_reader_that_has_gone(void **state) {
    (void)state;
    close(reader);
    log_lines(0, 3);
    log_output_stop(3600000);
    log_lines(3, 1); // no log thread, nothing waits
    int full = open("/dev/full", O_WRONLY);
    log_output_set(full);
    start();
    log_lines(0, 3);
    log_output_stop(3600000);
    close(full);
}

static void a_terminal_that_was_stopped_stops_nobody(void **state) {
    (void)state;
    log_output_stop(WAIT_MS);
    close(reader);
    reader = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(reader >= 0 && grantpt(reader) == 0 && unlockpt(reader) == 0);
    int terminal = open(ptsname(reader), O_RDWR | O_NOCTTY);
    assert_int_equal(tcflow(terminal, TCOOFF), 0); // Ctrl-S
    log_output_set(terminal);
    start();
    log_output_show("0 rows\x1b[K\n");
    log_lines(0, 2000);
    log_output_show("1 row\x1b[K\n");
    assert_int_equal(tcflow(terminal, TCOON), 0); // Ctrl-Q
    read_until("line 1999.");
    assert_all_told(2000);
    read_until("1 row"); // and not each that there was meanwhile
    log_output_show("");
    read_until("\x1b[1A\r\x1b[J");
    log_output_stop(WAIT_MS);
    close(terminal);
}

static void *log_many(void *name) {
    for (int i = 0; i < 200; i++)
        log_write(LOG_INFO, name, "line of %s", (char *)name);
    return NULL;
}

static void lines_of_several_threads_are_whole(void **state) {
    (void)state;
    pthread_t threads[3];
    static char names[3][2] = {"a", "b", "c"};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, names[i]), 0);
    for (size_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    log_write(LOG_INFO, "d", "the end");
    read_until("the end\n");
    log_output_stop(WAIT_MS);

    int lines = 0;
    char *rest = NULL;
    for (char *line = strtok_r(output, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char expected[64];
        char name = line[strlen(line) - 1];
        if (++lines == 601)
            break;
        snprintf(expected, sizeof expected, " | %c | INFO | line of %c", name, name);
        assert_string_equal(line + strlen("2025-12-31 10:30:45"), expected);
    }
    assert_int_equal(lines, 601);
}

static void after_a_stop_lines_are_written_at_once(void **state) {
    (void)state;
    log_output_stop(WAIT_MS);
    log_write(LOG_INFO, "main", "bye");
    struct pollfd in = {.fd = reader, .events = POLLIN};
    assert_int_equal(poll(&in, 1, 0), 1);
    read_until("bye\n");
}

/* The last one: after it nothing is written any more. */
static void a_stop_does_not_wait_for_a_reader_that_hangs(void **state) {
    (void)state;
    log_lines(0, 100);
    log_output_stop(3600000);
    log_lines(100, 2000);
    read_until("line 2099.");
    assert_all_told(2100);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        FACT(a_reader_that_stops_reading_stops_nobody),
        FACT(nothing_is_dropped_as_long_as_there_is_room),
        FACT(the_last_line_reaches_a_slow_reader),
        FACT(a_full_disk_is_retried_until_it_has_room),
        FACT(a_stop_does_not_wait_for_a_full_disk_or_a_reader_that_has_gone),
        FACT(a_terminal_that_was_stopped_stops_nobody),
        FACT(lines_of_several_threads_are_whole),
        FACT(after_a_stop_lines_are_written_at_once),
        FACT(a_stop_does_not_wait_for_a_reader_that_hangs),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
