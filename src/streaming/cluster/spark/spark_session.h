/* spark_session.h: the properties of Spark that every session of ours has with the same value, no
 * matter what the server's defaults are. Nobody else can set them. */
#ifndef STREAMING_CLUSTER_SPARK_SPARK_SESSION_H
#define STREAMING_CLUSTER_SPARK_SPARK_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "streaming/cluster/connect/connect.h"

extern const struct connect_pair spark_session_fixed[];
extern const size_t spark_session_fixed_count;

/* Whether the property is one of them. */
bool spark_session_is_fixed(const char *name);

#endif
