/* relocate.c: after the lake was moved, updates the absolute paths in the sink log, the manifests,
 * the records of changes and the signatures.
 *
 * Each file is replaced by one rename, the newest ones last: until it is finished, the log or the
 * newest manifest still names the old place, which recovery refuses. Everything is checked before
 * anything is written. A dry run takes the same way and only counts what it would write. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/text.h"
#include "streaming/changes/change_steps.h"
#include "streaming/operations/operations.h"
#include "streaming/sink_log/sink_entry.h"
#include "streaming/sink_log/sink_log.h"
#include "streaming/sink_log/sink_log_file.h"
#include "streaming/store/store.h"
#include "streaming/table/path_list.h"
#include "streaming/table/staging.h"

struct move {
    struct store *store;
    bool dry_run;
    struct manifest_origin origin;
    struct file_path old;    // where the table was, as its log says; empty: where it is
    int64_t files;           // listed
    struct examples missing; // not there, or of another size
    int64_t logs, manifests, changes, signatures; // rewritten
    struct path_set left, left_rejects;           // what has left the tables with a change
    struct change open; // a change that is not finished: its files may be prepared
    bool has_left;      // with a change that is finished
};

/* A file that an unfinished change brings: it is where the change has prepared it. */
static bool find_prepared(const struct move *move, bool of_rejects, const char *relative,
                          int64_t *size, int *there, struct error *err) {
    const struct change *open = &move->open;
    for (size_t i = 0; open->of_rejects == of_rejects && i < open->added.count; i++) {
        if (strcmp(open->added.files[i].path, relative) != 0)
            continue;
        struct file_path aside = change_aside(move->store, of_rejects);
        struct file_path home = file_join_number(aside.text, open->number);
        struct file_path files = file_join(home.text, "files");
        *there = file_exists(file_join(files.text, open->added.files[i].staged).text, size, err);
        return *there >= 0;
    }
    return true;
}

static bool check_file(struct move *move, bool of_rejects, const char *relative, int64_t size,
                       struct error *err) {
    const struct store_options *options = &move->store->options;
    struct file_path full = file_join(of_rejects ? options->rejects : options->table, relative);
    const char *path = full.text;
    int64_t found = -1;
    int there = file_exists(path, &found, err);
    if (there == 0 && !find_prepared(move, of_rejects, relative, &found, &there, err))
        return false;
    if (there == 0)
        examples_add(&move->missing, path, "is missing");
    else if (there == 1 && found != size)
        examples_add(&move->missing, path, "has another size");
    return there >= 0;
}

/* ---- look ---- */

static bool check_entry(void *context, struct json *line, struct error *err) {
    struct move *move = context;
    const struct store_options *options = &move->store->options;
    struct sink_entry entry;
    if (!sink_entry_read(&entry, line, options->table, options->partition_by_count, err))
        return false;
    move->files++;
    // The first entry from elsewhere tells where the table was.
    if (!entry.in_table && move->old.text[0] == '\0') {
        size_t length = (size_t)(entry.relative - entry.path);
        length = length < sizeof move->old.text ? length : sizeof move->old.text;
        memcpy(move->old.text, entry.path, length);
        move->old.text[length > 0 ? length - 1 : 0] = '\0';
    }
    bool ok = check_file(move, false, entry.relative, entry.size, err);
    sink_entry_deinit(&entry);
    return ok;
}

static bool check_files(struct move *move, bool of_rejects, int64_t batch_id,
                        const struct file_list *files, struct error *err) {
    const struct table *table = of_rejects ? &move->store->rejects : &move->store->table;
    bool staged;
    if (!table_is_staged(table, batch_id, &staged, err))
        return false;
    for (size_t i = 0; !staged && i < files->count; i++) {
        const struct data_file *file = &files->files[i];
        if (!path_set_has(of_rejects ? &move->left_rejects : &move->left, file->path) &&
            !check_file(move, of_rejects, file->path, file->size, err))
            return false;
    }
    return true;
}

/* Reads a record with our tables in it. *moved NULL: nothing would change. */
static bool read_moved_change(const struct move *move, const char *name, int64_t number,
                              char **moved, size_t *size, struct change *change,
                              struct error *err) {
    struct file_path path = file_join(move->store->checkpoint.changes.text, name);
    scoped(scope_free) char *text = NULL;
    size_t text_size;
    *change = (struct change){0};
    *moved = NULL;
    if (!file_read(path.text, CHANGE_SIZE_MAX, &text, &text_size, err))
        return false;
    if (text == NULL)
        return true;
    if (change_move(text, text_size, number, &move->origin, moved, size, err) &&
        change_parse(*moved != NULL ? *moved : text, *moved != NULL ? *size : text_size, number,
                     &move->origin, change, err))
        return true;
    free(*moved);
    *moved = NULL;
    return error_wrap(err, "'%s' cannot be used", path.text);
}

/* Calls visit() with the name and number of each record. */
static bool each_change(struct move *move,
                        bool (*visit)(struct move *move, const char *name, int64_t number,
                                      struct error *err),
                        struct error *err) {
    static const char *const endings[] = {"", ".open"};
    for (size_t i = 0; i < 2; i++) {
        scoped(scope_free) int64_t *numbers = NULL;
        size_t count;
        if (!file_list_numbers(move->store->checkpoint.changes.text, endings[i], &numbers, &count,
                               err))
            return false;
        for (size_t j = 0; j < count; j++) {
            char name[48];
            (void)snprintf(name, sizeof name, "%" PRId64 "%s", numbers[j], endings[i]);
            if (!visit(move, name, numbers[j], err))
                return false;
        }
    }
    return true;
}

static bool note_change(struct move *move, const char *name, int64_t number, struct error *err) {
    scoped(scope_free) char *moved = NULL;
    size_t size;
    struct change change;
    if (!read_moved_change(move, name, number, &moved, &size, &change, err))
        return false;
    for (size_t i = 0; i < change.left.count; i++)
        path_set_add(change.of_rejects ? &move->left_rejects : &move->left,
                     change.left.files[i].path);
    bool open = strchr(name, '.') != NULL;
    move->has_left = move->has_left || !open;
    if (!open) {
        change_deinit(&change);
        return true;
    }
    change_deinit(&move->open);
    move->open = change;
    return true;
}

static bool note_changes(struct move *move, struct error *err) {
    bool ok = each_change(move, note_change, err);
    (void)path_set_seal(&move->left);
    (void)path_set_seal(&move->left_rejects);
    return ok;
}

/* Reads manifests/N with our tables in it. *moved NULL: nothing would change. */
static bool read_moved(const struct move *move, int64_t batch_id, char **moved, size_t *size,
                       struct manifest *manifest, struct error *err) {
    struct file_path path = file_join_number(move->store->checkpoint.manifests.text, batch_id);
    scoped(scope_free) char *text = NULL;
    size_t text_size;
    *manifest = (struct manifest){0};
    *moved = NULL;
    if (!file_read(path.text, MANIFEST_SIZE_MAX, &text, &text_size, err))
        return false;
    if (text == NULL)
        return true;
    if (!manifest_move(text, text_size, batch_id, &move->origin, moved, size, err))
        return error_wrap(err, "'%s' cannot be used", path.text);
    const char *current = *moved != NULL ? *moved : text;
    if (manifest_parse(current, *moved != NULL ? *size : text_size, batch_id, &move->origin,
                       manifest, err))
        return true;
    free(*moved);
    *moved = NULL;
    return error_wrap(err, "'%s'", path.text);
}

/* The newest batch's files, which no log may list yet, and its rejects. */
static bool check_newest_manifest(struct move *move, struct error *err) {
    struct store *store = move->store;
    int64_t newest;
    size_t size;
    scoped(scope_free) char *moved = NULL;
    struct manifest manifest;
    if (!checkpoint_newest(&store->checkpoint.manifests, &newest, err))
        return false;
    if (newest < 0)
        return true;
    if (!read_moved(move, newest, &moved, &size, &manifest, err))
        return false;
    bool ok = check_files(move, false, newest, &manifest.files, err) &&
              check_files(move, true, newest, &manifest.rejects, err);
    manifest_deinit(&manifest);
    return ok;
}

static bool is_ours(const struct store *store, const struct table *table, struct error *err) {
    if (!table_has_other_owner(table, store->checkpoint.query_id))
        return true;
    return error_set(err, ERROR_STATE,
                     "'%s' belongs to another checkpoint, which was at '%s': set "
                     "PROCESSED_DATA_PATH, DATA_LAKE_PATH and CHECKPOINT_PATH to where the "
                     "directories of this query are now",
                     table->root.text, table->owner_checkpoint);
}

static bool look(struct move *move, struct error *err) {
    struct store *store = move->store;
    if (!store->checkpoint.has_metadata)
        return error_set(
            err, ERROR_STATE,
            "'%s' has no file `metadata`: check that CHECKPOINT_PATH is the moved checkpoint",
            store->options.checkpoint);
    if (!is_ours(store, &store->table, err) || !is_ours(store, &store->rejects, err) ||
        !sink_log_open(&store->sink_log, store->options.table, err))
        return false;
    if (!store->sink_log.exists && !store->table.has_owner)
        return error_set(err, ERROR_STATE,
                         "'%s' has neither a sink log nor a signature: set PROCESSED_DATA_PATH to "
                         "where the table is now",
                         store->options.table);
    if (!note_changes(move, err) || !sink_log_check(&store->sink_log, err) ||
        !sink_log_each_entry(&store->sink_log, check_entry, move, err) ||
        !check_newest_manifest(move, err))
        return false;
    if (move->missing.count == 0)
        return true;
    return error_set(err, ERROR_STATE,
                     "'%s' lacks %s that the logs list (%s): move the missing files there too, or "
                     "correct the paths; then relocate again",
                     store->options.table, text_count(move->missing.count, "file").text,
                     move->missing.text);
}

/* ---- write ---- */

struct rewriting {
    struct move *move;
    struct sink_log_writer draft;
    bool elsewhere;
};

/* The file's name stays byte by byte as the log quotes it; only the path before it changes. */
static char *moved_uri(const struct store_options *options, const char *uri) {
    const char *at = uri + strlen(uri);
    for (size_t slashes = 0; at > uri; at--)
        if (at[-1] == '/' && slashes++ == options->partition_by_count)
            break;
    scoped(scope_free) char *table = sink_entry_uri(options->table);
    char *moved = NULL;
    moved = text_format("%s/%s", table, at);
    return moved;
}

static bool rewrite_entry(void *context, struct json *line, struct error *err) {
    struct rewriting *rewriting = context;
    scoped(scope_free) char *uri =
        moved_uri(&rewriting->move->store->options, json_member_text(line, "path"));
    if (strcmp(uri, json_member_text(line, "path")) != 0)
        rewriting->elsewhere = true;
    if (rewriting->move->dry_run)
        return true;
    json_put_text(line, "path", uri);
    scoped(scope_free) char *text = json_print(line);
    return sink_log_writer_add(&rewriting->draft, text, err);
}

static bool rewrite_log(struct move *move, const char *name, struct error *err) {
    const char *directory = move->store->sink_log.directory.text;
    struct rewriting rewriting = {.move = move};
    bool found;
    if (!move->dry_run && !sink_log_writer_open(&rewriting.draft, directory, name, err))
        return false;
    bool ok = sink_log_file_entries(file_join(directory, name).text, rewrite_entry, &rewriting,
                                    &found, err);
    if (ok && move->dry_run)
        move->logs += rewriting.elsewhere;
    else if (!ok || !rewriting.elsewhere)
        sink_log_writer_discard(&rewriting.draft);
    if (!ok || !rewriting.elsewhere || move->dry_run)
        return ok;
    // Spark's checksum is of the old bytes; a file without one is read unchecked.
    char checksum[64];
    (void)snprintf(checksum, sizeof checksum, ".%s.crc", name);
    move->logs++;
    return sink_log_writer_replace(&rewriting.draft, err) &&
           file_remove(file_join(directory, checksum).text, err);
}

/* Old compact files too: they define the log's interval, and what an earlier batch had. */
static bool rewrite_logs(struct move *move, struct error *err) {
    static const char *const endings[] = {"", ".compact"};
    const char *directory = move->store->sink_log.directory.text;
    for (size_t i = 0; i < 2; i++) {
        scoped(scope_free) int64_t *batches = NULL;
        size_t count;
        if (!file_list_numbers(directory, endings[i], &batches, &count, err))
            return false;
        for (size_t j = 0; j < count; j++) {
            char name[40];
            (void)snprintf(name, sizeof name, "%" PRId64 "%s", batches[j], endings[i]);
            if (!rewrite_log(move, name, err))
                return false;
        }
    }
    return true;
}

static bool sign(struct move *move, struct table *table, struct error *err) {
    const struct store *store = move->store;
    if (!table->has_owner || strcmp(table->owner_checkpoint, store->options.checkpoint) == 0)
        return true;
    move->signatures++;
    return move->dry_run || table_sign(table, store->checkpoint.query_id, store->options.checkpoint,
                                       table->owner_sink_log, err);
}

static bool rewrite_manifests(struct move *move, struct error *err) {
    const char *directory = move->store->checkpoint.manifests.text;
    scoped(scope_free) int64_t *batches = NULL;
    size_t count;
    if (!file_list_numbers(directory, "", &batches, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        scoped(scope_free) char *moved = NULL;
        size_t size = 0;
        struct manifest manifest;
        if (!read_moved(move, batches[i], &moved, &size, &manifest, err))
            return false;
        manifest_deinit(&manifest);
        char name[32];
        (void)snprintf(name, sizeof name, "%" PRId64, batches[i]);
        move->manifests += moved != NULL;
        if (moved != NULL && !move->dry_run && !file_replace(directory, name, moved, size, err))
            return false;
    }
    return true;
}

static bool rewrite_change(struct move *move, const char *name, int64_t number, struct error *err) {
    scoped(scope_free) char *moved = NULL;
    size_t size = 0;
    struct change change;
    if (!read_moved_change(move, name, number, &moved, &size, &change, err))
        return false;
    change_deinit(&change);
    move->changes += moved != NULL;
    return moved == NULL || move->dry_run ||
           file_replace(move->store->checkpoint.changes.text, name, moved, size, err);
}

/* What left the table is kept next to it, and should have been moved, too. */
static bool report_aside(const struct move *move, FILE *out, struct error *err) {
    struct file_path aside = change_aside(move->store, false);
    int there = move->has_left ? file_exists(aside.text, NULL, err) : 1;
    if (there == 0)
        (void)fprintf(out,
                      "  '%s' is not there: what was compacted or has expired in the last hours "
                      "(COMPACT_GRACE) was not moved along. Move the directory of that name, which "
                      "was next to the table, or delete it.\n",
                      aside.text);
    return there >= 0;
}

static void report(const struct move *move, FILE *out) {
    const struct store_options *options = &move->store->options;
    if (move->logs + move->manifests + move->changes + move->signatures == 0) {
        (void)fprintf(out, "%s: all paths already name '%s': nothing to do.\n", options->query,
                      options->table);
        return;
    }
    (void)fprintf(out,
                  "%s: the table is now at '%s'%s%s%s, with its %s. %s %s of the sink log, "
                  "%s, %s and %s.\n",
                  options->query, options->table, move->old.text[0] != '\0' ? " (before: '" : "",
                  move->old.text, move->old.text[0] != '\0' ? "')" : "",
                  text_count(move->files, "listed file").text,
                  move->dry_run ? "Would rewrite" : "Rewrote", text_count(move->logs, "file").text,
                  text_count(move->manifests, "manifest").text,
                  text_count(move->changes, "change's record").text,
                  text_count(move->signatures, "signature").text);
}

static bool relocate_all(struct move *move, FILE *out, struct error *err) {
    // The signatures before the last of what recovery looks at, the newest log and manifest.
    if (!look(move, err) || !sign(move, &move->store->rejects, err) ||
        !sign(move, &move->store->table, err) || !rewrite_logs(move, err) ||
        !each_change(move, rewrite_change, err) || !rewrite_manifests(move, err))
        return false;
    report(move, out);
    return report_aside(move, out, err);
}

static bool relocate(struct store *store, bool dry_run, FILE *out, struct error *err) {
    struct move move = {.store = store, .dry_run = dry_run, .origin = store_origin(store)};
    bool ok = relocate_all(&move, out, err);
    path_set_deinit(&move.left);
    path_set_deinit(&move.left_rejects);
    change_deinit(&move.open);
    return ok;
}

bool operation_relocate(const struct store_options *options, bool dry_run, FILE *out,
                        struct error *err) {
    struct store *store;
    if (!operation_open(options, dry_run, out, &store, err))
        return false;
    bool fresh;
    bool ok =
        (dry_run || store_lock_tables(store, &fresh, err)) && relocate(store, dry_run, out, err);
    store_close(store);
    return ok;
}
