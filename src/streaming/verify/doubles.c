/* doubles.c: where the offsets are that were met twice. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "streaming/verify/faults.h"
#include "streaming/verify/origin_reader.h"
#include "streaming/verify/scan.h"

enum { FILES_NAMED_MAX = 4 };

/* Neighbouring offsets that were met twice. */
struct double_range {
    int32_t partition;
    int64_t start, end;
    size_t file_count;
    const struct verify_file *files[FILES_NAMED_MAX]; // the first ones that hold any of them
    const struct verify_file *last;                   // and the one that was seen last
};

struct search {
    const struct resolved *replayed; // rejects that count no more
    struct double_range *ranges;     // owned; ascending
    size_t count;
    const struct verify_file *file; // that is read now
};

static int by_offset(const void *a, const void *b) {
    const struct double_offset *left = a, *right = b;
    if (left->partition != right->partition)
        return left->partition < right->partition ? -1 : 1;
    return (left->offset > right->offset) - (left->offset < right->offset);
}

static void gather_ranges(struct offset_map *map, struct search *search) {
    qsort(map->doubles, map->double_count, sizeof *map->doubles, by_offset);
    search->ranges = must_alloc(map->double_count, sizeof *search->ranges);
    for (size_t i = 0; i < map->double_count; i++) {
        struct double_offset at = map->doubles[i];
        struct double_range *last = search->count > 0 ? &search->ranges[search->count - 1] : NULL;
        if (last != NULL && last->partition == at.partition && at.offset <= last->end)
            last->end = at.offset + 1;
        else
            search->ranges[search->count++] = (struct double_range){
                .partition = at.partition, .start = at.offset, .end = at.offset + 1};
    }
}

/* The first range that ends behind the offset. */
static size_t find_range(const struct search *search, int32_t partition, int64_t offset) {
    size_t low = 0, high = search->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct double_range *range = &search->ranges[middle];
        if (range->partition < partition || (range->partition == partition && range->end <= offset))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool begin_file(void *context, int64_t size, const struct file_metadata *metadata) {
    (void)context, (void)size, (void)metadata;
    return true;
}

static bool wants_group(void *context, const struct origin_bounds *bounds) {
    const struct search *search = context;
    for (size_t i = find_range(search, bounds->partition_min, bounds->offset_min);
         i < search->count && search->ranges[i].partition <= bounds->partition_max; i++)
        if (search->ranges[i].start <= bounds->offset_max &&
            search->ranges[i].end > bounds->offset_min)
            return true;
    return false;
}

static void look_at_rows(void *context, const int32_t *partitions, const int64_t *offsets,
                         size_t count) {
    struct search *search = context;
    for (size_t i = 0; i < count; i++) {
        size_t at = find_range(search, partitions[i], offsets[i]);
        struct double_range *range = &search->ranges[at];
        if (at == search->count || range->partition != partitions[i] || range->start > offsets[i] ||
            range->last == search->file ||
            (search->file->reject && resolved_has(search->replayed, partitions[i], offsets[i])))
            continue;
        range->last = search->file;
        if (range->file_count < FILES_NAMED_MAX)
            range->files[range->file_count] = search->file;
        range->file_count++;
    }
}

static void report_range(struct verify_report *report, const struct double_range *range) {
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
    check(fclose(out) == 0);
    if (range->end == range->start + 1)
        verify_say(report, VERIFY_DOUBLE, "partition %" PRId32 ", offset %" PRId64 ", in %s",
                   range->partition, range->start, names);
    else
        verify_say(report, VERIFY_DOUBLE,
                   "partition %" PRId32 ", offsets %" PRId64 " to %" PRId64 ", in %s",
                   range->partition, range->start, range->end - 1, names);
}

bool scan_name_doubles(struct scan *scan, struct error *err) {
    struct offset_map *map = scan->map;
    if (map->double_count == 0)
        return true;
    struct search search = {.replayed = &scan->snapshot->outcomes.replayed};
    gather_ranges(map, &search);
    const struct origin_visitor visitor = {
        .context = &search, .begin = begin_file, .wants = wants_group, .rows = look_at_rows};
    bool ok = true;
    for (size_t i = 0; ok && i < scan->files->count; i++) {
        search.file = &scan->files->files[i];
        struct file_path path = verify_file_path(scan->store, search.file);
        ok = origin_read(path.text, scan->page_size_max, &visitor, err) ||
             err->kind == ERROR_STATE; // known by now
    }
    for (size_t i = 0; ok && i < search.count; i++)
        report_range(scan->report, &search.ranges[i]);
    if (ok && map->double_count == OFFSET_MAP_DOUBLES_MAX)
        verify_say(scan->report, VERIFY_DOUBLE,
                   "more than %d offsets; the others are counted, but not "
                   "named",
                   OFFSET_MAP_DOUBLES_MAX);
    free(search.ranges);
    return ok;
}
