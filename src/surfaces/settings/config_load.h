/* config_load.h: settings from the command line, the environment, --env-file and defaults. */
#ifndef SURFACES_SETTINGS_CONFIG_LOAD_H
#define SURFACES_SETTINGS_CONFIG_LOAD_H

#include "surfaces/settings/config.h"
#include "surfaces/settings/problems.h"

/* Fills *config: for --help and --version `action` and `command` alone, for a command that needs
 * nothing what the command line gives. Adds every problem. Call config_deinit() in any case. */
void config_load(struct config *config, const struct command_line *line, struct problems *problems);

/* Declares the tables of QUERIES_PATH, which options, --job and settings depend on: the line must
 * be read again afterwards. Each file that cannot be used is a problem. */
void config_load_queries(const struct command_line *line, struct problems *problems);
void config_deinit(struct config *config);

#endif
