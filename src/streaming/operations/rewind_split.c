#include "streaming/operations/rewind_split.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "pipeline/merge/merge.h"
#include "pipeline/sink/reject_table.h"
#include "streaming/changes/change_steps.h"
#include "streaming/query/query_definition.h"
#include "streaming/sink_log/sink_entry.h"

enum { OUTPUT_SIZE_MAX = 1 << 30 };

struct split {
    struct rewind *rewind;
    bool of_rejects;
    const struct path_list *mixed; // sorted
    struct file_list files;        // owned; of those, what may leave
    struct change change;          // owned
    struct file_path staging;
    struct query_definition definition;
    const char *positions[MERGE_POSITIONS_MAX];
    size_t position_count;
};

static const char *root_of(const struct split *split) {
    const struct store_options *options = &split->rewind->store->options;
    return split->of_rejects ? options->rejects : options->table;
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool take_mixed(void *context, const char *path, int64_t size, int64_t modified_ms) {
    struct split *split = context;
    if (bsearch(&path, split->mixed->paths, split->mixed->count, sizeof *split->mixed->paths,
                compare_texts) != NULL)
        file_list_add(
            &split->files,
            (struct data_file){.path = text_copy(path), .size = size, .modified_ms = modified_ms});
    return true;
}

static bool take_entry(void *context, struct json *line, struct error *err) {
    struct split *split = context;
    const struct store_options *options = &split->rewind->store->options;
    struct sink_entry entry;
    if (!sink_entry_read(&entry, line, options->table, options->partition_by_count, err))
        return false;
    bool ok = take_mixed(split, entry.relative, entry.size, entry.modified_ms);
    sink_entry_deinit(&entry);
    return ok;
}

/* In any file of the log: after a rewind to one of the first batches it has no compact file. */
static bool find_files(struct split *split, struct error *err) {
    struct store *store = split->rewind->store;
    bool listed = !split->of_rejects && store->sink_log.exists;
    if (listed ? !sink_log_each_entry(&store->sink_log, take_entry, split, err)
               : !change_each_eligible(store, split->of_rejects, take_mixed, split, err))
        return false;
    return split->files.count == split->mixed->count ||
           error_set(err, ERROR_STATE,
                     "%zu files of '%s' with rows from before and after batch %" PRId64
                     " are not there any more: try again",
                     split->mixed->count - split->files.count, root_of(split),
                     split->rewind->to_batch);
}

static struct merge_options options_of(const struct split *split, const char *directory) {
    const struct rewind_request *request = split->rewind->request;
    return (struct merge_options){
        .schema = split->of_rejects ? reject_schema() : &split->definition.schema,
        .partition_columns = split->definition.partition_columns,
        .partition_column_count =
            split->of_rejects ? 0 : split->rewind->store->options.partition_by_count,
        .positions = split->positions,
        .position_count = split->of_rejects ? 0 : split->position_count,
        .parquet = request->query->parquet,
        .staging_directory = split->staging.text,
        .directory = directory,
        .target_size = OUTPUT_SIZE_MAX,
        .memory_max = request->memory_max,
        .split_after_us = split->rewind->target.timestamp_ms * 1000,
    };
}

/* The new ones are as old as the one that they replace. */
static bool split_file(struct split *split, struct data_file *file, struct error *err) {
    struct file_path path = file_join(root_of(split), file->path);
    const char *slash = strrchr(file->path, '/');
    char *directory =
        text_format("%.*s", slash == NULL ? 0 : (int)(slash - file->path), file->path);
    const struct merge_options options = options_of(split, directory);
    const char *paths[] = {path.text};
    struct merge_result result = {0};
    bool ok = merge_files(&options, paths, 1, &result, err);
    file->rows = result.rows;
    for (size_t i = 0; i < result.files.count; i++)
        result.files.files[i].modified_ms = file->modified_ms;
    file_list_move(&split->change.added, &result.files);
    merge_result_deinit(&result);
    free(directory);
    return ok;
}

static int compare_files(const void *a, const void *b) {
    return strcmp(((const struct data_file *)a)->path, ((const struct data_file *)b)->path);
}

static void sort(struct file_list *list) {
    qsort(list->files, list->count, sizeof *list->files, compare_files);
}

static bool fill_change(struct split *split, struct error *err) {
    for (size_t i = 0; i < split->files.count; i++)
        if (!split_file(split, &split->files.files[i], err))
            return false;
    file_list_move(&split->change.left, &split->files);
    sort(&split->change.left);
    sort(&split->change.added);
    return true;
}

static bool publish(struct split *split, struct error *err) {
    struct store *store = split->rewind->store;
    struct change *change = &split->change;
    bool recorded = false;
    change->kind = CHANGE_COMPACTION;
    change->of_rejects = split->of_rejects;
    change->also_batches = true;
    change->batch_id = split->rewind->newest;
    change->made_ms = clock_wall_ms();
    if (!change_is_possible(store, split->of_rejects, err) ||
        !change_begin(store, split->of_rejects, &change->number, &split->staging, err))
        return false;
    bool ok = fill_change(split, err) && change_publish(store, change, &recorded, err);
    if (!ok && !recorded)
        change_discard(store, split->of_rejects, change->number);
    return ok;
}

static void take_positions(struct split *split) {
    const struct query_plan *plan = &split->rewind->request->query->stream->plan;
    if (plan_is_row_per_record(plan))
        return;
    check(plan->view_count <= MERGE_POSITIONS_MAX);
    for (size_t i = 0; i < plan->view_count; i++)
        split->positions[split->position_count++] =
            plan->columns[plan->views[i].position_column].name;
}

static bool split_table(struct rewind *rewind, bool of_rejects, struct path_list *mixed,
                        struct error *err) {
    struct split split = {.rewind = rewind, .of_rejects = of_rejects, .mixed = mixed};
    if (mixed->count == 0)
        return true;
    path_list_sort(mixed);
    if (!query_definition_init(&split.definition, rewind->request->query, err))
        return false;
    take_positions(&split);
    bool ok = find_files(&split, err) && publish(&split, err);
    file_list_deinit(&split.files);
    change_deinit(&split.change);
    return ok;
}

bool rewind_split(struct rewind *rewind, struct error *err) {
    return split_table(rewind, false, &rewind->mixed_table, err) &&
           split_table(rewind, true, &rewind->mixed_rejects, err);
}
