#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "surfaces/metrics/metrics_text.h"

static char *printed;
static size_t printed_size;
static struct metrics_text text;

static int begin(void **state) {
    (void)state;
    text = (struct metrics_text){.out = open_memstream(&printed, &printed_size)};
    return text.out != NULL ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    free(printed);
    return 0;
}

static void assert_printed(const char *wanted) {
    assert_int_equal(fclose(text.out), 0);
    assert_string_equal(printed, wanted);
}

static void a_family_has_help_and_type_and_its_samples_follow(void **state) {
    (void)state;
    const struct metric_label one[] = {{"query", "match_stream"}, {NULL, NULL}};
    const struct metric_label two[] = {{"query", "a"}, {"reason", "b"}, {NULL, NULL}};
    metrics_text_begin(&text, "rows_total", METRIC_COUNTER, "Rows.");
    metrics_text_int(&text, NULL, 0);
    metrics_text_int(&text, one, INT64_MAX);
    metrics_text_int(&text, two, -1);
    assert_printed("# HELP rows_total Rows.\n"
                   "# TYPE rows_total counter\n"
                   "rows_total 0\n"
                   "rows_total{query=\"match_stream\"} 9223372036854775807\n"
                   "rows_total{query=\"a\",reason=\"b\"} -1\n");
}

static void a_label_may_be_any_bytes(void **state) {
    (void)state;
    const struct metric_label labels[] = {{"path", "C:\\a \"b\"\nc\xff é"}, {NULL, NULL}};
    metrics_text_begin(&text, "x", METRIC_GAUGE, "X.");
    metrics_text_int(&text, labels, 1);
    assert_printed("# HELP x X.\n"
                   "# TYPE x gauge\n"
                   "x{path=\"C:\\\\a \\\"b\\\"\\nc\xef\xbf\xbd é\"} 1\n");
}

static void a_number_keeps_the_digits_that_are_certain(void **state) {
    (void)state;
    metrics_text_begin(&text, "x", METRIC_GAUGE, "X.");
    metrics_text_real(&text, NULL, 1767177045.123);
    metrics_text_real(&text, NULL, 0.1);
    metrics_text_real(&text, NULL, 0);
    assert_printed("# HELP x X.\n# TYPE x gauge\nx 1767177045.123\nx 0.1\nx 0\n");
}

static void a_histogram_is_cumulative_and_in_its_unit(void **state) {
    (void)state;
    static const int64_t bounds[] = {5000, 1000000, 30000000}, counts[] = {1, 0, 2, 4};
    const struct metric_label labels[] = {{"query", "q"}, {NULL, NULL}};
    metrics_text_begin(&text, "d_seconds", METRIC_HISTOGRAM, "D.");
    metrics_text_histogram(&text, labels, bounds, 3, counts, 123456789, 1000000);
    assert_printed("# HELP d_seconds D.\n"
                   "# TYPE d_seconds histogram\n"
                   "d_seconds_bucket{query=\"q\",le=\"0.005\"} 1\n"
                   "d_seconds_bucket{query=\"q\",le=\"1\"} 1\n"
                   "d_seconds_bucket{query=\"q\",le=\"30\"} 3\n"
                   "d_seconds_bucket{query=\"q\",le=\"+Inf\"} 7\n"
                   "d_seconds_sum{query=\"q\"} 123.456789\n"
                   "d_seconds_count{query=\"q\"} 7\n");
}

static void a_histogram_needs_no_labels(void **state) {
    (void)state;
    static const int64_t bounds[] = {1}, counts[] = {1, 0};
    metrics_text_begin(&text, "x", METRIC_HISTOGRAM, "X.");
    metrics_text_histogram(&text, NULL, bounds, 1, counts, 1, 1);
    assert_printed(
        "# HELP x X.\n# TYPE x histogram\nx_bucket{le=\"1\"} 1\nx_bucket{le=\"+Inf\"} 1\n"
        "x_sum 1\nx_count 1\n");
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        FACT(a_family_has_help_and_type_and_its_samples_follow),
        FACT(a_label_may_be_any_bytes),
        FACT(a_number_keeps_the_digits_that_are_certain),
        FACT(a_histogram_is_cumulative_and_in_its_unit),
        FACT(a_histogram_needs_no_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
