#include "streaming/operations/rewind_target.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/text.h"
#include "streaming/kafka/positions.h"

enum { LIST_TIMEOUT_MS = 20 * 1000 };

void rewind_target_deinit(struct rewind_target *target) {
    offsets_deinit(&target->ends);
    offsets_deinit(&target->known_ends);
    offsets_deinit(&target->before);
    *target = (struct rewind_target){0};
}

const char *rewind_time(int64_t ms, char text[static REWIND_TIME_MAX]) {
    time_t seconds = (time_t)(ms / 1000);
    struct tm at;
    char day[24] = "?";
    if (gmtime_r(&seconds, &at) != NULL)
        (void)strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &at);
    (void)snprintf(text, REWIND_TIME_MAX, "%s.%03dZ", day, (int)(ms % 1000));
    return text;
}

/* ---- a batch ---- */

/* A batch can stay if the ends of its plan are known. */
static const struct history_entry *next_entry(const struct history *history, int64_t batch_id) {
    for (size_t i = 0; i < history->count; i++)
        if (history->entries[i].last > batch_id && history->entries[i].has_ends)
            return &history->entries[i];
    return NULL;
}

static const struct history_entry *entry_before(const struct history *history, int64_t batch_id) {
    for (size_t i = history->count; i > 0; i--)
        if (history->entries[i - 1].last < batch_id && history->entries[i - 1].has_ends)
            return &history->entries[i - 1];
    return NULL;
}

static char *name_of(const struct history_entry *entry) {
    char time[REWIND_TIME_MAX];
    return text_format("%" PRId64 " (planned at %s)", entry->last,
                       rewind_time(entry->last_ms, time));
}

static bool not_known(const struct history *history, int64_t batch_id, struct error *err) {
    const struct history_entry *before = entry_before(history, batch_id);
    const struct history_entry *next = next_entry(history, batch_id);
    char *older = before == NULL ? NULL : name_of(before);
    char *newer = next == NULL ? text_copy("none") : name_of(next);
    if (older == NULL)
        (void)error_set(err, ERROR_CONFIG,
                        "the plan of batch %" PRId64
                        " is no longer known (REWIND_RETENTION): choose a newer batch; the oldest "
                        "that can stay is %s",
                        batch_id, newer);
    else
        (void)error_set(err, ERROR_CONFIG,
                        "batch %" PRId64
                        " was planned within a minute of others, and is no longer known apart from "
                        "them: choose a newer batch, %s, or an older one, %s",
                        batch_id, newer, older);
    free(older);
    free(newer);
    return false;
}

static bool has_plan(const struct store *store, int64_t batch_id, bool *has, struct error *err) {
    int there =
        file_exists(file_join_number(store->checkpoint.offsets.text, batch_id).text, NULL, err);
    *has = there == 1;
    return there >= 0;
}

/* Spark starts from the plan of the newest commit, and needs the one before it. */
static bool find_plans(const struct store *store, int64_t batch_id, bool *found,
                       struct error *err) {
    *found = true;
    return (batch_id == 0 || has_plan(store, batch_id - 1, found, err)) &&
           (!*found || has_plan(store, batch_id, found, err));
}

static bool read_plan(const struct store *store, int64_t batch_id, struct rewind_target *target,
                      struct error *err) {
    struct offset_entry plan;
    if (!checkpoint_read_ends(&store->checkpoint, batch_id, &plan, err))
        return false;
    target->timestamp_ms = plan.timestamp_ms;
    target->ends = plan.ends;
    plan.ends = (struct offsets){0};
    offset_entry_deinit(&plan);
    return true;
}

/* Of the batch before only the ends matter, which are at most those of the batch. */
static void read_entries(const struct history *history, const struct history_entry *entry,
                         struct rewind_target *target) {
    const struct history_entry *before = entry_before(history, entry->last);
    target->timestamp_ms = entry->last_ms;
    offsets_copy(&target->ends, &entry->ends);
    offsets_copy(&target->known_ends, &entry->known_ends);
    offsets_copy(&target->before, before == NULL ? &entry->ends : &before->ends);
}

static bool times_tell(const struct history *history, const struct rewind_target *target) {
    for (size_t i = 0; i < history->count; i++) {
        const struct history_entry *entry = &history->entries[i];
        bool later = entry->first > target->batch_id;
        if (later
                ? entry->first_ms <= target->timestamp_ms || entry->last_ms <= target->timestamp_ms
                : entry->last <= target->batch_id && entry->last_ms > target->timestamp_ms)
            return false;
    }
    return true;
}

bool rewind_target_read(const struct store *store, const struct history *history, int64_t batch_id,
                        struct rewind_target *target, struct error *err) {
    const struct history_entry *entry = history_find(history, batch_id);
    *target = (struct rewind_target){.batch_id = batch_id};
    if (!find_plans(store, batch_id, &target->planned, err))
        return false;
    if (target->planned && !read_plan(store, batch_id, target, err))
        return false;
    if (!target->planned && entry == NULL)
        return not_known(history, batch_id, err);
    if (!target->planned)
        read_entries(history, entry, target);
    target->times_tell = times_tell(history, target);
    return true;
}

/* ---- a time ---- */

bool rewind_target_before(const struct store *store, const struct history *history, int64_t newest,
                          int64_t before_ms, int64_t *batch_id, FILE *out, struct error *err) {
    const struct history_entry *found = NULL;
    char at[REWIND_TIME_MAX], asked[REWIND_TIME_MAX];
    for (size_t i = 0; i < history->count; i++) {
        const struct history_entry *entry = &history->entries[i];
        if (entry->has_ends && entry->last <= newest && entry->last_ms < before_ms)
            found = entry;
    }
    if (found == NULL) {
        const struct history_entry *oldest = next_entry(history, -1);
        return error_set(err, ERROR_CONFIG,
                         "no batch is known that was planned before %s; the oldest that can stay "
                         "was planned at %s: choose a later time",
                         rewind_time(before_ms, asked),
                         oldest == NULL ? "?" : rewind_time(oldest->last_ms, at));
    }
    *batch_id = found->last;
    const struct history_entry *before = entry_before(history, found->last);
    const struct history_entry *next = next_entry(history, found->last);
    (void)fprintf(out, "%s: batch %" PRId64 ", planned at %s, is the newest before %s",
                  store->options.query, found->last, rewind_time(found->last_ms, at),
                  rewind_time(before_ms, asked));
    if (before != NULL)
        (void)fprintf(out, "; before it, batch %" PRId64 " at %s", before->last,
                      rewind_time(before->last_ms, at));
    if (next != NULL)
        (void)fprintf(out, "; after it, batch %" PRId64 " at %s", next->last,
                      rewind_time(next->last_ms, at));
    (void)fprintf(out, ".\n");
    return true;
}

/* ---- the records ---- */

static int64_t position_of(const struct offsets *offsets, int32_t partition) {
    const struct partition_offset *found = offsets_find(offsets, partition);
    return found == NULL ? 0 : found->offset;
}

/* Adds each partition of which something between the two positions is gone. */
static void find_gone(const struct offsets *from, const struct offsets *now,
                      const struct topic_offsets *topic, struct partition_texts *gone) {
    for (size_t i = 0; i < now->count; i++) {
        int32_t partition = now->entries[i].partition;
        int64_t first = position_of(from, partition), end = now->entries[i].offset;
        const struct partition_offsets *listed = topic_offsets_find(topic, partition);
        if (first >= end || (listed != NULL && listed->log_start <= first))
            continue;
        if (listed == NULL)
            partition_texts_add(gone, "partition %" PRId32 " does not exist any more", partition);
        else
            partition_texts_add(gone,
                                "partition %" PRId32 " needs offset %" PRId64
                                ", the first that Kafka has is %" PRId64 ", %s gone",
                                partition, first, listed->log_start,
                                text_count(listed->log_start - first, "offset").text);
    }
}

/* The oldest batch after the target of which everything is there. */
static const struct history_entry *find_oldest(const struct rewind_target *target,
                                               const struct history *history,
                                               const struct offsets *now,
                                               const struct topic_offsets *topic) {
    const struct history_entry *entry = next_entry(history, target->batch_id);
    for (; entry != NULL; entry = next_entry(history, entry->last)) {
        struct partition_texts gone = {0};
        find_gone(&entry->ends, now, topic, &gone);
        if (gone.count == 0)
            return entry;
    }
    return NULL;
}

static bool refuse(const struct rewind_target *target, const struct history_entry *oldest,
                   const char *topic, const struct partition_texts *gone, struct error *err) {
    char *name = oldest == NULL ? text_copy("none") : name_of(oldest);
    (void)error_set(err, ERROR_CONFIG,
                    "Kafka no longer has all records after batch %" PRId64
                    " of topic %s: %s. The oldest batch that can stay is %s: choose it or a newer "
                    "one",
                    target->batch_id, topic, gone->text, name);
    free(name);
    return false;
}

bool rewind_target_check(const struct rewind_target *target, const struct history *history,
                         const struct offsets *now, struct broker *broker, const char *topic,
                         struct error *err) {
    struct topic_offsets listed;
    if (!broker->ops->list_offsets(broker, topic, LIST_TIMEOUT_MS, &listed, err))
        return error_wrap(err, "it is not known whether Kafka still has the records; use "
                               "--no-kafka-check to rewind without knowing");
    struct partition_texts gone = {0};
    find_gone(&target->ends, now, &listed, &gone);
    bool ok = gone.count == 0 ||
              refuse(target, find_oldest(target, history, now, &listed), topic, &gone, err);
    topic_offsets_deinit(&listed);
    return ok;
}
