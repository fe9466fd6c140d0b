/* spark_server.h: a Spark Connect server of our own, on a master, from the user's Spark
 * distribution: found, checked, started, listened to, ended.
 *
 * It is a child process (spark-submit, which becomes the driver's JVM) on this machine. It opens
 * its port on 127.0.0.1 for clients with a token that is made for this start. Its log lines become
 * ours, under the logger "spark". It never outlives us: if this process dies, it is killed. */
#ifndef STREAMING_CLUSTER_SPARK_SPARK_SERVER_H
#define STREAMING_CLUSTER_SPARK_SPARK_SERVER_H

#include <stdint.h>

#include "base/error.h"
#include "streaming/cluster/connect/connect_url.h"
#include "streaming/cluster/spark/spark_setup.h"

/* Looks at the distribution only: is it there, of version 4, with Spark Connect and the Kafka
 * connector (in its jars, or by spark.jars or spark.jars.packages), and is there a JVM?
 * ERROR_CLUSTER says what to do. */
MUST_CHECK bool spark_server_check(const struct spark_server_options *options, struct error *err);

struct spark_server;

/* Starts it and waits until it takes calls. ERROR_CLUSTER: it ended (with the reason that its log
 * gives), its master refused it or can't be reached, or it took too long. ERROR_STOPPED. To be
 * called by a thread that lives as long: when it ends, the server is killed. */
MUST_CHECK bool spark_server_start(const struct spark_server_options *options,
                                   struct spark_server **server, struct error *err);

/* Where it is, and the token that it asks for; borrowed. */
const struct connect_url *spark_server_url(const struct spark_server *server);
int spark_server_pid(const struct spark_server *server);

/* Whether it has ended by itself, or its application has been ended by the master, after which it
 * can do nothing more; *err (ERROR_CLUSTER) then says how, with its last error line. Any thread. */
bool spark_server_has_ended(struct spark_server *server, struct error *err);

/* Asks it to end, and kills it if it has not within `grace_ms`. Frees everything. */
void spark_server_stop(struct spark_server *server, int64_t grace_ms);

#endif
