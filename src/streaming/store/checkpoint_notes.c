#include "streaming/store/checkpoint_notes.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/disk/file.h"
#include "base/json.h"
#include "base/scope.h"
#include "streaming/store/checkpoint.h"
#include "streaming/store/disk_versions.h"

enum { RUN_SIZE_MAX = 64 << 10, KAFKA_SIZE_MAX = 4 << 10 };

/* ---- the run on a cluster ---- */

static const char *const parse_modes[] = {
    [PARSE_REJECT] = "reject", [PARSE_PERMISSIVE] = "permissive"};

const char *run_note_mode_name(enum parse_mode mode) {
    check((size_t)mode < sizeof parse_modes / sizeof parse_modes[0]); // no cluster runs failfast
    return parse_modes[mode];
}

static bool copy_text(const struct json *object, const char *name, char *text, size_t size) {
    const char *value = json_member_text(object, name);
    return value != NULL && (size_t)snprintf(text, size, "%s", value) < size;
}

static bool parse_mode_of(const struct json *object, enum parse_mode *mode) {
    const char *name = json_member_text(object, "parseMode");
    for (size_t i = 0; name != NULL && i < sizeof parse_modes / sizeof parse_modes[0]; i++) {
        *mode = (enum parse_mode)i;
        if (strcmp(name, parse_modes[i]) == 0)
            return true;
    }
    return false;
}

static bool parse_run(const struct json *object, struct run_note *note) {
    int64_t pid, port;
    bool ok = json_member_int(object, "firstBatch", &note->first_batch) &&
              json_member_ms(object, "startedMs", &note->started_ms) &&
              parse_mode_of(object, &note->parse_mode) && json_member_int(object, "pid", &pid) &&
              json_member_int(object, "port", &port) &&
              json_member_bool(object, "ssl", &note->use_ssl) &&
              copy_text(object, "master", note->master, sizeof note->master) &&
              copy_text(object, "host", note->host, sizeof note->host) &&
              copy_text(object, "user", note->user_id, sizeof note->user_id) &&
              copy_text(object, "session", note->session_id, sizeof note->session_id) &&
              copy_text(object, "query", note->query_id, sizeof note->query_id) &&
              copy_text(object, "run", note->run_id, sizeof note->run_id);
    note->pid = ok ? (int)pid : 0;
    note->port = ok ? (int)port : 0;
    return ok;
}

bool run_note_read(const char *checkpoint, struct run_note *note, bool *found, struct error *err) {
    struct file_path path = file_join(checkpoint, CHECKPOINT_CLUSTER);
    scoped(scope_free) char *text = NULL;
    size_t size;
    int version;
    *note = (struct run_note){0};
    if (!file_read(path.text, RUN_SIZE_MAX, &text, &size, err))
        return false;
    *found = text != NULL;
    if (text == NULL)
        return true;
    struct json *object = json_parse_versioned(text, size, NOTE_VERSION, &version, err);
    bool ok = object != NULL &&
              (parse_run(object, note) || error_set(err, ERROR_STATE, "it is incomplete"));
    json_free(object);
    return ok ||
           error_wrap(
               err,
               "'%s' cannot be used: restore it from a backup; or, if no Spark server runs this "
               "query any more, remove it (the rejects of its last batches may then be missing)",
               path.text);
}

static char *print_run(const struct run_note *note, size_t *size) {
    struct json *object = json_new_object();
    json_put_int(object, "firstBatch", note->first_batch);
    json_put_int(object, "startedMs", note->started_ms);
    json_put_text(object, "parseMode", run_note_mode_name(note->parse_mode));
    json_put_text(object, "master", note->master);
    json_put_int(object, "pid", note->pid);
    json_put_text(object, "host", note->host);
    json_put_int(object, "port", note->port);
    json_put_bool(object, "ssl", note->use_ssl);
    json_put_text(object, "user", note->user_id);
    json_put_text(object, "session", note->session_id);
    json_put_text(object, "query", note->query_id);
    json_put_text(object, "run", note->run_id);
    char *text = json_print_versioned(object, NOTE_VERSION, size);
    json_free(object);
    return text;
}

bool run_note_write(const char *checkpoint, const struct run_note *note, struct error *err) {
    size_t size;
    scoped(scope_free) char *text = print_run(note, &size);
    return file_make_directory(checkpoint, err) &&
           file_replace(checkpoint, CHECKPOINT_CLUSTER, text, size, err);
}

bool run_note_remove(const char *checkpoint, struct error *err) {
    return file_remove(file_join(checkpoint, CHECKPOINT_CLUSTER).text, err) &&
           file_sync_directory(checkpoint, err);
}

/* ---- the Kafka cluster ---- */

static bool parse_kafka(const char *text, size_t size, struct topic_identity *note,
                        struct error *err) {
    int version;
    struct json *object = json_parse_versioned(text, size, NOTE_VERSION, &version, err);
    if (object == NULL)
        return false;
    bool ok =
        topic_identity_parse(object, note, err) &&
        (note->cluster_id[0] != '\0' || error_set(err, ERROR_STATE, "it has no \"clusterId\""));
    json_free(object);
    return ok;
}

bool kafka_note_read(const char *checkpoint, struct topic_identity *note, struct error *err) {
    struct file_path path = file_join(checkpoint, CHECKPOINT_KAFKA);
    scoped(scope_free) char *text = NULL;
    size_t size;
    *note = (struct topic_identity){0};
    if (!file_read(path.text, KAFKA_SIZE_MAX, &text, &size, err))
        return false;
    return text == NULL || parse_kafka(text, size, note, err) ||
           error_wrap(err,
                      "'%s' cannot be used: restore it from a backup; or, if "
                      "KAFKA_BOOTSTRAP_SERVERS certainly names the right cluster, remove it",
                      path.text);
}

bool kafka_note_write(const char *checkpoint, const struct topic_identity *note,
                      struct error *err) {
    struct json *object = json_new_object();
    topic_identity_print(note, object);
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
        "the offsets in checkpoint '%s' belong to Kafka cluster %s, but KAFKA_BOOTSTRAP_SERVERS "
        "leads to cluster %s. A topic of the same name has other records at these offsets there, "
        "even if MirrorMaker copied it: set KAFKA_BOOTSTRAP_SERVERS back, or start over in new "
        "directories (CHECKPOINT_PATH, PROCESSED_DATA_PATH, and DATA_LAKE_PATH for the rejects). "
        "If the records were moved to that cluster with their offsets, run `esports-stream adopt "
        "--cluster %s`",
        checkpoint, noted, answering, answering);
}
