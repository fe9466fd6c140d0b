#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drop_checksum.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "streaming/store/coverage.h"

static const struct manifest_origin origin = {"q", "t", "/table", "/rejects"};

static bool add(struct coverage *coverage, int32_t partition, int64_t start, int64_t rows,
                int64_t lost) {
    struct error err;
    return coverage_add(coverage,
                        &(struct range_outcome){.range = {partition, start, start + rows + lost},
                                                .records = rows,
                                                .exploded = rows,
                                                .rows = rows,
                                                .lost = lost},
                        &err);
}

static void assert_range(const struct coverage *coverage, size_t index, int32_t partition,
                         int64_t start, int64_t end, int64_t rows, int64_t lost) {
    const struct range_outcome *found = &coverage->ranges[index];
    assert_true(index < coverage->count);
    assert_int_equal(found->range.partition, partition);
    assert_int_equal(found->range.start, start);
    assert_int_equal(found->range.end, end);
    assert_int_equal(found->rows, rows);
    assert_int_equal(found->lost, lost);
}

static void neighbours_become_one_range(void **state) {
    (void)state;
    struct coverage coverage = {.through = -1};
    assert_true(add(&coverage, 1, 0, 10, 0));
    assert_true(add(&coverage, 0, 5, 5, 0));
    assert_true(add(&coverage, 1, 10, 10, 0));
    assert_true(add(&coverage, 0, 10, 0, 0)); // empty: nothing
    assert_true(add(&coverage, 0, 12, 8, 0)); // Spark had 10 and 11
    assert_int_equal(coverage.count, 3);
    assert_range(&coverage, 0, 0, 5, 10, 5, 0);
    assert_range(&coverage, 1, 0, 12, 20, 8, 0);
    assert_range(&coverage, 2, 1, 0, 20, 20, 0);
    coverage_deinit(&coverage);
}

static void what_is_lost_stays_a_range_of_its_own(void **state) {
    (void)state;
    struct coverage coverage = {.through = -1};
    assert_true(add(&coverage, 0, 0, 0, 4));
    assert_true(add(&coverage, 0, 4, 2, 6));
    assert_true(add(&coverage, 0, 12, 3, 0));
    assert_int_equal(coverage.count, 2);
    assert_range(&coverage, 0, 0, 0, 10, 0, 10);
    assert_range(&coverage, 1, 0, 10, 15, 5, 0);
    coverage_deinit(&coverage);
}

static void an_offset_that_two_batches_took_is_refused(void **state) {
    (void)state;
    struct coverage coverage = {.through = -1};
    assert_true(add(&coverage, 0, 10, 10, 0));
    assert_false(add(&coverage, 0, 19, 1, 0));
    assert_false(add(&coverage, 0, 10, 1, 0));
    assert_false(add(&coverage, 0, 5, 6, 0));
    assert_true(add(&coverage, 0, 5, 5, 0));
    assert_false(add(&coverage, 0, 6, 1, 0));
    coverage_deinit(&coverage);
}

static void what_is_printed_is_read_again(void **state) {
    (void)state;
    struct coverage coverage = {.through = 7}, again;
    struct error err;
    size_t size;
    assert_true(add(&coverage, 0, 0, 3, 2));
    assert_true(add(&coverage, 3, 9, 4, 0));
    scoped(scope_free) char *text = coverage_print(&coverage, &origin, &size);
    assert_true(coverage_parse(text, size, 7, &origin, &again, &err));
    assert_int_equal(again.through, 7);
    assert_int_equal(again.count, 3);
    assert_memory_equal(again.ranges, coverage.ranges, 3 * sizeof *again.ranges);
    coverage_deinit(&again);
    assert_false(coverage_parse(text, size, 8, &origin, &again, &err));
    for (size_t cut = 0; cut < size; cut++)
        assert_false(coverage_parse(text, cut, 7, &origin, &again, &err));
    const struct manifest_origin other = {"q", "u", "/table", "/rejects"};
    assert_false(coverage_parse(text, size, 7, &other, &again, &err));
    assert_non_null(strstr(err.message, "another query or topic"));
    coverage_deinit(&coverage);
}

static void what_was_replayed_is_kept_in_version_2(void **state) {
    (void)state;
    struct coverage coverage = {.through = 7}, again;
    struct error err;
    size_t size;
    assert_true(add(&coverage, 0, 0, 3, 0));
    scoped(scope_free) char *plain = coverage_print(&coverage, &origin, &size);
    assert_memory_equal(plain, "v1\n", 3); // as before, for programs that know nothing newer
    (void)resolved_add(&coverage.replayed, 0, 0, 1);
    scoped(scope_free) char *text = coverage_print(&coverage, &origin, &size);
    assert_memory_equal(text, "v2\n", 3);
    assert_true(coverage_parse(text, size, 7, &origin, &again, &err));
    assert_int_equal(again.replayed.count, 1);
    assert_true(resolved_has(&again.replayed, 0, 0, 1));
    coverage_deinit(&again);
    drop_checksum(text);
    size = strlen(text);
    text[1] = '1';
    assert_false(coverage_parse(text, size, 7, &origin, &again, &err));
    text[1] = '3';
    assert_false(coverage_parse(text, size, 7, &origin, &again, &err));
    assert_non_null(strstr(err.message, "its incarnations do not match its version"));
    text[1] = '5';
    assert_false(coverage_parse(text, size, 7, &origin, &again, &err));
    assert_non_null(strstr(err.message, "whether it counts rows"));
    text[1] = '6';
    assert_false(coverage_parse(text, size, 7, &origin, &again, &err));
    assert_non_null(strstr(err.message, "newer version"));
    coverage_deinit(&coverage);
}

static void what_left_the_table_is_kept_in_version_5(void **state) {
    (void)state;
    for (int counts_rows = 0; counts_rows < 2; counts_rows++) {
        struct coverage coverage = {.through = 7, .counts_rows = counts_rows == 1}, again;
        struct error err;
        size_t size;
        assert_true(add(&coverage, 0, 0, 3, 0));
        (void)resolved_add(&coverage.expired, 0, 0, 1);
        (void)resolved_add(&coverage.expired, 1, 0, 0);
        scoped(scope_free) char *text = coverage_print(&coverage, &origin, &size);
        assert_memory_equal(text, "v5\n", 3);
        assert_null(strstr(text, "accepted"));
        assert_true(coverage_parse(text, size, 7, &origin, &again, &err));
        assert_int_equal(again.counts_rows, counts_rows == 1);
        assert_int_equal(again.expired.count, 2);
        assert_true(resolved_has(&again.expired, 1, 0, 0));
        assert_int_equal(again.accepted.count, 0);
        coverage_deinit(&again);
        for (size_t cut = 0; cut < size; cut++)
            assert_false(coverage_parse(text, cut, 7, &origin, &again, &err));
        for (int version = '1'; version < '5'; version++) {
            text[1] = (char)version;
            assert_false(coverage_parse(text, size, 7, &origin, &again, &err));
        }

        resolved_deinit(&coverage.expired);
        (void)resolved_add(&coverage.accepted, 0, 0, 2);
        scoped(scope_free) char *accepted = coverage_print(&coverage, &origin, &size);
        assert_memory_equal(accepted, "v5\n", 3);
        assert_null(strstr(accepted, "expired"));
        assert_true(coverage_parse(accepted, size, 7, &origin, &again, &err));
        assert_true(resolved_has(&again.accepted, 0, 0, 2));
        coverage_deinit(&again);
        coverage_deinit(&coverage);
    }
}

static struct offsets at(int64_t first, int64_t second) {
    struct offsets offsets = {0};
    offsets_add(&offsets, 0, first);
    offsets_add(&offsets, 1, second);
    return offsets;
}

/* The batch that moves partition 0 from 10 to 0, when 4 more were known. */
static struct manifest moving_manifest(void) {
    struct manifest manifest = {
        .batch_id = 5, .timestamp_ms = 500, .incarnation = {.number = 1, .since_ms = 500}};
    incarnations_add(&manifest.begun, (struct incarnation_begin){.batch_id = 5,
                                                                 .since_ms = 500,
                                                                 .former = at(10, 7),
                                                                 .known_ends = at(14, 7),
                                                                 .starts = at(0, 7)});
    return manifest;
}

static struct manifest manifest_of(int32_t incarnation, int64_t start, int64_t end) {
    struct manifest manifest = {.timestamp_ms = end, .incarnation = {.number = incarnation}};
    manifest.outcomes = must_alloc(1, sizeof *manifest.outcomes);
    manifest.outcomes[manifest.outcome_count++] = (struct range_outcome){.range = {0, start, end}};
    range_outcome_set_records(manifest.outcomes, end - start);
    return manifest;
}

static void add_all(struct coverage *coverage, struct manifest manifest) {
    struct error err;
    if (!coverage_add_manifest(coverage, &manifest, &err))
        fail_msg("%s", err.message);
    manifest_deinit(&manifest);
}

static void offsets_are_counted_once_in_each_incarnation(void **state) {
    (void)state;
    struct coverage coverage = {.through = 9}, again;
    struct error err;
    size_t size;
    add_all(&coverage, manifest_of(0, 0, 10));
    struct manifest early = manifest_of(1, 0, 3);
    assert_false(coverage_add_manifest(&coverage, &early, &err)); // nothing says that it began
    add_all(&coverage, moving_manifest());
    add_all(&coverage, early);
    struct manifest replay = {.timestamp_ms = 700, .incarnation = {.number = 1, .since_ms = 500}};
    (void)resolved_add(&replay.replayed, 0, 0, 9);
    add_all(&coverage, replay);

    scoped(scope_free) char *text = coverage_print(&coverage, &origin, &size);
    assert_memory_equal(text, "v3\n", 3);
    if (!coverage_parse(text, size, 9, &origin, &again, &err))
        fail_msg("%s", err.message);
    scoped(scope_free) char *same = coverage_print(&again, &origin, &size);
    assert_string_equal(same, text);
    assert_int_equal(again.count, 3);
    assert_range(&again, 0, 0, 0, 10, 10, 0);
    assert_range(&again, 1, 0, 10, 14, 0, 4); // what was never read of the first
    assert_range(&again, 2, 0, 0, 3, 3, 0);
    assert_int_equal(again.ranges[2].incarnation, 1);
    assert_int_equal(incarnations_of_row(&again.incarnations, 499), 0);
    assert_int_equal(incarnations_of_row(&again.incarnations, 500), 1);
    assert_int_equal(incarnations_of_row(&again.incarnations, 700), 0); // the replay
    assert_int_equal(incarnations_of_reject(&again.incarnations, 700), 1);
    coverage_deinit(&again);
    for (size_t cut = 0; cut < size; cut++)
        assert_false(coverage_parse(text, cut, 9, &origin, &again, &err));
    coverage_deinit(&coverage);
}

/* A batch of 10 offsets of a query that explodes: 2 records with 3 rows of 9, the rest with none.
 */
static struct range_outcome exploded(int64_t start) {
    return (struct range_outcome){.range = {0, start, start + 10},
                                  .records = 2,
                                  .rejects = 1,
                                  .empty = 2,
                                  .filtered = 3,
                                  .absent = 2,
                                  .rows = 3,
                                  .exploded = 9,
                                  .filtered_rows = 6};
}

static struct manifest exploding_manifest(int64_t start) {
    struct manifest manifest = {.counts_rows = true};
    manifest.outcomes = must_alloc(1, sizeof *manifest.outcomes);
    manifest.outcomes[manifest.outcome_count++] = exploded(start);
    return manifest;
}

static void counts_of_rows_and_records_are_kept_in_version_4(void **state) {
    (void)state;
    struct coverage coverage = {.through = 9}, again;
    struct error err;
    size_t size;
    add_all(&coverage, manifest_of(0, 0, 10)); // before the query had a WHERE
    add_all(&coverage, exploding_manifest(10));
    add_all(&coverage, exploding_manifest(20));
    struct manifest replay = {.counts_rows = true};
    (void)resolved_add(&replay.replayed, 0, 0, 12);
    (void)resolved_add(&replay.replayed, 0, 0, 22);
    replay_counts_add(&replay.replay_counts, 0, 0, 12, 4, 4);
    replay_counts_add(&replay.replay_counts, 0, 0, 22, 0, 0);
    add_all(&coverage, replay);

    scoped(scope_free) char *text = coverage_print(&coverage, &origin, &size);
    assert_memory_equal(text, "v4\n", 3);
    if (!coverage_parse(text, size, 9, &origin, &again, &err))
        fail_msg("%s", err.message);
    scoped(scope_free) char *same = coverage_print(&again, &origin, &size);
    assert_string_equal(same, text);
    const struct range_outcome *sum = again.ranges;
    assert_int_equal(again.count, 1);
    assert_int_equal(sum->range.end, 30);
    assert_int_equal(sum->records, 14);
    assert_int_equal(sum->rejects, 2);
    assert_int_equal(sum->empty, 4);
    assert_int_equal(sum->filtered, 6);
    assert_int_equal(sum->absent, 4);
    assert_int_equal(sum->rows, 16);
    assert_int_equal(sum->exploded, 28);
    assert_int_equal(sum->filtered_rows, 12);
    struct range_outcome replayed = replay_counts_sum(&again.replay_counts);
    assert_int_equal(replayed.records, 1);
    assert_int_equal(replayed.empty, 1);
    assert_int_equal(replayed.rows, 4);
    assert_true(resolved_has(&again.replay_counts.rowless, 0, 0, 22));
    coverage_deinit(&again);
    text[1] = '3';
    assert_false(coverage_parse(text, size, 9, &origin, &again, &err));
    coverage_deinit(&coverage);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_become_one_range),
        cmocka_unit_test(what_is_lost_stays_a_range_of_its_own),
        cmocka_unit_test(an_offset_that_two_batches_took_is_refused),
        cmocka_unit_test(what_is_printed_is_read_again),
        cmocka_unit_test(what_was_replayed_is_kept_in_version_2),
        cmocka_unit_test(what_left_the_table_is_kept_in_version_5),
        cmocka_unit_test(offsets_are_counted_once_in_each_incarnation),
        cmocka_unit_test(counts_of_rows_and_records_are_kept_in_version_4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
