/* metrics_text.h: Prometheus' text exposition format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats). */
#ifndef SURFACES_METRICS_METRICS_TEXT_H
#define SURFACES_METRICS_METRICS_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define METRICS_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* "counter", … */
const char *metric_type_name(enum metric_type type);

enum { METRIC_LABELS_MAX = 4 };

/* One label: any bytes as the value; what is not UTF-8 becomes U+FFFD. */
struct metric_label {
    const char *name, *value;
};

struct metrics_text {
    FILE *out;
    const char *family; // under way
};

/* A family begins: its HELP and TYPE. What follows belongs to it. */
void metrics_text_begin(struct metrics_text *text, const char *name, enum metric_type type,
                        const char *help);

/* One sample: whole numbers are printed in full, others with the 15 digits that are certain.
 * `labels` ends with a NULL name; NULL: none. */
void metrics_text_int(struct metrics_text *text, const struct metric_label *labels, int64_t value);
void metrics_text_real(struct metrics_text *text, const struct metric_label *labels, double value);

/* A histogram. `counts` has a count for each bound, and one for what is beyond the last; they are
 * not cumulative. A bound and the sum stand for so many units: 1000000 with microseconds prints
 * seconds. */
void metrics_text_histogram(struct metrics_text *text, const struct metric_label *labels,
                            const int64_t *bounds, size_t bound_count, const int64_t *counts,
                            int64_t sum, int64_t units);

#endif
