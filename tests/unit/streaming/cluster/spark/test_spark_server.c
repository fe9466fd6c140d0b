#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/disk/file.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "spark_tree.h"
#include "streaming/cluster/spark/spark_server.h"

enum { PATIENT_MS = 60000 };

static struct spark_tree tree;
static struct spark_server_options options;
static struct spark_server *server;
static struct stop stop;
static struct error err;
static int log_fd;

#define AT "echo '26/11/25 18:21:45 "
#define LISTENS AT "INFO SparkConnectServer: Spark Connect server started at: 127.0.0.1:40253'\n"
#define ACCEPTED AT "INFO StandaloneSchedulerBackend: Connected to Spark cluster with app ID a'\n"
#define FAILED AT "WARN StandaloneAppClient$ClientEndpoint: Failed to connect to master "
#define STAYS "exec sleep 60\n"

/* What the server's bin/spark-submit is. */
static void submit(const char *script) {
    char text[4096];
    (void)snprintf(text, sizeof text, "#!/bin/bash\ncd \"$SPARK_HOME\"\n%s", script);
    spark_tree_write(&tree, "bin/spark-submit", text, 0755);
}

static int setup(void **state) {
    (void)state;
    spark_tree_init(&tree, "");
    options = (struct spark_server_options){.spark_home = tree.home,
                                            .master = "local-cluster[1,1,1024]",
                                            .driver_memory = 512 << 20,
                                            .executor_memory = 1 << 30,
                                            .shuffle_partitions = 7,
                                            .timeout_ms = PATIENT_MS};
    assert_int_equal(setenv("TMPDIR", tree.home, 1), 0);
    log_fd = open(spark_tree_path(&tree, "log"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(log_fd >= 0);
    log_output_set(log_fd);
    err = (struct error){0};
    return 0;
}

static int teardown(void **state) {
    (void)state;
    spark_server_stop(server, 0);
    server = NULL;
    log_output_set(STDOUT_FILENO);
    (void)close(log_fd);
    spark_tree_deinit(&tree);
    return 0;
}

static bool start(void) {
    return spark_server_start(&options, &server, &err);
}

/* The whole of a small file below the tree; borrowed until the fourth next call. */
static const char *text_of(const char *name) {
    static char texts[4][8192];
    static int next;
    char *text = texts[next++ % 4];
    FILE *file = fopen(spark_tree_path(&tree, name), "r");
    if (file == NULL)
        fail_msg("there is no %s", name);
    text[fread(text, 1, sizeof texts[0] - 1, file)] = '\0';
    (void)fclose(file);
    return text;
}

static void expect_failure(enum error_kind kind, const char *words) {
    if (start())
        fail_msg("it is up");
    if (err.kind != kind || strstr(err.message, words) == NULL)
        fail_msg("no '%s' in kind %d: %s", words, (int)err.kind, err.message);
}

/* Whether any process of the group runs; those that nobody has reaped yet don't. */
static bool group_runs(int group) {
    char command[128];
    (void)snprintf(command, sizeof command, "ps -eo pgid=,stat= | grep -q '^ *%d [^Z]'", group);
    return system(command) == 0; // NOLINT(cert-env33-c): a text of our own
}

static bool soon(bool (*condition)(int), int argument, bool wanted) {
    for (int i = 0; i < 500; i++) {
        if (condition(argument) == wanted)
            return true;
        (void)usleep(10000);
    }
    return false;
}

static void it_is_started_so_that_nothing_secret_can_be_seen(void **state) {
    (void)state;
    struct spark_property properties[] = {
        {"spark.hadoop.fs.s3a.secret.key", "geheim \\=\n:", true},
        {"spark.ui.enabled", "true", false},
        {"spark.driver.extraJavaOptions", "-Dx=y", false},
    };
    options.properties = properties;
    options.property_count = sizeof properties / sizeof properties[0];
    assert_int_equal(setenv("SPARK_REMOTE", "sc://elsewhere", 1), 0);
    assert_int_equal(setenv("HADOOP_CONF_DIR", "/etc/hadoop", 1), 0);
    submit("printf '%s\\n' \"$@\" > arguments\n"
           "env > variables\n"
           "cp $8 properties; stat -c %a $8 $(dirname $8) > modes\n" LISTENS STAYS);
    bool ok = start();
    assert_int_equal(unsetenv("SPARK_REMOTE"), 0);
    assert_int_equal(unsetenv("HADOOP_CONF_DIR"), 0);
    if (!ok)
        fail_msg("%s", err.message);

    const struct connect_url *url = spark_server_url(server);
    assert_string_equal(url->host, "127.0.0.1");
    assert_int_equal(url->port, 40253);
    assert_int_equal(strlen(url->token), 64);
    assert_null(strstr(text_of("arguments"), "geheim"));
    assert_null(strstr(text_of("arguments"), url->token));
    assert_non_null(strstr(text_of("arguments"), "--master\nlocal-cluster[1,1,1024]\n"));
    assert_non_null(strstr(text_of("variables"), url->token));
    assert_non_null(strstr(text_of("variables"), "HADOOP_CONF_DIR=/etc/hadoop\n"));
    assert_null(strstr(text_of("variables"), "SPARK_REMOTE"));
    assert_non_null(strstr(text_of("variables"), "LC_ALL="));
    assert_string_equal(text_of("modes"), "600\n700\n");
    const char *given = text_of("properties");
    assert_non_null(strstr(given, "spark.driver.memory=512m\nspark.executor.memory=1024m\n"
                                  "spark.sql.shuffle.partitions=7\n"));
    assert_non_null(strstr(given, "spark.hadoop.fs.s3a.secret.key=geheim \\\\=\\n:\n"));
    assert_true(strstr(given, "spark.ui.enabled=true") > strstr(given, "spark.ui.enabled=false"));
    assert_non_null(strstr(given, "spark.connect.grpc.binding.address=127.0.0.1\n"));
    assert_non_null(strstr(given, "spark.driver.extraJavaOptions=-Dx=y \"-Dlog4j2.configuration"));
    assert_null(strstr(text_of("log"), url->token));
    assert_null(strstr(text_of("log"), "geheim"));
    // Its properties are gone.
    assert_int_not_equal(system("test -e \"$TMPDIR\"/esports-stream-spark-*"), 0); // NOLINT
}

static void it_has_the_signals_of_a_new_process_and_a_group_of_its_own(void **state) {
    (void)state;
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGUSR1);
    assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, &before), 0);
    (void)signal(SIGPIPE, SIG_IGN);
    // Except 32 and 33, which are the C library's own and can't be set.
    submit("for set in SigBlk SigIgn; do\n"
           "  bits=$(sed -n s/$set:.//p /proc/self/status)\n"
           "  echo $set $((0x$bits & ~0x180000000))\n"
           "done > signals\n"
           // No pipe: while bash starts one, it holds the pipe's ends itself.
           "ls /proc/$$/fd > descriptors\n"
           "readlink /proc/$$/fd/0 > input\n" LISTENS STAYS);
    bool ok = start();
    (void)signal(SIGPIPE, SIG_DFL);
    assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
    if (!ok)
        fail_msg("%s", err.message);
    assert_string_equal(text_of("signals"), "SigBlk 0\nSigIgn 0\n");
    assert_string_equal(text_of("descriptors"), "0\n1\n2\n255\n"); // the last one is bash's own
    assert_string_equal(text_of("input"), "/dev/null\n");
    assert_int_equal(getpgid(spark_server_pid(server)), spark_server_pid(server));
}

static void its_lines_are_ours(void **state) {
    (void)state;
    submit(AT "WARN Utils: look | at=this'\n" AT
              "INFO Utils: of no interest'\necho '\tat x.Y'\nprintf '\\0\\377\\n\\n\\n'\n"
              "head -c 100000 /dev/zero | tr '\\0' 'x'; echo\n" LISTENS
              "echo 'Error: the last, without an end' | tr -d '\\n'; exit 1\n");
    assert_true(start());
    while (!spark_server_has_ended(server, &err))
        (void)usleep(10000);
    spark_server_stop(server, 0);
    server = NULL;
    const char *log = text_of("log");
    assert_non_null(strstr(log, " | spark | WARNING | Utils: look | at=this\n"));
    assert_null(strstr(log, "of no interest"));
    assert_non_null(strstr(log, " | spark | ERROR | Error: the last, without an end\n"));
}

static void a_start_that_ends_is_reported_with_its_reason(void **state) {
    (void)state;
    submit("echo 'Exception in thread \"main\" org.apache.spark.SparkException: no room'\n"
           "echo '\tat x.Y'\necho 'Caused by: java.io.IOException: really none'\nexit 3\n");
    expect_failure(ERROR_CLUSTER,
                   "Spark on 'local-cluster[1,1,1024]' ended with exit code 3 before "
                   "it was ready: Exception in thread \"main\" "
                   "org.apache.spark.SparkException: no room: "
                   "java.io.IOException: really none");
    submit("kill -9 $$\n");
    expect_failure(ERROR_CLUSTER, "was killed by signal 9 (KILL), possibly by the kernel");
    spark_tree_write(&tree, "bin/spark-submit", "#!/no/such/shell\n", 0755);
    expect_failure(ERROR_CLUSTER, "bin/spark-submit cannot be executed");
}

static void a_start_that_does_not_get_up_is_given_up(void **state) {
    (void)state;
    options.timeout_ms = 300;
    submit("echo $$ > pid\necho 'still thinking'\n" STAYS);
    expect_failure(ERROR_CLUSTER, "was not ready within 0 seconds (it is not listening); its last "
                                  "log line: 'still thinking'");
    assert_true(soon(group_runs, (int)strtol(text_of("pid"), NULL, 10), false));
}

static void a_missing_master_is_reported_at_once(void **state) {
    (void)state;
    int64_t began_ms = clock_monotonic_ms();
    options.master = "spark://127.0.0.1:1";
    submit(FAILED "127.0.0.1:1'\nsleep 0.1\necho 'Caused by: java.net.ConnectException: Connection "
                  "refused'\n" STAYS);
    expect_failure(ERROR_CLUSTER, "cannot reach Spark's master 'spark://127.0.0.1:1' "
                                  "(SPARK_MASTER_URL): Failed to connect to master 127.0.0.1:1: "
                                  "java.net.ConnectException: Connection refused");
    assert_true(clock_monotonic_ms() - began_ms < PATIENT_MS / 2);
}

static void one_master_of_several_may_be_away(void **state) {
    (void)state;
    options.master = "spark://127.0.0.1:1,127.0.0.1:2";
    submit(FAILED "127.0.0.1:1'\nsleep 1\n" LISTENS "sleep 0.3\n" ACCEPTED STAYS);
    int64_t began_ms = clock_monotonic_ms();
    if (!start())
        fail_msg("%s", err.message);
    assert_true(clock_monotonic_ms() - began_ms >= 1300); // it waited until it was accepted
}

static void *ask_to_stop(void *nothing) {
    (void)usleep(300000);
    stop_request(&stop, STOP_AFTER_BATCH);
    return nothing;
}

static void a_stop_is_heard_while_it_starts(void **state) {
    (void)state;
    stop_init(&stop);
    options.stop = &stop;
    submit("echo $$ > pid\n" STAYS);
    pthread_t asker;
    assert_int_equal(pthread_create(&asker, NULL, ask_to_stop, NULL), 0);
    expect_failure(ERROR_STOPPED, "Spark was starting");
    assert_int_equal(pthread_join(asker, NULL), 0);
    stop_deinit(&stop);
    assert_true(soon(group_runs, (int)strtol(text_of("pid"), NULL, 10), false));
}

static void an_end_by_itself_is_reported_with_its_last_error(void **state) {
    (void)state;
    submit(LISTENS "sleep 0.3\n" AT "ERROR TaskSchedulerImpl: Lost executor 0'\nexit 52\n");
    assert_true(start());
    assert_false(spark_server_has_ended(server, &err));
    while (!spark_server_has_ended(server, &err))
        (void)usleep(10000);
    assert_int_equal(err.kind, ERROR_CLUSTER);
    assert_non_null(strstr(err.message, "ended with exit code 52: Lost executor 0"));
}

static void an_application_that_the_master_ended_is_an_end(void **state) {
    (void)state;
    submit(LISTENS "sleep 0.3\n" AT
                   "ERROR StandaloneSchedulerBackend: Application has been killed. "
                   "Reason: by hand'\n" STAYS);
    assert_true(start());
    assert_false(spark_server_has_ended(server, &err));
    while (!spark_server_has_ended(server, &err))
        (void)usleep(10000);
    assert_non_null(strstr(err.message, "stopped its application: Application has been killed. "
                                        "Reason: by hand"));
}

static void what_does_not_end_is_killed_with_all_that_it_has_started(void **state) {
    (void)state;
    submit("trap '' TERM\nsleep 60 &\n" LISTENS "while :; do sleep 60; done\n");
    assert_true(start());
    int pid = spark_server_pid(server);
    assert_true(group_runs(pid));
    int64_t began_ms = clock_monotonic_ms();
    spark_server_stop(server, 300);
    server = NULL;
    assert_true(clock_monotonic_ms() - began_ms >= 300);
    assert_true(soon(group_runs, pid, false));
}

static void what_ends_as_asked_is_not_waited_for_longer(void **state) {
    (void)state;
    submit("sleep 60 &\ntrap 'echo bye; exit 143' TERM\n" LISTENS "while :; do sleep 0.05; done\n");
    assert_true(start());
    int pid = spark_server_pid(server);
    int64_t began_ms = clock_monotonic_ms();
    spark_server_stop(server, PATIENT_MS);
    server = NULL;
    assert_true(clock_monotonic_ms() - began_ms < PATIENT_MS / 2);
    assert_true(soon(group_runs, pid, false)); // what it has left behind, too
}

/* In a process of its own, which is killed. */
static void start_and_tell(int to) {
    if (start()) {
        int pid = spark_server_pid(server);
        (void)!write(to, &pid, sizeof pid);
        for (;;)
            (void)pause();
    }
    _exit(1);
}

static void it_does_not_outlive_us(void **state) {
    (void)state;
    int ends[2], pid = 0;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    submit(LISTENS STAYS);
    pid_t other = fork();
    if (other == 0)
        start_and_tell(ends[1]);
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &pid, sizeof pid), sizeof pid);
    (void)close(ends[0]);
    assert_true(group_runs(pid));
    assert_int_equal(kill(other, SIGKILL), 0);
    assert_int_equal(waitpid(other, NULL, 0), other);
    assert_true(soon(group_runs, pid, false));
}

static void what_is_missing_is_reported_before_anything_is_started(void **state) {
    (void)state;
    submit("touch started\n");
    options.spark_home = NULL;
    expect_failure(ERROR_CLUSTER, "SPARK_HOME is not set");
    assert_false(spark_server_check(&options, &err));
    options.spark_home = tree.home;
    assert_true(spark_server_check(&options, &err));
    assert_int_equal(setenv("TMPDIR", "/no/such/directory", 1), 0);
    expect_failure(ERROR_CLUSTER, "TMPDIR");
    assert_int_not_equal(access(spark_tree_path(&tree, "started"), F_OK), 0);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        FACT(it_is_started_so_that_nothing_secret_can_be_seen),
        FACT(it_has_the_signals_of_a_new_process_and_a_group_of_its_own),
        FACT(its_lines_are_ours),
        FACT(a_start_that_ends_is_reported_with_its_reason),
        FACT(a_start_that_does_not_get_up_is_given_up),
        FACT(a_missing_master_is_reported_at_once),
        FACT(one_master_of_several_may_be_away),
        FACT(a_stop_is_heard_while_it_starts),
        FACT(an_end_by_itself_is_reported_with_its_last_error),
        FACT(an_application_that_the_master_ended_is_an_end),
        FACT(what_does_not_end_is_killed_with_all_that_it_has_started),
        FACT(what_ends_as_asked_is_not_waited_for_longer),
        FACT(it_does_not_outlive_us),
        FACT(what_is_missing_is_reported_before_anything_is_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
