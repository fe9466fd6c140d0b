/* topic_identity.h: which topic offsets are of. Kafka gives each topic an id, which one that is
 * created again under the same name does not share, and which the same topic does not have in
 * another cluster. So an id is worth something only with its cluster. */
#ifndef STREAMING_OFFSETS_TOPIC_IDENTITY_H
#define STREAMING_OFFSETS_TOPIC_IDENTITY_H

#include "base/error.h"
#include "base/json.h"

/* Bytes, with the NUL. */
enum { TOPIC_ID_MAX = 48, KAFKA_CLUSTER_ID_MAX = 256 };

struct topic_identity {
    char cluster_id[KAFKA_CLUSTER_ID_MAX]; // "": not known
    char topic_id[TOPIC_ID_MAX];           // "": not known
};

/* The members "clusterId" and "topicId" of an object; one that is not known is left out.
 * ERROR_STATE: one of them is not an id. */
void topic_identity_print(const struct topic_identity *identity, struct json *object);
MUST_CHECK bool topic_identity_parse(const struct json *object, struct topic_identity *identity,
                                     struct error *err);

#endif
