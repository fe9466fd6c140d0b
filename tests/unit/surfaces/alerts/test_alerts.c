#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "surfaces/alerts/alerts.h"

enum { AFTER_MS = 120000, STEP_MS = 1000, REJECTS_PERCENT = 5 };

/* A query that is judged every second, and what it does in one second. */
struct scene {
    struct health health;
    struct health_look look;
    unsigned told;
    int64_t produced, taken; // records per second
    int changes;             // of the set of troubles, so far
};

/* The troubles that were notified, as a set. */
enum {
    NONE = 0,
    CARE = 1 << TROUBLE_CARE,
    BEHIND = 1 << TROUBLE_BEHIND,
    REJECTING = 1 << TROUBLE_REJECTING,
    FAILING = 1 << TROUBLE_FAILING,
    FAILED = 1 << TROUBLE_FAILED,
};

static struct scene begin(unsigned troubles, int64_t topic_end, int64_t position) {
    struct scene scene = {.told = troubles,
                          .look = {.state = QUERY_RUNNING,
                                   .batch_id = -1,
                                   .is_topic_known = true,
                                   .topic_end = topic_end,
                                   .position = position,
                                   .topic = "t",
                                   .message = "",
                                   .error = ""}};
    health_init(&scene.health, AFTER_MS, REJECTS_PERCENT, 0, 0);
    return scene;
}

static void look(struct scene *scene) {
    struct health_verdict verdict;
    health_judge(&scene->health, &scene->look, &verdict);
    unsigned troubles = alert_troubles_next(scene->told, &verdict);
    scene->changes += troubles != scene->told;
    scene->told = troubles;
    scene->look.now_ms += STEP_MS;
    scene->look.signs++;
}

/* Every ten seconds a batch takes as many of the waiting records as it can. */
static void run(struct scene *scene, int seconds) {
    for (int i = 0; i < seconds; i++) {
        struct health_look *at = &scene->look;
        at->topic_end += scene->produced;
        bool commits = at->now_ms / STEP_MS % 10 == 0;
        int64_t most = 10 * scene->taken, waiting = at->topic_end - at->position;
        if (commits && most > 0 && waiting > 0) {
            int64_t size = waiting < most ? waiting : most;
            at->position += size;
            at->records_read += size;
            at->batch_id++;
        }
        at->state = at->position < at->topic_end ? QUERY_RUNNING : QUERY_WAITING;
        look(scene);
    }
}

static void stay(struct scene *scene, enum query_state state, int seconds) {
    scene->look.state = state;
    for (int i = 0; i < seconds; i++)
        look(scene);
}

static void a_query_that_keeps_up_has_no_trouble(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 1000, 1000);
    scene.produced = 900;
    scene.taken = 1000;
    run(&scene, 3600);
    assert_int_equal(scene.changes, 0);
}

static void a_query_that_catches_up_is_not_behind_however_long_it_takes(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 100000000, 0);
    scene.produced = 900;
    scene.taken = 1000;
    run(&scene, 7200);
    assert_true(scene.look.topic_end - scene.look.position > 90000000);
    assert_int_equal(scene.changes, 0);
}

static void too_much_input_puts_a_query_behind_once_and_less_ends_that_once(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 1000, 1000);
    scene.produced = 900;
    scene.taken = 1000;
    run(&scene, 600);
    scene.produced = 3000;
    // After 180 s, the backlog of 120 s ago (60 s of 3000) has just been read (180 s of 1000).
    run(&scene, 170);
    assert_int_equal(scene.told, NONE);
    run(&scene, 60);
    assert_int_equal(scene.told, BEHIND);
    run(&scene, 600);
    assert_int_equal(scene.changes, 1); // notified once
    scene.produced = 900;
    run(&scene, 3600); // it has not caught up yet
    assert_int_equal(scene.told, BEHIND);
    scene.produced = 0;
    run(&scene, 3600);
    assert_int_equal(scene.told, NONE);
    assert_int_equal(scene.changes, 2);
}

static void input_around_the_capacity_causes_at_most_one_change(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 1000, 1000);
    scene.taken = 1000;
    for (int i = 0; i < 100; i++) {
        scene.produced = i % 2 == 0 ? 1500 : 700;
        run(&scene, 60);
    }
    assert_true(scene.changes <= 1);
}

static void a_long_batch_that_makes_progress_is_not_behind(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 1000000, 0);
    for (int i = 0; i < 900; i++) {
        scene.look.records_read += 1000;
        look(&scene);
    }
    assert_int_equal(scene.changes, 0);
}

static void a_batch_that_hangs_puts_the_query_behind(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 1000, 1000);
    scene.produced = scene.taken = 1000;
    run(&scene, 300);
    scene.look.topic_end += 5000;
    stay(&scene, QUERY_RUNNING, 105); // the newest commit is a few seconds older
    assert_int_equal(scene.changes, 0);
    stay(&scene, QUERY_RUNNING, 20);
    assert_int_equal(scene.told, BEHIND);
}

static void long_retrying_is_failing_until_a_batch_succeeds(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 1000, 1000);
    scene.look.topic_end = 2000;
    for (int i = 0; i < 10; i++) { // again and again, with success in between
        stay(&scene, QUERY_RETRYING, 100);
        scene.look.batch_id++;
        scene.look.position += 10;
        stay(&scene, QUERY_RUNNING, 1);
    }
    assert_int_equal(scene.changes, 0);
    for (int i = 0; i < 12; i++) {
        stay(&scene, QUERY_RETRYING, 9);
        stay(&scene, QUERY_RUNNING, 1); // an attempt is not a success
    }
    assert_int_equal(scene.changes, 0);
    stay(&scene, QUERY_RETRYING, 1);
    assert_int_equal(scene.told, FAILING);
    stay(&scene, QUERY_RUNNING, 600);
    assert_int_equal(scene.changes, 1);
    scene.look.batch_id++;
    scene.look.position = scene.look.topic_end;
    stay(&scene, QUERY_RUNNING, 1);
    assert_int_equal(scene.told, NONE);
    assert_int_equal(scene.changes, 2);
}

/* Everything is read, writing takes a few seconds, and then the disk is full. */
static void a_write_that_fails_after_everything_was_read_is_failing_not_behind(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 40000, 0);
    look(&scene);
    scene.look.records_read = 40000;
    stay(&scene, QUERY_RUNNING, 5);
    stay(&scene, QUERY_RETRYING, AFTER_MS / STEP_MS);
    assert_int_equal(scene.changes, 0);
    stay(&scene, QUERY_RETRYING, 1);
    assert_int_equal(scene.changes, 1);
    assert_int_equal(scene.told, FAILING);
}

static void a_broker_that_comes_back_without_new_records_ends_failing_too(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 1000, 1000);
    stay(&scene, QUERY_RETRYING, 122);
    assert_int_equal(scene.told, FAILING);
    stay(&scene, QUERY_WAITING, 1);
    assert_int_equal(scene.told, NONE);
}

static void a_failed_query_is_notified_at_once_even_if_it_was_already_failing(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 1000, 1000);
    stay(&scene, QUERY_FAILED, 1);
    assert_int_equal(scene.told, FAILED);
    scene = begin(FAILING, 1000, 1000);
    stay(&scene, QUERY_FAILED, 10);
    assert_int_equal(scene.told, FAILED);
    assert_int_equal(scene.changes, 1);
}

static void a_program_that_fails_at_every_start_is_notified_once(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct scene scene = begin(FAILED, 1000, 500);
        stay(&scene, QUERY_STARTING, 2);
        stay(&scene, QUERY_WAITING, 1);
        stay(&scene, QUERY_RUNNING, 5);
        stay(&scene, QUERY_RETRYING, 300);
        stay(&scene, QUERY_FAILED, 1);
        assert_int_equal(scene.changes, 0);
    }
    struct scene scene = begin(FAILED, 1000, 500);
    scene.look.batch_id = 7;
    stay(&scene, QUERY_RUNNING, 1);
    assert_int_equal(scene.told, NONE);
}

static void a_requested_stop_notifies_nothing(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 1000, 500);
    stay(&scene, QUERY_RETRYING, 60);
    stay(&scene, QUERY_STOPPED, 600);
    assert_int_equal(scene.changes, 0);
}

static void a_query_stays_behind_across_a_start_until_it_has_caught_up(void **state) {
    (void)state;
    struct scene scene = begin(BEHIND, 100000, 0);
    scene.produced = 900;
    scene.taken = 1000;
    run(&scene, 300);
    assert_int_equal(scene.changes, 0);
    scene.produced = 0;
    run(&scene, 300);
    assert_int_equal(scene.told, NONE);
}

/* Sets the rows and rejects of the last minutes. */
static void have_records(struct scene *scene, int64_t rows, int64_t rejects) {
    scene->look.recent_accepted = rows;
    scene->look.recent_rejects = rejects;
    stay(scene, QUERY_RUNNING, 60);
}

static void a_query_is_rejecting_until_records_arrive_with_few_rejects(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 1000, 1000);
    have_records(&scene, 950, 50);
    assert_int_equal(scene.told, NONE);
    have_records(&scene, 94, 6); // more than 5 %, but fewer than ten
    assert_int_equal(scene.told, NONE);
    have_records(&scene, 940, 60);
    assert_int_equal(scene.told, REJECTING);
    have_records(&scene, 970, 30); // not less than half of the threshold
    have_records(&scene, 0, 0);    // no records arrived
    have_records(&scene, 0, 4);
    assert_int_equal(scene.told, REJECTING);
    assert_int_equal(scene.changes, 1);
    have_records(&scene, 975, 25);
    assert_int_equal(scene.told, NONE);
}

static void after_a_start_rejecting_ends_only_when_records_arrive(void **state) {
    (void)state;
    struct scene scene = begin(REJECTING, 1000, 1000);
    have_records(&scene, 0, 0);
    assert_int_equal(scene.told, REJECTING);
    have_records(&scene, 100, 0);
    assert_int_equal(scene.told, NONE);
}

static void compactions_that_fail_for_long_are_notified_until_one_succeeds(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 0, 0);
    scene.look.care_error = "disk full";
    scene.look.care_attempts = 59;
    scene.look.care_failing_ms = INT64_C(59) * 60 * 1000;
    run(&scene, 10);
    assert_int_equal(scene.told, NONE);
    scene.look.care_attempts = 2; // each of them took half an hour
    scene.look.care_failing_ms = INT64_C(61) * 60 * 1000;
    run(&scene, 10);
    assert_int_equal(scene.told, NONE);
    scene.look.care_attempts = 3;
    run(&scene, 10);
    assert_int_equal(scene.told, CARE);
    scene.look.care_attempts = scene.look.care_failing_ms = 0;
    run(&scene, 10);
    assert_int_equal(scene.told, NONE);
    assert_int_equal(scene.changes, 2);
}

static void a_query_can_be_behind_and_rejecting_and_each_ends_by_itself(void **state) {
    (void)state;
    struct scene scene = begin(BEHIND, 100000, 0);
    have_records(&scene, 50, 50);
    assert_int_equal(scene.told, BEHIND | REJECTING);
    have_records(&scene, 100, 0);
    assert_int_equal(scene.told, BEHIND);
    have_records(&scene, 50, 50);
    scene.look.position = scene.look.topic_end;
    stay(&scene, QUERY_RUNNING, 120);
    assert_int_equal(scene.told, REJECTING);
    stay(&scene, QUERY_FAILED, 1);
    assert_int_equal(scene.told, FAILED); // it replaces all other troubles
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_that_keeps_up_has_no_trouble),
        cmocka_unit_test(a_query_that_catches_up_is_not_behind_however_long_it_takes),
        cmocka_unit_test(too_much_input_puts_a_query_behind_once_and_less_ends_that_once),
        cmocka_unit_test(input_around_the_capacity_causes_at_most_one_change),
        cmocka_unit_test(a_long_batch_that_makes_progress_is_not_behind),
        cmocka_unit_test(a_batch_that_hangs_puts_the_query_behind),
        cmocka_unit_test(long_retrying_is_failing_until_a_batch_succeeds),
        cmocka_unit_test(a_write_that_fails_after_everything_was_read_is_failing_not_behind),
        cmocka_unit_test(a_broker_that_comes_back_without_new_records_ends_failing_too),
        cmocka_unit_test(a_failed_query_is_notified_at_once_even_if_it_was_already_failing),
        cmocka_unit_test(a_program_that_fails_at_every_start_is_notified_once),
        cmocka_unit_test(a_requested_stop_notifies_nothing),
        cmocka_unit_test(a_query_stays_behind_across_a_start_until_it_has_caught_up),
        cmocka_unit_test(a_query_is_rejecting_until_records_arrive_with_few_rejects),
        cmocka_unit_test(after_a_start_rejecting_ends_only_when_records_arrive),
        cmocka_unit_test(compactions_that_fail_for_long_are_notified_until_one_succeeds),
        cmocka_unit_test(a_query_can_be_behind_and_rejecting_and_each_ends_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
