/* Inputs are taken in the order in which they are given, until they are enough for one output.
 * Their footers and keys are read: that gives the order of the rows (merge_order.c). Then the
 * output is written column by column: the values of a column are read from all inputs
 * (merge_passes.c), put in order (merge_values.c), encoded, and appended to the file. So memory is
 * that of some columns.
 *
 * Rows behind split_after_us are at the end of the order, and go into a second output.
 *
 * An output is synced, and then read again (merge_proof.c). What must stay true: after an error
 * none of the outputs is left. */
#include "pipeline/merge/merge.h"

#include "base/check.h"
#include "base/disk/file.h"
#include "base/text.h"
#include "pipeline/merge/merge_passes.h"
#include "pipeline/merge/merge_proof.h"
#include "pipeline/sink/sink_parquet.h"

enum {
    RESERVE = 12 << 20,  // bytes for what is being encoded, and for pages
    CHUNK_OVERHEAD = 40, // bytes of a chunk that merging saves: page headers
};

_Static_assert((int)MERGE_POSITIONS_MAX == (int)MERGE_KEY_POSITIONS_MAX, "as many as allowed");

struct merge {
    const struct merge_options *options;
    struct merge_key_columns keys;
    struct parquet_table table;
    struct merge_breath breath;
    double ratio; // bytes of outputs to those of the inputs' chunks, as the last output had it
    struct file_list now, later;
    struct merge_result *result;
    struct bytes room;
};

/* One output's inputs, or two outputs' if they are split. */
struct merge_group {
    struct merge_inputs inputs;
    struct merge_order order;
};

void merge_result_deinit(struct merge_result *result) {
    file_list_deinit(&result->files);
    *result = (struct merge_result){0};
}

static int64_t expected_bytes(const struct merge *merge, const struct merge_inputs *inputs) {
    int64_t overhead = (int64_t)(inputs->chunks.size / sizeof(struct merge_chunk)) * CHUNK_OVERHEAD;
    int64_t bytes = inputs->data_bytes - overhead;
    if (bytes < inputs->data_bytes / 4)
        bytes = inputs->data_bytes / 4;
    return (int64_t)((double)bytes * merge->ratio);
}

/* Whether no more inputs may be added: there is enough for an output, or what must be known of them
 * all takes its share of the memory. */
static bool is_enough(const struct merge *merge, const struct merge_group *group) {
    size_t memory = (size_t)merge->options->memory_max;
    size_t inputs = merge_inputs_memory(&group->inputs);
    return expected_bytes(merge, &group->inputs) >= merge->options->target_size ||
           inputs + merge_order_memory(&group->order) > memory / 2 ||
           inputs + merge_order_sort_memory(&group->order) > memory * 7 / 8;
}

static bool add_input(struct merge *merge, struct merge_group *group, const char *path,
                      struct error *err) {
    struct input input;
    struct parquet_reader reader;
    if (!merge_input_open(&input, path, &merge->room, err))
        return false;
    bool done = parquet_reader_open_input(&reader, &input, err) &&
                merge_inputs_add(&group->inputs, &reader, err) &&
                merge_order_add(&group->order, &reader, err) && merge_breathe(&merge->breath, err);
    parquet_reader_close(&reader);
    return done;
}

/* Removes what was not handed over. */
static void discard_files(const struct merge *merge, struct file_list *files) {
    for (size_t i = 0; i < files->count; i++)
        file_discard(file_join(merge->options->staging_directory, files->files[i].staged).text);
    file_list_deinit(files);
}

static bool write_row_groups(struct merge *merge, struct merge_group *group, int64_t from,
                             int64_t to, struct parquet_writer *writer, struct error *err) {
    size_t known =
        merge_inputs_memory(&group->inputs) + merge_order_memory(&group->order) + RESERVE;
    size_t most = (size_t)merge->options->memory_max, least = most / 4;
    struct merge_passes passes = {
        .inputs = &group->inputs,
        .order = &group->order,
        .table = &merge->table,
        .breath = &merge->breath,
        .memory_max = most > known + least ? most - known : least,
    };
    double bytes = (double)expected_bytes(merge, &group->inputs) * (double)(to - from) /
                   (double)group->order.rows;
    int64_t groups = (int64_t)(bytes / ROW_GROUP_SIZE_MAX / 1.25) + 1;
    int64_t rows = (to - from + groups - 1) / groups;
    for (; from < to; from += rows) // the last one is closed with the file
        if (!parquet_writer_close_row_group(writer, err) ||
            !merge_passes_write(&passes, from, to - from < rows ? to : from + rows, writer, err))
            return false;
    return true;
}

static struct data_file data_file_of(const struct merge *merge, const char *name,
                                     const struct parquet_file *written) {
    const char *directory = merge->options->directory;
    return (struct data_file){
        .path = text_format("%s%s%s", directory, *directory != '\0' ? "/" : "", name),
        .staged = text_format("%s.staged", name),
        .size = written->size,
        .rows = written->rows,
        .modified_ms = written->modified_ms,
    };
}

/* Rows [from, to) of the order become a file, which is added to `files`. */
static bool write_output(struct merge *merge, struct merge_group *group, bool is_later,
                         struct error *err) {
    int64_t from = is_later ? group->order.later : 0;
    int64_t to = is_later ? group->order.rows : group->order.later;
    if (from == to)
        return true;
    char *name = sink_file_name(0, merge->options->parquet.codec);
    char *path = text_format("%s/%s.staged", merge->options->staging_directory, name);
    struct parquet_writer *writer = parquet_writer_create(&merge->table, path);
    struct parquet_file written;
    bool done = write_row_groups(merge, group, from, to, writer, err) &&
                parquet_writer_finish(writer, &written, err) &&
                merge_prove(path, &merge->table, &merge->keys, &group->order.digests[is_later],
                            &merge->breath, err);
    parquet_writer_destroy(writer);
    if (done) {
        file_list_add(is_later ? &merge->later : &merge->now, data_file_of(merge, name, &written));
        merge->result->output_bytes += written.size;
    } else {
        file_discard(path);
    }
    free(name);
    free(path);
    return done;
}

static void learn_ratio(struct merge *merge, const struct merge_group *group, int64_t bytes) {
    int64_t expected = expected_bytes(merge, &group->inputs);
    if (expected > 0 && bytes > 0)
        merge->ratio *= (double)bytes / (double)expected;
}

/* The next inputs, from *next on, become outputs. */
static bool merge_group(struct merge *merge, const char *const *paths, size_t count, size_t *next,
                        struct error *err) {
    struct merge_group group;
    merge_inputs_init(&group.inputs, &merge->table, paths + *next,
                      (size_t)merge->options->memory_max, merge->options->staging_directory);
    merge_order_init(&group.order, &merge->keys);
    bool done = true, enough = false;
    while (done && !enough && *next < count) {
        done = add_input(merge, &group, paths[*next], err);
        enough = done && is_enough(merge, &group);
        *next += done;
    }
    int64_t bytes = merge->result->output_bytes;
    done = done &&
           merge_order_sort(&group.order, &group.inputs, (size_t)merge->options->memory_max,
                            &merge->breath, err) &&
           write_output(merge, &group, false, err) && write_output(merge, &group, true, err);
    learn_ratio(merge, &group, merge->result->output_bytes - bytes);
    merge->result->rows += group.order.rows;
    merge->result->input_bytes += group.inputs.bytes;
    merge_order_deinit(&group.order);
    merge_inputs_deinit(&group.inputs);
    return done;
}

static void start(struct merge *merge, const struct merge_options *options,
                  struct merge_result *result) {
    *result = (struct merge_result){0};
    *merge = (struct merge){
        .options = options,
        .keys = {.partition = "partition",
                 .offset = "offset",
                 .processed = "processing_timestamp",
                 .positions = options->positions,
                 .position_count = options->position_count,
                 .split_after_us = options->split_after_us},
        .breath = {.ask = options->breathe, .context = options->context},
        .ratio = 1,
        .result = result,
    };
    parquet_table_init(&merge->table, options->schema, options->partition_columns,
                       options->partition_column_count, &options->parquet);
}

bool merge_files(const struct merge_options *options, const char *const *paths, size_t count,
                 struct merge_result *result, struct error *err) {
    struct merge merge;
    bool done = true;
    start(&merge, options, result);
    for (size_t next = 0; next < count && done;)
        done = merge_group(&merge, paths, count, &next, err);
    done = done && file_sync_directory(options->staging_directory, err);
    if (done) {
        result->later = merge.now.count;
        file_list_move(&result->files, &merge.now);
        file_list_move(&result->files, &merge.later);
    } else {
        discard_files(&merge, &merge.now);
        discard_files(&merge, &merge.later);
        *result = (struct merge_result){0};
    }
    parquet_table_deinit(&merge.table);
    bytes_deinit(&merge.room);
    return done;
}
