/* source_kafka.h: the records of a Kafka cluster, through one librdkafka handle per source.
 *
 * Every partition that was ever opened here stays started: the handle fetches ahead into a queue
 * per partition, and what lies beyond a range's end waits there for the next range, which then
 * begins without a round trip. A range that begins elsewhere restarts its partition.
 *
 * A range ends at the first record at or beyond its end, or when the broker has said that nothing
 * more comes before the end (PARTITION_EOF): behind transaction markers and aborted records no
 * record ever comes.
 *
 * Memory: what waits in queues is bounded by `memory_max` over the partitions in use. When more
 * partitions are opened than the bound was cut for, the handle is made anew with smaller queues;
 * when they would get too small to be useful, the partition that was opened longest ago is stopped.
 */
#ifndef PIPELINE_SOURCE_KAFKA_H
#define PIPELINE_SOURCE_KAFKA_H

#include "pipeline/kafka_client.h"
#include "pipeline/source.h"

/* `settings` is borrowed. Nothing is connected before the first range is opened. */
struct source *source_kafka_open(const struct kafka_settings *settings, size_t memory_max);

#endif
