#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "streaming/cluster/engine/spark_counts.h"

static struct offset_range ranges[] = {{0, 10, 20}, {1, 0, 0}, {2, 5, 15}};
static const struct plan plan = {.count = 3, .ranges = ranges};

struct counts_case {
    struct spark_progress progress;
    bool has_views, has_where, add_up;
};

static void counts_of_a_batch_add_up_or_not(void **state) {
    (void)state;
    static const struct counts_case cases[] = {
        // Records: all, rejects, empty, filtered; rows: before WHERE, and written.
        {{.records = 18, .rejects = 3, .exploded = 15, .rows = 15}, false, false, true},
        {{.records = 20, .exploded = 20, .rows = 20}, false, false, true},
        {{.records = 0}, false, false, true},
        {{.records = 21, .exploded = 21, .rows = 21}, false, false, false}, // more than planned
        {{.records = 18, .rejects = 3, .exploded = 15, .rows = 14}, false, false, false},
        {{.records = 18, .rejects = 3, .exploded = 18, .rows = 18}, false, false, false},
        {{.records = 18, .rejects = 3, .filtered = 5, .exploded = 15, .rows = 10},
         false,
         true,
         true},
        {{.records = 18, .rejects = 3, .filtered = 5, .exploded = 15, .rows = 9},
         false,
         true,
         false},
        {{.records = 18, .rejects = 3, .filtered = 4, .exploded = 15, .rows = 10},
         false,
         true,
         false},
        {{.records = 18, .rejects = 3, .filtered = 6, .exploded = 15, .rows = 10},
         false,
         true,
         false},
        {{.records = 18, .rejects = 3, .empty = 5, .exploded = 90, .rows = 90}, true, false, true},
        {{.records = 18, .rejects = 3, .empty = 5, .exploded = 9, .rows = 9}, true, false, false},
        {{.records = 18, .rejects = 3, .empty = 15, .exploded = 1, .rows = 1}, true, false, false},
        {{.records = 18, .rejects = 3, .empty = 16}, true, false, false},
        {{.records = 5, .empty = 1, .filtered = 2, .exploded = 9, .rows = 7}, true, true, true},
        {{.records = 5, .empty = 1, .filtered = 2, .exploded = 9, .rows = 8}, true, true, false},
        {{.records = 5, .empty = 1, .filtered = 4, .exploded = 9, .rows = 0}, true, true, true},
    };
    static const struct expr where = {.level = 0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct query_plan query = {.view_count = cases[i].has_views ? 1 : 0,
                                         .where = cases[i].has_where ? &where : NULL};
        if (spark_counts_add_up(&cases[i].progress, &plan, &query) != cases[i].add_up)
            fail_msg("case %zu", i);
    }
}

static int64_t offsets(const struct range_outcome *outcome) {
    return outcome->records + outcome->rejects + outcome->empty + outcome->filtered +
           outcome->absent;
}

static void check_share(const struct spark_progress *progress) {
    const struct range_outcome found[] = {{.range = {2, 5, 15}, .rejects = 3}};
    struct range_outcome *outcomes, sum = {0};
    size_t count;
    spark_counts_share(&plan, progress, found, 1, &outcomes, &count);
    assert_int_equal(count, 2); // the empty range has none
    assert_int_equal(outcomes[0].rejects, 0);
    assert_int_equal(outcomes[1].rejects, 3);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(offsets(&outcomes[i]), 10);
        assert_true(outcomes[i].records >= 0 && outcomes[i].rows >= outcomes[i].records);
        assert_int_equal(outcomes[i].rows, outcomes[i].exploded - outcomes[i].filtered_rows);
        range_outcome_add(&sum, &outcomes[i]);
    }
    assert_int_equal(sum.absent, 20 - progress->records);
    assert_int_equal(sum.empty, progress->empty);
    assert_int_equal(sum.filtered, progress->filtered);
    assert_int_equal(sum.exploded, progress->exploded);
    assert_int_equal(sum.rows, progress->rows);
    free(outcomes);
}

static void every_offset_of_a_range_is_one_thing_and_sums_are_sparks(void **state) {
    (void)state;
    check_share(&(struct spark_progress){
        .records = 18, .rejects = 3, .empty = 5, .filtered = 4, .exploded = 90, .rows = 70});
    check_share(&(struct spark_progress){
        .records = 14, .rejects = 3, .empty = 2, .filtered = 9, .exploded = 90, .rows = 0});
    check_share(&(struct spark_progress){.records = 20, .rejects = 3, .exploded = 17, .rows = 17});
    check_share(&(struct spark_progress){.records = 3, .rejects = 3});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_of_a_batch_add_up_or_not),
        cmocka_unit_test(every_offset_of_a_range_is_one_thing_and_sums_are_sparks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
