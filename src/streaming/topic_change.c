#include "streaming/topic_change.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "streaming/positions.h"
#include "streaming/record_check.h"
#include "streaming/topic_watch.h"

enum {
    LOOKS_MORE = 2, // before it is believed that a log is shorter: a broker may be behind
    LOOK_PAUSE_MS = 300,
    LOG_EVERY_MS = 60000,
};

/* ---- what has happened ---- */

static bool has_other_id(const struct query *query) {
    const char *known = query->incarnation.topic_id, *listed = query->topic.id;
    return known[0] != '\0' && listed[0] != '\0' && strcmp(known, listed) != 0;
}

static bool has_same_id(const struct query *query) {
    const char *known = query->incarnation.topic_id;
    return known[0] != '\0' && strcmp(known, query->topic.id) == 0;
}

/* Whether there is something to be read behind a position. */
static bool has_news(const struct query *query) {
    for (size_t i = 0; i < query->start_count; i++) {
        const struct partition_offsets *listed =
            topic_offsets_find(&query->topic, query->starts[i].partition);
        if (listed != NULL && listed->end > query->starts[i].end)
            return true;
    }
    return false;
}

static bool is_suspect(const struct query *query, const struct positions_view *view) {
    return query->change.kind != TOPIC_FITS || query->topic_was_absent || view->broken.count > 0 ||
           (query->topic_unproven && has_news(query)) || has_other_id(query);
}

/* Positions and topic agree. */
static void settle(struct query *query) {
    query->topic_was_absent = false;
    query->topic_unproven = query->topic_unproven && !has_news(query);
    query->topic_fits = true;
    query->change = (struct topic_change){0};
    topic_offsets_deinit(&query->sound);
    if (query->topic.id[0] != '\0')
        memcpy(query->incarnation.topic_id, query->topic.id, sizeof query->topic.id);
}

static void set_change(struct query *query, enum topic_change_kind kind, const char *evidence) {
    query->change.kind = kind;
    (void)snprintf(query->change.evidence, sizeof query->change.evidence, "%s", evidence);
}

/* By a record of it. */
static void judge_by_record(struct query *query, const struct positions_view *view) {
    char text[RECORD_CHECK_TEXT_MAX];
    enum topic_change_kind shorter = view->broken.count > 0 ? TOPIC_CUT : TOPIC_FITS;
    bool newest_only = !query->topic_was_absent && view->broken.count == 0;
    switch (record_check(query, newest_only, text)) {
    case RECORD_OTHER:
        set_change(query, TOPIC_RENEWED, text);
        return;
    case RECORD_SAME:
        set_change(query, shorter, "the last record that both have is the same");
        return;
    case RECORD_UNKNOWN:
        break;
    }
    if (query->topic_was_absent)
        set_change(query, TOPIC_RENEWED, "it was not there for a while");
    else if (view->gone > 0)
        set_change(query, TOPIC_RENEWED, "Kafka takes no partition from a topic");
    else
        set_change(query, shorter, "no record tells whether the topic is another");
}

static void judge(struct query *query, const struct positions_view *view) {
    char text[2 * TOPIC_ID_MAX + 32];
    if (query->change.kind == TOPIC_RENEWED)
        return;
    if (has_same_id(query)) {
        set_change(query, view->broken.count > 0 ? TOPIC_CUT : TOPIC_FITS, "its id is the same");
    } else if (has_other_id(query)) {
        (void)snprintf(text, sizeof text, "its id is %s, not %s", query->topic.id,
                       query->incarnation.topic_id);
        set_change(query, TOPIC_RENEWED, text);
    } else {
        judge_by_record(query, view);
    }
}

/* Of the positions in `starts`, which are the query's or the ends of its plan. */
static bool look_again(struct query *query, const struct offset_range *starts, size_t count,
                       struct positions_view *view, struct error *err) {
    for (int i = 0; i < LOOKS_MORE && view->broken.count > 0; i++) {
        if (stop_sleep(query->stop, LOOK_PAUSE_MS))
            return error_set(err, ERROR_STOPPED, "stopped while looking at the topic again");
        if (!topic_watch_refresh(query, err) || !topic_watch_high(query, starts, count, err))
            return false;
        positions_view(starts, count, &query->topic, view);
    }
    return true;
}

/* Sets query->change. */
static bool find_change(struct query *query, const struct offset_range *starts, size_t count,
                        struct positions_view *view, struct error *err) {
    positions_view(starts, count, &query->topic, view);
    if (is_suspect(query, view) && !look_again(query, starts, count, view, err))
        return false;
    if (is_suspect(query, view))
        judge(query, view);
    return true;
}

/* ---- an open transaction ---- */

/* Said when it begins and once a minute. */
static bool is_time_to_say(struct query *query) {
    int64_t now_ms = clock_monotonic_ms();
    if (query->waiting_logged_ms != 0 && now_ms - query->waiting_logged_ms < LOG_EVERY_MS)
        return false;
    query->waiting_logged_ms = now_ms;
    return true;
}

static void note_waiting(struct query *query, const struct positions_view *view) {
    query->waiting = view->waiting;
    if (view->waiting.count == 0)
        query->waiting_logged_ms = 0;
    else if (!query->options->trigger.available_now && is_time_to_say(query))
        log_write(LOG_WARNING, query->how.name,
                  "Waiting for a transaction to end: nothing behind it can be read with "
                  "read_committed | topic=%s | detail=%s",
                  query->how.topic, view->waiting.text);
}

void topic_change_say_left(struct query *query) {
    if (query->waiting.count > 0)
        log_write(LOG_WARNING, query->how.name,
                  "Ended at the last stable offset: a transaction stands open, and what is behind "
                  "it is left to the next start | topic=%s | detail=%s",
                  query->how.topic, query->waiting.text);
}

/* ---- moving ---- */

/* What is wrong, or just where the query stood. */
static void describe(const struct query *query, const struct positions_view *view,
                     struct partition_texts *texts) {
    *texts = view->broken;
    for (size_t i = 0; i < query->start_count && view->broken.count == 0; i++)
        partition_texts_add(texts, "partition %" PRId32 ", next offset %" PRId64,
                            query->starts[i].partition, query->starts[i].end);
}

/* The plan that moves the positions is there by then, so that a later start knows of it, whatever
 * the topic has become. */
static bool refuse(const struct query *query, const struct positions_view *view,
                   struct error *err) {
    struct partition_texts detail;
    describe(query, view, &detail);
    if (query->change.kind == TOPIC_RENEWED)
        return error_set(err, ERROR_DATA_LOSS,
                         "topic %s was deleted and created again (%s): %s; set "
                         "FAIL_ON_DATA_LOSS=false to read the new one from its beginning (what was "
                         "not read of the old one is lost)",
                         query->how.topic, query->change.evidence, detail.text);
    return error_set(err, ERROR_DATA_LOSS,
                     "the log of topic %s is shorter than what was read of it, as after an unclean "
                     "leader election (%s): %s; set FAIL_ON_DATA_LOSS=false to go on at its new "
                     "end",
                     query->how.topic, query->change.evidence, detail.text);
}

static bool is_at(const struct query *query, const struct offset_range *moved, size_t count) {
    for (size_t i = 0; i < query->start_count; i++) {
        int64_t position = query->starts[i].end;
        bool there = false;
        for (size_t j = 0; j < count; j++)
            there = there ||
                    (moved[j].partition == query->starts[i].partition && moved[j].end == position);
        if (!there)
            return false;
    }
    return true;
}

static void copy_positions(const struct offset_range *starts, size_t count,
                           struct offsets *offsets) {
    for (size_t i = 0; i < count; i++)
        offsets_add(offsets, starts[i].partition, starts[i].end);
    offsets_sort(offsets);
}

/* From now on query->begun knows of it. */
static void begin_incarnation(struct query *query, const struct plan *plan) {
    struct incarnation_begin begin = {.batch_id = plan->batch_id, .since_ms = plan->timestamp_ms};
    copy_positions(query->starts, query->start_count, &begin.former);
    copy_positions(plan->ranges, plan->count, &begin.starts);
    for (size_t i = 0; i < query->sound.count; i++)
        offsets_add(&begin.known_ends, query->sound.partitions[i].partition,
                    query->sound.partitions[i].end);
    offsets_sort(&begin.known_ends);
    incarnation_begin_complete(&begin);
    incarnations_add(&query->begun, begin);
}

static void say_moved(struct query *query, const struct positions_view *view) {
    struct partition_texts detail;
    describe(query, view, &detail);
    const struct incarnation_begin *begin = &query->begun.begins[query->begun.count - 1];
    char lost[24] = "unknown";
    if (query->sound.count > 0)
        (void)snprintf(lost, sizeof lost, "%" PRId64, incarnation_begin_lost(begin));
    const char *what = query->change.kind == TOPIC_RENEWED
                           ? "The topic was deleted and created again: it is read from its "
                             "beginning"
                           : "The topic's log is shorter than what was read of it: the query goes "
                             "on at its new end";
    log_write(LOG_WARNING, query->how.name,
              "%s | topic=%s | evidence=%s | detail=%s | batch_id=%" PRId64
              " | never_read_and_lost=%s",
              what, query->how.topic, query->change.evidence, detail.text, begin->batch_id, lost);
    query_status_note_error(&query->status, what);
}

static void drop(struct plan *plan) {
    free(plan->ranges);
    plan->ranges = NULL;
    plan->count = 0;
}

static bool move(struct query *query, const struct positions_view *view, struct plan *plan,
                 struct error *err) {
    bool renewed = query->change.kind == TOPIC_RENEWED;
    struct offset_range *moved =
        positions_move(query->starts, query->start_count, &query->topic, renewed);
    if (is_at(query, moved, query->topic.count)) { // nothing was read of the old one
        free(moved);
        settle(query);
        return true;
    }
    plan->ranges = moved;
    plan->count = query->topic.count;
    bool refused = query->options->fail_on_data_loss;
    if (!query_set_later(query, plan, err)) {
        drop(plan);
        return false;
    }
    begin_incarnation(query, plan);
    if (refused && (!query_write_plan(query, plan, err) || !refuse(query, view, err))) {
        drop(plan);
        return false;
    }
    say_moved(query, view);
    settle(query);
    return true;
}

bool topic_change_plan(struct query *query, struct plan *plan, struct error *err) {
    struct positions_view view;
    if (!find_change(query, query->starts, query->start_count, &view, err))
        return false;
    note_waiting(query, &view);
    if (query->change.kind != TOPIC_FITS)
        return move(query, &view, plan, err);
    settle(query);
    return true;
}

void topic_change_settle(struct query *query) {
    settle(query);
}

/* ---- a planned batch ---- */

/* The incarnation that it begins, or NULL. */
static const struct incarnation_begin *find_begin(const struct query *query,
                                                  const struct plan *plan) {
    const struct incarnations *begun = &query->begun;
    for (size_t i = 0; i < begun->count; i++)
        if (begun->begins[i].batch_id == plan->batch_id)
            return &begun->begins[i];
    return NULL;
}

static void describe_moves(const struct incarnation_begin *begin, struct partition_texts *moves) {
    *moves = (struct partition_texts){0};
    for (size_t i = 0; i < begin->former.count; i++) {
        const struct partition_offset *former = &begin->former.entries[i];
        const struct partition_offset *start = offsets_find(&begin->starts, former->partition);
        if (start == NULL)
            partition_texts_add(moves, "partition %" PRId32 " is gone", former->partition);
        else if (start->offset < former->offset)
            partition_texts_add(
                moves, "partition %" PRId32 " goes back from offset %" PRId64 " to %" PRId64,
                former->partition, former->offset, start->offset);
    }
}

/* A plan that moves the positions was found. It is the proof that they do not fit. */
static bool allow_move(struct query *query, const struct incarnation_begin *begin,
                       struct error *err) {
    struct partition_texts moves;
    describe_moves(begin, &moves);
    if (query->options->fail_on_data_loss)
        return error_set(err, ERROR_DATA_LOSS,
                         "topic %s was deleted and created again, or its log was cut, and batch "
                         "%" PRId64 " is planned to go on there: %s; set FAIL_ON_DATA_LOSS=false "
                         "to run it (what was not read before is lost)",
                         query->how.topic, begin->batch_id, moves.text);
    log_write(LOG_WARNING, query->how.name,
              "The topic was deleted and created again, or its log was cut: the planned batch "
              "moves the positions | topic=%s | batch_id=%" PRId64 " | detail=%s",
              query->how.topic, begin->batch_id, moves.text);
    query->topic_unproven = false;
    return true;
}

/* Where its ranges end that have offsets. */
static struct offset_range *ends_of(const struct plan *plan, size_t *count) {
    struct offset_range *ends = must_alloc(plan->count + 1, sizeof *ends);
    *count = 0;
    for (size_t i = 0; i < plan->count; i++)
        if (plan->ranges[i].end > plan->ranges[i].start)
            ends[(*count)++] = plan->ranges[i];
    return ends;
}

static void say_awaited(struct query *query, const struct plan *plan,
                        const struct positions_view *view) {
    query_status_fault(&query->status, QUERY_RETRYING, true, "Waiting for a transaction to end",
                       view->waiting.text);
    if (is_time_to_say(query))
        log_write(LOG_ERROR, query->how.name,
                  "The planned batch ends behind an open transaction; waiting for it to end | "
                  "batch_id=%" PRId64 " | topic=%s | detail=%s",
                  plan->batch_id, query->how.topic, view->waiting.text);
}

static bool await(struct query *query, const struct plan *plan, const struct offset_range *ends,
                  size_t count, struct error *err) {
    for (;;) {
        struct positions_view view;
        if (!topic_watch_high(query, ends, count, err) ||
            !find_change(query, ends, count, &view, err))
            return false;
        if (query->change.kind != TOPIC_FITS || view.waiting.count == 0)
            return true;
        say_awaited(query, plan, &view);
        if (stop_sleep(query->stop, LOOK_PAUSE_MS))
            return error_set(err, ERROR_STOPPED, "stopped while waiting for a transaction to end");
        if (!topic_watch_refresh(query, err))
            return false;
    }
}

bool topic_change_await(struct query *query, const struct plan *plan, struct error *err) {
    const struct incarnation_begin *begin = find_begin(query, plan);
    if (begin != NULL && !allow_move(query, begin, err))
        return false;
    size_t count;
    struct offset_range *ends = ends_of(plan, &count);
    bool ok = await(query, plan, ends, count, err);
    free(ends);
    return ok;
}
