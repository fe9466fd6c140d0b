#include "streaming/query/kafka_identity.h"

#include <stdio.h>

#include "base/log/log.h"
#include "streaming/store/checkpoint_notes.h"

static bool write_note(const struct kafka_identity *identity, const char *id, struct error *err) {
    struct retry retry = {0};
    while (!kafka_note_write(identity->checkpoint, id, err))
        if (!retry_again(identity->retrier, &retry, err))
            return false;
    log_write(LOG_DEBUG, identity->retrier->report->name,
              "The Kafka cluster's id is now stored in the checkpoint | cluster_id=%s", id);
    return true;
}

static bool read_note(const struct kafka_identity *identity,
                      char noted[static KAFKA_CLUSTER_ID_MAX], struct error *err) {
    struct retry retry = {0};
    while (!kafka_note_read(identity->checkpoint, noted, err))
        if (!retry_again(identity->retrier, &retry, err))
            return false;
    return true;
}

bool kafka_identity_settle(struct kafka_identity *identity, bool is_new, struct error *err) {
    char answering[KAFKA_CLUSTER_ID_MAX], noted[KAFKA_CLUSTER_ID_MAX] = "";
    if (identity->broker->ops->cluster_id == NULL)
        return true;
    if (!identity->broker->ops->cluster_id(identity->broker, answering)) {
        log_write(LOG_WARNING, identity->retrier->report->name,
                  "Kafka reports no cluster id, so a switch to another cluster cannot be detected "
                  "| topic=%s",
                  identity->topic);
        return true;
    }
    if (!is_new && !read_note(identity, noted, err))
        return false;
    if (noted[0] != '\0' && !kafka_note_compare(identity->checkpoint, noted, answering, err))
        return false;
    if (noted[0] == '\0' && !write_note(identity, answering, err))
        return false;
    (void)snprintf(identity->id, sizeof identity->id, "%s", answering);
    return true;
}

bool kafka_identity_check(const struct kafka_identity *identity, struct error *err) {
    char answering[KAFKA_CLUSTER_ID_MAX];
    return identity->id[0] == '\0' ||
           !identity->broker->ops->cluster_id(identity->broker, answering) ||
           kafka_note_compare(identity->checkpoint, identity->id, answering, err);
}
