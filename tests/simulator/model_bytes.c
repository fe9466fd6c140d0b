/* model_bytes.c: the bytes of files, those that everyone sees and those of the last sync.
 *
 * A file that only grows needs no second copy: what was synced is its first `synced_size` bytes.
 * The copy is made when these are about to be changed. The least and the most size since the sync
 * bound the sizes that a power cut may leave; from the least on, blocks were given to the file
 * since, so they may be zeros. */
#include "model_tree.h"

#include <string.h>

#include "base/check.h"
#include "base/system/clock.h"
#include "model_memory.h"

static size_t least_of(size_t a, size_t b) {
    return a < b ? a : b;
}

static void reserve(struct node *file, size_t size) {
    if (size <= file->room)
        return;
    size_t room = memory_room(size);
    unsigned char *bytes = memory_take(room);
    if (file->size > 0)
        memcpy(bytes, file->bytes, file->size);
    memory_give(file->bytes, file->room);
    file->bytes = bytes;
    file->room = room;
}

/* Before bytes from `at` on are changed. */
static void keep_synced(struct node *file, size_t at) {
    file->dirty = true;
    if (file->before != NULL || at >= file->synced_size)
        return;
    file->before = memory_take(file->synced_size);
    memcpy(file->before, file->bytes, file->synced_size);
}

static void set_size(struct node *file, size_t size) {
    tree.bytes += (int64_t)size - (int64_t)file->size;
    file->size = size;
    file->least = least_of(file->least, size);
    if (file->most < size)
        file->most = size;
}

/* What is written again can be synced again. */
static void write_dropped(struct node *file, size_t from, size_t to) {
    if (from <= file->dropped_from && to > file->dropped_from)
        file->dropped_from = to;
    if (to >= file->dropped_to && from < file->dropped_to)
        file->dropped_to = from;
    if (file->dropped_from >= file->dropped_to)
        file->dropped_from = file->dropped_to = 0;
}

void bytes_write(struct node *file, const void *bytes, size_t size, size_t at) {
    keep_synced(file, at);
    if (at > file->size)
        bytes_resize(file, at);
    reserve(file, at + size);
    memcpy(file->bytes + at, bytes, size);
    if (at + size > file->size)
        set_size(file, at + size);
    write_dropped(file, at, at + size);
    file->modified_ms = clock_wall_ms();
}

void bytes_resize(struct node *file, size_t size) {
    keep_synced(file, size);
    reserve(file, size);
    if (size > file->size)
        memset(file->bytes + file->size, 0, size - file->size);
    write_dropped(file, size, SIZE_MAX);
    set_size(file, size);
    file->modified_ms = clock_wall_ms();
}

void bytes_free(struct node *file) {
    tree.bytes -= (int64_t)file->size;
    memory_give(file->bytes, file->room);
    memory_give(file->before, file->synced_size);
    file->bytes = file->before = NULL;
    file->size = file->room = file->synced_size = 0;
}

/* What everyone sees is also what is synced. */
static void all_synced(struct node *file) {
    memory_give(file->before, file->synced_size);
    file->before = NULL;
    file->synced_size = file->least = file->most = file->size;
    file->dirty = false;
}

/* The bytes that would be synced if those that were dropped were not among them. */
static unsigned char *without_dropped(const struct node *file) {
    unsigned char *bytes = memory_take(file->size);
    memcpy(bytes, file->bytes, file->size);
    const unsigned char *before = file->before != NULL ? file->before : file->bytes;
    for (size_t i = file->dropped_from; i < file->dropped_to; i++)
        bytes[i] = i < file->synced_size && i < file->least ? before[i] : 0;
    return bytes;
}

void bytes_sync(struct node *file) {
    file->synced = file->now;
    if (file->dropped_to == 0) {
        all_synced(file);
        return;
    }
    unsigned char *bytes = without_dropped(file);
    memory_give(file->before, file->synced_size);
    file->before = bytes;
    file->synced_size = file->least = file->most = file->size;
}

bool bytes_fail_sync(struct node *file, struct random *random) {
    enum { NOTHING, ALL, DROPPED, DROPPED_AT_ONCE, OUTCOMES };
    unsigned outcome = (unsigned)random_below(random, OUTCOMES);
    if (outcome == ALL)
        bytes_sync(file);
    if (outcome < DROPPED || !file->dirty || file->size == 0)
        return false;
    size_t from = file->before == NULL ? file->synced_size : 0;
    if (from >= file->size)
        return false;
    file->dropped_from = from;
    file->dropped_to = file->size;
    if (outcome == DROPPED_AT_ONCE) {
        unsigned char *bytes = without_dropped(file);
        keep_synced(file, from);
        memcpy(file->bytes, bytes, file->size);
        memory_give(bytes, file->size);
    }
    return true;
}

void bytes_copy(struct node *to, const struct node *from) {
    if (from->size > 0)
        bytes_write(to, from->bytes, from->size, 0);
    all_synced(to);
    to->now = to->synced = from->now;
    to->modified_ms = from->modified_ms;
}

void bytes_settle(struct node *file, unsigned char *bytes, size_t size) {
    bytes_free(file);
    file->bytes = bytes;
    file->room = memory_room(size);
    tree.bytes += (int64_t)size;
    file->size = size;
    file->dropped_from = file->dropped_to = 0;
    all_synced(file);
}
