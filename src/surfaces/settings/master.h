/* master.h: SPARK_MASTER_URL, where the queries are computed, in Spark's forms.
 *
 *     local, local[N], local[*]          this program's own engine; each also with ",F" (retries,
 * of no use here) spark://HOST:PORT,…                Spark, on a standalone cluster
 *     local-cluster[N,CORES,MEMORY]      Spark, on a cluster of processes of this machine
 *     yarn, k8s://URL                    Spark, on Hadoop's YARN, on Kubernetes
 *     sc://HOST[:PORT][/;NAME=VALUE;…]   Spark, on a Connect server that runs already */
#ifndef SURFACES_SETTINGS_MASTER_H
#define SURFACES_SETTINGS_MASTER_H

#include "base/error.h"

/* What stands for a secret where settings are shown. */
#define SECRET_SHOWN "********"

enum master_kind {
    MASTER_LOCAL,   // this program's own engine
    MASTER_SERVER,  // Spark, by a Connect server that is started here, on this master
    MASTER_CONNECT, // Spark, by a Connect server that runs already
};

enum { MASTER_WORKERS_MAX = 1024 };

/* *workers: of the engine; on a cluster, of the commands that read the lake: one per processor.
 * ERROR_CONFIG says what was wanted, and has no token in it. */
MUST_CHECK bool master_parse(const char *text, enum master_kind *kind, int *workers,
                             struct error *err);

/* The text without what proves who we are: the token of sc://, and other values whose names say
 * that they are secret. The caller frees it. */
char *master_shown(const char *text);

/* Whether the name of a property of Spark's says that its value must not be printed. */
bool spark_property_is_secret(const char *name);

#endif
