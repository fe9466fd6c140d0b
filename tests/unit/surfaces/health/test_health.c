#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "health/health_cases.h"

enum { RING_S = HEALTH_RECENT_S, START_MS = 1000 };

/* A query that goes through a case, looked at every second. */
struct scene {
    struct health health;
    struct health_look look;
    struct health_verdict verdict;
    int64_t rows[RING_S], rejects[RING_S]; // by second
};

static void commit(struct scene *scene, const struct health_step *step) {
    struct health_look *at = &scene->look;
    int64_t waiting = at->topic_end - at->position;
    int64_t size = waiting < step->commits ? waiting : step->commits;
    if (size <= 0)
        return;
    size_t place = (size_t)(at->now_ms / 1000 % RING_S);
    at->position += size;
    at->records_read += size;
    at->batch_id++;
    scene->rows[place] = size - step->rejects;
    scene->rejects[place] = step->rejects;
}

static void second(struct scene *scene, const struct health_step *step, int number) {
    struct health_look *at = &scene->look;
    size_t place = (size_t)(at->now_ms / 1000 % RING_S);
    scene->rows[place] = scene->rejects[place] = 0;
    at->state = step->state;
    at->topic_end += step->produced;
    at->records_read += step->read;
    at->lost += number == 0 ? step->lost : 0;
    at->signs += !step->is_silent;
    if (step->commits > 0 && (number % 10 == 9 || number == step->seconds - 1))
        commit(scene, step);
    at->recent_rows = at->recent_rejects = 0;
    for (size_t i = 0; i < RING_S; i++) {
        at->recent_rows += scene->rows[i];
        at->recent_rejects += scene->rejects[i];
    }
    health_judge(&scene->health, at, &scene->verdict);
    at->now_ms += 1000;
}

static struct scene play(const struct health_case *one) {
    static const char error[] = "No answer from Kafka";
    struct scene scene = {.look = {.now_ms = START_MS,
                                   .batch_id = -1,
                                   .topic = "esports-matches",
                                   .message = "Initializing sources",
                                   .error = error}};
    health_init(&scene.health, CASE_AFTER_MS, CASE_TRIGGER_MS);
    for (const struct health_step *step = one->steps; step->seconds > 0; step++) {
        scene.look.is_topic_known = step->state != QUERY_STARTING;
        for (int i = 0; i < step->seconds; i++)
            second(&scene, step, i);
    }
    return scene;
}

static void each_case_comes_to_its_verdict(void **state) {
    (void)state;
    for (size_t i = 0; i < HEALTH_CASE_COUNT; i++) {
        const struct health_case *one = &health_cases[i];
        const struct scene scene = play(one);
        const struct health_verdict *verdict = &scene.verdict;
        if (verdict->state != one->state || verdict->severity != one->severity ||
            verdict->causes != one->causes)
            fail_msg("%s: is %s (%s, causes %#x): %s", one->name, health_state_name(verdict->state),
                     health_severity_name(verdict->severity), verdict->causes, verdict->reason);
        assert_string_not_equal(verdict->reason, "");
        assert_true((*verdict->action == '\0') == (verdict->causes == 0));
        assert_in_range(verdict->since_ms, START_MS, scene.look.now_ms);
    }
}

static const struct health_case *find(const char *name) {
    for (size_t i = 0; i < HEALTH_CASE_COUNT; i++)
        if (strcmp(health_cases[i].name, name) == 0)
            return &health_cases[i];
    fail_msg("no case '%s'", name);
    return NULL;
}

/* The verdict of a case: its reason, and how many seconds ago it began. */
static void assert_said(const char *name, const char *reason, int64_t seconds) {
    const struct scene scene = play(find(name));
    assert_string_equal(scene.verdict.reason, reason);
    assert_int_equal((scene.look.now_ms - 1000 - scene.verdict.since_ms) / 1000, seconds);
}

static void a_reason_says_what_was_found_and_since_when(void **state) {
    (void)state;
    assert_said("a start", "Initializing sources", 29);
    assert_said("Kafka is away for a minute", "No answer from Kafka", 59);
    assert_said("Kafka stays away",
                "gets nowhere since 599 s and keeps trying: No answer from Kafka", 599);
    assert_said("a start that hangs", "gives no sign of life since 299 s", 299);
    assert_said("nothing comes", "all that the topic holds is committed", 1199);
    assert_said("records were lost a while ago", "lost 4000 offsets that Kafka no longer had",
                1199);
    assert_said("it failed", "No answer from Kafka", 179);
}

static void several_causes_are_all_said_and_the_worst_gives_the_state(void **state) {
    (void)state;
    const struct scene scene = play(find("no record comes for the batch under way"));
    assert_non_null(strstr(scene.verdict.reason, "has committed nothing for "));
    assert_non_null(strstr(scene.verdict.reason, " records of esports-matches wait, some"));
    assert_int_equal(scene.verdict.severity, SEVERITY_CRITICAL);
}

static void a_program_that_stood_still_itself_blames_no_query(void **state) {
    (void)state;
    struct scene scene = play(find("it keeps up"));
    const struct health_step quiet = {1, QUERY_RUNNING, .is_silent = true};
    scene.look.now_ms += 300000;
    second(&scene, &quiet, 0);
    assert_false(health_has(&scene.verdict, CAUSE_NO_SIGN));
}

static void a_query_that_sleeps_on_purpose_gives_no_sign_and_is_well(void **state) {
    (void)state;
    struct scene scene = play(find("it keeps up"));
    const struct health_step sleep = {600, QUERY_WAITING, .is_silent = true};
    scene.look.rest_until_ms = scene.look.now_ms + 600000;
    for (int i = 0; i < sleep.seconds; i++)
        second(&scene, &sleep, i);
    assert_int_equal(scene.verdict.severity, SEVERITY_NONE);
}

static void names_are_found_again(void **state) {
    (void)state;
    for (enum health_state one = HEALTH_UNKNOWN; one < HEALTH_STATES; one++)
        assert_int_equal(health_state_find(health_state_name(one)), one);
    assert_int_equal(health_state_find("fine"), HEALTH_UNKNOWN);
    assert_int_equal(health_state_find(NULL), HEALTH_UNKNOWN);
}

static void memory_is_near_its_budget_above_nine_tenths(void **state) {
    (void)state;
    struct health_verdict verdict;
    health_judge_memory(900 << 20, 1000 << 20, &verdict);
    assert_int_equal(verdict.state, HEALTH_HEALTHY);
    health_judge_memory(901 << 20, 1000 << 20, &verdict);
    assert_int_equal(verdict.state, HEALTH_DEGRADED);
    assert_int_equal(verdict.severity, SEVERITY_WARNING);
    assert_string_equal(verdict.reason, "is near its budget: 901 MiB of 1000 MiB");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_comes_to_its_verdict),
        cmocka_unit_test(a_reason_says_what_was_found_and_since_when),
        cmocka_unit_test(several_causes_are_all_said_and_the_worst_gives_the_state),
        cmocka_unit_test(a_program_that_stood_still_itself_blames_no_query),
        cmocka_unit_test(a_query_that_sleeps_on_purpose_gives_no_sign_and_is_well),
        cmocka_unit_test(names_are_found_again),
        cmocka_unit_test(memory_is_near_its_budget_above_nine_tenths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
