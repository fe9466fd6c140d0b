/* broker.h: what a query must know of its topic, and a source per worker. Implemented by
 * kafka_admin.c (a Kafka cluster) and capture.c (a directory of captured records). A thin seam, so
 * that a simulator can replace the cluster. */
#ifndef STREAMING_KAFKA_BROKER_H
#define STREAMING_KAFKA_BROKER_H

#include "base/error.h"
#include "pipeline/source/kafka_client.h"
#include "pipeline/source/source.h"
#include "streaming/offsets/topic_identity.h"

struct partition_offsets {
    int32_t partition;
    int64_t log_start; // the first offset that still exists
    int64_t end;       // one past the last offset that a batch may take, under the isolation level:
                       // with read_committed, no further than the last stable offset
    int64_t high;      // the high watermark: one past the last record, those of open transactions
                       // included; BROKER_NOT_ASKED: only broker_list_high() asks for it
};

enum { BROKER_NOT_ASKED = -1 };

struct topic_offsets {
    size_t count;
    struct partition_offsets *partitions; // owned; ascending by partition
    char id[TOPIC_ID_MAX]; // Kafka's, which a topic created again does not share; "": not known, or
                           // not asked for: only broker_find_id() does
};

void topic_offsets_deinit(struct topic_offsets *offsets);
struct topic_offsets topic_offsets_copy(const struct topic_offsets *offsets);

/* Bytes, with the NUL; Kafka's own limit. */
enum { KAFKA_TOPIC_NAME_MAX = 250 };

struct broker_ops;

struct broker {
    const struct broker_ops *ops; // first member of every implementation's own struct
};

struct broker_ops {
    /* Lists the topic's partitions with their offsets, waiting `timeout_ms` at most. ERROR_BROKER:
     * no broker reached; ERROR_NO_TOPIC: the cluster says that there is no such topic. The message
     * names broker and cause. */
    bool (*list_offsets)(struct broker *broker, const char *topic, int timeout_ms,
                         struct topic_offsets *offsets, struct error *err);
    /* The id of the cluster that answered last. False: it tells none, as very old brokers, or none
     * has answered yet. NULL: it has no id, as a capture. */
    bool (*cluster_id)(struct broker *broker, char id[static KAFKA_CLUSTER_ID_MAX]);
    /* After ERROR_NO_TOPIC: the topic whose name is most like it. False: none is similar. NULL: it
     * does not know. */
    bool (*similar_topic)(struct broker *broker, const char *topic,
                          char similar[static KAFKA_TOPIC_NAME_MAX]);
    /* Fills in `high` of a listing. The errors of list_offsets(). NULL: it is `end`. */
    bool (*list_high)(struct broker *broker, const char *topic, int timeout_ms,
                      struct topic_offsets *offsets, struct error *err);
    /* Fills in `id` of a listing, "" if it is unknown. After list_offsets(), and with its
     * errors. NULL: it can't. */
    bool (*find_id)(struct broker *broker, const char *topic, int timeout_ms,
                    struct topic_offsets *offsets, struct error *err);
    /* Commits positions (start == end == a partition's next offset) to a consumer group, which has
     * no live members. ERROR_BROKER, with cause and fix. NULL: it has no groups. */
    bool (*commit_group)(struct broker *broker, const char *group, const char *topic,
                         const struct offset_range *positions, size_t count, int timeout_ms,
                         struct error *err);
    /* A source for one worker. A record batch that is too large for `memory` stops the range that
     * needs it. */
    bool (*open_source)(struct broker *broker, struct source_memory memory, struct source **source,
                        struct error *err);
    /* The sources opened from now on tell statistics so often. NULL: they have none. */
    void (*keep_statistics)(struct broker *broker, int every_ms);
    void (*close)(struct broker *broker);
};

/* Asks for the high watermarks of a listing. What is listed later is never lower, unless the log
 * itself was cut or replaced: an end beyond which no record is known was asked for first. */
MUST_CHECK bool broker_list_high(struct broker *broker, const char *topic, int timeout_ms,
                                 struct topic_offsets *offsets, struct error *err);

/* Asks for the topic's id, which librdkafka tells from 2.3 on, and Kafka from 2.8 on. */
MUST_CHECK bool broker_find_id(struct broker *broker, const char *topic, int timeout_ms,
                               struct topic_offsets *offsets, struct error *err);

/* NULL: the topic has no such partition. */
const struct partition_offsets *topic_offsets_find(const struct topic_offsets *offsets,
                                                   int32_t partition);

/* Properties of pipeline/source/kafka_client.h; they and the servers are borrowed until the broker
 * and every source of it are closed. ERROR_CONFIG: a property that is the engine's own or that
 * librdkafka refuses. Reaches for no broker yet. Any thread may call the broker's functions. */
MUST_CHECK bool kafka_broker_open(const char *bootstrap_servers,
                                  const struct kafka_property *properties, size_t property_count,
                                  struct broker **broker, struct error *err);

/* `directory` holds one file per partition, "<topic>-<partition>.ndjson", one record a line; an
 * offset is a line's number from 0 (pipeline/source/source_file.h). `directory` is borrowed.
 * ERROR_CONFIG: it can't be read. The scheme "file:" in KAFKA_BOOTSTRAP_SERVERS selects it. */
MUST_CHECK bool capture_broker_open(const char *directory, struct broker **broker,
                                    struct error *err);

/* The one of these two that `servers` asks for. */
MUST_CHECK bool broker_open(const char *servers, const struct kafka_property *properties,
                            size_t property_count, struct broker **broker, struct error *err);

/* ---- the timestamp of the last record of a few offsets ---- */

struct last_record {
    bool found;
    int64_t timestamp_ms; // of the last one that came; -1: it has none, or none came
    bool is_late;         // the time was over before the end of the offsets
};

/* Reads the range for `timeout_ms` at most. `goes_on`, which may be NULL, is asked after each step;
 * false: it has set *err, and the reading ends. Otherwise the errors of the source. */
MUST_CHECK bool last_record_read(struct source *source, const char *topic,
                                 struct offset_range range, int timeout_ms,
                                 bool (*goes_on)(void *context, struct error *err), void *context,
                                 struct last_record *last, struct error *err);

#endif
