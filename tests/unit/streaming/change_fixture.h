/* change_fixture.h: changes of a fixture's tables, and what readers see. A "row" is a line of a
 * "Parquet file", and a merged file has the lines of all that it replaces. */
#ifndef CHANGE_FIXTURE_H
#define CHANGE_FIXTURE_H

#include "store_fixture.h"
#include "tree.h"

#include "base/json.h"
#include "base/text.h"
#include "streaming/changes/change.h"
#include "streaming/changes/change_steps.h"
#include "streaming/changes/changes.h"
#include "streaming/table/path_list.h"

enum { CHANGE_FIXTURE_MADE_MS = 1800000000 };

/* ---- making a change ---- */

struct change_wish {
    enum change_kind kind;
    bool of_rejects;
    const char *directory; // only files in it leave; NULL: all
    int pieces;            // a compaction's new files per directory; 0: 1
    size_t most;           // files that leave; 0: all
};

struct change_choice {
    const struct change_wish *wish;
    struct file_list *files;
};

static bool change_choose(void *context, const char *path, int64_t size, int64_t modified_ms) {
    struct change_choice *choice = context;
    const char *directory = choice->wish->directory;
    if (directory != NULL &&
        (strncmp(path, directory, strlen(directory)) != 0 || path[strlen(directory)] != '/'))
        return true;
    struct data_file file = {
        .path = text_copy(path), .size = size, .rows = 1, .modified_ms = modified_ms};
    file_list_add(choice->files, file);
    return choice->wish->most == 0 || choice->files->count < choice->wish->most;
}

static inline int change_compare_paths(const void *a, const void *b) {
    return strcmp(((const struct data_file *)a)->path, ((const struct data_file *)b)->path);
}

/* The rows of the files `first` to `last`, which lie in one directory, in one new file. */
static inline bool change_merge(const struct table *table, struct change *change,
                                const char *staging, size_t first, size_t last, unsigned attempt,
                                struct error *err) {
    const char *path = change->left.files[first].path, *slash = strrchr(path, '/');
    char *content = fixture_text("%s", "");
    struct data_file added = {.modified_ms = 0};
    for (size_t i = first; i < last; i++) {
        char *bytes = NULL;
        size_t size;
        if (!file_read(file_join(table->root.text, change->left.files[i].path).text, 1 << 20,
                       &bytes, &size, err)) {
            free(content);
            return false;
        }
        check(bytes != NULL);
        char *longer = fixture_text("%s%s%s", content, i > first ? "\n" : "", bytes);
        free(content);
        free(bytes);
        content = longer;
        added.rows += change->left.files[i].rows;
        if (change->left.files[i].modified_ms > added.modified_ms)
            added.modified_ms = change->left.files[i].modified_ms;
    }
    added.path = fixture_text("%.*spart-merged-%" PRId64 "-%u-%zu.c000.snappy.parquet",
                              slash == NULL ? 0 : (int)(slash - path + 1), path, change->number,
                              attempt, first);
    added.staged = fixture_text("%zu.staged", first);
    added.size = (int64_t)strlen(content);
    bool ok = fixture_stage(staging, added.staged, content, err);
    free(content);
    file_list_add(&change->added, added);
    return ok;
}

static inline bool change_same_directory(const char *a, const char *b) {
    const char *a_end = strrchr(a, '/'), *b_end = strrchr(b, '/');
    size_t a_size = a_end == NULL ? 0 : (size_t)(a_end - a);
    size_t b_size = b_end == NULL ? 0 : (size_t)(b_end - b);
    return a_size == b_size && strncmp(a, b, a_size) == 0;
}

static inline bool change_merge_all(const struct store *store, const struct change_wish *wish,
                                    struct change *change, const char *staging, unsigned attempt,
                                    struct error *err) {
    const struct table *table = wish->of_rejects ? &store->rejects : &store->table;
    size_t pieces = wish->pieces == 0 ? 1 : (size_t)wish->pieces;
    for (size_t first = 0, end; first < change->left.count; first = end) {
        for (end = first + 1;
             end < change->left.count &&
             change_same_directory(change->left.files[first].path, change->left.files[end].path);)
            end++;
        for (size_t i = 0; i < pieces; i++) {
            size_t from = first + (end - first) * i / pieces;
            size_t to = first + (end - first) * (i + 1) / pieces;
            if (from < to && !change_merge(table, change, staging, from, to, attempt, err))
                return false;
        }
    }
    if (change->added.count > 1)
        qsort(change->added.files, change->added.count, sizeof *change->added.files,
              change_compare_paths);
    return true;
}

/* Everything up to the record. *change is the caller's, also after a failure. */
static inline bool change_prepare(struct store *store, const struct change_wish *wish,
                                  unsigned attempt, struct change *change, struct error *err) {
    *change = (struct change){.kind = wish->kind, .of_rejects = wish->of_rejects};
    struct change_choice choice = {wish, &change->left};
    struct file_path staging;
    if (!checkpoint_newest(&store->checkpoint.commits, &change->batch_id, err) ||
        !change_each_eligible(store, wish->of_rejects, change_choose, &choice, err) ||
        !change_begin(store, wish->of_rejects, &change->number, &staging, err))
        return false;
    change->made_ms = CHANGE_FIXTURE_MADE_MS + change->number;
    if (change->left.count > 1)
        qsort(change->left.files, change->left.count, sizeof *change->left.files,
              change_compare_paths);
    if (wish->kind != CHANGE_COMPACTION)
        for (int64_t i = 0; i < 3; i++) // of partition 0; any offsets do
            (void)resolved_add(&change->gone, 0, 0, 3 * i);
    return wish->kind != CHANGE_COMPACTION ||
           change_merge_all(store, wish, change, staging.text, attempt, err);
}

/* ---- a batch that Spark runs ---- */

static bool spark_copy_line(void *context, const char *line, size_t size, const char *uri,
                            struct error *err) {
    (void)uri, (void)err;
    return fprintf(context, "\n%.*s", (int)size, line) > 0;
}

/* N, or N.compact with all that the log lists, and the checksum that Spark leaves next to it. */
static inline void spark_write_log(const struct fixture *fixture, int64_t batch,
                                   const struct file_list *files) {
    struct sink_log log;
    struct error err;
    check(sink_log_open(&log, fixture->table, &err));
    size_t size;
    char *text = NULL, *entries = sink_log_print(&log, files, &size);
    FILE *out = open_memstream(&text, &size);
    check(out != NULL && fprintf(out, "v1") > 0);
    bool compact = (batch + 1) % log.interval == 0, found = true;
    for (int64_t at = sink_log_first(&log); compact && at < batch; at++)
        check(
            sink_log_file_lines(sink_log_path(&log, at).text, spark_copy_line, out, &found, &err) &&
            found);
    check(fprintf(out, "%s", entries) >= 0 && fclose(out) == 0);
    char name[SINK_LOG_NAME_MAX], checksum[SINK_LOG_NAME_MAX + 8];
    sink_log_file_name(batch, compact, name);
    (void)snprintf(checksum, sizeof checksum, ".%s.crc", name);
    check(file_replace(log.directory.text, name, text, strlen(text), &err));
    check(file_replace(log.directory.text, checksum, "crc", 3, &err));
    free(text);
    free(entries);
}

static inline void spark_plan(const struct fixture *fixture, int64_t batch) {
    struct store *store = NULL;
    struct error err;
    struct offset_entry entry;
    bool found;
    check(store_open_to_read(&fixture->options, &store, &err));
    check(checkpoint_read_offsets(&store->checkpoint, batch - 1, &entry, &found, &err) && found);
    for (size_t i = 0; i < entry.ends.count; i++)
        entry.ends.entries[i].offset = 3 * batch + 3;
    entry.timestamp_ms++;
    check(checkpoint_write_offsets(&store->checkpoint, batch, &entry, &err));
    offset_entry_deinit(&entry);
    store_close(store);
}

/* Its files next to ours, in the log and committed. The rows are those that our batch would have.
 */
static inline void spark_run(const struct fixture *fixture, int64_t batch) {
    static const char *const directories[] = {"status=live", "status=a%2Fb c"};
    struct file_list files = {0};
    struct error err;
    spark_plan(fixture, batch);
    for (unsigned i = 0; i < 2; i++) {
        const char *directory = fixture_is_flat ? "" : directories[i];
        char *content = fixture_text("batch %" PRId64 " %s", batch, directories[i]);
        struct data_file file = fixture_file(batch, directory, 7000 + i, content);
        struct file_path path = file_join(fixture->table, file.path);
        struct file_path parent = path;
        *strrchr(parent.text, '/') = '\0';
        check(file_make_directory(parent.text, &err));
        check(
            file_replace(parent.text, strrchr(path.text, '/') + 1, content, strlen(content), &err));
        file_list_add(&files, file);
        free(content);
    }
    if (fixture->options.sink_log != SINK_LOG_OFF)
        spark_write_log(fixture, batch, &files);
    file_list_deinit(&files);
    struct file_path commits = file_join(fixture->checkpoint, "commits");
    static const char commit[] = "v1\n{\"nextBatchWatermarkMs\":0}";
    char name[32], checksum[40];
    (void)snprintf(name, sizeof name, "%" PRId64, batch);
    (void)snprintf(checksum, sizeof checksum, ".%s.crc", name);
    check(file_replace(commits.text, name, commit, strlen(commit), &err));
    check(file_replace(commits.text, checksum, "crc", 3, &err));
}

/* ---- what a reader sees ---- */

struct rows {
    char **lines; // owned, sorted
    size_t count;
    bool missing; // a file is
};

static inline void rows_deinit(struct rows *rows) {
    for (size_t i = 0; i < rows->count; i++)
        free(rows->lines[i]);
    free(rows->lines);
}

static inline void rows_add_file(struct rows *rows, const char *path) {
    struct error err;
    char *bytes;
    size_t size;
    check(file_read(path, 1 << 24, &bytes, &size, &err));
    rows->missing = rows->missing || bytes == NULL;
    char *rest = bytes;
    for (char *line; bytes != NULL && (line = strsep(&rest, "\n")) != NULL;) {
        rows->lines = realloc(rows->lines, (rows->count + 1) * sizeof *rows->lines);
        check(rows->lines != NULL);
        rows->lines[rows->count++] = strdup(line);
    }
    free(bytes);
}

static inline void rows_sort(struct rows *rows) {
    if (rows->count > 1)
        qsort(rows->lines, rows->count, sizeof *rows->lines, tree_compare);
}

static bool rows_visit(void *context, struct json *line, struct error *err) {
    (void)err;
    const char *uri = json_member_text(line, "path");
    char *path = strdup(uri + strlen("file://")), *out = path;
    for (const char *in = path; *in != '\0'; in++) {
        const char digits[3] = {in[1], in[1] != '\0' ? in[2] : '\0', '\0'};
        *out++ = *in == '%' ? (char)strtoul(digits, NULL, 16) : *in;
        in += *in == '%' ? 2 : 0;
    }
    *out = '\0';
    rows_add_file(context, path);
    free(path);
    return true;
}

/* As Spark reads a table with a sink log: the newest compact file and what follows it. */
static inline struct rows rows_by_log(const struct fixture *fixture) {
    struct rows rows = {0};
    struct sink_log log;
    struct error err;
    check(sink_log_open(&log, fixture->table, &err));
    if (!sink_log_each_entry(&log, rows_visit, &rows, &err))
        fail_msg("%s", err.message);
    rows_sort(&rows);
    return rows;
}

static bool rows_visit_path(void *context, const char *path) {
    path_list_add(context, path);
    return true;
}

/* The files of a table as a reader lists them that knows no log. */
static inline struct path_list paths_by_listing(const struct fixture *fixture, bool of_rejects) {
    struct path_list paths = {0};
    struct table table = {0};
    struct error err;
    (void)snprintf(table.root.text, sizeof table.root.text, "%s",
                   of_rejects ? fixture->rejects : fixture->table);
    check(table_each_file(&table, of_rejects ? 0 : fixture->options.partition_by_count,
                          rows_visit_path, &paths, &err));
    path_list_sort(&paths);
    return paths;
}

static inline struct rows rows_by_listing(const struct fixture *fixture, bool of_rejects) {
    struct rows rows = {0};
    struct path_list paths = paths_by_listing(fixture, of_rejects);
    for (size_t i = 0; i < paths.count; i++)
        rows_add_file(
            &rows, file_join(of_rejects ? fixture->rejects : fixture->table, paths.paths[i]).text);
    path_list_deinit(&paths);
    rows_sort(&rows);
    return rows;
}

static inline bool rows_equal(const struct rows *a, const struct rows *b) {
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->lines[i], b->lines[i]) != 0)
            return false;
    return true;
}

#endif
