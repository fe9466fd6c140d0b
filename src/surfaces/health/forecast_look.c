/* The newest manifests say how many records came, from the first plan's time to the last one's, and
 * which files the batches wrote. */
#include "surfaces/health/forecast_look.h"

#include <stdlib.h>
#include <string.h>

#include "base/disk/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "streaming/store/store.h"
#include "streaming/table/path_list.h"

enum { LOOK_BATCHES = 100, DEFAULT_TRIGGER_MS = 60 * 1000 };

/* ---- the newest batches ---- */

struct sums {
    int64_t first_ms, last_ms;
    int64_t records, rejects; // of batches after the first, whose records came before its plan
    int64_t rows, bytes, files;
    struct path_list directories;
};

/* Which column is the date that a directory closes with: the first of type DATE. SIZE_MAX: none. */
static size_t date_column(const struct store_options *options) {
    struct schema schema;
    if (options->partition_by_count == 0)
        return SIZE_MAX;
    stream_schema(options->stream, &schema);
    for (size_t i = 0; i < options->partition_by_count; i++) {
        int column = schema_find(&schema, text_borrow(options->partition_by[i]));
        if (column >= 0 && schema.columns[column].type == TYPE_DATE)
            return i;
    }
    return SIZE_MAX;
}

/* The directory of a file, without its date. */
static void add_directory(struct path_list *list, const char *path, size_t date) {
    scoped(scope_free) char *name = text_copy("");
    const char *at = path, *slash;
    for (size_t i = 0; (slash = strchr(at, '/')) != NULL; i++, at = slash + 1) {
        if (i == date)
            continue;
        char *longer = text_format("%s%.*s/", name, (int)(slash - at), at);
        free(name);
        name = longer;
    }
    path_list_add(list, name);
}

static void add_batch(struct sums *sums, const struct manifest *manifest, size_t date) {
    struct range_outcome sum = manifest_sum(manifest);
    bool is_first = sums->first_ms == 0;
    if (is_first)
        sums->first_ms = manifest->timestamp_ms;
    else
        sums->records += range_outcome_accepted(&sum) + sum.rejects;
    if (!is_first)
        sums->rejects += sum.rejects;
    sums->last_ms = manifest->timestamp_ms;
    for (size_t i = 0; i < manifest->files.count; i++) {
        const struct data_file *file = &manifest->files.files[i];
        sums->files++;
        sums->rows += file->rows;
        sums->bytes += file->size;
        add_directory(&sums->directories, file->path, date);
    }
}

static size_t read_batches(const struct store *store, struct sums *sums) {
    int64_t *batches;
    size_t count, read = 0, date = date_column(&store->options);
    struct error ignored;
    if (!file_list_numbers(store->checkpoint.manifests.text, "", &batches, &count, &ignored))
        return 0;
    for (size_t i = count > LOOK_BATCHES ? count - LOOK_BATCHES : 0; i < count; i++) {
        struct manifest manifest = {0};
        if (!store_read_manifest(store, batches[i], &manifest, &ignored))
            continue;
        bool is_replay = manifest.replayed.count > 0;
        if (!is_replay)
            add_batch(sums, &manifest, date);
        read += is_replay ? 0 : 1;
        manifest_deinit(&manifest);
    }
    free(batches);
    return read;
}

static void conclude(struct sums *sums, struct forecast_seen *seen) {
    path_list_sort(&sums->directories);
    path_list_drop_doubles(&sums->directories);
    seen->records_per_second =
        (double)sums->records * 1000 / (double)(sums->last_ms - sums->first_ms);
    seen->reject_share = sums->records > 0 ? (double)sums->rejects / (double)sums->records : 0;
    seen->has_rows = sums->rows > 0;
    seen->values = sums->directories.count;
    double bytes = (double)(sums->bytes - sums->files * FORECAST_FILE_BYTES);
    if (seen->has_rows && bytes > (double)sums->rows)
        seen->row_bytes = bytes / (double)sums->rows;
}

bool forecast_see(const struct store_options *options, struct forecast_seen *seen) {
    struct sums sums = {0};
    struct error ignored;
    struct store *store;
    *seen = (struct forecast_seen){0};
    if (!store_open_to_read(options, &store, &ignored))
        return false;
    size_t batches = read_batches(store, &sums);
    store_close(store);
    bool is_known = batches > 1 && sums.last_ms > sums.first_ms;
    if (is_known) {
        seen->batches = batches;
        conclude(&sums, seen);
    }
    path_list_deinit(&sums.directories);
    return is_known;
}

/* ---- the settings ---- */

/* A table without a date is compacted by the day of each file's commit. */
static enum forecast_compact compact_of(const struct care_options *care) {
    switch (care->compact.mode) {
    case COMPACT_CLOSED:
        return FORECAST_CLOSED;
    case COMPACT_LIVE:
        return FORECAST_LIVE;
    default:
        return FORECAST_KEPT;
    }
}

struct forecast_input forecast_input_from(const struct query_options *options, size_t workers,
                                          const struct forecast_seen *seen) {
    size_t date = date_column(&options->store);
    struct forecast_input input = {.trigger_ms = options->trigger.interval_ms,
                                   .available_now = options->trigger.available_now,
                                   .max_offsets = options->max_offsets_per_trigger,
                                   .min_offsets = options->min_offsets_per_trigger,
                                   .max_delay_ms = options->max_trigger_delay_ms,
                                   .partition_values = 1,
                                   .row_bytes = FORECAST_ROW_BYTES,
                                   .reject_share = -1,
                                   .workers = workers,
                                   .compact = compact_of(&options->care),
                                   .target_bytes = options->care.target_size};
    for (size_t i = 0; i < options->store.partition_by_count; i++)
        input.partition_values *= i == date ? 1 : FORECAST_VALUES;
    if (seen != NULL) {
        input.records_per_second = seen->records_per_second;
        input.reject_share = seen->reject_share;
    }
    if (seen != NULL && seen->has_rows)
        input.partition_values = (double)seen->values;
    if (seen != NULL && seen->row_bytes > 0)
        input.row_bytes = seen->row_bytes;
    return input;
}

struct forecast_input forecast_input_of(const struct config *config, const struct stream *stream,
                                        const struct forecast_seen *seen) {
    struct query_options options = config_query_options(config, stream);
    struct forecast_input input = forecast_input_from(&options, (size_t)config->workers, seen);
    config_store_options_deinit(&options.store);
    return input;
}

bool forecast_is_chosen(const struct config *config, const struct stream *stream) {
    struct query_options options = config_query_options(config, stream);
    bool is_short = options.trigger.interval_ms < DEFAULT_TRIGGER_MS;
    size_t has_date = date_column(&options.store) != SIZE_MAX ? 1 : 0;
    bool is_deep =
        options.store.partition_by_count > stream->plan.partition_column_count + has_date;
    config_store_options_deinit(&options.store);
    return is_short || is_deep;
}
