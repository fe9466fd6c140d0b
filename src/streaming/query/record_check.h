/* record_check.h: whether a topic is still the one that a query has read, by records that both the
 * topic and the table or the rejects have: the same offset of another topic hardly has the same
 * timestamp, to the millisecond. Of each partition the newest and the oldest such record of this
 * incarnation are compared. Reads the columns `partition`, `offset` and two timestamps of the files
 * whose statistics allow the offsets, those of the newest manifests first, so it is for rare
 * moments. */
#ifndef STREAMING_QUERY_RECORD_CHECK_H
#define STREAMING_QUERY_RECORD_CHECK_H

#include "streaming/query/topic_watch.h"

enum record_match {
    RECORD_UNKNOWN, // the topic or the table does not have it, or it has no timestamp; or all
                    // records that were compared have the same one, so that it tells nothing
    RECORD_SAME,
    RECORD_OTHER,
};

enum { RECORD_PARTITIONS_MAX = 8, RECORD_TEXT_MAX = 256 };

struct record_check {
    enum record_match topic; // RECORD_SAME: a record of it is the same, be it an old one
    size_t count;            // partitions that were compared, those of watch->lowest first
    struct record_verdict {
        int32_t partition;
        enum record_match newest; // below the position; RECORD_OTHER in the same topic: its log was
                                  // cut, and written on
    } partitions[RECORD_PARTITIONS_MAX];
    bool nothing_read;          // all offsets so far were lost, from offset 0 on
    char text[RECORD_TEXT_MAX]; // what differs
};

/* `newest_only`: looks in the files of the newest batch, and in others only if a record differs
 * there. ERROR_STOPPED; ERROR_BROKER, ERROR_NO_TOPIC, ERROR_DATA_LOSS: list the topic and try
 * again; ERROR_RETRY, ERROR_LIMIT: the disk, try again. What can't be read for another reason is
 * RECORD_UNKNOWN, and logged. */
MUST_CHECK bool record_check(struct topic_watch *watch, bool newest_only,
                             struct record_check *result, struct error *err);

/* RECORD_UNKNOWN also of a partition that was not compared. */
enum record_match record_check_newest(const struct record_check *result, int32_t partition);

#endif
