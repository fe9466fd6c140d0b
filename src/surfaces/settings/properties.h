/* properties.h: the variables that are handed on to librdkafka, and to Spark when SPARK_MASTER_URL
 * is a cluster.
 *
 *     KAFKA_CONF_<NAME>             any property of librdkafka, dots as underscores:
 *                                   KAFKA_CONF_CLIENT_ID; its one property with an underscore,
 *                                   log_level, is KAFKA_CONF_LOG_LEVEL
 *     KAFKA_SECURITY_PROTOCOL       security.protocol
 *     KAFKA_SASL_*, KAFKA_SSL_*     sasl.*, ssl.*
 *     SPARK_CONF_spark_<name>       any property of Spark; case is kept, underscores are dots, two
 *                                   of them are one underscore:
 *                                   SPARK_CONF_spark_driver_extraClassPath
 *
 * SPARK_CONF_DIR is Spark's own variable: where it has its configuration files.
 *
 * An empty value counts as not set. */
#ifndef SURFACES_SETTINGS_PROPERTIES_H
#define SURFACES_SETTINGS_PROPERTIES_H

#include "surfaces/settings/config.h"
#include "surfaces/settings/problems.h"
#include "surfaces/settings/variables.h"

/* Fills config->kafka_properties. A property that the engine relies on, one that only Java's client
 * has, one that librdkafka does not have or whose value it refuses, and two variables that disagree
 * on one property are problems; other KAFKA_* variables of the environment that are not settings go
 * to config->ignored_kafka_variables. */
void properties_read_kafka(struct config *config, const struct variables *variables,
                           struct problems *problems);

/* Fills config->spark_properties. A name that does not begin with "spark." and a property that has
 * a setting of its own or that the program relies on are problems. What has no effect with this
 * master, all of them if it is local, goes to config->ignored_spark_variables. */
void properties_read_spark(struct config *config, const struct variables *variables,
                           struct problems *problems);
/* Has librdkafka judge the properties together, which reads certificate files, for example: what it
 * refuses is a problem, with the variable where the refusal names a property. For --explain; a run
 * and `doctor` find out when they connect. */
void properties_try_kafka(const struct config *config, struct problems *problems);

/* Whether the variable's name is that of a property. */
bool properties_has_name(const char *variable);

void properties_deinit(struct config *config);

#endif
