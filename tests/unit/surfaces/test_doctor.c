#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/disk.h"
#include "surfaces/doctor.h"

static char root[64];
static struct config config;
static char **first_environ;
static struct disk_ops hanging;

/* A disk that does not answer until it is let go. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int passed; // calls that came through

static int hanging_stat(const char *path, struct stat *status) {
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    passed++;
    return disk_real.stat(path, status);
}

static int setup(void **state) {
    (void)state;
    strcpy(root, "/tmp/test_doctor.XXXXXX");
    if (mkdtemp(root) == NULL)
        return -1;
    char *words[] = {"esports-stream", "doctor", "--job", "matches", "--spark-ui-port", "0"};
    static char servers[128], lake[128];
    static char *small[] = {servers, lake, NULL};
    (void)snprintf(servers, sizeof servers, "KAFKA_BOOTSTRAP_SERVERS=file:%s", root);
    (void)snprintf(lake, sizeof lake, "DATA_LAKE_PATH=%s/lake", root);
    first_environ = environ;
    environ = small;
    enum exit_code code = config_load(&config, sizeof words / sizeof words[0], words, stderr);
    environ = first_environ;
    return (int)code;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)status, (void)type, (void)at;
    return remove(path);
}

/* Disk and configuration stay: threads that were not waited for have used them. */
static int remove_root(void **state) {
    (void)state;
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int teardown(void **state) {
    config_deinit(&config);
    return remove_root(state);
}

static const struct finding *find(const struct findings *findings, const char *what) {
    for (size_t i = 0; i < findings->count; i++)
        if (strncmp(findings->items[i].what, what, strlen(what)) == 0)
            return &findings->items[i];
    fail_msg("nothing is said of %s", what);
    return NULL;
}

static void a_place_that_will_be_made_is_tried_where_it_will_be(void **state) {
    (void)state;
    struct findings findings = {0};
    assert_true(doctor_examine(&config, 20000, &findings));
    const struct finding *writable = find(&findings, "writable");
    assert_int_equal(writable->verdict, VERDICT_OK);
    assert_non_null(strstr(writable->text, "it is not there yet, and can be made in"));
    assert_int_equal(find(&findings, "room")->verdict, VERDICT_OK);
    assert_non_null(strstr(find(&findings, "sync")->text, " ms for 4 KiB"));
    assert_int_equal(find(&findings, "checkpoint match_stream")->verdict, VERDICT_OK);
    const struct finding *topic = find(&findings, "topic"); // nothing is captured there
    assert_int_equal(topic->verdict, VERDICT_FAIL);
    assert_int_equal(topic->code, EXIT_CODE_KAFKA);
    assert_non_null(topic->cure);
    findings_deinit(&findings);
    assert_int_not_equal(access(root, F_OK), -1);
    char lake[128];
    (void)snprintf(lake, sizeof lake, "%s/lake", root);
    assert_int_equal(access(lake, F_OK), -1); // nothing was made
}

static bool count_one(void *context, const char *name) {
    (void)name;
    ++*(int *)context;
    return true;
}

static int thread_count(void) {
    int count = 0;
    assert_int_equal(disk_real.list("/proc/self/task", count_one, &count), 0);
    return count;
}

static void a_disk_that_does_not_answer_is_a_finding(void **state) {
    (void)state;
    struct findings findings = {0};
    int threads = thread_count();
    hanging = disk_real;
    hanging.stat = hanging_stat;
    pthread_mutex_lock(&gate);
    disk = &hanging;
    assert_false(doctor_examine(&config, 2000, &findings));
    const struct finding *found = find(&findings, "disk");
    assert_int_equal(found->verdict, VERDICT_FAIL);
    assert_string_equal(found->text, "no answer within 2000 ms");
    assert_non_null(strstr(found->cure, "does not answer"));
    assert_true(find(&findings, "memory")->verdict != VERDICT_FAIL); // the others are told
    assert_int_equal(passed, 0);
    findings_deinit(&findings);
    pthread_mutex_unlock(&gate);
    while (thread_count() > threads) // they use the configuration until they end
        (void)usleep(10000);
    assert_true(passed > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_place_that_will_be_made_is_tried_where_it_will_be, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_disk_that_does_not_answer_is_a_finding, setup,
                                        remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
