#include "surfaces/alerts/alert.h"

#include "base/check.h"

static const char *const names[TROUBLE_COUNT] = {[TROUBLE_NONE] = "none",
                                                 [TROUBLE_BEHIND] = "falling_behind",
                                                 [TROUBLE_FAILING] = "failing",
                                                 [TROUBLE_FAILED] = "failed"};

const char *alert_trouble_name(enum alert_trouble trouble) {
    check(trouble < TROUBLE_COUNT);
    return names[trouble];
}

enum { RING = ALERT_SAMPLES + 2 };

void alert_init(struct alert *alert, int64_t after_ms, enum alert_trouble trouble) {
    *alert = (struct alert){.after_ms = after_ms, .trouble = trouble, .batch_id = -1};
}

int64_t alert_interval_ms(const struct alert *alert) {
    int64_t interval_ms = alert->after_ms / ALERT_SAMPLES;
    return interval_ms < 1000 ? interval_ms : 1000;
}

/* The newest sample that is at least so old; NULL: none is. */
static const struct alert_sample *sample_before(const struct alert *alert, int64_t at_ms) {
    for (size_t i = 0; i < alert->count; i++) {
        const struct alert_sample *sample = &alert->samples[(alert->newest + RING - i) % RING];
        if (sample->at_ms <= at_ms)
            return sample;
    }
    return NULL;
}

static void take_sample(struct alert *alert, struct alert_sample sample) {
    int64_t interval_ms = alert->after_ms / ALERT_SAMPLES;
    if (alert->count > 0 && sample.at_ms - alert->samples[alert->newest].at_ms < interval_ms)
        return;
    alert->newest = (alert->newest + 1) % RING;
    alert->samples[alert->newest] = sample;
    if (alert->count < RING)
        alert->count++;
}

/* What the batch under way has read waits no longer, though it is not committed. */
static int64_t waiting_of(const struct alert *alert, const struct alert_look *look) {
    int64_t waiting = look->topic_end - look->position;
    int64_t under_way = look->records_read - alert->records_batch;
    return waiting > under_way ? waiting - under_way : 0;
}

/* Whether the query has got somewhere: a batch since the last look, or the topic's end. */
static bool note_progress(struct alert *alert, const struct alert_look *look) {
    bool committed = look->batch_id != alert->batch_id;
    bool at_end =
        look->state == QUERY_WAITING && look->is_topic_known && look->position >= look->topic_end;
    if (committed) {
        alert->batch_id = look->batch_id;
        alert->records_batch = look->records_read;
    }
    if (committed || at_end)
        alert->retrying_ms = 0;
    else if (look->state == QUERY_RETRYING && alert->retrying_ms == 0)
        alert->retrying_ms = look->now_ms;
    return committed || at_end;
}

static enum alert_trouble judge(const struct alert *alert, const struct alert_look *look,
                                bool progressed, int64_t waiting) {
    if (look->state == QUERY_FAILED)
        return TROUBLE_FAILED;
    if (look->state == QUERY_STOPPED)
        return alert->trouble; // somebody ended it, and knows
    if (alert->trouble >= TROUBLE_FAILING && !progressed)
        return alert->trouble;
    if (alert->retrying_ms != 0 && look->now_ms - alert->retrying_ms >= alert->after_ms)
        return TROUBLE_FAILING;
    bool is_behind = alert->trouble == TROUBLE_BEHIND;
    // What it tries again is why it does not catch up, and is told as that when its time has come.
    if (alert->retrying_ms != 0 && !is_behind)
        return TROUBLE_NONE;
    const struct alert_sample *then =
        sample_before(alert, look->now_ms - (is_behind ? alert->after_ms / 2 : alert->after_ms));
    if (!look->is_topic_known || then == NULL)
        return is_behind ? TROUBLE_BEHIND : TROUBLE_NONE;
    bool has_old = look->position < then->topic_end;
    return has_old && (is_behind || waiting >= then->waiting) ? TROUBLE_BEHIND : TROUBLE_NONE;
}

bool alert_update(struct alert *alert, const struct alert_look *look) {
    bool progressed = note_progress(alert, look);
    int64_t waiting = look->is_topic_known ? waiting_of(alert, look) : 0;
    enum alert_trouble trouble = judge(alert, look, progressed, waiting);
    if (look->is_topic_known)
        take_sample(alert, (struct alert_sample){look->now_ms, look->topic_end, waiting});
    if (trouble == alert->trouble)
        return false;
    alert->since_ms = trouble == TROUBLE_FAILING  ? alert->retrying_ms
                      : trouble == TROUBLE_BEHIND ? look->now_ms - alert->after_ms
                                                  : look->now_ms;
    alert->trouble = trouble;
    return true;
}
