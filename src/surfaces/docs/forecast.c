#include "surfaces/docs/forecast.h"

#include "streaming/kafka/planner.h"

enum { MINUTE_MS = 60 * 1000 };

static const double seconds_per_day = 86400;

static double least(double a, double b) {
    return a < b ? a : b;
}

static double batches_per_day(const struct forecast_input *input) {
    int64_t trigger_ms = input->trigger_ms > FORECAST_LEAST_TRIGGER_MS ? input->trigger_ms
                                                                       : FORECAST_LEAST_TRIGGER_MS;
    double records = input->records_per_second * seconds_per_day;
    double batches = least(seconds_per_day * 1000 / (double)trigger_ms, records);
    if (input->max_offsets > 0 && batches * (double)input->max_offsets < records)
        batches = records / (double)input->max_offsets;
    return batches;
}

struct forecast forecast_make(const struct forecast_input *input) {
    struct forecast forecast = {.batches = batches_per_day(input)};
    if (forecast.batches <= 0)
        return forecast;
    double rows = input->records_per_second * seconds_per_day;
    double batch_rows = rows / forecast.batches;
    double tasks = (double)planner_task_count(batch_rows * PLANNER_RECORD_BYTES, input->workers,
                                              PLANNER_TASK_BYTES);
    forecast.files = forecast.batches * least(tasks * input->partition_values, batch_rows);
    forecast.file_bytes = FORECAST_FILE_BYTES + FORECAST_ROW_BYTES * rows / forecast.files;
    forecast.small =
        forecast.files > FORECAST_FEW_FILES && forecast.file_bytes < FORECAST_LARGE_FILE;
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
