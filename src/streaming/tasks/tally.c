#include "streaming/tasks/tally.h"

#include "base/check.h"

void tally_note_timestamp(struct tally *tally, int64_t timestamp_ms) {
    if (tally->oldest_ms == 0 || timestamp_ms < tally->oldest_ms)
        tally->oldest_ms = timestamp_ms;
    if (timestamp_ms > tally->newest_ms)
        tally->newest_ms = timestamp_ms;
}

int64_t tally_rejects(const struct tally *tally) {
    int64_t sum = 0;
    for (size_t i = 0; i < REJECT_REASON_COUNT; i++)
        sum += tally->rejects[i];
    return sum;
}

static void note_place(struct tally *tally, struct reject_place place) {
    const struct reject_place *first = &tally->first_reject;
    if (tally_rejects(tally) == 0 || place.partition < first->partition ||
        (place.partition == first->partition && place.offset < first->offset))
        tally->first_reject = place;
}

void tally_note_reject(struct tally *tally, const struct record *record,
                       const struct reject *reject, int64_t processed_ms) {
    note_place(tally, (struct reject_place){record->partition, record->offset});
    tally->rejects[reject->reason]++;
    reject_samples_note(&tally->samples, record, reject, processed_ms);
}

void tally_add(struct tally *sum, struct tally *more) {
    if (tally_rejects(more) > 0)
        note_place(sum, more->first_reject);
    decode_counts_add(&sum->counts, &more->counts);
    for (size_t i = 0; i < REJECT_REASON_COUNT; i++)
        sum->rejects[i] += more->rejects[i];
    sum->bytes += more->bytes;
    for (size_t i = 0; i < STAGE_COUNT; i++)
        sum->stage_ns[i] += more->stage_ns[i];
    if (more->oldest_ms != 0) {
        tally_note_timestamp(sum, more->oldest_ms);
        tally_note_timestamp(sum, more->newest_ms);
    }
    reject_samples_move(&sum->samples, &more->samples);
}

void tally_deinit(struct tally *tally) {
    reject_samples_deinit(&tally->samples);
}

const char *stage_name(enum stage stage) {
    static const char *const names[STAGE_COUNT] = {
        [STAGE_PLAN] = "plan",     [STAGE_FETCH] = "fetch",   [STAGE_DECODE] = "decode",
        [STAGE_DERIVE] = "derive", [STAGE_ENCODE] = "encode", [STAGE_WRITE] = "write",
        [STAGE_COMMIT] = "commit",
    };
    check(stage < STAGE_COUNT);
    return names[stage];
}

void stage_clock_start(struct stage_clock *clock) {
    *clock = (struct stage_clock){.began_ns = clock_stopwatch_ns()};
}

void stage_clock_sample(struct stage_clock *clock) {
    clock->weight = clock->samples < SAMPLED_FIRST ? 1 : SAMPLED_EVERY;
    clock->samples++;
    clock->until_next = clock->samples < SAMPLED_FIRST ? 0 : SAMPLED_EVERY - 1;
    clock->mark_ns = clock_stopwatch_ns();
}

void stage_clock_take(struct stage_clock *clock, enum stage stage) {
    int64_t now_ns = clock_stopwatch_ns();
    clock->ns[stage] += clock->weight * (now_ns - clock->mark_ns);
    clock->mark_ns = now_ns;
}

void stage_clock_stop(struct stage_clock *clock) {
    int64_t left_ns = clock_stopwatch_ns() - clock->began_ns;
    for (int i = 0; i < STAGE_COUNT; i++)
        left_ns -= clock->ns[i];
    // Samples that fell on an interruption can stand for more time than there was.
    clock->ns[STAGE_FETCH] = left_ns > 0 ? left_ns : 0;
}
