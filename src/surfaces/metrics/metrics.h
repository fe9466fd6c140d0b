/* metrics.h: the metrics for Prometheus (docs/metrics.md): one table of families, in which each has
 * its name, type, labels, help, and the function that prints its samples. /metrics and the document
 * walk it. */
#ifndef SURFACES_METRICS_METRICS_H
#define SURFACES_METRICS_METRICS_H

#include <stdio.h>

#include "surfaces/health/program_view.h"
#include "surfaces/metrics/metrics_text.h"

struct metric_print; // what one call prints from: in metrics.c

struct metric_family {
    const char *group; // of the document
    const char *name;
    enum metric_type type;
    const char *labels;                           // for the document: "query, reason"
    const char *help;                             // one line
    void (*print)(const struct metric_print *at); // one of the two: all samples at once,
    size_t offset; // of a number, for the functions that print one of many
    void (*print_query)(const struct metric_print *at); // or those of one query
};

extern const struct metric_family metric_families[];
extern const size_t metric_family_count;

/* All families, as text, to `out`. Any thread. */
void metrics_print(FILE *out, const struct program_view *view);

#endif
