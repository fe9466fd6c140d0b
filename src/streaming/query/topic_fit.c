/* Positions and topic are made to fit again.
 *
 * Where the topic was renewed or cut, the next batch takes no records and moves the positions. Its
 * plan is on the disk before anything else happens, also where FAIL_ON_DATA_LOSS then ends the
 * query: a later start may find a topic that has grown past the positions, and nothing else would
 * tell. With such a plan an incarnation begins; the next manifest says so.
 *
 * An existing plan is read to its ends. The query waits for temporary obstacles: an open
 * transaction, a partition that a broker does not list though the topic is the same.
 */
#include "streaming/query/topic_fit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "streaming/kafka/positions.h"

enum { LOOK_PAUSE_MS = 300 };

/* ---- waiting ---- */

/* For what; NULL: for nothing. */
static const char *wait_of(const struct partition_texts *waiting,
                           const struct partition_texts *missing, const char **detail) {
    *detail = missing->count > 0 ? missing->text : waiting->text;
    if (missing->count > 0)
        return "Waiting for partitions that Kafka does not list";
    return waiting->count > 0 ? "Waiting for a transaction to end" : NULL;
}

const char *topic_fit_wait(const struct topic_change *change, const char **detail) {
    return wait_of(&change->waiting, &change->missing, detail);
}

static void note_waiting(struct topic_change *change, const struct positions_view *view) {
    struct topic_watch *watch = change->watch;
    change->waiting = view->waiting;
    change->missing = (struct partition_texts){0};
    if (change->kind != TOPIC_RENEWED)
        change->missing = view->gone;
    const char *detail, *wait = topic_fit_wait(change, &detail);
    if (wait == NULL)
        change->waiting_logged_ms = 0;
    else if (!watch->definition->options->trigger.available_now &&
             topic_change_is_time_to_say(change))
        log_write(LOG_WARNING, watch->report->name, "%s: %s | topic=%s | detail=%s", wait,
                  change->missing.count > 0
                      ? "the topic is the same; a broker may be out of date"
                      : "with read_committed, records after it cannot be read yet",
                  watch->definition->topic, detail);
}

void topic_fit_say_left(struct topic_change *change) {
    struct topic_watch *watch = change->watch;
    if (change->waiting.count > 0)
        log_write(LOG_WARNING, watch->report->name,
                  "Ended at the last stable offset: a transaction is open, and the records after "
                  "it are left for the next run | topic=%s | detail=%s",
                  watch->definition->topic, change->waiting.text);
    if (change->missing.count > 0)
        log_write(LOG_WARNING, watch->report->name,
                  "Ended without the partitions that Kafka does not list; the next run reads them, "
                  "because the topic is the same | topic=%s | detail=%s",
                  watch->definition->topic, change->missing.text);
}

/* ---- moving ---- */

/* What is wrong, or just where the query stood. */
static void describe(const struct topic_change *change, const struct positions_view *view,
                     struct partition_texts *texts) {
    struct topic_watch *watch = change->watch;
    struct query_position *position = change->position;
    *texts = view->broken;
    for (size_t i = 0; i < watch->lowest.count && view->broken.count == 0; i++)
        partition_texts_add(texts,
                            "partition %" PRId32 " ended at offset %" PRId64
                            " for a while, before the next offset %" PRId64,
                            watch->lowest.entries[i].partition, watch->lowest.entries[i].offset,
                            positions_next(position->starts, position->start_count,
                                           watch->lowest.entries[i].partition));
    for (size_t i = 0; i < position->start_count && texts->count == 0; i++)
        partition_texts_add(texts, "partition %" PRId32 ", next offset %" PRId64,
                            position->starts[i].partition, position->starts[i].end);
}

/* The plan that moves the positions is there by then, so that a later start knows of it, no matter
 * how the topic changes meanwhile. */
static bool refuse(const struct topic_change *change, const struct positions_view *view,
                   struct error *err) {
    struct topic_watch *watch = change->watch;
    struct partition_texts detail;
    describe(change, view, &detail);
    if (change->kind == TOPIC_RENEWED)
        return error_set(
            err, ERROR_DATA_LOSS,
            "topic %s was deleted and created again (%s): %s; set FAIL_ON_DATA_LOSS=false to read "
            "the new topic from its beginning (unread records of the old topic are lost)",
            watch->definition->topic, change->evidence, detail.text);
    return error_set(
        err, ERROR_DATA_LOSS,
        "the log of topic %s was truncated below the offsets already read, as after an unclean "
        "leader election (%s): %s; set FAIL_ON_DATA_LOSS=false to continue at its new end",
        watch->definition->topic, change->evidence, detail.text);
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

/* From now on the position knows of it. */
static void begin_incarnation(struct topic_change *change, const struct plan *plan) {
    struct topic_watch *watch = change->watch;
    struct query_position *position = change->position;
    struct incarnation_begin begin = {.batch_id = plan->batch_id, .since_ms = plan->timestamp_ms};
    copy_positions(position->starts, position->start_count, &begin.former);
    copy_positions(plan->ranges, plan->count, &begin.starts);
    for (size_t i = 0; i < watch->sound.count; i++) {
        const struct partition_offsets *known = &watch->sound.partitions[i];
        if (change->kind == TOPIC_RENEWED || goes_back(&begin, known->partition))
            offsets_add(&begin.known_ends, known->partition, known->end);
    }
    offsets_sort(&begin.known_ends);
    incarnation_begin_complete(&begin);
    incarnations_add(&position->begun, begin);
}

static void say_moved(struct topic_change *change, const struct positions_view *view) {
    struct topic_watch *watch = change->watch;
    struct partition_texts detail;
    describe(change, view, &detail);
    const struct incarnation_begin *begin =
        &change->position->begun.begins[change->position->begun.count - 1];
    char lost[24] = "unknown";
    if (watch->sound.count > 0)
        (void)snprintf(lost, sizeof lost, "%" PRId64, incarnation_begin_lost(begin));
    const char *what =
        change->kind == TOPIC_RENEWED
            ? "The topic was deleted and created again; it is read from its beginning"
            : "The topic's log was truncated below the offsets already read; the query continues "
              "at its new end";
    log_write(strcmp(lost, "0") == 0 ? LOG_WARNING : LOG_ERROR, watch->report->name,
              "%s | topic=%s | evidence=%s | detail=%s | batch_id=%" PRId64
              " | never_read_and_lost=%s",
              what, watch->definition->topic, change->evidence, detail.text, begin->batch_id, lost);
    query_status_note_error(&watch->report->status, what);
}

static void drop(struct plan *plan) {
    free(plan->ranges);
    plan->ranges = NULL;
    plan->count = 0;
}

static bool move(struct topic_change *change, const struct positions_view *view, struct plan *plan,
                 struct error *err) {
    struct topic_watch *watch = change->watch;
    struct query_position *position = change->position;
    bool renewed = change->kind == TOPIC_RENEWED;
    size_t count;
    struct offset_range *moved = positions_move(position->starts, position->start_count,
                                                &watch->topic, renewed, &watch->lowest, &count);
    if (is_at(change, moved, count)) { // nothing was read of the old one
        free(moved);
        topic_change_settle(change);
        return true;
    }
    plan->ranges = moved;
    plan->count = count;
    bool refused = watch->definition->options->fail_on_data_loss;
    if (!query_position_set_later(position, plan, err)) {
        drop(plan);
        return false;
    }
    begin_incarnation(change, plan);
    if (renewed) // the plan says of which topic it is
        topic_change_take_id(change);
    if (refused &&
        (!query_position_write_plan(position, plan, err) || !refuse(change, view, err))) {
        drop(plan);
        return false;
    }
    say_moved(change, view);
    topic_change_settle(change);
    return true;
}

/* What was new before the position is gone for this query, and where it began is not known. */
static bool accept_regrown(struct topic_change *change, struct error *err) {
    struct topic_watch *watch = change->watch;
    static const char what[] =
        "The topic's log was truncated, as after an unclean leader election, and has grown past "
        "the next offset again; records written below the next offset are not read";
    if (watch->definition->options->fail_on_data_loss)
        return error_set(
            err, ERROR_DATA_LOSS,
            "the log of topic %s was truncated, as after an unclean leader election, and has grown "
            "past the next offset again (%s): records written below the next offset cannot be "
            "read; set FAIL_ON_DATA_LOSS=false to continue from the next offset",
            watch->definition->topic, change->evidence);
    log_write(LOG_WARNING, watch->report->name,
              "%s | topic=%s | evidence=%s | never_read_and_lost=%s", what,
              watch->definition->topic, change->evidence, "unknown");
    query_status_note_error(&watch->report->status, what);
    topic_change_settle(change);
    return true;
}

bool topic_fit_plan(struct topic_change *change, struct plan *plan, struct error *err) {
    struct positions_view view;
    if (!topic_change_find(change, change->position->starts, change->position->start_count, &view,
                           err))
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
    topic_change_settle(change);
    return true;
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

/* Nothing was read behind such positions, whichever topic they were planned for. */
static bool reads_from_beginning(const struct incarnation_begin *begin) {
    for (size_t i = 0; i < begin->starts.count; i++)
        if (begin->starts.entries[i].offset > 0)
            return false;
    return true;
}

/* A plan that moves the positions was found. It is the proof that they do not fit. */
static bool allow_move(struct topic_change *change, const struct incarnation_begin *begin,
                       struct error *err) {
    struct topic_watch *watch = change->watch;
    struct partition_texts moves;
    describe_moves(begin, &moves);
    if (watch->definition->options->fail_on_data_loss)
        return error_set(
            err, ERROR_DATA_LOSS,
            "topic %s was deleted and created again, or its log was truncated, and "
            "planned batch %" PRId64
            " changes the positions: %s; set FAIL_ON_DATA_LOSS=false to run it (unread "
            "records of the old log are lost)",
            watch->definition->topic, begin->batch_id, moves.text);
    log_write(LOG_WARNING, watch->report->name,
              "The topic was deleted and created again, or its log was truncated; the planned "
              "batch changes the positions | topic=%s | batch_id=%" PRId64 " | detail=%s",
              watch->definition->topic, begin->batch_id, moves.text);
    change->unproven = false;
    offsets_deinit(&watch->lowest); // the plan says where the query continues
    if (reads_from_beginning(begin))
        topic_change_take_id(change);
    return true;
}

/* Those of its ranges that have offsets. */
static struct offset_range *wanted_of(const struct plan *plan, size_t *count) {
    struct offset_range *wanted = must_alloc(plan->count + 1, sizeof *wanted);
    *count = 0;
    for (size_t i = 0; i < plan->count; i++)
        if (plan->ranges[i].end > plan->ranges[i].start)
            wanted[(*count)++] = plan->ranges[i];
    return wanted;
}

static void say_awaited(struct topic_change *change, const struct plan *plan,
                        const struct positions_view *view, struct retry *retry) {
    struct topic_watch *watch = change->watch;
    const char *detail, *wait = wait_of(&view->waiting, &view->gone, &detail);
    char text[sizeof view->gone.text + 512];
    (void)snprintf(text, sizeof text,
                   "Batch %" PRId64 " of topic %s cannot be read completely yet. %s: %s",
                   plan->batch_id, watch->definition->topic, wait, detail);
    retry_note(retry, clock_monotonic_ms());
    const struct retry_words words = {.message = wait,
                                      .text = topic_change_is_time_to_say(change) ? text : NULL,
                                      .reason = detail,
                                      .level = LOG_ERROR,
                                      .is_data_available = true};
    retry_say(watch->report, retry, (struct log_retry){.pause_ms = LOOK_PAUSE_MS}, &words);
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

/* Whether the topic is the same, all partitions of the plan show; it waits for those that it takes
 * offsets of. */
static bool await(struct topic_change *change, const struct plan *plan,
                  const struct offset_range *wanted, size_t count, struct error *err) {
    struct topic_watch *watch = change->watch;
    struct retry retry = {0};
    for (;;) {
        struct positions_view view;
        if (!topic_watch_high(watch, plan->ranges, plan->count, err) ||
            !topic_change_find(change, plan->ranges, plan->count, &view, err))
            return false;
        if (change->kind == TOPIC_REGROWN && !accept_regrown(change, err))
            return false;
        if (change->kind == TOPIC_FITS)
            topic_change_believe(change);
        positions_view(wanted, count, &watch->topic, &view);
        if (!is_awaited(change, &view))
            return true;
        say_awaited(change, plan, &view, &retry);
        if (!retrier_pause(watch->retrier, LOOK_PAUSE_MS, "waiting to read a planned batch", err) ||
            !topic_watch_refresh(watch, err))
            return false;
    }
}

bool topic_fit_await(struct topic_change *change, const struct plan *plan, struct error *err) {
    const struct incarnation_begin *begin = find_begin(change, plan);
    if (begin != NULL && !allow_move(change, begin, err))
        return false;
    size_t count;
    struct offset_range *wanted = wanted_of(plan, &count);
    bool ok = await(change, plan, wanted, count, err);
    free(wanted);
    return ok;
}
