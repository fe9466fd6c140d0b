/* spark_progress.c: the windows of a report become ranges to read again.
 *
 * A window is a number that holds its partition and its place (stream_plan.h), so sorting the
 * numbers sorts by partition and offset. Windows that touch, or nearly, become one range; a range
 * never leaves the plan's. The windows have every reject, or rejects would be missed; offsets
 * without a reject among them only cost time.
 *
 * Reports and commits come in no fixed order. The book keeps a report until its batch is looked at,
 * and the first report of a batch is the one that counts. */
#include "streaming/cluster/engine/spark_progress.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "streaming/cluster/engine/stream_plan.h"

void spark_progress_deinit(struct spark_progress *progress) {
    free(progress->windows);
    *progress = (struct spark_progress){0};
}

/* Missing parts are 0: a trigger that found nothing has fewer. */
static int64_t part_of(const struct json *durations, const char *name) {
    int64_t ms = 0;
    return json_member_int(durations, name, &ms) && ms > 0 ? ms : 0;
}

static bool parse_windows(const struct json *array, struct spark_progress *progress) {
    progress->windows = must_alloc(json_count(array) + 1, sizeof *progress->windows);
    for (size_t i = 0; i < json_count(array); i++)
        if (!json_int(json_at(array, i), &progress->windows[progress->window_count++]))
            return false;
    return true;
}

static const struct json *values_of(const struct json *observed, const char *name, size_t count) {
    const struct json *values = json_member(json_member(observed, name), "values");
    return json_count(values) == count ? values : NULL;
}

/* {"records":{"values":[20000,882,70,18,[0,7]],"schema":…},"rows":{"values":[19048,19030],…}}, in
 * the order of the enums. */
static bool parse_counts(const struct json *observed, struct spark_progress *progress) {
    const struct json *records = values_of(observed, PLAN_OBSERVED_RECORDS, PLAN_RECORD_COUNTS);
    const struct json *rows = values_of(observed, PLAN_OBSERVED_ROWS, PLAN_ROW_COUNTS);
    if (records == NULL || rows == NULL)
        return true; // an idle trigger's
    return json_int(json_at(records, PLAN_COUNT_RECORDS), &progress->records) &&
           json_int(json_at(records, PLAN_COUNT_REJECTS), &progress->rejects) &&
           json_int(json_at(records, PLAN_COUNT_EMPTY), &progress->empty) &&
           json_int(json_at(records, PLAN_COUNT_FILTERED), &progress->filtered) &&
           parse_windows(json_at(records, PLAN_COUNT_WINDOWS), progress) &&
           json_int(json_at(rows, PLAN_COUNT_EXPLODED), &progress->exploded) &&
           json_int(json_at(rows, PLAN_COUNT_ROWS), &progress->rows);
}

static bool parse(const struct json *object, struct spark_progress *progress) {
    const struct json *durations = json_member(object, "durationMs");
    *progress = (struct spark_progress){.records = -1};
    if (!json_member_int(object, "batchId", &progress->batch_id) || durations == NULL)
        return false;
    progress->duration_ms = part_of(durations, "triggerExecution");
    progress->latest_offset_ms = part_of(durations, "latestOffset");
    progress->query_planning_ms = part_of(durations, "queryPlanning");
    progress->wal_commit_ms = part_of(durations, "walCommit");
    progress->commit_offsets_ms = part_of(durations, "commitOffsets");
    return parse_counts(json_member(object, "observedMetrics"), progress);
}

bool spark_progress_parse(const char *text, struct spark_progress *progress, struct error *err) {
    *progress = (struct spark_progress){0};
    struct json *object = json_parse(text, strlen(text), err);
    bool ok = object != NULL && parse(object, progress);
    json_free(object);
    if (ok)
        return true;
    spark_progress_deinit(progress);
    return error_set(err, ERROR_CLUSTER, "Spark's progress report cannot be read: %.200s", text);
}

static int compare_numbers(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

static const struct offset_range *range_of(const struct plan *plan, int64_t partition) {
    for (size_t i = 0; i < plan->count; i++)
        if (plan->ranges[i].partition == partition)
            return &plan->ranges[i];
    return NULL;
}

/* So many offsets between two windows, or behind the last, cost less to read than to pass over: a
 * jump waits for the broker, and a partition that is left just before its end is asked for news of,
 * which takes its time. */
enum { GAP_MAX = 8 * PLAN_WINDOW };

/* The part of the plan's range that the window covers; start == end: none. */
static struct offset_range window_in(const struct offset_range *whole, int64_t start) {
    struct offset_range range = {whole->partition, start, start + PLAN_WINDOW};
    if (range.start < whole->start)
        range.start = whole->start;
    if (range.end + GAP_MAX >= whole->end)
        range.end = whole->end;
    if (range.start >= range.end)
        range.start = range.end;
    return range;
}

void spark_progress_ranges(const struct spark_progress *progress, const struct plan *plan,
                           struct offset_range **ranges, size_t *count) {
    *ranges = must_alloc(progress->window_count + 1, sizeof **ranges);
    *count = 0;
    if (progress->window_count > 0)
        qsort(progress->windows, progress->window_count, sizeof *progress->windows,
              compare_numbers);
    for (size_t i = 0; i < progress->window_count; i++) {
        const struct offset_range *whole =
            range_of(plan, progress->windows[i] / PLAN_WINDOW_PARTITION);
        int64_t start = progress->windows[i] % PLAN_WINDOW_PARTITION * PLAN_WINDOW;
        struct offset_range range = {0};
        if (whole != NULL)
            range = window_in(whole, start);
        struct offset_range *last = *count > 0 ? &(*ranges)[*count - 1] : NULL;
        if (range.start == range.end)
            continue;
        if (last != NULL && last->partition == range.partition &&
            range.start - last->end <= GAP_MAX)
            last->end = range.end;
        else
            (*ranges)[(*count)++] = range;
    }
}

static struct spark_progress *entry_of(const struct progress_book *book, int64_t batch_id) {
    for (size_t i = 0; i < book->count; i++)
        if (book->entries[i].batch_id == batch_id)
            return &book->entries[i];
    return NULL;
}

void progress_book_add(struct progress_book *book, int64_t first, struct spark_progress *progress) {
    if (progress->records < 0 || progress->batch_id < first || book->count == PROGRESS_BOOK_MAX ||
        entry_of(book, progress->batch_id) != NULL) {
        spark_progress_deinit(progress);
        return;
    }
    book->entries = reallocarray(book->entries, book->count + 1, sizeof *book->entries);
    check(book->entries != NULL);
    book->entries[book->count++] = *progress;
}

bool progress_book_take(struct progress_book *book, int64_t batch_id,
                        struct spark_progress *progress) {
    struct spark_progress *entry = entry_of(book, batch_id);
    if (entry == NULL)
        return false;
    *progress = *entry;
    *entry = book->entries[--book->count];
    return true;
}

void progress_book_deinit(struct progress_book *book) {
    for (size_t i = 0; i < book->count; i++)
        spark_progress_deinit(&book->entries[i]);
    free(book->entries);
    *book = (struct progress_book){0};
}
