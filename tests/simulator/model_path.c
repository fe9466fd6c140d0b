/* model_path.c: from a path to a node, with Linux's errors and permissions. */
#include "model_tree.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* ---- permissions ---- */

bool path_may(const struct node *node, int what) {
    const struct access *access = &node->now;
    if (tree.user == 0) // all, but to run a file that nobody may run
        return (what & MAY_ENTER) == 0 || node_is_directory(node) || (access->mode & 0111) != 0;
    unsigned shift = access->owner == tree.user ? 6 : access->group == tree.group ? 3 : 0;
    return ((access->mode >> shift) & (unsigned)what) == (unsigned)what;
}

int path_may_create(const struct node *directory) {
    return path_may(directory, MAY_WRITE | MAY_ENTER) ? 0 : EACCES;
}

int path_may_remove(const struct node *directory, const struct node *node) {
    if (!path_may(directory, MAY_WRITE | MAY_ENTER))
        return EACCES;
    bool is_sticky = (directory->now.mode & S_ISVTX) != 0 && tree.user != 0;
    return is_sticky && directory->now.owner != tree.user && node->now.owner != tree.user ? EPERM
                                                                                          : 0;
}

/* ---- paths ---- */

static int enter(struct node *node) {
    if (!node_is_directory(node))
        return ENOTDIR;
    return path_may(node, MAY_ENTER) ? 0 : EACCES;
}

/* One name on the way, or the last. */
static int step(struct place *place, const char *name, size_t length) {
    struct node *at = place->directory;
    int error_number = enter(at);
    if (error_number != 0)
        return error_number;
    place->name = name;
    place->length = length;
    if (length == 1 && name[0] == '.') {
        place->last = LAST_DOT;
        place->node = at;
        return 0;
    }
    if (length == 2 && name[0] == '.' && name[1] == '.') {
        place->last = LAST_DOT_DOT;
        place->node = at->parent != NULL ? at->parent : at;
        return 0;
    }
    place->too_long = length > NAME_BYTES_MAX;
    const struct entry *entry = place->too_long ? NULL : tree_find(at, name, length);
    place->last = LAST_NAME;
    place->node = entry == NULL ? NULL : entry->node;
    return 0;
}

int path_find(const char *path, struct place *place) {
    *place = (struct place){.directory = tree.root, .node = tree.root, .last = LAST_ROOT};
    if (path[0] == '\0')
        return ENOENT;
    const char *at = path + strspn(path, "/");
    while (*at != '\0') {
        const char *end = strchrnul(at, '/');
        if (end - path >= PATH_MAX)
            return ENAMETOOLONG;
        int error_number = step(place, at, (size_t)(end - at));
        if (error_number != 0)
            return error_number;
        at = end + strspn(end, "/");
        place->slash = *end == '/';
        if (*at == '\0')
            break;
        if (place->node == NULL)
            return place->too_long ? ENAMETOOLONG : ENOENT;
        place->directory = place->node;
    }
    return at - path >= PATH_MAX ? ENAMETOOLONG : 0;
}

int path_node(const char *path, struct node **node) {
    struct place place;
    int error_number = path_find(path, &place);
    if (error_number != 0)
        return error_number;
    if (place.node == NULL)
        return place.too_long ? ENAMETOOLONG : ENOENT;
    *node = place.node;
    return place.slash && !node_is_directory(place.node) ? ENOTDIR : 0;
}
