/* cluster.h: the Spark that queries run on when SPARK_MASTER_URL names a cluster: a Spark Connect
 * server of our own, started on that master, or one that runs already.
 *
 * One per program, shared by its queries. A thread of its own starts the server, watches it, and
 * lives as long as it does. */
#ifndef STREAMING_CLUSTER_SPARK_CLUSTER_H
#define STREAMING_CLUSTER_SPARK_CLUSTER_H

#include "base/error.h"
#include "base/system/stop.h"
#include "pipeline/source/kafka_client.h"
#include "streaming/cluster/connect/connect_url.h"
#include "streaming/cluster/spark/spark_server.h"

struct cluster_options {
    const char *master;                 // as it may be shown: without a token
    const struct connect_url *url;      // a server that runs already; NULL: one is started
    struct spark_server_options server; // how; its `stop` is set by the cluster
    const char *bootstrap_servers;
    const struct kafka_property *kafka_properties;
    size_t kafka_property_count;
    const struct spark_property *properties; // the user's, for the sessions: those of spark.sql
    size_t property_count;
    int64_t timeout_ms;          // SPARK_CONNECT_TIMEOUT
    int64_t shutdown_timeout_ms; // SHUTDOWN_TIMEOUT
};

struct cluster;

/* Begins to start the server, if one is to be started. All is borrowed until cluster_close().
 * ERROR_CLUSTER: the distribution will not do (spark_server_check()). */
MUST_CHECK bool cluster_open(const struct cluster_options *options, struct stop *stop,
                             struct cluster **cluster, struct error *err);

/* Waits until there is a server to connect to. ERROR_CLUSTER: there will be none. ERROR_STOPPED.
 * Any thread. */
MUST_CHECK bool cluster_await(struct cluster *cluster, const struct connect_url **url,
                              struct error *err);

/* What calls to Spark are to be given up by: it goes to STOP_NOW when the program's own does, when
 * a server of ours has ended, and, while no query is followed yet, at any request to stop. */
struct stop *cluster_halt(struct cluster *cluster);

/* A query is started on Spark and followed, or not any more. Any thread. */
void cluster_note_followed(struct cluster *cluster, bool followed);

/* Whether a server of ours has ended by itself; *err says how. Any thread. */
bool cluster_has_ended(struct cluster *cluster, struct error *err);

/* The process of a server of ours; 0: there is none. Any thread. */
int cluster_server_pid(struct cluster *cluster);

const struct cluster_options *cluster_options_of(const struct cluster *cluster);

/* Ends the server, if it is ours. */
void cluster_close(struct cluster *cluster);

#endif
