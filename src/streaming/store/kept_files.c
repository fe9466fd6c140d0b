/* kept_files.c: three places, looked at in the order of a file's life, from its end.
 *
 * A change is recorded before a file leaves its place, so whoever misses a file there reads the
 * records, and finds it; only while they grew since the last look does it pay to look again. */
#include "streaming/store/kept_files.h"

#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "streaming/store/change_steps.h"

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

/* Where a file that comes with the unfinished change is still prepared. */
static bool find_prepared(const struct kept_files *kept, bool of_rejects, const char *path,
                          struct file_path *at, bool *there, struct error *err) {
    const struct changes *changes = &kept->changes;
    for (size_t i = changes->count; i-- > 0;) {
        const struct change *change = &changes->changes[i];
        if (change->number != changes->unfinished || change->of_rejects != of_rejects)
            continue;
        struct file_path aside = change_aside(kept->store, of_rejects);
        struct file_path own = file_join_number(aside.text, change->number);
        struct file_path staging = file_join(own.text, "files");
        for (size_t j = 0; j < change->added.count; j++) {
            const struct data_file *file = &change->added.files[j];
            if (strcmp(file->path, path) != 0 || file->staged == NULL)
                continue;
            *at = file_join(staging.text, file->staged);
            int found = file_exists(at->text, NULL, err);
            *there = found == 1;
            return found >= 0;
        }
    }
    return true;
}

static bool find_aside(const struct kept_files *kept, bool of_rejects, const char *path,
                       struct file_path *at, bool *there, struct error *err) {
    const struct change *change = NULL;
    if (changes_fate(&kept->changes, of_rejects, path, &change) != FILE_STAYED &&
        !changes_kept_path(kept->store, change, path, at, there, err))
        return false;
    return *there || find_prepared(kept, of_rejects, path, at, there, err);
}

bool kept_files_find(struct kept_files *kept, bool of_rejects, const char *path,
                     struct file_path *at, bool *there, struct error *err) {
    const struct store *store = kept->store;
    const char *root = of_rejects ? store->rejects.root.text : store->table.root.text;
    bool ok = true, news = true;
    pthread_mutex_lock(&kept->lock);
    for (*there = false; ok && !*there && news;) {
        struct file_path live = file_join(root, path);
        int found = file_exists(live.text, NULL, err);
        *there = found == 1;
        *at = live;
        ok = found >= 0;
        if (*there || !ok)
            break;
        if (kept->read && (!find_aside(kept, of_rejects, path, at, there, err)))
            ok = false;
        if (ok && !*there)
            ok = refresh(kept, &news, err);
    }
    pthread_mutex_unlock(&kept->lock);
    return ok;
}
