/* spark_settings.h: the variables that are handed on to Spark, when SPARK_MASTER_URL is a cluster.
 *
 *     SPARK_CONF_spark_<name>     any property; case is kept, underscores are dots, two of them are
 *                                 one underscore: SPARK_CONF_spark_driver_extraClassPath
 *
 * SPARK_CONF_DIR is Spark's own variable: where it has its configuration files. */
#ifndef SURFACES_SETTINGS_SPARK_SETTINGS_H
#define SURFACES_SETTINGS_SPARK_SETTINGS_H

#include "surfaces/settings/config.h"
#include "surfaces/settings/env_file.h"
#include "surfaces/settings/faults.h"

/* Reads the environment and the files' variables (the environment wins; an empty value counts as
 * not set). A name that does not begin with "spark." and a property that has a setting of its own
 * or that the program relies on are faults. What has no effect with this master, all of them if it
 * is local, goes to config->ignored_spark_variables. */
void spark_settings_read(struct config *config, char *const *environment,
                         const struct variables *variables, struct faults *faults);
void spark_settings_deinit(struct config *config);

/* Whether a property's name says that its value must not be printed. */
bool spark_property_is_secret(const char *name);

#endif
