#include "streaming/record_check.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "streaming/commit.h"
#include "streaming/positions.h"
#include "streaming/store_parts.h"
#include "streaming/verify/origin_reader.h"

enum {
    READ_MEMORY = 4 << 20, // bytes
    READ_MS = 5000,
    READ_STEP_MS = 200,
    PAGE_SIZE_MAX = 16 << 20,
    PARTITIONS_MAX = 8, // that are compared
};

/* ---- what the topic has ---- */

static bool read_range(const struct query *query, struct source *source, struct offset_range range,
                       int64_t *timestamp_ms, struct error *err) {
    int64_t deadline_ms = clock_monotonic_ms() + READ_MS;
    if (!source->ops->open_range(source, query->how.topic, range, err))
        return false;
    while (clock_monotonic_ms() < deadline_ms && stop_read(query->stop) != STOP_NOW) {
        struct record record;
        switch (source->ops->read(source, &record, READ_STEP_MS, err)) {
        case SOURCE_RECORD:
            *timestamp_ms = record.timestamp_ms;
            break;
        case SOURCE_END:
            return true;
        case SOURCE_FAILED:
            return false;
        case SOURCE_WAIT:
            break;
        }
    }
    source->ops->abandon_range(source);
    return error_set(err, ERROR_BROKER, "no record came within %d seconds", READ_MS / 1000);
}

/* -1: it has none there, or one without a timestamp. */
static bool read_topic(const struct query *query, int32_t partition, int64_t offset,
                       int64_t *timestamp_ms, struct error *err) {
    struct source *source;
    *timestamp_ms = -1;
    if (!query->broker->ops->open_source(query->broker, READ_MEMORY, READ_MEMORY, &source, err))
        return false;
    bool ok = read_range(query, source, (struct offset_range){partition, offset, offset + 1},
                         timestamp_ms, err);
    source->ops->close(source);
    return ok;
}

/* ---- what the table has ---- */

struct search {
    const struct table *table;
    int32_t partition;
    int64_t offset;
    int64_t since_ms;     // of the incarnation
    int64_t timestamp_ms; // found; -1: not yet
    bool failed;          // *err says why
    struct error *err;
};

static bool begin_file(void *context, int64_t size, int64_t rows) {
    (void)context, (void)size, (void)rows;
    return true;
}

static bool wants_group(void *context, const struct origin_bounds *bounds) {
    const struct search *search = context;
    return search->partition >= bounds->partition_min &&
           search->partition <= bounds->partition_max && search->offset >= bounds->offset_min &&
           search->offset <= bounds->offset_max;
}

static void look_at_rows(void *context, const struct origin_rows *rows) {
    struct search *search = context;
    for (size_t i = 0; i < rows->count; i++)
        if (rows->partitions[i] == search->partition && rows->offsets[i] == search->offset &&
            rows->processed->int64s[i] / 1000 >= search->since_ms &&
            rows->kafka_timestamp->valid[i])
            search->timestamp_ms = rows->kafka_timestamp->int64s[i] / 1000;
}

static bool look_into(void *context, const char *path) {
    struct search *search = context;
    const struct origin_visitor visitor = {.context = search,
                                           .wants_times = true,
                                           .begin = begin_file,
                                           .wants = wants_group,
                                           .rows = look_at_rows};
    struct file_path full = file_join(search->table->root.text, path);
    // A file that is not of a query is somebody else's to tell of.
    search->failed = !origin_read(full.text, PAGE_SIZE_MAX, &visitor, search->err) &&
                     search->err->kind != ERROR_STATE;
    return !search->failed && search->timestamp_ms < 0;
}

static bool search_all(const struct store *store, struct search *search, struct error *err) {
    const struct table *const tables[] = {&store->table, &store->rejects};
    const size_t depths[] = {store->options.partition_by_count, 0};
    for (size_t i = 0; i < 2 && search->timestamp_ms < 0; i++) {
        search->table = tables[i];
        if (!table_each_file(tables[i], depths[i], look_into, search, err) || search->failed)
            return false;
    }
    return true;
}

static void search_list(const struct table *table, const struct file_list *files,
                        struct search *search) {
    search->table = table;
    for (size_t i = 0; i < files->count && !search->failed && search->timestamp_ms < 0; i++)
        (void)look_into(search, files->files[i].path);
}

static bool search_newest(const struct store *store, struct search *search, struct error *err) {
    struct manifest manifest;
    int64_t newest;
    if (!checkpoint_newest(&store->checkpoint.manifests, &newest, err))
        return false;
    if (newest < 0)
        return true;
    if (!commit_read(store, newest, &manifest, err))
        return false;
    search_list(&store->table, &manifest.files, search);
    search_list(&store->rejects, &manifest.rejects, search);
    manifest_deinit(&manifest);
    return !search->failed;
}

/* -1: it is not there, or without a timestamp. */
static bool read_table(struct query *query, bool newest_only, int32_t partition, int64_t offset,
                       int64_t *timestamp_ms, struct error *err) {
    struct search search = {.partition = partition,
                            .offset = offset,
                            .since_ms = query->incarnation.since_ms,
                            .timestamp_ms = -1,
                            .err = err};
    if (!(newest_only ? search_newest(query->store, &search, err)
                      : search_all(query->store, &search, err)))
        return false;
    *timestamp_ms = search.timestamp_ms;
    return true;
}

/* ---- both ---- */

/* What the table has of other timestamps is not always what Kafka has: Spark's conversion. */
static bool is_plain(int64_t timestamp_ms) {
    static const int64_t year_10000_ms = 253402300800000;
    return timestamp_ms > 0 && timestamp_ms < year_10000_ms;
}

static enum record_match compare(struct query *query, bool newest_only, int32_t partition,
                                 int64_t offset, char text[static RECORD_CHECK_TEXT_MAX]) {
    struct error err = {0};
    int64_t topic_ms = -1, table_ms;
    if (!read_table(query, newest_only, partition, offset, &table_ms, &err) ||
        (table_ms >= 0 && !read_topic(query, partition, offset, &topic_ms, &err))) {
        log_write(LOG_WARNING, query->how.name,
                  "Whether the topic is still the same can't be told by its last record | "
                  "partition=%" PRId32 " | offset=%" PRId64 " | error=%s",
                  partition, offset, err.message);
        return RECORD_UNKNOWN;
    }
    if (!is_plain(topic_ms) || !is_plain(table_ms))
        return RECORD_UNKNOWN;
    if (topic_ms == table_ms)
        return RECORD_SAME;
    (void)snprintf(text, RECORD_CHECK_TEXT_MAX,
                   "the record at partition %" PRId32 ", offset %" PRId64 " has timestamp %" PRId64
                   ", in the table %" PRId64,
                   partition, offset, topic_ms, table_ms);
    return RECORD_OTHER;
}

enum record_match record_check(struct query *query, bool newest_only,
                               char text[static RECORD_CHECK_TEXT_MAX]) {
    size_t compared = 0;
    for (size_t i = 0; i < query->start_count && compared < PARTITIONS_MAX; i++) {
        int32_t partition = query->starts[i].partition;
        const struct partition_offsets *listed = topic_offsets_find(&query->topic, partition);
        if (listed == NULL)
            continue;
        int64_t end = query->starts[i].end < listed->end ? query->starts[i].end : listed->end;
        if (end <= listed->log_start)
            continue;
        enum record_match match = compare(query, newest_only, partition, end - 1, text);
        if (match != RECORD_UNKNOWN)
            return match;
        compared++;
    }
    return RECORD_UNKNOWN;
}
