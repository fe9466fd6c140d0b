/* spark_tree.h: a Spark distribution that is none: the names that are looked at, and a script for
 * bin/spark-submit. */
#ifndef SPARK_TREE_H
#define SPARK_TREE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

struct spark_tree {
    char home[64];
};

static inline char *spark_tree_path(const struct spark_tree *tree, const char *name) {
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", tree->home, name);
    return path;
}

/* A file with this text, and its directory. */
static inline void spark_tree_write(const struct spark_tree *tree, const char *name,
                                    const char *text, mode_t mode) {
    char directory[512];
    (void)snprintf(directory, sizeof directory, "%s", spark_tree_path(tree, name));
    for (char *at = directory + strlen(tree->home) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        (void)mkdir(directory, 0755); // it may be there
        *at = '/';
    }
    FILE *file = fopen(spark_tree_path(tree, name), "w");
    check(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
    check(chmod(spark_tree_path(tree, name), mode) == 0);
}

static inline void spark_tree_remove_file(const struct spark_tree *tree, const char *name) {
    check(unlink(spark_tree_path(tree, name)) == 0);
}

/* All that a run needs, of version 4.2.0, and a Java; `script` is what bin/spark-submit does. */
static inline void spark_tree_init(struct spark_tree *tree, const char *script) {
    static const char *const jars[] = {
        "jars/spark-core_2.13-4.2.0.jar",
        "jars/spark-connect_2.13-4.2.0.jar",
        "jars/spark-connect-common_2.13-4.2.0.jar",
        "jars/spark-sql-kafka-0-10_2.13-4.2.0.jar",
        "jars/spark-token-provider-kafka-0-10_2.13-4.2.0.jar",
        "jars/kafka-clients-3.9.2.jar",
        "jars/commons-pool2-2.13.1.jar",
    };
    (void)snprintf(tree->home, sizeof tree->home, "/tmp/test_spark.XXXXXX");
    check(mkdtemp(tree->home) != NULL);
    spark_tree_write(tree, "bin/spark-submit", script, 0755);
    spark_tree_write(tree, "java/bin/java", "", 0755);
    for (size_t i = 0; i < sizeof jars / sizeof jars[0]; i++)
        spark_tree_write(tree, jars[i], "", 0644);
    check(setenv("JAVA_HOME", spark_tree_path(tree, "java"), 1) == 0);
    check(unsetenv("SPARK_CONF_DIR") == 0);
}

static inline int spark_tree_remove_one(const char *path, const struct stat *status, int type,
                                        struct FTW *at) {
    (void)status, (void)type, (void)at;
    return remove(path);
}

static inline void spark_tree_deinit(struct spark_tree *tree) {
    (void)nftw(tree->home, spark_tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
