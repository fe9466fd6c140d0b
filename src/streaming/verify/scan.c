/* scan.c: threads take the next file that nobody has taken, until there is none.
 *
 * Each counts for itself and writes bits into the one map through a pen of its own; the counts are
 * added up when all have ended. The first pass looks at every row: it compares sizes, row counts
 * and types, and sees rows that are in no range. A later pass only needs the row groups that may
 * have offsets of its windows. A damaged file is a fault of that file, and the scan continues; an
 * error of the disk ends it. */
#include "streaming/verify/scan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/system/thread.h"
#include "base/text.h"
#include "pipeline/sink/reject_table.h"
#include "streaming/store/table_types.h"
#include "streaming/table/origin_reader.h"

/* What one thread has counted of a partition. */
struct tally {
    int64_t rows, rejects;
    int64_t resolved; // rejects that were replayed: their records are rows of the table
};

struct scan_thread {
    pthread_t thread;
    struct scan *scan;
    _Atomic size_t *next;  // shared; the next file that nobody has taken
    _Atomic bool *give_up; // shared; another thread has failed
    struct tally *tallies; // owned; by index of the snapshot's ranges
    struct offset_pen pen;
    struct row_pen rows_pen;  // of records that can have several rows
    struct verify_file *file; // that is read now
    int64_t bytes, rows;
    struct tally *tally; // of `range`; NULL: not yet looked up, or it has no range
    const struct snapshot_range *range;
    int32_t incarnation, partition;
    bool failed;
    struct error err;
};

/* ---- one file ---- */

static void set_fault(struct verify_file *file, const char *format, ...) PRINTF_LIKE(2, 3);

/* The first one is kept: its consequences are not reported. */
static void set_fault(struct verify_file *file, const char *format, ...) {
    if (file->fault != NULL)
        return;
    va_list args;
    va_start(args, format);
    file->fault = text_format_list(format, args);
    va_end(args);
}

static void compare_types(const struct scan *scan, struct verify_file *file,
                          const struct file_metadata *metadata) {
    struct type_text wanted;
    const struct schema *schema = file->reject ? reject_schema() : scan->schema;
    const struct file_column *found =
        schema == NULL ? NULL : table_types_differ(schema, metadata, &wanted);
    if (found != NULL)
        set_fault(file,
                  "'%s' has column '%.*s' as %s, not as %s: Spark cannot read it together with the "
                  "other files",
                  file->path, (int)found->name.length, found->name.bytes,
                  found->spark_type.text[0] != '\0' ? found->spark_type.text
                                                    : "a type that Spark cannot read",
                  wanted.text);
}

static bool begin_file(void *context, int64_t size, const struct file_metadata *metadata) {
    struct scan_thread *thread = context;
    struct verify_file *file = thread->file;
    if (!thread->scan->first_pass)
        return true;
    thread->bytes += size;
    if (file->size >= 0 && size != file->size)
        set_fault(file, "'%s' has %s, but its log says %" PRId64, file->path,
                  text_count(size, "byte").text, file->size);
    int64_t rows = metadata->rows;
    if (file->rows >= 0 && rows != file->rows)
        set_fault(file, "'%s' has %s, but its %s says %" PRId64, file->path,
                  text_count(rows, "row").text, file->change < 0 ? "manifest" : "change's record",
                  file->rows);
    compare_types(thread->scan, file, metadata);
    return true;
}

static bool wants_group(void *context, const struct origin_bounds *bounds) {
    const struct scan_thread *thread = context;
    const struct offset_map *map = thread->scan->map;
    for (size_t i = 0; i < map->window_count; i++) {
        const struct offset_window *window = &map->windows[i];
        int32_t partition = thread->scan->snapshot->ranges[window->log].partition;
        if (partition >= bounds->partition_min && partition <= bounds->partition_max &&
            window->start <= bounds->offset_max && window->end > bounds->offset_min)
            return true;
    }
    return false;
}

static void change_range(struct scan_thread *thread, int32_t incarnation, int32_t partition) {
    const struct snapshot *snapshot = thread->scan->snapshot;
    thread->incarnation = incarnation;
    thread->partition = partition;
    thread->range = snapshot_find(snapshot, incarnation, partition);
    thread->tally =
        thread->range == NULL ? NULL : &thread->tallies[thread->range - snapshot->ranges];
}

/* A row that is in no window: of another pass, of a batch beyond the horizon, or of no batch. */
static void see_outside(struct scan_thread *thread, int32_t partition, int64_t offset) {
    struct verify_file *file = thread->file;
    const struct snapshot_range *range = thread->range;
    if (!thread->scan->first_pass)
        return;
    bool beyond = range == NULL || offset >= range->end;
    if (beyond ? file->counted : offset < range->start)
        set_fault(file,
                  "'%s' has partition %" PRId32 ", offset %" PRId64
                  ", which is in no committed batch",
                  file->path, partition, offset);
}

static bool add_to_map(struct scan_thread *thread, int64_t offset) {
    const struct snapshot_range *range = thread->range;
    return range != NULL &&
           offset_pen_add(&thread->pen, (uint32_t)(range - thread->scan->snapshot->ranges), offset);
}

/* The record of a resolved reject is looked for in the table, and nowhere else. */
static bool take_resolved(struct scan_thread *thread, int32_t partition, int64_t offset) {
    const struct coverage *outcomes = &thread->scan->snapshot->outcomes;
    if (!thread->file->reject || thread->tally == NULL ||
        !resolved_has(&outcomes->replayed, thread->incarnation, partition, offset))
        return false;
    thread->tally->resolved += thread->scan->first_pass;
    // It has no row in the table: the reject itself shows that the record was there.
    if (resolved_has(&outcomes->replay_counts.rowless, thread->incarnation, partition, offset))
        (void)add_to_map(thread, offset);
    return true;
}

/* The positions of row `i`. False: they are none. */
static bool read_positions(struct scan_thread *thread, const struct origin_rows *rows, size_t i,
                           int32_t positions[static ROW_LEVELS_MAX]) {
    for (size_t level = 0; level < thread->scan->shape->level_count; level++) {
        const struct vector *vector = &rows->positions[level];
        positions[level] = vector->valid[i] ? vector->int32s[i] : -1;
        if (vector->valid[i] && positions[level] < 0)
            return false;
    }
    return true;
}

/* What is known to be in the map. */
static void add_run(struct scan_thread *thread, const struct origin_rows *rows, size_t i) {
    int32_t positions[ROW_LEVELS_MAX];
    uint32_t log = (uint32_t)(thread->range - thread->scan->snapshot->ranges);
    if (thread->scan->shape->level_count == 0)
        return;
    if (thread->file->reject)
        row_pen_add_reject(&thread->rows_pen, log, rows->offsets[i]);
    else if (read_positions(thread, rows, i, positions))
        row_pen_add(&thread->rows_pen, log, rows->offsets[i], positions);
    else
        set_fault(thread->file,
                  "'%s' has a negative position (partition %" PRId32 ", offset %" PRId64 ")",
                  thread->file->path, rows->partitions[i], rows->offsets[i]);
}

static void take_rows(void *context, const struct origin_rows *rows) {
    struct scan_thread *thread = context;
    const struct snapshot *snapshot = thread->scan->snapshot;
    const int32_t *partitions = rows->partitions;
    const int64_t *offsets = rows->offsets;
    thread->rows += (int64_t)rows->count;
    for (size_t i = 0; i < rows->count; i++) {
        int32_t incarnation = verify_incarnation(snapshot, thread->file, rows, i);
        if (thread->partition != partitions[i] || thread->incarnation != incarnation ||
            thread->tally == NULL)
            change_range(thread, incarnation, partitions[i]);
        if (take_resolved(thread, partitions[i], offsets[i]))
            continue;
        if (!add_to_map(thread, offsets[i]))
            see_outside(thread, partitions[i], offsets[i]);
        else {
            *(thread->file->reject ? &thread->tally->rejects : &thread->tally->rows) += 1;
            add_run(thread, rows, i);
        }
    }
}

static bool read_file(struct scan_thread *thread, struct verify_file *file) {
    const struct origin_visitor visitor = {
        .context = thread,
        .wants_times = snapshot_wants_times(thread->scan->snapshot),
        .positions = thread->scan->shape->positions,
        .position_count = file->reject ? 0 : thread->scan->shape->level_count,
        .begin = begin_file,
        .wants = thread->scan->first_pass ? NULL : wants_group,
        .rows = take_rows,
    };
    struct file_path path = verify_file_path(thread->scan->store, file);
    thread->file = file;
    thread->tally = NULL;
    bool ok = verify_file_read(thread->scan->kept, file, thread->scan->page_size_max, &visitor,
                               &thread->err);
    offset_pen_finish(&thread->pen);
    row_pen_finish(&thread->rows_pen);
    if (ok || thread->err.kind != ERROR_STATE)
        return ok;
    if (file->size >= 0 ||
        !file_is_gone(path.text)) // a query that starts may set a file aside that no list promises
        set_fault(file, "%s", thread->err.message);
    return true;
}

/* ---- all of them ---- */

static void *thread_main(void *argument) {
    struct scan_thread *thread = argument;
    struct verify_files *files = thread->scan->files;
    while (!atomic_load(thread->give_up)) {
        size_t i = atomic_fetch_add(thread->next, 1);
        if (i >= files->count)
            break;
        if (!read_file(thread, &files->files[i])) {
            thread->failed = true;
            atomic_store(thread->give_up, true);
        }
    }
    return NULL;
}

static void add_thread(struct scan *scan, const struct scan_thread *thread) {
    scan->report->bytes += thread->bytes;
    scan->report->rows += thread->rows;
    for (size_t i = 0; i < scan->snapshot->range_count; i++) {
        scan->report->partitions[i].rows += thread->tallies[i].rows;
        scan->report->partitions[i].rejects += thread->tallies[i].rejects;
        scan->report->resolved += thread->tallies[i].resolved;
    }
}

static void add_duplicates(struct scan *scan) {
    const struct offset_map *map = scan->map;
    for (size_t i = 0; i < map->window_count; i++)
        scan->report->partitions[map->windows[i].log].duplicates +=
            atomic_load(&map->windows[i].duplicates);
}

/* As many as the machine gives; the others' work is done by those. False: not even one. */
static bool start_threads(struct scan_thread *threads, size_t wanted, size_t *started,
                          struct error *err) {
    for (*started = 0; *started < wanted; ++*started) {
        struct scan_thread *thread = &threads[*started];
        if (!thread_start(&thread->thread, thread_main, thread, "cannot start a reader thread",
                          err))
            return *started > 0;
    }
    return true;
}

bool scan_run(struct scan *scan, bool *full, struct error *err) {
    _Atomic size_t next = 0;
    _Atomic bool give_up = false;
    size_t count = (size_t)scan->workers, started;
    struct scan_thread *threads = must_alloc(count, sizeof *threads);
    for (size_t i = 0; i < count; i++) {
        struct scan_thread *thread = &threads[i];
        *thread = (struct scan_thread){.scan = scan, .next = &next, .give_up = &give_up};
        thread->tallies = must_alloc(scan->snapshot->range_count + 1, sizeof *thread->tallies);
        offset_pen_init(&thread->pen, scan->map);
        thread->pen.may_repeat = scan->shape->level_count > 0;
        row_pen_init(&thread->rows_pen, &scan->runs);
    }
    bool ok = start_threads(threads, count, &started, err);
    for (size_t i = 0; i < started; i++) {
        check(pthread_join(threads[i].thread, NULL) == 0);
        if (threads[i].failed && ok)
            *err = threads[i].err;
        ok = ok && !threads[i].failed;
    }
    *full = scan->shape->level_count > 0 && row_runs_full(&scan->runs);
    for (size_t i = 0; i < started && !*full; i++)
        add_thread(scan, &threads[i]);
    for (size_t i = 0; i < count; i++)
        free(threads[i].tallies);
    free(threads);
    if (!*full)
        add_duplicates(scan);
    return ok;
}
