/* model_view.c: the model disk as the checker and the user see it: without faults and without
 * permissions. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "model_memory.h"
#include "model_tree.h"

enum { PATH_BYTES_MAX = 4096 };

static struct node *find(const char *path) {
    struct node *node = NULL;
    uid_t user = tree.user;
    tree.user = 0;
    int error_number = path_node(path, &node);
    tree.user = user;
    return error_number == 0 ? node : NULL;
}

const void *model_disk_bytes(const char *path, size_t *size) {
    const struct node *node = find(path);
    if (node == NULL || node_is_directory(node))
        return NULL;
    *size = node->size;
    return node->bytes != NULL ? (const void *)node->bytes : "";
}

/* ---- walking ---- */

struct walk {
    void (*visit)(void *context, const char *path, const struct node *node);
    void *context;
    bool sorted;
    char path[PATH_BYTES_MAX];
};

static int compare_entries(const void *a, const void *b) {
    const struct entry *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

/* Shows all that is below a directory, each directory before what is in it. */
static void walk(struct walk *at, const struct node *directory, size_t length);

static void walk_entry(struct walk *at, const struct entry *entry, size_t length) {
    check(length + 1 + entry->length < sizeof at->path);
    at->path[length] = '/';
    memcpy(at->path + length + 1, entry->name, entry->length + 1);
    at->visit(at->context, at->path, entry->node);
    if (node_is_directory(entry->node))
        walk(at, entry->node, length + 1 + entry->length);
}

static void walk(struct walk *at, const struct node *directory, size_t length) {
    uint32_t count = directory->count;
    size_t size = count * sizeof(struct entry *);
    struct entry **entries = memory_take(size);
    if (size > 0)
        memcpy(entries, directory->entries, size);
    if (at->sorted && count > 1)
        qsort(entries, count, sizeof(struct entry *), compare_entries);
    for (uint32_t i = 0; i < count; i++)
        walk_entry(at, entries[i], length);
    memory_give(entries, size);
}

static void walk_from(struct walk *at, const char *path) {
    const struct node *directory = find(path);
    size_t length = strlen(path);
    while (length > 0 && path[length - 1] == '/')
        length--;
    check(length < sizeof at->path);
    memcpy(at->path, path, length);
    if (directory != NULL && node_is_directory(directory))
        walk(at, directory, length);
}

struct visit_files {
    void (*visit)(void *context, const char *path, size_t size);
    void *context;
};

static void visit_file(void *context, const char *path, const struct node *node) {
    const struct visit_files *files = context;
    if (!node_is_directory(node))
        files->visit(files->context, path, node->size);
}

void model_disk_walk(const char *directory,
                     void (*visit)(void *context, const char *path, size_t size), void *context) {
    struct visit_files files = {visit, context};
    struct walk at = {.visit = visit_file, .context = &files, .sorted = true};
    walk_from(&at, directory);
}

/* ---- a hash ---- */

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    for (; size >= 8; at += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        hash = (hash ^ word) * 0xff51afd7ed558ccdU;
        hash ^= hash >> 32;
    }
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * 0x100000001b3U;
    return hash ^ (hash >> 29);
}

/* A sum, so that the order does not matter. */
static void add_hash(void *context, const char *path, const struct node *node) {
    uint64_t hash = hash_bytes(node->now.mode + 1, path, strlen(path));
    hash = hash_bytes(hash ^ node->size, node->bytes, node_is_directory(node) ? 0 : node->size);
    *(uint64_t *)context += hash * 0x9e3779b97f4a7c15U;
}

uint64_t model_disk_hash(void) {
    uint64_t hash = 0;
    struct walk at = {.visit = add_hash, .context = &hash};
    walk_from(&at, "/");
    return hash;
}

/* ---- printing ---- */

static void print_node(void *context, const char *path, const struct node *node) {
    FILE *out = context;
    if (!node_is_directory(node)) {
        (void)fprintf(out, "%s %zu", path, node->size);
        if (node->dirty)
            (void)fprintf(out, " (synced: %zu bytes)", node->synced_size);
        (void)fprintf(out, "\n");
        return;
    }
    (void)fprintf(out, "%s/\n", path);
    for (const struct change *change = node->changes; change != NULL; change = change->older)
        (void)fprintf(out, "    not synced: %s %s (step %" PRIu64 ")\n", change->name,
                      change->after == NULL    ? "removed"
                      : change->before == NULL ? "new"
                                               : "replaced",
                      change->step);
}

void model_disk_print(FILE *out) {
    struct walk at = {.visit = print_node, .context = out, .sorted = true};
    walk_from(&at, "/");
}

/* ---- copies ---- */

/* The directory of a path's last name, made if it is missing; all of it is durable. */
static struct node *make_parent(const char *path, const char **name) {
    struct node *at = tree.root;
    const char *slash;
    for (path += strspn(path, "/"); (slash = strchr(path, '/')) != NULL; path = slash + 1) {
        size_t length = (size_t)(slash - path);
        const struct entry *entry = tree_find(at, path, length);
        tree_forget_changes(at);
        if (entry == NULL) {
            struct node *node = node_create(S_IFDIR | 0755);
            tree_set_name(at, path, length, node);
            node_drop(node);
            at = node;
        } else {
            at = entry->node;
        }
        check(node_is_directory(at));
    }
    tree_forget_changes(at);
    *name = path;
    return at;
}

/* Nothing outside of it knows them, so nothing keeps them. */
static void settle(struct node *node) {
    node->synced = node->now;
    if (!node_is_directory(node)) {
        bytes_sync(node);
        return;
    }
    tree_forget_changes(node);
    for (uint32_t i = 0; i < node->count; i++)
        settle(node->entries[i]->node);
}

void model_disk_copy(const char *from, const char *to) {
    const char *name;
    struct node *source = node_hold(find(from));
    check(source != NULL);
    tree.step++;
    struct node *parent = make_parent(to, &name);
    struct node *copy = node_create(source->now.mode);
    if (node_is_directory(source))
        tree_copy(source, copy);
    else
        bytes_copy(copy, source);
    copy->now = source->now;
    copy->modified_ms = source->modified_ms;
    settle(copy);
    tree_set_name(parent, name, strlen(name), copy);
    node_drop(copy);
    node_drop(source);
}

void model_disk_remove(const char *path) {
    const char *name;
    if (find(path) == NULL)
        return;
    tree.step++;
    struct node *parent = make_parent(path, &name);
    tree_set_name(parent, name, strlen(name), NULL);
}
