#include "streaming/tasks/tally.h"

void tally_note_timestamp(struct tally *tally, int64_t timestamp_ms) {
    if (tally->oldest_ms == 0 || timestamp_ms < tally->oldest_ms)
        tally->oldest_ms = timestamp_ms;
    if (timestamp_ms > tally->newest_ms)
        tally->newest_ms = timestamp_ms;
}

void tally_add(struct tally *sum, struct tally *more) {
    decode_counts_add(&sum->counts, &more->counts, NULL);
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
