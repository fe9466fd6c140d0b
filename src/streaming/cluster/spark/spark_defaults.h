/* spark_defaults.h: what a property of Spark's comes to: the user's own, or what
 * spark-defaults.conf says, in SPARK_CONF_DIR or SPARK_HOME/conf, where Spark looks for it. */
#ifndef STREAMING_CLUSTER_SPARK_SPARK_DEFAULTS_H
#define STREAMING_CLUSTER_SPARK_SPARK_DEFAULTS_H

#include "streaming/cluster/spark/spark_server.h"

/* A file of Spark's configuration: "spark-env.sh". The caller frees the path. */
char *spark_defaults_path(const char *home, const char *name);

/* "" if nobody sets it. The caller frees it. */
char *spark_defaults_property(const struct spark_server_options *options, const char *name);

#endif
