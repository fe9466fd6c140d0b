/* model_power.c: what a power cut leaves.
 *
 * First each directory goes back to some moment since its last sync: all to their last sync, all to
 * one moment of the disk, as a journal would have it, or each to its own. Then each file that was
 * not synced gets some mixture of its bytes. Then what no name leads to is gone, and a directory to
 * which two names lead, because a move came through in one of two directories only, becomes two.
 *
 * What is left is durable. */
#include "model_tree.h"

#include <string.h>

#include "base/check.h"
#include "model_memory.h"

static struct random *chance;
static long *counted;

/* ---- names ---- */

struct nodes {
    struct node **nodes; // held
    size_t count, size;
};

static struct nodes nodes_hold(bool directories) {
    struct nodes held = {0};
    for (const struct node *node = tree.nodes; node != NULL; node = node->next)
        held.count += node_is_directory(node) == directories;
    held.size = held.count * sizeof(struct node *);
    held.nodes = memory_take(held.size);
    size_t count = 0;
    for (struct node *node = tree.nodes; node != NULL; node = node->next)
        if (node_is_directory(node) == directories)
            held.nodes[count++] = node_hold(node);
    return held;
}

static void nodes_drop(struct nodes *held) {
    for (size_t i = 0; i < held->count; i++)
        node_drop(held->nodes[i]);
    memory_give(held->nodes, held->size);
}

/* The step of a moment between its last sync and now. */
static uint64_t some_step(const struct node *directory) {
    uint64_t changes = 0;
    for (const struct change *change = directory->changes; change != NULL; change = change->older)
        changes++;
    uint64_t undone = random_below(chance, changes + 1);
    const struct change *change = directory->changes;
    while (undone-- > 0)
        change = change->older;
    return change == NULL ? directory->kept_until : change->step;
}

void tree_fail_sync(struct node *directory, struct random *random) {
    chance = random;
    if (random_below(random, 2) == 0)
        tree_forget_changes_until(directory, some_step(directory));
}

static void draw_moments(const struct nodes *directories) {
    enum { ALL_LOST, ONE_MOMENT, ALL_KEPT, EACH_ITS_OWN };
    unsigned kind = (unsigned)random_below(chance, 8);
    uint64_t moment = tree.step - random_below(chance, tree.step + 1 < 64 ? tree.step + 1 : 64);
    if (kind == ALL_KEPT)
        moment = tree.step;
    for (size_t i = 0; i < directories->count; i++) {
        struct node *directory = directories->nodes[i];
        uint64_t kept = kind == ALL_LOST       ? directory->kept_until
                        : kind >= EACH_ITS_OWN ? some_step(directory)
                                               : moment;
        if (kept > directory->kept_until)
            directory->kept_until = kept;
    }
}

/* A file system with a journal never loses a file that is renamed: where the old name is gone, the
 * new one is there. */
static bool keep_moved(struct node *directory) {
    for (const struct change *change = directory->changes;
         change != NULL && change->step > directory->kept_until; change = change->older)
        if (change->other != NULL && change->before == NULL && change->after != NULL &&
            change->step <= change->other->kept_until) {
            directory->kept_until = change->step;
            return true;
        }
    return false;
}

static void keep_all_moved(const struct nodes *directories) {
    for (bool kept = true; kept;) {
        kept = false;
        for (size_t i = 0; i < directories->count; i++)
            kept = keep_moved(directories->nodes[i]) || kept;
    }
}

static bool is_apart(const struct change *change, const struct node *directory) {
    return change->other != NULL && change->step > directory->kept_until &&
           change->step <= change->other->kept_until;
}

/* The change is not forgotten yet, so its nodes are there. */
static void undo(struct node *directory) {
    for (const struct change *change = directory->changes;
         change != NULL && change->step > directory->kept_until; change = change->older) {
        counted[DISK_LOST_NAME]++;
        counted[DISK_APART] += is_apart(change, directory);
        tree_set_name(directory, change->name, change->length, change->before);
    }
}

/* ---- bytes ---- */

static const unsigned char *synced_bytes(const struct node *file) {
    return file->before != NULL ? file->before : file->bytes;
}

static size_t within(size_t bound, size_t from, size_t to) {
    return bound < from ? from : bound > to ? to : bound;
}

/* bytes[from, to) as they were synced; zeros from `bound` on, and where the file was shorter. */
static void put_synced(const struct node *file, unsigned char *bytes, size_t from, size_t to,
                       size_t bound) {
    size_t end = within(file->synced_size < bound ? file->synced_size : bound, from, to);
    if (end > from)
        memcpy(bytes + from, synced_bytes(file) + from, end - from);
    memset(bytes + end, 0, to - end);
}

static void put_sector(const struct node *file, unsigned char *bytes, size_t from, size_t to,
                       unsigned kind) {
    enum { WRITTEN, AS_BEFORE, ZEROS };
    size_t end = within(file->size, from, to);
    if (kind == WRITTEN) {
        if (end > from)
            memcpy(bytes + from, file->bytes + from, end - from);
        put_synced(file, bytes, end, to, SIZE_MAX);
        return;
    }
    size_t bound = kind == ZEROS ? file->least : SIZE_MAX;
    put_synced(file, bytes, from, to, bound);
    if (end == from || memcmp(bytes + from, file->bytes + from, end - from) == 0)
        return;
    counted[DISK_LOST_BYTES] += kind == AS_BEFORE;
    counted[DISK_ZEROS] += kind == ZEROS;
}

static size_t draw_size(const struct node *file, unsigned kind) {
    if (kind == 0)
        return file->synced_size;
    if (kind <= 2)
        return file->size;
    return file->least + (size_t)random_below(chance, file->most - file->least + 1);
}

/* All as synced, all as written, a file of zeros, some of what was written, or each sector drawn.
 */
static void draw_bytes(struct node *file) {
    enum { SYNCED, WRITTEN, ZEROS, SHORT, KINDS = 6 };
    static const unsigned sectors[] = {[SYNCED] = 1, [WRITTEN] = 0, [ZEROS] = 2, [SHORT] = 0};
    unsigned kind = (unsigned)random_below(chance, KINDS);
    size_t size = draw_size(file, kind);
    unsigned char *bytes = memory_take(size);
    for (size_t at = 0; at < size; at += SECTOR) {
        unsigned sector = kind <= SHORT ? sectors[kind] : (unsigned)random_below(chance, 3);
        put_sector(file, bytes, at, size < at + SECTOR ? size : at + SECTOR, sector);
    }
    counted[DISK_LOST_SIZE] += size != file->size;
    bytes_settle(file, bytes, size);
}

static bool same_access(const struct access *a, const struct access *b) {
    return a->mode == b->mode && a->owner == b->owner && a->group == b->group &&
           a->attributes == b->attributes;
}

static void draw_access(struct node *node) {
    if (!same_access(&node->now, &node->synced) && random_below(chance, 2) == 0) {
        counted[DISK_LOST_ACCESS]++;
        node->now = node->synced;
    }
    node->synced = node->now;
}

/* ---- directories with two names ---- */

static struct node *copy_node(const struct node *node) {
    struct node *copy = node_create(node->now.mode);
    copy->now = copy->synced = node->now;
    copy->modified_ms = node->modified_ms;
    return copy;
}

/* Files with two names become two files. */
void tree_copy(struct node *from, struct node *to) {
    for (uint32_t i = 0; i < from->count; i++) {
        const struct entry *entry = from->entries[i];
        struct node *copy = copy_node(entry->node);
        if (node_is_directory(copy))
            tree_copy(entry->node, copy);
        else
            bytes_copy(copy, entry->node);
        tree_set_name(to, entry->name, entry->length, copy);
        node_drop(copy);
    }
}

/* Removes the name of a directory that leads to one above it; copies one that was reached before.
 * From the last name on, because a name that is removed has the last one's place. */
static void part(struct node *directory) {
    directory->marked = true;
    for (uint32_t i = directory->count; i-- > 0;) {
        struct entry *entry = directory->entries[i];
        struct node *node = entry->node;
        if (!node_is_directory(node))
            continue;
        if (!node->marked) {
            node->parent = directory;
            part(node);
            continue;
        }
        const struct node *above = directory;
        while (above != NULL && above != node)
            above = above->parent;
        struct node *copy = above == NULL ? copy_node(node) : NULL;
        if (copy != NULL)
            tree_copy(node, copy);
        tree_set_name(directory, entry->name, entry->length, copy);
        if (copy != NULL)
            copy->marked = true;
        node_drop(copy);
    }
}

/* ---- all ---- */

void tree_cut_power(struct random *random, long counts[static DISK_EVENTS]) {
    chance = random;
    counted = counts;
    tree.step++;
    struct nodes directories = nodes_hold(true);
    draw_moments(&directories);
    keep_all_moved(&directories);
    for (size_t i = 0; i < directories.count; i++)
        undo(directories.nodes[i]);
    for (struct node *node = tree.nodes; node != NULL; node = node->next) {
        draw_access(node);
        node->marked = false;
        if (!node_is_directory(node) && node->dirty)
            draw_bytes(node);
    }
    tree.root->parent = NULL;
    part(tree.root);
    for (size_t i = 0; i < directories.count; i++)
        tree_forget_changes(directories.nodes[i]);
    nodes_drop(&directories);
}
