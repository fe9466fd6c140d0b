/* kafka_options.h: librdkafka's properties for the brokers, translated for Java's client, for
 * Spark's Kafka source.
 *
 * librdkafka and Java's client call many properties by the same name, some by another, and each has
 * some that the other lacks (librdkafka: CONFIGURATION.md; Kafka: "Consumer configs"). */
#ifndef STREAMING_CLUSTER_SPARK_KAFKA_OPTIONS_H
#define STREAMING_CLUSTER_SPARK_KAFKA_OPTIONS_H

#include <stddef.h>

#include "base/error.h"
#include "pipeline/source/kafka_client.h"

struct kafka_option {
    char *name, *value; // "kafka.security.protocol"; owned
    bool secret;
};

struct kafka_options {
    struct kafka_option *options; // owned
    size_t count;
    char **left_out; // owned; names of properties that Java's client has no counterpart for
    size_t left_out_count;
};

/* Options for Spark's source, without bootstrap servers and topic, from properties as
 * KAFKA_CONF_* and its kin set them. isolation.level is always among them: read_committed unless a
 * property says otherwise. ERROR_CONFIG: a property that can't be handed on and must not be left
 * out (a log-in that Java's client does not have); what it says never has a secret in it.
 *
 * A PEM file of ours (ssl.ca.location, ssl.certificate.location, ssl.key.location) is handed on as
 * its text where Java's client takes that, so that no file needs to be on the executors. */
MUST_CHECK bool kafka_options_make(const struct kafka_property *properties, size_t count,
                                   struct kafka_options *options, struct error *err);
void kafka_options_deinit(struct kafka_options *options);

#endif
