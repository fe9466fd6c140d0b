/* kafka_settings.h: the variables that are handed on to librdkafka.
 *
 *     KAFKA_CONF_<NAME>                 any property, dots as underscores: KAFKA_CONF_CLIENT_ID
 *     KAFKA_SECURITY_PROTOCOL           security.protocol
 *     KAFKA_SASL_*, KAFKA_SSL_*         sasl.*, ssl.*
 *
 * librdkafka's one property with an underscore, log_level, is KAFKA_CONF_LOG_LEVEL. */
#ifndef SURFACES_SETTINGS_KAFKA_SETTINGS_H
#define SURFACES_SETTINGS_KAFKA_SETTINGS_H

#include "surfaces/settings/config.h"
#include "surfaces/settings/env_file.h"
#include "surfaces/settings/faults.h"

/* Reads the environment and the files' variables (the environment wins; an empty value counts as
 * not set). A property that the engine relies on, one that only the Java client has, and two
 * variables that disagree on one property are faults; other KAFKA_* variables that are no settings
 * go to config->ignored_kafka_variables. */
void kafka_settings_read(struct config *config, char *const *environment,
                         const struct variables *variables, struct faults *faults);
void kafka_settings_deinit(struct config *config);

#endif
