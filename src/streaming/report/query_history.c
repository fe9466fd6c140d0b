/* query_history.c: what readers get is a copy, or a reference to a report that never changes.
 *
 * Reports are a ring: the oldest goes when there are too many, or when they take too much memory.
 * Points are a ring by time: a point's place follows from its second alone, and it starts again
 * when a batch is committed in another turn of the ring. So a reader must compare `begin_s`: what
 * is in the place of a quiet minute may be of a day ago. */
#include "streaming/report/query_history.h"

#include <string.h>

#include "base/check.h"

/* ---- one batch ---- */

static const void *copy_tail(char **at, const void *items, size_t size) {
    char *copy = *at;
    if (size > 0)
        memcpy(copy, items, size);
    *at += size;
    return copy;
}

struct batch_report *batch_report_create(const struct batch_report *draft) {
    size_t ranges = draft->range_count * sizeof *draft->ranges,
           faults = draft->fault_count * sizeof *draft->faults,
           names = draft->name_count * sizeof *draft->names;
    size_t memory = sizeof *draft + ranges + faults + names;
    struct batch_report *report = must_alloc(1, memory);
    *report = *draft;
    atomic_init(&report->references, 1);
    report->memory = memory;
    char *tail = (char *)(report + 1);
    report->ranges = copy_tail(&tail, draft->ranges, ranges);
    report->faults = copy_tail(&tail, draft->faults, faults);
    report->names = copy_tail(&tail, draft->names, names);
    return report;
}

struct batch_report *batch_report_share(struct batch_report *report) {
    atomic_fetch_add(&report->references, 1);
    return report;
}

void batch_report_release(struct batch_report *report) {
    if (atomic_fetch_sub(&report->references, 1) == 1)
        free(report);
}

int64_t batch_report_records(const struct batch_report *report) {
    return report->accepted + report->rejects;
}

static double per_second(int64_t records, int64_t us) {
    return us > 0 ? (double)records * 1e6 / (double)us : 0.0;
}

double batch_report_input_rate(const struct batch_report *report) {
    return per_second(batch_report_records(report), report->since_trigger_us);
}

double batch_report_process_rate(const struct batch_report *report) {
    return per_second(batch_report_records(report), report->total_us);
}

/* ---- all of them ---- */

/* 5 ms to a minute. */
const int64_t duration_bounds_us[DURATION_BOUNDS] = {5000,     10000,    25000,   50000,   100000,
                                                     250000,   500000,   1000000, 2500000, 5000000,
                                                     10000000, 30000000, 60000000};

const int64_t delay_bounds_ms[DELAY_BOUNDS] = {250,   500,   1000,   2500,   5000,   10000,  20000,
                                               30000, 60000, 120000, 300000, 900000, 3600000};

static const struct {
    int64_t seconds;
    size_t count; // of points: an hour, a day
} steps[HISTORY_STEPS] = {[HISTORY_10_S] = {10, 360}, [HISTORY_60_S] = {60, HISTORY_POINTS_MAX}};

int64_t history_step_seconds(enum history_step step) {
    return steps[step].seconds;
}

size_t history_step_points(enum history_step step) {
    return steps[step].count;
}

int64_t file_size_bound(size_t size_class) {
    return size_class + 1 < FILE_SIZES ? (int64_t)FILE_SIZE_SMALLEST << (2 * size_class)
                                       : INT64_MAX;
}

void query_history_init(struct query_history *history) {
    *history = (struct query_history){0};
    check(pthread_mutex_init(&history->lock, NULL) == 0);
    for (int i = 0; i < HISTORY_STEPS; i++)
        history->points[i] = must_alloc(steps[i].count, sizeof *history->points[i]);
}

static void drop_oldest(struct query_history *history) {
    struct batch_report *oldest = history->reports[history->report_first];
    history->report_first = (history->report_first + 1) % HISTORY_REPORTS_MAX;
    history->report_count--;
    history->report_bytes -= oldest->memory;
    batch_report_release(oldest);
}

void query_history_deinit(struct query_history *history) {
    while (history->report_count > 0)
        drop_oldest(history);
    for (int i = 0; i < HISTORY_STEPS; i++)
        free(history->points[i]);
    reject_samples_deinit(&history->samples);
    check(pthread_mutex_destroy(&history->lock) == 0);
}

/* The newest always stays. */
static void keep_report(struct query_history *history, struct batch_report *report) {
    while (history->report_count > 0 &&
           (history->report_count == HISTORY_REPORTS_MAX ||
            history->report_bytes + report->memory > HISTORY_REPORT_BYTES))
        drop_oldest(history);
    size_t place = (history->report_first + history->report_count) % HISTORY_REPORTS_MAX;
    history->reports[place] = report;
    history->report_count++;
    history->report_bytes += report->memory;
}

static struct history_point *point_of(const struct query_history *history, int step,
                                      int64_t second) {
    int64_t number = second / steps[step].seconds;
    return &history->points[step][(size_t)number % steps[step].count];
}

static void add_to_point(struct query_history *history, int step,
                         const struct batch_report *report) {
    int64_t second = report->committed_ms / 1000;
    struct history_point *point = point_of(history, step, second);
    int64_t begin_s = second - second % steps[step].seconds;
    if (point->begin_s != begin_s)
        *point = (struct history_point){.begin_s = begin_s};
    point->batches++;
    point->rows += report->rows;
    point->rejects += report->rejects;
    point->accepted += report->accepted;
    point->total_us += report->total_us;
    point->lag_after = report->lag_after;
    if (report->since_trigger_us > 0) {
        point->input_records += batch_report_records(report);
        point->since_trigger_us += report->since_trigger_us;
    }
    for (int i = 0; i < STAGE_COUNT; i++)
        point->stage_us[i] += report->stage_us[i];
}

static void add_duration(struct query_totals *totals, int which, int64_t us) {
    size_t class = 0;
    while (class < DURATION_BOUNDS && us > duration_bounds_us[class])
        class ++;
    totals->duration_us[which] += us;
    totals->durations[which][class]++;
}

/* Producers' clocks may be ahead of ours. */
static void add_delay(struct query_totals *totals, const struct batch_report *report) {
    if (report->oldest_ms == 0)
        return;
    int64_t ms = report->committed_ms - report->oldest_ms;
    ms = ms > 0 ? ms : 0;
    size_t class = 0;
    while (class < DELAY_BOUNDS && ms > delay_bounds_ms[class])
        class ++;
    totals->delay_ms += ms;
    totals->delays[class]++;
}

/* A timestamp from the future counts as now, so that a single one does not hide all that follow. */
static void add_newest_record(struct query_totals *totals, const struct batch_report *report) {
    int64_t ms =
        report->newest_ms < report->committed_ms ? report->newest_ms : report->committed_ms;
    if (ms > totals->newest_record_ms)
        totals->newest_record_ms = ms;
}

/* What another machine's clock says: that of a producer or a broker. It may be a bit ahead. */
static void add_witness(struct query_totals *totals, const struct batch_report *report) {
    const int64_t day_ms = 24LL * 60 * 60 * 1000;
    if (report->newest_ms <= report->committed_ms + day_ms &&
        report->newest_ms > totals->witness_ms)
        totals->witness_ms = report->newest_ms;
}

static void add_files(struct query_totals *totals, const struct file_list *files) {
    for (size_t i = 0; i < files->count; i++) {
        size_t class = 0;
        while (files->files[i].size > file_size_bound(class))
            class ++;
        totals->file_sizes[class]++;
        totals->small_files += files->files[i].size < FILE_SMALL;
    }
}

static void add_to_totals(struct query_totals *totals, const struct batch_report *report,
                          const struct tally *tally) {
    totals->batches++;
    totals->rows += report->rows;
    totals->rejects += report->rejects;
    totals->absent += report->absent;
    totals->lost += report->lost;
    totals->accepted += report->accepted;
    totals->empty += report->empty;
    totals->filtered += report->filtered;
    totals->filtered_rows += report->filtered_rows;
    totals->files += report->files > 0 ? report->files : 0; // those that are known
    totals->bytes += report->bytes > 0 ? report->bytes : 0;
    totals->input_bytes += report->input_bytes;
    totals->unknown_keys += report->unknown_keys;
    totals->trailing_bytes += report->trailing_bytes;
    for (size_t i = 0; i < REJECT_REASON_COUNT; i++)
        totals->rejects_by[i] += report->rejects_by[i];
    for (size_t i = 0; i < SCHEMA_FIELDS_MAX; i++)
        totals->field_faults[i] += tally->counts.field_faults[i];
    unknown_keys_add(&totals->unknown_names, &tally->counts.unknown_names);
    for (int i = 0; i < STAGE_COUNT; i++)
        add_duration(totals, i, report->stage_us[i]);
    add_duration(totals, DURATION_TOTAL, report->total_us);
    totals->committed_ms = report->committed_ms;
    add_delay(totals, report);
    add_newest_record(totals, report);
    add_witness(totals, report);
}

void query_history_add(struct query_history *history, struct batch_report *report,
                       const struct file_list *files, struct tally *tally) {
    reject_samples_set_batch(&tally->samples, report->batch_id);
    pthread_mutex_lock(&history->lock);
    add_to_totals(&history->totals, report, tally);
    add_files(&history->totals, files);
    for (int i = 0; i < HISTORY_STEPS; i++)
        add_to_point(history, i, report);
    reject_samples_move(&history->samples, &tally->samples);
    keep_report(history, report);
    pthread_mutex_unlock(&history->lock);
}

struct query_totals query_history_totals(struct query_history *history) {
    pthread_mutex_lock(&history->lock);
    struct query_totals copy = history->totals;
    pthread_mutex_unlock(&history->lock);
    return copy;
}

size_t query_history_batches(struct query_history *history, int64_t after, size_t most,
                             struct batch_report *out[static HISTORY_REPORTS_MAX]) {
    size_t found = 0;
    pthread_mutex_lock(&history->lock);
    size_t first = history->report_count > most ? history->report_count - most : 0;
    for (size_t i = first; i < history->report_count; i++) {
        size_t place = (history->report_first + i) % HISTORY_REPORTS_MAX;
        if (history->reports[place]->batch_id > after)
            out[found++] = batch_report_share(history->reports[place]);
    }
    pthread_mutex_unlock(&history->lock);
    return found;
}

void query_history_points(struct query_history *history, enum history_step step, int64_t now_s,
                          size_t count, struct history_point *out) {
    check(count <= steps[step].count);
    int64_t newest_s = now_s - now_s % steps[step].seconds;
    pthread_mutex_lock(&history->lock);
    for (size_t i = 0; i < count; i++) {
        int64_t begin_s = newest_s - (int64_t)(count - 1 - i) * steps[step].seconds;
        const struct history_point *point = point_of(history, (int)step, begin_s);
        out[i] = point->begin_s == begin_s ? *point : (struct history_point){.begin_s = begin_s};
    }
    pthread_mutex_unlock(&history->lock);
}

size_t query_history_rejects(struct query_history *history,
                             struct reject_sample *out[static REJECT_SAMPLES_MAX]) {
    pthread_mutex_lock(&history->lock);
    size_t count = reject_samples_share(&history->samples, out);
    pthread_mutex_unlock(&history->lock);
    return count;
}

size_t query_history_memory(struct query_history *history) {
    size_t bytes = sizeof history->reports;
    for (int i = 0; i < HISTORY_STEPS; i++)
        bytes += steps[i].count * sizeof *history->points[i];
    pthread_mutex_lock(&history->lock);
    bytes += history->report_bytes + reject_samples_memory(&history->samples);
    pthread_mutex_unlock(&history->lock);
    return bytes;
}
