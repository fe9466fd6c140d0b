/* reject_filter.h: which rejects a command is about, by its options --reason, --partition,
 * --offsets,
 * --since and --until. */
#ifndef SURFACES_ROWS_REJECT_FILTER_H
#define SURFACES_ROWS_REJECT_FILTER_H

#include "base/text.h"
#include "surfaces/settings/config.h"

struct reject_filter {
    const char *reason; // NULL: any
    int64_t partition;  // -1: any
    struct number_range offsets;
    int64_t since, until; // of the batch's time, [since, until), microseconds since 1970
};

/* ERROR_CONFIG: a time that is none. */
MUST_CHECK bool reject_filter_init(struct reject_filter *filter, const struct config *config,
                                   struct error *err);

bool reject_filter_takes(const struct reject_filter *filter, struct text reason, int32_t partition,
                         int64_t offset, int64_t processed);

#endif
