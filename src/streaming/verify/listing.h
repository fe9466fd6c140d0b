/* listing.h: Spark's sink log, read once more by other code than that which writes it: the newest
 * compact file up to a batch, and what follows it up to that batch. */
#ifndef STREAMING_VERIFY_LISTING_H
#define STREAMING_VERIFY_LISTING_H

#include "streaming/sink_log/sink_log.h"

/* Calls visit() for each entry: its path on disk (absolute, unquoted) and its size. ERROR_STATE: a
 * file of the log is missing, or not what it should be; ERROR_RETRY: the disk. */
MUST_CHECK bool listing_read(const struct sink_log *log, int64_t last,
                             void (*visit)(void *context, const char *path, int64_t size),
                             void *context, struct error *err);

#endif
