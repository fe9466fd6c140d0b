/* spark_jars.h: the jars that a Spark driver will have, by name: those of the distribution, and
 * those that properties name. */
#ifndef STREAMING_CLUSTER_SPARK_SPARK_JARS_H
#define STREAMING_CLUSTER_SPARK_SPARK_JARS_H

#include <stddef.h>

#include "base/error.h"
#include "streaming/cluster/spark/spark_server.h"

struct spark_jars {
    char **paths; // owned; of files, or whole URLs where the file is elsewhere
    size_t count;
    char *packages; // owned; spark.jars.packages, "group:artifact:version,…"; "" if it is not set
};

enum { SPARK_VERSION_MAX = 48, SPARK_SCALA_MAX = 8 };

struct spark_jar {
    char scala[SPARK_SCALA_MAX];     // "2.13"
    char version[SPARK_VERSION_MAX]; // "4.2.0"
};

/* ERROR_CLUSTER: a file that spark.jars names does not exist. */
MUST_CHECK bool spark_jars_find(const struct spark_server_options *options, struct spark_jars *jars,
                                struct error *err);
void spark_jars_deinit(struct spark_jars *jars);

/* "spark-core" finds spark-core_2.13-4.2.0.jar, or a package of that artifact. */
bool spark_jars_has(const struct spark_jars *jars, const char *artifact, struct spark_jar *jar);

/* "kafka-clients" finds kafka-clients-3.9.2.jar: an artifact without Scala in it. */
bool spark_jars_has_plain(const struct spark_jars *jars, const char *artifact);

/* Whether one of the jars holds a class of this name, whatever it is called:
 * "org/apache/spark/…/KafkaSourceProvider.class". Jars of the distribution are not opened. */
bool spark_jars_hold(const struct spark_jars *jars, const char *home, const char *class_file);

#endif
