/* lag_fixture.h: a query at the position that a test sets. */
#ifndef LAG_FIXTURE_H
#define LAG_FIXTURE_H

#include "base/check.h"
#include "base/system/clock.h"
#include "streaming/report/topic_lag.h"

enum { LAG_FIXTURE_MAX = 64 };

/* Positions and end offsets, listed just now. */
static inline void lag_fixture_set(struct lag_book *book, const struct partition_lag *partitions,
                                   size_t count) {
    struct offset_range positions[LAG_FIXTURE_MAX];
    struct partition_offsets ends[LAG_FIXTURE_MAX];
    check(count <= LAG_FIXTURE_MAX);
    for (size_t i = 0; i < count; i++) {
        positions[i] = (struct offset_range){partitions[i].partition, partitions[i].position,
                                             partitions[i].position};
        ends[i] = (struct partition_offsets){.partition = partitions[i].partition,
                                             .end = partitions[i].topic_end,
                                             .high = partitions[i].topic_end};
    }
    lag_book_set_positions(book, positions, count);
    lag_book_set_topic(book, &(struct topic_offsets){.count = count, .partitions = ends},
                       clock_monotonic_ms());
}

#endif
