/* What has happened to a topic since it was read.
 *
 * A look that does not fit the positions is repeated, because a broker may be behind. Then the
 * topic's id settles it, if both are known; else records that the topic and the table both have are
 * compared (record_check()); else what retention, absence and partitions tell. The topic counts as
 * another only on such evidence: without any, it is the same, and its log was cut if it is too
 * short. What was found stays in `kind` until positions and topic agree again. */
#include "streaming/query/topic_change.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
    struct query_position *position = change->position;
    for (size_t i = 0; i < position->start_count; i++) {
        const struct partition_offsets *listed =
            topic_offsets_find(&change->watch->topic, position->starts[i].partition);
        if (listed != NULL && listed->end > position->starts[i].end)
            return true;
    }
    return false;
}

/* At a start, or after Kafka did not answer: meanwhile the log may have been cut, and have grown
 * past the positions again. Only what is read next makes a difference. */
static bool is_doubtful(const struct topic_change *change) {
    return (change->unproven || change->watch->in_doubt) && has_news(change);
}

static size_t ahead_count(const struct positions_view *view) {
    return view->broken.count - view->gone.count;
}

/* Partitions of which it is known that they are gone though the topic is the same do not count. */
static bool is_broken(const struct topic_change *change, const struct positions_view *view) {
    return ahead_count(view) > 0 || view->gone.count > change->watch->gone_known;
}

static bool is_suspect(const struct topic_change *change, const struct positions_view *view) {
    struct topic_watch *watch = change->watch;
    return change->kind != TOPIC_FITS || watch->was_absent || is_broken(change, view) ||
           watch->lowest.count > 0 || is_doubtful(change) || has_other_id(change);
}

void topic_change_take_id(struct topic_change *change) {
    char *id = change->position->incarnation.topic_id;
    memcpy(id, change->watch->topic.id, sizeof change->watch->topic.id);
}

void topic_change_believe(struct topic_change *change) {
    if (has_news(change))
        change->unproven = change->watch->in_doubt = false;
}

void topic_change_settle(struct topic_change *change) {
    struct topic_watch *watch = change->watch;
    bool is_other = change->kind == TOPIC_RENEWED;
    watch->was_absent = false;
    watch->long_absent = false;
    topic_change_believe(change);
    watch->fits = true;
    change->kind = TOPIC_FITS;
    change->evidence[0] = '\0';
    topic_offsets_deinit(&watch->sound);
    offsets_deinit(&watch->lowest);
    // Where ids are not known, the same topic keeps the one that it had elsewhere.
    if (watch->topic.id[0] != '\0' || is_other)
        topic_change_take_id(change);
}

static void set_change(struct topic_change *change, enum topic_change_kind kind,
                       const char *evidence) {
    change->kind = kind;
    (void)snprintf(change->evidence, sizeof change->evidence, "%s", evidence);
}

/* Of the positions in `starts`, which are the query's or the ends of its plan. */
static bool look(struct topic_change *change, const struct offset_range *starts, size_t count,
                 struct positions_view *view, struct error *err) {
    struct topic_watch *watch = change->watch;
    if (!topic_watch_refresh(watch, err) || !topic_watch_high(watch, starts, count, err))
        return false;
    positions_view(starts, count, &watch->topic, view);
    return true;
}

static bool look_again(struct topic_change *change, const struct offset_range *starts, size_t count,
                       struct positions_view *view, struct error *err) {
    for (int i = 0; is_broken(change, view) && i < (view->gone.count > 0 ? LOOKS_IF_GONE : LOOKS);
         i++) {
        if (!retrier_pause(change->watch->retrier, LOOK_PAUSE_MS, "checking the topic again",
                           err) ||
            !look(change, starts, count, view, err))
            return false;
    }
    return true;
}

bool topic_change_is_time_to_say(struct topic_change *change) {
    int64_t now_ms = clock_monotonic_ms();
    if (change->waiting_logged_ms != 0 && now_ms - change->waiting_logged_ms < LOG_EVERY_MS)
        return false;
    change->waiting_logged_ms = now_ms;
    return true;
}

/* After a record could not be read. */
static bool wait_to_check(struct topic_change *change, struct retry *disk, struct retry *broker,
                          struct error *err) {
    struct topic_watch *watch = change->watch;
    if (err->kind == ERROR_STOPPED)
        return false;
    if (disk_error_may_pass(err))
        return retry_again(change->position->retrier, disk, err);
    char text[sizeof err->message + 128];
    (void)snprintf(text, sizeof text,
                   "Cannot check yet whether topic %s is the same: a record cannot be read: %s",
                   watch->definition->topic, err->message);
    retry_note(broker, clock_monotonic_ms());
    const struct retry_words words = {.message = "Checking whether the topic is the same",
                                      .text = topic_change_is_time_to_say(change) ? text : NULL,
                                      .reason = err->message,
                                      .level = LOG_ERROR};
    retry_say(watch->report, broker, (struct log_retry){.pause_ms = CHECK_PAUSE_MS}, &words);
    return retrier_pause(watch->retrier, CHECK_PAUSE_MS, "checking whether the topic is the same",
                         err);
}

static bool check_records(struct topic_change *change, const struct offset_range *starts,
                          size_t count, struct positions_view *view, struct record_check *check,
                          struct error *err) {
    struct topic_watch *watch = change->watch;
    struct retry disk = {0}, broker = {0};
    for (;;) {
        bool newest_only =
            !watch->was_absent && !is_broken(change, view) && watch->lowest.count == 0;
        if (record_check(watch, newest_only, check, err))
            return true;
        // One low listing is not believed here either.
        if (!wait_to_check(change, &disk, &broker, err) ||
            !look(change, starts, count, view, err) ||
            !look_again(change, starts, count, view, err))
            return false;
    }
}

/* Where nothing else tells: retention has been at work, up to a position. A new topic begins at 0.
 */
static bool is_old(const struct topic_change *change) {
    struct query_position *position = change->position;
    for (size_t i = 0; i < position->start_count; i++) {
        const struct partition_offsets *listed =
            topic_offsets_find(&change->watch->topic, position->starts[i].partition);
        if (listed != NULL && listed->log_start > 0 &&
            listed->log_start <= position->starts[i].end &&
            position_state(position->starts[i].end, listed) <= POSITION_WAITS)
            return true;
    }
    return false;
}

static bool is_renewed(const struct topic_change *change, const struct positions_view *view,
                       const struct record_check *check, const char **evidence) {
    struct topic_watch *watch = change->watch;
    if (has_same_id(change) || check->topic == RECORD_SAME)
        return false;
    *evidence = check->text;
    if (check->topic == RECORD_OTHER)
        return true;
    *evidence = "it has fewer partitions, and Kafka never removes a partition from a topic";
    if (view->gone.count > watch->gone_known)
        return true;
    if (is_old(change))
        return false;
    *evidence = "no record of it was read, and none can be there twice";
    if (check->nothing_read && ahead_count(view) > 0)
        return true;
    *evidence = "it did not exist for a while";
    return watch->long_absent;
}

/* Keeps in `lowest` which logs have been cut. One that is as long again may never have
 * been: its newest record tells. */
static void weigh_lowest(struct topic_change *change, const struct record_check *check) {
    struct topic_watch *watch = change->watch;
    struct offsets kept = {0};
    for (size_t i = 0; i < watch->lowest.count; i++) {
        const struct partition_offset *low = &watch->lowest.entries[i];
        int64_t position =
            positions_next(change->position->starts, change->position->start_count, low->partition);
        enum record_match newest = record_check_newest(check, low->partition);
        bool ahead = position_state(position, topic_offsets_find(&watch->topic, low->partition)) ==
                     POSITION_AHEAD;
        if (newest == RECORD_OTHER || (newest == RECORD_UNKNOWN && ahead))
            offsets_add(&kept, low->partition, low->offset);
        else if (!ahead)
            log_write(
                LOG_WARNING, watch->report->name,
                "Kafka reported a log end below the query's position for a moment; %s | topic=%s "
                "| partition=%" PRId32 " | end_offset=%" PRId64 " | next_offset=%" PRId64,
                newest == RECORD_SAME ? "the log was not truncated"
                                      : "no record shows whether the log was truncated",
                watch->definition->topic, low->partition, low->offset, position);
    }
    offsets_sort(&kept);
    offsets_deinit(&watch->lowest);
    watch->lowest = kept;
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

/* At a start, when it is taken for the same topic without any evidence. */
static void warn_unproven(struct topic_change *change, const struct record_check *check) {
    const struct topic_watch *watch = change->watch;
    if (!change->unproven || change->unproven_said || check->topic != RECORD_UNKNOWN ||
        has_same_id(change))
        return;
    change->unproven_said = true;
    log_write(LOG_WARNING, watch->report->name,
              "It is unknown whether the topic was deleted and created again while the query was "
              "stopped: no record shows it, and %s; the query continues at its position | topic=%s",
              watch->topic.id[0] == '\0'
                  ? "librdkafka before 2.3 and Kafka before 2.8 do not report topic ids"
                  : "the checkpoint has no topic id yet",
              watch->definition->topic);
}

static bool is_renewed_by_id(struct topic_change *change) {
    char text[2 * TOPIC_ID_MAX + 32];
    if (!has_other_id(change))
        return false;
    (void)snprintf(text, sizeof text, "its id is %s, not %s", change->watch->topic.id,
                   change->position->incarnation.topic_id);
    set_change(change, TOPIC_RENEWED, text);
    return true;
}

static bool judge(struct topic_change *change, const struct offset_range *starts, size_t count,
                  struct positions_view *view, struct error *err) {
    struct topic_watch *watch = change->watch;
    struct record_check check;
    const char *evidence;
    if (change->kind == TOPIC_RENEWED || is_renewed_by_id(change))
        return true;
    if (!check_records(change, starts, count, view, &check, err))
        return false;
    // The topic may have been created again while its records were read.
    if (is_renewed_by_id(change))
        return true;
    if (is_renewed(change, view, &check, &evidence)) {
        set_change(change, TOPIC_RENEWED, evidence);
        return true;
    }
    warn_unproven(change, &check);
    weigh_lowest(change, &check);
    watch->gone_known = view->gone.count;
    set_change(change, kind_of_same(change, view, &check),
               has_same_id(change)          ? "its id is the same"
               : check.topic == RECORD_SAME ? "a record that both contain is the same"
                                            : "no record shows whether it is another topic");
    if (change->kind == TOPIC_REGROWN)
        set_change(change, TOPIC_REGROWN, check.text);
    return true;
}

bool topic_change_find(struct topic_change *change, const struct offset_range *starts, size_t count,
                       struct positions_view *view, struct error *err) {
    struct topic_watch *watch = change->watch;
    positions_view(starts, count, &watch->topic, view);
    if (is_suspect(change, view) && !look_again(change, starts, count, view, err))
        return false;
    if (view->gone.count < watch->gone_known)
        watch->gone_known = view->gone.count;
    return !is_suspect(change, view) || judge(change, starts, count, view, err);
}
