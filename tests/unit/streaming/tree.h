/* tree.h: the files below a directory, as a list that tests can look through. */
#ifndef TREE_H
#define TREE_H

#include "store_fixture.h"

struct tree {
    char *paths[2048]; // owned; relative to the root, files only, sorted
    size_t count;
};

static struct tree *tree_walked; // nftw() has no context
static size_t tree_root_length;

static int tree_add(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)status, (void)at;
    check(tree_walked->count < sizeof tree_walked->paths / sizeof tree_walked->paths[0]);
    if (type == FTW_F)
        tree_walked->paths[tree_walked->count++] = strdup(path + tree_root_length + 1);
    return 0;
}

static int tree_compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline void tree_init(struct tree *tree, const char *root) {
    *tree = (struct tree){0};
    tree_walked = tree;
    tree_root_length = strlen(root);
    (void)nftw(root, tree_add, 16, FTW_PHYS);
    tree_walked = NULL;
    qsort(tree->paths, tree->count, sizeof(char *), tree_compare);
}

static inline void tree_deinit(struct tree *tree) {
    for (size_t i = 0; i < tree->count; i++)
        free(tree->paths[i]);
}

static const char *tree_copy_to;

static int tree_copy_path(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)status, (void)at;
    struct file_path to;
    (void)snprintf(to.text, sizeof to.text, "%s%s", tree_copy_to, path + tree_root_length);
    check((type == FTW_D ? mkdir(to.text, 0755) : link(path, to.text)) == 0);
    return 0;
}

/* Replaces what exists. Files are hard links: the program that works on the copy replaces files
 * and never writes into one, except for the text of a lock. */
static inline void tree_copy(const char *from, const char *to) {
    (void)nftw(to, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    tree_copy_to = to;
    tree_root_length = strlen(from);
    (void)nftw(from, tree_copy_path, 16, FTW_PHYS);
}

/* Names and contents of all files but those called `but`, hidden or not ("lock", "_lock"), as one
 * text; owned by the caller. */
static inline char *tree_print(const char *root, const char *but) {
    struct tree tree;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    check(out != NULL);
    tree_init(&tree, root);
    for (size_t i = 0; i < tree.count; i++) {
        const char *name = strrchr(tree.paths[i], '/');
        if (name != NULL && strcmp(name + 1 + (name[1] == '_'), but) == 0)
            continue;
        struct error err;
        char *content;
        check(file_read(file_join(root, tree.paths[i]).text, 1 << 24, &content, &size, &err));
        check(fprintf(out, "%s: %zu %s\n", tree.paths[i], size, content) > 0);
        free(content);
    }
    tree_deinit(&tree);
    check(fclose(out) == 0);
    return text;
}

#endif
