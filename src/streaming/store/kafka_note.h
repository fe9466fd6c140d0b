/* kafka_note.h: <checkpoint>/kafka, which says of which Kafka cluster the checkpoint's offsets are.
 *
 *     v1
 *     {"clusterId":"MkU3OEVBNTcwNTJENDM2Qg"}
 *
 * Written by the first start that learns the cluster's id. Spark ignores it, as programs do that
 * don't know it. */
#ifndef STREAMING_STORE_KAFKA_NOTE_H
#define STREAMING_STORE_KAFKA_NOTE_H

#include <stdbool.h>

#include "base/error.h"
#include "streaming/kafka/broker.h"

/* "": there is no note. ERROR_STATE: it is damaged. */
MUST_CHECK bool kafka_note_read(const char *checkpoint, char id[static KAFKA_CLUSTER_ID_MAX],
                                struct error *err);

/* Durable, whatever there was. ERROR_RETRY. */
MUST_CHECK bool kafka_note_write(const char *checkpoint, const char *id, struct error *err);

/* ERROR_STATE, with the cure: the cluster that answers is another than the noted one. */
MUST_CHECK bool kafka_note_compare(const char *checkpoint, const char *noted, const char *answering,
                                   struct error *err);

#endif
