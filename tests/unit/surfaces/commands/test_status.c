#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "surfaces/commands/each_command.h"
#include "surfaces/health/health_ask.h"

static void the_lock_has_the_address_of_its_holder(void **state) {
    (void)state;
    char address[HEALTH_ADDRESS_MAX];
    health_address("host=a pid=12 since=2025-12-31T10:30:45Z program=x http=http://127.0.0.1:4041",
                   address);
    assert_string_equal(address, "http://127.0.0.1:4041");
    health_address("host=a http=http://[::1]:4040 more=1", address);
    assert_string_equal(address, "http://[::1]:4040");
    health_address("host=a pid=12 since=2025-12-31T10:30:45Z program=xhttp=1", address);
    assert_string_equal(address, "");
}

/* What is printed for a query with this answer. */
static char *print(const char *text) {
    struct error err;
    char *printed = NULL;
    size_t size;
    struct json *query = json_parse(text, strlen(text), &err);
    assert_non_null(query);
    FILE *out = open_memstream(&printed, &size);
    status_print_query(out, query);
    (void)fclose(out);
    json_free(query);
    return printed;
}

static void a_query_is_shown_in_a_few_lines(void **state) {
    (void)state;
    char *text = print(
        "{\"name\":\"match_stream\",\"state\":\"waiting\",\"message\":\"Waiting for next trigger\","
        "\"trigger\":\"10 seconds\",\"topic\":\"t\",\"table\":\"/lake/t\","
        "\"lastError\":{\"text\":\"disk full\",\"at\":\"2025-12-31T10:00:00Z\",\"retrying\":true},"
        "\"totals\":{\"batches\":3,\"rows\":120,\"rejects\":2,\"lost\":0},"
        "\"freshness\":{\"newestRecordAt\":\"2025-12-31T10:29:57Z\",\"ageSeconds\":5},"
        "\"lag\":{\"records\":7,\"catchUpSeconds\":3,"
        "\"partitions\":[{\"partition\":4,\"lag\":6}]},"
        "\"newestBatch\":{\"batchId\":9,\"committedAt\":\"2025-12-31T10:30:00Z\",\"rows\":40,"
        "\"rejects\":1,\"durationMs\":{\"total\":210}}}");
    assert_string_equal(text,
                        "  state       waiting: Waiting for next trigger\n"
                        "  topic       t, to /lake/t\n"
                        "  trigger     10 seconds\n"
                        "  batch       9, committed at 2025-12-31T10:30:00Z: 40 rows, "
                        "1 reject, in 210 ms\n"
                        "  since start 3 batches, 120 rows, 2 rejects, 0 lost offsets\n"
                        "  lag         7 records, 6 of them in partition 4, about 3 s to catch up\n"
                        "  freshness   newest committed record at 2025-12-31T10:29:57Z, "
                        "5 s ago\n"
                        "  last error  at 2025-12-31T10:00:00Z: disk full\n");
    free(text);
}

static void the_files_of_its_table_are_shown_and_what_was_done_about_them(void **state) {
    (void)state;
    char *text =
        print("{\"totals\":{},\"missingFiles\":1,\"changedFiles\":2,\"care\":{"
              "\"files\":{\"files\":1234,\"small\":1200,\"afterCompaction\":40,"
              "\"countedAt\":\"2025-12-31T10:30:00Z\"},\"rejectFiles\":{\"files\":7},"
              "\"forecast\":{\"filesPerDay\":5760,\"filesPerDayAfterCompaction\":4},"
              "\"compactions\":{\"newest\":{\"at\":\"2025-12-31T10:00:00Z\",\"filesBefore\":120,"
              "\"filesAfter\":2}},\"waiting\":{\"files\":3,\"why\":\"status=live: too young\"},"
              "\"expiries\":{\"files\":9},"
              "\"error\":{\"at\":\"2025-12-31T10:20:00Z\",\"text\":\"disk full\"}}}");
    const char *from = strstr(text, "  files ");
    assert_non_null(from);
    assert_string_equal(
        from,
        "  files       1234 in the table, 1200 of them small, 40 after a compaction; 7 of rejects "
        "(counted at 2025-12-31T10:30:00Z)\n"
        "  forecast    5760 files a day, 4 after compaction\n"
        "  compaction  at 2025-12-31T10:00:00Z: 120 files became 2\n"
        "  waiting     3 small files: status=live: too young\n"
        "  expired     9 files since the start\n"
        "  table       1 file missing, 2 changed by another program\n"
        "  care        compaction or expiry failed at 2025-12-31T10:20:00Z: disk full\n");
    free(text);
}

static void files_that_were_not_counted_are_not_shown_as_none(void **state) {
    (void)state;
    char *text = print("{\"totals\":{},\"missingFiles\":null,\"changedFiles\":null,\"care\":{"
                       "\"files\":null,\"rejectFiles\":null,\"forecast\":null,"
                       "\"compactions\":{\"newest\":null},\"waiting\":null,"
                       "\"expiries\":{\"files\":0},\"error\":null}}");
    assert_string_equal(strstr(text, "  files "),
                        "  files       not counted yet since the start\n");
    free(text);
}

static void its_health_is_shown_with_what_to_do(void **state) {
    (void)state;
    char *text = print("{\"state\":\"retrying\",\"message\":\"m\",\"health\":{\"state\":\"stuck\","
                       "\"severity\":\"critical\",\"reason\":\"stuck\",\"since\":"
                       "\"2025-12-31T10:00:00Z\",\"action\":\"Repair it.\"},\"totals\":{}}");
    assert_non_null(strstr(text, "  health      stuck since 2025-12-31T10:00:00Z: stuck\n"));
    assert_non_null(strstr(text, "  action      Repair it.\n"));
    free(text);
}

static void an_error_is_shown_once(void **state) {
    (void)state;
    char *text = print("{\"health\":{\"state\":\"stuck\",\"reason\":\"keeps retrying: no answer\"},"
                       "\"lag\":{\"records\":null,\"unknownSince\":\"2025-12-31T10:00:00Z\","
                       "\"unknownBecause\":\"no answer\"},\"totals\":{},"
                       "\"lastError\":{\"text\":\"no answer\",\"at\":\"2025-12-31T10:00:00Z\"}}");
    assert_non_null(strstr(text, "stuck since ?: keeps retrying: no answer\n"));
    assert_null(strstr(text, "last error"));
    free(text);
}

static void a_retry_is_shown_with_its_next_attempt_and_its_limit(void **state) {
    (void)state;
    char *text = print("{\"retry\":{\"since\":\"2025-12-31T10:00:00Z\",\"attempts\":4,"
                       "\"nextAttemptAt\":\"2025-12-31T10:00:03Z\","
                       "\"until\":\"2025-12-31T10:05:00Z\",\"limit\":\"WRITE_RETRY_TIMEOUT\"}}");
    assert_non_null(strstr(
        text, "  retrying    since 2025-12-31T10:00:00Z; attempt 4 failed, the next one is "
              "at 2025-12-31T10:00:03Z; until 2025-12-31T10:05:00Z (WRITE_RETRY_TIMEOUT)\n"));
    free(text);
    text = print("{\"retry\":{\"since\":\"2025-12-31T10:00:00Z\",\"attempts\":1,"
                 "\"nextAttemptAt\":\"2025-12-31T10:00:01Z\",\"until\":null,\"limit\":null}}");
    assert_non_null(strstr(text, "the next one is at 2025-12-31T10:00:01Z; no limit\n"));
    free(text);
    text = print("{\"retry\":{\"since\":\"2025-12-31T10:00:00Z\",\"attempts\":2,"
                 "\"nextAttemptAt\":null,\"until\":null,\"limit\":null}}");
    assert_non_null(strstr(text, "attempt 2 failed, the next one is running; no limit\n"));
    free(text);
}

static void a_recovery_is_shown_with_its_time_duration_and_cause(void **state) {
    (void)state;
    char *text = print("{\"recovered\":{\"from\":\"retrying\",\"since\":\"2025-12-31T10:00:00Z\","
                       "\"at\":\"2025-12-31T10:02:05Z\",\"lastedMs\":125000,"
                       "\"reason\":\"No answer from Kafka\"}}");
    assert_non_null(strstr(text, "  recovered   at 2025-12-31T10:02:05Z after 2 min 5 s: "
                                 "No answer from Kafka\n"));
    free(text);
}

static void unknown_values_are_shown_as_unknown_or_left_out(void **state) {
    (void)state;
    char *text = print("{\"state\":\"starting\",\"lastError\":null,\"lag\":{\"records\":null},"
                       "\"newestBatch\":null,\"totals\":{}}");
    assert_non_null(strstr(text, "  batch       none yet since the start\n"));
    assert_non_null(strstr(text, "  lag         unknown since the start\n"));
    assert_null(strstr(text, "last error"));
    assert_null(strstr(text, "freshness"));
    assert_null(strstr(text, "retrying"));
    assert_null(strstr(text, "recovered"));
    free(text);
    text = print("{\"newestBatch\":null,\"resumedAfter\":{\"batchId\":715,\"committedAt\":"
                 "\"2025-12-31T10:00:00Z\"},\"totals\":{}}");
    assert_non_null(strstr(text, "  batch       715, committed at 2025-12-31T10:00:00Z, before the "
                                 "start\n"));
    free(text);
    text = print("{\"totals\":{},\"lag\":{\"records\":null,\"unknownSince\":"
                 "\"2025-12-31T10:00:00Z\",\"unknownBecause\":\"no answer\"}}");
    assert_non_null(strstr(text, "  lag         unknown since 2025-12-31T10:00:00Z: no answer\n"));
    free(text);
    text = print("{\"totals\":{},\"freshness\":{\"newestRecordAt\":null,\"ageSeconds\":null},"
                 "\"lag\":{\"records\":7,\"catchUpSeconds\":0}}");
    assert_non_null(strstr(text, "  freshness   unknown\n"));
    assert_non_null(strstr(text, "  lag         7 records, less than 1 s to catch up\n"));
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lock_has_the_address_of_its_holder),
        cmocka_unit_test(a_query_is_shown_in_a_few_lines),
        cmocka_unit_test(the_files_of_its_table_are_shown_and_what_was_done_about_them),
        cmocka_unit_test(files_that_were_not_counted_are_not_shown_as_none),
        cmocka_unit_test(its_health_is_shown_with_what_to_do),
        cmocka_unit_test(an_error_is_shown_once),
        cmocka_unit_test(a_retry_is_shown_with_its_next_attempt_and_its_limit),
        cmocka_unit_test(a_recovery_is_shown_with_its_time_duration_and_cause),
        cmocka_unit_test(unknown_values_are_shown_as_unknown_or_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
