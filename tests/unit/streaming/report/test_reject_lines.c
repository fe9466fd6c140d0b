#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log/log.h"
#include "streaming/declare/stream.h"
#include "streaming/report/reject_lines.h"

static struct schema schema;
static int log_fd;
static char logged[8192];

static int set_up(void **state) {
    (void)state;
    stream_schema(stream_of("matches"), &schema);
    log_fd = memfd_create("log", MFD_CLOEXEC);
    log_output_set(log_fd);
    return log_fd < 0;
}

static int tear_down(void **state) {
    (void)state;
    log_output_set(STDOUT_FILENO);
    return close(log_fd);
}

/* What is logged of the batch, without the lines' times. */
static const char *write_lines(const struct tally *tally, int64_t accepted) {
    assert_int_equal(ftruncate(log_fd, 0), 0);
    assert_int_equal(lseek(log_fd, 0, SEEK_SET), 0);
    reject_lines_write(&(struct reject_lines){.logger = "match_stream",
                                              .job = "matches",
                                              .schema = &schema,
                                              .batch_id = 7,
                                              .accepted = accepted,
                                              .tally = tally});
    ssize_t size = pread(log_fd, logged, sizeof logged - 1, 0);
    assert_true(size >= 0);
    logged[size] = '\0';
    return logged;
}

static size_t count_lines(const char *text) {
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

static void a_batch_with_rows_has_one_line_however_many_records_were_rejected(void **state) {
    (void)state;
    const struct tally tally = {.rejects = {[REJECT_MALFORMED] = 4, [REJECT_NOT_AN_OBJECT] = 5},
                                .first_reject = {2, 45155}};
    const char *text = write_lines(&tally, 1);
    assert_int_equal(count_lines(text), 1);
    assert_non_null(strstr(text,
                           " | match_stream | WARNING | 9 records rejected | malformed_json=4 "
                           "not_an_object=5 | first=2:45155 | see=esports-stream rejects ls "
                           "--job matches\n"));
    assert_string_equal(write_lines(&(struct tally){0}, 0), "");
}

static void null_and_blank_values_are_neither_a_warning_nor_an_error(void **state) {
    (void)state;
    const struct tally tally = {.rejects = {[REJECT_NULL_VALUE] = 1}, .first_reject = {0, 3}};
    const char *text = write_lines(&tally, 0);
    assert_int_equal(count_lines(text), 1);
    assert_non_null(strstr(text, "| INFO | 1 record rejected | null_value=1 | first=0:3 | "));
}

static void
a_batch_without_a_row_is_an_error_with_the_keys_that_came_and_were_expected(void **state) {
    (void)state;
    struct tally tally = {.rejects = {[REJECT_MISSING_IDENTIFIER] = 3}};
    struct decode_counts *counts = &tally.counts;
    counts->rejected_values[schema_find(&schema, TEXT("status"))] = 2;
    counts->unknown_names.names[unknown_keys_find(&counts->unknown_names, TEXT("id"))].count = 1;
    counts->unknown_names.names[unknown_keys_find(&counts->unknown_names, TEXT("matchId"))].count =
        3;
    const char *text = write_lines(&tally, 0);
    assert_int_equal(count_lines(text), 2);
    assert_non_null(strstr(text, "| ERROR | No record of batch 7 became a row"));
    assert_non_null(strstr(text, " | keys=matchId (3), status (2), id (1) | identifier=match_id | "
                                 "expected=match_id, "));
    assert_int_equal(count_lines(write_lines(&tally, 1)), 1);
}

static void keys_are_named_up_to_a_limit(void **state) {
    (void)state;
    char text[REJECT_TEXT_MAX];
    struct decode_counts counts = {0};
    reject_lines_keys(&schema, &counts, text);
    assert_string_equal(text, "none");
    for (char name[] = "a"; name[0] < 'm'; name[0]++)
        counts.unknown_names.names[unknown_keys_find(&counts.unknown_names, text_borrow(name))]
            .count = 1;
    reject_lines_keys(&schema, &counts, text);
    assert_string_equal(
        text, "a (1), b (1), c (1), d (1), e (1), f (1), g (1), h (1), i (1), j (1) and 2 more");
    reject_lines_expected(&schema, text);
    assert_non_null(strstr(text, " and "));
    assert_memory_equal(text, "match_id, ", 10);
}

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_with_rows_has_one_line_however_many_records_were_rejected),
        cmocka_unit_test(null_and_blank_values_are_neither_a_warning_nor_an_error),
        cmocka_unit_test(
            a_batch_without_a_row_is_an_error_with_the_keys_that_came_and_were_expected),
        cmocka_unit_test(keys_are_named_up_to_a_limit),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
