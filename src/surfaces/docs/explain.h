/* explain.h: what --explain prints. It reads nothing but the settings and starts nothing. */
#ifndef SURFACES_DOCS_EXPLAIN_H
#define SURFACES_DOCS_EXPLAIN_H

#include <stdio.h>

#include "surfaces/settings/config.h"

/* Engine, effective settings with their origin, properties for librdkafka (secrets as ***), memory,
 * and per query that would run its topic, paths, partition columns, how many files a day it would
 * write, and schema. */
void explain_print(FILE *out, const struct config *config);

#endif
