/* set_aside.c: a file that must not stay gets another name, and nothing is ever replaced.
 *
 * The name is taken by a rename that fails if somebody has it; then the next number is tried. The
 * file goes first, then its checksum: who died between the two calls again, finds no file, and
 * still removes the checksum. */
#include "streaming/table/set_aside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/disk/file.h"
#include "base/scope.h"
#include "base/text.h"

enum { NAMES_MAX = 1000 }; // how often one file can come and be set aside again

/* The checksum would make the next reader of the name fail. */
static bool remove_checksum(const char *path, struct error *err) {
    struct file_path parent = file_parent(path);
    scoped(scope_free) char *name = NULL;
    name = text_format(".%s.crc", path + strlen(parent.text) + 1);
    return file_remove(file_join(parent.text, name).text, err);
}

static struct file_path target_of(const char *root, const char *name,
                                  const struct set_aside_target *target, int number) {
    char suffix[16] = "";
    if (number > 1)
        (void)snprintf(suffix, sizeof suffix, "-%d", number);
    scoped(scope_free) char *aside = NULL;
    const char *slash = target->directory[0] == '\0' ? "" : "/";
    aside = text_format("%s%s%s%s%s", target->directory, slash, name, target->ending, suffix);
    return file_join(root, aside);
}

/* The first free name; its directory is made only when it turns out to be missing, since that syncs
 * every one on the way. */
static bool rename_aside(const char *root, const char *name, const struct set_aside_target *target,
                         const char *from, struct error *err) {
    bool made = false;
    for (int number = 1; number <= NAMES_MAX; number++) {
        struct file_path to = target_of(root, name, target, number);
        if (file_rename_new(from, to.text, err))
            return true;
        if (errno == EEXIST)
            continue;
        if (errno != ENOENT || made)
            return false;
        made = true;
        if (!file_make_directory(file_parent(to.text).text, err))
            return false;
        number--; // the same name once more
    }
    return error_set(
        err, ERROR_STATE,
        "cannot set '%s' aside: '%s' already has %d files of that name; delete some of "
        "them",
        from, file_parent(target_of(root, name, target, 1).text).text, NAMES_MAX);
}

bool set_aside(const char *root, const char *name, const struct set_aside_target *target,
               bool *moved, struct error *err) {
    struct file_path from = file_join(root, name);
    int there = file_exists(from.text, NULL, err);
    *moved = there == 1;
    if (there < 0 || (there == 1 && !rename_aside(root, name, target, from.text, err)))
        return false;
    return remove_checksum(from.text, err);
}

static bool sync_if_there(const char *path, struct error *err) {
    int there = file_exists(path, NULL, err);
    return there == 0 || (there == 1 && file_sync_directory(path, err));
}

bool set_aside_sync(const char *root, const char *name, const struct set_aside_target *target,
                    struct error *err) {
    struct file_path to = target_of(root, name, target, 1);
    return sync_if_there(file_parent(to.text).text, err) &&
           sync_if_there(file_parent(file_join(root, name).text).text, err);
}
