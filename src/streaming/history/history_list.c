#include "streaming/history/history_list.h"

#include <stdlib.h>

#include "base/check.h"

void history_entry_deinit(struct history_entry *entry) {
    offsets_deinit(&entry->ends);
    offsets_deinit(&entry->known_ends);
    coverage_deinit(&entry->outcome);
}

void history_deinit(struct history *history) {
    for (size_t i = 0; i < history->count; i++)
        history_entry_deinit(&history->entries[i]);
    free(history->entries);
    *history = (struct history){0};
}

struct history_entry *history_add(struct history *history, struct history_entry entry) {
    if (history->count == history->capacity) {
        history->capacity = history->capacity == 0 ? 16 : 2 * history->capacity;
        history->entries =
            reallocarray(history->entries, history->capacity, sizeof *history->entries);
        check(history->entries != NULL);
    }
    history->entries[history->count] = entry;
    return &history->entries[history->count++];
}

void history_shorten(struct history *history, size_t count) {
    while (history->count > count)
        history_entry_deinit(&history->entries[--history->count]);
}

int64_t history_newest(const struct history *history) {
    return history->count == 0 ? -1 : history->entries[history->count - 1].last;
}

void history_add_all(struct history *history, struct history *more) {
    for (size_t i = 0; i < more->count; i++) {
        if (more->entries[i].first > history_newest(history))
            (void)history_add(history, more->entries[i]);
        else
            history_entry_deinit(&more->entries[i]);
    }
    more->count = 0;
    history_deinit(more);
}

const struct history_entry *history_find(const struct history *history, int64_t batch_id) {
    for (size_t i = history->count; i > 0; i--)
        if (history->entries[i - 1].last == batch_id && history->entries[i - 1].has_ends)
            return &history->entries[i - 1];
    return NULL;
}

size_t history_ranges(const struct history *history) {
    size_t count = 0;
    for (size_t i = 0; i < history->count; i++)
        count += history->entries[i].outcome.count;
    return count;
}
