/* spark_setup.h: the settings of a Spark server: our options, the user's own properties, and
 * spark-defaults.conf; and the files that have them.
 *
 * These are in a directory that only this user can open, because a command line can be read by
 * everybody and properties may be secret. */
#ifndef STREAMING_CLUSTER_SPARK_SPARK_SETUP_H
#define STREAMING_CLUSTER_SPARK_SPARK_SETUP_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/system/stop.h"

/* One property of Spark's: SPARK_CONF_spark_sql_x is spark.sql.x. */
struct spark_property {
    char *name, *value;
    bool secret; // never printed
};

struct spark_server_options {
    const char *spark_home; // NULL: not set
    const char *master;     // "spark://…", "local-cluster[2,1,1024]", "yarn", "k8s://…"
    int64_t driver_memory, executor_memory; // bytes
    int shuffle_partitions;
    const struct spark_property *properties; // the user's own, after ours; they win
    size_t property_count;
    int64_t timeout_ms; // from the start until it answers, its master has accepted it included
    struct stop *stop;  // borrowed; NULL: none
};

/* What a property comes to: the user's own, or what spark-defaults.conf says. "" if nobody sets it.
 * The caller frees it. */
char *spark_setup_property(const struct spark_server_options *options, const char *name);

/* A file of Spark's configuration, "spark-env.sh", in SPARK_CONF_DIR or SPARK_HOME/conf, where
 * Spark looks for it. The caller frees the path. */
char *spark_setup_conf_path(const char *home, const char *name);

struct spark_setup_files {
    char *directory, *properties, *logging; // owned; NULL: not written
};

/* Writes the properties, and how Spark is to log, below $TMPDIR, or /tmp. ERROR_CLUSTER. */
MUST_CHECK bool spark_setup_write(const struct spark_server_options *options,
                                  struct spark_setup_files *files, struct error *err);
void spark_setup_remove(struct spark_setup_files *files);

#endif
