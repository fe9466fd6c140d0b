#include "streaming/resolved.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <roaring/roaring.h>

#include "base/check.h"
#include "streaming/verify/snapshot.h"

/* The offsets of a partition with the same upper half; the set holds their lower halves. */
struct resolved_part {
    int32_t partition;
    uint32_t high;
    roaring_bitmap_t *lows; // owned
};

/* Of one range in a text. More than a few million rejects are never replayed; this keeps a damaged
 * file from filling the memory. */
static const int64_t range_max = (int64_t)1 << 31;

void resolved_deinit(struct resolved *resolved) {
    for (size_t i = 0; i < resolved->part_count; i++)
        roaring_bitmap_free(resolved->parts[i].lows);
    free(resolved->parts);
    *resolved = (struct resolved){0};
}

/* The first part that does not come before these. */
static size_t place_of(const struct resolved *resolved, int32_t partition, uint32_t high) {
    size_t low = 0, end = resolved->part_count;
    while (low < end) {
        size_t middle = low + (end - low) / 2;
        const struct resolved_part *part = &resolved->parts[middle];
        if (part->partition < partition || (part->partition == partition && part->high < high))
            low = middle + 1;
        else
            end = middle;
    }
    return low;
}

static bool is_at(const struct resolved *resolved, size_t at, int32_t partition, uint32_t high) {
    return at < resolved->part_count && resolved->parts[at].partition == partition &&
           resolved->parts[at].high == high;
}

static roaring_bitmap_t *make_part(struct resolved *resolved, int32_t partition, uint32_t high) {
    size_t at = place_of(resolved, partition, high);
    if (is_at(resolved, at, partition, high))
        return resolved->parts[at].lows;
    resolved->parts =
        reallocarray(resolved->parts, resolved->part_count + 1, sizeof *resolved->parts);
    check(resolved->parts != NULL);
    memmove(&resolved->parts[at + 1], &resolved->parts[at],
            (resolved->part_count - at) * sizeof *resolved->parts);
    resolved->part_count++;
    roaring_bitmap_t *lows = roaring_bitmap_create();
    check(lows != NULL);
    resolved->parts[at] = (struct resolved_part){partition, high, lows};
    return lows;
}

bool resolved_add(struct resolved *resolved, int32_t partition, int64_t offset) {
    roaring_bitmap_t *lows = make_part(resolved, partition, (uint32_t)((uint64_t)offset >> 32));
    bool added = roaring_bitmap_add_checked(lows, (uint32_t)offset);
    resolved->count += added;
    return added;
}

void resolved_add_all(struct resolved *resolved, const struct resolved *more) {
    for (size_t i = 0; i < more->part_count; i++) {
        const struct resolved_part *part = &more->parts[i];
        roaring_bitmap_t *lows = make_part(resolved, part->partition, part->high);
        resolved->count -= (int64_t)roaring_bitmap_get_cardinality(lows);
        roaring_bitmap_or_inplace(lows, part->lows);
        resolved->count += (int64_t)roaring_bitmap_get_cardinality(lows);
    }
}

bool resolved_has(const struct resolved *resolved, int32_t partition, int64_t offset) {
    uint32_t high = (uint32_t)((uint64_t)offset >> 32);
    size_t at = place_of(resolved, partition, high);
    return is_at(resolved, at, partition, high) &&
           roaring_bitmap_contains(resolved->parts[at].lows, (uint32_t)offset);
}

/* ---- text ---- */

struct printer {
    FILE *out;
    int64_t first, last; // the range that grows; last < first: none yet
    bool written;
};

static void end_range(struct printer *printer) {
    if (printer->last < printer->first)
        return;
    (void)fprintf(printer->out, "%s%" PRId64, printer->written ? "," : "", printer->first);
    if (printer->last > printer->first)
        (void)fprintf(printer->out, "-%" PRId64, printer->last);
    printer->written = true;
}

static void print_part(struct printer *printer, const struct resolved_part *part) {
    roaring_uint32_iterator_t at;
    roaring_init_iterator(part->lows, &at);
    for (; at.has_value; (void)roaring_advance_uint32_iterator(&at)) {
        int64_t offset = (int64_t)((uint64_t)part->high << 32 | at.current_value);
        if (printer->last < printer->first || offset != printer->last + 1) {
            end_range(printer);
            printer->first = offset;
        }
        printer->last = offset;
    }
}

struct json *resolved_print(const struct resolved *resolved) {
    struct json *array = json_new_array();
    for (size_t i = 0; i < resolved->part_count;) {
        int32_t partition = resolved->parts[i].partition;
        char *text = NULL;
        size_t size;
        struct printer printer = {.out = open_memstream(&text, &size), .first = 0, .last = -1};
        check(printer.out != NULL);
        for (; i < resolved->part_count && resolved->parts[i].partition == partition; i++)
            print_part(&printer, &resolved->parts[i]);
        end_range(&printer);
        check(fclose(printer.out) == 0);
        struct json *object = json_new_object();
        json_put_int(object, "partition", partition);
        json_put_text(object, "offsets", text);
        json_append(array, object);
        free(text);
    }
    return array;
}

/* A number without a sign and without idle zeros. */
static bool read_number(const char **at, int64_t *number) {
    const char *first = *at;
    int64_t value = 0;
    for (; **at >= '0' && **at <= '9'; ++*at) {
        int digit = **at - '0';
        if (value > (INT64_MAX - digit) / 10)
            return false;
        value = 10 * value + digit;
    }
    *number = value;
    return *at > first && (*first != '0' || *at == first + 1);
}

static void add_range(struct resolved *resolved, int32_t partition, int64_t first, int64_t last) {
    resolved->count += last - first + 1;
    for (int64_t at = first; at <= last;) {
        int64_t end = at | UINT32_MAX; // of this upper half
        end = end < last ? end : last;
        roaring_bitmap_t *lows = make_part(resolved, partition, (uint32_t)((uint64_t)at >> 32));
        roaring_bitmap_add_range_closed(lows, (uint32_t)at, (uint32_t)end);
        if (end == last)
            break;
        at = end + 1;
    }
}

static bool parse_offsets(const char *text, int32_t partition, struct resolved *resolved) {
    int64_t before = -2; // the last offset so far
    for (const char *at = text;; at++) {
        int64_t first, last;
        if (!read_number(&at, &first))
            return false;
        last = first;
        if (*at == '-' && (at++, !read_number(&at, &last) || last <= first))
            return false;
        if (first - 1 <= before || last - first >= range_max)
            return false;
        add_range(resolved, partition, first, last);
        before = last;
        if (*at != ',')
            return *at == '\0';
    }
}

bool resolved_parse(const struct json *array, struct resolved *resolved, struct error *err) {
    int64_t before = -1;
    *resolved = (struct resolved){0};
    for (size_t i = 0; i < json_count(array); i++) {
        const struct json *object = json_at(array, i);
        const char *offsets = json_member_text(object, "offsets");
        int64_t partition;
        if (!json_member_int(object, "partition", &partition) || partition <= before ||
            partition > INT32_MAX || offsets == NULL ||
            !parse_offsets(offsets, (int32_t)partition, resolved)) {
            resolved_deinit(resolved);
            return error_set(err, ERROR_STATE,
                             "its list of replayed offsets can't be read (number %zu)", i);
        }
        before = partition;
    }
    return true;
}

/* ---- a store's ---- */

bool resolved_read(struct store *store, struct resolved *resolved, struct error *err) {
    struct snapshot snapshot;
    *resolved = (struct resolved){0};
    if (!snapshot_take(store, &snapshot, err))
        return false;
    *resolved = snapshot.outcomes.replayed;
    snapshot.outcomes.replayed = (struct resolved){0};
    snapshot_deinit(&snapshot);
    return true;
}
