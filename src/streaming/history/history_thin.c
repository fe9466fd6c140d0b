#include "streaming/history/history_thin.h"

#include "base/check.h"

static bool is_behind(const struct range_outcome *range, const struct coverage *outcome) {
    for (size_t i = 0; i < outcome->count; i++)
        if (outcome->ranges[i].range.partition == range->range.partition &&
            outcome->ranges[i].range.end > range->range.start)
            return false;
    return true;
}

static bool is_all_behind(const struct coverage *later, const struct coverage *outcome) {
    for (size_t i = 0; i < later->count; i++)
        if (!is_behind(&later->ranges[i], outcome))
            return false;
    return true;
}

/* Positions that move stay visible, as does whose batch it was. */
bool history_joins(const struct history_entry *to, const struct history_entry *entry) {
    return entry->first == to->last + 1 && entry->last_ms - to->first_ms < HISTORY_THIN_MS &&
           entry->last_ms >= to->first_ms && entry->incarnation == to->incarnation &&
           entry->known_ends.count == 0 && entry->has_ends && to->has_ends &&
           entry->of_spark == to->of_spark && is_all_behind(&entry->outcome, &to->outcome);
}

/* Moves. False: they don't go together, and both are as they were. */
static bool join(struct history_entry *to, struct history_entry *entry) {
    struct error ignored;
    if (!history_joins(to, entry))
        return false;
    for (size_t i = 0; i < entry->outcome.count; i++)
        check(coverage_add(&to->outcome, &entry->outcome.ranges[i], &ignored));
    to->outcome.counts_rows = to->outcome.counts_rows || entry->outcome.counts_rows;
    resolved_add_all(&to->outcome.replayed, &entry->outcome.replayed);
    replay_counts_add_all(&to->outcome.replay_counts, &entry->outcome.replay_counts);
    offsets_deinit(&to->ends);
    to->ends = entry->ends;
    entry->ends = (struct offsets){0};
    to->last = entry->last;
    to->last_ms = entry->last_ms;
    history_entry_deinit(entry);
    return true;
}

void history_thin(struct history *history) {
    size_t kept = 0;
    for (size_t i = 0; i < history->count; i++)
        if (kept == 0 || !join(&history->entries[kept - 1], &history->entries[i]))
            history->entries[kept++] = history->entries[i];
    history->count = kept;
    history->thinned = true;
}
