/* offset_map.h: which offsets were met, as one bit each, and those that were met twice.
 *
 * A map has room for one window of offsets per log, which is a partition of one
 * incarnation of the topic. Any number of threads add to it, each
 * through a pen of its own, which gathers the bits of a word: files hold runs of near offsets. */
#ifndef STREAMING_VERIFY_OFFSET_MAP_H
#define STREAMING_VERIFY_OFFSET_MAP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OFFSET_MAP_DUPLICATES_MAX = 1 << 17 }; // kept by name; all are counted

/* Offsets [start, end) of one log, as the caller numbers them. */
struct offset_window {
    uint32_t log;
    int64_t start, end;
    size_t word;                // where its bits begin
    _Atomic int64_t duplicates; // offsets met again, each time
};

struct duplicate_offset {
    uint32_t log;
    int64_t offset;
};

struct offset_map {
    struct offset_window *windows; // owned; ascending by log
    size_t window_count;
    _Atomic uint64_t *words;             // owned
    pthread_mutex_t lock;                // guards what follows
    struct duplicate_offset *duplicates; // owned
    size_t duplicate_count;              // at most OFFSET_MAP_DUPLICATES_MAX
};

void offset_map_init(struct offset_map *map);
void offset_map_deinit(struct offset_map *map);

/* Empties the map and gives it other windows, copied, of which only log, start and end
 * count. The duplicates that were kept stay. */
void offset_map_set_windows(struct offset_map *map, const struct offset_window *windows,
                            size_t count);

struct offset_pen {
    struct offset_map *map;
    struct offset_window *window; // NULL: the log has none
    uint32_t log;
    bool started;
    bool may_repeat; // offsets that are met again are none to be noted
    size_t word;     // in the map
    uint64_t bits;
};

void offset_pen_init(struct offset_pen *pen, struct offset_map *map);

/* False: the offset is in no window. */
bool offset_pen_add(struct offset_pen *pen, uint32_t log, int64_t offset);

/* An offset that was met twice, and that no pen has noted. No pen is in use. */
void offset_map_note_duplicate(struct offset_map *map, uint32_t log, int64_t offset);

/* After the last one. */
void offset_pen_finish(struct offset_pen *pen);

/* The next run of offsets in [*start, end) of the window that were not met. False: there is none.
 * No pen is in use. */
bool offset_map_gap(const struct offset_map *map, const struct offset_window *window, int64_t end,
                    int64_t *start, int64_t *gap_end);

#endif
