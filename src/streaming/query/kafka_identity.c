#include "streaming/query/kafka_identity.h"

#include <stdio.h>

#include "base/log/log.h"
#include "streaming/store/checkpoint_notes.h"

static bool write_note(const struct kafka_identity *identity, const struct topic_identity *note,
                       struct error *err) {
    struct retry retry = {0};
    while (!kafka_note_write(identity->checkpoint, note, err))
        if (!retry_again(identity->retrier, &retry, err))
            return false;
    log_write(LOG_DEBUG, identity->retrier->report->name,
              "The Kafka cluster's id is now stored in the checkpoint | cluster_id=%s",
              note->cluster_id);
    return true;
}

static bool read_note(const struct kafka_identity *identity, struct topic_identity *note,
                      struct error *err) {
    struct retry retry = {0};
    while (!kafka_note_read(identity->checkpoint, note, err))
        if (!retry_again(identity->retrier, &retry, err))
            return false;
    return true;
}

/* Of the offsets of an older checkpoint it is not known which topic they are of. */
static bool make_note(const struct kafka_identity *identity, const char *cluster_id,
                      const char *topic_id, struct error *err) {
    struct topic_identity note = {0};
    (void)snprintf(note.cluster_id, sizeof note.cluster_id, "%s", cluster_id);
    (void)snprintf(note.topic_id, sizeof note.topic_id, "%s", topic_id);
    return write_note(identity, &note, err);
}

bool kafka_identity_settle(struct kafka_identity *identity, bool is_new, const char *topic_id,
                           struct error *err) {
    char answering[KAFKA_CLUSTER_ID_MAX];
    struct topic_identity noted = {0};
    if (identity->broker->ops->cluster_id == NULL)
        return true;
    if (!identity->broker->ops->cluster_id(identity->broker, answering)) {
        log_write(LOG_WARNING, identity->retrier->report->name,
                  "Kafka reports no cluster id, so a switch to another cluster cannot be detected "
                  "| topic=%s",
                  identity->topic);
        return true;
    }
    if (!is_new && !read_note(identity, &noted, err))
        return false;
    if (noted.cluster_id[0] != '\0'
            ? !kafka_note_compare(identity->checkpoint, noted.cluster_id, answering, err)
            : !make_note(identity, answering, is_new ? topic_id : "", err))
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
