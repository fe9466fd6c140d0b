/* offset_log.c: offsets per partition, and the texts in which Spark's checkpoint has them.
 *
 * An entry is read line by line: version, metadata, one source. Spark reads an entry that lacks the
 * time or the settings, so we do; what it could not be sure of, such as a second source or topic,
 * is refused (ERROR_STATE) and never guessed.
 *
 * What must stay true: lists that are searched are sorted, because offsets_find() bisects them. */
#include "streaming/offsets/offset_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/checksum.h"
#include "base/scope.h"
#include "base/text.h"

#define SHUFFLE_PARTITIONS "spark.sql.shuffle.partitions"

/* What Spark 4.2.0 writes, in its order. None of it matters to a query without state, but a reader
 * of the log finds what it expects. NULL: the number of shuffle partitions. */
static const struct {
    const char *name, *value;
} settings[] = {
    {"spark.sql.streaming.stateStore.providerClass",
     "org.apache.spark.sql.execution.streaming.state.HDFSBackedStateStoreProvider"},
    {"spark.sql.streaming.stateStore.rocksdb.mergeOperatorVersion", "2"},
    {"spark.sql.streaming.stateStore.rocksdb.formatVersion", "5"},
    {"spark.sql.streaming.queryEvolution.enableSourceEvolution", "false"},
    {"spark.sql.streaming.stateStore.encodingFormat", "unsaferow"},
    {"spark.sql.streaming.statefulOperator.useStrictDistribution", "true"},
    {"spark.sql.streaming.flatMapGroupsWithState.stateFormatVersion", "2"},
    {"spark.sql.streaming.multipleWatermarkPolicy", "min"},
    {"spark.sql.streaming.stateStore.rowChecksum.enabled", "false"},
    {"spark.sql.streaming.aggregation.stateFormatVersion", "2"},
    {"spark.sql.function.protobufExtensions.enabled", "false"},
    {SHUFFLE_PARTITIONS, NULL},
    {"spark.sql.streaming.join.stateFormatVersion", "2"},
    {"spark.sql.streaming.stateStore.compression.codec", "lz4"},
    {"spark.sql.optimizer.pruneFiltersCanPruneStreamingSubplan", "false"},
};

void offsets_deinit(struct offsets *offsets) {
    free(offsets->entries);
    *offsets = (struct offsets){0};
}

void offsets_add(struct offsets *offsets, int32_t partition, int64_t offset) {
    // A list of partitions is short and built rarely: one step of growth each is good enough.
    size_t size = (offsets->count + 1) * sizeof *offsets->entries;
    offsets->entries = realloc(offsets->entries, size);
    check(offsets->entries != NULL);
    offsets->entries[offsets->count++] = (struct partition_offset){partition, offset};
}

void offsets_copy(struct offsets *to, const struct offsets *from) {
    for (size_t i = 0; i < from->count; i++)
        offsets_add(to, from->entries[i].partition, from->entries[i].offset);
}

static int compare_partitions(const void *a, const void *b) {
    int32_t left = ((const struct partition_offset *)a)->partition;
    int32_t right = ((const struct partition_offset *)b)->partition;
    return (left > right) - (left < right);
}

void offsets_sort(struct offsets *offsets) {
    if (offsets->count > 1)
        qsort(offsets->entries, offsets->count, sizeof *offsets->entries, compare_partitions);
}

const struct partition_offset *offsets_find(const struct offsets *offsets, int32_t partition) {
    if (offsets->count == 0)
        return NULL;
    struct partition_offset key = {.partition = partition};
    return bsearch(&key, offsets->entries, offsets->count, sizeof key, compare_partitions);
}

void offsets_ranges(const struct offsets *starts, const struct offsets *ends,
                    struct offset_range **ranges, size_t *count) {
    *count = ends->count;
    *ranges = must_alloc(ends->count + 1, sizeof **ranges);
    for (size_t i = 0; i < ends->count; i++) {
        struct partition_offset end = ends->entries[i];
        const struct partition_offset *start = offsets_find(starts, end.partition);
        int64_t from = start == NULL ? 0 : start->offset;
        (*ranges)[i] =
            (struct offset_range){end.partition, from < end.offset ? from : end.offset, end.offset};
    }
}

void offset_entry_deinit(struct offset_entry *entry) {
    free(entry->topic);
    json_free(entry->conf);
    offsets_deinit(&entry->ends);
    offsets_deinit(&entry->known_ends);
    *entry = (struct offset_entry){0};
}

struct json *offset_log_new_conf(int shuffle_partitions) {
    char number[16];
    (void)snprintf(number, sizeof number, "%d", shuffle_partitions);
    struct json *conf = json_new_object();
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        json_put_text(conf, settings[i].name, settings[i].value ? settings[i].value : number);
    return conf;
}

void offset_log_complete_conf(struct json *conf, const struct json *fresh) {
    if (json_member(conf, SHUFFLE_PARTITIONS) == NULL)
        json_put_text(conf, SHUFFLE_PARTITIONS, json_member_text(fresh, SHUFFLE_PARTITIONS));
}

struct json *offsets_print(const struct offsets *offsets) {
    struct json *partitions = json_new_object();
    for (size_t i = 0; i < offsets->count; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%d", offsets->entries[i].partition);
        json_put_int(partitions, name, offsets->entries[i].offset);
    }
    return partitions;
}

/* {"topic":{"0":3,"1":3}} */
static char *print_source(const char *topic, const struct offsets *offsets) {
    struct json *source = json_new_object();
    json_put(source, topic, offsets_print(offsets));
    char *text = json_print(source);
    json_free(source);
    return text;
}

char *offset_log_print(const struct offset_entry *entry, size_t *size) {
    struct json *line = json_new_object();
    json_put_int(line, "batchWatermarkMs", 0);
    json_put_int(line, "batchTimestampMs", entry->timestamp_ms);
    json_put(line, "conf", json_duplicate(entry->conf));
    if (entry->known_ends.count > 0)
        json_put(line, "knownEnds", offsets_print(&entry->known_ends));
    topic_identity_print(&entry->identity, line);
    scoped(scope_free) char *metadata = json_print(line);
    json_free(line);
    scoped(scope_free) char *source = print_source(entry->topic, &entry->ends);

    scoped(scope_free) char *text = NULL;
    int length = asprintf(&text, "v1\n%s\n%s", metadata, source);
    check(length > 0);
    return checksum_put(text, (size_t)length, strlen("v1\n") + strlen(metadata), size);
}

char *offset_log_print_initial(const char *topic, const struct offsets *starts, size_t *size) {
    scoped(scope_free) char *source = print_source(topic, starts);
    char *text = NULL;
    int length = asprintf(&text, "%cv1\n%s", '\0', source);
    check(length > 0);
    *size = (size_t)length;
    return text;
}

/* Cuts the next line off `rest`; false: there is none. */
static bool next_line(struct text *rest, struct text *line) {
    if (rest->length == 0)
        return false;
    const char *end = memchr(rest->bytes, '\n', rest->length);
    uint32_t length = end == NULL ? rest->length : (uint32_t)(end - rest->bytes);
    *line = (struct text){.bytes = rest->bytes, .length = length};
    uint32_t taken = end == NULL ? length : length + 1;
    *rest = (struct text){.bytes = rest->bytes + taken, .length = rest->length - taken};
    return true;
}

struct source_reading {
    struct offsets *offsets;
    struct error *err;
};

static bool add_partition(void *context, const char *name, const struct json *value) {
    struct source_reading *reading = context;
    char *end;
    errno = 0;
    long partition = strtol(name, &end, 10);
    if (errno != 0 || end == name || *end != '\0' || partition < 0 || partition > INT32_MAX)
        return error_set(reading->err, ERROR_STATE, "'%s' is not a partition number", name);
    int64_t offset;
    if (!json_int(value, &offset) || offset < 0)
        return error_set(reading->err, ERROR_STATE, "partition %ld has no offset", partition);
    offsets_add(reading->offsets, (int32_t)partition, offset);
    return true;
}

/* "0" and "00" are two names of one partition. */
static bool is_each_once(const struct offsets *offsets, struct error *err) {
    for (size_t i = 1; i < offsets->count; i++)
        if (offsets->entries[i - 1].partition == offsets->entries[i].partition)
            return error_set(err, ERROR_STATE, "partition %" PRId32 " has two offsets",
                             offsets->entries[i].partition);
    return true;
}

bool offsets_parse(const struct json *object, struct offsets *offsets, struct error *err) {
    struct source_reading reading = {.offsets = offsets, .err = err};
    if (object == NULL)
        return error_set(err, ERROR_STATE, "its offsets are missing");
    if (!json_is_an_object(object))
        return error_set(err, ERROR_STATE, "its offsets are not an object");
    bool ok = json_each(object, add_partition, &reading);
    offsets_sort(offsets);
    return ok && is_each_once(offsets, err);
}

struct topic_reading {
    char *topic; // owned
    const struct json *partitions;
};

static bool take_topic(void *context, const char *name, const struct json *value) {
    struct topic_reading *reading = context;
    if (reading->topic != NULL)
        return false;
    reading->topic = text_copy(name);
    reading->partitions = value;
    return true;
}

static bool parse_source(struct text line, struct offset_entry *entry, struct error *err) {
    if (text_equals(line, TEXT("-"))) // Spark's word for a source that has read nothing yet
        return error_set(err, ERROR_STATE, "its source has no offsets ('-')");
    struct json *source = json_parse(line.bytes, line.length, err);
    if (source == NULL)
        return error_wrap(err, "its offsets");

    struct topic_reading topics = {0};
    bool ok = true;
    if (!json_each(source, take_topic, &topics) || json_count(topics.partitions) == 0)
        ok = error_set(err, ERROR_STATE, "its offsets are not for exactly one topic");
    else
        ok = offsets_parse(topics.partitions, &entry->ends, err);
    entry->topic = topics.topic;
    json_free(source);
    return ok;
}

/* We write the settings back as they are, so they must be what Spark could have written. */
static bool is_setting(void *context, const char *name, const struct json *value) {
    (void)context, (void)name;
    return json_text(value) != NULL;
}

static bool take_metadata(const struct json *metadata, struct offset_entry *entry,
                          struct error *err) {
    // Spark reads a line without them as well; the timestamp is then 1970.
    if (!json_member_int(metadata, "batchTimestampMs", &entry->timestamp_ms))
        entry->timestamp_ms = 0;
    if (entry->timestamp_ms < 0 || entry->timestamp_ms > JSON_MS_MAX)
        return error_set(err, ERROR_STATE,
                         "its \"batchTimestampMs\", %" PRId64 ", is not a valid time",
                         entry->timestamp_ms);
    const struct json *conf = json_member(metadata, "conf");
    entry->conf = conf == NULL ? json_new_object() : json_duplicate(conf);
    if (!json_each(entry->conf, is_setting, NULL))
        return error_set(err, ERROR_STATE, "its \"conf\" is not an object of strings");
    const struct json *known_ends = json_member(metadata, "knownEnds");
    if (known_ends != NULL && !offsets_parse(known_ends, &entry->known_ends, err))
        return error_wrap(err, "its \"knownEnds\"");
    return topic_identity_parse(metadata, &entry->identity, err);
}

static bool parse_metadata(struct text line, struct offset_entry *entry, struct error *err) {
    struct json *metadata = json_parse(line.bytes, line.length, err);
    if (metadata == NULL)
        return error_wrap(err, "its second line");
    bool ok = take_metadata(metadata, entry, err);
    json_free(metadata);
    return ok;
}

static bool parse_version(struct text *rest, int *version, struct error *err) {
    struct text line;
    if (!next_line(rest, &line))
        return error_set(err, ERROR_STATE, "it is empty");
    *version = text_equals(line, TEXT("v1")) ? 1 : text_equals(line, TEXT("v2")) ? 2 : 0;
    if (*version == 0)
        return error_set(err, ERROR_STATE, "its first line is '%.*s', not 'v1' or 'v2'",
                         (int)(line.length < 32 ? line.length : 32), line.bytes);
    return true;
}

static bool parse_entry(struct text rest, struct offset_entry *entry, struct error *err) {
    int version = 0;
    struct text whole = rest, metadata, source, more;
    if (!parse_version(&rest, &version, err))
        return false;
    if (!next_line(&rest, &metadata) || !next_line(&rest, &source))
        return error_set(err, ERROR_STATE, "it is truncated");
    if (next_line(&rest, &more))
        return error_set(err, ERROR_STATE, "it has more than one source");
    if (version == 2) {
        if (source.length < 2 || memcmp(source.bytes, "0:", 2) != 0)
            return error_set(err, ERROR_STATE,
                             "it has version 2, but its source does not have number 0");
        source = (struct text){.bytes = source.bytes + 2, .length = source.length - 2};
    }
    size_t metadata_end = (size_t)(metadata.bytes + metadata.length - whole.bytes);
    return parse_metadata(metadata, entry, err) && parse_source(source, entry, err) &&
           checksum_check(whole.bytes, whole.length, metadata_end, err);
}

bool offset_log_parse(const char *text, size_t size, struct offset_entry *entry,
                      struct error *err) {
    *entry = (struct offset_entry){0};
    check(size <= UINT32_MAX);
    if (parse_entry((struct text){text, (uint32_t)size}, entry, err))
        return true;
    offset_entry_deinit(entry);
    return false;
}

bool offset_log_parse_initial(const char *text, size_t size, struct offset_entry *starts,
                              struct error *err) {
    *starts = (struct offset_entry){0};
    check(size <= UINT32_MAX);
    struct text rest = {text, (uint32_t)size}, source;
    if (rest.length > 0 && rest.bytes[0] == '\0') // very old Sparks wrote none
        rest = (struct text){.bytes = rest.bytes + 1, .length = rest.length - 1};
    int version = 0;
    if (!parse_version(&rest, &version, err))
        return false;
    if (version != 1 || !next_line(&rest, &source))
        return error_set(err, ERROR_STATE, "it is truncated, or has an unknown version");
    if (parse_source(source, starts, err))
        return true;
    offset_entry_deinit(starts);
    return false;
}
