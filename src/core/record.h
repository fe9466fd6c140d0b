/* record.h: one Kafka record, as a source hands it out. */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record_header {
    const char *key;   // terminated, any bytes
    const char *value; // NULL: a null value
    size_t value_size;
};

struct record {
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; // Kafka's, any value; -1: it has none (core/calendar.h)
    const char *value;    // NULL: a null value (tombstone)
    size_t value_size;
    const char *key; // NULL: no key
    size_t key_size;
    int8_t timestamp_type; // 0: its producer set it; 1: the broker; -1: not known
    /* Header `index`, whose bytes live as long as the record's. False: it has no more. NULL: it has
     * none. */
    bool (*header)(const struct record *record, size_t index, struct record_header *header);
    const void *message; // its source's
    int64_t planned_ms;  // of a reject that is read again: when its batch was planned; else 0
};

#endif
