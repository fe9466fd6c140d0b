/* spark_files.h: what a Spark server reads when it starts: its properties, and how it logs. They
 * are in a directory that only this user can open, because a command line can be read by everybody
 * and properties may be secret. */
#ifndef STREAMING_CLUSTER_SPARK_SPARK_FILES_H
#define STREAMING_CLUSTER_SPARK_SPARK_FILES_H

#include "base/error.h"
#include "streaming/cluster/spark/spark_server.h"

struct spark_files {
    char *directory, *properties, *logging; // owned; NULL: not made
};

/* Made below $TMPDIR, or /tmp. ERROR_CLUSTER. */
MUST_CHECK bool spark_files_make(const struct spark_server_options *options,
                                 struct spark_files *files, struct error *err);
void spark_files_remove(struct spark_files *files);

#endif
