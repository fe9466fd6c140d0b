#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "streaming/care/care_work.h"

static void amounts_have_a_fitting_unit(void **state) {
    (void)state;
    char text[CARE_AMOUNT_MAX];
    assert_string_equal(care_amount(1, 0, text), "1 file (0.0 kB)");
    assert_string_equal(care_amount(2, 999999, text), "2 files (1000.0 kB)");
    assert_string_equal(care_amount(2, 1000000, text), "2 files (1.0 MB)");
    assert_string_equal(care_amount(40, 2500000000, text), "40 files (2.5 GB)");
}

static void three_directories_are_named_and_the_others_counted(void **state) {
    (void)state;
    static const char *const expected[] = {"d0", "d0, d1", "d0, d1, d2", "d0, d1, d2 and 1 more",
                                           "d0, d1, d2 and 2 more"};
    char text[64] = "old";
    for (size_t i = 0; i < 5; i++) {
        char name[8] = {'d', (char)('0' + i)};
        care_add_directory(text, sizeof text, name, i);
        assert_string_equal(text, expected[i]);
    }
    care_add_directory(text, sizeof text, "", 0);
    assert_string_equal(text, "the table's root");
}

static void a_report_is_one_line(void **state) {
    (void)state;
    struct query_options options = {.store = {.query = "match_stream"}};
    struct query_definition definition = {.options = &options};
    struct care_table table = {.definition = &definition};
    struct care_report report = {.table = &table,
                                 .kind = CHANGE_COMPACTION,
                                 .gain = {120, 2, 12300000, 9800000, 44000},
                                 .duration_ms = 1200,
                                 .directories = "status=live"};
    char line[CARE_LINE_MAX];
    care_report_line(&report, line);
    assert_string_equal(line, "match_stream: compacted 120 files (12.3 MB) into 2 files (9.8 MB), "
                              "44000 rows, in 1.2 s: status=live.");
    table.of_rejects = true;
    care_report_line(&report, line);
    assert_non_null(strstr(line, "in 1.2 s: rejects."));
    report.kind = CHANGE_EXPIRY;
    care_report_line(&report, line);
    assert_string_equal(line, "match_stream: expired 120 files (12.3 MB), 44000 rows, in 1.2 s: "
                              "status=live.");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_have_a_fitting_unit),
        cmocka_unit_test(three_directories_are_named_and_the_others_counted),
        cmocka_unit_test(a_report_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
