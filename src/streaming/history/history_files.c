#include "streaming/history/history_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log/log.h"
#include "base/scope.h"
#include "streaming/history/history_text.h"

enum { FILE_SIZE_MAX = 512 << 20 };

void history_warn(const struct store *store, const char *what, const struct error *why) {
    log_write(LOG_WARNING, store->options.query, "%s | error=%s", what, why->message);
}

bool history_file_read(const struct store *store, int64_t slot, struct history *history,
                       bool *found, struct error *err) {
    struct file_path path = file_join_number(store->checkpoint.history.text, slot);
    struct manifest_origin origin = store_origin(store);
    scoped(scope_free) char *text = NULL;
    size_t size;
    *history = (struct history){0};
    *found = false;
    if (!file_read(path.text, FILE_SIZE_MAX, &text, &size, err))
        return err->kind == ERROR_STATE;
    if (text == NULL)
        return true;
    *found = history_parse(text, size, &origin, history, err);
    if (*found)
        return true;
    (void)error_wrap(err, "'%s'", path.text);
    history_warn(store, "Some older batches are unknown: a rewind cannot undo them", err);
    return true;
}

bool history_file_write(const struct store *store, int64_t slot, const struct history *history,
                        struct error *err) {
    const struct checkpoint *checkpoint = &store->checkpoint;
    struct manifest_origin origin = store_origin(store);
    char name[32];
    size_t size;
    (void)snprintf(name, sizeof name, "%" PRId64, slot);
    scoped(scope_free) char *text = history_print(history, &origin, &size);
    return file_make_directory_name(checkpoint->history.text, err) &&
           file_sync_directory(checkpoint->root.text, err) &&
           file_replace(checkpoint->history.text, name, text, size, err);
}

bool history_file_remove(const struct store *store, int64_t slot, struct error *err) {
    return file_remove(file_join_number(store->checkpoint.history.text, slot).text, err);
}

bool history_file_list(const struct store *store, int64_t **slots, size_t *count,
                       struct error *err) {
    return file_list_numbers(store->checkpoint.history.text, "", slots, count, err);
}

bool history_files_read(const struct store *store, struct history *history, struct error *err) {
    scoped(scope_free) int64_t *slots = NULL;
    size_t count;
    *history = (struct history){0};
    if (!history_file_list(store, &slots, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct history part;
        bool found;
        if (!history_file_read(store, slots[i], &part, &found, err))
            return false;
        history_add_all(history, &part);
    }
    return true;
}
