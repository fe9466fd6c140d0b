#include "streaming/cluster/spark/spark_distribution.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/scope.h"
#include "streaming/cluster/spark/spark_defaults.h"

static const char connector[] = "spark-sql-kafka-0-10";
static const char connector_class[] = "org/apache/spark/sql/kafka010/KafkaSourceProvider.class";

static bool is_directory(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool can_execute(const char *directory, const char *name) {
    scoped(scope_free) char *path = NULL;
    struct stat status;
    check(asprintf(&path, "%s/%s", directory, name) >= 0);
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static bool check_home(const struct spark_server_options *options, struct error *err) {
    const char *home = options->spark_home;
    if (home == NULL)
        return error_set(err, ERROR_CLUSTER,
                         "SPARK_MASTER_URL is '%s', and SPARK_HOME is not set: set it to a Spark 4 "
                         "distribution, the directory that has bin/spark-submit in it; or set "
                         "SPARK_MASTER_URL=local[*], for which no Spark is needed",
                         options->master);
    if (!is_directory(home))
        return error_set(err, ERROR_CLUSTER,
                         "SPARK_HOME is '%s': %s; set it to a Spark 4 distribution, the directory "
                         "that has bin/spark-submit in it",
                         home, strerror(access(home, F_OK) == 0 ? ENOTDIR : errno));
    if (!can_execute(home, "bin/spark-submit"))
        return error_set(err, ERROR_CLUSTER,
                         "SPARK_HOME is '%s', where bin/spark-submit is missing or can't be "
                         "executed; set it to a Spark 4 distribution (of a pip installation: the "
                         "directory pyspark in site-packages)",
                         home);
    return true;
}

/* Spark's version, by the jar of its core, the same for all that Spark calls its own. */
static bool check_version(const struct spark_server_options *options, const struct spark_jars *jars,
                          struct spark_distribution *found, struct error *err) {
    struct spark_jar core;
    if (!spark_jars_has(jars, "spark-core", &core))
        return error_set(err, ERROR_CLUSTER,
                         "SPARK_HOME is '%s', where jars/spark-core_2.13-<version>.jar is missing: "
                         "set it to a whole Spark 4 distribution",
                         options->spark_home);
    memcpy(found->version, core.version, sizeof found->version);
    if (strncmp(core.version, "4.", 2) != 0 || strcmp(core.scala, "2.13") != 0)
        return error_set(err, ERROR_CLUSTER,
                         "SPARK_HOME is '%s', which is Spark %s for Scala %s: Spark 4 for Scala "
                         "2.13 is needed, whose Spark Connect this program speaks; set SPARK_HOME "
                         "to such a distribution",
                         options->spark_home, core.version, core.scala);
    return true;
}

/* "4.2" of "4.2.0". */
static size_t release_size(const char *version) {
    size_t size = strcspn(version, ".");
    return version[size] == '.' ? size + 1 + strcspn(version + size + 1, ".-") : size;
}

static bool is_same_release(const struct spark_jar *jar, const char *version) {
    size_t size = release_size(version);
    return strcmp(jar->scala, "2.13") == 0 && release_size(jar->version) == size &&
           strncmp(jar->version, version, size) == 0;
}

static bool check_connect(const struct spark_server_options *options, const struct spark_jars *jars,
                          const char *version, struct error *err) {
    struct spark_jar jar;
    if (spark_jars_has(jars, "spark-connect", &jar) && is_same_release(&jar, version))
        return true;
    return error_set(err, ERROR_CLUSTER,
                     "the Spark %s in '%s' has no Spark Connect, by which it is driven: "
                     "jars/spark-connect_2.13-%s.jar is missing; take the distribution of "
                     "spark.apache.org, or set SPARK_CONF_spark_jars_packages="
                     "org.apache.spark:spark-connect_2.13:%s",
                     version, options->spark_home, version, version);
}

/* What the connector can't do without, unless a package brings it along. */
static bool check_companions(const struct spark_jars *jars, const char *version,
                             struct error *err) {
    struct spark_jar jar;
    const char *missing = NULL;
    if (!spark_jars_has(jars, "spark-token-provider-kafka-0-10", &jar))
        missing = "spark-token-provider-kafka-0-10_2.13";
    else if (!spark_jars_has_plain(jars, "kafka-clients"))
        missing = "kafka-clients";
    else if (!spark_jars_has_plain(jars, "commons-pool2"))
        missing = "commons-pool2";
    if (missing == NULL)
        return true;
    return error_set(err, ERROR_CLUSTER,
                     "Spark's Kafka connector is there without %s, which it needs: name its jar in "
                     "SPARK_CONF_spark_jars, too, or set only SPARK_CONF_spark_jars_packages="
                     "org.apache.spark:%s_2.13:%s, with which Spark fetches all of them",
                     missing, connector, version);
}

static bool check_connector(const struct spark_server_options *options,
                            const struct spark_jars *jars, const char *version, struct error *err) {
    struct spark_jar jar;
    if (spark_jars_has(jars, connector, &jar)) {
        if (is_same_release(&jar, version))
            return strstr(jars->packages, connector) != NULL ||
                   check_companions(jars, version, err);
        return error_set(err, ERROR_CLUSTER,
                         "Spark's Kafka connector is of version %s for Scala %s, but the Spark in "
                         "'%s' is %s: take %s_2.13-%s.jar",
                         jar.version, jar.scala, options->spark_home, version, connector, version);
    }
    if (spark_jars_hold(jars, options->spark_home, connector_class))
        return true; // with all that it needs: a jar of somebody's own making
    return error_set(
        err, ERROR_CLUSTER,
        "the Spark %s in '%s' has no Kafka connector, which is no part of its "
        "distribution: set SPARK_CONF_spark_jars_packages=org.apache.spark:%s_2.13:%s, "
        "with which Spark fetches it from Maven Central, or SPARK_CONF_spark_jars="
        "/path/%s_2.13-%s.jar,… with the jars that it needs: "
        "spark-token-provider-kafka-0-10_2.13, kafka-clients, commons-pool2",
        version, options->spark_home, connector, version, connector, version);
}

/* Whether spark-env.sh is there, which may set JAVA_HOME. */
static bool has_environment_script(const char *home) {
    scoped(scope_free) char *path = spark_defaults_path(home, "spark-env.sh");
    return access(path, R_OK) == 0;
}

static bool is_in_path(const char *name) {
    const char *path = getenv("PATH");
    char *list = strdup(path != NULL ? path : "");
    bool found = false;
    check(list != NULL);
    for (char *rest = list, *directory; !found && (directory = strsep(&rest, ":")) != NULL;)
        found = *directory != '\0' && can_execute(directory, name);
    free(list);
    return found;
}

static bool check_java(const struct spark_server_options *options, struct error *err) {
    const char *java = getenv("JAVA_HOME");
    bool set = java != NULL && *java != '\0';
    if (set ? can_execute(java, "bin/java") : is_in_path("java"))
        return true;
    if (has_environment_script(options->spark_home))
        return true;
    if (set)
        return error_set(err, ERROR_CLUSTER,
                         "JAVA_HOME is '%s', where bin/java is missing or can't be executed; Spark "
                         "4 needs Java 17 or 21",
                         java);
    return error_set(err, ERROR_CLUSTER,
                     "there is no Java for Spark: JAVA_HOME is not set, and PATH has no java; "
                     "install Java 17 or 21, or set JAVA_HOME");
}

bool spark_distribution_check(const struct spark_server_options *options,
                              struct spark_distribution *found, struct error *err) {
    struct spark_jars jars;
    *found = (struct spark_distribution){0};
    if (!check_home(options, err) || !spark_jars_find(options, &jars, err))
        return false;
    bool ok = check_version(options, &jars, found, err) &&
              check_connect(options, &jars, found->version, err) &&
              check_connector(options, &jars, found->version, err) && check_java(options, err);
    spark_jars_deinit(&jars);
    return ok;
}
