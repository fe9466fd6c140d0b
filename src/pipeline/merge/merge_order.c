/* Within a file the rows of one Kafka partition are most often consecutive and ascending, so the
 * order of millions of rows is that of a few runs. Runs are found while the keys are read, and
 * sorted by their first keys. If each ends before the next one begins, that is the order.
 *
 * Otherwise (a replay, a table by another writer) all keys are read again, and the runs are merged:
 * a heap has the runs that have begun; rows are taken from the one with the smallest key until its
 * key is larger than the next run's. Rows with equal keys all stay.
 *
 * What must stay true: each row of the inputs is in exactly one run. */
#include "pipeline/merge/merge_order.h"

#include "base/check.h"

struct ends {
    struct merge_key first, last;
};

enum { POSITION_MEMORY = sizeof(int32_t) };

void merge_order_init(struct merge_order *order, const struct merge_key_columns *keys) {
    *order = (struct merge_order){.keys = keys};
}

void merge_order_deinit(struct merge_order *order) {
    bytes_deinit(&order->runs);
    bytes_deinit(&order->ends);
}

/* Only as many positions are kept as there are. */
static size_t key_size(const struct merge_order *order) {
    return offsetof(struct merge_key, positions) + order->keys->position_count * POSITION_MEMORY;
}

static size_t ends_size(const struct merge_order *order) {
    return 2 * ((key_size(order) + 7) / 8 * 8);
}

static struct merge_key *first_key(const struct merge_order *order, size_t run) {
    return (void *)(order->ends.at + run * ends_size(order));
}

static struct merge_key *last_key(const struct merge_order *order, size_t run) {
    return (void *)(order->ends.at + run * ends_size(order) + ends_size(order) / 2);
}

static size_t run_count(const struct merge_order *order) {
    return order->runs.size / sizeof(struct merge_run);
}

static struct merge_run *run_at(const struct merge_order *order, size_t run) {
    return (struct merge_run *)(void *)order->runs.at + run;
}

/* Ends the run whose last key is known. */
static void end_run(struct merge_order *order) {
    size_t count = run_count(order);
    if (count > 0)
        memcpy(last_key(order, count - 1), &order->last, key_size(order));
}

static bool add_key(void *context, const struct merge_key *key) {
    struct merge_order *order = context;
    size_t positions = order->keys->position_count;
    merge_digest_add(&order->digests[key->later], key, positions);
    bool goes_on = order->rows > 0 && key->later == order->last.later &&
                   key->partition == order->last.partition &&
                   merge_key_compare(&order->last, key, positions) <= 0;
    if (goes_on) {
        run_at(order, run_count(order) - 1)->count++;
    } else {
        end_run(order);
        struct merge_run run = {.row = (uint32_t)order->rows, .count = 1};
        bytes_append(&order->runs, &run, sizeof run);
        (void)bytes_reserve(&order->ends, ends_size(order));
        order->ends.size += ends_size(order);
        memcpy(first_key(order, run_count(order) - 1), key, key_size(order));
    }
    memcpy(&order->last, key, key_size(order));
    order->rows++;
    return true;
}

bool merge_order_add(struct merge_order *order, struct parquet_reader *reader, struct error *err) {
    return merge_keys_read(reader, order->keys, add_key, order, err);
}

size_t merge_order_memory(const struct merge_order *order) {
    // Sorting moves the runs, a range copies them.
    return order->runs.size * 3 + order->ends.size + run_count(order) * 2 * sizeof(uint32_t);
}

static size_t row_key_size(const struct merge_order *order) {
    return sizeof(int64_t) + order->keys->position_count * POSITION_MEMORY;
}

size_t merge_order_sort_memory(const struct merge_order *order) {
    return merge_order_memory(order) + (size_t)order->rows * row_key_size(order);
}

static int compare_firsts(const void *a, const void *b, void *context) {
    const struct merge_order *order = context;
    uint32_t one, other;
    memcpy(&one, a, sizeof one);
    memcpy(&other, b, sizeof other);
    int result = merge_key_compare(first_key(order, one), first_key(order, other),
                                   order->keys->position_count);
    return result != 0 ? result : one < other ? -1 : one > other;
}

/* ---- merging runs that overlap ---- */

/* The keys of all rows: offsets, then positions. Partition and lateness are those of the run. */
struct row_keys {
    size_t position_count;
    size_t rows;
    int64_t *offsets;   // owned
    int32_t *positions; // owned
};

static bool keep_key(void *context, const struct merge_key *key) {
    struct row_keys *keys = context;
    keys->offsets[keys->rows] = key->offset;
    for (size_t i = 0; i < keys->position_count; i++)
        keys->positions[keys->rows * keys->position_count + i] = key->positions[i];
    keys->rows++;
    return true;
}

/* One run that is begun. */
struct begun {
    uint32_t run, row, end;
};

struct merging {
    const struct merge_order *order;
    struct row_keys keys;
    struct bytes heap;   // struct begun; the one with the smallest key is first
    struct bytes merged; // struct merge_run
};

static struct merge_key key_of(const struct merging *merging, const struct begun *begun) {
    const struct row_keys *keys = &merging->keys;
    struct merge_key key;
    memcpy(&key, first_key(merging->order, begun->run), key_size(merging->order));
    key.offset = keys->offsets[begun->row];
    for (size_t i = 0; i < keys->position_count; i++)
        key.positions[i] = keys->positions[begun->row * keys->position_count + i];
    return key;
}

/* Of equal keys, the one of the earlier input comes first. */
static bool is_before(const struct merging *merging, const struct begun *a, const struct begun *b) {
    struct merge_key one = key_of(merging, a), other = key_of(merging, b);
    int result = merge_key_compare(&one, &other, merging->keys.position_count);
    return result != 0 ? result < 0 : a->row < b->row;
}

static void swap(struct begun *a, struct begun *b) {
    struct begun other = *a;
    *a = *b;
    *b = other;
}

static void sift_down(const struct merging *merging) {
    struct begun *heap = (void *)merging->heap.at;
    size_t count = merging->heap.size / sizeof *heap;
    for (size_t at = 0, child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && is_before(merging, &heap[child + 1], &heap[child]))
            child++;
        if (!is_before(merging, &heap[child], &heap[at]))
            return;
        swap(&heap[child], &heap[at]);
        at = child;
    }
}

static void push(struct merging *merging, const struct begun *begun) {
    bytes_append(&merging->heap, begun, sizeof *begun);
    struct begun *heap = (void *)merging->heap.at;
    size_t at = merging->heap.size / sizeof *heap - 1;
    for (; at > 0 && is_before(merging, &heap[at], &heap[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&heap[at], &heap[(at - 1) / 2]);
}

static void put_row(struct merging *merging, uint32_t row) {
    struct merge_run *runs = (void *)merging->merged.at;
    size_t count = merging->merged.size / sizeof *runs;
    if (count > 0 && runs[count - 1].row + runs[count - 1].count == row) {
        runs[count - 1].count++;
        return;
    }
    struct merge_run run = {.row = row, .count = 1};
    bytes_append(&merging->merged, &run, sizeof run);
}

/* Takes the next row, out of the first run of the heap. */
static void take_row(struct merging *merging) {
    struct begun *heap = (void *)merging->heap.at;
    put_row(merging, heap[0].row++);
    if (heap[0].row == heap[0].end) {
        merging->heap.size -= sizeof *heap;
        heap[0] = heap[merging->heap.size / sizeof *heap];
    }
    sift_down(merging);
}

static void merge_runs(struct merging *merging) {
    const struct merge_order *order = merging->order;
    size_t next = 0, count = run_count(order);
    while (next < count || merging->heap.size > 0) {
        const struct begun *first = (const void *)merging->heap.at;
        struct begun begun = {0};
        if (next < count) {
            const struct merge_run *run = run_at(order, next);
            begun = (struct begun){(uint32_t)next, run->row, run->row + run->count};
        }
        if (next < count && (merging->heap.size == 0 || !is_before(merging, first, &begun))) {
            push(merging, &begun);
            next++;
        } else {
            take_row(merging);
        }
    }
}

static bool read_row_keys(const struct merge_order *order, const struct merge_inputs *inputs,
                          struct row_keys *keys, struct merge_breath *breath, struct error *err) {
    struct bytes room = {0};
    bool done = true;
    for (size_t i = 0; i < inputs->count && done; i++) {
        struct input input;
        struct parquet_reader reader;
        if (!merge_input_open(&input, inputs->paths[i], &room, err))
            return bytes_deinit(&room), false;
        done = parquet_reader_open_input(&reader, &input, err) &&
               (keys->rows + (size_t)reader.metadata.rows <= (size_t)order->rows ||
                error_set(err, ERROR_STATE, "'%s' has changed while it was merged",
                          inputs->paths[i])) &&
               merge_keys_read(&reader, order->keys, keep_key, keys, err);
        parquet_reader_close(&reader);
        done = done && merge_breathe(breath, err);
    }
    bytes_deinit(&room);
    return done;
}

static int compare_rows(const void *a, const void *b, void *context) {
    const struct merge_run *runs = context;
    uint32_t one, other;
    memcpy(&one, a, sizeof one);
    memcpy(&other, b, sizeof other);
    return runs[one].row < runs[other].row ? -1 : runs[one].row > runs[other].row;
}

/* The numbers of runs that were merged, in the order of the rows. */
static void number_runs(struct merge_order *order) {
    size_t count = run_count(order);
    uint32_t *by_row = must_alloc(count + 1, sizeof *by_row);
    for (size_t i = 0; i < count; i++)
        by_row[i] = (uint32_t)i;
    qsort_r(by_row, count, sizeof *by_row, compare_rows, order->runs.at);
    for (size_t i = 0; i < count; i++)
        run_at(order, by_row[i])->at = (uint32_t)i;
    free(by_row);
}

static bool sort_rows(struct merge_order *order, const struct merge_inputs *inputs,
                      struct merge_breath *breath, struct error *err) {
    struct merging merging = {.order = order,
                              .keys = {.position_count = order->keys->position_count}};
    struct row_keys *keys = &merging.keys;
    keys->offsets = must_alloc((size_t)order->rows, sizeof *keys->offsets);
    keys->positions =
        must_alloc((size_t)order->rows * keys->position_count + 1, sizeof *keys->positions);
    bool done = read_row_keys(order, inputs, keys, breath, err);
    if (done) {
        merge_runs(&merging);
        bytes_deinit(&order->runs);
        order->runs = merging.merged;
        number_runs(order);
    }
    bytes_deinit(&merging.heap);
    free(keys->offsets);
    free(keys->positions);
    return done;
}

/* ---- */

/* Puts the runs, and their ends, in the order of their first keys. `at` of a run is its number in
 * the order of the rows. */
static void sort_runs(struct merge_order *order) {
    size_t count = run_count(order), size = ends_size(order);
    uint32_t *indexes = must_alloc(count + 1, sizeof *indexes);
    struct bytes runs = {0}, ends = {0};
    for (size_t i = 0; i < count; i++) {
        indexes[i] = (uint32_t)i;
        run_at(order, i)->at = (uint32_t)i;
    }
    qsort_r(indexes, count, sizeof *indexes, compare_firsts, order);
    for (size_t i = 0; i < count; i++) {
        bytes_append(&runs, run_at(order, indexes[i]), sizeof(struct merge_run));
        bytes_append(&ends, first_key(order, indexes[i]), size);
    }
    free(indexes);
    bytes_deinit(&order->runs);
    bytes_deinit(&order->ends);
    order->runs = runs;
    order->ends = ends;
}

static bool overlap(const struct merge_order *order) {
    for (size_t i = 0; i + 1 < run_count(order); i++)
        if (merge_key_compare(last_key(order, i), first_key(order, i + 1),
                              order->keys->position_count) > 0)
            return true;
    return false;
}

bool merge_order_sort(struct merge_order *order, const struct merge_inputs *inputs,
                      size_t memory_max, struct merge_breath *breath, struct error *err) {
    end_run(order);
    sort_runs(order);
    order->later = order->digests[0].rows;
    bool must_merge = overlap(order);
    if (must_merge && merge_order_sort_memory(order) > memory_max)
        return error_set(err, ERROR_LIMIT,
                         "'%s': sorting %lld rows takes more than %zu bytes of memory",
                         inputs->paths[0], (long long)order->rows, memory_max);
    if (must_merge && !sort_rows(order, inputs, breath, err))
        return false;
    bytes_deinit(&order->ends);
    return true;
}

/* The parts of runs in rows [from, to) of the order. */
static void cut_runs(struct merge_range *range, const struct merge_order *order, int64_t from,
                     int64_t to) {
    int64_t at = 0;
    for (size_t i = 0; i < run_count(order); at += run_at(order, i)->count, i++) {
        struct merge_run run = *run_at(order, i);
        int64_t first = at < from ? from - at : 0;
        int64_t last = at + run.count > to ? to - at : run.count;
        if (first >= last)
            continue;
        run.row += (uint32_t)first;
        run.count = (uint32_t)(last - first);
        range->runs[range->count++] = run;
    }
}

/* Fills by_row: a run's number in the order of the rows is known. */
static void sort_by_number(struct merge_range *range, size_t numbers) {
    uint32_t *found = must_alloc(numbers + 1, sizeof *found); // 0: not in the range
    size_t count = 0;
    for (size_t i = 0; i < range->count; i++)
        found[range->runs[i].at] = (uint32_t)i + 1;
    for (size_t number = 0; number < numbers; number++)
        if (found[number] > 0)
            range->by_row[count++] = found[number] - 1;
    free(found);
}

void merge_range_init(struct merge_range *range, const struct merge_order *order, int64_t from,
                      int64_t to) {
    *range = (struct merge_range){.is_whole = from == 0 && to == order->rows};
    range->runs = must_alloc(run_count(order) + 1, sizeof *range->runs);
    range->by_row = must_alloc(run_count(order) + 1, sizeof *range->by_row);
    cut_runs(range, order, from, to);
    sort_by_number(range, run_count(order));
    for (size_t i = 0; i < range->count; i++) {
        struct merge_run *run = &range->runs[range->by_row[i]];
        run->at = (uint32_t)range->rows;
        range->rows += run->count;
    }
}

void merge_range_deinit(struct merge_range *range) {
    free(range->runs);
    free(range->by_row);
    *range = (struct merge_range){0};
}

size_t merge_range_memory(const struct merge_range *range) {
    return range->count * (sizeof *range->runs + sizeof *range->by_row);
}
