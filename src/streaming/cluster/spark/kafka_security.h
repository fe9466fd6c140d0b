/* kafka_security.h: how librdkafka was told to prove who it is and to know the brokers, in the
 * words of Java's client: a part of kafka_options.c. */
#ifndef STREAMING_CLUSTER_SPARK_KAFKA_SECURITY_H
#define STREAMING_CLUSTER_SPARK_KAFKA_SECURITY_H

#include "streaming/cluster/spark/kafka_options.h"

/* Adds what follows from the properties ssl.* and sasl.* that kafka_options.c gathers. */
MUST_CHECK bool kafka_security_add_tls(const struct kafka_property *properties, size_t count,
                                       struct kafka_options *options, struct error *err);
MUST_CHECK bool kafka_security_add_login(const struct kafka_property *properties, size_t count,
                                         struct kafka_options *options, struct error *err);

/* ---- of kafka_options.c ---- */

/* `name` is Java's, without "kafka.". */
void kafka_options_add(struct kafka_options *options, const char *name, const char *value,
                       bool secret);

/* The newest value of the property; NULL: it is not set. */
const char *kafka_property_find(const struct kafka_property *properties, size_t count,
                                const char *name);

#endif
