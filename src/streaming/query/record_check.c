/* Compares records that the topic and the table both have, by timestamp.
 *
 * Of each partition, the range of offsets that both may have is searched for its newest and oldest
 * row: first in the files of the newest manifests, then, if these leave doubt, in the whole table
 * and its rejects. The topic is asked for the records at these offsets. If it does not have the
 * oldest, which may be compacted, the first one that it has takes its place. One pair that is the
 * same proves that it is the same topic, unless all compared records have one timestamp; pairs that
 * differ prove another topic if none is the same. */
#include "streaming/query/record_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/disk/disk_error.h"
#include "base/disk/file.h"
#include "base/log/log.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "streaming/changes/kept_files.h"
#include "streaming/kafka/broker.h"
#include "streaming/kafka/positions.h"
#include "streaming/store/coverage.h"
#include "streaming/store/store.h"
#include "streaming/table/origin_reader.h"

enum {
    FETCHED_MAX = 4 << 20, // bytes
    BATCH_MAX = 64 << 20,  // of which one record is wanted
    READ_MS = 5000,
    FIRST_READ_MS = 200,
    PAGE_SIZE_MAX = 16 << 20,
};

static bool is_stopped(struct topic_watch *watch, struct error *err) {
    if (stop_read(watch->stop) == STOP_NOT)
        return false;
    (void)error_set(err, ERROR_STOPPED, "stopped while checking whether the topic is the same");
    return true;
}

/* ---- what is compared ---- */

struct found {
    int64_t offset;       // -1: none
    int64_t timestamp_ms; // in the table,
    int64_t topic_ms;     // in the topic; -1: it has none there, or none with a timestamp
};

/* Offsets [first, end) of a partition that both may have. */
struct compared {
    int32_t partition;
    int64_t first, end;
    struct found newest, oldest; // may be one
};

struct comparison {
    struct topic_watch *watch;
    struct compared partitions[RECORD_PARTITIONS_MAX];
    size_t count;
    struct incarnation current;       // also one that Spark has begun since the newest manifest
    struct incarnations incarnations; // owned; which incarnation the table's rows belong to

    struct kept_files kept;

    const struct table *table; // that is searched
    bool failed;               // *err says why
    struct error *err;
};

static void choose_one(struct comparison *comparison, const struct offset_range *start) {
    const struct topic_offsets *topic = &comparison->watch->topic;
    const struct partition_offsets *listed = topic_offsets_find(topic, start->partition);
    if (listed == NULL || comparison->count == RECORD_PARTITIONS_MAX)
        return;
    int64_t end = start->end < listed->end ? start->end : listed->end;
    if (end > listed->log_start)
        comparison->partitions[comparison->count++] = (struct compared){
            start->partition, listed->log_start, end, .newest.offset = -1, .oldest.offset = -1};
}

/* Those first whose log was seen to be shorter. */
static void choose(struct comparison *comparison) {
    const struct topic_watch *watch = comparison->watch;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < watch->position->start_count; i++)
            if ((offsets_find(&watch->lowest, watch->position->starts[i].partition) == NULL) ==
                pass)
                choose_one(comparison, &watch->position->starts[i]);
}

static bool all_found(const struct comparison *comparison) {
    for (size_t i = 0; i < comparison->count; i++)
        if (comparison->partitions[i].newest.offset < 0)
            return false;
    return true;
}

/* ---- what the table has ---- */

static bool would_improve(const struct compared *compared, int64_t first, int64_t last) {
    first = first > compared->first ? first : compared->first;
    last = last < compared->end - 1 ? last : compared->end - 1;
    return first <= last && (compared->newest.offset < 0 || last > compared->newest.offset ||
                             first < compared->oldest.offset);
}

static bool wants_group(void *context, const struct origin_bounds *bounds) {
    const struct comparison *comparison = context;
    for (size_t i = 0; i < comparison->count; i++) {
        const struct compared *compared = &comparison->partitions[i];
        if (compared->partition >= bounds->partition_min &&
            compared->partition <= bounds->partition_max &&
            would_improve(compared, bounds->offset_min, bounds->offset_max))
            return true;
    }
    return false;
}

/* What the table has of other timestamps is not always what Kafka has: Spark's conversion. */
static bool is_plain(int64_t timestamp_ms) {
    static const int64_t year_10000_ms = 253402300800000;
    return timestamp_ms > 0 && timestamp_ms < year_10000_ms;
}

static bool is_of_this_incarnation(const struct comparison *comparison, int64_t processed_ms) {
    const struct incarnation *current = &comparison->current;
    return current->number == 0 ||
           (processed_ms >= current->since_ms &&
            incarnations_of_row(&comparison->incarnations, processed_ms) == current->number);
}

static void look_at_row(struct comparison *comparison, const struct origin_rows *rows, size_t i) {
    int64_t offset = rows->offsets[i], timestamp_ms = rows->kafka_timestamp->int64s[i] / 1000;
    for (size_t j = 0; j < comparison->count; j++) {
        struct compared *compared = &comparison->partitions[j];
        if (compared->partition != rows->partitions[i] ||
            !would_improve(compared, offset, offset) || !rows->kafka_timestamp->valid[i] ||
            !is_plain(timestamp_ms) ||
            !is_of_this_incarnation(comparison, rows->processed->int64s[i] / 1000))
            continue;
        const struct found found = {offset, timestamp_ms, -1};
        if (compared->newest.offset < 0 || offset < compared->oldest.offset)
            compared->oldest = found;
        if (offset > compared->newest.offset)
            compared->newest = found;
    }
}

static void look_at_rows(void *context, const struct origin_rows *rows) {
    for (size_t i = 0; i < rows->count; i++)
        look_at_row(context, rows, i);
}

static bool look_into(void *context, const char *path) {
    struct comparison *comparison = context;
    const struct origin_visitor visitor = {
        .context = comparison, .wants_times = true, .wants = wants_group, .rows = look_at_rows};
    struct file_path full = file_join(comparison->table->root.text, path);
    query_status_sign(&comparison->watch->report->status);
    // A file that does not belong to a query is reported elsewhere.
    comparison->failed = is_stopped(comparison->watch, comparison->err) ||
                         (!origin_read(full.text, PAGE_SIZE_MAX, &visitor, comparison->err) &&
                          comparison->err->kind != ERROR_STATE);
    return !comparison->failed;
}

static bool search_all(struct comparison *comparison, struct error *err) {
    const struct store *store = comparison->watch->position->store;
    const struct table *const tables[] = {&store->table, &store->rejects};
    const size_t depths[] = {store->options.partition_by_count, 0};
    for (size_t i = 0; i < 2; i++) {
        comparison->table = tables[i];
        comparison->err = err;
        if (!table_each_file(tables[i], depths[i], look_into, comparison, err) ||
            comparison->failed)
            return false;
    }
    return true;
}

/* A file that was compacted has its rows in others now. */
static bool search_successors(struct comparison *comparison, const char *path, struct error *err) {
    const struct store *store = comparison->watch->position->store;
    enum file_fate fate;
    struct path_list successors = {0};
    bool ok = kept_files_fate(&comparison->kept, comparison->table == &store->rejects, path, &fate,
                              &successors, err);
    for (size_t i = 0; ok && i < successors.count; i++)
        ok = look_into(comparison, successors.paths[i]);
    path_list_deinit(&successors);
    return ok;
}

static bool search_list(struct comparison *comparison, const struct table *table,
                        const struct file_list *files, struct error *err) {
    comparison->table = table;
    comparison->err = err;
    for (size_t i = 0; i < files->count; i++) {
        const char *path = files->files[i].path;
        bool there = !file_is_gone(file_join(table->root.text, path).text);
        if (there ? !look_into(comparison, path) : !search_successors(comparison, path, err))
            return false;
    }
    return true;
}

/* The files of manifest N; none of a replay, which is of old records. */
static bool search_manifest(struct comparison *comparison, int64_t batch_id, bool *searched,
                            struct error *err) {
    const struct store *store = comparison->watch->position->store;
    struct manifest manifest;
    *searched = false;
    if (!store_read_manifest(store, batch_id, &manifest, err))
        return false;
    bool ok = true;
    if (manifest.replayed.count == 0 && manifest.files.count + manifest.rejects.count > 0) {
        *searched = true;
        ok = search_list(comparison, &store->table, &manifest.files, err) &&
             search_list(comparison, &store->rejects, &manifest.rejects, err);
    }
    manifest_deinit(&manifest);
    return ok;
}

/* From the newest batch on, until each partition has a record, or of the newest alone. */
static bool search_newest(struct comparison *comparison, bool newest_only, struct error *err) {
    scoped(scope_free) int64_t *numbers = NULL;
    size_t count;
    const struct file_path *manifests = &comparison->watch->position->store->checkpoint.manifests;
    if (!file_list_numbers(manifests->text, "", &numbers, &count, err))
        return false;
    while (count > 0 && !all_found(comparison)) {
        bool searched;
        if (!search_manifest(comparison, numbers[--count], &searched, err))
            return false;
        if (searched && newest_only)
            break;
    }
    return true;
}

static bool add_manifest(struct topic_watch *watch, int64_t batch_id, struct coverage *coverage,
                         struct error *err) {
    struct manifest manifest;
    if (batch_id <= coverage->through)
        return true;
    if (!store_read_manifest(watch->position->store, batch_id, &manifest, err))
        return false;
    bool ok = coverage_add_manifest(coverage, &manifest, err);
    manifest_deinit(&manifest);
    return ok;
}

static bool read_incarnations(struct comparison *comparison, struct error *err) {
    struct topic_watch *watch = comparison->watch;
    struct coverage coverage = {0};
    scoped(scope_free) int64_t *numbers = NULL;
    size_t count;
    bool found; // only this query folds
    comparison->current = query_position_incarnation(watch->position, INT64_MAX);
    if (comparison->current.number == 0)
        return true;
    bool ok = coverage_read(watch->position->store, &coverage, &found, err) &&
              file_list_numbers(watch->position->store->checkpoint.manifests.text, "", &numbers,
                                &count, err);
    for (size_t i = 0; ok && i < count; i++)
        ok = add_manifest(watch, numbers[i], &coverage, err);
    incarnations_add_copies(&coverage.incarnations, &watch->position->begun, INT64_MAX);
    comparison->incarnations = coverage.incarnations;
    coverage.incarnations = (struct incarnations){0};
    coverage_deinit(&coverage);
    return ok;
}

/* ---- what the topic has ---- */

static bool goes_on(void *context, struct error *err) {
    struct topic_watch *watch = context;
    query_status_sign(&watch->report->status);
    return !is_stopped(watch, err);
}

static bool set_late(struct offset_range range, struct error *err) {
    return error_set(err, ERROR_BROKER,
                     "no record arrived within %d seconds from partition %" PRId32
                     ", offset %" PRId64,
                     READ_MS / 1000, range.partition, range.start);
}

static bool read_range(struct topic_watch *watch, struct source *source, struct offset_range range,
                       int64_t *timestamp_ms, struct error *err) {
    struct last_record last;
    query_status_sign(&watch->report->status);
    if (!last_record_read(source, watch->definition->topic, range, READ_MS, goes_on, watch, &last,
                          err))
        return false;
    if (last.is_late)
        return set_late(range, err);
    *timestamp_ms = last.timestamp_ms;
    return true;
}

static bool read_record(struct topic_watch *watch, struct source *source, int32_t partition,
                        struct found *found, struct error *err) {
    found->topic_ms = -1;
    return found->offset < 0 ||
           read_range(watch, source,
                      (struct offset_range){partition, found->offset, found->offset + 1},
                      &found->topic_ms, err);
}

static bool read_topic(struct comparison *comparison, struct error *err) {
    struct topic_watch *watch = comparison->watch;
    const struct source_memory memory = {FETCHED_MAX, BATCH_MAX, BATCH_MAX};
    struct source *source;
    if (!watch->broker->ops->open_source(watch->broker, memory, &source, err))
        return false;
    bool ok = true;
    for (size_t i = 0; i < comparison->count && ok; i++) {
        struct compared *compared = &comparison->partitions[i];
        ok = read_record(watch, source, compared->partition, &compared->newest, err) &&
             read_record(watch, source, compared->partition, &compared->oldest, err);
    }
    source->ops->close(source);
    return ok;
}

/* The offset of the first record of a range; its end: there is none. */
static bool read_first(struct topic_watch *watch, struct source *source, struct offset_range range,
                       int64_t *offset, struct error *err) {
    int64_t deadline_ms = clock_monotonic_ms() + READ_MS;
    struct record record;
    enum source_status status = SOURCE_WAIT;
    if (!source->ops->open_range(source, watch->definition->topic, range, err))
        return false;
    bool continues = true;
    while (status == SOURCE_WAIT && continues && clock_monotonic_ms() < deadline_ms) {
        status = source->ops->read(source, &record, FIRST_READ_MS, err);
        continues = goes_on(watch, err);
    }
    if (status == SOURCE_FAILED)
        return false;
    *offset = status == SOURCE_RECORD ? record.offset : range.end;
    if (status != SOURCE_END)
        source->ops->abandon_range(source);
    return continues && (status != SOURCE_WAIT || set_late(range, err));
}

/* Whether the oldest record that the table has is not in the topic: Kafka may have compacted it
 * away, and have others that the table has, too. */
static bool is_compacted(const struct compared *compared) {
    return compared->oldest.offset >= 0 && compared->oldest.topic_ms < 0;
}

/* What both have then begins with the first record of the topic. *any false: of no partition. */
static bool skip_compacted(struct comparison *comparison, bool *any, struct error *err) {
    struct topic_watch *watch = comparison->watch;
    const struct source_memory memory = {FETCHED_MAX, BATCH_MAX, BATCH_MAX};
    struct source *source;
    *any = false;
    if (!watch->broker->ops->open_source(watch->broker, memory, &source, err))
        return false;
    bool ok = true;
    for (size_t i = 0; i < comparison->count && ok; i++) {
        struct compared *compared = &comparison->partitions[i];
        const struct offset_range range = {compared->partition, compared->first, compared->end};
        if (!is_compacted(compared))
            continue;
        *any = true;
        compared->newest.offset = compared->oldest.offset = -1;
        ok = read_first(watch, source, range, &compared->first, err);
    }
    source->ops->close(source);
    return ok;
}

/* ---- what was read at all ---- */

/* Of the first incarnation, while its manifests are there: whether they count all offsets before
 * the positions as lost. */
static bool find_nothing_read(const struct topic_watch *watch, bool *nothing, struct error *err) {
    const struct query_position *position = watch->position;
    scoped(scope_free) int64_t *numbers = NULL;
    size_t count;
    int64_t left = 0;
    *nothing = false;
    if (position->incarnation.number > 0 || position->begun.count > 0)
        return true;
    if (!file_list_numbers(position->store->checkpoint.manifests.text, "", &numbers, &count, err))
        return false;
    for (size_t i = 0; i < position->start_count; i++)
        left += position->starts[i].end;
    for (size_t i = 0; i < count; i++) {
        struct manifest manifest;
        if (!store_read_manifest(position->store, numbers[i], &manifest, err))
            return false;
        for (size_t j = 0; j < manifest.outcome_count; j++)
            left -= manifest.outcomes[j].lost;
        manifest_deinit(&manifest);
    }
    *nothing = left == 0;
    return true;
}

/* ---- both ---- */

static enum record_match match_of(const struct found *found) {
    if (found->offset < 0 || !is_plain(found->topic_ms))
        return RECORD_UNKNOWN;
    return found->topic_ms == found->timestamp_ms ? RECORD_SAME : RECORD_OTHER;
}

static void say_other(const struct compared *compared, const struct found *found,
                      struct record_check *result) {
    if (result->text[0] == '\0')
        (void)snprintf(result->text, sizeof result->text,
                       "the record at partition %" PRId32 ", offset %" PRId64
                       " has timestamp %" PRId64 ", but in the table it has %" PRId64,
                       compared->partition, found->offset, found->topic_ms, found->timestamp_ms);
}

/* Where all timestamps are the same, that of another topic may be, too. */
static void judge(const struct comparison *comparison, struct record_check *result) {
    size_t same = 0, other = 0;
    int64_t min_ms = INT64_MAX, max_ms = -1;
    *result = (struct record_check){.count = comparison->count};
    for (size_t i = 0; i < comparison->count; i++) {
        const struct compared *compared = &comparison->partitions[i];
        const struct found *const both[] = {&compared->newest, &compared->oldest};
        for (size_t j = 0; j < 2; j++) {
            enum record_match match = match_of(both[j]);
            if (match == RECORD_UNKNOWN)
                continue;
            same += match == RECORD_SAME;
            other += match == RECORD_OTHER;
            min_ms = both[j]->timestamp_ms < min_ms ? both[j]->timestamp_ms : min_ms;
            max_ms = both[j]->timestamp_ms > max_ms ? both[j]->timestamp_ms : max_ms;
            if (match == RECORD_OTHER)
                say_other(compared, both[j], result);
        }
        result->partitions[i] =
            (struct record_verdict){compared->partition, match_of(&compared->newest)};
    }
    bool tells = min_ms < max_ms;
    for (size_t i = 0; i < result->count; i++)
        if (!tells && result->partitions[i].newest == RECORD_SAME)
            result->partitions[i].newest = RECORD_UNKNOWN;
    if (same == 0)
        result->topic = other > 0 ? RECORD_OTHER : RECORD_UNKNOWN;
    else
        result->topic = tells ? RECORD_SAME : RECORD_UNKNOWN;
}

static bool compare(struct comparison *comparison, bool newest_only, struct record_check *result,
                    struct error *err) {
    if (!read_incarnations(comparison, err) || !search_newest(comparison, newest_only, err) ||
        !read_topic(comparison, err))
        return false;
    judge(comparison, result);
    if (newest_only ? result->text[0] == '\0'
                    : result->topic == RECORD_SAME && all_found(comparison))
        return true;
    bool again;
    if (!search_all(comparison, err) || !read_topic(comparison, err))
        return false;
    judge(comparison, result);
    if (result->topic == RECORD_SAME)
        return true;
    if (!skip_compacted(comparison, &again, err) ||
        (again && (!search_all(comparison, err) || !read_topic(comparison, err))))
        return false;
    judge(comparison, result);
    return true;
}

static bool may_pass(const struct error *err) {
    return err->kind == ERROR_STOPPED || err->kind == ERROR_BROKER || err->kind == ERROR_NO_TOPIC ||
           err->kind == ERROR_DATA_LOSS || disk_error_may_pass(err);
}

bool record_check(struct topic_watch *watch, bool newest_only, struct record_check *result,
                  struct error *err) {
    struct comparison comparison = {.watch = watch};
    *result = (struct record_check){0};
    choose(&comparison);
    kept_files_init(&comparison.kept, watch->position->store);
    bool ok =
        (comparison.count == 0 || compare(&comparison, newest_only, result, err)) &&
        (result->topic != RECORD_UNKNOWN || find_nothing_read(watch, &result->nothing_read, err));
    incarnations_deinit(&comparison.incarnations);
    kept_files_deinit(&comparison.kept);
    if (ok || may_pass(err))
        return ok;
    log_write(
        LOG_WARNING, watch->report->name,
        "The topic's records cannot show whether the topic is still the same | topic=%s | error=%s",
        watch->definition->topic, err->message);
    *result = (struct record_check){0};
    return true;
}

enum record_match record_check_newest(const struct record_check *result, int32_t partition) {
    for (size_t i = 0; i < result->count; i++)
        if (result->partitions[i].partition == partition)
            return result->partitions[i].newest;
    return RECORD_UNKNOWN;
}
