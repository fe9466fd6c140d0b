#include "streaming/kafka/broker.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/system/clock.h"

void topic_offsets_deinit(struct topic_offsets *offsets) {
    free(offsets->partitions);
    *offsets = (struct topic_offsets){0};
}

struct topic_offsets topic_offsets_copy(const struct topic_offsets *offsets) {
    struct topic_offsets copy = *offsets;
    copy.partitions = must_alloc(copy.count + 1, sizeof *copy.partitions);
    if (copy.count > 0)
        memcpy(copy.partitions, offsets->partitions, copy.count * sizeof *copy.partitions);
    return copy;
}

const struct partition_offsets *topic_offsets_find(const struct topic_offsets *offsets,
                                                   int32_t partition) {
    for (size_t i = 0; i < offsets->count; i++)
        if (offsets->partitions[i].partition == partition)
            return &offsets->partitions[i];
    return NULL;
}

bool broker_list_high(struct broker *broker, const char *topic, int timeout_ms,
                      struct topic_offsets *offsets, struct error *err) {
    if (broker->ops->list_high != NULL)
        return broker->ops->list_high(broker, topic, timeout_ms, offsets, err);
    for (size_t i = 0; i < offsets->count; i++)
        offsets->partitions[i].high = offsets->partitions[i].end;
    return true;
}

bool broker_find_id(struct broker *broker, const char *topic, int timeout_ms,
                    struct topic_offsets *offsets, struct error *err) {
    offsets->id[0] = '\0';
    return broker->ops->find_id == NULL ||
           broker->ops->find_id(broker, topic, timeout_ms, offsets, err);
}

bool broker_open(const char *servers, const struct kafka_property *properties,
                 size_t property_count, struct broker **broker, struct error *err) {
    static const char capture[] = "file:";
    if (strncmp(servers, capture, sizeof capture - 1) == 0)
        return capture_broker_open(servers + sizeof capture - 1, broker, err);
    return kafka_broker_open(servers, properties, property_count, broker, err);
}

enum { STEP_MS = 200 }; // how often goes_on() is asked

bool last_record_read(struct source *source, const char *topic, struct offset_range range,
                      int timeout_ms, bool (*goes_on)(void *context, struct error *err),
                      void *context, struct last_record *last, struct error *err) {
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    *last = (struct last_record){.timestamp_ms = -1};
    if (!source->ops->open_range(source, topic, range, err))
        return false;
    bool stopped = false;
    while (clock_monotonic_ms() < deadline_ms && !stopped) {
        struct record record;
        switch (source->ops->read(source, &record, STEP_MS, err)) {
        case SOURCE_RECORD:
            last->found = true;
            last->timestamp_ms = record.timestamp_ms;
            break;
        case SOURCE_END:
            return true;
        case SOURCE_FAILED:
            return false;
        case SOURCE_WAIT:
            break;
        }
        stopped = goes_on != NULL && !goes_on(context, err);
    }
    source->ops->abandon_range(source);
    last->is_late = !stopped;
    return !stopped;
}
