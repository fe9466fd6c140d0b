/* demo_broker.h: a Kafka cluster of one broker inside this process (librdkafka's mock cluster),
 * with sample records in its topics (sample.h). For --demo and for tests; it holds 5 MiB and
 * 100,000 batches of records a partition and forgets the oldest beyond that. */
#ifndef SURFACES_DEMO_DEMO_BROKER_H
#define SURFACES_DEMO_DEMO_BROKER_H

#include <stddef.h>

#include "base/error.h"
#include "core/schema.h"

enum { DEMO_PARTITIONS = 3, DEMO_RECORDS_MAX = 10000 };

/* What one topic holds. All of it is borrowed while demo_broker_open() runs. */
struct demo_topic {
    const char *name;
    const struct record_schema *schema;
    const char *const
        *partition_by;            // names of columns that get a value now and then that can't be a
    size_t partition_by_count;    // directory
    const struct data_type *type; // of the record (sample.h); NULL: that of the schema
    size_t identifier;            // of the schema
};

struct demo_broker;

/* Record i of a topic goes to partition i % DEMO_PARTITIONS; at most DEMO_RECORDS_MAX. They are
 * there when this returns. ERROR_BROKER: librdkafka could not do it. */
MUST_CHECK bool demo_broker_open(struct demo_broker **broker, const struct demo_topic *topics,
                                 size_t topic_count, size_t records_per_topic, struct error *err);

/* From now on each topic gets so many records a second, with the time of their production, until
 * the broker is closed. `topics` are those of demo_broker_open(), borrowed until then. ERROR_LIMIT:
 * no thread. */
MUST_CHECK bool demo_broker_feed(struct demo_broker *broker, const struct demo_topic *topics,
                                 size_t topic_count, size_t records_per_second, struct error *err);

/* For KAFKA_BOOTSTRAP_SERVERS; valid until the broker is closed. */
const char *demo_broker_bootstrap(const struct demo_broker *broker);

void demo_broker_close(struct demo_broker *broker);

#endif
