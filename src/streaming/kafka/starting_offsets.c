/* starting_offsets.c: the text is parsed into one offset per named partition, then resolved against
 * what the topic has. The JSON must name exactly the topic's partitions, as Spark requires, and an
 * offset must be one that the partition has: else records would be skipped silently. Other
 * topics may be named, because one setting may serve several queries. */
#include "streaming/kafka/starting_offsets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/json.h"

enum { LATEST = -1, EARLIEST = -2 }; // Spark's numbers in the JSON

/* One partition's start. */
struct starting_offset {
    char topic[256];
    int32_t partition;
    int64_t offset; // or LATEST, EARLIEST
};

struct starting_offsets {
    int64_t everywhere;              // LATEST or EARLIEST; 0: see `offsets`
    struct starting_offset *offsets; // owned
    size_t count;
};

static bool find(const struct starting_offsets *starts, const char *topic, int32_t partition,
                 int64_t *offset) {
    *offset = starts->everywhere;
    for (size_t i = 0; i < starts->count; i++) {
        const struct starting_offset *start = &starts->offsets[i];
        if (start->partition != partition || strcmp(start->topic, topic) != 0)
            continue;
        *offset = start->offset;
        return true;
    }
    return starts->everywhere != 0;
}

/* What the visits of the JSON's members share. */
struct visit {
    struct starting_offsets *starts;
    const char *topic;
    struct error *err;
};

static bool read_partition(const char *name, int32_t *partition) {
    if (name[0] == '\0' || name[strspn(name, "0123456789")] != '\0' ||
        strlen(name) > 10) // the digits of INT32_MAX
        return false;
    long long number = strtoll(name, NULL, 10);
    *partition = (int32_t)number;
    return number <= INT32_MAX;
}

static bool visit_partition(void *context, const char *name, const struct json *value) {
    struct visit *visit = context;
    struct starting_offset start = {0};
    if (!read_partition(name, &start.partition))
        return error_set(visit->err, ERROR_CONFIG, "'%s' of topic '%s' is not a partition number",
                         name, visit->topic);
    if (!json_int(value, &start.offset) || start.offset < EARLIEST)
        return error_set(visit->err, ERROR_CONFIG,
                         "partition %s of topic '%s' needs an offset, -2 (earliest) or -1 (latest)",
                         name, visit->topic);
    int64_t known;
    if (find(visit->starts, visit->topic, start.partition, &known))
        return error_set(visit->err, ERROR_CONFIG, "partition %s of topic '%s' is named twice",
                         name, visit->topic);
    snprintf(start.topic, sizeof start.topic, "%s", visit->topic);
    struct starting_offsets *starts = visit->starts;
    starts->offsets = realloc(starts->offsets, (starts->count + 1) * sizeof start);
    check(starts->offsets != NULL);
    starts->offsets[starts->count++] = start;
    return true;
}

static bool visit_topic(void *context, const char *name, const struct json *value) {
    struct visit *visit = context;
    struct visit inner = {visit->starts, name, visit->err};
    if (strlen(name) >= sizeof visit->starts->offsets->topic || json_count(value) == 0)
        return error_set(visit->err, ERROR_CONFIG,
                         "topic '%s' needs an object with the offsets of its partitions", name);
    return json_each(value, visit_partition, &inner) || visit->err->kind != ERROR_NONE ||
           error_set(visit->err, ERROR_CONFIG,
                     "topic '%s' needs an object with the offsets of its partitions", name);
}

static bool parse(const char *text, struct starting_offsets *starts, struct error *err) {
    *starts = (struct starting_offsets){0};
    if (strcasecmp(text, "earliest") == 0 || strcasecmp(text, "latest") == 0) {
        starts->everywhere = strcasecmp(text, "latest") == 0 ? LATEST : EARLIEST;
        return true;
    }
    struct error cause = {0};
    struct json *document = json_parse(text, strlen(text), &cause);
    struct visit visit = {.starts = starts, .err = &cause};
    bool ok = document != NULL && json_each(document, visit_topic, &visit) && starts->count > 0;
    json_free(document);
    if (ok)
        return true;
    free(starts->offsets);
    *starts = (struct starting_offsets){0};
    return error_set(
        err, ERROR_CONFIG,
        "expected 'earliest', 'latest' or JSON like {\"topic\": {\"0\": 23, \"1\": -2}}: %s",
        cause.kind == ERROR_NONE ? "the topic is missing" : cause.message);
}

bool starting_offsets_check(const char *text, struct error *err) {
    struct starting_offsets starts;
    bool ok = parse(text, &starts, err);
    free(starts.offsets);
    return ok;
}

static bool resolve_one(int64_t wanted, const char *topic,
                        const struct partition_offsets *partition, int64_t *offset,
                        struct error *err) {
    *offset = wanted;
    if (wanted == EARLIEST)
        *offset = partition->log_start;
    if (wanted == LATEST)
        *offset = partition->end;
    if (*offset >= partition->log_start && *offset <= partition->end)
        return true;
    return error_set(err, ERROR_CONFIG,
                     "STARTING_OFFSETS: partition %" PRId32 " of topic '%s' has offsets %" PRId64
                     " to %" PRId64 ", not %" PRId64,
                     partition->partition, topic, partition->log_start, partition->end, wanted);
}

/* A partition that the topic does not have is a slip of the operator's. */
static bool check_surplus(const struct starting_offsets *wanted, const char *topic,
                          const struct topic_offsets *offsets, struct error *err) {
    for (size_t i = 0; i < wanted->count; i++) {
        bool known = strcmp(wanted->offsets[i].topic, topic) != 0;
        for (size_t j = 0; j < offsets->count; j++)
            known = known || offsets->partitions[j].partition == wanted->offsets[i].partition;
        if (!known)
            return error_set(err, ERROR_CONFIG,
                             "STARTING_OFFSETS: topic '%s' has no partition %" PRId32, topic,
                             wanted->offsets[i].partition);
    }
    return true;
}

bool starting_offsets_resolve(const char *text, const char *topic,
                              const struct topic_offsets *offsets, struct offset_range **starts,
                              struct error *err) {
    struct starting_offsets wanted;
    if (!parse(text, &wanted, err))
        return false;
    struct offset_range *ranges = must_alloc(offsets->count, sizeof *ranges);
    bool ok = check_surplus(&wanted, topic, offsets, err);
    for (size_t i = 0; ok && i < offsets->count; i++) {
        const struct partition_offsets *partition = &offsets->partitions[i];
        int64_t offset = 0;
        ok = find(&wanted, topic, partition->partition, &offset) ||
             error_set(err, ERROR_CONFIG,
                       "STARTING_OFFSETS: partition %" PRId32
                       " of topic '%s' is not named; name all "
                       "of its partitions",
                       partition->partition, topic);
        ok = ok && resolve_one(offset, topic, partition, &offset, err);
        ranges[i] = (struct offset_range){partition->partition, offset, offset};
    }
    free(wanted.offsets);
    if (ok)
        *starts = ranges;
    else
        free(ranges);
    return ok;
}
