/* spark_reason.h: what an error of Spark's means for us: who acts on it, and how. */
#ifndef STREAMING_CLUSTER_ENGINE_SPARK_REASON_H
#define STREAMING_CLUSTER_ENGINE_SPARK_REASON_H

#include "base/error.h"

/* Gives an ERROR_CLUSTER that came with this class of Spark's ("": none) the kind by which it is
 * acted on, and adds what to do where we know it. False, for the sake of the caller's return. */
bool spark_reason_add(const char *error_class, struct error *err);

#endif
