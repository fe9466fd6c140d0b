/* resolved.c: a sorted array of bitmaps.
 *
 * The compressed bitmaps of the library hold 32 bits, an offset has 63: so there is one bitmap for
 * each incarnation, partition and upper half of an offset, and it holds the lower halves. A part is
 * there only while it has a member. */
#include "streaming/store/resolved.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <roaring/roaring.h>

#include "base/check.h"

/* The offsets of a partition with the same upper half; the set holds their lower halves. */
struct resolved_part {
    int32_t incarnation, partition;
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

static int compare(const struct resolved_part *a, const struct resolved_part *b) {
    if (a->incarnation != b->incarnation)
        return a->incarnation < b->incarnation ? -1 : 1;
    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    return (a->high > b->high) - (a->high < b->high);
}

/* The first part that does not come before this one. */
static size_t place_of(const struct resolved *resolved, const struct resolved_part *key) {
    size_t low = 0, end = resolved->part_count;
    while (low < end) {
        size_t middle = low + (end - low) / 2;
        if (compare(&resolved->parts[middle], key) < 0)
            low = middle + 1;
        else
            end = middle;
    }
    return low;
}

static bool is_at(const struct resolved *resolved, size_t at, const struct resolved_part *key) {
    return at < resolved->part_count && compare(&resolved->parts[at], key) == 0;
}

/* Where an offset belongs, without its set. */
static struct resolved_part key_of(int32_t incarnation, int32_t partition, int64_t offset) {
    return (struct resolved_part){.incarnation = incarnation,
                                  .partition = partition,
                                  .high = (uint32_t)((uint64_t)offset >> 32)};
}

static roaring_bitmap_t *make_part(struct resolved *resolved, struct resolved_part part) {
    size_t at = place_of(resolved, &part);
    if (is_at(resolved, at, &part))
        return resolved->parts[at].lows;
    resolved->parts =
        reallocarray(resolved->parts, resolved->part_count + 1, sizeof *resolved->parts);
    check(resolved->parts != NULL);
    memmove(&resolved->parts[at + 1], &resolved->parts[at],
            (resolved->part_count - at) * sizeof *resolved->parts);
    resolved->part_count++;
    part.lows = roaring_bitmap_create();
    check(part.lows != NULL);
    resolved->parts[at] = part;
    return part.lows;
}

bool resolved_add(struct resolved *resolved, int32_t incarnation, int32_t partition,
                  int64_t offset) {
    roaring_bitmap_t *lows = make_part(resolved, key_of(incarnation, partition, offset));
    bool added = roaring_bitmap_add_checked(lows, (uint32_t)offset);
    resolved->count += added;
    return added;
}

void resolved_add_all(struct resolved *resolved, const struct resolved *more) {
    for (size_t i = 0; i < more->part_count; i++) {
        const struct resolved_part *part = &more->parts[i];
        roaring_bitmap_t *lows = make_part(resolved, *part);
        resolved->count -= (int64_t)roaring_bitmap_get_cardinality(lows);
        roaring_bitmap_or_inplace(lows, part->lows);
        resolved->count += (int64_t)roaring_bitmap_get_cardinality(lows);
    }
}

/* A part is there only while it has a member. */
static void set_count(struct resolved *resolved, struct resolved_part *part, uint64_t before) {
    uint64_t now = roaring_bitmap_get_cardinality(part->lows);
    resolved->count -= (int64_t)(before - now);
    if (now > 0)
        return;
    roaring_bitmap_free(part->lows);
    size_t behind = (size_t)(&resolved->parts[resolved->part_count] - (part + 1));
    memmove(part, part + 1, behind * sizeof *part);
    resolved->part_count--;
}

void resolved_drop_all(struct resolved *resolved, const struct resolved *some) {
    for (size_t i = 0; i < some->part_count; i++) {
        size_t at = place_of(resolved, &some->parts[i]);
        if (!is_at(resolved, at, &some->parts[i]))
            continue;
        struct resolved_part *part = &resolved->parts[at];
        uint64_t before = roaring_bitmap_get_cardinality(part->lows);
        roaring_bitmap_andnot_inplace(part->lows, some->parts[i].lows);
        set_count(resolved, part, before);
    }
}

void resolved_drop_from(struct resolved *resolved, int32_t incarnation, int32_t partition,
                        int64_t from) {
    const struct resolved_part key = key_of(incarnation, partition, from);
    for (size_t at = place_of(resolved, &key); at < resolved->part_count;) {
        struct resolved_part *part = &resolved->parts[at];
        if (part->incarnation != incarnation || part->partition != partition)
            return;
        size_t count = resolved->part_count;
        uint64_t before = roaring_bitmap_get_cardinality(part->lows);
        uint32_t low = part->high == key.high ? (uint32_t)from : 0;
        roaring_bitmap_remove_range_closed(part->lows, low, UINT32_MAX);
        set_count(resolved, part, before);
        at += resolved->part_count == count; // else the next one is here now
    }
}

bool resolved_has(const struct resolved *resolved, int32_t incarnation, int32_t partition,
                  int64_t offset) {
    const struct resolved_part key = key_of(incarnation, partition, offset);
    size_t at = place_of(resolved, &key);
    return is_at(resolved, at, &key) &&
           roaring_bitmap_contains(resolved->parts[at].lows, (uint32_t)offset);
}

int64_t resolved_count_of(const struct resolved *resolved, int32_t incarnation, int32_t partition) {
    int64_t count = 0;
    for (size_t i = 0; i < resolved->part_count; i++) {
        const struct resolved_part *part = &resolved->parts[i];
        if (part->incarnation == incarnation && part->partition == partition)
            count += (int64_t)roaring_bitmap_get_cardinality(part->lows);
    }
    return count;
}

/* How far the members that begin with `first` follow each other, at most up to `end`. */
static int64_t end_of_run(const struct resolved_part *part, int64_t first, int64_t end) {
    uint64_t low = (uint32_t)first, most = (uint64_t)(end - first), known = 1;
    // Twice as far each time, and then halves of the last step.
    uint64_t step = 1;
    while (known < most &&
           roaring_bitmap_range_cardinality(part->lows, low, low + known) == known) {
        step = known;
        known = 2 * known < most ? 2 * known : most;
    }
    if (roaring_bitmap_range_cardinality(part->lows, low, low + known) == known)
        return first + (int64_t)known;
    while (known - step > 1) {
        uint64_t middle = step + (known - step) / 2;
        if (roaring_bitmap_range_cardinality(part->lows, low, low + middle) == middle)
            step = middle;
        else
            known = middle;
    }
    return first + (int64_t)step;
}

bool resolved_next_run(const struct resolved *resolved, int32_t incarnation, int32_t partition,
                       int64_t end, int64_t *start, int64_t *run_end) {
    const struct resolved_part key = key_of(incarnation, partition, *start);
    for (size_t i = place_of(resolved, &key); i < resolved->part_count; i++) {
        const struct resolved_part *part = &resolved->parts[i];
        int64_t base = (int64_t)((uint64_t)part->high << 32);
        if (part->incarnation != incarnation || part->partition != partition || base >= end)
            return false;
        roaring_uint32_iterator_t at;
        roaring_init_iterator(part->lows, &at);
        if (base < *start)
            (void)roaring_move_uint32_iterator_equalorlarger(&at, (uint32_t)*start);
        if (!at.has_value)
            continue;
        int64_t first = base + at.current_value;
        int64_t last = base + UINT32_MAX; // which may be the last offset of all
        if (first >= end)
            return false;
        *start = first;
        *run_end = end_of_run(part, first, last < end ? last + 1 : end);
        return true;
    }
    return false;
}

void resolved_each_partition(const struct resolved *resolved,
                             void (*visit)(void *context, int32_t incarnation, int32_t partition),
                             void *context) {
    for (size_t i = 0; i < resolved->part_count; i++) {
        const struct resolved_part *part = &resolved->parts[i];
        if (i == 0 || part[-1].incarnation != part->incarnation ||
            part[-1].partition != part->partition)
            visit(context, part->incarnation, part->partition);
    }
}

bool resolved_has_all(const struct resolved *resolved, const struct resolved *some) {
    for (size_t i = 0; i < some->part_count; i++) {
        const struct resolved_part *part = &some->parts[i];
        size_t at = place_of(resolved, part);
        if (!is_at(resolved, at, part) ||
            !roaring_bitmap_is_subset(part->lows, resolved->parts[at].lows))
            return false;
    }
    return true;
}

int32_t resolved_newest(const struct resolved *resolved) {
    return resolved->part_count == 0 ? 0 : resolved->parts[resolved->part_count - 1].incarnation;
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
        const struct resolved_part first = resolved->parts[i];
        char *text = NULL;
        size_t size;
        struct printer printer = {.out = open_memstream(&text, &size), .first = 0, .last = -1};
        check(printer.out != NULL);
        for (; i < resolved->part_count && resolved->parts[i].partition == first.partition &&
               resolved->parts[i].incarnation == first.incarnation;
             i++)
            print_part(&printer, &resolved->parts[i]);
        end_range(&printer);
        must_close_text(printer.out, &text);
        struct json *object = json_new_object();
        if (first.incarnation > 0)
            json_put_int(object, "incarnation", first.incarnation);
        json_put_int(object, "partition", first.partition);
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

void resolved_add_range(struct resolved *resolved, int32_t incarnation, int32_t partition,
                        int64_t first, int64_t last) {
    for (int64_t at = first; at <= last;) {
        int64_t end = at | UINT32_MAX; // of this upper half
        end = end < last ? end : last;
        roaring_bitmap_t *lows = make_part(resolved, key_of(incarnation, partition, at));
        resolved->count -= (int64_t)roaring_bitmap_get_cardinality(lows);
        roaring_bitmap_add_range_closed(lows, (uint32_t)at, (uint32_t)end);
        resolved->count += (int64_t)roaring_bitmap_get_cardinality(lows);
        if (end == last)
            break;
        at = end + 1;
    }
}

static bool parse_offsets(const char *text, struct resolved_part part, struct resolved *resolved) {
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
        resolved_add_range(resolved, part.incarnation, part.partition, first, last);
        before = last;
        if (*at != ',')
            return *at == '\0';
    }
}

static bool parse_part(const struct json *object, struct resolved_part *part) {
    int64_t incarnation = 0, partition;
    if (json_member(object, "incarnation") != NULL &&
        (!json_member_int(object, "incarnation", &incarnation) || incarnation <= 0 ||
         incarnation > INT32_MAX))
        return false;
    if (!json_member_int(object, "partition", &partition) || partition < 0 || partition > INT32_MAX)
        return false;
    *part = key_of((int32_t)incarnation, (int32_t)partition, 0);
    return true;
}

bool resolved_parse(const struct json *array, struct resolved *resolved, struct error *err) {
    struct resolved_part part, before = {.partition = -1};
    *resolved = (struct resolved){0};
    for (size_t i = 0; i < json_count(array); i++) {
        const struct json *object = json_at(array, i);
        const char *offsets = json_member_text(object, "offsets");
        if (!parse_part(object, &part) || compare(&before, &part) >= 0 || offsets == NULL ||
            !parse_offsets(offsets, part, resolved)) {
            resolved_deinit(resolved);
            return error_set(err, ERROR_STATE,
                             "entry %zu of a list of offsets in it cannot be read", i);
        }
        before = part;
    }
    return true;
}
