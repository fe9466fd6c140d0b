/* table_settings.h: what a table's file says of settings (TBLPROPERTIES and `subscribe`,
 * docs/queries.md). A property stands for this table in place of the setting of the same purpose,
 * unless that is given as an option. */
#ifndef SURFACES_SETTINGS_TABLE_SETTINGS_H
#define SURFACES_SETTINGS_TABLE_SETTINGS_H

#include "surfaces/settings/config.h"
#include "surfaces/settings/problems.h"

/* Fills config->queries of all streams. Settings have been read; ${NAME} are among them. Adds
 * every problem, with the file's place. */
void table_settings_load(struct config *config, struct problems *problems);
void table_settings_deinit(struct config *config);

/* The key of the property, "trigger". */
const char *table_property_name(enum table_property property);

/* The name of the setting of the same purpose. */
const char *table_property_setting(enum table_property property);

#endif
