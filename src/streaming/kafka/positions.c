/* positions.c: each partition is in one of four states, by its position p, the end e and the high
 * watermark h of its log: ready (p <= e), waiting for an open transaction (e < p <= h), ahead of a
 * log that is shorter than what was read (h < p), or gone. Whether a position may go back is
 * decided elsewhere (streaming/query/topic_change.c); here is where it would go. */
#include "streaming/kafka/positions.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"

enum { MORE_MAX = 32 }; // bytes that "; and … more" needs

/* The first text that does not fit ends the naming, so that those named are the first ones. */
void partition_texts_add(struct partition_texts *texts, const char *format, ...) {
    char one[sizeof texts->text - MORE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(one, sizeof one, format, args);
    va_end(args);
    size_t room = sizeof texts->text - MORE_MAX - texts->used;
    char *at = texts->text + texts->used;
    texts->count++;
    int length = snprintf(at, room, "%s%s", texts->used > 0 ? "; " : "", one);
    if (texts->named + 1 == texts->count && (size_t)length < room) {
        texts->used += (size_t)length;
        texts->named++;
        return;
    }
    (void)snprintf(at, MORE_MAX, "; and %zu more", texts->count - texts->named);
}

enum position_state position_state(int64_t position, const struct partition_offsets *listed) {
    if (listed == NULL)
        return POSITION_GONE;
    if (position <= listed->end)
        return POSITION_READY;
    check(listed->high != BROKER_NOT_ASKED);
    return position <= listed->high ? POSITION_WAITS : POSITION_AHEAD;
}

int64_t positions_next(const struct offset_range *starts, size_t count, int32_t partition) {
    for (size_t i = 0; i < count; i++)
        if (starts[i].partition == partition)
            return starts[i].end;
    return 0; // a new partition is read from its start
}

/* Only behind a listed end does it matter where the log really ends, and asking costs a request. */
bool positions_want_high(const struct offset_range *starts, size_t count,
                         const struct topic_offsets *topic) {
    for (size_t i = 0; i < count; i++) {
        const struct partition_offsets *listed = topic_offsets_find(topic, starts[i].partition);
        if (listed != NULL && listed->end < starts[i].end)
            return true;
    }
    return false;
}

void positions_view(const struct offset_range *starts, size_t count,
                    const struct topic_offsets *topic, struct positions_view *view) {
    *view = (struct positions_view){0};
    for (size_t i = 0; i < count; i++) {
        int32_t partition = starts[i].partition;
        int64_t position = starts[i].end;
        const struct partition_offsets *listed = topic_offsets_find(topic, partition);
        switch (position_state(position, listed)) {
        case POSITION_READY:
            break;
        case POSITION_WAITS:
            partition_texts_add(&view->waiting,
                                "partition %" PRId32 " can be read up to offset %" PRId64
                                ", but the next offset is %" PRId64,
                                partition, listed->end, position);
            break;
        case POSITION_AHEAD:
            partition_texts_add(&view->broken,
                                "partition %" PRId32 " ends at offset %" PRId64
                                ", before the next offset %" PRId64,
                                partition, listed->high, position);
            break;
        case POSITION_GONE:
            partition_texts_add(&view->broken,
                                "partition %" PRId32 " is gone (its next offset was %" PRId64 ")",
                                partition, position);
            partition_texts_add(
                &view->gone, "partition %" PRId32 " is not listed (its next offset is %" PRId64 ")",
                partition, position);
            break;
        }
    }
}

int64_t positions_held_back(const struct offset_range *starts, size_t count,
                            const struct topic_offsets *topic) {
    int64_t held_back = 0;
    for (size_t i = 0; i < count; i++) {
        const struct partition_offsets *listed = topic_offsets_find(topic, starts[i].partition);
        if (position_state(starts[i].end, listed) == POSITION_WAITS)
            held_back += listed->high - starts[i].end;
    }
    return held_back;
}

static int compare_ranges(const void *a, const void *b) {
    int32_t left = ((const struct offset_range *)a)->partition;
    int32_t right = ((const struct offset_range *)b)->partition;
    return (left > right) - (left < right);
}

void ranges_sort(struct offset_range *ranges, size_t count) {
    qsort(ranges, count, sizeof *ranges, compare_ranges);
}

static int64_t move_back(int64_t position, const struct partition_offsets *listed,
                         const struct offsets *lowest) {
    const struct partition_offset *low = offsets_find(lowest, listed->partition);
    if (low != NULL && low->offset < position)
        return low->offset;
    return position_state(position, listed) == POSITION_AHEAD ? listed->end : position;
}

struct offset_range *positions_move(const struct offset_range *starts, size_t count,
                                    const struct topic_offsets *topic, bool renewed,
                                    const struct offsets *lowest, size_t *moved_count) {
    struct offset_range *moved = must_alloc(topic->count + count, sizeof *moved);
    *moved_count = 0;
    for (size_t i = 0; i < topic->count; i++) {
        const struct partition_offsets *listed = &topic->partitions[i];
        int64_t position =
            renewed ? 0
                    : move_back(positions_next(starts, count, listed->partition), listed, lowest);
        moved[(*moved_count)++] = (struct offset_range){listed->partition, position, position};
    }
    // A partition that is not listed may be back with the next listing.
    for (size_t i = 0; i < count && !renewed; i++)
        if (topic_offsets_find(topic, starts[i].partition) == NULL)
            moved[(*moved_count)++] = starts[i];
    ranges_sort(moved, *moved_count);
    return moved;
}

void positions_note_lowest(const struct offset_range *starts, size_t count,
                           const struct topic_offsets *topic, struct offsets *lowest) {
    for (size_t i = 0; i < count; i++) {
        const struct partition_offsets *listed = topic_offsets_find(topic, starts[i].partition);
        if (position_state(starts[i].end, listed) != POSITION_AHEAD)
            continue;
        struct partition_offset *low = NULL;
        for (size_t j = 0; j < lowest->count; j++)
            if (lowest->entries[j].partition == listed->partition)
                low = &lowest->entries[j];
        if (low == NULL)
            offsets_add(lowest, listed->partition, listed->end);
        else if (listed->end < low->offset)
            low->offset = listed->end;
        offsets_sort(lowest);
    }
}

void positions_keep_lowest(const struct offset_range *starts, size_t count,
                           struct offsets *lowest) {
    size_t kept = 0;
    for (size_t i = 0; i < lowest->count; i++)
        if (lowest->entries[i].offset < positions_next(starts, count, lowest->entries[i].partition))
            lowest->entries[kept++] = lowest->entries[i];
    lowest->count = kept;
}
