/* explain.h: why an offset is in no file. */
#ifndef STREAMING_VERIFY_EXPLAIN_H
#define STREAMING_VERIFY_EXPLAIN_H

#include "streaming/verify/gaps.h"
#include "streaming/verify/report.h"

/* Explains the gaps: fills absent, lost, missing and unproven of the report's partitions, and names
 * what is wrong. */
MUST_CHECK bool gaps_explain(struct gaps *gaps, const struct verify_options *options,
                             struct verify_report *report, struct error *err);

#endif
