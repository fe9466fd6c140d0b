/* incarnation.c: which incarnation a row is of, by the time of its batch.
 *
 * Batches that begin one are ordered by their timestamps, so the last that is not later than the
 * row decides. Rows that a replay made have the time of the replay: where its rejects were of an
 * earlier incarnation, it is listed by its timestamp. */
#include "streaming/offsets/incarnation.h"

#include <stdlib.h>

#include "base/check.h"

void incarnation_begin_deinit(struct incarnation_begin *begin) {
    offsets_deinit(&begin->former);
    offsets_deinit(&begin->known_ends);
    offsets_deinit(&begin->starts);
    *begin = (struct incarnation_begin){0};
}

void incarnation_begin_complete(struct incarnation_begin *begin) {
    // Of these nothing was read: they are known of, and their former position is 0.
    for (size_t i = 0, count = begin->former.count; i < begin->known_ends.count; i++) {
        int32_t partition = begin->known_ends.entries[i].partition;
        struct offsets known = {.entries = begin->former.entries, .count = count};
        if (offsets_find(&known, partition) == NULL)
            offsets_add(&begin->former, partition, 0);
    }
    offsets_sort(&begin->former);
}

int64_t incarnation_begin_lost(const struct incarnation_begin *begin) {
    int64_t lost = 0;
    for (size_t i = 0; i < begin->former.count; i++) {
        const struct partition_offset *former = &begin->former.entries[i];
        const struct partition_offset *end = offsets_find(&begin->known_ends, former->partition);
        if (end != NULL && end->offset > former->offset)
            count_add(&lost, end->offset - former->offset);
    }
    return lost;
}

void incarnations_deinit(struct incarnations *incarnations) {
    for (size_t i = 0; i < incarnations->count; i++)
        incarnation_begin_deinit(&incarnations->begins[i]);
    free(incarnations->begins);
    free(incarnations->replays);
    *incarnations = (struct incarnations){0};
}

void incarnations_add(struct incarnations *incarnations, struct incarnation_begin begin) {
    incarnations->begins =
        reallocarray(incarnations->begins, incarnations->count + 1, sizeof *incarnations->begins);
    check(incarnations->begins != NULL);
    incarnations->begins[incarnations->count++] = begin;
}

void incarnations_add_copies(struct incarnations *incarnations, const struct incarnations *more,
                             int64_t last) {
    for (size_t i = 0; i < more->count && more->begins[i].batch_id <= last; i++) {
        const struct incarnation_begin *from = &more->begins[i];
        struct incarnation_begin begin = {
            .batch_id = from->batch_id, .since_ms = from->since_ms, .by_spark = from->by_spark};
        offsets_copy(&begin.former, &from->former);
        offsets_copy(&begin.known_ends, &from->known_ends);
        offsets_copy(&begin.starts, &from->starts);
        incarnations_add(incarnations, begin);
    }
}

void incarnations_drop(struct incarnations *incarnations, int64_t last) {
    size_t dropped = 0;
    while (dropped < incarnations->count && incarnations->begins[dropped].batch_id <= last)
        incarnation_begin_deinit(&incarnations->begins[dropped++]);
    incarnations->count -= dropped;
    for (size_t i = 0; i < incarnations->count; i++)
        incarnations->begins[i] = incarnations->begins[i + dropped];
}

void incarnations_add_replay(struct incarnations *incarnations, int64_t timestamp_ms,
                             int32_t incarnation) {
    incarnations->replays = reallocarray(incarnations->replays, incarnations->replay_count + 1,
                                         sizeof *incarnations->replays);
    check(incarnations->replays != NULL);
    incarnations->replays[incarnations->replay_count++] =
        (struct incarnation_replay){timestamp_ms, incarnation};
}

int32_t incarnations_of_reject(const struct incarnations *incarnations, int64_t processed_ms) {
    // Incarnation n begins with begins[n - 1]; before all of them is number 0.
    size_t number = incarnations->count;
    while (number > 0 && processed_ms < incarnations->begins[number - 1].since_ms)
        number--;
    return (int32_t)number;
}

int32_t incarnations_of_row(const struct incarnations *incarnations, int64_t processed_ms) {
    for (size_t i = 0; i < incarnations->replay_count; i++)
        if (incarnations->replays[i].timestamp_ms == processed_ms)
            return incarnations->replays[i].incarnation;
    return incarnations_of_reject(incarnations, processed_ms);
}

bool incarnation_begins(const struct offsets *before, const struct offsets *ends) {
    // A partition that is new says nothing; one that is gone, or goes back, is another topic's.
    for (size_t i = 0; i < before->count; i++) {
        const struct partition_offset *end = offsets_find(ends, before->entries[i].partition);
        if (end == NULL || end->offset < before->entries[i].offset)
            return true;
    }
    return false;
}

/* ---- text ---- */

struct json *incarnations_print(const struct incarnations *incarnations) {
    struct json *array = json_new_array();
    for (size_t i = 0; i < incarnations->count; i++) {
        const struct incarnation_begin *begin = &incarnations->begins[i];
        struct json *object = json_new_object();
        json_put_int(object, "batch", begin->batch_id);
        json_put_int(object, "sinceMs", begin->since_ms);
        if (begin->by_spark)
            json_put_bool(object, "bySpark", true);
        json_put(object, "former", offsets_print(&begin->former));
        json_put(object, "knownEnds", offsets_print(&begin->known_ends));
        json_put(object, "starts", offsets_print(&begin->starts));
        json_append(array, object);
    }
    return array;
}

struct json *incarnations_print_replays(const struct incarnations *incarnations) {
    struct json *array = json_new_array();
    for (size_t i = 0; i < incarnations->replay_count; i++) {
        struct json *object = json_new_object();
        json_put_int(object, "timestampMs", incarnations->replays[i].timestamp_ms);
        json_put_int(object, "incarnation", incarnations->replays[i].incarnation);
        json_append(array, object);
    }
    return array;
}

static bool parse_begin(const struct json *object, struct incarnation_begin *begin) {
    struct error ignored;
    *begin = (struct incarnation_begin){0};
    if ((json_member(object, "bySpark") == NULL ||
         json_member_bool(object, "bySpark", &begin->by_spark)) &&
        json_member_int(object, "batch", &begin->batch_id) && begin->batch_id >= 0 &&
        json_member_ms(object, "sinceMs", &begin->since_ms) &&
        offsets_parse(json_member(object, "former"), &begin->former, &ignored) &&
        offsets_parse(json_member(object, "knownEnds"), &begin->known_ends, &ignored) &&
        offsets_parse(json_member(object, "starts"), &begin->starts, &ignored))
        return true;
    incarnation_begin_deinit(begin);
    return false;
}

bool incarnations_parse(const struct json *array, struct incarnations *incarnations,
                        struct error *err) {
    for (size_t i = 0; i < json_count(array); i++) {
        struct incarnation_begin begin;
        if (!parse_begin(json_at(array, i), &begin))
            return error_set(err, ERROR_STATE, "entry %zu of its topic incarnations cannot be read",
                             i);
        incarnations_add(incarnations, begin);
    }
    return true;
}

bool incarnations_parse_replays(const struct json *array, struct incarnations *incarnations,
                                struct error *err) {
    for (size_t i = 0; i < json_count(array); i++) {
        const struct json *object = json_at(array, i);
        int64_t timestamp_ms, number;
        if (!json_member_ms(object, "timestampMs", &timestamp_ms) ||
            !json_member_int(object, "incarnation", &number) || number < 0 || number > INT32_MAX)
            return error_set(err, ERROR_STATE,
                             "entry %zu of its replays of earlier incarnations cannot be read", i);
        incarnations_add_replay(incarnations, timestamp_ms, (int32_t)number);
    }
    return true;
}
