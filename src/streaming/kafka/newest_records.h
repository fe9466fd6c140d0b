/* newest_records.h: the newest records of a topic, evenly of all partitions that have records. */
#ifndef STREAMING_KAFKA_NEWEST_RECORDS_H
#define STREAMING_KAFKA_NEWEST_RECORDS_H

#include "streaming/kafka/broker.h"

struct newest_records {
    const char *topic;
    int64_t wanted;      // records, about
    int64_t offsets_max; // at once, of a partition; at least `wanted`
    int read_ms;         // for all partitions
    /* What is done with a record. The bytes are valid until it returns. */
    bool (*take)(void *context, const struct record *record, struct error *err);
    void *context;

    /* filled in */
    int64_t taken;
    bool is_late; // the time was over before all had come
};

/* The errors of the source, of take(), and ERROR_BROKER: no record arrived in time. */
MUST_CHECK bool newest_records_read(struct newest_records *newest, struct source *source,
                                    const struct topic_offsets *offsets, struct error *err);

#endif
