#include <stdlib.h>

#include "base/base64.h"
#include "base/disk/file.h"
#include "base/log/log.h"
#include "surfaces/commands/rejects_command.h"
#include "surfaces/terminal/moment.h"

const struct wanted_column reject_columns[REJECT_COLUMNS] = {
    [REJECT_TOPIC] = {"topic", TYPE_STRING},
    [REJECT_PARTITION] = {"partition", TYPE_INT32},
    [REJECT_OFFSET] = {"offset", TYPE_INT64},
    [REJECT_KAFKA_TIMESTAMP] = {"kafka_timestamp", TYPE_TIMESTAMP},
    [REJECT_KEY] = {"key", TYPE_BINARY},
    [REJECT_VALUE] = {"value", TYPE_BINARY},
    [REJECT_REASON] = {"reason", TYPE_STRING},
    [REJECT_DETAIL] = {"detail", TYPE_STRING},
    [REJECT_POSITION] = {"position", TYPE_INT64},
    [REJECT_PROCESSED] = {"processing_timestamp", TYPE_TIMESTAMP},
};

static void put_text(struct json *object, const char *name, const struct vector *vector,
                     size_t row) {
    if (!vector->valid[row])
        json_put_null(object, name); // in no file of ours
    else
        json_put_bytes(object, name, vector->texts[row].bytes, vector->texts[row].length);
}

static void put_moment(struct json *object, const char *name, const struct vector *vector,
                       size_t row) {
    char text[MOMENT_TEXT_MAX];
    moment_format(vector->int64s[row], text);
    if (vector->valid[row])
        json_put_text(object, name, text);
    else
        json_put_null(object, name);
}

static void put_base64(struct json *object, const char *name, const struct vector *vector,
                       size_t row, size_t size_max) {
    if (!vector->valid[row]) {
        json_put_null(object, name);
        return;
    }
    struct text value = vector->texts[row];
    char *text = base64_encode(value.bytes, value.length < size_max ? value.length : size_max);
    json_put_text(object, name, text);
    free(text);
}

struct json *reject_json(const struct table_rows *rows, size_t row, size_t value_max) {
    const struct vector *columns = rows->cursor.vectors;
    struct json *object = json_new_object();
    put_text(object, "topic", &columns[REJECT_TOPIC], row);
    json_put_int(object, "partition", columns[REJECT_PARTITION].int32s[row]);
    json_put_int(object, "offset", columns[REJECT_OFFSET].int64s[row]);
    put_moment(object, "kafkaTimestamp", &columns[REJECT_KAFKA_TIMESTAMP], row);
    put_text(object, "reason", &columns[REJECT_REASON], row);
    put_text(object, "detail", &columns[REJECT_DETAIL], row);
    json_put_int(object, "position", columns[REJECT_POSITION].int64s[row]);
    put_moment(object, "processedAt", &columns[REJECT_PROCESSED], row);
    put_base64(object, "keyBase64", &columns[REJECT_KEY], row, SIZE_MAX);
    json_put_int(object, "valueSize",
                 columns[REJECT_VALUE].valid[row] ? columns[REJECT_VALUE].texts[row].length : 0);
    put_base64(object, "valueBase64", &columns[REJECT_VALUE], row, value_max);
    return object;
}

bool rejects_list(const struct command_scope *scope, struct lake_files *files, struct error *err) {
    const char *root = scope->store.rejects;
    int there = file_exists(root, NULL, err);
    if (there == 0)
        log_write(LOG_WARNING, scope->stream->name,
                  "'%s' is not there: nothing was rejected yet, or DATA_LAKE_PATH is another",
                  root);
    return there >= 0 && lake_files_list(root, files, err);
}

bool rejects_resolved(const struct command_scope *scope, struct resolved_rejects *resolved,
                      struct error *err) {
    struct store *store;
    *resolved = (struct resolved_rejects){0};
    int there = file_exists(scope->store.checkpoint, NULL, err);
    if (there <= 0)
        return there == 0;
    if (!store_open_to_read(&scope->store, &store, err))
        return false;
    bool ok = resolved_rejects_read(store, resolved, err);
    store_close(store);
    return ok;
}
