#include "streaming/query/kafka_identity.h"

#include <stdio.h>

#include "base/log/log.h"
#include "streaming/query/retry.h"
#include "streaming/store/kafka_note.h"

static bool write_note(struct query *query, const char *id, struct error *err) {
    struct retry retry = {0};
    while (!kafka_note_write(query->options->store.checkpoint, id, err))
        if (!retry_again(query, &retry, err))
            return false;
    log_write(LOG_INFO, query->how.name,
              "Noted with the checkpoint of which Kafka its offsets are | cluster_id=%s", id);
    return true;
}

static bool read_note(struct query *query, char noted[static KAFKA_CLUSTER_ID_MAX],
                      struct error *err) {
    struct retry retry = {0};
    while (!kafka_note_read(query->options->store.checkpoint, noted, err))
        if (!retry_again(query, &retry, err))
            return false;
    return true;
}

bool kafka_identity_settle(struct query *query, bool is_new, struct error *err) {
    const char *checkpoint = query->options->store.checkpoint;
    char answering[KAFKA_CLUSTER_ID_MAX], noted[KAFKA_CLUSTER_ID_MAX] = "";
    if (query->broker->ops->cluster_id == NULL)
        return true;
    if (!query->broker->ops->cluster_id(query->broker, answering)) {
        log_write(LOG_WARNING, query->how.name,
                  "Kafka tells no cluster id, so that another cluster would not be noticed | "
                  "topic=%s",
                  query->options->store.topic);
        return true;
    }
    if (!is_new && !read_note(query, noted, err))
        return false;
    if (noted[0] != '\0' && !kafka_note_compare(checkpoint, noted, answering, err))
        return false;
    if (noted[0] == '\0' && !write_note(query, answering, err))
        return false;
    (void)snprintf(query->kafka_id, sizeof query->kafka_id, "%s", answering);
    return true;
}

bool kafka_identity_check(struct query *query, struct error *err) {
    char answering[KAFKA_CLUSTER_ID_MAX];
    return query->kafka_id[0] == '\0' ||
           !query->broker->ops->cluster_id(query->broker, answering) ||
           kafka_note_compare(query->options->store.checkpoint, query->kafka_id, answering, err);
}
