/* exchange.c: the exchange of a directory.
 *
 * The prepared directory is made of links, from nothing each time: first the files that stay, then
 * the new ones, which stay in <home>/files until all is done. After the exchange it has the old
 * directory's place and the old one has its; then what can't be linked, directories and symbolic
 * links, is moved over, and the old directory goes to <home>/left.
 *
 * Names alone show on which side of the exchange the disk is: before it the directory has a file
 * that is to leave, or lacks a new one. Both parents are synced before anything else is done, the
 * table's first. If only one of the two becomes durable, the names still show it, and what was
 * prepared can be made again.
 *
 * Each operation that may be refused is tried before the commit point (exchange_rehearse()): it
 * must always be possible to finish a change that is recorded.
 *
 * The table's own directory is exchanged like others. The log of its files, _spark_metadata, is
 * linked file by file, so that a reader finds the log and the files together at any moment; other
 * hidden directories follow right behind. */
#include "streaming/table/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/disk/filesystem.h"
#include "base/scope.h"
#include "base/text.h"

static const char log_name[] = "_spark_metadata";

struct place {
    const struct exchange *all;
    const char *directory;      // relative to the table
    struct file_path path;      // of the directory
    struct file_path next;      // the prepared one, then the old one,
    struct file_path next_list; // in here
    struct file_path left;      // where the old one goes
    struct path_list names;     // owned; what lies in the directory, ascending
    bool there;                 // the directory is
};

/* ---- paths ---- */

static struct file_path join_or(const struct file_path *base, const char *path) {
    return path[0] == '\0' ? *base : file_join(base->text, path);
}

struct path_list exchange_directories(const struct exchange *exchange) {
    struct path_list list = {0};
    const struct file_list *const lists[] = {exchange->left, exchange->added};
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < lists[i]->count; j++) {
            struct file_path parent = file_parent(lists[i]->files[j].path);
            // They are in order, so that most are doubles of the one before.
            if (list.count == 0 || strcmp(list.paths[list.count - 1], parent.text) != 0)
                path_list_add(&list, parent.text);
        }
    path_list_sort(&list);
    path_list_drop_doubles(&list);
    return list;
}

static bool make_path(const char *base, const char *path, struct error *err) {
    struct file_path at = file_join(base, path);
    for (char *slash = at.text + strlen(base);; *slash = '/') {
        char *next = strchr(slash + 1, '/');
        if (next != NULL)
            *next = '\0';
        if (!file_make_directory_name(at.text, err) ||
            !file_sync_directory(file_parent(at.text).text, err))
            return false;
        if (next == NULL)
            return true;
        slash = next;
    }
}

/* The directory itself, or the nearest one above it that is left. */
static bool sync_nearest(const char *path, const char *root, struct error *err) {
    struct file_path at;
    (void)snprintf(at.text, sizeof at.text, "%s", path);
    for (;; at = file_parent(at.text)) {
        int there = file_exists(at.text, NULL, err);
        if (there < 0)
            return false;
        if (there == 1 || strlen(at.text) <= strlen(root))
            return file_sync_directory(at.text, err);
    }
}

/* ---- before the commit point ---- */

static bool set_unfit(struct error *err, const char *path, const char *why) {
    return error_set(err, ERROR_CONFIG, "'%s' %s: its files cannot be replaced in one step", path,
                     why);
}

bool exchange_check(const struct exchange *exchange, const char *directory, struct error *err) {
    struct file_path path = join_or(&exchange->root, directory);
    struct file_status status;
    int there = file_find(path.text, &status, err);
    if (there <= 0)
        return there == 0; // it is made, or nothing is to leave
    if (!status.is_directory)
        return set_unfit(err, path.text, "is not a directory itself, such as a symbolic link");
    struct filesystem_place here, aside;
    if (!filesystem_place(path.text, &here) || !filesystem_place(exchange->home.text, &aside))
        return error_set(err, ERROR_RETRY, "read the file system of '%s': %s", path.text,
                         strerror(errno));
    return filesystem_is_one_place(&here, &aside) ||
           set_unfit(err, path.text, "is on another file system than the table's parent");
}

/* ---- what lies there ---- */

static bool add_name(void *context, const char *name) {
    path_list_add(context, name);
    return true;
}

static bool list_names(const char *path, struct path_list *names, bool *there, struct error *err) {
    *names = (struct path_list){0};
    int listed = file_list(path, add_name, names, err);
    path_list_sort(names);
    *there = listed == 1;
    return listed >= 0;
}

static bool has_name(const struct path_list *names, const char *name) {
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(names->paths[middle], name);
        if (order == 0)
            return true;
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return false;
}

/* The name of a file that lies in this directory; NULL: it lies in another. */
static const char *name_in(const struct place *place, const struct data_file *file) {
    size_t length = strlen(place->directory);
    const char *slash = strrchr(file->path, '/');
    const char *name = slash == NULL ? file->path : slash + 1;
    size_t own = slash == NULL ? 0 : (size_t)(slash - file->path);
    return own == length && strncmp(file->path, place->directory, length) == 0 ? name : NULL;
}

static struct path_list names_of(const struct place *place, const struct file_list *files) {
    struct path_list names = {0};
    for (size_t i = 0; i < files->count; i++) {
        const char *name = name_in(place, &files->files[i]);
        if (name != NULL)
            path_list_add(&names, name);
    }
    path_list_sort(&names); // by name, where the list is by path
    return names;
}

/* Whether the directory has no file that shall leave, and all that were added. */
static bool is_exchanged(const struct place *place) {
    struct path_list left = names_of(place, place->all->left);
    struct path_list added = names_of(place, place->all->added);
    bool done = true;
    for (size_t i = 0; done && i < left.count; i++)
        done = !has_name(&place->names, left.paths[i]);
    for (size_t i = 0; done && i < added.count; i++)
        done = has_name(&place->names, added.paths[i]);
    path_list_deinit(&left);
    path_list_deinit(&added);
    return done;
}

/* ---- the prepared directory ---- */

/* Removes a tree that an earlier attempt has made. */
static bool clear_tree(const struct place *place, const char *path, struct error *err) {
    int there = file_exists(path, NULL, err);
    if (there <= 0)
        return there == 0;
    bool same = false;
    if (place->there && !file_same(path, place->path.text, &same, err))
        return false;
    if (same) // no file system that keeps its promises comes to this
        return error_set(err, ERROR_STATE,
                         "'%s' and '%s' are the same directory: the file system is damaged; check "
                         "it (fsck), then start again",
                         path, place->path.text);
    file_discard_tree(path);
    there = file_exists(path, NULL, err);
    return there == 0 || (there == 1 && error_set(err, ERROR_RETRY, "cannot remove '%s'", path));
}

/* ".<name>.crc", Spark's checksum of a file: only with its file, or a reader would compare it with
 * another. */
static bool is_checksum_of(const char *name, char *file, size_t size) {
    if (name[0] != '.' || !text_ends_with(name, ".crc"))
        return false;
    (void)snprintf(file, size, "%.*s", (int)(strlen(name) - strlen(".") - strlen(".crc")),
                   name + 1);
    return true;
}

struct stay {
    const struct path_list *left, *added;
    bool is_empty;
};

static bool stays(const struct place *place, const struct stay *stay, const char *name) {
    char file[512];
    if (has_name(stay->left, name) || has_name(stay->added, name))
        return false;
    return !is_checksum_of(name, file, sizeof file) ||
           (has_name(&place->names, file) && !has_name(stay->left, file));
}

static bool link_log_file(const struct file_path *from, const struct file_path *to,
                          const char *name, struct error *err) {
    struct file_path old = file_join(from->text, name);
    struct file_status status;
    if (text_ends_with(name, ".tmp")) // a draft that a crash left
        return true;
    return file_look(old.text, &status, err) &&
           (!status.is_file || file_link(old.text, file_join(to->text, name).text, err));
}

static bool link_log(const struct place *place, struct error *err) {
    struct file_path from = file_join(place->path.text, log_name);
    struct file_path to = file_join(place->next.text, log_name);
    struct path_list names = {0};
    bool there;
    bool ok = file_make_directory_name(to.text, err) && list_names(from.text, &names, &there, err);
    for (size_t i = 0; ok && i < names.count; i++)
        ok = link_log_file(&from, &to, names.paths[i], err);
    path_list_deinit(&names);
    return ok && file_sync_directory(to.text, err);
}

static bool link_name(const struct place *place, const char *name, struct error *err) {
    struct file_path from = file_join(place->path.text, name);
    struct file_status status;
    if (!file_look(from.text, &status, err))
        return false;
    if (status.is_file)
        return file_link(from.text, file_join(place->next.text, name).text, err);
    // Other directories follow after the exchange.
    return !status.is_directory || strcmp(name, log_name) != 0 || link_log(place, err);
}

static bool link_staying(const struct place *place, struct stay *stay, struct error *err) {
    for (size_t i = 0; i < place->names.count; i++) {
        const char *name = place->names.paths[i];
        if (!stays(place, stay, name))
            continue;
        stay->is_empty = false;
        if (!link_name(place, name, err))
            return false;
    }
    return true;
}

static bool link_added(const struct place *place, struct stay *stay, struct error *err) {
    struct file_path files = file_join(place->all->home.text, "files");
    for (size_t i = 0; i < place->all->added->count; i++) {
        const struct data_file *file = &place->all->added->files[i];
        const char *name = name_in(place, file);
        if (name == NULL)
            continue;
        stay->is_empty = false;
        if (!file_link(file_join(files.text, file->staged).text,
                       file_join(place->next.text, name).text, err))
            return false;
    }
    return true;
}

/* *empty: nothing would be in it. */
static bool prepare(const struct place *place, bool *empty, struct error *err) {
    struct path_list left = names_of(place, place->all->left);
    struct path_list added = names_of(place, place->all->added);
    struct stay stay = {.left = &left, .added = &added, .is_empty = true};
    bool ok = clear_tree(place, place->next.text, err) &&
              clear_tree(place, place->left.text, err) &&
              file_make_directory_name(place->next.text, err) &&
              file_copy_access(place->path.text, place->next.text, err) &&
              link_staying(place, &stay, err) && link_added(place, &stay, err) &&
              file_sync_directory(place->next.text, err) &&
              file_sync_directory(place->next_list.text, err);
    *empty = stay.is_empty;
    path_list_deinit(&left);
    path_list_deinit(&added);
    return ok;
}

/* ---- after the exchange ---- */

/* What could not be linked goes where it was. */
static bool move_rest(const struct place *place, struct error *err) {
    struct path_list rest;
    bool there;
    if (!list_names(place->next.text, &rest, &there, err)) {
        path_list_deinit(&rest);
        return false;
    }
    bool ok = true;
    for (size_t i = 0; ok && i < rest.count; i++) {
        struct file_path from = file_join(place->next.text, rest.paths[i]);
        struct file_path to = file_join(place->path.text, rest.paths[i]);
        struct file_status status;
        ok = file_look(from.text, &status, err) &&
             (status.is_file || file_rename_new(from.text, to.text, err) || errno == EEXIST);
    }
    path_list_deinit(&rest);
    return ok && file_sync_directory(place->path.text, err) &&
           file_sync_directory(place->next.text, err);
}

static bool make_left_parent(const struct place *place, struct error *err) {
    if (place->directory[0] == '\0')
        return true; // `left` itself comes
    struct file_path parent = file_parent(place->directory);
    struct file_path path = join_or(&(struct file_path){"left"}, parent.text);
    return make_path(place->all->home.text, path.text, err);
}

/* Moves a directory to <home>/left. */
static bool move_to_left(const struct place *place, const char *from, struct error *err) {
    return make_left_parent(place, err) && file_rename_new(from, place->left.text, err) &&
           file_sync_directory(file_parent(place->left.text).text, err);
}

/* What an earlier attempt has renamed may be unsynced. */
static bool sync_left(const struct place *place, struct error *err) {
    return sync_nearest(file_parent(place->left.text).text, place->all->home.text, err);
}

/* The exchange is visible, by this attempt or an earlier one. */
static bool settle(const struct place *place, struct error *err) {
    if (!file_sync_directory(file_parent(place->path.text).text, err) ||
        !file_sync_directory(place->next_list.text, err) || !sync_left(place, err))
        return false;
    int old = file_exists(place->next.text, NULL, err);
    if (old <= 0)
        return old == 0;
    int moved = file_exists(place->left.text, NULL, err);
    return moved >= 0 && move_rest(place, err) &&
           (moved == 1 ? clear_tree(place, place->next.text, err)
                       : move_to_left(place, place->next.text, err)) &&
           file_sync_directory(place->next_list.text, err);
}

/* Nothing would be left: the directory goes, and those of its partition values above it that are
 * empty then. */
static bool remove_parents(const struct place *place, struct error *err) {
    const char *root = place->all->root.text;
    struct file_path at = file_parent(place->path.text);
    for (; strlen(at.text) > strlen(root); at = file_parent(at.text))
        file_discard_directory(at.text); // stays if something is in it
    return sync_left(place, err) && sync_nearest(file_parent(place->path.text).text, root, err);
}

static bool move_away(const struct place *place, struct error *err) {
    file_discard_directory(place->next.text);
    return move_to_left(place, place->path.text, err) && remove_parents(place, err);
}

/* ---- all of it ---- */

static bool replace(const struct place *place, struct error *err) {
    bool empty;
    if (!prepare(place, &empty, err))
        return false;
    if (empty && place->directory[0] != '\0')
        return move_away(place, err);
    return file_exchange(place->path.text, place->next.text, err) && settle(place, err);
}

static bool make_missing(struct place *place, struct error *err) {
    if (place->there || place->directory[0] == '\0')
        return true;
    place->there = true;
    return make_path(place->all->root.text, place->directory, err);
}

static bool place_init(struct place *place, const struct exchange *exchange, const char *directory,
                       size_t number, struct error *err) {
    struct file_path next_list = file_join(exchange->home.text, "next");
    struct file_path left = file_join(exchange->home.text, "left");
    *place = (struct place){
        .all = exchange,
        .directory = directory,
        .path = join_or(&exchange->root, directory),
        .next_list = next_list,
        .next = file_join_number(next_list.text, (int64_t)number),
        .left = join_or(&left, directory),
    };
    return list_names(place->path.text, &place->names, &place->there, err);
}

static bool is_alike(const struct place *place, struct error *err) {
    struct file_status old, new;
    if (!file_look(place->path.text, &old, err) || !file_look(place->next.text, &new, err))
        return false;
    return (old.mode == new.mode &&old.owner == new.owner &&old.group == new.group) ||
           set_unfit(err, place->path.text,
                     "has an owner, a group or permissions that a new directory would not get");
}

/* A file that leaves can be linked, too: the old directory is moved to where it would be. */
static bool try_left(const struct place *place, struct error *err) {
    struct path_list left = names_of(place, place->all->left);
    bool ok = true;
    for (size_t i = 0; i < left.count; i++) {
        if (!has_name(&place->names, left.paths[i]))
            continue;
        ok = file_link(file_join(place->path.text, left.paths[i]).text,
                       file_join(place->next.text, left.paths[i]).text, err);
        break;
    }
    path_list_deinit(&left);
    return ok;
}

/* `full`: a directory that is not empty. */
static bool may_move(const struct place *place, const char *full, struct error *err) {
    if (!file_may_move(place->path.text, full, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < place->names.count; i++) {
        const char *name = place->names.paths[i];
        struct file_path path = file_join(place->path.text, name);
        struct file_status status;
        if (!text_ends_with(name, ".parquet") && strcmp(name, log_name) != 0)
            ok = file_look(path.text, &status, err) &&
                 (!status.is_directory || file_may_move(path.text, full, err));
    }
    return ok;
}

static bool try_move(const struct place *place, struct error *err) {
    struct file_path full = file_join(place->all->home.text, "full");
    if (!place->there)
        return true;
    bool ok = file_make_directory_name(full.text, err) &&
              file_make_directory_name(file_join(full.text, "x").text, err) &&
              may_move(place, full.text, err);
    file_discard_tree(full.text);
    return ok;
}

bool exchange_try_move(const struct exchange *exchange, const char *directory, struct error *err) {
    struct place place;
    bool ok = place_init(&place, exchange, directory, 0, err) && try_move(&place, err);
    path_list_deinit(&place.names);
    return ok;
}

bool exchange_rehearse(const struct exchange *exchange, const char *directory, size_t number,
                       struct error *err) {
    struct place place;
    bool empty, ok = place_init(&place, exchange, directory, number, err);
    if (ok && place.there && !is_exchanged(&place)) {
        struct error ignored;
        ok = prepare(&place, &empty, err) && is_alike(&place, err) && try_left(&place, err) &&
             try_move(&place, err);
        bool cleared = clear_tree(&place, place.next.text, ok ? err : &ignored);
        ok = ok && cleared;
    }
    path_list_deinit(&place.names);
    return ok;
}

bool exchange_finish(const struct exchange *exchange, const char *directory, size_t number,
                     struct error *err) {
    struct place place;
    bool ok = place_init(&place, exchange, directory, number, err);
    if (ok && is_exchanged(&place))
        ok = place.there ? settle(&place, err) : remove_parents(&place, err);
    else if (ok)
        ok = make_missing(&place, err) && replace(&place, err);
    path_list_deinit(&place.names);
    return ok;
}
