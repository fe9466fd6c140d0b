/* The history by place: the records of one incarnation and partition lie next to one another, and
 * have no gap, so that an offset's index is counted, not looked for. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "checker_state.h"

struct group {
    int64_t first; // offset
    size_t begin, count;
};

static const struct model_record *records;
static size_t record_count;
static struct group (*groups)[MODEL_PARTITIONS_MAX]; // owned; by incarnation
static int incarnation_count;

static void note(size_t index) {
    const struct model_record *record = &records[index];
    struct group *group = &groups[record->incarnation][record->partition];
    if (group->count == 0)
        *group = (struct group){record->offset, index, 0};
    check(record->offset == group->first + (int64_t)group->count);
    group->count++;
}

void past_take(void) {
    record_count = model_broker_history(&records);
    incarnation_count = record_count == 0 ? 0 : records[record_count - 1].incarnation + 1;
    free(groups);
    groups = must_alloc((size_t)incarnation_count + 1, sizeof *groups);
    for (size_t i = 0; i < record_count; i++)
        note(i);
}

void past_end(void) {
    free(groups);
    groups = NULL;
    record_count = 0;
    incarnation_count = 0;
}

size_t past_count(void) {
    return record_count;
}

const struct model_record *past_at(size_t index) {
    return &records[index];
}

int64_t past_find(struct content_place place) {
    if (place.incarnation < 0 || place.incarnation >= incarnation_count || place.partition < 0 ||
        place.partition >= MODEL_PARTITIONS_MAX)
        return PAST_NONE;
    const struct group *group = &groups[place.incarnation][place.partition];
    int64_t at = place.offset - group->first;
    return at < 0 || at >= (int64_t)group->count ? PAST_NONE : (int64_t)group->begin + at;
}

int64_t past_next(int32_t partition, int64_t offset, int *incarnation) {
    while (*incarnation < incarnation_count) {
        int64_t found = past_find((struct content_place){(*incarnation)++, partition, offset});
        if (found != PAST_NONE)
            return found;
    }
    return PAST_NONE;
}
