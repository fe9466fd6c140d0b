/* kafka_identity.h: whether the Kafka that answers a query is the one that its offsets are of.
 * Driver thread, after the topic was listed. A broker that tells no id, and a capture, are not
 * compared. */
#ifndef STREAMING_QUERY_KAFKA_IDENTITY_H
#define STREAMING_QUERY_KAFKA_IDENTITY_H

#include "streaming/query/query.h"

/* At a start: compares with the checkpoint's note, and makes the note if there is none or the query
 * is new. ERROR_STATE: another cluster. */
MUST_CHECK bool kafka_identity_settle(struct query *query, bool is_new, struct error *err);

/* Later: brokers may have been replaced behind the same names. ERROR_STATE as above. */
MUST_CHECK bool kafka_identity_check(struct query *query, struct error *err);

#endif
