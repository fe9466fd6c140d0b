/* path_origin.h: an error that names a path which can't be used gets the setting the path is from.
 * The floors below know paths only. */
#ifndef SURFACES_SETTINGS_PATH_ORIGIN_H
#define SURFACES_SETTINGS_PATH_ORIGIN_H

#include "surfaces/settings/config.h"

/* Adds the setting and what to do, if the error will not pass by itself (err->lasting) and the
 * first path that it quotes belongs to the lake. */
void path_origin_add(const struct config *config, struct error *err);

#endif
