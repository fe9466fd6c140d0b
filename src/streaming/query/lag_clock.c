/* lag_clock.c: one thread asks for all queries, one after the other. It knows of a query only its
 * topic and its lag book, and holds no lock while it waits for Kafka, so that neither delays the
 * other. The wait is bounded; a question that fails is asked again soon, because the lag is unknown
 * until it is answered. A query without positions is not asked for: its lag is unknown anyway. */
#include "streaming/query/lag_clock.h"

#include <string.h>

#include "base/check.h"
#include "base/system/clock.h"

enum {
    LIST_MS = 3000,
    HIGH_MS = LAG_ANSWER_MS - LIST_MS,
    AGAIN_MS = 2000, // after a question without an answer, or while the query starts
};

static bool list(const struct lag_question *question, struct topic_offsets *offsets,
                 struct error *err) {
    struct broker *broker = question->broker;
    if (!broker->ops->list_offsets(broker, question->topic, LIST_MS, offsets, err))
        return false;
    if (!lag_book_wants_high(question->book, offsets) ||
        broker_list_high(broker, question->topic, HIGH_MS, offsets, err))
        return true;
    topic_offsets_deinit(offsets);
    return false;
}

int64_t lag_question_ask(const struct lag_question *question) {
    int64_t interval_ms = question->interval_ms;
    int64_t again_ms = interval_ms < AGAIN_MS ? interval_ms : AGAIN_MS;
    struct topic_lag lag = topic_lag_read(question->book, NULL);
    if (!lag.has_positions)
        return again_ms;
    if (lag.age_ms < interval_ms)
        return interval_ms - lag.age_ms;
    struct topic_offsets offsets = {0};
    struct error err;
    int64_t asked_ms = clock_monotonic_ms();
    if (!list(question, &offsets, &err)) {
        lag_book_note_error(question->book, err.message);
        return again_ms;
    }
    lag_book_set_topic(question->book, &offsets, asked_ms);
    topic_offsets_deinit(&offsets);
    return interval_ms;
}

static void *clock_main(void *argument) {
    struct lag_clock *clock = argument;
    (void)pthread_setname_np(pthread_self(), "lag"); // only for people
    while (!mailbox_is_closed(&clock->box)) {
        int64_t pause_ms = INT64_MAX;
        for (size_t i = 0; i < clock->count && !mailbox_is_closed(&clock->box); i++) {
            int64_t next_ms = lag_question_ask(&clock->questions[i]);
            pause_ms = next_ms < pause_ms ? next_ms : pause_ms;
        }
        (void)mailbox_receive(&clock->box, pause_ms);
    }
    return NULL;
}

bool lag_clock_start(struct lag_clock *clock, const struct lag_question *questions, size_t count,
                     struct error *err) {
    check(count > 0 && count <= STREAMS_MAX);
    for (size_t i = 0; i < count; i++)
        check(questions[i].interval_ms > 0);
    mailbox_init(&clock->box);
    clock->count = count;
    memcpy(clock->questions, questions, count * sizeof *questions);
    if (thread_start(&clock->thread, clock_main, clock,
                     "cannot start the thread that measures the lag", err))
        return true;
    mailbox_deinit(&clock->box);
    clock->count = 0;
    return false;
}

void lag_clock_stop(struct lag_clock *clock) {
    if (clock->count == 0)
        return;
    mailbox_close(&clock->box);
    check(pthread_join(clock->thread, NULL) == 0);
    mailbox_deinit(&clock->box);
    clock->count = 0;
}
