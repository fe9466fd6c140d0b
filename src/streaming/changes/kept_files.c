/* kept_files.c: the places where a file can be.
 *
 * A change is recorded before a file leaves its place. So a reader that misses a file there reads
 * the records, and finds it. It reads them again only if there are more records than before. */
#include "streaming/changes/kept_files.h"

#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "streaming/changes/change_steps.h"
#include "streaming/table/exchange.h"

enum { LOOKS_MAX = 5 };

void kept_files_init(struct kept_files *kept, const struct store *store) {
    *kept = (struct kept_files){.store = store, .unfinished = -1};
    check(pthread_mutex_init(&kept->lock, NULL) == 0);
}

void kept_files_deinit(struct kept_files *kept) {
    changes_deinit(&kept->changes);
    check(pthread_mutex_destroy(&kept->lock) == 0);
    *kept = (struct kept_files){0};
}

/* Reads the records if there are others than at the last time. *news: there are. */
static bool refresh(struct kept_files *kept, bool *news, struct error *err) {
    const char *directory = kept->store->checkpoint.changes.text;
    scoped(scope_free) int64_t *done = NULL;
    scoped(scope_free) int64_t *open = NULL;
    size_t done_count, open_count;
    if (!file_list_numbers(directory, "", &done, &done_count, err) ||
        !file_list_numbers(directory, ".open", &open, &open_count, err))
        return false;
    int64_t unfinished = open_count > 0 ? open[0] : -1;
    size_t records = done_count + open_count;
    *news = !kept->read || records != kept->records || unfinished != kept->unfinished;
    if (!*news)
        return true;
    changes_deinit(&kept->changes);
    kept->read = false;
    if (!changes_read(kept->store, &kept->changes, err))
        return false;
    kept->read = true;
    kept->records = records;
    kept->unfinished = unfinished;
    return true;
}

/* A change that is recorded and not finished; NULL: none is. */
static const struct change *unfinished(const struct kept_files *kept, bool of_rejects) {
    const struct changes *changes = &kept->changes;
    for (size_t i = changes->count; i-- > 0;)
        if (changes->changes[i].number == changes->unfinished &&
            changes->changes[i].of_rejects == of_rejects)
            return &changes->changes[i];
    return NULL;
}

static bool try_path(const struct file_path *path, struct file_path *at, bool *there,
                     struct error *err) {
    int found = file_exists(path->text, NULL, err);
    *at = *path;
    *there = found == 1;
    return found >= 0;
}

/* Where a file that comes with the change is prepared. */
static bool find_prepared(const struct change *change, const char *home, const char *path,
                          struct file_path *at, bool *there, struct error *err) {
    struct file_path files = file_join(home, "files");
    for (size_t i = 0; i < change->added.count; i++) {
        const struct data_file *file = &change->added.files[i];
        struct file_path prepared = file_join(files.text, file->staged);
        if (strcmp(file->path, path) == 0)
            return try_path(&prepared, at, there, err);
    }
    return true;
}

/* Where one that leaves is between the exchange of its directory and its move to `left`. */
static bool find_exchanged(const struct change *change, const char *home, const char *path,
                           struct file_path *at, bool *there, struct error *err) {
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);
    const struct exchange exchange = {.left = &change->left, .added = &change->added};
    struct path_list directories = exchange_directories(&exchange);
    struct file_path next = file_join(home, "next");
    bool ok = true;
    for (size_t i = 0; i < directories.count; i++) {
        const char *directory = directories.paths[i];
        if (strlen(directory) != length || strncmp(directory, path, length) != 0)
            continue;
        struct file_path old = file_join_number(next.text, (int64_t)i);
        struct file_path full = file_join(old.text, slash == NULL ? path : slash + 1);
        ok = try_path(&full, at, there, err);
        break;
    }
    path_list_deinit(&directories);
    return ok;
}

static bool find_aside(const struct kept_files *kept, bool of_rejects, const char *path,
                       struct file_path *at, bool *there, struct error *err) {
    const struct change *change = NULL, *open = unfinished(kept, of_rejects);
    if (changes_fate(&kept->changes, of_rejects, path, &change) != FILE_STAYED &&
        !changes_kept_path(kept->store, change, path, at, there, err))
        return false;
    if (*there || open == NULL)
        return true;
    struct file_path aside = change_aside(kept->store, of_rejects);
    struct file_path home = file_join_number(aside.text, open->number);
    return find_exchanged(open, home.text, path, at, there, err) &&
           (*there || find_prepared(open, home.text, path, at, there, err));
}

/* One look at all places. */
static bool look(struct kept_files *kept, bool of_rejects, const char *path, struct file_path *at,
                 bool *there, struct error *err) {
    const struct store *store = kept->store;
    struct file_path live =
        file_join(of_rejects ? store->rejects.root.text : store->table.root.text, path);
    return try_path(&live, at, there, err) &&
           (*there || !kept->read || find_aside(kept, of_rejects, path, at, there, err));
}

bool kept_files_find(struct kept_files *kept, bool of_rejects, const char *path,
                     struct file_path *at, bool *there, struct error *err) {
    bool ok = true, again = true;
    *there = false;
    pthread_mutex_lock(&kept->lock);
    for (int looks = 1; ok && again && !*there; looks++) {
        ok = look(kept, of_rejects, path, at, there, err) && (*there || refresh(kept, &again, err));
        // While a change is carried out, a file may be carried past the look.
        again = again || (kept->unfinished >= 0 && looks < LOOKS_MAX);
    }
    pthread_mutex_unlock(&kept->lock);
    return ok;
}

static bool is_beside(const char *a, const char *b) {
    const char *end_a = strrchr(a, '/'), *end_b = strrchr(b, '/');
    size_t length = end_a == NULL ? 0 : (size_t)(end_a - a);
    return length == (end_b == NULL ? 0 : (size_t)(end_b - b)) && strncmp(a, b, length) == 0;
}

/* Those that one change has put in the place of the file, and of these on. `open` holds those that
 * are still to be followed; numbers of changes go up, so it ends. */
static void follow(const struct changes *changes, bool of_rejects, const char *path,
                   struct path_list *successors) {
    struct path_list open = {0};
    path_list_add(&open, path);
    for (size_t i = 0; i < open.count; i++) {
        const struct change *change = NULL;
        if (changes_fate(changes, of_rejects, open.paths[i], &change) != FILE_COMPACTED) {
            if (i > 0)
                path_list_add(successors, open.paths[i]);
            continue;
        }
        for (size_t j = 0; j < change->added.count; j++) {
            const char *added = change->added.files[j].path;
            bool known = false;
            for (size_t k = 0; k < open.count && !known; k++)
                known = strcmp(open.paths[k], added) == 0;
            if (!known && is_beside(added, path))
                path_list_add(&open, added);
        }
    }
    path_list_deinit(&open);
}

bool kept_files_fate(struct kept_files *kept, bool of_rejects, const char *path,
                     enum file_fate *fate, struct path_list *successors, struct error *err) {
    bool ignored;
    pthread_mutex_lock(&kept->lock);
    bool ok = refresh(kept, &ignored, err);
    if (ok) {
        *fate = changes_fate(&kept->changes, of_rejects, path, NULL);
        if (*fate == FILE_COMPACTED)
            follow(&kept->changes, of_rejects, path, successors);
    }
    pthread_mutex_unlock(&kept->lock);
    return ok;
}

static void add_accepted(const struct changes *changes, const struct change *change,
                         struct path_list *files) {
    for (size_t i = 0; i < change->added.count; i++) {
        const char *path = change->added.files[i].path;
        enum file_fate fate = changes_fate(changes, false, path, NULL);
        if (fate == FILE_STAYED)
            path_list_add(files, path);
        else if (fate == FILE_COMPACTED)
            follow(changes, false, path, files);
    }
}

bool kept_files_accepted(struct kept_files *kept, int64_t batch_id, struct path_list *files,
                         bool *any, struct error *err) {
    bool ignored;
    *any = false;
    pthread_mutex_lock(&kept->lock);
    bool ok = refresh(kept, &ignored, err);
    for (size_t i = 0; ok && i < kept->changes.count; i++) {
        const struct change *change = &kept->changes.changes[i];
        if (change->kind == CHANGE_ACCEPTANCE && !change->of_rejects &&
            change->batch_id >= batch_id) {
            *any = true;
            add_accepted(&kept->changes, change, files);
        }
    }
    pthread_mutex_unlock(&kept->lock);
    return ok;
}
