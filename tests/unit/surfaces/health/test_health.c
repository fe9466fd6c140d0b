#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "health/health_scene.h"
#include "streaming/declare/stream.h"

static struct health_scene scene;

static void play(const struct health_case *one) {
    if (scene.program.health != NULL)
        scene_close(&scene);
    scene_open(&scene);
    scene_play(&scene, one, 1, NULL);
}

static int tear_down(void **state) {
    (void)state;
    scene_close(&scene);
    scene.program.health = NULL;
    return 0;
}

static void each_case_has_its_verdict(void **state) {
    (void)state;
    for (size_t i = 0; i < HEALTH_CASE_COUNT; i++) {
        const struct health_case *one = &health_cases[i];
        play(one);
        const struct health_verdict *verdict = &scene.verdict;
        if (verdict->state != one->state || verdict->severity != one->severity ||
            verdict->causes != one->causes)
            fail_msg("%s: is %s (%s, causes %#x): %s", one->name, health_state_name(verdict->state),
                     health_severity_name(verdict->severity), verdict->causes, verdict->reason);
        assert_string_not_equal(verdict->reason, "");
        assert_true((*verdict->action == '\0') == (verdict->causes == 0));
        assert_in_range(verdict->since_ms, SCENE_START_MS, scene_ms);
    }
}

static const struct health_case *find(const char *name) {
    for (size_t i = 0; i < HEALTH_CASE_COUNT; i++)
        if (strcmp(health_cases[i].name, name) == 0)
            return &health_cases[i];
    fail_msg("no case '%s'", name);
    return NULL;
}

/* The verdict of a case must have this reason and have begun `seconds` ago. */
static void assert_said(const char *name, const char *reason, int64_t seconds) {
    play(find(name));
    assert_string_equal(scene.verdict.reason, reason);
    assert_int_equal((scene_ms - 1000 - scene.verdict.since_ms) / 1000, seconds);
}

static void a_reason_says_what_is_wrong_and_for_how_long(void **state) {
    (void)state;
    assert_said("a start", "Processing", 29);
    assert_said("Kafka is away for a minute", "No answer from Kafka", 59);
    assert_said("Kafka stays away",
                "has made no progress for 599 s and keeps retrying: No answer from Kafka", 599);
    assert_said("Kafka is gone between two triggers",
                "the topic's end offsets have been unknown for 600 s: no broker answers", 600);
    assert_said("a start that hangs", "has shown no activity for 999 s", 999);
    assert_said("nothing comes", "all records of the topic are committed", 1199);
    assert_said("few records come, and a batch waits for more",
                "Waiting for 500 more offsets or until MAX_TRIGGER_DELAY is over", 1199);
    assert_said("records were lost a while ago",
                "lost 4000 offsets that were deleted from Kafka before they were read", 1199);
    assert_said("files of the table are missing",
                "31 files of the table are missing: a.parquet, b.parquet, c.parquet, …", 119);
    assert_said("it failed", "No answer from Kafka", 179);
}

static void several_causes_are_all_named_and_the_worst_determines_the_state(void **state) {
    (void)state;
    play(find("no record arrives for the running batch"));
    assert_non_null(strstr(scene.verdict.reason, "has committed nothing for "));
    assert_non_null(strstr(scene.verdict.reason, " records of esports-matches wait, some"));
    assert_int_equal(scene.verdict.severity, SEVERITY_CRITICAL);
}

static void a_program_that_was_suspended_itself_blames_no_query(void **state) {
    (void)state;
    play(find("it keeps up"));
    const struct health_step quiet = {1, QUERY_RUNNING, .is_silent = true};
    scene_ms += 300000;
    scene_second(&scene, &quiet, 0);
    assert_false(health_has(&scene.verdict, CAUSE_NO_SIGN));
}

static void a_query_that_sleeps_on_purpose_is_healthy_without_activity(void **state) {
    (void)state;
    play(find("it keeps up"));
    const struct health_step sleep = {600, QUERY_WAITING, .is_silent = true};
    query_status_rest(&scene.status, 600000);
    for (int i = 0; i < sleep.seconds; i++)
        scene_second(&scene, &sleep, i);
    assert_int_equal(scene.verdict.severity, SEVERITY_NONE);
}

/* The newest incident of a case: its worst cause, its reason, its duration (-1: not over). */
static void assert_incident(const char *name, enum health_cause cause, const char *reason,
                            int64_t seconds) {
    play(find(name));
    const struct health_incident *incident = &scene.verdict.incident;
    assert_int_equal(incident->cause, cause);
    assert_string_equal(incident->reason, reason);
    assert_int_equal(health_has_recovered(&scene.verdict), seconds >= 0);
    if (seconds >= 0)
        assert_int_equal((incident->ended_ms - incident->since_ms) / 1000, seconds);
}

static void a_recovery_has_the_cause_and_the_duration_of_the_incident(void **state) {
    (void)state;
    static const char kafka[] = "No answer from Kafka";
    assert_incident("Kafka was away for a minute", CAUSE_RETRYING, kafka, 69);
    assert_incident("Kafka was away for long, and what came meanwhile is read", CAUSE_NO_SUCCESS,
                    kafka, 719);
    assert_incident("Kafka stays away", CAUSE_NO_SUCCESS, kafka, -1);
}

static void it_is_a_recovery_when_the_end_offsets_are_known_again(void **state) {
    (void)state;
    play(find("Kafka was gone between two triggers"));
    const struct health_incident *incident = &scene.verdict.incident;
    assert_int_equal(incident->cause, CAUSE_LAG_UNKNOWN);
    assert_true(health_has_recovered(&scene.verdict));
    assert_non_null(strstr(incident->reason, "end offsets have been unknown for"));
    assert_int_equal((incident->ended_ms - incident->since_ms) / 1000, 601);
}

static void a_pause_between_attempts_is_not_a_recovery(void **state) {
    (void)state;
    assert_incident("the disk refuses every attempt", CAUSE_NO_SUCCESS, "No answer from Kafka", -1);
    assert_int_equal((scene_ms - 1000 - scene.verdict.incident.since_ms) / 1000, 369);
}

static void without_an_incident_nothing_has_recovered(void **state) {
    (void)state;
    play(find("records were lost long ago"));
    assert_false(health_has_recovered(&scene.verdict));
    assert_int_equal(scene.verdict.incident.since_ms, 0);
    play(find("it failed"));
    assert_false(health_has_recovered(&scene.verdict));
}

/* Opens the scene with this TRIGGER. */
static void open_with_trigger(int64_t trigger_ms) {
    scene_open(&scene);
    health_watch_close(scene.program.health);
    scene.options.trigger.interval_ms = trigger_ms;
    scene.program.health = health_watch_open(&scene.config, scene.program.queries, 1);
}

static void rejects_are_counted_over_two_triggers_but_no_more_than_four_hours(void **state) {
    (void)state;
    static const struct {
        int64_t trigger_s, counted_s;
    } cases[] = {{0, 300}, {1800, 3600}, {1900, 3780}, {7200, 14400}, {86400, 14400}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        open_with_trigger(cases[i].trigger_s * 1000);
        const struct health_step running = {.seconds = 1, .state = QUERY_RUNNING};
        scene_commit(&scene, 1000, 500, 0);
        scene_ms += (cases[i].counted_s - 60) * 1000;
        scene_second(&scene, &running, 0);
        assert_true(health_has(&scene.verdict, CAUSE_REJECTING));
        scene_ms += INT64_C(120) * 1000;
        scene_second(&scene, &running, 0);
        assert_false(health_has(&scene.verdict, CAUSE_REJECTING));
        scene_close(&scene);
    }
}

/* A second of this is looked at; the causes that were found come back. */
static unsigned causes_of(const struct health_step *step) {
    unsigned found = 0;
    for (int i = 0; i < step->seconds; i++) {
        scene_second(&scene, step, i);
        found |= scene.verdict.causes;
    }
    return found;
}

/* The new topic's records have not waited since the old one had so many. */
static void a_topic_that_was_created_again_or_truncated_starts_a_new_measurement(void **state) {
    (void)state;
    const struct health_step keeps_up = {300, QUERY_RUNNING, .produced = 90, .commits = 1000};
    const struct health_step slow = {300, QUERY_RUNNING, .produced = 90, .commits = 10};
    play(find("nothing comes"));
    scene.partition = (struct partition_lag){.topic_end = 300}; // and to be read from its begin
    assert_int_equal(causes_of(&keeps_up), 0);
    assert_int_equal(causes_of(&slow), CAUSE(BEHIND));

    play(find("nothing comes"));
    scene.partition.topic_end = scene.partition.position = scene.partition.position / 2;
    assert_int_equal(causes_of(&keeps_up), 0);
    assert_false(health_has_recovered(&scene.verdict));
}

static void names_map_back_to_their_values(void **state) {
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
    assert_string_equal(verdict.reason, "is close to its memory budget: 901 MiB of 1000 MiB");
}

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(each_case_has_its_verdict, tear_down),
        cmocka_unit_test_teardown(a_reason_says_what_is_wrong_and_for_how_long, tear_down),
        cmocka_unit_test_teardown(several_causes_are_all_named_and_the_worst_determines_the_state,
                                  tear_down),
        cmocka_unit_test_teardown(a_program_that_was_suspended_itself_blames_no_query, tear_down),
        cmocka_unit_test_teardown(a_query_that_sleeps_on_purpose_is_healthy_without_activity,
                                  tear_down),
        cmocka_unit_test_teardown(a_recovery_has_the_cause_and_the_duration_of_the_incident,
                                  tear_down),
        cmocka_unit_test_teardown(it_is_a_recovery_when_the_end_offsets_are_known_again, tear_down),
        cmocka_unit_test_teardown(a_pause_between_attempts_is_not_a_recovery, tear_down),
        cmocka_unit_test_teardown(without_an_incident_nothing_has_recovered, tear_down),
        cmocka_unit_test_teardown(
            a_topic_that_was_created_again_or_truncated_starts_a_new_measurement, tear_down),
        cmocka_unit_test(rejects_are_counted_over_two_triggers_but_no_more_than_four_hours),
        cmocka_unit_test(names_map_back_to_their_values),
        cmocka_unit_test(memory_is_near_its_budget_above_nine_tenths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
