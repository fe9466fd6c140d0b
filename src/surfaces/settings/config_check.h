/* config_check.h: what no setting can say of itself alone. */
#ifndef SURFACES_SETTINGS_CONFIG_CHECK_H
#define SURFACES_SETTINGS_CONFIG_CHECK_H

#include "surfaces/settings/config.h"
#include "surfaces/settings/env_file.h"
#include "surfaces/settings/faults.h"
#include "surfaces/settings/settings.h"

/* Settings that contradict one another: two queries on one topic, directories within one another,
 * too little memory, starting offsets for the wrong topics. Settings that could not be read are
 * left out. */
void config_check(const struct config *config, struct faults *faults);

/* The name of a variable that is no setting and nearly this one; the caller frees it. NULL: none.
 */
char *near_miss_of(const struct setting *setting, char *const *environment,
                   const struct variables *variables);

/* Warns of variables that are nobody's and nearly a setting's. */
void config_find_near_misses(char *const *environment, const struct variables *variables,
                             struct faults *warnings);

#endif
