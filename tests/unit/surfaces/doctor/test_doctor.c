#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/disk/disk.h"
#include "streaming/declare/stream.h"
#include "surfaces/doctor/doctor.h"
#include "surfaces/doctor/doctor_checks.h"
#include "surfaces/program/command_line.h"
#include "surfaces/settings/config_load.h"

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
    enum exit_code code = command_line_load(&config, sizeof words / sizeof words[0], words, stderr);
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

static const struct doctor_result *find(const struct doctor_report *report, const char *what) {
    for (size_t i = 0; i < report->count; i++)
        if (strncmp(report->items[i].what, what, strlen(what)) == 0)
            return &report->items[i];
    fail_msg("nothing is said of %s", what);
    return NULL;
}

static void a_place_that_will_be_made_is_tried_where_it_will_be(void **state) {
    (void)state;
    struct doctor_report report = {0};
    assert_true(doctor_examine(&config, 20000, &report));
    const struct doctor_result *writable = find(&report, "writable");
    assert_int_equal(writable->verdict, VERDICT_OK);
    assert_non_null(strstr(writable->text, "it does not exist yet, and can be created in"));
    assert_int_equal(find(&report, "free space")->verdict, VERDICT_OK);
    assert_non_null(strstr(find(&report, "sync")->text, " ms for 4 KiB"));
    assert_int_equal(find(&report, "checkpoint match_stream")->verdict, VERDICT_OK);
    const struct doctor_result *topic = find(&report, "topic"); // nothing is captured there
    assert_int_equal(topic->verdict, VERDICT_FAIL);
    assert_int_equal(topic->code, EXIT_CODE_KAFKA);
    assert_non_null(topic->cure);
    doctor_report_deinit(&report);
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
    struct doctor_report report = {0};
    int threads = thread_count();
    hanging = disk_real;
    hanging.stat = hanging_stat;
    pthread_mutex_lock(&gate);
    disk = &hanging;
    assert_false(doctor_examine(&config, 2000, &report));
    const struct doctor_result *found = find(&report, "disk");
    assert_int_equal(found->verdict, VERDICT_FAIL);
    assert_string_equal(found->text, "no answer within 2000 ms");
    assert_non_null(strstr(found->cure, "does not respond"));
    assert_true(find(&report, "memory")->verdict != VERDICT_FAIL); // the others are reported
    assert_int_equal(passed, 0);
    doctor_report_deinit(&report);
    pthread_mutex_unlock(&gate);
    while (thread_count() > threads) // they use the configuration until they end
        (void)usleep(10000);
    assert_true(passed > 0);
}

/* What the check of the cluster says with this master, and Spark here. */
static struct doctor_report cluster_report(const char *master, const char *home) {
    char variable[160], *small[] = {variable, NULL};
    char *words[] = {"esports-stream", "doctor",    "--kafka-bootstrap-servers", "a:1",
                     "--spark-home",   (char *)home};
    (void)snprintf(variable, sizeof variable, "SPARK_MASTER_URL=%s", master);
    config_deinit(&config);
    first_environ = environ;
    environ = small;
    enum exit_code code = command_line_load(&config, sizeof words / sizeof words[0], words, stderr);
    environ = first_environ;
    assert_int_equal(code, EXIT_CODE_OK);
    struct doctor_report report = {0};
    doctor_check_cluster(&config, &report);
    return report;
}

/* A port of this machine that nobody else has while `fd` is open; `listens`: that takes
 * connections. */
static int take_port(int fd, bool listens) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    if (listens)
        assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static void of_a_cluster_the_distribution_and_the_address_are_tried(void **state) {
    (void)state;
    char master[96];
    int open = socket(AF_INET, SOCK_STREAM, 0), closed = socket(AF_INET, SOCK_STREAM, 0);
    int taken = take_port(open, true), refusing = take_port(closed, false);

    struct doctor_report report = cluster_report("local[1]", "/no/such/spark");
    assert_int_equal(report.count, 0);

    (void)snprintf(master, sizeof master, "spark://127.0.0.1:%d,127.0.0.1:%d", taken, refusing);
    report = cluster_report(master, "/no/such/spark");
    const struct doctor_result *spark = find(&report, "Spark");
    assert_int_equal(spark->verdict, VERDICT_FAIL);
    assert_int_equal(spark->code, EXIT_CODE_CLUSTER);
    assert_non_null(strstr(spark->text, "SPARK_HOME is '/no/such/spark'"));
    assert_int_equal(report.count, 3);
    assert_int_equal(report.items[1].verdict, VERDICT_OK);
    assert_int_equal(report.items[2].verdict, VERDICT_FAIL);
    assert_string_equal(report.items[2].text, "cannot connect: Connection refused");
    doctor_report_deinit(&report);

    (void)snprintf(master, sizeof master, "sc://127.0.0.1:%d/;token=geheim", taken);
    report = cluster_report(master, "/no/such/spark");
    assert_int_equal(report.count, 2);
    assert_int_equal(find(&report, "Spark Connect server 127.0.0.1:")->verdict, VERDICT_OK);
    const struct doctor_result *session = find(&report, "Spark Connect session"); // nobody answers
    assert_int_equal(session->verdict, VERDICT_FAIL);
    assert_null(strstr(session->text, "geheim"));
    doctor_report_deinit(&report);

    report = cluster_report("sc://no-such-host.invalid", "/no/such/spark");
    assert_non_null(strstr(find(&report, "Spark Connect")->text, "'no-such-host.invalid': "));
    doctor_report_deinit(&report);
    (void)close(open);
    (void)close(closed);
}

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_place_that_will_be_made_is_tried_where_it_will_be, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(of_a_cluster_the_distribution_and_the_address_are_tried,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_disk_that_does_not_answer_is_a_finding, setup,
                                        remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
