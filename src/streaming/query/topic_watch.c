/* Listing the topic, and waiting for it.
 *
 * Callers that need the topic wait here: at a start for KAFKA_STARTUP_TIMEOUT, later without limit,
 * one line a minute. The topic's id and its high watermarks are asked for only where a listing
 * shows something new, so that an idle poll is one listing. A listing that does not fit the
 * positions keeps the last one that did (`sound`): it tells how far the topic went that the
 * positions are of. */
#include "streaming/query/topic_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log/log.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "streaming/kafka/positions.h"

enum {
    LIST_TIMEOUT_MS = 3000, // of one attempt; short, so that a stop is heard
    GLANCE_TIMEOUT_MS = 1000,
    RETRY_PAUSE_MS = 500,
    LONG_ABSENT_MS = 2000, // a broker that is behind is not for so long
    STALL_LOOK_MS = 3000,  // without a record, until it is asked whether any can come
    START_LOG_EVERY_MS = 5000,
    LATER_LOG_EVERY_MS = 60000,
};

void topic_watch_init(struct topic_watch *watch, const struct query_definition *definition,
                      const struct query_position *position, struct broker *broker,
                      const struct retrier *retrier) {
    *watch = (struct topic_watch){.definition = definition,
                                  .position = position,
                                  .report = retrier->report,
                                  .broker = broker,
                                  .stop = retrier->stop,
                                  .retrier = retrier,
                                  .identity = {.topic = definition->topic,
                                               .checkpoint = definition->options->store.checkpoint,
                                               .broker = broker,
                                               .retrier = retrier}};
}

void topic_watch_doubt(struct topic_watch *watch) {
    watch->in_doubt = watch->id_in_doubt = true;
}

void topic_watch_deinit(struct topic_watch *watch) {
    topic_offsets_deinit(&watch->topic);
    topic_offsets_deinit(&watch->sound);
    offsets_deinit(&watch->lowest);
    *watch = (struct topic_watch){0};
}

/* Whether a look shows what the last one did: then the topic's id is not asked for again. One that
 * was created again with the same ends is found out when there is something of it to be read. */
static bool is_idle(const struct topic_watch *watch, const struct topic_offsets *offsets) {
    if (offsets->count != watch->topic.count || watch->was_absent || watch->id_in_doubt)
        return false;
    for (size_t i = 0; i < offsets->count; i++)
        if (offsets->partitions[i].partition != watch->topic.partitions[i].partition ||
            offsets->partitions[i].end != watch->topic.partitions[i].end)
            return false;
    return true;
}

static bool ask_id(struct topic_watch *watch, int timeout_ms, struct topic_offsets *offsets,
                   struct error *err) {
    if (!is_idle(watch, offsets))
        return broker_find_id(watch->broker, watch->definition->topic, timeout_ms, offsets, err);
    memcpy(offsets->id, watch->topic.id, sizeof offsets->id);
    return true;
}

/* `anew`: the id, too, although the ends are those of the listing before. */
static bool list_with_id(struct topic_watch *watch, bool anew, int timeout_ms,
                         struct topic_offsets *offsets, struct error *err) {
    struct broker *broker = watch->broker;
    const char *topic = watch->definition->topic;
    *offsets = (struct topic_offsets){0};
    if (!broker->ops->list_offsets(broker, topic, timeout_ms, offsets, err))
        return false;
    if (anew ? broker_find_id(broker, topic, timeout_ms, offsets, err)
             : ask_id(watch, timeout_ms, offsets, err))
        return true;
    topic_offsets_deinit(offsets);
    return false;
}

/* The topic can be created again between the answer with its ends and the one with its id. Where
 * the id is another than before, or none was known, the ends may be those of the old topic: they
 * are asked for again, until the id is the same before and after them. */
static bool list_one_topic(struct topic_watch *watch, int timeout_ms, struct topic_offsets *offsets,
                           struct error *err) {
    char before[TOPIC_ID_MAX];
    const char *known =
        watch->topic.id[0] != '\0' ? watch->topic.id : watch->position->incarnation.topic_id;
    memcpy(before, known, sizeof before);
    for (bool anew = false; list_with_id(watch, anew, timeout_ms, offsets, err); anew = true) {
        if (offsets->id[0] == '\0' || strcmp(before, offsets->id) == 0) {
            watch->id_in_doubt = false;
            return true;
        }
        memcpy(before, offsets->id, sizeof before);
        topic_offsets_deinit(offsets);
    }
    return false;
}

/* With the high watermarks, if the positions need them. */
static bool ask_topic(struct topic_watch *watch, int timeout_ms, struct topic_offsets *offsets,
                      struct error *err) {
    struct broker *broker = watch->broker;
    const char *topic = watch->definition->topic;
    if (!list_one_topic(watch, timeout_ms, offsets, err))
        return false;
    if (!positions_want_high(watch->position->starts, watch->position->start_count, offsets) ||
        broker_list_high(broker, topic, timeout_ms, offsets, err))
        return true;
    topic_offsets_deinit(offsets);
    return false;
}

/* A listing that does not fit the positions leaves the one before it at hand, which tells how far
 * the topic went that they are of. */
static void take_listing(struct topic_watch *watch, struct topic_offsets *offsets) {
    struct positions_view view;
    positions_view(watch->position->starts, watch->position->start_count, offsets, &view);
    size_t gone = view.gone.count, ahead = view.broken.count - gone;
    bool fits = ahead == 0 && gone <= watch->gone_known && !watch->was_absent;
    if (!fits && watch->fits) {
        topic_offsets_deinit(&watch->sound);
        watch->sound = watch->topic;
    } else {
        topic_offsets_deinit(&watch->topic);
    }
    watch->topic = *offsets;
    watch->fits = fits;
    watch->absent_since_ms = watch->absence_logged_ms = 0;
    positions_note_lowest(watch->position->starts, watch->position->start_count, &watch->topic,
                          &watch->lowest);
}

static void note_absence(struct topic_watch *watch) {
    if (watch->position->start_count == 0) // then nothing was read of any
        return;
    int64_t now_ms = clock_monotonic_ms();
    if (watch->absent_since_ms == 0)
        watch->absent_since_ms = now_ms;
    if (now_ms - watch->absent_since_ms >= LONG_ABSENT_MS)
        watch->long_absent = true;
    watch->was_absent = true;
}

/* The floors below know the topic's name only. */
static void name_setting(const struct topic_watch *watch, struct error *err) {
    const char *setting = watch->definition->options->stream->topic_source;
    size_t used = strlen(err->message);
    bool is_question = used > 0 && err->message[used - 1] == '?'; // "did you mean 'matches'?"
    (void)text_append(err->message, sizeof err->message, used,
                      is_question ? " Set %s" : "; create it, or correct %s", setting);
}

static bool list_topic(struct topic_watch *watch, int timeout_ms, struct error *err) {
    struct topic_offsets offsets;
    struct lag_book *lag = &watch->report->status.lag;
    int64_t asked_ms = clock_monotonic_ms();
    if (ask_topic(watch, timeout_ms, &offsets, err)) {
        lag_book_set_topic(lag, &offsets, asked_ms);
        take_listing(watch, &offsets);
        return true;
    }
    if (err->kind == ERROR_NO_TOPIC)
        name_setting(watch, err);
    lag_book_note_error(lag, err->message);
    if (err->kind == ERROR_NO_TOPIC) {
        note_absence(watch);
        err->kind = ERROR_BROKER; // which is retried
    } else {
        topic_watch_doubt(watch);
    }
    return false;
}

struct wait {
    int64_t limit_ms; // KAFKA_STARTUP_TIMEOUT; 0: none
    enum log_level level;
    int64_t log_every_ms;
    struct retry retry;
    int64_t logged_ms;
    bool absent; // what failed last: the topic was not there
};

/* After an attempt that failed with *err: true, if another is due. */
static bool wait_again(struct topic_watch *watch, struct wait *wait, struct error *err) {
    int64_t now_ms = clock_monotonic_ms();
    if (err->kind != ERROR_BROKER)
        return false;
    retry_note(&wait->retry, now_ms);
    if (wait->limit_ms > 0 && now_ms - wait->retry.began_ms >= wait->limit_ms)
        return error_wrap(err, "gave up after KAFKA_STARTUP_TIMEOUT (%" PRId64 " s)",
                          wait->limit_ms / 1000);
    char text[sizeof err->message + 32];
    bool absent = watch->absent_since_ms != 0; // a broker that is back, without the topic, is news
    bool is_due = wait->logged_ms == 0 || now_ms - wait->logged_ms >= wait->log_every_ms ||
                  (absent && !wait->absent);
    wait->absent = absent;
    (void)snprintf(text, sizeof text, "Waiting for Kafka: %s", err->message);
    const struct log_retry times = {.pause_ms = RETRY_PAUSE_MS,
                                    .limit_ms = wait->limit_ms,
                                    .limit = wait->limit_ms > 0 ? "KAFKA_STARTUP_TIMEOUT" : NULL};
    const struct retry_words words = {.message = "Waiting for Kafka",
                                      .text = is_due ? text : NULL,
                                      .reason = err->message,
                                      .level = wait->level};
    retry_say(watch->report, &wait->retry, times, &words);
    if (is_due)
        wait->logged_ms = now_ms;
    return retrier_pause(watch->retrier, RETRY_PAUSE_MS, "waiting for Kafka", err);
}

static bool wait_for_topic(struct topic_watch *watch, struct wait wait, struct error *err) {
    wait.retry.began_ms = clock_monotonic_ms();
    wait.logged_ms = watch->absence_logged_ms; // the same failure
    wait.absent = watch->absence_logged_ms != 0;
    while (!list_topic(watch, LIST_TIMEOUT_MS, err))
        if (!wait_again(watch, &wait, err))
            return false;
    return true;
}

static const struct wait without_limit = {.level = LOG_ERROR, .log_every_ms = LATER_LOG_EVERY_MS};

bool topic_watch_start(struct topic_watch *watch, struct error *err) {
    const struct wait wait = {watch->definition->options->kafka_startup_timeout_ms, LOG_WARNING,
                              START_LOG_EVERY_MS};
    return wait_for_topic(watch, wait, err);
}

bool topic_watch_high(struct topic_watch *watch, const struct offset_range *ranges, size_t count,
                      struct error *err) {
    struct wait wait = without_limit;
    while (positions_want_high(ranges, count, &watch->topic) &&
           watch->topic.partitions[0].high == BROKER_NOT_ASKED) {
        if (broker_list_high(watch->broker, watch->definition->topic, LIST_TIMEOUT_MS,
                             &watch->topic, err))
            return true;
        if (err->kind == ERROR_NO_TOPIC) // the next listing notes it
            err->kind = ERROR_BROKER;
        if (!wait_again(watch, &wait, err) || !topic_watch_refresh(watch, err))
            return false;
    }
    return true;
}

bool topic_watch_refresh(struct topic_watch *watch, struct error *err) {
    return wait_for_topic(watch, without_limit, err) && kafka_identity_check(&watch->identity, err);
}

void topic_watch_moved(struct topic_watch *watch) {
    positions_keep_lowest(watch->position->starts, watch->position->start_count, &watch->lowest);
    lag_book_set_positions(&watch->report->status.lag, watch->position->starts,
                           watch->position->start_count);
}

void topic_watch_glance(struct topic_watch *watch) {
    struct error ignored; // callers that need the topic report that it is missing
    bool was_absent = watch->was_absent;
    if (list_topic(watch, GLANCE_TIMEOUT_MS, &ignored) || !watch->was_absent || was_absent)
        return;
    log_write(LOG_WARNING, watch->report->name,
              "The topic does not exist: it was deleted, or a broker does not know it yet | "
              "topic=%s",
              watch->definition->topic);
    watch->absence_logged_ms = clock_monotonic_ms();
}

bool topic_watch_loss(struct topic_watch *watch, const struct data_loss *loss, struct error *err) {
    const char *topic = watch->definition->topic;
    if (watch->definition->options->fail_on_data_loss)
        return error_set(
            err, ERROR_DATA_LOSS,
            "topic %s has lost records that this query had not read: %s; set "
            "FAIL_ON_DATA_LOSS=false to continue without them (they are counted as lost)",
            topic, loss->texts.text);
    // Until a batch has taken it in, every poll finds the same.
    int64_t now_ms = clock_monotonic_ms();
    if (strcmp(loss->texts.text, watch->loss_text) == 0 &&
        now_ms - watch->loss_logged_ms < LATER_LOG_EVERY_MS)
        return true;
    snprintf(watch->loss_text, sizeof watch->loss_text, "%s", loss->texts.text);
    watch->loss_logged_ms = now_ms;
    log_write(LOG_ERROR, watch->report->name, "Data loss | topic=%s | detail=%s | offsets=%" PRId64,
              topic, loss->texts.text, loss->offsets);
    query_status_note_error(&watch->report->status, loss->texts.text);
    return true;
}

/* Whether an end lies behind what can be read now. */
static bool is_out_of_reach(struct topic_watch *watch, const struct offset_range *ranges,
                            size_t count) {
    struct topic_offsets offsets = {0};
    struct error ignored; // a broker that does not answer is reported as a stall
    bool listed = watch->broker->ops->list_offsets(watch->broker, watch->definition->topic,
                                                   GLANCE_TIMEOUT_MS, &offsets, &ignored);
    bool out_of_reach = listed && positions_want_high(ranges, count, &offsets);
    topic_offsets_deinit(&offsets);
    return out_of_reach;
}

static void say_stall(struct topic_watch *watch, const struct topic_stall *stall, int64_t now_ms,
                      const char *cause) {
    struct topic_offsets offsets = {0};
    struct error err = {0};
    bool listed = watch->broker->ops->list_offsets(watch->broker, watch->definition->topic,
                                                   LIST_TIMEOUT_MS, &offsets, &err);
    topic_offsets_deinit(&offsets);
    const char *why = !listed         ? err.message
                      : cause != NULL ? cause
                                      : "the broker answers, but sends no records";
    query_status_fault(&watch->report->status, QUERY_RETRYING, true, "Waiting for records", why);
    log_write(LOG_ERROR, watch->report->name,
              "No record arrived for the running batch | topic=%s | seconds=%" PRId64
              " | broker=%s",
              watch->definition->topic, (now_ms - stall->since_ms) / 1000, why);
}

bool topic_watch_stall(struct topic_watch *watch, const struct offset_range *ranges, size_t count,
                       struct topic_stall *stall, const char *cause) {
    int64_t now_ms = clock_monotonic_ms();
    int64_t records = query_status_read(&watch->report->status).records_read;
    if (stall->since_ms == 0 || records != stall->records) {
        if (stall->logged_ms > stall->since_ms)
            query_status_say(&watch->report->status, QUERY_RUNNING, true, "Processing new data");
        *stall = (struct topic_stall){records, now_ms, now_ms, now_ms};
        return false;
    }
    if (now_ms - stall->looked_ms >= STALL_LOOK_MS) {
        stall->looked_ms = now_ms;
        if (is_out_of_reach(watch, ranges, count))
            return true;
    }
    if (now_ms - stall->logged_ms >= LATER_LOG_EVERY_MS) {
        stall->logged_ms = now_ms;
        say_stall(watch, stall, now_ms, cause);
    }
    return false;
}
