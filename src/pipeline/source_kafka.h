/* source_kafka.h: the records of a Kafka cluster, through one librdkafka handle per source.
 *
 * Every partition that was opened here stays active (kafka_partitions.h): the handle fetches
 * ahead, and what lies beyond a range's end waits for the next range, which then begins without a
 * round trip. A range that begins elsewhere starts its partition anew.
 *
 * A range ends at the first record at or beyond its end, or when the broker has said that nothing
 * more comes before the end (PARTITION_EOF): behind transaction markers and aborted records no
 * record ever comes. */
#ifndef PIPELINE_SOURCE_KAFKA_H
#define PIPELINE_SOURCE_KAFKA_H

#include "pipeline/kafka_client.h"
#include "pipeline/source.h"

/* `settings` is borrowed; they were tried already, by the broker they are of. In bytes:
 * `memory_max` bounds what is fetched ahead, and a range that needs a record batch larger than
 * `batch_max` fails with ERROR_CONFIG. A batch is weighed as it was sent: what it decompresses to
 * is known only then. Nothing is connected before the first range is opened. */
struct source *source_kafka_open(const struct kafka_settings *settings, size_t memory_max,
                                 size_t batch_max);

#endif
