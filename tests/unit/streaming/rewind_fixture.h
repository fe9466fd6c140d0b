/* rewind_fixture.h: a query on a capture that grows, its files compacted, and its old batches
 * forgotten by the checkpoint. */
#ifndef REWIND_FIXTURE_H
#define REWIND_FIXTURE_H

#include "replay_fixture.h"

#include "pipeline/merge/merge.h"
#include "pipeline/sink/reject_table.h"
#include "streaming/changes/change_steps.h"
#include "streaming/query/query_definition.h"
#include "streaming/store/coverage.h"

/* ---- the records ---- */

static int64_t line_count; // of partition 0 behind the first lines

static inline void append(int64_t count) {
    for (int64_t i = 0; i < count; i++, line_count++) {
        scoped(scope_free) char *line =
            line_count % 10 == 9
                ? fixture_text("{\"match_id\":\n")
                : fixture_text("{\"match_id\":\"m%" PRId64 "\",\"status\":\"%s\"}\n", line_count,
                               line_count % 3 == 0 ? "live" : "done");
        append_lines(0, line);
    }
}

/* One more batch for each `size` lines. */
static inline void run_batches(int64_t count, int64_t size) {
    for (int64_t i = 0; i < count; i++) {
        append(size);
        must_run_query(0);
    }
}

/* Rejects of the lines that were appended. */
static inline int64_t appended_rejects(void) {
    return line_count / 10;
}

static inline void assert_whole(int64_t replayed_rejects) {
    assert_once(FIRST_ROWS + line_count - appended_rejects() + replayed_rejects,
                FIRST_REJECTS + appended_rejects() - replayed_rejects);
}

/* ---- rewinding ---- */

static struct query_options rewind_query;

static inline void must_rewind(int64_t batch, const char *what) {
    to_batch = batch;
    must_operate(REWIND, what);
    must_operate(REWIND, "nothing to do");
}

/* ---- compacting ---- */

static bool take_file(void *context, const char *path, int64_t size, int64_t modified_ms) {
    struct file_list *files = context;
    file_list_add(
        files, (struct data_file){
                   .path = text_copy(path), .size = size, .rows = 1, .modified_ms = modified_ms});
    return true;
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const struct data_file *)a)->path, ((const struct data_file *)b)->path);
}

static inline size_t directory_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : (size_t)(slash - path);
}

static inline void merge_directory(const struct query_definition *definition, struct change *change,
                                   const char *root, const char *staging, size_t first,
                                   size_t end) {
    struct error err;
    struct merge_result result = {0};
    char *paths[1000];
    check(end - first < 1000);
    const char *path = change->left.files[first].path;
    scoped(scope_free) char *directory = fixture_text("%.*s", (int)directory_length(path), path);
    for (size_t i = first; i < end; i++)
        paths[i - first] = fixture_text("%s/%s", root, change->left.files[i].path);
    const struct merge_options options = {.schema = change->of_rejects ? reject_schema()
                                                                       : &definition->schema,
                                          .partition_columns = definition->partition_columns,
                                          .partition_column_count = change->of_rejects ? 0 : 1,
                                          .parquet = {.codec = CODEC_SNAPPY},
                                          .staging_directory = staging,
                                          .directory = directory,
                                          .target_size = 128 << 20,
                                          .memory_max = 64 << 20,
                                          .split_after_us = INT64_MAX};
    if (!merge_files(&options, (const char *const *)paths, end - first, &result, &err))
        fail_msg("%s", err.message);
    file_list_move(&change->added, &result.files);
    merge_result_deinit(&result);
    for (size_t i = first; i < end; i++)
        free(paths[i - first]);
}

/* All files of a directory that may leave become one. */
static inline void compact(bool of_rejects) {
    struct store *store;
    struct error err = {0};
    struct recovery recovery;
    struct query_definition definition;
    struct file_path staging;
    struct change change = {.kind = CHANGE_COMPACTION, .of_rejects = of_rejects, .made_ms = 1};
    const char *root = of_rejects ? fixture.rejects : fixture.table;
    bool recorded;
    check(query_definition_init(&definition, &rewind_query, &err));
    check(recovery_open(&fixture.options, &store, &err) && recover(store, &recovery, &err));
    change.batch_id = recovery.next_batch - 1;
    recovery_deinit(&recovery);
    check(change_each_eligible(store, of_rejects, take_file, &change.left, &err));
    qsort(change.left.files, change.left.count, sizeof *change.left.files, by_path);
    check(change_begin(store, of_rejects, &change.number, &staging, &err));
    for (size_t first = 0, end; first < change.left.count; first = end) {
        size_t length = directory_length(change.left.files[first].path);
        for (end = first + 1; end < change.left.count; end++)
            if (directory_length(change.left.files[end].path) != length ||
                strncmp(change.left.files[end].path, change.left.files[first].path, length) != 0)
                break;
        merge_directory(&definition, &change, root, staging.text, first, end);
    }
    qsort(change.added.files, change.added.count, sizeof *change.added.files, by_path);
    if (!change_publish(store, &change, &recorded, &err))
        fail_msg("%s", err.message);
    change_deinit(&change);
    store_close(store);
}

/* ---- forgetting ---- */

static inline void fold(const struct store *store, int64_t last, struct coverage *coverage) {
    struct error err;
    for (int64_t batch = 0; batch <= last; batch++) {
        struct manifest manifest;
        check(store_read_manifest(store, batch, &manifest, &err) &&
              coverage_add_manifest(coverage, &manifest, &err));
        manifest_deinit(&manifest);
        static const char *const logs[] = {"manifests", "offsets", "commits"};
        for (size_t i = 0; i < 3; i++) {
            scoped(scope_free) char *name = fixture_text(CHECKPOINT "%s/%" PRId64, logs[i], batch);
            check(remove(file_join(fixture.root, name).text) == 0);
        }
    }
}

/* As after CHECKPOINT_BATCHES_KEPT more batches: of those up to this one only coverage/ and
 * history/ know. */
static inline void forget_batches(int64_t last) {
    struct store *store;
    struct error err;
    struct coverage coverage = {.through = -1};
    check(store_open_to_read(&fixture.options, &store, &err));
    fold(store, last, &coverage);
    coverage.through = last;
    struct manifest_origin origin = store_origin(store);
    size_t size;
    scoped(scope_free) char *text = coverage_print(&coverage, &origin, &size);
    scoped(scope_free) char *name = fixture_text("%" PRId64, last);
    check(file_make_directory(store->checkpoint.coverage.text, &err) &&
          file_publish(store->checkpoint.coverage.text, name, text, size, &err));
    coverage_deinit(&coverage);
    store_close(store);
}

static inline int rewind_set_up(void **state) {
    (void)replay_set_up(state);
    fixture.options.rewind_retention_ms = 7LL * 24 * 3600 * 1000;
    line_count = 0;
    rewind_before_ms = 0;
    rewind_broker = NULL;
    rewind_query = query_options_of(PARSE_REJECT, 0);
    rewind_query_used = &rewind_query;
    must_run_query(0); // batch 0 has the first lines
    return 0;
}

#endif
