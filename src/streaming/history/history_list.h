/* history_list.h: entries of a history in memory. Pure: no disk. */
#ifndef STREAMING_HISTORY_HISTORY_LIST_H
#define STREAMING_HISTORY_HISTORY_LIST_H

#include "streaming/store/coverage.h"

struct history_entry {
    int64_t first, last;       // batches
    int64_t first_ms, last_ms; // when they were planned
    struct offsets ends;       // owned; of `last`, if they are known
    struct offsets known_ends; // owned; of streaming/offsets/incarnation.h
    struct coverage outcome;   // owned; what they have added to coverage/
    int32_t incarnation;       // of the topic
    bool has_ends;
    bool of_spark; // all of them
};

struct history {
    struct history_entry *entries; // owned; ascending, apart; gaps are not known
    size_t count, capacity;
    bool thinned; // of one file
};

void history_deinit(struct history *history); // accepts a zeroed struct
void history_entry_deinit(struct history_entry *entry);

/* The entry whose newest batch this is, with its ends; NULL: there is none. */
const struct history_entry *history_find(const struct history *history, int64_t batch_id);

/* Moves the entry to the end. */
struct history_entry *history_add(struct history *history, struct history_entry entry);

/* Moves the entries that are newer than those of `history`, and deinits the rest of `more`. */
void history_add_all(struct history *history, struct history *more);

/* Drops the entries from `count` on. */
void history_shorten(struct history *history, size_t count);

/* Of all entries together. */
size_t history_ranges(const struct history *history);

/* The newest batch; -1: there is none. */
int64_t history_newest(const struct history *history);

#endif
