/* expire.h: one pass of expiry over a table: date partitions that are over leave it, with their
 * rows. */
#ifndef STREAMING_CARE_EXPIRE_H
#define STREAMING_CARE_EXPIRE_H

#include "streaming/care/care_work.h"

struct expire_order {
    int32_t before;      // dates before this day, in days since 1970
    bool by_retention;   // nobody has named the day:
    bool clock_believed; // then nothing expires by a clock that is not
    bool dry_run;        // only says what would be done
};

/* Partitions that wait, or whose date the query can hardly have, are said with host->say(). *result
 * is filled also when it fails. ERROR_CONFIG: the table has no date partitions, or a file system
 * that cannot do it; ERROR_STATE: a file cannot be read; ERROR_RETRY: the disk; ERROR_STOPPED:
 * host->breathe() said so. */
MUST_CHECK bool expire_pass(const struct care_table *table, const struct expire_order *order,
                            const struct care_host *host, struct care_result *result,
                            struct error *err);

#endif
