#include "streaming/query/topic_change.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/disk/disk_error.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "streaming/kafka/positions.h"
#include "streaming/query/record_check.h"
#include "streaming/query/retry.h"
#include "streaming/query/topic_watch.h"

enum {
    LOOKS = 2,         // more, before it is believed that a log is shorter: a broker may be behind
    LOOKS_IF_GONE = 7, // or that a partition is gone: what brokers know of these comes later
    LOOK_PAUSE_MS = 300,
    CHECK_PAUSE_MS = 500,
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

static size_t ahead_count(const struct positions_view *view) {
    return view->broken.count - view->gone.count;
}

/* Partitions of which it is known that they are gone though the topic is the same are no news. */
static bool is_broken(const struct query *query, const struct positions_view *view) {
    return ahead_count(view) > 0 || view->gone.count > query->gone_known;
}

static bool is_suspect(const struct query *query, const struct positions_view *view) {
    return query->change.kind != TOPIC_FITS || query->topic_was_absent || is_broken(query, view) ||
           query->lowest.count > 0 || (query->topic_unproven && has_news(query)) ||
           has_other_id(query);
}

/* Positions and topic agree. */
static void settle(struct query *query) {
    query->topic_was_absent = false;
    query->topic_long_absent = false;
    query->topic_unproven = query->topic_unproven && !has_news(query);
    query->topic_fits = true;
    query->change = (struct topic_change){0};
    topic_offsets_deinit(&query->sound);
    offsets_deinit(&query->lowest);
    if (query->topic.id[0] != '\0')
        memcpy(query->incarnation.topic_id, query->topic.id, sizeof query->topic.id);
}

static void set_change(struct query *query, enum topic_change_kind kind, const char *evidence) {
    query->change.kind = kind;
    (void)snprintf(query->change.evidence, sizeof query->change.evidence, "%s", evidence);
}

/* Of the positions in `starts`, which are the query's or the ends of its plan. */
static bool look(struct query *query, const struct offset_range *starts, size_t count,
                 struct positions_view *view, struct error *err) {
    if (!topic_watch_refresh(query, err) || !topic_watch_high(query, starts, count, err))
        return false;
    positions_view(starts, count, &query->topic, view);
    return true;
}

static bool look_again(struct query *query, const struct offset_range *starts, size_t count,
                       struct positions_view *view, struct error *err) {
    for (int i = 0; is_broken(query, view) && i < (view->gone.count > 0 ? LOOKS_IF_GONE : LOOKS);
         i++) {
        if (stop_sleep(query->stop, LOOK_PAUSE_MS))
            return error_set(err, ERROR_STOPPED, "stopped while looking at the topic again");
        if (!look(query, starts, count, view, err))
            return false;
    }
    return true;
}

/* Said when it begins and once a minute. */
static bool is_time_to_say(struct query *query) {
    int64_t now_ms = clock_monotonic_ms();
    if (query->waiting_logged_ms != 0 && now_ms - query->waiting_logged_ms < LOG_EVERY_MS)
        return false;
    query->waiting_logged_ms = now_ms;
    return true;
}

/* After a record could not be read. */
static bool wait_to_check(struct query *query, struct retry *retry, struct error *err) {
    if (err->kind == ERROR_STOPPED)
        return false;
    if (disk_error_may_pass(err))
        return retry_again(query, retry, err);
    query_status_fault(&query->status, QUERY_RETRYING, false,
                       "Finding out whether the topic is the same", err->message);
    if (is_time_to_say(query))
        log_write(LOG_ERROR, query->how.name,
                  "Finding out whether the topic is the same: a record can't be read yet | "
                  "topic=%s | error=%s",
                  query->how.topic, err->message);
    if (stop_sleep(query->stop, CHECK_PAUSE_MS))
        return error_set(err, ERROR_STOPPED,
                         "stopped while finding out whether the topic is the same");
    return true;
}

static bool check_records(struct query *query, const struct offset_range *starts, size_t count,
                          struct positions_view *view, struct record_check *check,
                          struct error *err) {
    struct retry retry = {0};
    for (;;) {
        bool newest_only =
            !query->topic_was_absent && !is_broken(query, view) && query->lowest.count == 0;
        if (record_check(query, newest_only, check, err))
            return true;
        if (!wait_to_check(query, &retry, err) || !look(query, starts, count, view, err))
            return false;
    }
}

/* Where nothing else tells: retention has been at work, up to a position. A new topic begins at 0.
 */
static bool is_old(const struct query *query) {
    for (size_t i = 0; i < query->start_count; i++) {
        const struct partition_offsets *listed =
            topic_offsets_find(&query->topic, query->starts[i].partition);
        if (listed != NULL && listed->log_start > 0 && listed->log_start <= query->starts[i].end &&
            position_state(query->starts[i].end, listed) <= POSITION_WAITS)
            return true;
    }
    return false;
}

static bool is_renewed(const struct query *query, const struct positions_view *view,
                       const struct record_check *check, const char **evidence) {
    if (has_same_id(query) || check->topic == RECORD_SAME)
        return false;
    *evidence = check->text;
    if (check->topic == RECORD_OTHER)
        return true;
    if (is_old(query))
        return false;
    *evidence = "Kafka takes no partition from a topic";
    if (view->gone.count > query->gone_known)
        return true;
    *evidence = "it was not there for a while";
    return query->topic_long_absent;
}

/* Keeps in query->lowest which logs have been cut. One that is as long again may never have been:
 * its newest record tells. */
static void weigh_lowest(struct query *query, const struct record_check *check) {
    struct offsets kept = {0};
    for (size_t i = 0; i < query->lowest.count; i++) {
        const struct partition_offset *low = &query->lowest.entries[i];
        int64_t position = positions_next(query->starts, query->start_count, low->partition);
        enum record_match newest = record_check_newest(check, low->partition);
        bool ahead = position_state(position, topic_offsets_find(&query->topic, low->partition)) ==
                     POSITION_AHEAD;
        if (newest == RECORD_OTHER || (newest == RECORD_UNKNOWN && ahead))
            offsets_add(&kept, low->partition, low->offset);
        else if (!ahead)
            log_write(LOG_WARNING, query->how.name,
                      "A log seemed to be shorter than what was read of it, and is not%s | "
                      "topic=%s | partition=%" PRId32 " | end_offset=%" PRId64
                      " | next_offset=%" PRId64,
                      newest == RECORD_SAME ? "" : " any more; no record tells whether it was cut",
                      query->how.topic, low->partition, low->offset, position);
    }
    offsets_sort(&kept);
    offsets_deinit(&query->lowest);
    query->lowest = kept;
}

static enum topic_change_kind kind_of_same(const struct query *query,
                                           const struct positions_view *view,
                                           const struct record_check *check) {
    if (ahead_count(view) > 0 || query->lowest.count > 0)
        return TOPIC_CUT;
    for (size_t i = 0; i < check->count; i++)
        if ((has_same_id(query) || check->topic == RECORD_SAME) &&
            check->partitions[i].newest == RECORD_OTHER)
            return TOPIC_REGROWN;
    return TOPIC_FITS;
}

static bool judge(struct query *query, const struct offset_range *starts, size_t count,
                  struct positions_view *view, struct error *err) {
    char text[2 * TOPIC_ID_MAX + 32];
    struct record_check check;
    const char *evidence;
    if (query->change.kind == TOPIC_RENEWED)
        return true;
    if (has_other_id(query)) {
        (void)snprintf(text, sizeof text, "its id is %s, not %s", query->topic.id,
                       query->incarnation.topic_id);
        set_change(query, TOPIC_RENEWED, text);
        return true;
    }
    if (!check_records(query, starts, count, view, &check, err))
        return false;
    if (is_renewed(query, view, &check, &evidence)) {
        set_change(query, TOPIC_RENEWED, evidence);
        return true;
    }
    weigh_lowest(query, &check);
    query->gone_known = view->gone.count;
    set_change(query, kind_of_same(query, view, &check),
               has_same_id(query)           ? "its id is the same"
               : check.topic == RECORD_SAME ? "a record that both have is the same"
                                            : "no record tells whether the topic is another");
    if (query->change.kind == TOPIC_REGROWN)
        set_change(query, TOPIC_REGROWN, check.text);
    return true;
}

/* Sets query->change. */
static bool find_change(struct query *query, const struct offset_range *starts, size_t count,
                        struct positions_view *view, struct error *err) {
    positions_view(starts, count, &query->topic, view);
    if (is_suspect(query, view) && !look_again(query, starts, count, view, err))
        return false;
    if (view->gone.count < query->gone_known)
        query->gone_known = view->gone.count;
    return !is_suspect(query, view) || judge(query, starts, count, view, err);
}

/* ---- waiting ---- */

/* For what; NULL: for nothing. */
static const char *wait_of(const struct partition_texts *waiting,
                           const struct partition_texts *missing, const char **detail) {
    *detail = missing->count > 0 ? missing->text : waiting->text;
    if (missing->count > 0)
        return "Waiting for partitions that Kafka does not list";
    return waiting->count > 0 ? "Waiting for a transaction to end" : NULL;
}

const char *topic_change_wait(const struct query *query, const char **detail) {
    return wait_of(&query->waiting, &query->missing, detail);
}

static void note_waiting(struct query *query, const struct positions_view *view) {
    query->waiting = view->waiting;
    query->missing = (struct partition_texts){0};
    if (query->change.kind != TOPIC_RENEWED)
        query->missing = view->gone;
    const char *detail, *wait = topic_change_wait(query, &detail);
    if (wait == NULL)
        query->waiting_logged_ms = 0;
    else if (!query->options->trigger.available_now && is_time_to_say(query))
        log_write(LOG_WARNING, query->how.name, "%s: %s | topic=%s | detail=%s", wait,
                  query->missing.count > 0 ? "the topic is the same, so a broker may be behind"
                                           : "nothing behind it can be read with read_committed",
                  query->how.topic, detail);
}

void topic_change_say_left(struct query *query) {
    if (query->waiting.count > 0)
        log_write(LOG_WARNING, query->how.name,
                  "Ended at the last stable offset: a transaction stands open, and what is behind "
                  "it is left to the next start | topic=%s | detail=%s",
                  query->how.topic, query->waiting.text);
    if (query->missing.count > 0)
        log_write(LOG_WARNING, query->how.name,
                  "Ended without partitions that Kafka does not list, though the topic is the "
                  "same; they are left to the next start | topic=%s | detail=%s",
                  query->how.topic, query->missing.text);
}

/* ---- moving ---- */

/* What is wrong, or just where the query stood. */
static void describe(const struct query *query, const struct positions_view *view,
                     struct partition_texts *texts) {
    *texts = view->broken;
    for (size_t i = 0; i < query->lowest.count && view->broken.count == 0; i++)
        partition_texts_add(
            texts,
            "partition %" PRId32 " ended at offset %" PRId64
            " for a while, before the next offset %" PRId64,
            query->lowest.entries[i].partition, query->lowest.entries[i].offset,
            positions_next(query->starts, query->start_count, query->lowest.entries[i].partition));
    for (size_t i = 0; i < query->start_count && texts->count == 0; i++)
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

/* What is behind a position that does not go back is still read. */
static bool goes_back(const struct incarnation_begin *begin, int32_t partition) {
    const struct partition_offset *former = offsets_find(&begin->former, partition);
    const struct partition_offset *start = offsets_find(&begin->starts, partition);
    return former != NULL && (start == NULL || start->offset < former->offset);
}

/* From now on query->begun knows of it. */
static void begin_incarnation(struct query *query, const struct plan *plan) {
    struct incarnation_begin begin = {.batch_id = plan->batch_id, .since_ms = plan->timestamp_ms};
    copy_positions(query->starts, query->start_count, &begin.former);
    copy_positions(plan->ranges, plan->count, &begin.starts);
    for (size_t i = 0; i < query->sound.count; i++) {
        const struct partition_offsets *known = &query->sound.partitions[i];
        if (query->change.kind == TOPIC_RENEWED || goes_back(&begin, known->partition))
            offsets_add(&begin.known_ends, known->partition, known->end);
    }
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
    size_t count;
    struct offset_range *moved = positions_move(query->starts, query->start_count, &query->topic,
                                                renewed, &query->lowest, &count);
    if (is_at(query, moved, count)) { // nothing was read of the old one
        free(moved);
        settle(query);
        return true;
    }
    plan->ranges = moved;
    plan->count = count;
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

/* What was new before the position is gone for this query, and where it began is not known. */
static bool accept_regrown(struct query *query, struct error *err) {
    static const char what[] = "The topic's log was cut, as after an unclean leader election, and "
                               "has grown past the next offset again: what was written to it below "
                               "is not read";
    if (query->options->fail_on_data_loss)
        return error_set(err, ERROR_DATA_LOSS,
                         "the log of topic %s was cut, as after an unclean leader election, and "
                         "has grown past the next offset again (%s): what was written to it below "
                         "is not read; set FAIL_ON_DATA_LOSS=false to go on from the next offset",
                         query->how.topic, query->change.evidence);
    log_write(LOG_WARNING, query->how.name, "%s | topic=%s | evidence=%s | never_read_and_lost=%s",
              what, query->how.topic, query->change.evidence, "unknown");
    query_status_note_error(&query->status, what);
    settle(query);
    return true;
}

bool topic_change_plan(struct query *query, struct plan *plan, struct error *err) {
    struct positions_view view;
    if (!find_change(query, query->starts, query->start_count, &view, err))
        return false;
    note_waiting(query, &view);
    switch (query->change.kind) {
    case TOPIC_CUT:
    case TOPIC_RENEWED:
        return move(query, &view, plan, err);
    case TOPIC_REGROWN:
        return accept_regrown(query, err);
    case TOPIC_FITS:
        break;
    }
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
    offsets_deinit(&query->lowest); // the plan says where the query goes on
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
    const char *detail, *wait = wait_of(&view->waiting, &view->gone, &detail);
    query_status_fault(&query->status, QUERY_RETRYING, true, wait, detail);
    if (is_time_to_say(query))
        log_write(LOG_ERROR, query->how.name,
                  "The planned batch can't be read to its end now. %s | batch_id=%" PRId64
                  " | topic=%s | detail=%s",
                  wait, plan->batch_id, query->how.topic, detail);
}

/* What the topic does not have any more is not waited for. */
static bool is_awaited(const struct query *query, const struct positions_view *view) {
    switch (query->change.kind) {
    case TOPIC_RENEWED:
        return false;
    case TOPIC_CUT:
        return view->gone.count > 0;
    case TOPIC_FITS:
    case TOPIC_REGROWN:
        break;
    }
    return view->waiting.count > 0 || view->gone.count > 0;
}

static bool await(struct query *query, const struct plan *plan, const struct offset_range *ends,
                  size_t count, struct error *err) {
    for (;;) {
        struct positions_view view;
        if (!topic_watch_high(query, ends, count, err) ||
            !find_change(query, ends, count, &view, err))
            return false;
        if (query->change.kind == TOPIC_REGROWN && !accept_regrown(query, err))
            return false;
        if (!is_awaited(query, &view))
            return true;
        say_awaited(query, plan, &view);
        if (stop_sleep(query->stop, LOOK_PAUSE_MS))
            return error_set(err, ERROR_STOPPED, "stopped while waiting to read a planned batch");
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
