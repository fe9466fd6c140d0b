#include "streaming/offsets/topic_identity.h"

#include <stdio.h>

void topic_identity_print(const struct topic_identity *identity, struct json *object) {
    if (identity->cluster_id[0] != '\0')
        json_put_text(object, "clusterId", identity->cluster_id);
    if (identity->topic_id[0] != '\0')
        json_put_text(object, "topicId", identity->topic_id);
}

/* An id that is cut off would be another one. */
static bool parse_id(const struct json *object, const char *name, char *id, size_t size,
                     struct error *err) {
    id[0] = '\0';
    if (json_member(object, name) == NULL)
        return true;
    const char *text = json_member_text(object, name);
    int length = text == NULL ? 0 : snprintf(id, size, "%s", text);
    return (length > 0 && (size_t)length < size) ||
           error_set(err, ERROR_STATE, "its \"%s\" is not an id", name);
}

bool topic_identity_parse(const struct json *object, struct topic_identity *identity,
                          struct error *err) {
    return parse_id(object, "clusterId", identity->cluster_id, sizeof identity->cluster_id, err) &&
           parse_id(object, "topicId", identity->topic_id, sizeof identity->topic_id, err);
}
