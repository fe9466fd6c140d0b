/* explain.h: what --explain prints. It only reads the settings and starts nothing. */
#ifndef SURFACES_DOCS_EXPLAIN_H
#define SURFACES_DOCS_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "surfaces/settings/config.h"

/* Engine, effective settings with their origin, properties for librdkafka (secrets as ***), memory,
 * and per query that would run its topic, paths, partition columns, how many files a day it would
 * write, and schema. */
void explain_print(FILE *out, const struct config *config);

/* The same as one JSON object (explain_json.c). Members are only ever added; what is not known is
 * null. */
void explain_print_json(FILE *out, const struct config *config);

/* The rates that are forecast while none has been seen, in records a second. */
enum { FORECAST_RATES = 6 };
extern const double forecast_rates[FORECAST_RATES];

#endif
