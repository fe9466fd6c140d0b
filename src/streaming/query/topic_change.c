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

enum {
    LOOKS = 2,         // more, before it is believed that a log is shorter: a broker may be behind
    LOOKS_IF_GONE = 7, // or that a partition is gone: what brokers know of these comes later
    LOOK_PAUSE_MS = 300,
    CHECK_PAUSE_MS = 500,
    LOG_EVERY_MS = 60000,
};

/* ---- what has happened ---- */

static bool has_other_id(const struct topic_change *change) {
    const char *known = change->position->incarnation.topic_id, *listed = change->watch->topic.id;
    return known[0] != '\0' && listed[0] != '\0' && strcmp(known, listed) != 0;
}

static bool has_same_id(const struct topic_change *change) {
    const char *known = change->position->incarnation.topic_id;
    return known[0] != '\0' && strcmp(known, change->watch->topic.id) == 0;
}

/* Whether there is something to be read behind a position. */
static bool has_news(const struct topic_change *change) {
    for (size_t i = 0; i < change->position->start_count; i++) {
        const struct partition_offsets *listed =
            topic_offsets_find(&change->watch->topic, change->position->starts[i].partition);
        if (listed != NULL && listed->end > change->position->starts[i].end)
            return true;
    }
    return false;
}

static size_t ahead_count(const struct positions_view *view) {
    return view->broken.count - view->gone.count;
}

/* Partitions of which it is known that they are gone though the topic is the same are no news. */
static bool is_broken(const struct topic_change *change, const struct positions_view *view) {
    return ahead_count(view) > 0 || view->gone.count > change->watch->gone_known;
}

static bool is_suspect(const struct topic_change *change, const struct positions_view *view) {
    return change->kind != TOPIC_FITS || change->watch->was_absent || is_broken(change, view) ||
           change->watch->lowest.count > 0 || (change->unproven && has_news(change)) ||
           has_other_id(change);
}

/* Positions and topic agree. */
static void settle(struct topic_change *change) {
    change->watch->was_absent = false;
    change->watch->long_absent = false;
    change->unproven = change->unproven && !has_news(change);
    change->watch->fits = true;
    change->kind = TOPIC_FITS;
    change->evidence[0] = '\0';
    topic_offsets_deinit(&change->watch->sound);
    offsets_deinit(&change->watch->lowest);
    if (change->watch->topic.id[0] != '\0')
        memcpy(change->position->incarnation.topic_id, change->watch->topic.id,
               sizeof change->watch->topic.id);
}

static void set_change(struct topic_change *change, enum topic_change_kind kind,
                       const char *evidence) {
    change->kind = kind;
    (void)snprintf(change->evidence, sizeof change->evidence, "%s", evidence);
}

/* Of the positions in `starts`, which are the query's or the ends of its plan. */
static bool look(struct topic_change *change, const struct offset_range *starts, size_t count,
                 struct positions_view *view, struct error *err) {
    if (!topic_watch_refresh(change->watch, err) ||
        !topic_watch_high(change->watch, starts, count, err))
        return false;
    positions_view(starts, count, &change->watch->topic, view);
    return true;
}

static bool look_again(struct topic_change *change, const struct offset_range *starts, size_t count,
                       struct positions_view *view, struct error *err) {
    for (int i = 0; is_broken(change, view) && i < (view->gone.count > 0 ? LOOKS_IF_GONE : LOOKS);
         i++) {
        if (stop_sleep(change->watch->stop, LOOK_PAUSE_MS))
            return error_set(err, ERROR_STOPPED, "stopped while looking at the topic again");
        if (!look(change, starts, count, view, err))
            return false;
    }
    return true;
}

/* Said when it begins and once a minute. */
static bool is_time_to_say(struct topic_change *change) {
    int64_t now_ms = clock_monotonic_ms();
    if (change->waiting_logged_ms != 0 && now_ms - change->waiting_logged_ms < LOG_EVERY_MS)
        return false;
    change->waiting_logged_ms = now_ms;
    return true;
}

/* After a record could not be read. */
static bool wait_to_check(struct topic_change *change, struct retry *retry, struct error *err) {
    if (err->kind == ERROR_STOPPED)
        return false;
    if (disk_error_may_pass(err))
        return retry_again(change->position->retrier, retry, err);
    query_status_fault(&change->watch->report->status, QUERY_RETRYING, false,
                       "Finding out whether the topic is the same", err->message);
    if (is_time_to_say(change))
        log_write(LOG_ERROR, change->watch->report->name,
                  "Finding out whether the topic is the same: a record can't be read yet | "
                  "topic=%s | error=%s",
                  change->watch->definition->topic, err->message);
    if (stop_sleep(change->watch->stop, CHECK_PAUSE_MS))
        return error_set(err, ERROR_STOPPED,
                         "stopped while finding out whether the topic is the same");
    return true;
}

static bool check_records(struct topic_change *change, const struct offset_range *starts,
                          size_t count, struct positions_view *view, struct record_check *check,
                          struct error *err) {
    struct retry retry = {0};
    for (;;) {
        bool newest_only = !change->watch->was_absent && !is_broken(change, view) &&
                           change->watch->lowest.count == 0;
        if (record_check(change->watch, newest_only, check, err))
            return true;
        if (!wait_to_check(change, &retry, err) || !look(change, starts, count, view, err))
            return false;
    }
}

/* Where nothing else tells: retention has been at work, up to a position. A new topic begins at 0.
 */
static bool is_old(const struct topic_change *change) {
    for (size_t i = 0; i < change->position->start_count; i++) {
        const struct partition_offsets *listed =
            topic_offsets_find(&change->watch->topic, change->position->starts[i].partition);
        if (listed != NULL && listed->log_start > 0 &&
            listed->log_start <= change->position->starts[i].end &&
            position_state(change->position->starts[i].end, listed) <= POSITION_WAITS)
            return true;
    }
    return false;
}

static bool is_renewed(const struct topic_change *change, const struct positions_view *view,
                       const struct record_check *check, const char **evidence) {
    if (has_same_id(change) || check->topic == RECORD_SAME)
        return false;
    *evidence = check->text;
    if (check->topic == RECORD_OTHER)
        return true;
    if (is_old(change))
        return false;
    *evidence = "Kafka takes no partition from a topic";
    if (view->gone.count > change->watch->gone_known)
        return true;
    *evidence = "it was not there for a while";
    return change->watch->long_absent;
}

/* Keeps in change->watch->lowest which logs have been cut. One that is as long again may never have
 * been: its newest record tells. */
static void weigh_lowest(struct topic_change *change, const struct record_check *check) {
    struct offsets kept = {0};
    for (size_t i = 0; i < change->watch->lowest.count; i++) {
        const struct partition_offset *low = &change->watch->lowest.entries[i];
        int64_t position =
            positions_next(change->position->starts, change->position->start_count, low->partition);
        enum record_match newest = record_check_newest(check, low->partition);
        bool ahead = position_state(position, topic_offsets_find(&change->watch->topic,
                                                                 low->partition)) == POSITION_AHEAD;
        if (newest == RECORD_OTHER || (newest == RECORD_UNKNOWN && ahead))
            offsets_add(&kept, low->partition, low->offset);
        else if (!ahead)
            log_write(LOG_WARNING, change->watch->report->name,
                      "A log seemed to be shorter than what was read of it, and is not%s | "
                      "topic=%s | partition=%" PRId32 " | end_offset=%" PRId64
                      " | next_offset=%" PRId64,
                      newest == RECORD_SAME ? "" : " any more; no record tells whether it was cut",
                      change->watch->definition->topic, low->partition, low->offset, position);
    }
    offsets_sort(&kept);
    offsets_deinit(&change->watch->lowest);
    change->watch->lowest = kept;
}

static enum topic_change_kind kind_of_same(const struct topic_change *change,
                                           const struct positions_view *view,
                                           const struct record_check *check) {
    if (ahead_count(view) > 0 || change->watch->lowest.count > 0)
        return TOPIC_CUT;
    for (size_t i = 0; i < check->count; i++)
        if ((has_same_id(change) || check->topic == RECORD_SAME) &&
            check->partitions[i].newest == RECORD_OTHER)
            return TOPIC_REGROWN;
    return TOPIC_FITS;
}

static bool judge(struct topic_change *change, const struct offset_range *starts, size_t count,
                  struct positions_view *view, struct error *err) {
    char text[2 * TOPIC_ID_MAX + 32];
    struct record_check check;
    const char *evidence;
    if (change->kind == TOPIC_RENEWED)
        return true;
    if (has_other_id(change)) {
        (void)snprintf(text, sizeof text, "its id is %s, not %s", change->watch->topic.id,
                       change->position->incarnation.topic_id);
        set_change(change, TOPIC_RENEWED, text);
        return true;
    }
    if (!check_records(change, starts, count, view, &check, err))
        return false;
    if (is_renewed(change, view, &check, &evidence)) {
        set_change(change, TOPIC_RENEWED, evidence);
        return true;
    }
    weigh_lowest(change, &check);
    change->watch->gone_known = view->gone.count;
    set_change(change, kind_of_same(change, view, &check),
               has_same_id(change)          ? "its id is the same"
               : check.topic == RECORD_SAME ? "a record that both have is the same"
                                            : "no record tells whether the topic is another");
    if (change->kind == TOPIC_REGROWN)
        set_change(change, TOPIC_REGROWN, check.text);
    return true;
}

/* Sets change-> */
static bool find_change(struct topic_change *change, const struct offset_range *starts,
                        size_t count, struct positions_view *view, struct error *err) {
    positions_view(starts, count, &change->watch->topic, view);
    if (is_suspect(change, view) && !look_again(change, starts, count, view, err))
        return false;
    if (view->gone.count < change->watch->gone_known)
        change->watch->gone_known = view->gone.count;
    return !is_suspect(change, view) || judge(change, starts, count, view, err);
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

const char *topic_change_wait(const struct topic_change *change, const char **detail) {
    return wait_of(&change->waiting, &change->missing, detail);
}

static void note_waiting(struct topic_change *change, const struct positions_view *view) {
    change->waiting = view->waiting;
    change->missing = (struct partition_texts){0};
    if (change->kind != TOPIC_RENEWED)
        change->missing = view->gone;
    const char *detail, *wait = topic_change_wait(change, &detail);
    if (wait == NULL)
        change->waiting_logged_ms = 0;
    else if (!change->watch->definition->options->trigger.available_now && is_time_to_say(change))
        log_write(LOG_WARNING, change->watch->report->name, "%s: %s | topic=%s | detail=%s", wait,
                  change->missing.count > 0 ? "the topic is the same, so a broker may be behind"
                                            : "nothing behind it can be read with read_committed",
                  change->watch->definition->topic, detail);
}

void topic_change_say_left(struct topic_change *change) {
    if (change->waiting.count > 0)
        log_write(LOG_WARNING, change->watch->report->name,
                  "Ended at the last stable offset: a transaction stands open, and what is behind "
                  "it is left to the next start | topic=%s | detail=%s",
                  change->watch->definition->topic, change->waiting.text);
    if (change->missing.count > 0)
        log_write(LOG_WARNING, change->watch->report->name,
                  "Ended without partitions that Kafka does not list, though the topic is the "
                  "same; they are left to the next start | topic=%s | detail=%s",
                  change->watch->definition->topic, change->missing.text);
}

/* ---- moving ---- */

/* What is wrong, or just where the query stood. */
static void describe(const struct topic_change *change, const struct positions_view *view,
                     struct partition_texts *texts) {
    *texts = view->broken;
    for (size_t i = 0; i < change->watch->lowest.count && view->broken.count == 0; i++)
        partition_texts_add(texts,
                            "partition %" PRId32 " ended at offset %" PRId64
                            " for a while, before the next offset %" PRId64,
                            change->watch->lowest.entries[i].partition,
                            change->watch->lowest.entries[i].offset,
                            positions_next(change->position->starts, change->position->start_count,
                                           change->watch->lowest.entries[i].partition));
    for (size_t i = 0; i < change->position->start_count && texts->count == 0; i++)
        partition_texts_add(texts, "partition %" PRId32 ", next offset %" PRId64,
                            change->position->starts[i].partition, change->position->starts[i].end);
}

/* The plan that moves the positions is there by then, so that a later start knows of it, whatever
 * the topic has become. */
static bool refuse(const struct topic_change *change, const struct positions_view *view,
                   struct error *err) {
    struct partition_texts detail;
    describe(change, view, &detail);
    if (change->kind == TOPIC_RENEWED)
        return error_set(err, ERROR_DATA_LOSS,
                         "topic %s was deleted and created again (%s): %s; set "
                         "FAIL_ON_DATA_LOSS=false to read the new one from its beginning (what was "
                         "not read of the old one is lost)",
                         change->watch->definition->topic, change->evidence, detail.text);
    return error_set(err, ERROR_DATA_LOSS,
                     "the log of topic %s is shorter than what was read of it, as after an unclean "
                     "leader election (%s): %s; set FAIL_ON_DATA_LOSS=false to go on at its new "
                     "end",
                     change->watch->definition->topic, change->evidence, detail.text);
}

static bool is_at(const struct topic_change *change, const struct offset_range *moved,
                  size_t count) {
    for (size_t i = 0; i < change->position->start_count; i++) {
        int64_t position = change->position->starts[i].end;
        bool there = false;
        for (size_t j = 0; j < count; j++)
            there = there || (moved[j].partition == change->position->starts[i].partition &&
                              moved[j].end == position);
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

/* From now on change->position->begun knows of it. */
static void begin_incarnation(struct topic_change *change, const struct plan *plan) {
    struct incarnation_begin begin = {.batch_id = plan->batch_id, .since_ms = plan->timestamp_ms};
    copy_positions(change->position->starts, change->position->start_count, &begin.former);
    copy_positions(plan->ranges, plan->count, &begin.starts);
    for (size_t i = 0; i < change->watch->sound.count; i++) {
        const struct partition_offsets *known = &change->watch->sound.partitions[i];
        if (change->kind == TOPIC_RENEWED || goes_back(&begin, known->partition))
            offsets_add(&begin.known_ends, known->partition, known->end);
    }
    offsets_sort(&begin.known_ends);
    incarnation_begin_complete(&begin);
    incarnations_add(&change->position->begun, begin);
}

static void say_moved(struct topic_change *change, const struct positions_view *view) {
    struct partition_texts detail;
    describe(change, view, &detail);
    const struct incarnation_begin *begin =
        &change->position->begun.begins[change->position->begun.count - 1];
    char lost[24] = "unknown";
    if (change->watch->sound.count > 0)
        (void)snprintf(lost, sizeof lost, "%" PRId64, incarnation_begin_lost(begin));
    const char *what = change->kind == TOPIC_RENEWED
                           ? "The topic was deleted and created again: it is read from its "
                             "beginning"
                           : "The topic's log is shorter than what was read of it: the query goes "
                             "on at its new end";
    log_write(LOG_WARNING, change->watch->report->name,
              "%s | topic=%s | evidence=%s | detail=%s | batch_id=%" PRId64
              " | never_read_and_lost=%s",
              what, change->watch->definition->topic, change->evidence, detail.text,
              begin->batch_id, lost);
    query_status_note_error(&change->watch->report->status, what);
}

static void drop(struct plan *plan) {
    free(plan->ranges);
    plan->ranges = NULL;
    plan->count = 0;
}

static bool move(struct topic_change *change, const struct positions_view *view, struct plan *plan,
                 struct error *err) {
    bool renewed = change->kind == TOPIC_RENEWED;
    size_t count;
    struct offset_range *moved =
        positions_move(change->position->starts, change->position->start_count,
                       &change->watch->topic, renewed, &change->watch->lowest, &count);
    if (is_at(change, moved, count)) { // nothing was read of the old one
        free(moved);
        settle(change);
        return true;
    }
    plan->ranges = moved;
    plan->count = count;
    bool refused = change->watch->definition->options->fail_on_data_loss;
    if (!query_position_set_later(change->position, plan, err)) {
        drop(plan);
        return false;
    }
    begin_incarnation(change, plan);
    if (refused &&
        (!query_position_write_plan(change->position, plan, err) || !refuse(change, view, err))) {
        drop(plan);
        return false;
    }
    say_moved(change, view);
    settle(change);
    return true;
}

/* What was new before the position is gone for this query, and where it began is not known. */
static bool accept_regrown(struct topic_change *change, struct error *err) {
    static const char what[] = "The topic's log was cut, as after an unclean leader election, and "
                               "has grown past the next offset again: what was written to it below "
                               "is not read";
    if (change->watch->definition->options->fail_on_data_loss)
        return error_set(err, ERROR_DATA_LOSS,
                         "the log of topic %s was cut, as after an unclean leader election, and "
                         "has grown past the next offset again (%s): what was written to it below "
                         "is not read; set FAIL_ON_DATA_LOSS=false to go on from the next offset",
                         change->watch->definition->topic, change->evidence);
    log_write(LOG_WARNING, change->watch->report->name,
              "%s | topic=%s | evidence=%s | never_read_and_lost=%s", what,
              change->watch->definition->topic, change->evidence, "unknown");
    query_status_note_error(&change->watch->report->status, what);
    settle(change);
    return true;
}

bool topic_change_plan(struct topic_change *change, struct plan *plan, struct error *err) {
    struct positions_view view;
    if (!find_change(change, change->position->starts, change->position->start_count, &view, err))
        return false;
    note_waiting(change, &view);
    switch (change->kind) {
    case TOPIC_CUT:
    case TOPIC_RENEWED:
        return move(change, &view, plan, err);
    case TOPIC_REGROWN:
        return accept_regrown(change, err);
    case TOPIC_FITS:
        break;
    }
    settle(change);
    return true;
}

void topic_change_settle(struct topic_change *change) {
    settle(change);
}

/* ---- a planned batch ---- */

/* The incarnation that it begins, or NULL. */
static const struct incarnation_begin *find_begin(const struct topic_change *change,
                                                  const struct plan *plan) {
    const struct incarnations *begun = &change->position->begun;
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
static bool allow_move(struct topic_change *change, const struct incarnation_begin *begin,
                       struct error *err) {
    struct partition_texts moves;
    describe_moves(begin, &moves);
    if (change->watch->definition->options->fail_on_data_loss)
        return error_set(err, ERROR_DATA_LOSS,
                         "topic %s was deleted and created again, or its log was cut, and batch "
                         "%" PRId64 " is planned to go on there: %s; set FAIL_ON_DATA_LOSS=false "
                         "to run it (what was not read before is lost)",
                         change->watch->definition->topic, begin->batch_id, moves.text);
    log_write(LOG_WARNING, change->watch->report->name,
              "The topic was deleted and created again, or its log was cut: the planned batch "
              "moves the positions | topic=%s | batch_id=%" PRId64 " | detail=%s",
              change->watch->definition->topic, begin->batch_id, moves.text);
    change->unproven = false;
    offsets_deinit(&change->watch->lowest); // the plan says where the query goes on
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

static void say_awaited(struct topic_change *change, const struct plan *plan,
                        const struct positions_view *view) {
    const char *detail, *wait = wait_of(&view->waiting, &view->gone, &detail);
    query_status_fault(&change->watch->report->status, QUERY_RETRYING, true, wait, detail);
    if (is_time_to_say(change))
        log_write(LOG_ERROR, change->watch->report->name,
                  "The planned batch can't be read to its end now. %s | batch_id=%" PRId64
                  " | topic=%s | detail=%s",
                  wait, plan->batch_id, change->watch->definition->topic, detail);
}

/* What the topic does not have any more is not waited for. */
static bool is_awaited(const struct topic_change *change, const struct positions_view *view) {
    switch (change->kind) {
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

static bool await(struct topic_change *change, const struct plan *plan,
                  const struct offset_range *ends, size_t count, struct error *err) {
    for (;;) {
        struct positions_view view;
        if (!topic_watch_high(change->watch, ends, count, err) ||
            !find_change(change, ends, count, &view, err))
            return false;
        if (change->kind == TOPIC_REGROWN && !accept_regrown(change, err))
            return false;
        if (!is_awaited(change, &view))
            return true;
        say_awaited(change, plan, &view);
        if (stop_sleep(change->watch->stop, LOOK_PAUSE_MS))
            return error_set(err, ERROR_STOPPED, "stopped while waiting to read a planned batch");
        if (!topic_watch_refresh(change->watch, err))
            return false;
    }
}

bool topic_change_await(struct topic_change *change, const struct plan *plan, struct error *err) {
    const struct incarnation_begin *begin = find_begin(change, plan);
    if (begin != NULL && !allow_move(change, begin, err))
        return false;
    size_t count;
    struct offset_range *ends = ends_of(plan, &count);
    bool ok = await(change, plan, ends, count, err);
    free(ends);
    return ok;
}
