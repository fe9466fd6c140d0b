/* kafka_property.h: one property for librdkafka, from KAFKA_CONF_* and its kin. */
#ifndef PIPELINE_SOURCE_KAFKA_PROPERTY_H
#define PIPELINE_SOURCE_KAFKA_PROPERTY_H

#include <stdbool.h>

struct kafka_property {
    char *name; // "security.protocol"
    char *value;
    bool secret; // never printed
};

#endif
