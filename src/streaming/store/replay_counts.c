#include "streaming/store/replay_counts.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "streaming/store/range_json.h"

void replay_counts_deinit(struct replay_counts *counts) {
    free(counts->sums);
    resolved_deinit(&counts->rowless);
    *counts = (struct replay_counts){0};
}

static bool comes_before(const struct range_outcome *sum, int32_t incarnation, int32_t partition) {
    return sum->incarnation != incarnation ? sum->incarnation < incarnation
                                           : sum->range.partition < partition;
}

/* The sum of a partition, which begins as zeros. */
static struct range_outcome *sum_of(struct replay_counts *counts, int32_t incarnation,
                                    int32_t partition) {
    size_t at = 0;
    while (at < counts->count && comes_before(&counts->sums[at], incarnation, partition))
        at++;
    bool there = at < counts->count && counts->sums[at].incarnation == incarnation &&
                 counts->sums[at].range.partition == partition;
    if (there)
        return &counts->sums[at];
    counts->sums = reallocarray(counts->sums, counts->count + 1, sizeof *counts->sums);
    check(counts->sums != NULL);
    struct range_outcome *sum = &counts->sums[at];
    memmove(sum + 1, sum, (counts->count - at) * sizeof *sum);
    *sum = (struct range_outcome){.range.partition = partition, .incarnation = incarnation};
    counts->count++;
    return sum;
}

void replay_counts_add(struct replay_counts *counts, int32_t incarnation, int32_t partition,
                       int64_t offset, int64_t exploded, int64_t rows) {
    struct range_outcome *sum = sum_of(counts, incarnation, partition);
    sum->records += rows > 0;
    sum->empty += exploded == 0;
    sum->filtered += exploded > 0 && rows == 0;
    sum->exploded += exploded;
    sum->filtered_rows += exploded - rows;
    sum->rows += rows;
    if (rows == 0)
        (void)resolved_add(&counts->rowless, incarnation, partition, offset);
}

struct plain_sums {
    struct replay_counts *counts;
    const struct resolved *replayed;
};

static void add_plain(void *context, int32_t incarnation, int32_t partition) {
    const struct plain_sums *plain = context;
    struct range_outcome more = {0};
    range_outcome_set_records(&more, resolved_count_of(plain->replayed, incarnation, partition));
    range_outcome_add(sum_of(plain->counts, incarnation, partition), &more);
}

void replay_counts_add_plain(struct replay_counts *counts, const struct resolved *replayed) {
    resolved_each_partition(replayed, add_plain, &(struct plain_sums){counts, replayed});
}

void replay_counts_add_all(struct replay_counts *counts, const struct replay_counts *more) {
    for (size_t i = 0; i < more->count; i++)
        range_outcome_add(sum_of(counts, more->sums[i].incarnation, more->sums[i].range.partition),
                          &more->sums[i]);
    resolved_add_all(&counts->rowless, &more->rowless);
}

static bool is_empty(const struct range_outcome *sum) {
    return sum->records == 0 && sum->empty == 0 && sum->filtered == 0;
}

bool replay_counts_drop_all(struct replay_counts *counts, const struct replay_counts *less) {
    for (size_t i = 0; i < less->count; i++) {
        const struct range_outcome *part = &less->sums[i];
        if (replay_counts_find(counts, part->incarnation, part->range.partition) == NULL)
            return false;
        struct range_outcome *sum = sum_of(counts, part->incarnation, part->range.partition);
        if (!range_outcome_take(sum, part))
            return false;
        size_t behind = (size_t)(&counts->sums[counts->count] - (sum + 1));
        if (!is_empty(sum))
            continue;
        memmove(sum, sum + 1, behind * sizeof *sum);
        counts->count--;
    }
    resolved_drop_all(&counts->rowless, &less->rowless);
    return true;
}

const struct range_outcome *replay_counts_find(const struct replay_counts *counts,
                                               int32_t incarnation, int32_t partition) {
    for (size_t i = 0; i < counts->count; i++)
        if (counts->sums[i].incarnation == incarnation &&
            counts->sums[i].range.partition == partition)
            return &counts->sums[i];
    return NULL;
}

struct range_outcome replay_counts_sum(const struct replay_counts *counts) {
    struct range_outcome sum = {0};
    for (size_t i = 0; i < counts->count; i++)
        range_outcome_add(&sum, &counts->sums[i]);
    return sum;
}

/* ---- text ---- */

void replay_counts_print(const struct replay_counts *counts, struct json *object) {
    struct json *array = json_new_array();
    for (size_t i = 0; i < counts->count; i++) {
        const struct range_outcome *sum = &counts->sums[i];
        struct json *entry = json_new_object();
        if (sum->incarnation > 0)
            json_put_int(entry, "incarnation", sum->incarnation);
        json_put_int(entry, "partition", sum->range.partition);
        row_counts_print(sum, entry);
        json_put_int(entry, "rows", sum->rows);
        json_append(array, entry);
    }
    json_put(object, "replayedCounts", array);
    if (counts->rowless.count > 0)
        json_put(object, "replayedWithoutRows", resolved_print(&counts->rowless));
}

static bool parse_sum(const struct json *entry, struct range_outcome *sum) {
    int64_t incarnation = 0, partition;
    *sum = (struct range_outcome){0};
    if ((json_member(entry, "incarnation") != NULL &&
         !json_member_int(entry, "incarnation", &incarnation)) ||
        incarnation < 0 || incarnation > INT32_MAX ||
        !json_member_int(entry, "partition", &partition) || partition < 0 ||
        partition > INT32_MAX || !json_member_int(entry, "rows", &sum->rows) ||
        !row_counts_parse(entry, sum))
        return false;
    sum->incarnation = (int32_t)incarnation;
    sum->range.partition = (int32_t)partition;
    return true;
}

/* Whether a sum is of what was replayed of its partition. */
static bool is_complete(const struct range_outcome *sum, const struct resolved *replayed,
                        const struct resolved *rowless) {
    int32_t incarnation = sum->incarnation, partition = sum->range.partition;
    int64_t without = resolved_count_of(rowless, incarnation, partition);
    int64_t count = resolved_count_of(replayed, incarnation, partition);
    return count > 0 && sum->empty <= without && sum->filtered == without - sum->empty &&
           sum->records == count - without;
}

static bool parse_sums(const struct json *array, const struct resolved *replayed,
                       struct replay_counts *counts) {
    int64_t left = replayed->count;
    for (size_t i = 0; i < json_count(array); i++) {
        struct range_outcome sum;
        size_t known = counts->count;
        if (!parse_sum(json_at(array, i), &sum) || !is_complete(&sum, replayed, &counts->rowless))
            return false;
        left -= sum.records + sum.empty + sum.filtered;
        *sum_of(counts, sum.incarnation, sum.range.partition) = sum;
        if (counts->count == known) // a partition twice
            return false;
    }
    return left == 0;
}

bool replay_counts_parse(const struct json *object, const struct resolved *replayed,
                         struct replay_counts *counts) {
    const struct json *rowless = json_member(object, "replayedWithoutRows");
    struct error ignored;
    *counts = (struct replay_counts){0};
    bool ok = rowless == NULL || resolved_parse(rowless, &counts->rowless, &ignored);
    ok = ok && resolved_has_all(replayed, &counts->rowless) &&
         parse_sums(json_member(object, "replayedCounts"), replayed, counts);
    if (!ok)
        replay_counts_deinit(counts);
    return ok;
}
