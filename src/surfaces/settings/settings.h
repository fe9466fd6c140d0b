/* settings.h: the one table of settings. Parsing, range checks, --help, --explain, completion and
 * docs/configuration.md all walk it. */
#ifndef SURFACES_SETTINGS_SETTINGS_H
#define SURFACES_SETTINGS_SETTINGS_H

#include "surfaces/settings/config.h"
#include "surfaces/settings/setting.h"

/* All settings, queries' ones included, in the order of the documentation. */
const struct setting *settings_table(size_t *count);

/* The queries are not the same any more: the next call makes a new table. No config that was filled
 * by the old one may be in use. */
void settings_renew(void);

/* Index of the setting of this variable's name, or -1. */
int settings_find(const char *name);

/* Its value, of a setting that there is. */
const struct setting_value *settings_value(const struct config *config, const char *name);

/* The value as it is in effect: paths as they were understood, secrets as SECRET_SHOWN. `index` is
 * the setting's in the table. */
const char *settings_shown(const struct config *config, size_t index);

/* A warning that DATA_LAKE_PATH is not set, so that data goes to the default path; "": it is set.
 */
enum { LAKE_WARNING_MAX = 512 };
void settings_lake_warning(const struct config *config, char text[static LAKE_WARNING_MAX]);

/* Whether checkpoints are looked for at the default path, because no setting names another. */
bool settings_lake_is_default(const struct config *config);

#endif
