/* range_json.h: the outcome of a range of offsets, as an object in manifests/N and coverage/N. */
#ifndef STREAMING_STORE_RANGE_JSON_H
#define STREAMING_STORE_RANGE_JSON_H

#include "base/error.h"
#include "base/json.h"
#include "core/plan.h"

/* With `counts_rows` also the counts of records: streaming/store/manifest.h, version 5. */
struct json *range_print(const struct range_outcome *outcome, bool counts_rows);

/* False: it is not described in full, or does not add up. */
MUST_CHECK bool range_parse(const struct json *object, bool counts_rows,
                            struct range_outcome *outcome);

/* The members of version 5 without the rest: "records", "empty", "filtered", "exploded",
 * "filteredRows". False: they, or `outcome->rows`, do not add up. */
void row_counts_print(const struct range_outcome *outcome, struct json *object);
MUST_CHECK bool row_counts_parse(const struct json *object, struct range_outcome *outcome);

#endif
