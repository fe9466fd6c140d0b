/* The rate is that of all batches but the first, whose records may have come before the start, from
 * the first one's plan until now. */
#include "surfaces/health/forecast_now.h"

#include "base/system/clock.h"
#include "surfaces/health/forecast_look.h"

enum { LOOK_BATCHES = 100 };

struct sums {
    int64_t first_ms, records, rejects, rows, bytes, files;
    size_t batches;
};

static void add(struct sums *sums, const struct batch_report *batch) {
    if (sums->batches++ == 0) {
        sums->first_ms = batch->timestamp_ms;
    } else {
        sums->records += batch_report_records(batch);
        sums->rejects += batch->rejects;
    }
    if (batch->files < 0) // of a cluster
        return;
    sums->files += batch->files;
    sums->bytes += batch->bytes;
    sums->rows += batch->rows;
}

static struct sums sum_up(const struct query_view *view) {
    struct batch_report *batches[HISTORY_REPORTS_MAX];
    struct sums sums = {0};
    size_t count = query_history_batches(view->history, -1, LOOK_BATCHES, batches);
    for (size_t i = 0; i < count; i++) {
        add(&sums, batches[i]);
        batch_report_release(batches[i]);
    }
    return sums;
}

bool forecast_now(const struct config *config, const struct query_view *view,
                  struct forecast *forecast, double *seconds) {
    struct sums sums = sum_up(view);
    struct file_counts counts;
    *seconds = (double)(clock_wall_ms() - sums.first_ms) / 1000;
    if (sums.batches < 2 || *seconds < FORECAST_LEAST_SECONDS ||
        view->options->trigger.available_now)
        return false;
    care_status_read_files(view->care, false, &counts);
    double bytes = (double)(sums.bytes - sums.files * FORECAST_FILE_BYTES);
    struct forecast_seen seen = {
        .batches = sums.batches,
        .records_per_second = (double)sums.records / *seconds,
        .reject_share = sums.records > 0 ? (double)sums.rejects / (double)sums.records : 0,
        .row_bytes = sums.rows > 0 && bytes > (double)sums.rows ? bytes / (double)sums.rows : 0,
        .values = (size_t)counts.recent_directories,
        .has_rows = counts.recent_directories > 0};
    struct forecast_input input =
        forecast_input_from(view->options, (size_t)config->workers, &seen);
    *forecast = forecast_make(&input);
    return true;
}
