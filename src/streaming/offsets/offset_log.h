/* offset_log.h: the contents of Spark's offsets/N and sources/0/0: for every partition of the topic
 * the offset at which a batch ends, exclusive.
 *
 *     v1
 *     {"batchWatermarkMs":0,"batchTimestampMs":1795366883120,"conf":{"spark.sql.…":"…"}}
 *     {"esports-matches":{"0":3,"1":3}}
 *
 * sources/0/0 is a NUL byte, "v1", a newline and the third line. A plan of ours that
 * moves positions has a member "knownEnds" in its second line, how far the topic is known to have
 * gone on before (streaming/offsets/incarnation.h). Each of our plans says there which topic it was
 * made of, in "clusterId" and "topicId" (topic_identity.h), and ends the line with a checksum of
 * the whole text (base/checksum.h); Spark ignores all of these. Version 2, of Spark 4.2 and later
 * and not its default, has "0:" in front of the third line; it is read and never written. Pure: no
 * disk. */
#ifndef STREAMING_OFFSETS_OFFSET_LOG_H
#define STREAMING_OFFSETS_OFFSET_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "core/plan.h"
#include "streaming/offsets/topic_identity.h"

struct partition_offset {
    int32_t partition;
    int64_t offset;
};

struct offsets {
    struct partition_offset *entries; // owned; ascending by partition
    size_t count;
};

void offsets_deinit(struct offsets *offsets);
void offsets_add(struct offsets *offsets, int32_t partition, int64_t offset); // any order
void offsets_sort(struct offsets *offsets);

void offsets_copy(struct offsets *to, const struct offsets *from); // *to is empty before

/* {"0":3,"1":3}. ERROR_STATE: it is not that; the caller deinits *offsets either way. */
struct json *offsets_print(const struct offsets *offsets);
MUST_CHECK bool offsets_parse(const struct json *object, struct offsets *offsets,
                              struct error *err);

/* NULL: no such partition. `offsets` is sorted. */
const struct partition_offset *offsets_find(const struct offsets *offsets, int32_t partition);

/* What lies between them, for each partition of `ends`; *ranges is owned by the caller. A partition
 * that `starts` does not know is new, and is read from its beginning; of one whose position goes
 * back nothing is taken. */
void offsets_ranges(const struct offsets *starts, const struct offsets *ends,
                    struct offset_range **ranges, size_t *count);

struct offset_entry {
    char *topic; // owned
    int64_t timestamp_ms;
    struct json *conf; // owned; an object of Spark settings
    struct offsets ends;
    struct offsets known_ends; // of a plan that moves positions; empty: it does not, or not known
    struct topic_identity identity; // of the topic that it was made of
};

void offset_entry_deinit(struct offset_entry *entry);

/* The settings that a new query writes: Spark 4's own map, with this number of shuffle partitions
 * (the one setting without which Spark 4 can't run an uncommitted batch again). */
struct json *offset_log_new_conf(int shuffle_partitions);

/* Adds the number of shuffle partitions from `fresh` to a map that lacks it; keeps all else. */
void offset_log_complete_conf(struct json *conf, const struct json *fresh);

/* Text of offsets/N and of sources/0/0; owned by the caller, `size` bytes. */
char *offset_log_print(const struct offset_entry *entry, size_t *size);
char *offset_log_print_initial(const char *topic, const struct offsets *starts, size_t *size);

/* ERROR_STATE, without the file's name: another version, more than one source or topic, or not what
 * these files look like. `starts` has only topic and ends. */
MUST_CHECK bool offset_log_parse(const char *text, size_t size, struct offset_entry *entry,
                                 struct error *err);
MUST_CHECK bool offset_log_parse_initial(const char *text, size_t size, struct offset_entry *starts,
                                         struct error *err);

#endif
