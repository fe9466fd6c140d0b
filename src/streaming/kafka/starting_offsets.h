/* starting_offsets.h: where a query without a checkpoint begins. */
#ifndef STREAMING_KAFKA_STARTING_OFFSETS_H
#define STREAMING_KAFKA_STARTING_OFFSETS_H

#include "base/error.h"
#include "core/plan.h"
#include "streaming/kafka/broker.h"

/* Whether the text can be one: "earliest", "latest", or {"topic":{"0":23,"1":-2}} with -2 for
 * earliest and -1 for latest, as Spark takes it. ERROR_CONFIG says what is wrong. */
MUST_CHECK bool starting_offsets_check(const char *text, struct error *err);

/* One range per partition of the topic, start == end == first offset to read. ERROR_CONFIG: the
 * JSON does not name exactly the topic's partitions, or an offset that the partition does not have.
 * The caller owns *starts. */
MUST_CHECK bool starting_offsets_resolve(const char *text, const char *topic_name,
                                         const struct topic_offsets *topic,
                                         struct offset_range **starts, struct error *err);

#endif
