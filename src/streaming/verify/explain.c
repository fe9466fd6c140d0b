/* explain.c: gaps become lost, absent, missing or unproven offsets.
 *
 * Where manifests account for a piece, they say how many of its offsets have no record, or one
 * without a row (empty, filtered); if no more are in no file, these are those. Otherwise, and where
 * nobody accounts for them, the broker is asked: what it has a record of is missing, what it has no
 * record of is absent. Offsets that it does not hold any more are missing if a manifest counts
 * them, else unproven. Some of what manifests call absent is asked for, too, as a check on them. */
#include "streaming/verify/explain.h"

#include <inttypes.h>
#include <string.h>

#include "base/log/log.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "streaming/kafka/positions.h"
#include "streaming/store/checkpoint_notes.h"
#include "streaming/verify/gaps.h"

enum {
    ASK_OFFSETS_MAX = 1 << 24, // about ten seconds of reading
    ASK_RANGES_MAX = 1 << 14,
    SPOT_OFFSETS_MAX = 1 << 17, // of offsets that are absent by a manifest's word
    SPOT_RANGES_MAX = 1 << 8,
};

/* ---- what they mean ---- */

static bool is_unaccounted(const struct piece *piece) {
    return piece->unmet > 0 &&
           (piece->outcome == NULL || (piece->outcome->lost == 0 && piece_rowless(piece) == 0 &&
                                       piece->unmet > piece->outcome->absent));
}

/* The same of a query whose records can have no row: where there is no manifest, a record without a
 * row need not be missing. */
static bool is_unaccounted_by_us(const struct piece *piece) {
    return piece->outcome != NULL && is_unaccounted(piece);
}

static bool is_of_spark(const struct piece *piece) {
    return piece->unmet > 0 && piece->outcome == NULL;
}

static bool is_absent_by_word(const struct piece *piece) {
    return piece->unmet > 0 && piece->outcome != NULL && piece->outcome->lost == 0 &&
           piece_rowless(piece) == 0 && piece->unmet <= piece->outcome->absent;
}

/* What the gaps of a piece come to. */
struct piece_sum {
    int64_t found;    // the broker has a record
    int64_t unproven; // the broker does not have the offset, or was not asked
    int64_t kept;     // in gaps that are known by place
};

static struct piece_sum sum_up(const struct gaps *gaps, size_t *at, size_t piece,
                               const struct topic_offsets *topic) {
    struct piece_sum sum = {0};
    for (; *at < gaps->count && gaps->gaps[*at].piece == piece; ++*at) {
        const struct gap *gap = &gaps->gaps[*at];
        struct offset_range there = gap_on_broker(gaps, gap, topic);
        sum.kept += gap->end - gap->start;
        sum.found += gap->found;
        sum.unproven += gap->end - gap->start - (gap->asked ? there.end - there.start : 0);
    }
    return sum;
}

/* Offsets that a manifest counts as rows or rejects, and that cannot be distinguished from the
 * absent ones, because the broker no longer has their records. */
static void name_untold(const struct gaps *gaps, size_t first, size_t end, int64_t untold,
                        struct verify_report *report) {
    enum { NAMED_MAX = 8 };
    const struct piece *piece = &gaps->pieces[gaps->gaps[first].piece];
    char name[SNAPSHOT_NAME_MAX], text[NAMED_MAX * 48] = "";
    size_t used = 0, named = 0;
    for (size_t i = first; i < end && named < NAMED_MAX; i++) {
        const struct gap *gap = &gaps->gaps[i];
        if (gap->found == gap->end - gap->start)
            continue;
        used = text_append(text, sizeof text, used, "%s%" PRId64 " to %" PRId64,
                           named++ > 0 ? ", " : "", gap->start, gap->end - 1);
    }
    verify_say(report, VERIFY_MISSING,
               "%s, %" PRId64 " of the offsets %s%s: the manifests count them as rows or rejects",
               snapshot_name(gaps->snapshot, &gaps->snapshot->ranges[piece->range], name), untold,
               text, named == NAMED_MAX ? ", …" : "");
}

static void settle_unaccounted(const struct piece *piece, const struct piece_sum *sum,
                               bool row_per_record, struct verify_partition *partition) {
    // A gap that is not kept by place was not asked for either.
    int64_t unproven = sum->unproven + piece->unmet - sum->kept;
    partition->absent += piece->unmet - sum->found - unproven;
    partition->unproven += unproven + (row_per_record ? 0 : sum->found);
    partition->missing += row_per_record ? sum->found : 0;
}

/* What is in no file, and not missing, in the order of the fields: up to what the manifests say,
 * and the rest is absent. */
static void settle_rowless(const struct range_outcome *outcome, int64_t left,
                           struct verify_partition *partition) {
    int64_t empty = left < outcome->empty ? left : outcome->empty;
    int64_t filtered = left - empty < outcome->filtered ? left - empty : outcome->filtered;
    partition->empty += empty;
    partition->filtered += filtered;
    partition->absent += left - empty - filtered;
}

static void settle_accounted(const struct gaps *gaps, const struct piece *piece,
                             const struct piece_sum *sum, size_t first, size_t end,
                             struct verify_report *report) {
    struct verify_partition *partition = &report->partitions[piece->range];
    char name[SNAPSHOT_NAME_MAX];
    (void)snapshot_name(gaps->snapshot, &gaps->snapshot->ranges[piece->range], name);
    const struct range_outcome *outcome = piece->outcome;
    int64_t promised = outcome->lost > 0 ? outcome->lost : outcome->absent + piece_rowless(piece);
    if (piece->unmet + piece->expired + piece->accepted < promised)
        verify_say(report, VERIFY_MISSING,
                   "%s, offsets %" PRId64 " to %" PRId64 ": the manifests count %" PRId64
                   " offsets without a %s, but only %" PRId64 " are missing from the files",
                   name, piece->start, piece->end - 1, promised,
                   piece_rowless(piece) > 0 ? "row" : "record",
                   piece->unmet + piece->expired + piece->accepted);
    if (outcome->lost > 0) {
        partition->lost += piece->unmet;
        return;
    }
    int64_t missing = piece->unmet > promised ? piece->unmet - promised : 0;
    if (missing > sum->found && end > first)
        name_untold(gaps, first, end, missing - sum->found, report);
    else if (missing > sum->found)
        verify_say(report, VERIFY_MISSING,
                   "%s, %" PRId64 " of the offsets %" PRId64 " to %" PRId64
                   "; they are too scattered to list",
                   name, missing - sum->found, piece->start, piece->end - 1);
    missing = missing > sum->found ? missing : sum->found;
    partition->missing += missing;
    settle_rowless(outcome, piece->unmet - missing, partition);
}

static void settle(const struct gaps *gaps, const struct topic_offsets *topic,
                   struct verify_report *report) {
    size_t at = 0;
    for (size_t i = 0; i < gaps->piece_count; i++) {
        const struct piece *piece = &gaps->pieces[i];
        size_t first = at;
        struct piece_sum sum = sum_up(gaps, &at, i, topic);
        report->partitions[piece->range].expired += piece->expired;
        report->partitions[piece->range].accepted += piece->accepted;
        if (piece->outcome == NULL)
            settle_unaccounted(piece, &sum, gaps->row_per_record,
                               &report->partitions[piece->range]);
        else
            settle_accounted(gaps, piece, &sum, first, at, report);
    }
}

/* Those that have no row are in the rejects alone. */
static void settle_replayed(const struct gaps *gaps, struct verify_report *report) {
    for (size_t i = 0; i < report->partition_count; i++) {
        struct verify_partition *partition = &report->partitions[i];
        const struct range_outcome *sum = replay_counts_find(
            &gaps->snapshot->outcomes.replay_counts, partition->incarnation, partition->partition);
        partition->empty += sum == NULL ? 0 : sum->empty;
        partition->filtered += sum == NULL ? 0 : sum->filtered;
    }
}

/* Records of Spark's batches that have no row. */
static void note_rowless(const struct gaps *gaps, struct verify_report *report) {
    int64_t found = 0;
    for (size_t i = 0; i < gaps->count && !gaps->row_per_record; i++)
        found += gaps->pieces[gaps->gaps[i].piece].outcome == NULL ? gaps->gaps[i].found : 0;
    if (found > 0)
        verify_say(report, VERIFY_NOTE,
                   "%s of Spark's batches without a row counted as unproven: empty, filtered or "
                   "missing",
                   text_count(found, "record").text);
}

static void note_dropped(const struct gaps *gaps, struct verify_report *report) {
    int64_t dropped = 0;
    for (size_t i = 0; i < gaps->count; i++)
        dropped += gaps->gaps[i].dropped;
    if (dropped > 0)
        verify_say(
            report, VERIFY_NOTE,
            "%s of Spark's batches counted as absent: null or blank value, which Spark drops",
            text_count(dropped, "record").text);
}

static void name_range(const struct gaps *gaps, uint32_t range, enum verify_kind kind,
                       int64_t start, int64_t end, struct verify_report *report) {
    char name[SNAPSHOT_NAME_MAX];
    (void)snapshot_name(gaps->snapshot, &gaps->snapshot->ranges[range], name);
    if (end == start + 1)
        verify_say(report, kind, "%s, offset %" PRId64, name, start);
    else
        verify_say(report, kind, "%s, offsets %" PRId64 " to %" PRId64, name, start, end - 1);
}

static void name_lost_and_absent(const struct gaps *gaps, struct verify_report *report) {
    for (size_t i = 0; i < gaps->piece_count; i++) {
        const struct piece *piece = &gaps->pieces[i];
        if (piece->outcome != NULL && piece->outcome->lost > 0)
            name_range(gaps, piece->range, VERIFY_LOST, piece->start, piece->end, report);
    }
    for (size_t i = 0; i < gaps->count; i++) {
        const struct gap *gap = &gaps->gaps[i];
        const struct piece *piece = &gaps->pieces[gap->piece];
        bool absent = piece->outcome == NULL ? gap->asked : is_absent_by_word(piece);
        if (absent && gap->found == 0)
            name_range(gaps, gap->range, VERIFY_ABSENT, gap->start, gap->end, report);
    }
}

static void note_topic(const struct gaps *gaps, const struct topic_offsets *topic,
                       struct verify_report *report) {
    for (size_t i = 0; i < gaps->snapshot->range_count; i++) {
        const struct snapshot_range *range = &gaps->snapshot->ranges[i];
        if (range->incarnation != snapshot_newest(gaps->snapshot))
            continue;
        const struct partition_offsets *listed = topic_offsets_find(topic, range->partition);
        if (listed == NULL && range->end > range->start)
            verify_say(report, VERIFY_NOTE, "the topic no longer has partition %" PRId32 "",
                       range->partition);
        else if (listed != NULL && position_state(range->end, listed) == POSITION_WAITS)
            verify_say(report, VERIFY_NOTE,
                       "partition %" PRId32 " can be read up to offset %" PRId64
                       ", where a transaction is open, but the table reaches offset %" PRId64,
                       range->partition, listed->end, range->end);
        else if (listed != NULL && position_state(range->end, listed) == POSITION_AHEAD)
            verify_say(report, VERIFY_NOTE,
                       "partition %" PRId32 " of the topic ends at offset %" PRId64
                       ", but the table reaches %" PRId64
                       ": the log was truncated, or the topic was created again",
                       range->partition, listed->high, range->end);
    }
    if (gaps->renewed)
        verify_say(report, VERIFY_NOTE,
                   "the topic was created again after the newest batch (its id is %s, not %s): "
                   "Kafka cannot confirm what the table has",
                   topic->id, gaps->snapshot->topic_id);
}

enum { QUIET_MS = 3000 }; // silently

/* Waits for the brokers, and says so: by default this may take two minutes. */
static bool list_when_answered(const struct verify_options *options, struct topic_offsets *topic,
                               struct error *err) {
    const char *name = options->store->topic;
    struct broker *broker = options->broker;
    int quiet_ms = options->timeout_ms < QUIET_MS ? options->timeout_ms : QUIET_MS;
    int64_t began_ms = clock_monotonic_ms();
    if (broker->ops->list_offsets(broker, name, quiet_ms, topic, err))
        return true;
    bool has_waited = clock_monotonic_ms() - began_ms >= quiet_ms;
    if (err->kind != ERROR_BROKER || !has_waited || quiet_ms == options->timeout_ms)
        return false;
    log_write(LOG_WARNING, options->store->query,
              "Waiting for Kafka: %s | timeout_ms=%d | limit=KAFKA_STARTUP_TIMEOUT", err->message,
              options->timeout_ms);
    return broker->ops->list_offsets(broker, name, options->timeout_ms - quiet_ms, topic, err);
}

/* With the high watermarks, if they are wanted. */
static bool list_topic(const struct snapshot *snapshot, const struct verify_options *options,
                       struct topic_offsets *topic, struct error *err) {
    const char *name = options->store->topic;
    struct broker *broker = options->broker;
    if (!list_when_answered(options, topic, err) ||
        !broker_find_id(broker, name, options->timeout_ms, topic, err))
        return false;
    bool wanted = false;
    for (size_t i = 0; i < snapshot->range_count; i++) {
        const struct snapshot_range *range = &snapshot->ranges[i];
        const struct offset_range end = {range->partition, range->end, range->end};
        wanted = wanted || (range->incarnation == snapshot_newest(snapshot) &&
                            positions_want_high(&end, 1, topic));
    }
    return !wanted || broker_list_high(broker, name, options->timeout_ms, topic, err);
}

/* Another cluster's records would answer for ours. */
static bool check_cluster(const struct verify_options *options, struct error *err) {
    struct topic_identity noted;
    char answering[KAFKA_CLUSTER_ID_MAX];
    const struct broker_ops *ops = options->broker->ops;
    const char *checkpoint = options->store->checkpoint;
    if (ops->cluster_id == NULL || !ops->cluster_id(options->broker, answering))
        return true;
    return kafka_note_read(checkpoint, &noted, err) &&
           (noted.cluster_id[0] == '\0' ||
            kafka_note_compare(checkpoint, noted.cluster_id, answering, err));
}

bool gaps_explain(struct gaps *gaps, const struct verify_options *options,
                  struct verify_report *report, struct error *err) {
    const struct question questions[] = {
        {gaps->row_per_record ? is_unaccounted : is_unaccounted_by_us,
         "the broker has a record there", ASK_OFFSETS_MAX, ASK_RANGES_MAX},
        {is_absent_by_word, "the manifest says absent, but the broker has a record there",
         SPOT_OFFSETS_MAX, SPOT_RANGES_MAX},
        {is_of_spark, NULL, ASK_OFFSETS_MAX, ASK_RANGES_MAX},
    };
    size_t count = sizeof questions / sizeof questions[0] - gaps->row_per_record;
    struct topic_offsets topic = {0};
    bool ok = list_topic(gaps->snapshot, options, &topic, err) && check_cluster(options, err);
    gaps->renewed = topic.id[0] != '\0' && gaps->snapshot->topic_id[0] != '\0' &&
                    strcmp(topic.id, gaps->snapshot->topic_id) != 0;
    if (ok)
        note_topic(gaps, &topic, report);
    for (size_t i = 0; ok && i < count; i++)
        ok = gaps_ask(gaps, &questions[i], options, &topic, report, err);
    if (ok) {
        settle(gaps, &topic, report);
        settle_replayed(gaps, report);
        name_lost_and_absent(gaps, report);
        note_dropped(gaps, report);
        note_rowless(gaps, report);
    }
    topic_offsets_deinit(&topic);
    return ok;
}
