/* topic_lag.h: how many records of its topic a query has not committed yet, and whether that is
 * known. The one definition: the page, the API, `status`, /metrics, the webhook and the log print
 * what is read here.
 *
 * The lag is known while the query's positions are known and the topic's end offsets are recent: no
 * older than LAG_INTERVAL and the time that an answer may take. The end offsets come from every
 * listing of the topic: the driver's (at a trigger, between two triggers), and the lag clock's
 * (streaming/query/lag_clock.h), which asks when nobody else has. */
#ifndef STREAMING_REPORT_TOPIC_LAG_H
#define STREAMING_REPORT_TOPIC_LAG_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/plan.h"
#include "streaming/kafka/broker.h"

enum {
    LAG_ANSWER_MS = 5000, // while a listing takes longer, the lag is unknown
    LAG_ERROR_MAX = 512,
};

/* The query's position in one partition. */
struct partition_lag {
    int32_t partition;
    int64_t topic_end; // at the newest listing; behind an open transaction that begins before the
                       // position, the high watermark
    int64_t position;  // the next offset, behind the newest committed batch
};

/* Records that wait in it. None in one whose log is shorter than what was read of it. */
static inline int64_t partition_lag_records(const struct partition_lag *partition) {
    return partition->topic_end > partition->position ? partition->topic_end - partition->position
                                                      : 0;
}

/* The lag at one moment. */
struct topic_lag {
    bool is_known;
    int64_t records;        // not committed yet; 0 while unknown
    int64_t age_ms;         // since the end offsets were last known; before that, since the start
    int64_t since_ms;       // that moment, wall clock: since then it is unknown, if it is
    bool has_positions;     // false while the query starts
    size_t partition_count; // 0 before the positions or the end offsets are known
    char error[LAG_ERROR_MAX]; // why the end offsets are not known; "": they were listed
};

struct lag_book {
    int64_t limit_ms;               // the oldest end offsets that count
    pthread_mutex_t writing;        // one writer at a time; guards the next three
    struct topic_offsets topic;     // owned; the newest listing; empty: none yet
    struct offset_range *positions; // owned; NULL: not known yet
    size_t position_count;
    pthread_mutex_t lock;        // guards the rest; held for a copy, never for memory or I/O
    struct topic_lag lag;        // except what depends on the time
    int64_t known_ms;            // monotonic; when the newest listing was asked for, or the start;
                                 // written with both locks held
    struct partition_lag *lines; // owned; lag.partition_count
};

/* The end that is shown for a partition of which `position` is the next offset. */
int64_t lag_shown_end(const struct partition_offsets *listed, int64_t position);

void lag_book_init(struct lag_book *book);
void lag_book_deinit(struct lag_book *book);

/* LAG_INTERVAL; before any other thread uses it. */
void lag_book_set_interval(struct lag_book *book, int64_t interval_ms);

/* From now on the query's positions are the ends of these ranges. Driver thread. */
void lag_book_set_positions(struct lag_book *book, const struct offset_range *ranges, size_t count);

/* The topic was listed; `asked_ms`, monotonic, is from before the question. A listing that was
 * asked for earlier than the newest is ignored. Any thread. */
void lag_book_set_topic(struct lag_book *book, const struct topic_offsets *topic, int64_t asked_ms);

/* A listing failed. Any thread. */
void lag_book_note_error(struct lag_book *book, const char *error);

/* Whether the listing needs the high watermarks. Any thread. */
bool lag_book_wants_high(struct lag_book *book, const struct topic_offsets *topic);

/* Any thread. *partitions, unless `partitions` is NULL: lag.partition_count of them, ascending,
 * which the caller frees; while the lag is unknown, only their positions count. */
struct topic_lag topic_lag_read(struct lag_book *book, struct partition_lag **partitions);

/* "1203" or "unknown since 20:11:02", in local time like the lines of the log. */
enum { LAG_TEXT_MAX = 32 };
void topic_lag_print(const struct topic_lag *lag, char text[static LAG_TEXT_MAX]);

/* "20:11:02": since when it is unknown. */
void topic_lag_since(const struct topic_lag *lag, char text[static LAG_TEXT_MAX]);

#endif
