#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/calendar.h"
#include "streaming/care/selection.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define MB (INT64_C(1) << 20)

#define DAY_0 (INT64_C(1795392000000)) // 2026-11-23T00:00:00Z

static const struct selection_rules closed = {
    .mode = SELECT_CLOSED, .target_size = 128 * MB, .zone = {0}};
static const struct selection_rules live = {
    .mode = SELECT_LIVE, .target_size = 128 * MB, .older_than_ms = HOUR};
static const struct selection_rules command = {
    .mode = SELECT_COMMAND, .date_level = -1, .target_size = 128 * MB};

static void add(struct care_files *files, const char *directory, int64_t size, int64_t at_ms) {
    static int number;
    char path[128];
    (void)snprintf(path, sizeof path, "%s%spart-%d.parquet", directory,
                   *directory != '\0' ? "/" : "", number++);
    care_files_add(files, path, size, at_ms);
}

static struct selection select_at(struct care_files *files, struct selection_rules rules,
                                  int64_t now_ms) {
    struct selection selection;
    rules.now_ms = now_ms;
    care_files_sort(files);
    selection_make(files, &rules, &selection);
    return selection;
}

static void assert_jobs(struct care_files *files, struct selection_rules rules, int64_t now_ms,
                        size_t jobs, size_t in_first) {
    struct selection selection = select_at(files, rules, now_ms);
    assert_int_equal(selection.job_count, jobs);
    if (jobs > 0)
        assert_int_equal(selection.jobs[0].count, in_first);
    selection_deinit(&selection);
}

/* ---- by command ---- */

static void a_command_merges_small_files_of_each_directory(void **state) {
    (void)state;
    struct care_files files = {0};
    add(&files, "status=live", MB, DAY_0);
    add(&files, "status=done", 2 * MB, DAY_0 + 1);
    add(&files, "status=live", 96 * MB, DAY_0); // three quarters of the target: not small
    add(&files, "status=done", 2 * MB, DAY_0);
    add(&files, "status=done", 2 * MB, DAY_0 + 2);
    struct selection selection = select_at(&files, command, DAY_0 + DAY);
    assert_int_equal(selection.job_count, 1); // of status=live only one is small
    assert_string_equal(selection.jobs[0].directory, "status=done");
    assert_int_equal(selection.jobs[0].count, 3);
    assert_int_equal(selection.jobs[0].bytes, 6 * MB);
    for (int i = 0; i < 3; i++) // in the order of their commits
        assert_int_equal(files.files[selection.jobs[0].files[i]].modified_ms, DAY_0 + i);
    selection_deinit(&selection);
    care_files_deinit(&files);
}

static void a_merge_that_leaves_as_many_files_is_not_made(void **state) {
    (void)state;
    struct care_files files = {0};
    add(&files, "", 90 * MB, DAY_0);
    add(&files, "", 90 * MB, DAY_0);
    assert_jobs(&files, command, DAY_0 + DAY, 0, 0);
    add(&files, "", MB, DAY_0);
    assert_jobs(&files, command, DAY_0 + DAY, 1, 3);
    care_files_deinit(&files);
}

static void older_than_leaves_young_files(void **state) {
    (void)state;
    struct care_files files = {0};
    struct selection_rules rules = command;
    rules.older_than_ms = HOUR;
    add(&files, "", MB, DAY_0);
    add(&files, "", MB, DAY_0 + 1);
    add(&files, "", MB, DAY_0 + 2);
    struct selection selection = select_at(&files, rules, DAY_0 + HOUR + 1);
    assert_int_equal(selection.jobs[0].count, 2);
    assert_int_equal(selection.waits[0].count, 1);
    assert_string_equal(selection.waits[0].why, "younger than --older-than");
    selection_deinit(&selection);
    care_files_deinit(&files);
}

static void much_is_merged_in_jobs_of_sixteen_files_of_the_target_size(void **state) {
    (void)state;
    struct care_files files = {0};
    for (int i = 0; i < 100; i++)
        add(&files, "", 64 * MB, DAY_0 + i);
    struct selection selection = select_at(&files, command, DAY_0 + DAY);
    assert_int_equal(selection.job_count, 4);
    assert_int_equal(selection.jobs[0].count, 32);
    assert_int_equal(selection.jobs[0].bytes, INT64_C(16) * 128 * MB);
    assert_int_equal(selection.jobs[3].count, 4);
    assert_int_equal(files.files[selection.jobs[1].files[0]].modified_ms, DAY_0 + 32);
    selection_deinit(&selection);
    care_files_deinit(&files);
}

/* ---- dates that are over ---- */

static void a_date_is_merged_an_hour_after_its_midnight(void **state) {
    (void)state;
    struct care_files files = {0};
    add(&files, "day=2026-11-23/status=live", MB, DAY_0 + HOUR);
    add(&files, "day=2026-11-23/status=live", MB, DAY_0 + 2 * HOUR);
    assert_jobs(&files, closed, DAY_0 + DAY + HOUR - 1, 0, 0);
    assert_jobs(&files, closed, DAY_0 + DAY + HOUR, 1, 2);
    struct selection selection = select_at(&files, closed, DAY_0 + DAY);
    assert_int_equal(selection.wait_count, 1);
    assert_string_equal(selection.waits[0].why, "the date is not over");
    selection_deinit(&selection);
    // Midnight is the session's.
    struct selection_rules east = closed;
    east.zone.offset = 3600;
    assert_jobs(&files, east, DAY_0 + DAY - 1, 0, 0);
    assert_jobs(&files, east, DAY_0 + DAY, 1, 2);
    care_files_deinit(&files);
}

static void the_date_may_be_at_any_level(void **state) {
    (void)state;
    struct care_files files = {0};
    struct selection_rules rules = closed;
    rules.date_level = 1;
    add(&files, "status=live/day=2026-11-23", MB, DAY_0);
    add(&files, "status=live/day=2026-11-23", MB, DAY_0);
    add(&files, "status=live/day=2026-11-24", MB, DAY_0);
    add(&files, "status=live/day=2026-11-24", MB, DAY_0);
    assert_jobs(&files, rules, DAY_0 + DAY + HOUR, 1, 2);
    care_files_deinit(&files);
}

static void a_null_date_is_merged_by_the_day_of_its_commits(void **state) {
    (void)state;
    struct care_files files = {0};
    for (int i = 0; i < 4; i++)
        add(&files, "day=__HIVE_DEFAULT_PARTITION__", MB, DAY_0 + i * (DAY / 2));
    struct selection selection = select_at(&files, closed, DAY_0 + 3 * (int64_t)DAY);
    assert_int_equal(selection.job_count, 2); // two days
    assert_int_equal(selection.jobs[0].count, 2);
    selection_deinit(&selection);
    care_files_deinit(&files);
}

static void late_rows_wait_for_ten_files_or_a_day(void **state) {
    (void)state;
    const char *directory = "day=2026-11-23";
    int64_t late_ms = DAY_0 + 2 * (int64_t)DAY;
    struct care_files files = {0};
    add(&files, directory, 50 * MB, DAY_0 + DAY); // what is left of the first merge
    add(&files, directory, MB, late_ms);
    add(&files, directory, MB, late_ms + HOUR);
    assert_jobs(&files, closed, late_ms + HOUR + DAY - 1, 0, 0);
    // Merged among themselves: 50 MB would be written again for 2.
    assert_jobs(&files, closed, late_ms + HOUR + DAY, 1, 2);
    for (int i = 0; i < 8; i++)
        add(&files, directory, MB, late_ms + 2 * HOUR + i);
    assert_jobs(&files, closed, late_ms + 3 * HOUR, 1, 10);
    add(&files, directory, 41 * MB, late_ms + 2 * HOUR);
    assert_jobs(&files, closed, late_ms + 3 * HOUR, 1, 12); // as much as the rest: taken along
    care_files_deinit(&files);
}

static void one_late_file_is_never_merged(void **state) {
    (void)state;
    struct care_files files = {0};
    add(&files, "day=2026-11-23", 50 * MB, DAY_0 + DAY);
    add(&files, "day=2026-11-23", MB, DAY_0 + 2 * (int64_t)DAY);
    assert_jobs(&files, closed, DAY_0 + 30 * (int64_t)DAY, 0, 0);
    care_files_deinit(&files);
}

/* ---- a week, minute by minute ---- */

struct world {
    struct care_files files;
    int64_t arrived, written; // bytes
    int merges;
};

/* As a merge does it: files of the target size, and a rest. */
static void merge(struct world *world, const struct selection *selection, int64_t target) {
    struct care_files after = {0};
    bool *gone = calloc(world->files.count, sizeof *gone);
    for (size_t i = 0; i < selection->job_count; i++) {
        const struct merge_job *job = &selection->jobs[i];
        int64_t newest_ms = 0;
        for (size_t j = 0; j < job->count; j++) {
            const struct care_file *file = &world->files.files[job->files[j]];
            assert_false(gone[job->files[j]]);
            gone[job->files[j]] = true;
            newest_ms = file->modified_ms > newest_ms ? file->modified_ms : newest_ms;
        }
        world->written += job->bytes;
        world->merges++;
        for (int64_t left = job->bytes; left > 0; left -= target) {
            add(&after, job->directory, left < target ? left : target, newest_ms);
            after.files[after.count - 1].is_output = true;
        }
    }
    for (size_t i = 0; i < world->files.count; i++)
        if (!gone[i]) {
            care_files_add(&after, world->files.files[i].path, world->files.files[i].size,
                           world->files.files[i].modified_ms);
            after.files[after.count - 1].is_output = world->files.files[i].is_output;
        }
    free(gone);
    care_files_deinit(&world->files);
    world->files = after;
}

static void live_one_minute(struct world *world, struct selection_rules rules, int64_t now_ms) {
    struct selection selection = select_at(&world->files, rules, now_ms);
    if (selection.job_count > 0)
        merge(world, &selection, rules.target_size);
    selection_deinit(&selection);
}

static void arrive(struct world *world, const char *directory, int64_t size, int64_t now_ms) {
    add(&world->files, directory, size, now_ms);
    world->arrived += size;
}

static struct world live_days(struct selection_rules rules, int64_t days, int64_t size,
                              bool is_partitioned, bool has_late) {
    struct world world = {0};
    for (int64_t minute = 0; minute < days * 1440 + 120; minute += 2) {
        int64_t now_ms = DAY_0 + minute * MINUTE;
        int day = 23 + (int)(minute / 1440);
        char directory[32] = "";
        if (is_partitioned)
            (void)snprintf(directory, sizeof directory, "day=2026-11-%d", day);
        if (minute < days * 1440)
            arrive(&world, directory, size, now_ms);
        if (has_late && day > 23 && minute % 360 == 0) {
            (void)snprintf(directory, sizeof directory, "day=2026-11-%d", day - 1);
            arrive(&world, directory, size, now_ms);
        }
        live_one_minute(&world, rules, now_ms);
    }
    return world;
}

static void assert_week(struct world world, int64_t most_writes_tenths, size_t most_files) {
    print_message("written %" PRId64 " of %" PRId64 " bytes, %d merges, %zu files left\n",
                  world.written, world.arrived, world.merges, world.files.count);
    assert_true(10 * world.written <= most_writes_tenths * world.arrived);
    assert_true(world.written > 0);
    assert_true(world.files.count <= most_files);
    int64_t left = 0;
    for (size_t i = 0; i < world.files.count; i++)
        left += world.files.files[i].size;
    assert_int_equal(left, world.arrived);
    care_files_deinit(&world.files);
}

static void a_closed_date_is_written_once_more(void **state) {
    (void)state;
    assert_week(live_days(closed, 7, MB, true, false), 10, 42);
}

static void late_rows_hardly_add_to_it(void **state) {
    (void)state;
    assert_week(live_days(closed, 7, MB, true, true), 11, 63);
}

static void live_directories_are_written_at_most_three_times(void **state) {
    (void)state;
    assert_week(live_days(live, 7, MB, true, true), 21, 63);
    assert_week(live_days(live, 3, 20 * MB, true, false), 21, 354); // hourly files are large
}

static void a_live_table_without_dates_is_written_at_most_three_times(void **state) {
    (void)state;
    struct selection_rules rules = live;
    rules.date_level = -1;
    assert_week(live_days(rules, 7, 100 << 10, false, false), 25, 60);
    assert_week(live_days(rules, 7, MB, false, false), 25, 60);
}

static void the_outputs_of_forgotten_merges_stay_within_it(void **state) {
    (void)state;
    struct selection_rules rules = live;
    struct world world = {0};
    for (int64_t minute = 0; minute < 1440 + 120; minute += 2) {
        if (minute < 1440)
            arrive(&world, "day=2026-11-23", MB, DAY_0 + minute * MINUTE);
        if (minute == 600) // their records are removed
            for (size_t i = 0; i < world.files.count; i++)
                world.files.files[i].is_output = false;
        live_one_minute(&world, rules, DAY_0 + minute * MINUTE);
    }
    assert_week(world, 30, 8);
}

/* ---- tables without dates ---- */

static void rejects_of_a_day_become_one_file_and_a_hundred_of_these_one(void **state) {
    (void)state;
    struct selection_rules rules = closed;
    rules.date_level = -1;
    struct world world = {0};
    for (int64_t hour = 0; hour < INT64_C(24) * 120; hour += 6) {
        arrive(&world, "", 10 << 10, DAY_0 + hour * HOUR);
        live_one_minute(&world, rules, DAY_0 + hour * HOUR);
    }
    assert_week(world, 20, 1 + 20 + 8);
}

static void the_directory_of_an_open_date_is_named(void **state) {
    (void)state;
    struct care_files files = {0};
    add(&files, "day=2026-11-23", MB, DAY_0);
    add(&files, "day=2026-11-23", MB, DAY_0);
    struct selection selection = select_at(&files, live, DAY_0 + HOUR);
    assert_int_equal(selection.job_count, 0);
    assert_string_equal(selection.waits[0].directory, "day=2026-11-23");
    assert_string_equal(selection.waits[0].why, "not old enough");
    assert_int_equal(selection.waits[0].count, 2);
    selection_deinit(&selection);
    assert_jobs(&files, live, DAY_0 + 2 * HOUR, 1, 2);
    care_files_deinit(&files);
}

static void files_after_is_rounded_up(void **state) {
    (void)state;
    assert_int_equal(selection_files_after(0, 100), 1);
    assert_int_equal(selection_files_after(100, 100), 1);
    assert_int_equal(selection_files_after(101, 100), 2);
    assert_int_equal(selection_files_after(200, 100), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_merges_small_files_of_each_directory),
        cmocka_unit_test(a_merge_that_leaves_as_many_files_is_not_made),
        cmocka_unit_test(older_than_leaves_young_files),
        cmocka_unit_test(much_is_merged_in_jobs_of_sixteen_files_of_the_target_size),
        cmocka_unit_test(a_date_is_merged_an_hour_after_its_midnight),
        cmocka_unit_test(the_date_may_be_at_any_level),
        cmocka_unit_test(a_null_date_is_merged_by_the_day_of_its_commits),
        cmocka_unit_test(late_rows_wait_for_ten_files_or_a_day),
        cmocka_unit_test(one_late_file_is_never_merged),
        cmocka_unit_test(a_closed_date_is_written_once_more),
        cmocka_unit_test(late_rows_hardly_add_to_it),
        cmocka_unit_test(live_directories_are_written_at_most_three_times),
        cmocka_unit_test(a_live_table_without_dates_is_written_at_most_three_times),
        cmocka_unit_test(the_outputs_of_forgotten_merges_stay_within_it),
        cmocka_unit_test(rejects_of_a_day_become_one_file_and_a_hundred_of_these_one),
        cmocka_unit_test(the_directory_of_an_open_date_is_named),
        cmocka_unit_test(files_after_is_rounded_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
