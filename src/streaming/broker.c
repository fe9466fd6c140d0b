#include "streaming/broker.h"

#include <stdlib.h>
#include <string.h>

void topic_offsets_deinit(struct topic_offsets *offsets) {
    free(offsets->partitions);
    *offsets = (struct topic_offsets){0};
}

bool broker_open(const char *servers, const struct kafka_property *properties,
                 size_t property_count, struct broker **broker, struct error *err) {
    static const char capture[] = "file:";
    if (strncmp(servers, capture, sizeof capture - 1) == 0)
        return capture_broker_open(servers + sizeof capture - 1, broker, err);
    return kafka_broker_open(servers, properties, property_count, broker, err);
}
