/* control_group.c: where the limits of our control groups stand.
 *
 * /proc/self/cgroup has a line for each hierarchy we are in: one for version 2, and one for each
 * set of controllers of version 1; both may be in use at once. A limit holds for a group and for
 * all below it, so the least of our group's and its parents' is the one that counts. */
#include "base/control_group.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool control_group_read(const char *directory, const char *name, char *line, int size) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool ok = fgets(line, size, file) != NULL;
    (void)fclose(file); // read only
    return ok;
}

struct walk {
    const char *root;
    void (*visit)(void *context, const char *directory, bool version_2);
    void *context;
};

/* The group and its parents up to the root. */
static void climb(const struct walk *walk, const char *hierarchy, char *group, bool version_2) {
    for (;;) {
        char directory[PATH_MAX];
        snprintf(directory, sizeof directory, "%s%s", hierarchy, group);
        walk->visit(walk->context, directory, version_2);
        char *slash = strrchr(group, '/');
        if (slash == NULL)
            return;
        *slash = '\0';
    }
}

static bool has_controller(const char *controllers, const char *name) {
    size_t size = strlen(name);
    for (const char *at = strstr(controllers, name); at != NULL; at = strstr(at + 1, name))
        if ((at == controllers || at[-1] == ',') && (at[size] == ',' || at[size] == '\0'))
            return true;
    return false;
}

void control_group_each(const char *membership, const char *root, const char *controller,
                        void (*visit)(void *context, const char *directory, bool version_2),
                        void *context) {
    const struct walk walk = {root, visit, context};
    char line[PATH_MAX];
    FILE *file = fopen(membership, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        // "0::/path" (v2) or "4:cpu,cpuacct:/path" (v1)
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (group == NULL)
            continue;
        *group++ = '\0';
        controllers++;
        if (strcmp(group, "/") == 0)
            group[0] = '\0';
        char hierarchy[PATH_MAX];
        if (*controllers == '\0') {
            climb(&walk, root, group, true);
        } else if (has_controller(controllers, controller)) {
            snprintf(hierarchy, sizeof hierarchy, "%s/%s", root, controllers);
            climb(&walk, hierarchy, group, false);
        }
    }
    if (file != NULL)
        (void)fclose(file); // read only
}

static void take_memory_limit(void *context, const char *directory, bool version_2) {
    int64_t *limit = context;
    char line[64], *end;
    const char *name = version_2 ? "memory.max" : "memory.limit_in_bytes";
    if (!control_group_read(directory, name, line, sizeof line))
        return;
    long long bytes = strtoll(line, &end, 10); // "max": no limit
    if (end != line && bytes > 0 && bytes < *limit)
        *limit = bytes;
}

int64_t control_group_memory(const char *membership, const char *root) {
    int64_t limit = INT64_MAX;
    control_group_each(membership, root, "memory", take_memory_limit, &limit);
    return limit >= INT64_MAX / 2 ? INT64_MAX : limit; // version 1 says "none" by a huge number
}
