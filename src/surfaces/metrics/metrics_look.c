#include "surfaces/metrics/metrics_look.h"

#include <stdlib.h>

#include "base/check.h"

static void look_at_query(struct query_look *look, const struct program_view *program,
                          size_t index) {
    const struct query_view *view = &program->queries[index];
    look->view = view;
    look->name = view->options->stream->name;
    // The status first: what it says was committed is in the totals, too.
    look->snapshot = query_status_read(view->status);
    look->lag = topic_lag_read(&view->status->lag, &look->partitions);
    look->totals = query_history_totals(view->history);
    look->care = care_status_read(view->care);
    care_status_read_files(view->care, false, &look->files[0]);
    care_status_read_files(view->care, true, &look->files[1]);
    double seconds;
    look->has_forecast = forecast_now(program->config, view, &look->forecast, &seconds);
    struct health_verdict verdict;
    health_watch_judge(program->health, index, &verdict);
    look->health = verdict.state;
    look->causes = verdict.causes;
}

struct metrics_look *metrics_look(const struct program_view *program) {
    struct metrics_look *look = must_alloc(1, sizeof *look);
    look->program = program;
    look->query_count = program->query_count;
    for (size_t i = 0; i < program->query_count; i++)
        look_at_query(&look->queries[i], program, i);
    look->disk_count = disk_watch_read(program->disks, look->disks);
    look->sources = must_alloc(SOURCES_MAX, sizeof *look->sources);
    look->source_count =
        program->sources(program->streaming, SOURCES_MAX, look->is_told, look->sources);
    if (look->source_count > SOURCES_MAX)
        look->source_count = SOURCES_MAX;
    look->memory = program->memory(program->streaming);
    look->webhook = program->notifications(program->alerts);
    look->process = process_usage_read();
    return look;
}

void metrics_look_free(struct metrics_look *look) {
    for (size_t i = 0; i < look->query_count; i++)
        free(look->queries[i].partitions);
    free(look->sources);
    free(look);
}
