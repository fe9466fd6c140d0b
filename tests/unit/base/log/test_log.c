#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log/log.h"
#include "base/log/log_retry.h"
#include "base/system/clock.h"

static int64_t fixed_wall_ms(void) {
    return 1767177045123; // 2025-12-31T10:30:45.123Z
}

static int64_t fixed_monotonic_us(void) {
    return 0;
}

static const struct clock_ops fixed_clock = {fixed_wall_ms, fixed_monotonic_us};

static int saved_stdout;
static int pipe_out;
static char output[1 << 20];

static int capture(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    saved_stdout = dup(STDOUT_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
    pipe_out = ends[0];
    clock_source = &fixed_clock;
    setenv("TZ", "UTC", 1);
    tzset();
    log_configure(LOG_INFO, false);
    return 0;
}

/* What was logged since capture(). */
static const char *captured(void) {
    dup2(saved_stdout, STDOUT_FILENO);
    close(saved_stdout);
    size_t size = 0;
    for (ssize_t got; (got = read(pipe_out, output + size, sizeof output - 1 - size)) > 0;)
        size += (size_t)got;
    close(pipe_out);
    output[size] = '\0';
    return output;
}

static void a_line_is_time_logger_level_message_and_fields(void **state) {
    (void)state;
    log_write(LOG_INFO, "match_stream", "Batch %d written successfully | batch_id=%d | rows=%d", 3,
              3, 120);
    assert_string_equal(captured(), "2025-12-31 10:30:45 | match_stream | INFO | Batch 3 written "
                                    "successfully | batch_id=3 | rows=120\n");
}

static void text_lines_are_in_local_time(void **state) {
    (void)state;
    setenv("TZ", "Europe/Paris", 1);
    tzset();
    log_write(LOG_INFO, "main", "hello");
    assert_string_equal(captured(), "2025-12-31 11:30:45 | main | INFO | hello\n");
}

static void the_level_is_coloured_on_request_but_not_in_json(void **state) {
    (void)state;
    log_line_use_colour(true);
    log_write(LOG_WARNING, "main", "hello");
    log_configure(LOG_INFO, true);
    log_write(LOG_ERROR, "main", "hello");
    log_line_use_colour(false);
    assert_string_equal(captured(),
                        "2025-12-31 10:30:45 | main | \x1b[33mWARNING\x1b[0m | hello\n"
                        "{\"timestamp\": \"2025-12-31T10:30:45.123+00:00\", \"logger\": \"main\", "
                        "\"level\": \"ERROR\", \"message\": \"hello\"}\n");
}

static void a_line_below_the_configured_level_is_not_written(void **state) {
    (void)state;
    log_write(LOG_DEBUG, "main", "hidden");
    log_write(LOG_CRITICAL, "main", "shown");
    assert_string_equal(captured(), "2025-12-31 10:30:45 | main | CRITICAL | shown\n");
}

static void control_characters_and_bad_utf8_become_visible(void **state) {
    (void)state;
    log_write(LOG_INFO, "main", "value=%s",
              "a\nb\tc\r\x1b[2Jd\x7f é \xff \xc2\x9b \xed\xa0\x80 \xe2\x80\xa8");
    assert_string_equal(captured(), "2025-12-31 10:30:45 | main | INFO | value=a\\nb\\tc\\r\\x1b[2J"
                                    "d\\x7f é \\xff \\xc2\\x9b \\xed\\xa0\\x80 \\xe2\\x80\\xa8\n");
}

static void json_has_a_member_per_field_and_utc_with_offset(void **state) {
    (void)state;
    setenv("TZ", "Europe/Paris", 1);
    tzset();
    log_configure(LOG_INFO, true);
    log_write(LOG_ERROR, "match_stream", "Record rejected | topic=%s | offset=%lld | rate=%.1f",
              "12", 7LL, 2.5);
    assert_string_equal(captured(),
                        "{\"timestamp\": \"2025-12-31T10:30:45.123+00:00\", \"logger\": "
                        "\"match_stream\", \"level\": \"ERROR\", \"message\": \"Record rejected\", "
                        "\"topic\": \"12\", \"offset\": 7, \"rate\": 2.5}\n");
}

static void json_strings_are_escaped_and_nan_is_a_string(void **state) {
    (void)state;
    log_configure(LOG_INFO, true);
    log_write(LOG_INFO, "main", "said | what=%s | ratio=%.1f", "\"a\\b\"\n\xff\xc2\x85\xe2\x80\xa9",
              0.0 / 0.0);
    const char *text = captured();
    assert_non_null(strstr(text, "\"what\": \"\\\"a\\\\b\\\"\\u000a\xef\xbf\xbd\\u0085\\u2029\""));
    assert_non_null(
        strstr(text, "\"ratio\": \"-nan\"}") != NULL ? text : strstr(text, "\"ratio\": \"nan\"}"));
}

static void a_separator_in_a_value_stays_in_the_value(void **state) {
    (void)state;
    log_configure(LOG_INFO, true);
    log_write(LOG_INFO, "main", "Went %s | reason=%s | left=%d", "x | y=1", "a | b=c", 2);
    assert_non_null(strstr(captured(), "\"message\": \"Went x | y=1\", \"reason\": \"a | b=c\", "
                                       "\"left\": 2}"));
}

static void a_separator_in_the_message_stays_in_the_message(void **state) {
    (void)state;
    log_configure(LOG_INFO, true);
    log_write(LOG_INFO, "main", "one | two | three=%d", 3);
    assert_non_null(strstr(captured(), "\"message\": \"one | two\", \"three\": 3}"));
}

static void a_very_long_text_is_cut_and_stays_one_line(void **state) {
    (void)state;
    static char text[100000];
    memset(text, '\x01', sizeof text - 1);
    log_configure(LOG_INFO, true);
    log_write(LOG_INFO, "main", "%s | lost=%d", text, 1);
    const char *logged = captured();
    assert_int_equal(strchr(logged, '\n') - logged, (ptrdiff_t)strlen(logged) - 1);
    assert_string_equal(logged + strlen(logged) - 3, "\"}\n");
}

static void a_field_never_replaces_a_standard_member(void **state) {
    (void)state;
    log_configure(LOG_INFO, true);
    log_write(LOG_INFO, "main", "Status | level=%d | message=%s", 7, "waiting");
    assert_non_null(strstr(captured(), "\"message\": \"Status\", \"field_level\": 7, "
                                       "\"field_message\": \"waiting\"}"));
}

static void a_display_stays_below_the_last_line(void **state) {
    (void)state;
    log_output_show("1 row\n2 rows\n");
    log_write(LOG_INFO, "main", "hello");
    log_output_show("3 rows\n");
    log_output_show("4 rows\n");
    log_output_show("");
    log_write(LOG_INFO, "main", "bye");
    assert_string_equal(captured(), "1 row\n2 rows\n"
                                    "\x1b[2A\r\x1b[J2025-12-31 10:30:45 | main | INFO | hello\n"
                                    "1 row\n2 rows\n"
                                    "\x1b[2A\r\x1b[J3 rows\n"
                                    "\x1b[1A\r4 rows\n"
                                    "\x1b[1A\r\x1b[J2025-12-31 10:30:45 | main | INFO | bye\n");
}

static void *log_many(void *name) {
    for (int i = 0; i < 200; i++)
        log_write(LOG_INFO, name, "line of %s", (char *)name);
    return NULL;
}

static void lines_of_several_threads_never_interleave(void **state) {
    (void)state;
    pthread_t threads[3];
    static char names[3][2] = {"a", "b", "c"};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, names[i]), 0);
    for (size_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);

    int lines = 0;
    char *rest = NULL;
    (void)captured();
    for (char *line = strtok_r(output, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char expected[64];
        char name = line[strlen(line) - 1];
        snprintf(expected, sizeof expected, "2025-12-31 10:30:45 | %c | INFO | line of %c", name,
                 name);
        assert_string_equal(line, expected);
        lines++;
    }
    assert_int_equal(lines, 600);
}

static void a_retry_line_has_reason_start_next_attempt_and_limit(void **state) {
    (void)state;
    const struct log_retry disk = {.began_ms = -65000, // the clock shows 0
                                   .attempts = 4,
                                   .pause_ms = 1600,
                                   .limit_ms = 300000,
                                   .limit = "WRITE_RETRY_TIMEOUT"};
    const struct log_retry kafka = {.attempts = 1, .pause_ms = 500};
    const struct log_retry damage = {.attempts = 2, .pause_ms = 1000, .limit = "3 attempts"};
    log_retry(LOG_ERROR, "q", "no space; trying again", &disk);
    log_retry(LOG_ERROR, "q", "Waiting for Kafka: no broker", &kafka);
    log_retry(LOG_ERROR, "q", "damaged; reading the batch again", &damage);
    assert_string_equal(
        captured(),
        "2025-12-31 10:30:45 | q | ERROR | no space; trying again | since=2025-12-31 10:29:40 | "
        "attempt=4 | retry_in_ms=1600 | until=2025-12-31 10:34:40 (WRITE_RETRY_TIMEOUT)\n"
        "2025-12-31 10:30:45 | q | ERROR | Waiting for Kafka: no broker | "
        "since=2025-12-31 10:30:45 | attempt=1 | retry_in_ms=500 | until=no limit\n"
        "2025-12-31 10:30:45 | q | ERROR | damaged; reading the batch again | "
        "since=2025-12-31 10:30:45 | attempt=2 | retry_in_ms=1000 | until=3 attempts\n");
}

#define FACT(name) cmocka_unit_test_setup(name, capture)

int main(void) {
    const struct CMUnitTest tests[] = {
        FACT(a_line_is_time_logger_level_message_and_fields),
        FACT(text_lines_are_in_local_time),
        FACT(the_level_is_coloured_on_request_but_not_in_json),
        FACT(a_line_below_the_configured_level_is_not_written),
        FACT(control_characters_and_bad_utf8_become_visible),
        FACT(json_has_a_member_per_field_and_utc_with_offset),
        FACT(json_strings_are_escaped_and_nan_is_a_string),
        FACT(a_separator_in_a_value_stays_in_the_value),
        FACT(a_separator_in_the_message_stays_in_the_message),
        FACT(a_field_never_replaces_a_standard_member),
        FACT(a_very_long_text_is_cut_and_stays_one_line),
        FACT(a_display_stays_below_the_last_line),
        FACT(lines_of_several_threads_never_interleave),
        FACT(a_retry_line_has_reason_start_next_attempt_and_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
