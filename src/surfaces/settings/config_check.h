/* config_check.h: what no setting can say of itself alone. */
#ifndef SURFACES_SETTINGS_CONFIG_CHECK_H
#define SURFACES_SETTINGS_CONFIG_CHECK_H

#include "surfaces/settings/config.h"
#include "surfaces/settings/problems.h"

/* Settings that contradict one another: two queries on one topic, directories within one another,
 * too little memory, starting offsets for the wrong topics. Settings that could not be read are
 * left out. */
void config_check(const struct config *config, struct problems *problems);

#endif
