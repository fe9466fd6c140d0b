/* duplicates.c: where the offsets are that were met twice.
 *
 * The map knows them, but not in which files: so the files are read once more, only those row
 * groups whose statistics have room for one of them. Neighbouring offsets are one range, which
 * remembers the first few files that hold any of it. */
#include "streaming/verify/duplicates.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "streaming/table/origin_reader.h"

enum { FILES_NAMED_MAX = 4 };

/* Neighbouring offsets that were met twice. */
struct duplicate_range {
    uint32_t log; // index of the snapshot's ranges
    int64_t start, end;
    size_t file_count;
    const struct verify_file *files[FILES_NAMED_MAX]; // the first ones that hold any of them
    const struct verify_file *last;                   // and the one that was seen last
};

struct search {
    const struct snapshot *snapshot;
    struct duplicate_range *ranges; // owned; ascending
    size_t count;
    const struct verify_file *file; // that is read now
};

static int by_offset(const void *a, const void *b) {
    const struct duplicate_offset *left = a, *right = b;
    if (left->log != right->log)
        return left->log < right->log ? -1 : 1;
    return (left->offset > right->offset) - (left->offset < right->offset);
}

static void gather_ranges(struct offset_map *map, struct search *search) {
    qsort(map->duplicates, map->duplicate_count, sizeof *map->duplicates, by_offset);
    search->ranges = must_alloc(map->duplicate_count, sizeof *search->ranges);
    for (size_t i = 0; i < map->duplicate_count; i++) {
        struct duplicate_offset at = map->duplicates[i];
        struct duplicate_range *last =
            search->count > 0 ? &search->ranges[search->count - 1] : NULL;
        if (last != NULL && last->log == at.log && at.offset <= last->end)
            last->end = at.offset + 1;
        else
            search->ranges[search->count++] =
                (struct duplicate_range){.log = at.log, .start = at.offset, .end = at.offset + 1};
    }
}

/* The first range that ends behind the offset. */
static size_t find_range(const struct search *search, uint32_t log, int64_t offset) {
    size_t low = 0, high = search->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct duplicate_range *range = &search->ranges[middle];
        if (range->log < log || (range->log == log && range->end <= offset))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Whether one of the log lies in there. */
static bool wants_log(const struct search *search, uint32_t log,
                      const struct origin_bounds *bounds) {
    size_t at = find_range(search, log, bounds->offset_min);
    return at < search->count && search->ranges[at].log == log &&
           search->ranges[at].start <= bounds->offset_max;
}

static bool wants_group(void *context, const struct origin_bounds *bounds) {
    const struct search *search = context;
    for (size_t i = 0; i < search->snapshot->range_count; i++) {
        int32_t partition = search->snapshot->ranges[i].partition;
        if (partition >= bounds->partition_min && partition <= bounds->partition_max &&
            wants_log(search, (uint32_t)i, bounds))
            return true;
    }
    return false;
}

static void look_at_row(struct search *search, int32_t incarnation, int32_t partition,
                        int64_t offset) {
    const struct snapshot *snapshot = search->snapshot;
    const struct snapshot_range *of = snapshot_find(snapshot, incarnation, partition);
    if (of == NULL)
        return;
    uint32_t log = (uint32_t)(of - snapshot->ranges);
    size_t at = find_range(search, log, offset);
    struct duplicate_range *range = &search->ranges[at];
    if (at == search->count || range->log != log || range->start > offset ||
        range->last == search->file ||
        (search->file->reject &&
         resolved_has(&snapshot->outcomes.replayed, incarnation, partition, offset)))
        return;
    range->last = search->file;
    if (range->file_count < FILES_NAMED_MAX)
        range->files[range->file_count] = search->file;
    range->file_count++;
}

static void look_at_rows(void *context, const struct origin_rows *rows) {
    struct search *search = context;
    for (size_t i = 0; i < rows->count; i++)
        look_at_row(search, verify_incarnation(search->snapshot, search->file, rows, i),
                    rows->partitions[i], rows->offsets[i]);
}

static void report_range(const struct snapshot *snapshot, struct verify_report *report,
                         const struct duplicate_range *range) {
    char name[SNAPSHOT_NAME_MAX];
    (void)snapshot_name(snapshot, &snapshot->ranges[range->log], name);
    scoped(scope_free) char *names = NULL;
    size_t size;
    FILE *out = open_memstream(&names, &size);
    check(out != NULL);
    size_t named = range->file_count < FILES_NAMED_MAX ? range->file_count : FILES_NAMED_MAX;
    for (size_t i = 0; i < named; i++)
        (void)fprintf(out, "%s%s'%s'", i > 0 ? ", " : "",
                      range->files[i]->reject ? "the rejects' " : "", range->files[i]->path);
    if (range->file_count > named)
        (void)fprintf(out, " and %zu more", range->file_count - named);
    must_close_text(out, &names);
    if (range->end == range->start + 1)
        verify_say(report, VERIFY_DUPLICATE, "%s, offset %" PRId64 ", in %s", name, range->start,
                   names);
    else
        verify_say(report, VERIFY_DUPLICATE, "%s, offsets %" PRId64 " to %" PRId64 ", in %s", name,
                   range->start, range->end - 1, names);
}

bool duplicates_report(struct scan *scan, struct error *err) {
    struct offset_map *map = scan->map;
    if (map->duplicate_count == 0)
        return true;
    struct search search = {.snapshot = scan->snapshot};
    gather_ranges(map, &search);
    const struct origin_visitor visitor = {.context = &search,
                                           .wants_times = snapshot_wants_times(scan->snapshot),
                                           .wants = wants_group,
                                           .rows = look_at_rows};
    bool ok = true;
    for (size_t i = 0; ok && i < scan->files->count; i++) {
        search.file = &scan->files->files[i];
        ok = verify_file_read(scan->kept, search.file, scan->page_size_max, &visitor, err) ||
             err->kind == ERROR_STATE; // known by now
    }
    for (size_t i = 0; ok && i < search.count; i++)
        report_range(scan->snapshot, scan->report, &search.ranges[i]);
    if (ok && map->duplicate_count == OFFSET_MAP_DUPLICATES_MAX)
        verify_say(scan->report, VERIFY_DUPLICATE,
                   "more than %d offsets; the others are counted but not listed",
                   OFFSET_MAP_DUPLICATES_MAX);
    free(search.ranges);
    return ok;
}
