/* gaps.h: the offsets that are in no file, and who answers for them. Of gaps, GAPS_MAX are kept by
 * place; the counts are exact for any number of them. */
#ifndef STREAMING_VERIFY_GAPS_H
#define STREAMING_VERIFY_GAPS_H

#include "streaming/changes/snapshot.h"
#include "streaming/kafka/broker.h"
#include "streaming/verify/offset_map.h"
#include "streaming/verify/report.h"

enum { GAPS_MAX = 1 << 18 };

struct gap {
    int64_t start, end;
    uint32_t range;  // index of the snapshot's ranges
    uint32_t piece;  // of struct gaps
    int64_t found;   // offsets of it that the broker has a record for,
    int64_t dropped; // without those whose value Spark drops
    bool asked;      // the broker was
};

/* A part of a partition's range that one outcome accounts for, or none. */
struct piece {
    uint32_t range;
    int64_t start, end;
    const struct range_outcome *outcome; // NULL: batches without a manifest
    int64_t unmet;                       // offsets of it that are in no file, without the following
    int64_t expired, accepted;           // those whose rows left the table with a change
    bool has_gone; // of some of its offsets rows left, whether or not others are there
};

struct gaps {
    const struct snapshot *snapshot;
    struct piece *pieces; // owned; ascending by range and start
    size_t piece_count;
    struct gap *gaps;    // owned; ascending likewise
    size_t count;        // at most GAPS_MAX; what is beyond is only counted, in `unmet`
    bool renewed;        // the broker has another topic of that name
    bool row_per_record; // of the query: a record of Spark's batches that has no row is missing
};

/* Records of the piece that have no row: they are in no file. */
static inline int64_t piece_rowless(const struct piece *piece) {
    return piece->outcome == NULL ? 0 : piece->outcome->empty + piece->outcome->filtered;
}

/* Cuts the ranges into pieces. */
void gaps_init(struct gaps *gaps, const struct snapshot *snapshot);
void gaps_deinit(struct gaps *gaps);

/* Takes the gaps of all windows of the map. Windows come in ascending order. */
void gaps_collect(struct gaps *gaps, const struct offset_map *map);

/* The part of a gap that the broker has now, of the same log; empty: start == end. */
struct offset_range gap_on_broker(const struct gaps *gaps, const struct gap *gap,
                                  const struct topic_offsets *topic);

/* Which gaps the broker is asked about, and how much. */
struct question {
    bool (*wanted)(const struct piece *piece);
    const char
        *reason; // what a record there means, for a fault's text; NULL: none, it is not a fault
    int64_t offsets_max; // to be read, gaps and what lies between near ones
    int64_t ranges_max;  // to be opened
};

/* Sets `asked` and `found` of the wanted gaps, as far as the broker still has their offsets, and
 * names each run of offsets that have a record. ERROR_BROKER: it keeps silent. */
MUST_CHECK bool gaps_ask(struct gaps *gaps, const struct question *question,
                         const struct verify_options *options, const struct topic_offsets *topic,
                         struct verify_report *report, struct error *err);

#endif
