/* metrics_look.h: what metrics are made of, gathered at one moment. */
#ifndef SURFACES_METRICS_METRICS_LOOK_H
#define SURFACES_METRICS_METRICS_LOOK_H

#include "base/system/process.h"
#include "surfaces/health/disk_watch.h"
#include "surfaces/health/forecast_now.h"
#include "surfaces/health/program_view.h"

enum { SOURCES_MAX = 256 };

struct query_look {
    const struct query_view *view;
    const char *name;
    struct query_snapshot snapshot;
    struct query_totals totals;
    struct care_view care;
    struct file_counts files[2]; // of the table, of the rejects
    bool has_forecast;
    struct forecast forecast;
    enum health_state health;
    unsigned causes; // bits, 1 << CAUSE_…
    struct topic_lag lag;
    struct partition_lag *partitions; // owned; lag.partition_count
};

struct metrics_look {
    const struct program_view *program;
    size_t query_count;
    struct query_look queries[STREAMING_QUERIES_MAX];
    size_t disk_count;
    struct disk_look disks[DISKS_MAX];
    size_t source_count;
    bool is_told[SOURCES_MAX];        // whether the source has told statistics yet
    struct kafka_statistics *sources; // owned; SOURCES_MAX
    struct webhook_counts webhook;
    struct streaming_memory memory;
    struct process_usage process;
};

struct metrics_look *metrics_look(const struct program_view *program);
void metrics_look_free(struct metrics_look *look);

#endif
