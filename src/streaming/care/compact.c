/* compact.c: jobs are done in groups, each of which is one change: so many bytes as the disk must
 * hold twice, and as the newest compact file of the sink log is rewritten for.
 *
 * A file that cannot be merged ends its group before anything is published: it is put on the list
 * of those that are left alone, and the pass begins again without it. So is a directory whose files
 * cannot be replaced in one step, such as a symbolic link. */
#include "streaming/care/compact.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/disk/filesystem.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "streaming/changes/change_steps.h"
#include "streaming/table/origin_reader.h"

enum { GROUP_TARGETS = 16, GROUP_FILES = 50000, ROOM_SPARE = 64 << 20, PAGE_MAX = 64 << 20 };

struct pass {
    const struct care_table *table;
    const struct compact_order *order;
    const struct care_host *host;
    struct care_result *result;
    struct care_files files;
    struct selection selection;
    bool found_damage; // the pass begins again
};

/* Jobs [first, end) of the selection. */
struct group {
    size_t first, end, files;
    int64_t bytes;
};

/* The file itself, or its directory. */
static bool is_left_alone(const struct pass *pass, const char *path) {
    const struct path_list *list = pass->host->left_alone;
    struct file_path absolute = file_join(pass->table->root, path);
    size_t directory = care_directory_length(absolute.text);
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->paths[i], absolute.text) == 0 ||
            (strlen(list->paths[i]) == directory &&
             memcmp(list->paths[i], absolute.text, directory) == 0))
            return true;
    return false;
}

static void drop_left_alone(struct pass *pass) {
    size_t kept = 0;
    for (size_t i = 0; i < pass->files.count; i++)
        if (pass->host->left_alone->count > 0 && is_left_alone(pass, pass->files.files[i].path))
            free(pass->files.files[i].path);
        else
            pass->files.files[kept++] = pass->files.files[i];
    pass->files.count = kept;
}

/* ---- what is said ---- */

static void count_files(struct pass *pass) {
    struct care_view *counts = &pass->result->counts;
    *counts = (struct care_view){.files = (int64_t)pass->files.count};
    for (size_t i = 0; i < pass->files.count; i++) {
        counts->bytes += pass->files.files[i].size;
        counts->small_files += pass->files.files[i].size < pass->order->target_size / 4 * 3;
    }
    for (size_t i = 0; i < pass->selection.wait_count; i++) {
        const struct merge_wait *wait = &pass->selection.waits[i];
        counts->waiting_files += (int64_t)wait->count;
        if (i < 3)
            (void)text_append(counts->waits, sizeof counts->waits, strlen(counts->waits),
                              "%s%s: %s", i > 0 ? "; " : "", care_directory_name(wait->directory),
                              wait->why);
    }
    pass->result->jobs += (int64_t)pass->selection.job_count;
    pass->result->waiting = (int64_t)pass->selection.wait_count;
}

/* "match_stream: day=2026-11-28/status=live: …", "match_stream: rejects: …". */
static void say(const struct pass *pass, const char *directory, const char *format, ...)
    PRINTF_LIKE(3, 4);
static void say(const struct pass *pass, const char *directory, const char *format, ...) {
    va_list args;
    va_start(args, format);
    scoped(scope_free) char *text = text_format_list(format, args);
    va_end(args);
    scoped(scope_free) char *line =
        text_format("%s: %s: %s.", pass->table->definition->options->store.query,
                    pass->table->of_rejects ? "rejects" : care_directory_name(directory), text);
    pass->host->say(pass->host->context, line);
}

static void say_plan(const struct pass *pass) {
    char amount[CARE_AMOUNT_MAX];
    for (size_t i = 0; i < pass->selection.job_count; i++) {
        const struct merge_job *job = &pass->selection.jobs[i];
        say(pass, job->directory, "would merge %s into %s",
            care_amount((int64_t)job->count, job->bytes, amount),
            text_count(selection_files_after(job->bytes, pass->order->target_size), "file").text);
    }
    for (size_t i = 0; i < pass->selection.wait_count; i++) {
        const struct merge_wait *wait = &pass->selection.waits[i];
        say(pass, wait->directory, "%s: %s", text_count((int64_t)wait->count, "file").text,
            wait->why);
    }
}

/* ---- merging ---- */

/* Whether the disk can hold the new files next to the old ones. */
static bool check_room(const struct pass *pass, const struct group *group, struct error *err) {
    struct filesystem_room room;
    int64_t needed = group->bytes + ROOM_SPARE;
    if (!filesystem_room(pass->table->root, &room) || room.free >= needed)
        return true;
    return error_set(err, ERROR_RETRY,
                     "the file system of '%s' has %" PRId64 " MB free, but %s need %" PRId64
                     " MB while they are merged: free some space",
                     pass->table->root, room.free / 1000000,
                     text_count((int64_t)group->files, "file").text, needed / 1000000);
}

static bool note_rows(void *context, int64_t size, const struct file_metadata *metadata) {
    struct data_file *file = context;
    file->size = size;
    file->rows = metadata->rows;
    return false;
}

static void skip_rows(void *context, const struct origin_rows *rows) {
    (void)context, (void)rows;
}

/* Adds the job's files to those that leave. Returns their newest commit. */
static bool add_left(const struct pass *pass, const struct merge_job *job, struct change *change,
                     int64_t *newest_ms, struct error *err) {
    *newest_ms = INT64_MIN;
    for (size_t i = 0; i < job->count; i++) {
        const struct care_file *file = &pass->files.files[job->files[i]];
        struct data_file left = {.modified_ms = file->modified_ms};
        const struct origin_visitor visitor = {
            .context = &left, .begin = note_rows, .rows = skip_rows};
        if (!origin_read(file_join(pass->table->root, file->path).text, PAGE_MAX, &visitor, err))
            return false;
        left.path = text_copy(file->path);
        file_list_add(&change->left, left);
        if (file->modified_ms > *newest_ms)
            *newest_ms = file->modified_ms;
    }
    return true;
}

static struct merge_options options_of(const struct pass *pass, const struct merge_job *job,
                                       const struct file_path *staging) {
    const struct care_table *table = pass->table;
    return (struct merge_options){.schema = table->schema,
                                  .partition_columns = table->definition->partition_columns,
                                  .partition_column_count = table->partition_column_count,
                                  .positions = table->positions,
                                  .position_count = table->position_count,
                                  .parquet = table->definition->options->parquet,
                                  .staging_directory = staging->text,
                                  .directory = job->directory,
                                  .target_size = pass->order->target_size,
                                  .memory_max = pass->host->memory_max,
                                  .split_after_us = INT64_MAX,
                                  .breathe = pass->host->breathe,
                                  .context = pass->host->breathe_context};
}

static bool merge_job(const struct pass *pass, const struct merge_job *job,
                      const struct file_path *staging, struct change *change, struct error *err) {
    char **paths = must_alloc(job->count, sizeof *paths);
    struct merge_options options = options_of(pass, job, staging);
    struct merge_result merged = {0};
    int64_t newest_ms;
    for (size_t i = 0; i < job->count; i++)
        paths[i] = text_format("%s/%s", pass->table->root, pass->files.files[job->files[i]].path);
    bool ok = add_left(pass, job, change, &newest_ms, err) &&
              merge_files(&options, (const char *const *)paths, job->count, &merged, err);
    for (size_t i = 0; ok && i < merged.files.count; i++)
        merged.files.files[i].modified_ms = newest_ms;
    if (ok)
        file_list_move(&change->added, &merged.files);
    merge_result_deinit(&merged);
    for (size_t i = 0; i < job->count; i++)
        free(paths[i]);
    free(paths);
    return ok;
}

/* A file that an error names is left alone from now on; if it names none, all of the job are. */
static void leave_alone(struct pass *pass, const struct merge_job *job, const struct error *err) {
    struct path_list *list = pass->host->left_alone;
    size_t before = list->count;
    for (int all = 0; all <= 1 && list->count == before; all++)
        for (size_t i = 0; i < job->count; i++) {
            struct file_path path =
                file_join(pass->table->root, pass->files.files[job->files[i]].path);
            if (all || strstr(err->message, path.text) != NULL)
                path_list_add(list, path.text);
        }
    pass->found_damage = true;
    pass->host->warn(pass->host->context,
                     list->count - before == 1
                         ? "A file cannot be merged, and is left alone; other files are merged"
                         : "Files cannot be merged, and are left alone; others are merged",
                     err);
}

static void leave_directory_alone(struct pass *pass, const struct file_path *directory,
                                  const struct error *err) {
    path_list_add(pass->host->left_alone, directory->text);
    pass->found_damage = true;
    pass->host->warn(pass->host->context,
                     "Files of a directory cannot be merged, and are left alone; others are merged",
                     err);
}

static bool names_directory(const struct error *err, const char *directory) {
    const char *found = strstr(err->message, directory);
    char behind = found == NULL ? '\0' : found[strlen(directory)];
    return behind == '\'' || behind == '/';
}

/* A change that was refused: the directories of the group that the error names are left alone.
 * False: it names none. */
static bool leave_named_alone(struct pass *pass, const struct group *group,
                              const struct error *err) {
    const char *last = "";
    for (size_t i = group->first; i < group->end; i++) {
        const char *directory = pass->selection.jobs[i].directory;
        struct file_path path = file_join(pass->table->root, directory);
        if (directory == last || *directory == '\0' || !names_directory(err, path.text))
            continue;
        last = directory;
        leave_directory_alone(pass, &path, err);
    }
    return *last != '\0';
}

/* Before anything is merged. The table's own directory: change_is_possible(). */
static bool check_directories(struct pass *pass, struct error *err) {
    const char *last = "";
    for (size_t i = 0; i < pass->selection.job_count; i++) {
        const char *directory = pass->selection.jobs[i].directory;
        if (directory == last || *directory == '\0')
            continue;
        last = directory;
        if (change_fits(pass->table->store, pass->table->of_rejects, directory, err))
            continue;
        if (err->kind != ERROR_CONFIG)
            return false;
        struct file_path path = file_join(pass->table->root, directory);
        leave_directory_alone(pass, &path, err);
    }
    return true;
}

/* *merged false: a file is damaged. */
static bool merge_group(struct pass *pass, const struct group *group,
                        const struct file_path *staging, struct change *change, bool *merged,
                        struct error *err) {
    for (size_t i = group->first; i < group->end; i++) {
        const struct merge_job *job = &pass->selection.jobs[i];
        *merged = merge_job(pass, job, staging, change, err);
        if (*merged)
            continue;
        if (err->kind != ERROR_STATE)
            return false;
        leave_alone(pass, job, err);
        return true;
    }
    return true;
}

static void note_group(const struct pass *pass, const struct group *group,
                       struct care_report *report) {
    size_t count = 0;
    for (size_t i = group->first; i < group->end; i++)
        if (i == group->first ||
            pass->selection.jobs[i].directory != pass->selection.jobs[i - 1].directory)
            care_add_directory(report->directories, sizeof report->directories,
                               pass->selection.jobs[i].directory, count++);
}

static void add_gain(struct care_result *result, const struct care_gain *gain) {
    result->changes++;
    result->gain.files_before += gain->files_before;
    result->gain.files_after += gain->files_after;
    result->gain.bytes_before += gain->bytes_before;
    result->gain.bytes_after += gain->bytes_after;
    result->gain.rows += gain->rows;
}

static bool run_group(struct pass *pass, const struct group *group, struct error *err) {
    const struct care_table *table = pass->table;
    struct care_report report = {0};
    struct change change;
    struct file_path staging;
    int64_t began_ms = clock_monotonic_ms();
    bool merged = false;
    if (!check_room(pass, group, err) ||
        !care_begin(table, CHANGE_COMPACTION, &change, &staging, err))
        return false;
    bool ok = merge_group(pass, group, &staging, &change, &merged, err);
    if (!ok || !merged)
        change_discard(table->store, table->of_rejects, change.number);
    note_group(pass, group, &report);
    report.duration_ms = clock_monotonic_ms() - began_ms;
    bool published = ok && merged && care_publish(table, pass->host, &change, &report, err);
    if (published)
        add_gain(pass->result, &report.gain);
    else if (ok && merged)
        ok = !report.recorded && err->kind == ERROR_CONFIG && leave_named_alone(pass, group, err);
    change_deinit(&change);
    return ok;
}

static struct group next_group(const struct pass *pass, size_t first) {
    struct group group = {.first = first, .end = first};
    int64_t most = GROUP_TARGETS * pass->order->target_size;
    while (group.end < pass->selection.job_count) {
        const struct merge_job *job = &pass->selection.jobs[group.end];
        if (group.end > first &&
            (group.bytes + job->bytes > most || group.files + job->count > GROUP_FILES))
            break;
        group.bytes += job->bytes;
        group.files += job->count;
        group.end++;
    }
    return group;
}

/* ---- a pass ---- */

static bool look(struct pass *pass, struct error *err) {
    const struct selection_rules rules = {.mode = pass->order->mode,
                                          .date_level = pass->table->date_level,
                                          .target_size = pass->order->target_size,
                                          .older_than_ms = pass->order->older_than_ms,
                                          .now_ms = clock_wall_ms(),
                                          .zone = pass->table->zone};
    if (!care_list(pass->table, &pass->files, err))
        return false;
    drop_left_alone(pass);
    selection_make(&pass->files, &rules, &pass->selection);
    if (pass->selection.job_count > 0 && !pass->order->dry_run &&
        !change_is_possible(pass->table->store, pass->table->of_rejects, err))
        return false;
    if (!check_directories(pass, err))
        return false;
    if (!pass->found_damage)
        count_files(pass);
    return true;
}

static bool run_jobs(struct pass *pass, struct error *err) {
    if (pass->order->dry_run) {
        say_plan(pass);
        return true;
    }
    for (struct group group = {0}; group.end < pass->selection.job_count;) {
        group = next_group(pass, group.end);
        if (!run_group(pass, &group, err))
            return false;
    }
    return true;
}

bool compact_pass(const struct care_table *table, const struct compact_order *order,
                  const struct care_host *host, struct care_result *result, struct error *err) {
    struct pass pass = {.table = table, .order = order, .host = host, .result = result};
    *result = (struct care_result){0};
    bool ok;
    do {
        pass.found_damage = false;
        ok = look(&pass, err) && (pass.found_damage || run_jobs(&pass, err));
        selection_deinit(&pass.selection);
        care_files_deinit(&pass.files);
    } while (ok && pass.found_damage);
    return ok;
}
