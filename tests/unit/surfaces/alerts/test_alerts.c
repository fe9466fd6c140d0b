#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "surfaces/alerts/alerts.h"

enum { AFTER_MS = 120000, STEP_MS = 1000, REJECTS_PERCENT = 5 };

/* A query that is looked at every second: what it does in one. */
struct scene {
    struct health health;
    struct health_look look;
    unsigned told;
    int64_t produced, taken; // records a second
    int changes;             // of the trouble, so far
};

/* What is told: a set. */
enum {
    NONE = 0,
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
    health_init(&scene.health, AFTER_MS, REJECTS_PERCENT, 0);
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

/* A batch every ten seconds takes what it may of what there is. */
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

static void a_query_that_keeps_up_is_in_no_trouble(void **state) {
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

static void more_than_it_can_take_puts_it_behind_and_less_brings_it_back_once_each(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 1000, 1000);
    scene.produced = 900;
    scene.taken = 1000;
    run(&scene, 600);
    scene.produced = 3000;
    // After 180 s what was there 120 s ago (60 s of 3000) is just read (180 s of 1000).
    run(&scene, 170);
    assert_int_equal(scene.told, NONE);
    run(&scene, 60);
    assert_int_equal(scene.told, BEHIND);
    run(&scene, 600);
    assert_int_equal(scene.changes, 1); // told once
    scene.produced = 900;
    run(&scene, 3600); // catching up is not over yet
    assert_int_equal(scene.told, BEHIND);
    scene.produced = 0;
    run(&scene, 3600);
    assert_int_equal(scene.told, NONE);
    assert_int_equal(scene.changes, 2);
}

static void input_around_its_limit_does_not_make_it_go_back_and_forth(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 1000, 1000);
    scene.taken = 1000;
    for (int i = 0; i < 100; i++) {
        scene.produced = i % 2 == 0 ? 1500 : 700;
        run(&scene, 60);
    }
    assert_true(scene.changes <= 1);
}

static void a_batch_that_takes_long_but_gets_on_is_not_behind(void **state) {
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
    stay(&scene, QUERY_RUNNING, 105); // the newest commit is some seconds older
    assert_int_equal(scene.changes, 0);
    stay(&scene, QUERY_RUNNING, 20);
    assert_int_equal(scene.told, BEHIND);
}

static void retrying_is_told_when_it_has_gone_on_and_is_over_with_a_batch(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 1000, 1000);
    scene.look.topic_end = 2000;
    for (int i = 0; i < 10; i++) { // again and again, but with success between
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

/* All of it is read, some seconds go into writing, and then the disk is full. */
static void a_write_that_fails_after_all_was_read_is_failing_and_not_first_behind(void **state) {
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

static void a_broker_that_comes_back_with_nothing_new_ends_it_too(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 1000, 1000);
    stay(&scene, QUERY_RETRYING, 122);
    assert_int_equal(scene.told, FAILING);
    stay(&scene, QUERY_WAITING, 1);
    assert_int_equal(scene.told, NONE);
}

static void failing_is_told_at_once_also_of_one_that_is_in_trouble_already(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 1000, 1000);
    stay(&scene, QUERY_FAILED, 1);
    assert_int_equal(scene.told, FAILED);
    scene = begin(FAILING, 1000, 1000);
    stay(&scene, QUERY_FAILED, 10);
    assert_int_equal(scene.told, FAILED);
    assert_int_equal(scene.changes, 1);
}

static void a_program_that_fails_at_every_start_is_told_of_once(void **state) {
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

static void a_stop_that_somebody_asked_for_tells_nothing(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 1000, 500);
    stay(&scene, QUERY_RETRYING, 60);
    stay(&scene, QUERY_STOPPED, 600);
    assert_int_equal(scene.changes, 0);
}

static void one_that_was_behind_is_so_until_it_has_caught_up_also_after_a_start(void **state) {
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

/* All that came in the newest minutes. */
static void have_records(struct scene *scene, int64_t rows, int64_t rejects) {
    scene->look.recent_rows = rows;
    scene->look.recent_rejects = rejects;
    stay(scene, QUERY_RUNNING, 60);
}

static void many_rejects_are_told_until_records_come_of_which_few_are(void **state) {
    (void)state;
    struct scene scene = begin(NONE, 1000, 1000);
    have_records(&scene, 950, 50);
    assert_int_equal(scene.told, NONE);
    have_records(&scene, 94, 6); // more than 5 %, but fewer than ten
    assert_int_equal(scene.told, NONE);
    have_records(&scene, 940, 60);
    assert_int_equal(scene.told, REJECTING);
    have_records(&scene, 970, 30); // no fewer than half
    have_records(&scene, 0, 0);    // nothing came
    have_records(&scene, 0, 4);
    assert_int_equal(scene.told, REJECTING);
    assert_int_equal(scene.changes, 1);
    have_records(&scene, 975, 25);
    assert_int_equal(scene.told, NONE);
}

static void a_start_after_many_rejects_says_that_they_are_over_when_records_come(void **state) {
    (void)state;
    struct scene scene = begin(REJECTING, 1000, 1000);
    have_records(&scene, 0, 0);
    assert_int_equal(scene.told, REJECTING);
    have_records(&scene, 100, 0);
    assert_int_equal(scene.told, NONE);
}

static void a_query_can_fall_behind_and_reject_and_is_well_without_both(void **state) {
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
    assert_int_equal(scene.told, FAILED); // no other trouble counts then
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_that_keeps_up_is_in_no_trouble),
        cmocka_unit_test(a_query_that_catches_up_is_not_behind_however_long_it_takes),
        cmocka_unit_test(more_than_it_can_take_puts_it_behind_and_less_brings_it_back_once_each),
        cmocka_unit_test(input_around_its_limit_does_not_make_it_go_back_and_forth),
        cmocka_unit_test(a_batch_that_takes_long_but_gets_on_is_not_behind),
        cmocka_unit_test(a_batch_that_hangs_puts_the_query_behind),
        cmocka_unit_test(retrying_is_told_when_it_has_gone_on_and_is_over_with_a_batch),
        cmocka_unit_test(a_write_that_fails_after_all_was_read_is_failing_and_not_first_behind),
        cmocka_unit_test(a_broker_that_comes_back_with_nothing_new_ends_it_too),
        cmocka_unit_test(failing_is_told_at_once_also_of_one_that_is_in_trouble_already),
        cmocka_unit_test(a_program_that_fails_at_every_start_is_told_of_once),
        cmocka_unit_test(a_stop_that_somebody_asked_for_tells_nothing),
        cmocka_unit_test(one_that_was_behind_is_so_until_it_has_caught_up_also_after_a_start),
        cmocka_unit_test(many_rejects_are_told_until_records_come_of_which_few_are),
        cmocka_unit_test(a_start_after_many_rejects_says_that_they_are_over_when_records_come),
        cmocka_unit_test(a_query_can_fall_behind_and_reject_and_is_well_without_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
