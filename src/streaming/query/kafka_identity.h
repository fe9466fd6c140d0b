/* kafka_identity.h: whether the Kafka that answers a query is the one that its offsets are of.
 * Driver thread, after the topic was listed. A broker that tells no id, and a capture, are not
 * compared. */
#ifndef STREAMING_QUERY_KAFKA_IDENTITY_H
#define STREAMING_QUERY_KAFKA_IDENTITY_H

#include "streaming/kafka/broker.h"
#include "streaming/query/retry.h"

struct kafka_identity {
    const char *topic, *checkpoint; // borrowed, as are the next two
    struct broker *broker;
    const struct retrier *retrier;
    char id[KAFKA_CLUSTER_ID_MAX]; // of the cluster that the offsets are of; "": unknown
};

/* At a start: compares with the checkpoint's note, and makes the note if there is none or the query
 * is new; then it says that its first offsets are of the topic with this id ("": not known).
 * ERROR_STATE: another cluster. */
MUST_CHECK bool kafka_identity_settle(struct kafka_identity *identity, bool is_new,
                                      const char *topic_id, struct error *err);

/* Later: brokers may have been replaced behind the same names. ERROR_STATE as above. */
MUST_CHECK bool kafka_identity_check(const struct kafka_identity *identity, struct error *err);

#endif
