#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spark_tree.h"
#include "streaming/cluster/spark/spark_distribution.h"

#define CONNECTOR "jars/spark-sql-kafka-0-10_2.13-4.2.0.jar"

static struct spark_tree tree;
static struct spark_property properties[4];
static struct spark_server_options options;
static struct spark_distribution found;
static struct error err;

static int setup(void **state) {
    (void)state;
    spark_tree_init(&tree, "");
    options = (struct spark_server_options){
        .spark_home = tree.home, .master = "spark://a:7077", .properties = properties};
    return 0;
}

static int teardown(void **state) {
    (void)state;
    spark_tree_deinit(&tree);
    return 0;
}

static void set(const char *name, const char *value) {
    properties[options.property_count++] =
        (struct spark_property){(char *)name, (char *)value, false};
}

static bool examine(void) {
    err = (struct error){0};
    return spark_distribution_check(&options, &found, &err);
}

/* It must be refused with ERROR_CLUSTER and all of these words, ended by NULL. */
static void expect_refusal(const char *const *words) {
    if (examine())
        fail_msg("taken, but '%s' was expected", words[0]);
    assert_int_equal(err.kind, ERROR_CLUSTER);
    for (; *words != NULL; words++)
        if (strstr(err.message, *words) == NULL)
            fail_msg("no '%s' in: %s", *words, err.message);
}

#define REFUSED(...) expect_refusal((const char *const[]){__VA_ARGS__, NULL})

static void a_whole_distribution_will_do(void **state) {
    (void)state;
    if (!examine())
        fail_msg("%s", err.message);
    assert_string_equal(found.version, "4.2.0");
}

static void a_wrong_home_is_reported(void **state) {
    (void)state;
    options.spark_home = NULL;
    REFUSED("SPARK_HOME is not set", "spark://a:7077", "local[*]");
    options.spark_home = "/no/such/directory";
    REFUSED("'/no/such/directory': No such file or directory");
    char *file = spark_tree_path(&tree, "java/bin/java");
    options.spark_home = file;
    REFUSED(": Not a directory");
    options.spark_home = tree.home;
    assert_int_equal(chmod(spark_tree_path(&tree, "bin/spark-submit"), 0644), 0);
    REFUSED("bin/spark-submit is missing there or cannot be executed");
    spark_tree_remove_file(&tree, "bin/spark-submit");
    REFUSED("bin/spark-submit is missing there or cannot be executed");
}

static void another_version_is_named(void **state) {
    (void)state;
    spark_tree_remove_file(&tree, "jars/spark-core_2.13-4.2.0.jar");
    REFUSED("jars/spark-core_2.13-<version>.jar is missing");
    static const struct {
        const char *jar, *expected;
    } cases[] = {
        {"jars/spark-core_2.12-3.5.7.jar", "Spark 3.5.7 for Scala 2.12"},
        {"jars/spark-core_2.13-3.5.7.jar", "Spark 3.5.7 for Scala 2.13"},
        {"jars/spark-core_2.13-5.0.0-preview1.jar", "Spark 5.0.0-preview1 for"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        spark_tree_write(&tree, cases[i].jar, "", 0644);
        REFUSED(cases[i].expected, "this program needs Spark 4 for Scala 2.13");
        spark_tree_remove_file(&tree, cases[i].jar);
    }
}

static void spark_connect_is_in_the_jars_or_a_package(void **state) {
    (void)state;
    spark_tree_remove_file(&tree, "jars/spark-connect_2.13-4.2.0.jar");
    // The clients of the shell do not count as a server.
    spark_tree_write(&tree, "jars/connect-repl/spark-connect-client-jvm_2.13-4.2.0.jar", "", 0644);
    REFUSED("has no Spark Connect", "jars/spark-connect_2.13-4.2.0.jar is missing");
    set("spark.jars.packages", "org.apache.spark:spark-connect_2.13:4.2.0");
    assert_true(examine());
}

static void the_connector_is_found_wherever_it_may_be_named(void **state) {
    (void)state;
    static const char package[] = "a:b:1,org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0";
    static const char all[] = "spark-sql-kafka-0-10_2.13-4.2.0.jar";
    char text[512];
    spark_tree_remove_file(&tree, CONNECTOR);
    REFUSED("has no Kafka connector",
            "SPARK_CONF_spark_jars=/path/spark-sql-kafka-0-10_2.13-4.2.0"
            ".jar,…",
            "SPARK_CONF_spark_jars_packages=org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0");
    set("spark.jars.packages", package);
    assert_true(examine());

    options.property_count = 0;
    spark_tree_write(&tree, "more/spark-sql-kafka-0-10_2.13-4.2.0.jar", "", 0644);
    (void)snprintf(text, sizeof text, "file://%s/more/%s, hdfs://name/other.jar", tree.home, all);
    set("spark.jars", text);
    assert_true(examine());
    (void)snprintf(text, sizeof text, "%s/more/*.jar", tree.home); // Spark takes patterns
    assert_true(examine());

    options.property_count = 0;
    (void)snprintf(text, sizeof text, "/elsewhere:%s/more/*", tree.home);
    set("spark.driver.extraClassPath", text);
    assert_true(examine());

    options.property_count = 0;
    (void)snprintf(text, sizeof text, "# comment\nspark.jars   %s/more/%s  \n", tree.home, all);
    spark_tree_write(&tree, "conf/spark-defaults.conf", text, 0644);
    assert_true(examine());
    set("spark.jars", "hdfs://name/other.jar"); // wins over the file
    REFUSED("has no Kafka connector");
}

static void the_connector_may_be_in_a_jar_of_any_name(void **state) {
    (void)state;
    char text[512];
    spark_tree_remove_file(&tree, CONNECTOR);
    spark_tree_write(&tree, "more/ours.jar",
                     "PK..org/apache/spark/sql/kafka010/KafkaSourceProvider.class..", 0644);
    spark_tree_write(&tree, "more/empty.jar", "", 0644);
    (void)snprintf(text, sizeof text, "%s/more/ours.jar", tree.home);
    options.spark_home = tree.home;
    set("spark.jars", text);
    REFUSED("has no Kafka connector"); // below SPARK_HOME names are all that counts

    struct spark_tree other;
    spark_tree_init(&other, "");
    spark_tree_remove_file(&other, CONNECTOR);
    options.spark_home = other.home;
    bool ok = examine();
    options.spark_home = tree.home; // `other` ends here
    spark_tree_deinit(&other);
    assert_true(ok);
}

static void a_missing_jar_is_named(void **state) {
    (void)state;
    set("spark.jars", "/no/such/file.jar");
    REFUSED("spark.jars names '/no/such/file.jar', which does not exist");
}

static void a_connector_of_another_version_or_alone_is_refused(void **state) {
    (void)state;
    spark_tree_remove_file(&tree, CONNECTOR);
    spark_tree_write(&tree, "jars/spark-sql-kafka-0-10_2.13-4.0.1.jar", "", 0644);
    REFUSED("has version 4.0.1 for Scala 2.13", "is 4.2.0");
    spark_tree_remove_file(&tree, "jars/spark-sql-kafka-0-10_2.13-4.0.1.jar");
    spark_tree_write(&tree, "jars/spark-sql-kafka-0-10_2.12-4.2.0.jar", "", 0644);
    REFUSED("has version 4.2.0 for Scala 2.12");
    spark_tree_remove_file(&tree, "jars/spark-sql-kafka-0-10_2.12-4.2.0.jar");
    spark_tree_write(&tree, "jars/spark-sql-kafka-0-10_2.13-4.2.1.jar", "", 0644);
    assert_true(examine()); // releases of one line go together
    spark_tree_remove_file(&tree, "jars/kafka-clients-3.9.2.jar");
    REFUSED("needs kafka-clients, which is missing");
    set("spark.jars.packages", "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.1");
    assert_true(examine()); // which brings it along
}

static void java_is_looked_for_as_spark_does(void **state) {
    (void)state;
    const char *before = getenv("PATH");
    char *path = strdup(before != NULL ? before : "");
    assert_int_equal(setenv("JAVA_HOME", "/no/such/java", 1), 0);
    REFUSED("JAVA_HOME is '/no/such/java'", "Java 17 or 21");
    assert_int_equal(unsetenv("JAVA_HOME"), 0);
    assert_int_equal(setenv("PATH", "/no/such:/directory", 1), 0);
    REFUSED("Spark needs Java", "PATH");
    assert_int_equal(setenv("PATH", spark_tree_path(&tree, "java/bin"), 1), 0);
    bool in_path = examine();
    assert_int_equal(setenv("PATH", "/no/such:/directory", 1), 0);
    spark_tree_write(&tree, "conf/spark-env.sh", "JAVA_HOME=/somewhere\n", 0644);
    bool by_script = examine();
    assert_int_equal(setenv("PATH", path, 1), 0);
    free(path);
    assert_true(in_path);
    assert_true(by_script);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        FACT(a_whole_distribution_will_do),
        FACT(a_wrong_home_is_reported),
        FACT(another_version_is_named),
        FACT(spark_connect_is_in_the_jars_or_a_package),
        FACT(the_connector_is_found_wherever_it_may_be_named),
        FACT(the_connector_may_be_in_a_jar_of_any_name),
        FACT(a_missing_jar_is_named),
        FACT(a_connector_of_another_version_or_alone_is_refused),
        FACT(java_is_looked_for_as_spark_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
