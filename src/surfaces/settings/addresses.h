/* addresses.h: where Kafka and Spark are, as people write it: KAFKA_BOOTSTRAP_SERVERS, and
 * SPARK_MASTER_URL, where the queries are computed, in Spark's forms.
 *
 *     local, local[N], local[*]          this program's own engine; each also with ",F" (retries,
 *                                        of no use here)
 *     spark://HOST:PORT,…                Spark, on a standalone cluster
 *     local-cluster[N,CORES,MEMORY]      Spark, on a cluster of processes of this machine
 *     yarn, k8s://URL                    Spark, on Hadoop's YARN, on Kubernetes
 *     sc://HOST[:PORT][/;NAME=VALUE;…]   Spark, on a Connect server that runs already */
#ifndef SURFACES_SETTINGS_ADDRESSES_H
#define SURFACES_SETTINGS_ADDRESSES_H

#include <stddef.h>

#include "base/error.h"

/* Reads brokers separated by commas: host, host:port, [v6]:port, each also behind a protocol of
 * Kafka's, SSL://. As Java's client does, it skips entries that are empty.
 *
 * *list: host:port,host:port, each with a port and without a protocol, as Kafka's clients take it;
 * the caller frees it. *protocol: the one that was named (static; NULL: none was). A text that
 * begins with "file:" is a directory of captured records, and *list the text itself. ERROR_CONFIG:
 * no broker, an entry that is none, or two protocols; says what was wanted. */
MUST_CHECK bool servers_parse(const char *text, char **list, const char **protocol,
                              struct error *err);

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

/* What stands for a secret where settings are shown. */
#define SECRET_SHOWN "********"

/* The text without what proves who we are: the token of sc://, and other values whose names say
 * that they are secret. The caller frees it. */
char *master_shown(const char *text);

/* Whether the name of a property of Spark's says that its value must not be printed. */
bool spark_property_is_secret(const char *name);

/* ---- URLs that something is posted to, as libcurl reads them ---- */

/* Whether it is an http or https URL with a host: ERROR_CONFIG says what was wanted, without the
 * URL, which may hold a token. */
MUST_CHECK bool http_url_check(const char *url, struct error *err);

/* Its scheme and host, "https://host", which may be logged. False: it has none. */
bool http_url_server(const char *url, char *server, size_t size);

/* ERROR_CONFIG: the path begins with '~' or has a "$NAME", which only a shell expands. */
MUST_CHECK bool shell_syntax_check(const char *path, struct error *err);

#endif
