#include "streaming/report/batch_report.h"

#include <string.h>

#include "base/check.h"

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
    return report->rows + report->rejects;
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
