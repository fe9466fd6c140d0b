/* What is committed to a consumer group, with a scripted broker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "streaming/query/group_commit.h"

/* The broker keeps what came, and refuses while `refusals` is above 0. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int commits, refusals;
static bool held; // a commit does not return
static struct offset_range last[4];
static size_t last_count;

static bool commit_group(struct broker *broker, const char *group, const char *topic,
                         const struct offset_range *positions, size_t count, int timeout_ms,
                         struct error *err) {
    (void)broker;
    assert_string_equal(group, "g");
    assert_string_equal(topic, "t");
    assert_true(timeout_ms > 0);
    check(count <= 4);
    pthread_mutex_lock(&lock);
    commits++;
    bool ok = refusals == 0;
    if (ok) {
        memcpy(last, positions, count * sizeof *positions);
        last_count = count;
    } else {
        refusals--;
    }
    pthread_cond_broadcast(&changed);
    while (held)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return ok || error_set(err, ERROR_BROKER, "no rights");
}

static const struct broker_ops ops = {.commit_group = commit_group};
static struct broker broker = {&ops};

static int set_up(void **state) {
    (void)state;
    commits = refusals = 0;
    held = false;
    last_count = 0;
    return 0;
}

static void move(struct group_commit *commit, int64_t end) {
    group_commit_move(commit, (struct offset_range[]){{0, end, end}, {1, end + 1, end + 1}}, 2);
}

static void await_commits(int count) {
    pthread_mutex_lock(&lock);
    while (commits < count)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void hold(bool on) {
    pthread_mutex_lock(&lock);
    held = on;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void the_position_is_committed(void **state) {
    (void)state;
    struct group_commit commit;
    group_commit_init(&commit, &broker, "g", "t", "q");
    move(&commit, 5);
    group_commit_deinit(&commit);
    assert_int_equal(commits, 1);
    assert_int_equal(last_count, 2);
    assert_int_equal(last[0].end, 5);
    assert_int_equal(last[1].partition, 1);
    assert_int_equal(last[1].end, 6);
}

static void while_a_commit_is_under_way_only_the_newest_position_waits(void **state) {
    (void)state;
    struct group_commit commit;
    group_commit_init(&commit, &broker, "g", "t", "q");
    hold(true);
    move(&commit, 1);
    await_commits(1);
    for (int64_t end = 2; end <= 100; end++)
        move(&commit, end); // does not wait
    hold(false);
    group_commit_deinit(&commit);
    assert_int_equal(commits, 2);
    assert_int_equal(last[0].end, 100);
}

/* The end cuts the pause short, in which the newest position waits for another try. */
static void a_refused_commit_is_retried(void **state) {
    (void)state;
    struct group_commit commit;
    group_commit_init(&commit, &broker, "g", "t", "q");
    refusals = 1;
    move(&commit, 7);
    await_commits(1);
    group_commit_deinit(&commit);
    assert_int_equal(last[0].end, 7);
}

static void a_broker_that_always_refuses_does_not_delay_the_end(void **state) {
    (void)state;
    struct group_commit commit;
    group_commit_init(&commit, &broker, "g", "t", "q");
    refusals = 1000;
    move(&commit, 7);
    group_commit_deinit(&commit);
    assert_in_range(commits, 1, 2);
    assert_int_equal(last_count, 0);
}

static void without_a_group_or_a_broker_that_has_groups_nothing_is_committed(void **state) {
    (void)state;
    static const struct broker_ops none;
    struct broker capture = {&none};
    struct group_commit commit;
    group_commit_init(&commit, &broker, "", "t", "q");
    move(&commit, 5);
    group_commit_deinit(&commit);
    group_commit_init(&commit, &broker, NULL, "t", "q");
    move(&commit, 5);
    group_commit_deinit(&commit);
    group_commit_init(&commit, &capture, "g", "t", "q");
    move(&commit, 5);
    group_commit_deinit(&commit);
    assert_int_equal(commits, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_position_is_committed, set_up),
        cmocka_unit_test_setup(while_a_commit_is_under_way_only_the_newest_position_waits, set_up),
        cmocka_unit_test_setup(a_refused_commit_is_retried, set_up),
        cmocka_unit_test_setup(a_broker_that_always_refuses_does_not_delay_the_end, set_up),
        cmocka_unit_test_setup(without_a_group_or_a_broker_that_has_groups_nothing_is_committed,
                               set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
