/* changes.c: the records of changes/, and one sorted list of all names in them.
 *
 * A file is named twice at most: by the change that added it and by the one that it left with. The
 * last that names it decides. */
#include "streaming/changes/changes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"

struct change_name {
    const char *path; // the change's
    bool of_rejects, came_in;
    size_t change; // index
    const struct data_file *file;
};

struct file_path change_aside(const struct store *store, bool of_rejects) {
    const struct table *table = of_rejects ? &store->rejects : &store->table;
    const char *name = strrchr(table->root.text, '/') + 1;
    struct file_path aside;
    int length = snprintf(aside.text, sizeof aside.text, "%.*s.%s.aside",
                          (int)(name - table->root.text), table->root.text, name);
    check(length > 0 && (size_t)length < sizeof aside.text);
    return aside;
}

void changes_deinit(struct changes *changes) {
    for (size_t i = 0; i < changes->count; i++)
        change_deinit(&changes->changes[i]);
    free(changes->changes);
    free(changes->names);
    *changes = (struct changes){.unfinished = -1};
}

/* ---- read ---- */

static bool read_record(const struct store *store, const char *name, int64_t number,
                        struct change *change, bool *found, struct error *err) {
    struct file_path path = file_join(store->checkpoint.changes.text, name);
    struct manifest_origin origin = store_origin(store);
    scoped(scope_free) char *text = NULL;
    size_t size;
    *change = (struct change){0};
    if (!file_read(path.text, CHANGE_SIZE_MAX, &text, &size, err))
        return false;
    *found = text != NULL;
    return text == NULL || change_parse(text, size, number, &origin, change, err) ||
           error_wrap(err, "'%s'", path.text);
}

bool change_read(const struct store *store, int64_t number, struct change *change, bool *found,
                 bool *open, struct error *err) {
    char name[32], open_name[32];
    (void)snprintf(name, sizeof name, "%" PRId64, number);
    (void)snprintf(open_name, sizeof open_name, "%" PRId64 ".open", number);
    // It may be finished between the two looks, and never goes back.
    *open = true;
    if (!read_record(store, open_name, number, change, found, err))
        return false;
    if (*found)
        return true;
    *open = false;
    return read_record(store, name, number, change, found, err);
}

static void add_change(struct changes *changes, const struct change *change, bool open) {
    changes->changes = reallocarray(changes->changes, changes->count + 1, sizeof *changes->changes);
    check(changes->changes != NULL);
    changes->changes[changes->count++] = *change;
    if (open)
        changes->unfinished = change->number;
}

static int by_number(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

bool changes_numbers(const struct store *store, int64_t **numbers, size_t *count,
                     struct error *err) {
    scoped(scope_free) int64_t *open = NULL;
    int64_t *done = NULL;
    size_t open_count, done_count;
    *numbers = NULL;
    // In this order, so that one that is finished meanwhile is seen.
    if (!file_list_numbers(store->checkpoint.changes.text, ".open", &open, &open_count, err) ||
        !file_list_numbers(store->checkpoint.changes.text, "", &done, &done_count, err))
        return false;
    done = reallocarray(done, done_count + open_count + 1, sizeof *done);
    check(done != NULL);
    if (open_count > 0)
        memcpy(&done[done_count], open, open_count * sizeof *open);
    size_t all = done_count + open_count, kept = 0;
    if (all > 1)
        qsort(done, all, sizeof *done, by_number);
    for (size_t i = 0; i < all; i++)
        if (kept == 0 || done[kept - 1] != done[i])
            done[kept++] = done[i];
    *numbers = done;
    *count = kept;
    return true;
}

static int by_name(const void *a, const void *b) {
    const struct change_name *left = a, *right = b;
    if (left->of_rejects != right->of_rejects)
        return left->of_rejects ? 1 : -1;
    int order = strcmp(left->path, right->path);
    return order != 0 ? order : (left->change > right->change) - (left->change < right->change);
}

static void add_names(struct changes *changes, size_t index, bool came_in) {
    const struct change *change = &changes->changes[index];
    const struct file_list *files = came_in ? &change->added : &change->left;
    for (size_t i = 0; i < files->count; i++)
        changes->names[changes->name_count++] =
            (struct change_name){.path = files->files[i].path,
                                 .of_rejects = change->of_rejects,
                                 .came_in = came_in,
                                 .change = index,
                                 .file = &files->files[i]};
}

static void list_names(struct changes *changes) {
    size_t count = 0;
    for (size_t i = 0; i < changes->count; i++)
        count += changes->changes[i].left.count + changes->changes[i].added.count;
    changes->names = must_alloc(count + 1, sizeof *changes->names);
    for (size_t i = 0; i < changes->count; i++) {
        add_names(changes, i, false);
        add_names(changes, i, true);
    }
    if (count > 1)
        qsort(changes->names, count, sizeof *changes->names, by_name);
}

bool changes_read(const struct store *store, struct changes *changes, struct error *err) {
    scoped(scope_free) int64_t *numbers = NULL;
    size_t count;
    *changes = (struct changes){.unfinished = -1};
    if (!changes_numbers(store, &numbers, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct change change;
        bool found, open;
        if (!change_read(store, numbers[i], &change, &found, &open, err)) {
            changes_deinit(changes);
            return false;
        }
        if (found)
            add_change(changes, &change, open);
    }
    list_names(changes);
    return true;
}

/* ---- look up ---- */

/* The last that names the path; NULL: none does. */
static const struct change_name *find_name(const struct changes *changes, bool of_rejects,
                                           const char *path) {
    const struct change_name behind = {.path = path, .of_rejects = of_rejects, .change = SIZE_MAX};
    size_t low = 0, high = changes->name_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_name(&changes->names[middle], &behind) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    const struct change_name *last = low == 0 ? NULL : &changes->names[low - 1];
    return last != NULL && last->of_rejects == of_rejects && strcmp(last->path, path) == 0 ? last
                                                                                           : NULL;
}

enum file_fate changes_fate(const struct changes *changes, bool of_rejects, const char *path,
                            const struct change **change) {
    static const enum file_fate fates[] = {
        [CHANGE_COMPACTION] = FILE_COMPACTED,
        [CHANGE_EXPIRY] = FILE_EXPIRED,
        [CHANGE_ACCEPTANCE] = FILE_ACCEPTED,
    };
    const struct change_name *name = find_name(changes, of_rejects, path);
    bool left = name != NULL && !name->came_in;
    if (change != NULL)
        *change = left ? &changes->changes[name->change] : NULL;
    return left ? fates[changes->changes[name->change].kind] : FILE_STAYED;
}

const struct data_file *changes_added(const struct changes *changes, bool of_rejects,
                                      const char *path) {
    const struct change_name *name = find_name(changes, of_rejects, path);
    return name != NULL && name->came_in ? name->file : NULL;
}

void changes_gone(const struct changes *changes, enum change_kind kind, struct resolved *gone) {
    for (size_t i = 0; i < changes->count; i++)
        if (changes->changes[i].kind == kind)
            resolved_add_all(gone, &changes->changes[i].gone);
}

bool changes_kept_path(const struct store *store, const struct change *change, const char *path,
                       struct file_path *kept, bool *there, struct error *err) {
    struct file_path aside = change_aside(store, change->of_rejects);
    struct file_path left = file_join(file_join_number(aside.text, change->number).text, "left");
    *kept = file_join(left.text, path);
    int found = file_exists(kept->text, NULL, err);
    *there = found == 1;
    return found >= 0;
}
