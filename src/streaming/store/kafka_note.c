#include "streaming/store/kafka_note.h"

#include <stdio.h>
#include <string.h>

#include "base/disk/file.h"
#include "base/json.h"
#include "base/scope.h"
#include "streaming/store/checkpoint.h"

enum { NOTE_SIZE_MAX = 4 << 10, NOTE_VERSION = 1 };

static bool parse(const char *text, size_t size, char id[static KAFKA_CLUSTER_ID_MAX],
                  struct error *err) {
    int version;
    struct json *object = json_parse_versioned(text, size, NOTE_VERSION, &version, err);
    if (object == NULL)
        return false;
    const char *noted = json_member_text(object, "clusterId");
    bool ok = noted != NULL && noted[0] != '\0' && strlen(noted) < KAFKA_CLUSTER_ID_MAX;
    if (ok)
        (void)snprintf(id, KAFKA_CLUSTER_ID_MAX, "%s", noted);
    else
        error_set(err, ERROR_STATE, "it has no \"clusterId\"");
    json_free(object);
    return ok;
}

bool kafka_note_read(const char *checkpoint, char id[static KAFKA_CLUSTER_ID_MAX],
                     struct error *err) {
    struct file_path path = file_join(checkpoint, CHECKPOINT_KAFKA);
    scoped(scope_free) char *text = NULL;
    size_t size;
    id[0] = '\0';
    if (!file_read(path.text, NOTE_SIZE_MAX, &text, &size, err))
        return false;
    return text == NULL || parse(text, size, id, err) ||
           error_wrap(err,
                      "'%s' can't be used: restore it from a backup, or, if you are sure that "
                      "KAFKA_BOOTSTRAP_SERVERS names the right cluster, remove it",
                      path.text);
}

bool kafka_note_write(const char *checkpoint, const char *id, struct error *err) {
    struct json *object = json_new_object();
    json_put_text(object, "clusterId", id);
    size_t size;
    scoped(scope_free) char *text = json_print_versioned(object, NOTE_VERSION, &size);
    json_free(object);
    return file_replace(checkpoint, CHECKPOINT_KAFKA, text, size, err);
}

bool kafka_note_compare(const char *checkpoint, const char *noted, const char *answering,
                        struct error *err) {
    if (strcmp(noted, answering) == 0)
        return true;
    return error_set(
        err, ERROR_STATE,
        "the offsets in checkpoint '%s' are of the Kafka cluster %s, but the cluster %s answers. "
        "A topic of the same name has other records at these offsets there, a copy by MirrorMaker, "
        "too: set KAFKA_BOOTSTRAP_SERVERS back, or begin again in new directories "
        "(CHECKPOINT_PATH, PROCESSED_DATA_PATH, and DATA_LAKE_PATH for the rejects). If the very "
        "same offsets were moved to that cluster: `esports-stream "
        "adopt --cluster %s`",
        checkpoint, noted, answering, answering);
}
