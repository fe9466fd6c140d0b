#include "surfaces/commands/checkpoint_command.h"
#include "surfaces/terminal/moment.h"

static void put_moment(struct json *object, const char *name, int64_t milliseconds) {
    char text[MOMENT_TEXT_MAX];
    moment_format_ms(milliseconds, text);
    if (milliseconds > 0)
        json_put_text(object, name, text);
    else
        json_put_null(object, name);
}

static void put_text_or_null(struct json *object, const char *name, const char *text) {
    if (text != NULL && *text != '\0')
        json_put_text(object, name, text);
    else
        json_put_null(object, name);
}

static struct json *extent_json(const struct log_extent *extent) {
    struct json *object = json_new_object();
    json_put_int(object, "files", (int64_t)extent->count);
    json_put_int(object, "first", extent->first);
    json_put_int(object, "newest", extent->newest);
    return object;
}

static struct json *plans_json(const struct inspection *inspection) {
    struct json *object = extent_json(&inspection->plans), *ranges = json_new_array();
    put_moment(object, "plannedAt", inspection->planned_ms);
    for (size_t i = 0; i < inspection->range_count; i++) {
        struct json *range = json_new_object();
        json_put_int(range, "partition", inspection->ranges[i].partition);
        json_put_int(range, "start", inspection->ranges[i].start);
        json_put_int(range, "end", inspection->ranges[i].end);
        json_append(ranges, range);
    }
    json_put(object, "ranges", ranges);
    return object;
}

static struct json *commits_json(const struct inspection *inspection) {
    static const char *const authors[] = {
        [COMMIT_OURS] = "esports-stream", [COMMIT_SPARKS] = "Spark"};
    struct json *object = extent_json(&inspection->commits);
    put_moment(object, "committedAt", inspection->committed_ms);
    put_text_or_null(object, "by", authors[inspection->committed]);
    return object;
}

static struct json *manifests_json(const struct inspection *inspection) {
    struct json *object = extent_json(&inspection->manifests);
    json_put_int(object, "foldedThrough", inspection->folded);
    if (!inspection->manifest_read)
        return object;
    struct json *newest = json_new_object();
    json_put_int(newest, "batch", inspection->manifests.newest);
    json_put_int(newest, "files", (int64_t)inspection->files);
    json_put_int(newest, "bytes", inspection->file_bytes);
    json_put_int(newest, "rows", inspection->rows);
    json_put_int(newest, "rejectFiles", (int64_t)inspection->reject_files);
    json_put_int(newest, "rejects", inspection->rejects);
    json_put_bool(newest, "ofSpark", inspection->manifest_of_spark);
    json_put(object, "newestManifest", newest);
    return object;
}

static struct json *partitions_json(const struct inspection *inspection) {
    struct json *array = json_new_array();
    for (size_t i = 0; i < inspection->partition_count; i++) {
        const struct inspected_partition *partition = &inspection->partitions[i];
        struct json *object = json_new_object();
        json_put_int(object, "incarnation", partition->incarnation);
        json_put_int(object, "partition", partition->partition);
        json_put_int(object, "start", partition->start);
        json_put_int(object, "end", partition->end);
        json_put_int(object, "rows", partition->rows);
        json_put_int(object, "rejects", partition->rejects);
        json_put_int(object, "absent", partition->absent);
        json_put_int(object, "lost", partition->lost);
        json_put_int(object, "unsaid", partition->unproven);
        json_append(array, object);
    }
    return array;
}

static struct json *sink_log_json(const struct inspection *inspection) {
    struct json *object = json_new_object();
    json_put_bool(object, "exists", inspection->sink_log);
    json_put_int(object, "newest", inspection->logged);
    json_put_int(object, "newestCompact", inspection->compacted);
    json_put_int(object, "interval", inspection->interval);
    return object;
}

static struct json *table_json(const struct inspection *inspection) {
    struct json *object = json_new_object();
    json_put_text(object, "path", inspection->table);
    json_put_text(object, "rejectsPath", inspection->rejects_table);
    put_text_or_null(object, "signedBy", inspection->owner);
    put_text_or_null(object, "signedByCheckpoint", inspection->owner_checkpoint);
    return object;
}

/* null: no cluster runs the query, nor did when its program was killed. */
static void put_cluster(struct json *object, const struct inspection *inspection) {
    if (!inspection->on_cluster) {
        json_put_null(object, "cluster");
        return;
    }
    struct json *cluster = json_new_object();
    json_put_text(cluster, "master", inspection->cluster.master);
    json_put_int(cluster, "firstBatch", inspection->cluster.first_batch);
    put_moment(cluster, "startedAt", inspection->cluster.started_ms);
    put_text_or_null(cluster, "run", inspection->cluster.run_id);
    json_put(object, "cluster", cluster);
}

struct json *inspection_json(const struct command_scope *scope,
                             const struct inspection *inspection) {
    struct json *object = json_new_object(), *lock = json_new_object();
    struct json *faults = json_new_array();
    json_put_text(object, "query", scope->stream->name);
    json_put_text(object, "topic", scope->store.topic);
    json_put_text(object, "checkpoint", scope->store.checkpoint);
    json_put_bool(object, "exists", inspection->there);
    put_text_or_null(object, "id", inspection->query_id);
    put_text_or_null(object, "kafkaClusterId", inspection->kafka_id);
    json_put_bool(lock, "held", inspection->locked);
    put_text_or_null(lock, "holder", inspection->holder);
    json_put(object, "lock", lock);
    json_put(object, "offsets", plans_json(inspection));
    json_put(object, "commits", commits_json(inspection));
    json_put(object, "manifests", manifests_json(inspection));
    put_text_or_null(object, "topicId", inspection->topic_id);
    json_put_int(object, "incarnation", inspection->incarnation);
    json_put(object, "partitions", partitions_json(inspection));
    json_put(object, "sinkLog", sink_log_json(inspection));
    json_put(object, "table", table_json(inspection));
    json_put_bool(object, "rewinding", inspection->rewinding);
    put_cluster(object, inspection);
    put_text_or_null(object, "state", inspection->state);
    put_text_or_null(object, "next", inspection->next);
    put_text_or_null(object, "cure", inspection->cure);
    for (size_t i = 0; i < inspection->fault_count; i++)
        json_append_text(faults, inspection->faults[i].message);
    json_put(object, "faults", faults);
    return object;
}
