#include "surfaces/health/forecast.h"

#include <math.h>

#include "streaming/kafka/planner.h"

enum { MINUTE_MS = 60 * 1000 };

static const double seconds_per_day = 86400;

static double least(double a, double b) {
    return a < b ? a : b;
}

static double most(double a, double b) {
    return a > b ? a : b;
}

/* From one batch to the next, in milliseconds. */
static double batch_interval(const struct forecast_input *input) {
    double trigger = most((double)input->trigger_ms, FORECAST_LEAST_TRIGGER_MS);
    if (input->min_offsets <= 0)
        return trigger;
    double collects = (double)input->min_offsets * 1000 / input->records_per_second;
    return most(trigger, least(collects, (double)input->max_delay_ms));
}

static double batches_per_day(const struct forecast_input *input) {
    double records = input->records_per_second * seconds_per_day;
    if (records <= 0)
        return 0;
    double batches = least(seconds_per_day * 1000 / batch_interval(input), records);
    if (input->max_offsets > 0 && batches * (double)input->max_offsets < records)
        batches = records / (double)input->max_offsets;
    return batches;
}

/* What is left of a day's files. */
static void compact(const struct forecast_input *input, struct forecast *forecast) {
    double bytes = forecast->files * forecast->file_bytes;
    forecast->kept_files = forecast->files;
    if (input->compact != FORECAST_KEPT && input->target_bytes > 0)
        forecast->kept_files =
            least(forecast->files, input->partition_values * ceil(bytes / input->partition_values /
                                                                  (double)input->target_bytes));
    forecast->kept_bytes = bytes / forecast->kept_files;
    // Today's are not merged yet.
    double entries = forecast->kept_files * (FORECAST_DAYS - 1) + forecast->files;
    forecast->log_bytes = entries * FORECAST_ENTRY_BYTES * FORECAST_LOG_COPIES;
}

struct forecast forecast_make(const struct forecast_input *input) {
    struct forecast forecast = {.batches = batches_per_day(input), .reject_files = -1};
    if (input->reject_share >= 0)
        forecast.reject_files = 0;
    if (forecast.batches <= 0)
        return forecast;
    double rows = input->records_per_second * seconds_per_day;
    double batch_rows = rows / forecast.batches;
    double tasks = (double)planner_task_count(batch_rows * PLANNER_RECORD_BYTES, input->workers,
                                              PLANNER_TASK_BYTES);
    forecast.files = forecast.batches * least(tasks * input->partition_values, batch_rows);
    forecast.file_bytes = FORECAST_FILE_BYTES + input->row_bytes * rows / forecast.files;
    if (input->reject_share >= 0)
        forecast.reject_files = forecast.batches * least(tasks, batch_rows * input->reject_share);
    forecast.small =
        forecast.files > FORECAST_FEW_FILES && forecast.file_bytes < FORECAST_LARGE_FILE;
    compact(input, &forecast);
    return forecast;
}

int64_t forecast_better_trigger(const struct forecast_input *input) {
    // Round ones, as people set them.
    static const int64_t minutes[] = {1, 2, 5, 10, 15, 30, 60};
    for (size_t i = 0; i < sizeof minutes / sizeof minutes[0]; i++) {
        struct forecast_input other = *input;
        other.trigger_ms = minutes[i] * MINUTE_MS;
        if (other.trigger_ms > input->trigger_ms && !forecast_make(&other).small)
            return other.trigger_ms;
    }
    return 0;
}
