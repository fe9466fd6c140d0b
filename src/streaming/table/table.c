/* table.c: whose table it is, and what lies in it.
 *
 * The signature is published once, without replacing, by the first query that claims the table.
 * From then on its words count, also after the checkpoint is gone: only its owner writes here, and
 * a sink log that it promises must be there. Operations replace it, and the first change of the
 * table. */
#include "streaming/table/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/checksum.h"
#include "base/disk/file_lock.h"
#include "base/json.h"
#include "base/scope.h"
#include "base/text.h"
#include "streaming/table/path_list.h"

enum { OWNER_SIZE_MAX = 64 << 10 };

static const char owner_name[] = "_esports_stream";
static const char owner_draft[] = "._esports_stream.tmp"; // by file_replace()

/* Of a table that was changed: a query that nobody has, and what an older version shows then, which
 * knows no "owner". */
static const char nobodys_query[] = "00000000-0000-4000-8000-000000000000";
static const char newer_version[] =
    "a newer version: use esports-stream 0.4.0 or newer, because files of this table were "
    "compacted or expired; do not remove its file _esports_stream";

/* Where the owner's two members are. */
static const struct json *owner_in(const struct json *signature, bool *changed) {
    const struct json *owner = json_member(signature, "owner");
    *changed = owner != NULL;
    return owner != NULL ? owner : signature;
}

static bool parse_owner(struct table *table, const char *text, size_t size, struct error *err) {
    struct json *signature = json_parse(text, size, err);
    if (signature == NULL)
        return false;
    const struct json *owner = owner_in(signature, &table->owner_changed);
    const char *query = json_member_text(owner, "query");
    const char *checkpoint = json_member_text(owner, "checkpoint");
    bool ok = query != NULL && strlen(query) == 36 && checkpoint != NULL &&
              json_member_bool(signature, "sinkLog", &table->owner_sink_log);
    if (ok) {
        (void)snprintf(table->owner_query, sizeof table->owner_query, "%s", query);
        if (!json_member_int(signature, "adoptedAt", &table->owner_adopted_at))
            table->owner_adopted_at = -1;
        if (!json_member_int(signature, "change", &table->owner_change))
            table->owner_change = -1;
        char *copy = text_copy(checkpoint);
        free(table->owner_checkpoint);
        table->owner_checkpoint = copy;
        table->has_owner = true;
    } else {
        error_set(err, ERROR_STATE, "it does not name the query that owns the table");
    }
    json_free(signature);
    return ok;
}

bool table_open(struct table *table, const char *root, struct error *err) {
    *table = (struct table){.owner_adopted_at = -1, .owner_change = -1, .lock_fd = -1};
    (void)snprintf(table->root.text, sizeof table->root.text, "%s", root);
    table->staging = file_join(root, "_staging");
    struct file_path path = file_join(root, owner_name);
    scoped(scope_free) char *text = NULL;
    size_t size;
    if (!file_read(path.text, OWNER_SIZE_MAX, &text, &size, err))
        return false;
    if (text != NULL &&
        (!parse_owner(table, text, size, err) || !checksum_check(text, size, size, err)))
        return error_wrap(err, "'%s' is damaged: remove it if no other query writes this table",
                          path.text);
    return true;
}

void table_close(struct table *table) {
    free(table->owner_checkpoint);
    file_lock_release(&table->lock_fd);
    *table = (struct table){.lock_fd = -1};
}

static struct file_path lock_of(const struct table *table) {
    return file_join(table->root.text, "_lock");
}

bool table_lock(struct table *table, struct error *err) {
    char holder[FILE_LOCK_HOLDER_MAX];
    bool taken;
    if (table->lock_fd >= 0)
        return true;
    if (!file_lock_take(lock_of(table).text, &table->lock_fd, &taken, holder, err))
        return false;
    return taken ||
           error_set(err, ERROR_LOCKED,
                     "'%s' is locked: another process writes this table (%s), with a copy of this "
                     "checkpoint. Stop it first; only one checkpoint may write a table",
                     lock_of(table).text, holder[0] == '\0' ? "unknown which" : holder);
}

bool table_check_lock(const struct table *table, struct error *err) {
    bool holds = true;
    if (table->lock_fd >= 0 && !file_lock_holds(lock_of(table).text, table->lock_fd, &holds, err))
        return false;
    return holds || error_set(err, ERROR_STATE, "table '%s'", table->root.text);
}

bool table_has_other_owner(const struct table *table, const char *query_id) {
    return table->has_owner && strcmp(table->owner_query, query_id) != 0;
}

static bool is_hidden(const char *name) {
    return name[0] == '_' || name[0] == '.';
}

/* Whether the name can be a data file's. A partition value can end like one, too: then only the
 * disk knows. */
static bool is_data_file(const char *directory, const char *name) {
    struct error ignored;
    struct file_status status;
    return text_ends_with(name, ".parquet") &&
           (strchr(name, '=') == NULL ||
            file_find(file_join(directory, name).text, &status, &ignored) != 1 ||
            !status.is_directory);
}

/* ---- partition columns ---- */

/* Names of a leaf that are looked at: a directory that is not a leaf has no files at all. */
enum { LEAF_NAMES_MAX = 100 };

struct level {
    const char *directory;
    const char *column; // NULL: files are expected here
    size_t looked;
    struct path_list directories; // of this column, to be looked at next
    bool ok;
    struct error *err;
};

static bool is_of_column(const char *name, const char *column) {
    size_t length = strlen(column);
    return strncmp(name, column, length) == 0 && name[length] == '=';
}

static bool check_name(void *context, const char *name) {
    struct level *level = context;
    if (is_hidden(name))
        return true;
    if (is_data_file(level->directory, name)) {
        if (level->column != NULL)
            level->ok = error_set(level->err, ERROR_CONFIG,
                                  "'%s' contains the file '%s' (expected directories '%s=…')",
                                  level->directory, name, level->column);
    } else if (strchr(name, '=') != NULL) {
        if (level->column == NULL)
            level->ok = error_set(level->err, ERROR_CONFIG,
                                  "'%s' contains the directory '%s' (expected files)",
                                  level->directory, name);
        else if (!is_of_column(name, level->column))
            level->ok = error_set(level->err, ERROR_CONFIG,
                                  "'%s' contains the directory '%s' (expected '%s=…')",
                                  level->directory, name, level->column);
        else
            path_list_add(&level->directories, name);
    }
    return level->ok && (level->column != NULL || ++level->looked < LEAF_NAMES_MAX);
}

/* Recursion is as deep as there are columns. */
static bool check_below(const char *directory, const char *const *names, size_t count,
                        struct error *err) {
    struct level level = {
        .directory = directory, .column = count > 0 ? names[0] : NULL, .ok = true, .err = err};
    bool ok = file_list(directory, check_name, &level, err) >= 0 && level.ok;
    for (size_t i = 0; ok && i < level.directories.count; i++) {
        struct file_path below = file_join(directory, level.directories.paths[i]);
        ok = check_below(below.text, names + 1, count - 1, err);
    }
    path_list_deinit(&level.directories);
    return ok;
}

/* "status,role", or "none". */
static char *list_names(const char *const *names, size_t count) {
    char *list = text_copy(count == 0 ? "none" : names[0]);
    for (size_t i = 1; i < count; i++) {
        char *longer = text_format("%s,%s", list, names[i]);
        free(list);
        list = longer;
    }
    return list;
}

static bool refuse_partitions(const char *const *names, size_t count, struct error *err) {
    scoped(scope_free) char *list = list_names(names, count);
    return error_wrap(
        err,
        "the table has different partition columns than this start (%s); set *_PARTITION_BY, or "
        "PARTITIONED BY in its query file, to them (`none` if it has none). For other partition "
        "columns, copy the rows, or choose another table or PROCESSED_DATA_PATH, with its own "
        "checkpoint (docs/operations.md, \"Other partition columns\")",
        list);
}

bool table_check_partitions(const struct table *table, const char *const *names, size_t count,
                            struct error *err) {
    return check_below(table->root.text, names, count, err) ||
           (err->kind == ERROR_CONFIG && refuse_partitions(names, count, err));
}

bool table_check_file(const char *path, const char *const *names, size_t count, struct error *err) {
    const char *at = path;
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++) {
        const char *slash = strchr(at, '/');
        ok = slash != NULL && is_of_column(at, names[i]);
        at = slash != NULL ? slash + 1 : at;
    }
    if (ok && strchr(at, '/') == NULL)
        return true;
    (void)error_set(err, ERROR_CONFIG, "a batch of this checkpoint wrote '%s'", path);
    return refuse_partitions(names, count, err);
}

struct search {
    struct file_path directory; // relative to the table; empty: the table itself
    const struct table *table;
    size_t depth; // how many more directories down
    bool (*visit)(void *context, const char *path);
    void *context;
    bool strangers; // visit what is neither such a file nor such a directory, instead
    bool ended;     // the visitor has seen enough
    bool ok;
    struct error *err;
};

static bool search_directory(struct search *search);

static struct file_path path_of(const struct search *search) {
    struct file_path path = search->table->root;
    if (search->directory.text[0] != '\0')
        path = file_join(path.text, search->directory.text);
    return path;
}

static bool search_name(void *context, const char *name) {
    struct search *search = context;
    bool is_file = is_data_file(path_of(search).text, name);
    bool is_strange = is_file != (search->depth == 0) || (!is_file && !strchr(name, '='));
    if (is_hidden(name) || (is_strange && !search->strangers) ||
        (is_file && !is_strange && search->strangers))
        return true;
    struct search below = *search;
    if (search->directory.text[0] == '\0')
        (void)snprintf(below.directory.text, sizeof below.directory.text, "%s", name);
    else
        below.directory = file_join(search->directory.text, name);
    below.depth--;
    if (is_file || is_strange) {
        search->ended = !search->visit(search->context, below.directory.text);
    } else {
        search->ok = search_directory(&below);
        search->ended = below.ended;
    }
    return search->ok && !search->ended;
}

/* Calls itself once per partition column, whose number is a setting and small. */
static bool search_directory(struct search *search) {
    struct file_path path = path_of(search);
    int listed = file_list(path.text, search_name, search, search->err);
    // ENOTDIR: a file that is named like a directory of a partition value.
    return (listed >= 0 || errno == ENOTDIR) && search->ok;
}

bool table_each_file(const struct table *table, size_t depth,
                     bool (*visit)(void *context, const char *path), void *context,
                     struct error *err) {
    struct search search = {
        .table = table, .depth = depth, .visit = visit, .context = context, .ok = true, .err = err};
    return search_directory(&search);
}

static bool note_path(void *context, const char *path) {
    struct file_path *found = context;
    (void)snprintf(found->text, sizeof found->text, "%s", path);
    return false;
}

bool table_find_stranger(const struct table *table, size_t depth, struct file_path *stranger,
                         struct error *err) {
    stranger->text[0] = '\0';
    struct search search = {.table = table,
                            .depth = depth,
                            .strangers = true,
                            .visit = note_path,
                            .context = stranger,
                            .ok = true,
                            .err = err};
    return search_directory(&search);
}

static bool note_file(void *context, const char *path) {
    bool *has = context;
    (void)path;
    *has = true;
    return false;
}

bool table_has_files(const struct table *table, size_t depth, bool *has, struct error *err) {
    *has = false;
    return table_each_file(table, depth, note_file, has, err);
}

/* The text of a signature; owned by the caller. */
static char *print_owner(const struct table *table, const char *query_id, const char *checkpoint,
                         bool sink_log) {
    struct json *signature = json_new_object();
    json_put_text(signature, "query", table->owner_changed ? nobodys_query : query_id);
    json_put_text(signature, "checkpoint", table->owner_changed ? newer_version : checkpoint);
    json_put_bool(signature, "sinkLog", sink_log);
    if (table->owner_adopted_at >= 0)
        json_put_int(signature, "adoptedAt", table->owner_adopted_at);
    if (table->owner_change >= 0)
        json_put_int(signature, "change", table->owner_change);
    if (table->owner_changed) {
        struct json *owner = json_new_object();
        json_put_text(owner, "query", query_id);
        json_put_text(owner, "checkpoint", checkpoint);
        json_put(signature, "owner", owner);
    }
    scoped(scope_free) char *text = json_print(signature);
    json_free(signature);
    size_t size;
    return checksum_put(text, strlen(text), strlen(text), &size);
}

bool table_sign(struct table *table, const char *query_id, const char *checkpoint, bool sink_log,
                struct error *err) {
    scoped(scope_free) char *text = print_owner(table, query_id, checkpoint, sink_log);
    return file_replace(table->root.text, owner_name, text, strlen(text), err) &&
           parse_owner(table, text, strlen(text), err);
}

bool table_sign_changed(struct table *table, struct error *err) {
    check(table->has_owner);
    if (table->owner_changed) // the process that replaced it may have died before the sync
        return file_sync_directory(table->root.text, err);
    table->owner_changed = true;
    bool done =
        table_sign(table, table->owner_query, table->owner_checkpoint, table->owner_sink_log, err);
    table->owner_changed = done;
    return done;
}

bool table_sign_change(struct table *table, int64_t number, struct error *err) {
    int64_t before = table->owner_change;
    check(table->has_owner);
    if (before >= number) // the process that noted it may have died before the sync
        return file_sync_directory(table->root.text, err);
    table->owner_change = number;
    bool done =
        table_sign(table, table->owner_query, table->owner_checkpoint, table->owner_sink_log, err);
    if (!done)
        table->owner_change = before;
    return done;
}

bool table_claim(struct table *table, const char *query_id, const char *checkpoint, bool sink_log,
                 struct error *err) {
    // Existing names may be unsynced: the process that made them may have died.
    if (!file_make_directory(table->root.text, err) ||
        !file_make_directory_name(table->staging.text, err) ||
        !file_sync_directory(table->root.text, err))
        return false;
    if (table->has_owner) // what a crash left of a signature that was to replace it goes
        return file_remove(file_join(table->root.text, owner_draft).text, err);
    scoped(scope_free) char *text = print_owner(table, query_id, checkpoint, sink_log);
    return file_publish_again(table->root.text, owner_name, text, strlen(text), err) &&
           parse_owner(table, text, strlen(text), err);
}
