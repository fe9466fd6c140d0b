/* source_kafka.h: the records of a Kafka cluster, through one librdkafka handle per source.
 *
 * Every partition that was opened here stays active (kafka_partitions.h): the handle fetches
 * ahead, and what lies beyond a range's end waits for the next range, which then begins without a
 * round trip. A range that begins elsewhere starts its partition again.
 *
 * A range ends at the first record at or beyond its end, or when the broker has said that nothing
 * more comes before the end (PARTITION_EOF): behind transaction markers and aborted records no
 * record ever comes. */
#ifndef PIPELINE_SOURCE_SOURCE_KAFKA_H
#define PIPELINE_SOURCE_SOURCE_KAFKA_H

#include "pipeline/source/kafka_client.h"
#include "pipeline/source/source.h"

/* `settings` is borrowed; they were tried already, by the broker they are of. Nothing is connected
 * before the first range is opened.
 *
 * A range that needs a record batch larger than `memory.batch` fails with ERROR_CONFIG; so does one
 * whose zstd batch unpacks to far more than `memory.unpacked`. librdkafka has one limit for both
 * (receive.message.max.bytes), and unpacks in steps of three times the size before: the first batch
 * of zstd that it can't unpack makes the handle be opened again with three times `memory.unpacked`
 * as that limit. For the other codecs it has none: what they unpack to is known only then. */
struct source *source_kafka_open(const struct kafka_settings *settings,
                                 struct source_memory memory);

#endif
