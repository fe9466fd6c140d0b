#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "streaming/cluster/spark/spark_log.h"

static struct spark_log told;

static void tell(const char *text) {
    struct spark_line line;
    spark_line_parse(text, strlen(text), &line);
    spark_log_take(&told, &line);
}

static const char *reason(void) {
    static char text[SPARK_REASON_MAX];
    spark_log_reason(&told, text);
    return text;
}

static int setup(void **state) {
    (void)state;
    told = (struct spark_log){.master_count = 1};
    return 0;
}

#define AT "26/11/25 18:21:45 "
#define LISTENS AT "INFO SparkConnectServer: Spark Connect server started at: 127.0.0.1:40253"
#define ACCEPTED AT "INFO StandaloneSchedulerBackend: Connected to Spark cluster with app ID app-1"
#define FAILED AT "WARN StandaloneAppClient$ClientEndpoint: Failed to connect to master "

static void each_line_has_our_level_and_its_logger(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum log_level level;
        const char *logger, *message;
    } cases[] = {
        {LISTENS, LOG_DEBUG, "SparkConnectServer",
         "Spark Connect server started at: 127.0.0.1:40253"},
        {AT "WARN Utils: a: b", LOG_WARNING, "Utils", "a: b"},
        {AT "ERROR TaskSchedulerImpl: Lost executor 0", LOG_ERROR, "TaskSchedulerImpl",
         "Lost executor 0"},
        {AT "ERROR without a colon", LOG_ERROR, "", "without a colon"},
        {AT "NOTICE X: y", LOG_DEBUG, "", AT "NOTICE X: y"},
        {"\tat org.apache.spark.X(X.scala:1)", LOG_DEBUG, "", "\tat org.apache.spark.X(X.scala:1)"},
        {"Caused by: java.lang.X: ERROR", LOG_DEBUG, "", "Caused by: java.lang.X: ERROR"},
        {"Exception in thread \"main\" x.Y: z", LOG_ERROR, "",
         "Exception in thread \"main\" x.Y: z"},
        {"Error: Failed to load class x.", LOG_ERROR, "", "Error: Failed to load class x."},
        {"java.lang.OutOfMemoryError: Java heap space", LOG_ERROR, "",
         "java.lang.OutOfMemoryError: Java heap space"},
        {"WARNING: Using incubator modules", LOG_DEBUG, "", "WARNING: Using incubator modules"},
        {"26/11/25 18:21:4", LOG_DEBUG, "", "26/11/25 18:21:4"},
        {"26/11/25 18:21:45 ", LOG_DEBUG, "", "26/11/25 18:21:45 "},
        {"", LOG_DEBUG, "", ""},
        {"\xff\xfe\x01", LOG_DEBUG, "", "\xff\xfe\x01"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct spark_line line;
        spark_line_parse(cases[i].text, strlen(cases[i].text), &line);
        assert_int_equal(line.level, cases[i].level);
        assert_int_equal(line.logger.length, strlen(cases[i].logger));
        assert_memory_equal(line.logger.bytes, cases[i].logger, line.logger.length);
        assert_int_equal(line.message.length, strlen(cases[i].message));
        assert_memory_equal(line.message.bytes, cases[i].message, line.message.length);
    }
}

static void it_is_up_when_it_listens(void **state) {
    (void)state;
    assert_false(spark_log_is_up(&told));
    tell(LISTENS);
    assert_true(spark_log_is_up(&told));
    assert_int_equal(told.port, 40253);
}

static void on_a_standalone_cluster_its_master_must_have_accepted_it(void **state) {
    (void)state;
    told.is_standalone = true;
    tell(LISTENS);
    assert_false(spark_log_is_up(&told));
    tell(ACCEPTED);
    assert_true(spark_log_is_up(&told));
}

static void an_invalid_address_has_no_port(void **state) {
    (void)state;
    tell(AT "INFO SparkConnectServer: Spark Connect server started at: ");
    tell(AT "INFO SparkConnectServer: Spark Connect server started at: host");
    tell(AT "INFO SparkConnectServer: Spark Connect server started at: host:port");
    tell(AT "INFO SparkConnectServer: Spark Connect server started at: host:402539");
    tell(AT "INFO SparkConnectServer: Spark Connect server started at: host:-1");
    assert_false(spark_log_is_up(&told));
}

static void it_is_refused_when_no_master_can_be_connected_to(void **state) {
    (void)state;
    told.is_standalone = true;
    told.master_count = 2;
    tell(FAILED "a:7077");
    tell(FAILED "a:7077"); // once more
    assert_false(spark_log_is_refused(&told));
    tell(FAILED "b:7077");
    assert_true(spark_log_is_refused(&told));
    tell(ACCEPTED);
    assert_false(spark_log_is_refused(&told));
}

#define RETRIES AT "INFO Client: Retrying connect to server: rm/127.0.0.1:8032. Already tried "

static void yarn_is_refused_after_a_few_attempts(void **state) {
    (void)state;
    tell(RETRIES "4 time(s); retry policy is X"); // of HDFS, on another cluster
    assert_false(spark_log_is_refused(&told));
    told.is_yarn = true;
    tell(RETRIES "0 time(s); retry policy is X");
    tell(RETRIES "3 time(s); retry policy is X");
    assert_false(spark_log_is_refused(&told));
    tell(RETRIES "4 time(s); retry policy is X");
    assert_true(spark_log_is_refused(&told));
    assert_string_equal(told.failed[0], "rm/127.0.0.1:8032");
    assert_non_null(strstr(reason(), "Retrying connect to server: rm/127.0.0.1:8032. Already"));
    setup(NULL);
    told.is_yarn = true;
    tell(LISTENS);
    tell(RETRIES "4 time(s); retry policy is X"); // it will be back
    assert_false(spark_log_is_refused(&told));
    assert_string_equal(told.trouble, "");
}

static void the_reason_is_the_first_trouble_and_what_has_caused_it(void **state) {
    (void)state;
    assert_string_equal(reason(), "");
    tell("/opt/spark/bin/spark-class: line 71: /java: No such file or directory");
    assert_string_equal(reason(),
                        "/opt/spark/bin/spark-class: line 71: /java: No such file or directory");
    tell(FAILED "a:7077");
    tell("org.apache.spark.SparkException: Exception thrown in awaitResult:");
    tell("\tat java.base/java.lang.Thread.run(Thread.java:840)");
    tell("Caused by: java.io.IOException: Failed to connect to a:7077");
    tell("Caused by: java.net.ConnectException: Connection refused");
    tell("\tat java.base/java.lang.Thread.run(Thread.java:840)");
    tell(AT "INFO X: other things");
    tell("Caused by: of other things");
    tell(AT "ERROR SparkContext: Error initializing SparkContext.");
    tell("Caused by: a consequence");
    assert_string_equal(reason(), "Failed to connect to master a:7077: java.net.ConnectException: "
                                  "Connection refused");
    setup(NULL);
    tell(AT "ERROR SparkContext: Error initializing SparkContext.");
    tell("java.lang.IllegalArgumentException: spark.x should be int");
    tell("\tat java.base/java.lang.Thread.run(Thread.java:840)");
    tell("and on");
    assert_string_equal(reason(), "Error initializing SparkContext.: "
                                  "java.lang.IllegalArgumentException: spark.x should be int");
}

static void what_did_not_keep_it_from_starting_is_forgotten(void **state) {
    (void)state;
    told.is_standalone = true;
    told.master_count = 2;
    tell(FAILED "a:7077");
    tell(ACCEPTED);
    assert_string_equal(reason(), "Connected to Spark cluster with app ID app-1");
    tell(AT "ERROR X: not that bad");
    tell(LISTENS);
    tell(AT "ERROR A: first");
    tell("Caused by: the first's");
    tell(AT "ERROR B: newest");
    assert_string_equal(reason(), "newest");
    tell("Caused by: the newest's");
    assert_string_equal(reason(), "newest: the newest's");
}

static void its_application_can_be_ended_by_the_master(void **state) {
    (void)state;
    tell(LISTENS);
    assert_false(told.given_up);
    tell(AT "ERROR StandaloneSchedulerBackend: Application has been killed. Reason: Master removed "
            "our application: KILLED");
    assert_true(told.given_up);
    assert_non_null(strstr(reason(), "Master removed our application"));
    setup(NULL);
    tell(AT "INFO SparkContext: Successfully stopped SparkContext (Uptime: 42992 ms)");
    assert_true(told.given_up);
}

static void long_and_odd_lines_are_kept_within_bounds(void **state) {
    (void)state;
    char text[4096];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(text, AT "ERROR X: \x01\x1b[1m", sizeof(AT "ERROR X: \x01\x1b[1m") - 1);
    tell(text);
    assert_true(strlen(reason()) < SPARK_REASON_MAX);
    assert_null(strchr(reason(), '\x1b'));
    for (int i = 0; i < 100; i++) {
        (void)snprintf(text, sizeof text, FAILED "host-%d-%0200d:7077", i, 0);
        tell(text);
    }
    assert_true(told.failed_count <= SPARK_MASTERS_MAX);
}

#define FACT(name) cmocka_unit_test_setup(name, setup)

int main(void) {
    const struct CMUnitTest tests[] = {
        FACT(each_line_has_our_level_and_its_logger),
        FACT(it_is_up_when_it_listens),
        FACT(on_a_standalone_cluster_its_master_must_have_accepted_it),
        FACT(an_invalid_address_has_no_port),
        FACT(it_is_refused_when_no_master_can_be_connected_to),
        FACT(yarn_is_refused_after_a_few_attempts),
        FACT(the_reason_is_the_first_trouble_and_what_has_caused_it),
        FACT(what_did_not_keep_it_from_starting_is_forgotten),
        FACT(its_application_can_be_ended_by_the_master),
        FACT(long_and_odd_lines_are_kept_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
