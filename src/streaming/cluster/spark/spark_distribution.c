/* spark_distribution.c: a check in two steps: collect the jars that a driver would have, by name
 * (those in SPARK_HOME/jars, on the driver's class path, in spark.jars; and what
 * spark.jars.packages names, which Spark fetches itself), then ask of them what the program needs.
 *
 * The first thing that is missing is the error. No jar of the distribution is opened; a jar of the
 * user's is only searched for the connector's class if no name tells that it is there. */
#include "streaming/cluster/spark/spark_distribution.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/text.h"

static const char connector[] = "spark-sql-kafka-0-10";
static const char connector_class[] = "org/apache/spark/sql/kafka010/KafkaSourceProvider.class";

/* The jars that a driver will have. */
struct spark_jars {
    char **paths; // owned; of files, or whole URLs where the file is elsewhere
    size_t count;
    char *packages; // owned; spark.jars.packages, "group:artifact:version,…"; "" if it is not set
};

enum { SCALA_MAX = 8 };

struct spark_jar {
    char scala[SCALA_MAX];           // "2.13"
    char version[SPARK_VERSION_MAX]; // "4.2.0"
};

static void jars_deinit(struct spark_jars *jars) {
    for (size_t i = 0; i < jars->count; i++)
        free(jars->paths[i]);
    free(jars->paths);
    free(jars->packages);
    *jars = (struct spark_jars){0};
}

static void add(struct spark_jars *jars, const char *path) {
    char **paths = realloc(jars->paths, (jars->count + 1) * sizeof *paths);
    check(paths != NULL);
    jars->paths = paths;
    jars->paths[jars->count++] = text_copy(path);
}

/* All jars of a directory; a missing one has none. */
static void add_directory(struct spark_jars *jars, const char *directory) {
    DIR *stream = opendir(directory);
    if (stream == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        scoped(scope_free) char *path = NULL;
        path = text_format("%s/%s", directory, entry->d_name);
        if (text_ends_with(entry->d_name, ".jar"))
            add(jars, path);
    }
    (void)closedir(stream);
}

/* ---- spark.jars ---- */

/* The path of a file of this machine; NULL: it is elsewhere, or has another scheme. */
static const char *local_path(const char *name) {
    static const char *const schemes[] = {"file://", "file:", "local://", "local:"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strncmp(name, schemes[i], strlen(schemes[i])) == 0)
            return name + strlen(schemes[i]);
    return strstr(name, ":/") == NULL ? name : NULL;
}

static bool add_named(struct spark_jars *jars, const char *name, struct error *err) {
    const char *path = local_path(name);
    if (path == NULL) {
        add(jars, name);
        return true;
    }
    glob_t found;
    int code = glob(path, GLOB_NOSORT, NULL, &found);
    for (size_t i = 0; code == 0 && i < found.gl_pathc; i++)
        add(jars, found.gl_pathv[i]);
    globfree(&found);
    return code == 0 || error_set(err, ERROR_CLUSTER,
                                  "spark.jars names '%s', which does not exist or cannot be read; "
                                  "correct SPARK_CONF_spark_jars",
                                  name);
}

static bool add_list(struct spark_jars *jars, char *list, struct error *err) {
    for (char *rest = list, *name; (name = strsep(&rest, ",")) != NULL;) {
        name += strspn(name, " \t");
        name[strcspn(name, " \t")] = '\0';
        if (*name != '\0' && !add_named(jars, name, err))
            return false;
    }
    return true;
}

/* A class path: jars, and directories with all jars in them; missing ones are ignored,
 * as in Java. */
static void add_class_path(struct spark_jars *jars, char *list) {
    for (char *rest = list, *name; (name = strsep(&rest, ":")) != NULL;) {
        if (text_ends_with(name, "/*")) {
            name[strlen(name) - 2] = '\0';
            add_directory(jars, name);
        } else if (text_ends_with(name, ".jar")) {
            add(jars, name);
        }
    }
}

/* ERROR_CLUSTER: a file that spark.jars names does not exist. */
static bool find_jars(const struct spark_server_options *options, struct spark_jars *jars,
                      struct error *err) {
    char *directory = NULL;
    *jars = (struct spark_jars){0};
    directory = text_format("%s/jars", options->spark_home);
    add_directory(jars, directory);
    free(directory);

    char *class_path = spark_setup_property(options, "spark.driver.extraClassPath");
    add_class_path(jars, class_path);
    free(class_path);
    jars->packages = spark_setup_property(options, "spark.jars.packages");
    char *list = spark_setup_property(options, "spark.jars");
    bool ok = add_list(jars, list, err);
    free(list);
    if (!ok)
        jars_deinit(jars);
    return ok;
}

/* ---- looking ---- */

/* Reads "_2.13", the separator and the version, which `end` follows. */
static bool read_versions(const char *at, char separator, const char *end, struct spark_jar *jar) {
    const char *scala = at + 1;
    const char *between = *at == '_' ? memchr(scala, separator, (size_t)(end - scala)) : NULL;
    if (between == NULL || between - scala >= SCALA_MAX || end - between > SPARK_VERSION_MAX ||
        !isdigit((unsigned char)between[1]))
        return false;
    (void)snprintf(jar->scala, sizeof jar->scala, "%.*s", (int)(between - scala), scala);
    (void)snprintf(jar->version, sizeof jar->version, "%.*s", (int)(end - between - 1),
                   between + 1);
    return true;
}

static const char *last_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static bool find_package(const char *packages, const char *artifact, struct spark_jar *jar) {
    size_t size = strlen(artifact);
    for (const char *at = packages; *at != '\0';) {
        const char *end = at + strcspn(at, ",");
        const char *name = memchr(at, ':', (size_t)(end - at));
        if (name != NULL && strncmp(name + 1, artifact, size) == 0 &&
            read_versions(name + 1 + size, ':', end, jar))
            return true;
        at = end + (*end == ',' ? 1 : 0);
    }
    return false;
}

/* "spark-core" finds spark-core_2.13-4.2.0.jar, or a package of that artifact. */
static bool jars_have(const struct spark_jars *jars, const char *artifact, struct spark_jar *jar) {
    size_t size = strlen(artifact);
    for (size_t i = 0; i < jars->count; i++) {
        const char *name = last_name(jars->paths[i]);
        const char *end = strstr(name, ".jar");
        if (end != NULL && strncmp(name, artifact, size) == 0 &&
            read_versions(name + size, '-', end, jar))
            return true;
    }
    return find_package(jars->packages, artifact, jar);
}

/* "kafka-clients" finds kafka-clients-3.9.2.jar: an artifact without Scala in it. */
static bool jars_have_plain(const struct spark_jars *jars, const char *artifact) {
    size_t size = strlen(artifact);
    for (size_t i = 0; i < jars->count; i++) {
        const char *name = last_name(jars->paths[i]);
        if (strncmp(name, artifact, size) == 0 && name[size] == '-' &&
            isdigit((unsigned char)name[size + 1]))
            return true;
    }
    return false;
}

/* A jar is a zip file: the names in its directory are plain bytes. */
static bool holds(const char *path, const char *class_file) {
    struct stat status;
    scoped(scope_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0 || status.st_size == 0)
        return false;
    size_t size = (size_t)status.st_size;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return false;
    bool found = memmem(bytes, size, class_file, strlen(class_file)) != NULL;
    (void)munmap(bytes, size);
    return found;
}

/* Whether one of the jars has this class, no matter what the jar is called. Jars of the
 * distribution are not opened. */
static bool jars_hold(const struct spark_jars *jars, const char *home, const char *class_file) {
    size_t size = strlen(home);
    for (size_t i = 0; i < jars->count; i++)
        if ((strncmp(jars->paths[i], home, size) != 0 || jars->paths[i][size] != '/') &&
            holds(jars->paths[i], class_file))
            return true;
    return false;
}

/* ---- checks ---- */

static bool is_directory(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool can_execute(const char *directory, const char *name) {
    scoped(scope_free) char *path = NULL;
    struct stat status;
    path = text_format("%s/%s", directory, name);
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static bool check_home(const struct spark_server_options *options, struct error *err) {
    const char *home = options->spark_home;
    if (home == NULL)
        return error_set(err, ERROR_CLUSTER,
                         "SPARK_MASTER_URL is '%s', but SPARK_HOME is not set: set it to a Spark 4 "
                         "distribution, the directory that contains bin/spark-submit; or set "
                         "SPARK_MASTER_URL=local[*], which needs no Spark",
                         options->master);
    if (!is_directory(home))
        return error_set(err, ERROR_CLUSTER,
                         "SPARK_HOME is '%s': %s; set it to a Spark 4 distribution, the directory "
                         "that contains bin/spark-submit",
                         home, strerror(access(home, F_OK) == 0 ? ENOTDIR : errno));
    if (!can_execute(home, "bin/spark-submit"))
        return error_set(
            err, ERROR_CLUSTER,
            "SPARK_HOME is '%s', but bin/spark-submit is missing there or cannot be executed; set "
            "it to a Spark 4 distribution (with pip: the directory pyspark in site-packages)",
            home);
    return true;
}

/* Spark's version, by the jar of its core, the same for all that Spark calls its own. */
static bool check_version(const struct spark_server_options *options, const struct spark_jars *jars,
                          struct spark_distribution *found, struct error *err) {
    struct spark_jar core;
    if (!jars_have(jars, "spark-core", &core))
        return error_set(err, ERROR_CLUSTER,
                         "SPARK_HOME is '%s', but jars/spark-core_2.13-<version>.jar is missing "
                         "there: set it to a complete Spark 4 distribution",
                         options->spark_home);
    memcpy(found->version, core.version, sizeof found->version);
    if (strncmp(core.version, "4.", 2) != 0 || strcmp(core.scala, "2.13") != 0)
        return error_set(err, ERROR_CLUSTER,
                         "SPARK_HOME is '%s', which is Spark %s for Scala %s, but this program "
                         "needs Spark 4 for Scala 2.13: set SPARK_HOME to such a distribution",
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
    if (jars_have(jars, "spark-connect", &jar) && is_same_release(&jar, version))
        return true;
    return error_set(
        err, ERROR_CLUSTER,
        "the Spark %s in '%s' has no Spark Connect, which this program needs: "
        "jars/spark-connect_2.13-%s.jar is missing; use the distribution of spark.apache.org, or "
        "set SPARK_CONF_spark_jars_packages=org.apache.spark:spark-connect_2.13:%s",
        version, options->spark_home, version, version);
}

/* What the connector can't do without, unless a package brings it along. */
static bool check_companions(const struct spark_jars *jars, const char *version,
                             struct error *err) {
    struct spark_jar jar;
    const char *missing = NULL;
    if (!jars_have(jars, "spark-token-provider-kafka-0-10", &jar))
        missing = "spark-token-provider-kafka-0-10_2.13";
    else if (!jars_have_plain(jars, "kafka-clients"))
        missing = "kafka-clients";
    else if (!jars_have_plain(jars, "commons-pool2"))
        missing = "commons-pool2";
    if (missing == NULL)
        return true;
    return error_set(
        err, ERROR_CLUSTER,
        "Spark's Kafka connector needs %s, which is missing: add its jar to SPARK_CONF_spark_jars, "
        "or set only SPARK_CONF_spark_jars_packages=org.apache.spark:%s_2.13:%s, so that Spark "
        "downloads all of them",
        missing, connector, version);
}

static bool check_connector(const struct spark_server_options *options,
                            const struct spark_jars *jars, const char *version, struct error *err) {
    struct spark_jar jar;
    if (jars_have(jars, connector, &jar)) {
        if (is_same_release(&jar, version))
            return strstr(jars->packages, connector) != NULL ||
                   check_companions(jars, version, err);
        return error_set(err, ERROR_CLUSTER,
                         "Spark's Kafka connector has version %s for Scala %s, but the Spark in "
                         "'%s' is %s: use %s_2.13-%s.jar",
                         jar.version, jar.scala, options->spark_home, version, connector, version);
    }
    if (jars_hold(jars, options->spark_home, connector_class))
        return true; // with all that it needs: a jar of somebody's own making
    return error_set(
        err, ERROR_CLUSTER,
        "the Spark %s in '%s' has no Kafka connector, which is not part of its distribution: set "
        "SPARK_CONF_spark_jars_packages=org.apache.spark:%s_2.13:%s, so that Spark downloads it "
        "from Maven Central, or SPARK_CONF_spark_jars=/path/%s_2.13-%s.jar,… with the jars that it "
        "needs: spark-token-provider-kafka-0-10_2.13, kafka-clients, commons-pool2",
        version, options->spark_home, connector, version, connector, version);
}

/* Whether spark-env.sh is there, which may set JAVA_HOME. */
static bool has_environment_script(const char *home) {
    scoped(scope_free) char *path = spark_setup_conf_path(home, "spark-env.sh");
    return access(path, R_OK) == 0;
}

static bool is_in_path(const char *name) {
    const char *path = getenv("PATH");
    char *list = text_copy(path != NULL ? path : "");
    bool found = false;
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
                         "JAVA_HOME is '%s', but bin/java is missing there or cannot be executed; "
                         "Spark 4 needs Java 17 or 21",
                         java);
    return error_set(err, ERROR_CLUSTER,
                     "Spark needs Java, but JAVA_HOME is not set and there is no java in PATH; "
                     "install Java 17 or 21, or set JAVA_HOME");
}

bool spark_distribution_check(const struct spark_server_options *options,
                              struct spark_distribution *found, struct error *err) {
    struct spark_jars jars;
    *found = (struct spark_distribution){0};
    if (!check_home(options, err) || !find_jars(options, &jars, err))
        return false;
    bool ok = check_version(options, &jars, found, err) &&
              check_connect(options, &jars, found->version, err) &&
              check_connector(options, &jars, found->version, err) && check_java(options, err);
    jars_deinit(&jars);
    return ok;
}
