/* model_tree.c: nodes (files and directories) and their names.
 *
 * All names of all directories are in one hash table, by directory and name; a directory has a list
 * of its own besides, in any order. A node lives as long as something refers to it: a name, a
 * descriptor, or a change that a power cut could still undo. */
#include "model_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/system/clock.h"
#include "model_memory.h"

enum { BUCKETS_FIRST = 1024 };

struct tree tree;

/* ---- nodes ---- */

struct node *node_create(mode_t mode) {
    struct node *node = memory_take(sizeof *node);
    memset(node, 0, sizeof *node);
    node->number = ++tree.numbers;
    node->references = 1;
    node->now = node->synced =
        (struct access){.mode = mode, .owner = tree.user, .group = tree.group};
    node->modified_ms = clock_wall_ms();
    node->next = tree.nodes;
    if (tree.nodes != NULL)
        tree.nodes->previous = node;
    tree.nodes = node;
    return node;
}

struct node *node_hold(struct node *node) {
    if (node != NULL)
        node->references++;
    return node;
}

static void node_free(struct node *node) {
    while (node->count > 0) {
        const struct entry *entry = node->entries[node->count - 1];
        tree_set_name(node, entry->name, entry->length, NULL);
    }
    tree_forget_changes(node);
    memory_give(node->entries, node->entries_room * sizeof(struct entry *));
    bytes_free(node);
    if (node->previous != NULL)
        node->previous->next = node->next;
    else
        tree.nodes = node->next;
    if (node->next != NULL)
        node->next->previous = node->previous;
    memory_give(node, sizeof *node);
}

void node_drop(struct node *node) {
    if (node != NULL && --node->references == 0)
        node_free(node);
}

/* ---- the table of names ---- */

static uint32_t hash_of(const struct node *directory, const char *name, size_t length) {
    uint64_t hash = directory->number * 0x9e3779b97f4a7c15U;
    for (; length >= 8; name += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, name, sizeof word);
        hash = (hash ^ word) * 0xff51afd7ed558ccdU;
        hash ^= hash >> 32;
    }
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3U;
    return (uint32_t)(hash ^ (hash >> 29));
}

static struct entry **bucket_of(uint32_t hash) {
    return &tree.buckets[hash & (tree.bucket_count - 1)];
}

struct entry *tree_find(const struct node *directory, const char *name, size_t length) {
    uint32_t hash = hash_of(directory, name, length);
    struct entry *entry = *bucket_of(hash);
    while (entry != NULL && (entry->hash != hash || entry->directory != directory ||
                             entry->length != length || memcmp(entry->name, name, length) != 0))
        entry = entry->same_bucket;
    return entry;
}

static void grow_table(void) {
    struct entry **old = tree.buckets;
    size_t old_count = tree.bucket_count;
    tree.bucket_count *= 4;
    tree.buckets = memory_take(tree.bucket_count * sizeof(struct entry *));
    memset(tree.buckets, 0, tree.bucket_count * sizeof(struct entry *));
    for (size_t i = 0; i < old_count; i++) {
        for (struct entry *entry = old[i], *next; entry != NULL; entry = next) {
            next = entry->same_bucket;
            entry->same_bucket = *bucket_of(entry->hash);
            *bucket_of(entry->hash) = entry;
        }
    }
    memory_give(old, old_count * sizeof(struct entry *));
}

/* ---- the list of a directory ---- */

static void list_entry(struct node *directory, struct entry *entry) {
    if (directory->count == directory->entries_room) {
        size_t size = directory->entries_room * sizeof(struct entry *);
        size_t larger = memory_room(size == 0 ? 8 * sizeof(struct entry *) : size * 2);
        struct entry **entries = memory_take(larger);
        if (size > 0)
            memcpy(entries, directory->entries, size);
        memory_give(directory->entries, size);
        directory->entries = entries;
        directory->entries_room = (uint32_t)(larger / sizeof(struct entry *));
    }
    entry->at = directory->count;
    directory->entries[directory->count++] = entry;
}

static struct entry *add_entry(struct node *directory, const char *name, size_t length) {
    if (tree.entry_count++ == tree.bucket_count)
        grow_table();
    struct entry *entry = memory_take(sizeof *entry + length + 1);
    entry->directory = directory;
    entry->node = NULL;
    entry->hash = hash_of(directory, name, length);
    entry->length = (uint32_t)length;
    memcpy(entry->name, name, length);
    entry->name[length] = '\0';
    entry->same_bucket = *bucket_of(entry->hash);
    *bucket_of(entry->hash) = entry;
    list_entry(directory, entry);
    return entry;
}

static void remove_entry(struct entry *entry) {
    struct node *directory = entry->directory;
    struct entry *last = directory->entries[--directory->count];
    directory->entries[entry->at] = last;
    last->at = entry->at;
    struct entry **at = bucket_of(entry->hash);
    while (*at != entry)
        at = &(*at)->same_bucket;
    *at = entry->same_bucket;
    tree.entry_count--;
    memory_give(entry, sizeof *entry + entry->length + 1);
}

static void name_node(struct node *directory, struct node *node) {
    node_hold(node)->names++;
    if (!node_is_directory(node))
        return;
    node->parent = directory;
    directory->directories++;
}

static void unname_node(struct node *directory, struct node *node) {
    node->names--;
    if (node_is_directory(node))
        directory->directories--;
    if (node->names == 0)
        node->parent = NULL;
    node_drop(node);
}

/* The new one is named before the old one loses its name, so that one that has both stays. */
void tree_set_name(struct node *directory, const char *name, size_t length, struct node *node) {
    struct entry *entry = tree_find(directory, name, length);
    if (entry == NULL && node == NULL)
        return;
    if (entry == NULL)
        entry = add_entry(directory, name, length);
    struct node *before = entry->node;
    entry->node = node;
    if (before != NULL)
        unname_node(directory, node_hold(before));
    if (node != NULL)
        name_node(directory, node);
    else
        remove_entry(entry);
    node_drop(before);
}

/* ---- changes that are not synced ---- */

void tree_change_name(struct node *directory, const char *name, size_t length, struct node *node,
                      struct node *other) {
    const struct entry *entry = tree_find(directory, name, length);
    struct change *change = memory_take(sizeof *change + length + 1);
    *change = (struct change){
        .older = directory->changes,
        .step = tree.step,
        .before = node_hold(entry == NULL ? NULL : entry->node),
        .after = node_hold(node),
        .other = node_hold(other),
        .length = (uint32_t)length,
    };
    memcpy(change->name, name, length);
    change->name[length] = '\0';
    directory->changes = change;
    directory->modified_ms = clock_wall_ms();
    tree_set_name(directory, name, length, node);
}

static void forget(struct change *change) {
    while (change != NULL) {
        struct change *older = change->older;
        node_drop(change->before);
        node_drop(change->after);
        node_drop(change->other);
        memory_give(change, sizeof *change + change->length + 1);
        change = older;
    }
}

void tree_forget_changes_until(struct node *directory, uint64_t step) {
    struct change **at = &directory->changes;
    while (*at != NULL && (*at)->step > step)
        at = &(*at)->older;
    struct change *durable = *at;
    *at = NULL;
    if (directory->kept_until < step)
        directory->kept_until = step;
    forget(durable);
}

void tree_forget_changes(struct node *directory) {
    tree_forget_changes_until(directory, tree.step);
}

/* ---- all ---- */

void tree_begin(struct random random) {
    memory_give_all();
    tree = (struct tree){.random = random, .bucket_count = BUCKETS_FIRST};
    tree.buckets = memory_take(tree.bucket_count * sizeof(struct entry *));
    memset(tree.buckets, 0, tree.bucket_count * sizeof(struct entry *));
    tree.root = node_create(S_IFDIR | 01777);
    tree.root->names = 1;
}

void tree_end(void) {
    tree = (struct tree){0};
    memory_give_all();
}
