/* spark_distribution.h: what SPARK_HOME holds, and whether it will do: Spark 4 for Scala 2.13, with
 * Spark Connect, with the Kafka connector of the same version and what that needs, and a JVM.
 *
 * Only names are looked at, in milliseconds, so that what is missing is reported before anything is
 * started, with what to do: Spark itself would say "Failed to find data source: kafka" when the
 * first query starts. */
#ifndef STREAMING_CLUSTER_SPARK_SPARK_DISTRIBUTION_H
#define STREAMING_CLUSTER_SPARK_SPARK_DISTRIBUTION_H

#include "base/error.h"
#include "streaming/cluster/spark/spark_setup.h"

enum { SPARK_VERSION_MAX = 48 };

struct spark_distribution {
    char version[SPARK_VERSION_MAX]; // "4.2.0"; "" if it is not known
};

/* ERROR_CLUSTER says what is missing, where, why it is needed and what to do; `found` has then what
 * was found before. Looks at SPARK_CONF_DIR, JAVA_HOME and PATH, as Spark does. */
MUST_CHECK bool spark_distribution_check(const struct spark_server_options *options,
                                         struct spark_distribution *found, struct error *err);

#endif
