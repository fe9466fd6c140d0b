/* later_files.c: each batch has a later processing_timestamp than all before it, and takes offsets
 * that none before it took. So a file whose rows are all later than the newest plan, at offsets
 * that the query has yet to read, is of a batch that the checkpoint does not know. If the query
 * continued, its rows would be there twice.
 *
 * Both must hold: the timestamp alone is wrong where a job of Spark's sets it after its plan, the
 * offsets alone where the topic was created again. Only files are opened that are as new as the
 * newest manifest. */
#include "streaming/recovery/later_files.h"

#include <time.h>

#include "base/system/clock.h"
#include "streaming/recovery/orphans.h"
#include "streaming/table/origin_reader.h"

struct later_search {
    const struct table *table;
    struct timespec since;
    int64_t after_us;                     // the newest batch that is known
    const struct offset_range *positions; // to their ends the query has read
    size_t position_count;
    struct file_path found; // empty: none
    bool failed;
    struct error *err;
};

static bool is_unread(void *context, int32_t partition, int64_t offset) {
    const struct later_search *search = context;
    for (size_t i = 0; i < search->position_count; i++)
        if (search->positions[i].partition == partition)
            return offset >= search->positions[i].end;
    return true;
}

/* False: the disk. A file of somebody else's is not later. */
static bool is_later(struct later_search *search, const char *path, bool *later,
                     struct error *err) {
    int64_t first, last;
    enum origin_end end;
    *later = false;
    if (!origin_times(path, &first, &last, err))
        return err->kind == ERROR_STATE;
    if (first > last || first <= search->after_us)
        return true;
    bool ok = origin_each_offset(path, is_unread, search, &end, err);
    *later = ok && end == ORIGIN_READ;
    return ok;
}

static bool look_at(void *context, const char *path) {
    struct later_search *search = context;
    struct file_path full = file_join(search->table->root.text, path);
    struct file_status status;
    bool later = false;
    int there = file_find(full.text, &status, search->err);
    if (there == 1 && status.is_file && !clock_is_before(&status.modified, &search->since))
        search->failed = !is_later(search, full.text, &later, search->err);
    search->failed = search->failed || there < 0;
    if (later)
        search->found = full;
    return !search->failed && !later;
}

static bool refuse(const struct store *store, const struct later_search *search,
                   struct error *err) {
    char after[32] = "";
    time_t second = (time_t)(search->after_us / 1000000);
    struct tm utc;
    if (gmtime_r(&second, &utc) != NULL)
        (void)strftime(after, sizeof after, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return error_set(err, ERROR_STATE,
                     "checkpoint '%s', table '%s': '%s' is of a later batch than the checkpoint's "
                     "newest one (%s), so the checkpoint is older than the files. To fix: restore "
                     "checkpoint, table and rejects from one backup; or, if Kafka still has their "
                     "records, move the files with a later processing_timestamp away, and the "
                     "query reads these records again",
                     store->options.checkpoint, store->options.table, search->found.text, after);
}

static bool search_table(const struct store *store, size_t depth, struct later_search *search,
                         struct error *err) {
    search->err = err;
    if (!table_each_file(search->table, depth, look_at, search, err) || search->failed)
        return false;
    return search->found.text[0] == '\0' || refuse(store, search, err);
}

/* Nothing is planned: every batch of this checkpoint would be a later one. */
static bool since_checkpoint(const struct store *store, struct timespec *since, bool *found,
                             struct error *err) {
    struct file_path path = file_join(store->checkpoint.root.text, "metadata");
    struct file_status status;
    int there = file_find(path.text, &status, err);
    *found = there == 1;
    if (*found)
        *since = status.modified;
    return there >= 0;
}

bool later_files_refuse(const struct store *store, const struct later_position *position,
                        struct error *err) {
    const struct plan *open_plan = position->open_plan;
    struct timespec since;
    int64_t latest_ms;
    bool found;
    if (!orphans_since(store, position->manifest, &since, &found, err) ||
        (!found && !since_checkpoint(store, &since, &found, err)))
        return false;
    if (!found)
        return true;
    if (!checkpoint_latest_plan(&store->checkpoint, &latest_ms, err))
        return false;
    struct later_search table = {.table = &store->table,
                                 .since = since,
                                 .after_us = latest_ms * 1000 + 999,
                                 .positions = position->starts,
                                 .position_count = position->start_count};
    struct later_search rejects = table;
    rejects.table = &store->rejects;
    if (open_plan != NULL) {
        // A job of Spark's may have put files of it into the table, which are set aside; into the
        // rejects nobody puts any before it is committed.
        rejects.after_us = open_plan->timestamp_ms * 1000 - 1;
        if (open_plan->count > 0) {
            table.positions = open_plan->ranges;
            table.position_count = open_plan->count;
        }
    }
    return search_table(store, store->options.partition_by_count, &table, err) &&
           search_table(store, 0, &rejects, err);
}
