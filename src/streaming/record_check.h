/* record_check.h: whether a topic is still the one that a query has read, by one record of it that
 * the table or the rejects have: the same offset of another topic hardly has the same timestamp, to
 * the millisecond. For a topic whose id is not known (streaming/broker.h). Reads the columns
 * `partition`, `offset` and two timestamps of the files whose statistics allow the offset, so it is
 * for rare moments. */
#ifndef STREAMING_RECORD_CHECK_H
#define STREAMING_RECORD_CHECK_H

#include "streaming/query.h"

enum record_match {
    RECORD_UNKNOWN, // the topic or the table does not have it, or it has no timestamp
    RECORD_SAME,
    RECORD_OTHER,
};

enum { RECORD_CHECK_TEXT_MAX = 256 };

/* Compares, for one partition after the other, the last record that the query has read and the
 * topic still has, until one tells. `newest_only`: looks for it in the files of the newest
 * manifest, which are few, and not in the whole table. `text` says what differs. What can't be read
 * is RECORD_UNKNOWN. */
enum record_match record_check(struct query *query, bool newest_only,
                               char text[static RECORD_CHECK_TEXT_MAX]);

#endif
