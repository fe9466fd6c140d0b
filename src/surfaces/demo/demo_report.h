/* demo_report.h: what a person wants to see after --demo: counts per partition, a few rows, rejects
 * with their reasons, where the files are, and how to read them. */
#ifndef SURFACES_DEMO_DEMO_REPORT_H
#define SURFACES_DEMO_DEMO_REPORT_H

#include <stdio.h>

#include "surfaces/settings/config.h"

/* Reads the files of the queries that ran. ERROR_STATE, ERROR_RETRY: a file that can't be read. */
MUST_CHECK bool demo_report_print(FILE *out, const struct config *config, struct error *err);

#endif
