/* topic_lag.c: positions and end offsets come from different threads, at different times. Each
 * change of one of them is put together with the newest of the other (`writing`), and then
 * published as a whole (`lock`), so that a reader never sees half of it, and waits for a copy at
 * most. Nobody holds a lock while Kafka is asked. Whether the lag is known depends on the time, so
 * it is decided when the lag is read. */
#include "streaming/report/topic_lag.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/system/clock.h"
#include "streaming/kafka/positions.h"

void lag_book_init(struct lag_book *book) {
    *book = (struct lag_book){.limit_ms = LAG_ANSWER_MS,
                              .known_ms = clock_monotonic_ms(),
                              .lag.since_ms = clock_wall_ms()};
    check(pthread_mutex_init(&book->writing, NULL) == 0);
    check(pthread_mutex_init(&book->lock, NULL) == 0);
}

void lag_book_deinit(struct lag_book *book) {
    topic_offsets_deinit(&book->topic);
    free(book->positions);
    free(book->lines);
    check(pthread_mutex_destroy(&book->writing) == 0);
    check(pthread_mutex_destroy(&book->lock) == 0);
}

void lag_book_set_interval(struct lag_book *book, int64_t interval_ms) {
    book->limit_ms = interval_ms + LAG_ANSWER_MS;
}

/* If an open transaction blocks a position, the records up to the high watermark wait. */
int64_t lag_shown_end(const struct partition_offsets *listed, int64_t position) {
    return position > listed->end && listed->high > listed->end ? listed->high : listed->end;
}

/* With `writing` held: publishes positions and end offsets together. `known_ms`: of the newest
 * listing. */
static void publish(struct lag_book *book, int64_t known_ms) {
    bool has_positions = book->positions != NULL;
    size_t count = has_positions ? book->topic.count : 0;
    struct partition_lag *lines = must_alloc(count + 1, sizeof *lines);
    int64_t records = 0;
    for (size_t i = 0; i < count; i++) {
        const struct partition_offsets *listed = &book->topic.partitions[i];
        int64_t position = positions_next(book->positions, book->position_count, listed->partition);
        lines[i] =
            (struct partition_lag){listed->partition, lag_shown_end(listed, position), position};
        records += partition_lag_records(&lines[i]);
    }
    int64_t since_ms = clock_wall_ms() - (clock_monotonic_ms() - known_ms);
    pthread_mutex_lock(&book->lock);
    struct partition_lag *old = book->lines;
    book->lines = lines;
    book->lag.partition_count = count;
    book->lag.records = records;
    book->lag.has_positions = has_positions;
    if (book->known_ms != known_ms)
        book->lag.since_ms = since_ms;
    book->known_ms = known_ms;
    pthread_mutex_unlock(&book->lock);
    free(old);
}

void lag_book_set_positions(struct lag_book *book, const struct offset_range *ranges,
                            size_t count) {
    struct offset_range *copy = must_alloc(count + 1, sizeof *copy);
    memcpy(copy, ranges, count * sizeof *copy);
    pthread_mutex_lock(&book->writing);
    free(book->positions);
    book->positions = copy;
    book->position_count = count;
    publish(book, book->known_ms);
    pthread_mutex_unlock(&book->writing);
}

void lag_book_note_error(struct lag_book *book, const char *error) {
    pthread_mutex_lock(&book->lock);
    snprintf(book->lag.error, sizeof book->lag.error, "%s", error);
    pthread_mutex_unlock(&book->lock);
}

void lag_book_set_topic(struct lag_book *book, const struct topic_offsets *topic,
                        int64_t asked_ms) {
    pthread_mutex_lock(&book->writing);
    if (book->topic.count == 0 || asked_ms >= book->known_ms) {
        topic_offsets_deinit(&book->topic);
        book->topic = topic_offsets_copy(topic);
        lag_book_note_error(book, "");
        publish(book, asked_ms);
    }
    pthread_mutex_unlock(&book->writing);
}

bool lag_book_wants_high(struct lag_book *book, const struct topic_offsets *topic) {
    pthread_mutex_lock(&book->writing);
    bool wanted = positions_want_high(book->positions, book->position_count, topic);
    pthread_mutex_unlock(&book->writing);
    return wanted;
}

/* With `lock` held. */
static struct topic_lag lag_now(const struct lag_book *book) {
    struct topic_lag lag = book->lag;
    int64_t age_ms = clock_monotonic_ms() - book->known_ms;
    lag.age_ms = age_ms > 0 ? age_ms : 0;
    lag.is_known = lag.partition_count > 0 && lag.age_ms <= book->limit_ms;
    if (!lag.is_known)
        lag.records = 0;
    return lag;
}

/* Memory is taken without the lock: a writer waits for a copy at most. */
struct topic_lag topic_lag_read(struct lag_book *book, struct partition_lag **partitions) {
    struct partition_lag *copy = NULL;
    for (size_t room = 0;;) {
        pthread_mutex_lock(&book->lock);
        struct topic_lag lag = lag_now(book);
        bool fits = partitions == NULL || lag.partition_count <= room;
        if (fits && copy != NULL)
            memcpy(copy, book->lines, lag.partition_count * sizeof *copy);
        pthread_mutex_unlock(&book->lock);
        if (fits) {
            if (partitions != NULL)
                *partitions = copy;
            return lag;
        }
        free(copy);
        room = lag.partition_count;
        copy = must_alloc(room, sizeof *copy);
    }
}

void topic_lag_since(const struct topic_lag *lag, char text[static LAG_TEXT_MAX]) {
    time_t seconds = (time_t)(lag->since_ms / 1000);
    struct tm local = {0};
    (void)localtime_r(&seconds, &local);
    (void)strftime(text, LAG_TEXT_MAX, "%H:%M:%S", &local);
}

void topic_lag_print(const struct topic_lag *lag, char text[static LAG_TEXT_MAX]) {
    char since[LAG_TEXT_MAX];
    topic_lag_since(lag, since);
    if (lag->is_known)
        snprintf(text, LAG_TEXT_MAX, "%" PRId64, lag->records);
    else
        snprintf(text, LAG_TEXT_MAX, "unknown since %.12s", since);
}
