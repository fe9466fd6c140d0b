/* change_steps.c: how a change of the table becomes durable.
 *
 * Before the record nothing counts, and what was prepared is thrown away. The record is the commit
 * point; after it the change is carried out, by a restart if need be. It takes nothing for granted
 * that may have happened since: Spark may have run batches, written a newer compact file, and added
 * files to the directories. So every step looks at the disk, does what is missing, and syncs also
 * what it finds done.
 *
 * The sink log comes first: until a directory has its new files, a reader of the log misses files,
 * which is an error for it, and never reads rows twice. */
#include "streaming/changes/change_steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/scope.h"
#include "streaming/changes/changes.h"
#include "streaming/sink_log/sink_entry.h"
#include "streaming/sink_log/sink_log_edit.h"
#include "streaming/store/coverage.h"
#include "streaming/table/exchange.h"
#include "streaming/table/staging.h"

/* A reader needs some time for the names that it was given, also without COMPACT_GRACE. */
enum { PIN_LEAST_MS = 60 * 1000 };

/* ---- where ---- */

static const struct table *table_of(const struct store *store, bool of_rejects) {
    return of_rejects ? &store->rejects : &store->table;
}

static size_t depth_of(const struct store *store, bool of_rejects) {
    return of_rejects ? 0 : store->options.partition_by_count;
}

static struct file_path home_of(const struct store *store, bool of_rejects, int64_t number) {
    return file_join_number(change_aside(store, of_rejects).text, number);
}

/* Users who may use the table may also use the directory next to it, and the files made there. */
static bool make_aside(const struct store *store, bool of_rejects, struct error *err) {
    struct file_path aside = change_aside(store, of_rejects);
    const char *root = table_of(store, of_rejects)->root.text;
    struct file_status status;
    if (!file_look(root, &status, err))
        return false;
    if (!status.is_directory)
        return error_set(err, ERROR_CONFIG,
                         "'%s' is not a directory itself, such as a symbolic link: its files "
                         "cannot be replaced in one step",
                         root);
    return file_make_directory_name(aside.text, err) && file_copy_access(root, aside.text, err);
}

/* ---- whether it can be done ---- */

static bool try_names(const char *probe, struct error *err) {
    struct file_path a = file_join(probe, "a"), b = file_join(probe, "b");
    struct file_path c = file_join(probe, "c"), d = file_join(probe, "d");
    return file_make_directory_name(a.text, err) && file_make_directory_name(b.text, err) &&
           file_exchange(a.text, b.text, err) && file_replace(probe, "c", "", 0, err) &&
           file_link(c.text, d.text, err);
}

bool change_fits(const struct store *store, bool of_rejects, const char *directory,
                 struct error *err) {
    const struct table *table = table_of(store, of_rejects);
    struct exchange exchange = {.root = table->root, .home = file_parent(table->root.text)};
    struct file_path aside = change_aside(store, of_rejects);
    int there = file_exists(aside.text, NULL, err);
    if (there < 0 || !exchange_check(&exchange, directory, err))
        return false;
    exchange.home = aside;
    return there == 0 || exchange_try_move(&exchange, directory, err);
}

bool change_is_possible(const struct store *store, bool of_rejects, struct error *err) {
    const struct table *table = table_of(store, of_rejects);
    const struct exchange exchange = {.root = table->root, .home = change_aside(store, of_rejects)};
    char name[64];
    (void)snprintf(name, sizeof name, "probe-%ld", (long)getpid());
    struct file_path probe = file_join(exchange.home.text, name);
    if (!make_aside(store, of_rejects, err) || !exchange_check(&exchange, "", err))
        return false;
    file_discard_tree(probe.text); // of a process that was killed and had this number
    bool ok = file_make_directory_name(probe.text, err) && try_names(probe.text, err);
    file_discard_tree(probe.text);
    return ok;
}

/* ---- what may leave ---- */

typedef bool visit_fn(void *context, const char *path, int64_t size, int64_t modified_ms);

struct eligible {
    const struct store *store;
    bool of_rejects;
    visit_fn *visit;
    void *context;
    bool failed;
    struct error *err;
};

/* Ends the walk with ERROR_STOPPED, which is not an error here. */
static bool visit_entry(void *context, struct json *line, struct error *err) {
    const struct eligible *eligible = context;
    const struct store_options *options = &eligible->store->options;
    struct sink_entry entry;
    if (!sink_entry_read(&entry, line, options->table, options->partition_by_count, err))
        return false;
    bool ok = !entry.in_table ||
              eligible->visit(eligible->context, entry.relative, entry.size, entry.modified_ms) ||
              error_set(err, ERROR_STOPPED, "seen");
    sink_entry_deinit(&entry);
    return ok;
}

static bool visit_path(void *context, const char *path) {
    struct eligible *eligible = context;
    struct file_status status;
    struct file_path full =
        file_join(table_of(eligible->store, eligible->of_rejects)->root.text, path);
    int there = file_find(full.text, &status, eligible->err);
    eligible->failed = there < 0;
    return there == 0 ||
           (there == 1 && (!status.is_file || eligible->visit(eligible->context, path, status.size,
                                                              file_modified_ms(&status))));
}

bool change_each_eligible(const struct store *store, bool of_rejects, visit_fn *visit,
                          void *context, struct error *err) {
    struct eligible eligible = {
        .store = store, .of_rejects = of_rejects, .visit = visit, .context = context, .err = err};
    struct sink_log log = {0};
    if (!of_rejects && !sink_log_open(&log, store->options.table, err))
        return false;
    if (log.exists)
        return sink_log_each_compacted(&log, visit_entry, &eligible, err) ||
               err->kind == ERROR_STOPPED;
    return table_each_file(table_of(store, of_rejects), depth_of(store, of_rejects), visit_path,
                           &eligible, err) &&
           !eligible.failed;
}

/* ---- prepare ---- */

/* The highest number that is in use. */
static bool highest_of(const struct store *store, int64_t *highest, struct error *err) {
    scoped(scope_free) int64_t *recorded = NULL;
    size_t count;
    if (!changes_numbers(store, &recorded, &count, err))
        return false;
    *highest = count == 0 ? -1 : recorded[count - 1];
    for (int of_rejects = 0; of_rejects < 2; of_rejects++) {
        scoped(scope_free) int64_t *prepared = NULL;
        if (!file_list_numbers(change_aside(store, of_rejects == 1).text, "", &prepared, &count,
                               err))
            return false;
        if (count > 0 && prepared[count - 1] > *highest)
            *highest = prepared[count - 1];
    }
    return true;
}

bool change_begin(const struct store *store, bool of_rejects, int64_t *number,
                  struct file_path *staging, struct error *err) {
    int64_t highest;
    if (!highest_of(store, &highest, err) || !make_aside(store, of_rejects, err))
        return false;
    *number = highest + 1;
    struct file_path home = home_of(store, of_rejects, *number);
    *staging = file_join(home.text, "files");
    return file_make_directory_name(home.text, err) && file_make_directory_name(staging->text, err);
}

void change_discard(const struct store *store, bool of_rejects, int64_t number) {
    file_discard_tree(home_of(store, of_rejects, number).text);
}

/* What a change that is done needs no more. */
static void discard_prepared(const struct store *store, bool of_rejects, int64_t number) {
    struct file_path home = home_of(store, of_rejects, number);
    file_discard_tree(file_join(home.text, "next").text);
    file_discard_tree(file_join(home.text, "files").text);
}

bool change_sweep_prepared(const struct store *store, struct error *err) {
    scoped(scope_free) int64_t *recorded = NULL;
    size_t recorded_count;
    if (!file_remove_drafts(store->checkpoint.changes.text, err) ||
        !changes_numbers(store, &recorded, &recorded_count, err))
        return false;
    for (int of_rejects = 0; of_rejects < 2; of_rejects++) {
        scoped(scope_free) int64_t *prepared = NULL;
        size_t count, at = 0;
        if (!file_list_numbers(change_aside(store, of_rejects == 1).text, "", &prepared, &count,
                               err))
            return false;
        for (size_t i = 0; i < count; i++) {
            while (at < recorded_count && recorded[at] < prepared[i])
                at++;
            if (at == recorded_count || recorded[at] != prepared[i])
                change_discard(store, of_rejects == 1, prepared[i]);
            else
                discard_prepared(store, of_rejects == 1, prepared[i]);
        }
    }
    return true;
}

/* ---- before the commit point ---- */

static bool check_size(const char *path, int64_t expected, struct error *err) {
    int64_t size = 0;
    int there = file_exists(path, &size, err);
    if (there < 0)
        return false;
    return (there == 1 && size == expected) ||
           error_set(err, ERROR_STATE,
                     "'%s' is missing, or its size is not the expected %" PRId64 " bytes", path,
                     expected);
}

static size_t slashes_in(const char *path) {
    size_t count = 0;
    for (; *path != '\0'; path++)
        count += *path == '/';
    return count;
}

static bool check_files(const struct store *store, const struct change *change, struct error *err) {
    const struct table *table = table_of(store, change->of_rejects);
    struct file_path home = home_of(store, change->of_rejects, change->number);
    struct file_path files = file_join(home.text, "files");
    size_t depth = depth_of(store, change->of_rejects);
    const struct file_list *left = &change->left, *added = &change->added;
    for (size_t i = 0; i < left->count; i++)
        if (slashes_in(left->files[i].path) != depth)
            return error_set(err, ERROR_STATE, "'%s' is not a path of a file in '%s'",
                             left->files[i].path, table->root.text);
        else if (change->kind != CHANGE_ACCEPTANCE &&
                 !check_size(file_join(table->root.text, left->files[i].path).text,
                             left->files[i].size, err))
            return false;
    for (size_t i = 0; i < added->count; i++)
        if (slashes_in(added->files[i].path) != depth)
            return error_set(err, ERROR_STATE, "'%s' is not a path of a file in '%s'",
                             added->files[i].path, table->root.text);
        else if (!check_size(file_join(files.text, added->files[i].staged).text,
                             added->files[i].size, err))
            return false;
    return true;
}

static struct exchange exchange_of(const struct store *store, const struct change *change) {
    return (struct exchange){
        .left = &change->left,
        .added = &change->added,
        .root = table_of(store, change->of_rejects)->root,
        .home = home_of(store, change->of_rejects, change->number),
    };
}

static bool check_places(const struct store *store, const struct change *change,
                         struct error *err) {
    const struct exchange exchange = exchange_of(store, change);
    struct path_list directories = exchange_directories(&exchange);
    bool ok = true;
    for (size_t i = 0; ok && i < directories.count; i++)
        ok = exchange_check(&exchange, directories.paths[i], err) &&
             exchange_rehearse(&exchange, directories.paths[i], i, err);
    path_list_deinit(&directories);
    return ok;
}

static struct sink_log_edit edit_of(const struct change *change) {
    return (struct sink_log_edit){.left = &change->left,
                                  .added = &change->added,
                                  .also_batches =
                                      change->also_batches || change->kind == CHANGE_ACCEPTANCE};
}

static bool check_listed(const struct store *store, const struct change *change,
                         struct error *err) {
    struct sink_log log = {0};
    struct sink_log_edit edit = edit_of(change);
    const char *missing;
    if (change->of_rejects)
        return true;
    if (!sink_log_open(&log, store->options.table, err))
        return false;
    if (!log.exists && store->sink_log_on)
        return error_set(err, ERROR_STATE, "'%s' is missing: restore it from a backup",
                         log.directory.text);
    if (!log.exists)
        return true;
    return sink_log_edit_check(&log, &edit, &missing, err) &&
           (missing == NULL ||
            error_set(err, ERROR_STATE,
                      "'%s' is not listed in the newest compact file of '%s' any more", missing,
                      log.directory.text));
}

/* Durable names for what is prepared, and replaced. */
static bool make_home(const struct store *store, const struct change *change, struct error *err) {
    struct file_path aside = change_aside(store, change->of_rejects);
    struct file_path home = home_of(store, change->of_rejects, change->number);
    return make_aside(store, change->of_rejects, err) && file_make_directory_name(home.text, err) &&
           file_make_directory_name(file_join(home.text, "next").text, err) &&
           file_sync_directory(home.text, err) && file_sync_directory(aside.text, err) &&
           file_sync_directory(file_parent(aside.text).text, err);
}

/* A record that is durable promises files that are. */
static bool sync_staged(const struct store *store, const struct change *change, struct error *err) {
    struct file_path home = home_of(store, change->of_rejects, change->number);
    return (change->added.count == 0 ||
            file_sync_directory(file_join(home.text, "files").text, err)) &&
           make_home(store, change, err);
}

/* The newest batch is finished for good: a staging directory that a power cut brings back behind
 * the change would look like a batch that is not. */
static bool sync_unstaged(const struct store *store, struct error *err) {
    return table_sync_unstaged(&store->table, err) && table_sync_unstaged(&store->rejects, err);
}

/* From now on an older version refuses the table. */
static bool sign(struct store *store, const struct change *change, struct error *err) {
    return table_sign_changed(&store->table, err) &&
           (!change->of_rejects || table_sign_changed(&store->rejects, err));
}

/* The commit point. */
static bool record(const struct store *store, const struct change *change, const char *text,
                   size_t size, bool *recorded, struct error *err) {
    const struct checkpoint *checkpoint = &store->checkpoint;
    char name[48];
    (void)snprintf(name, sizeof name, "%" PRId64 ".open", change->number);
    if (!file_make_directory_name(checkpoint->changes.text, err) ||
        !file_sync_directory(checkpoint->root.text, err))
        return false;
    *recorded = file_publish(checkpoint->changes.text, name, text, size, err);
    if (*recorded || (err->kind != ERROR_STATE && err->kind != ERROR_RESTART))
        return *recorded;
    // It may have its name, and perhaps not for good: change_finish() looks again, and syncs.
    struct error ignored;
    *recorded = file_exists(file_join(checkpoint->changes.text, name).text, NULL, &ignored) != 0;
    err->kind = ERROR_RETRY;
    return false;
}

bool change_publish(struct store *store, const struct change *change, bool *recorded,
                    struct error *err) {
    struct manifest_origin origin = store_origin(store);
    size_t size;
    *recorded = false;
    if (!store_check_locks(store, err) || !change_finish(store, err)) // of one before it
        return false;
    scoped(scope_free) char *text = change_print(change, &origin, &size);

    // What can't be read back could never be carried out: better no record than that.
    struct change copy;
    if (!change_parse(text, size, change->number, &origin, &copy, err))
        return error_wrap(err, "change %" PRId64 " cannot be recorded", change->number);
    change_deinit(&copy);
    if (!check_listed(store, change, err) || !check_files(store, change, err) ||
        !sync_staged(store, change, err) || !check_places(store, change, err) ||
        !sync_unstaged(store, err) || !sign(store, change, err))
        return error_wrap(err, "change %" PRId64 " was not made", change->number);
    return record(store, change, text, size, recorded, err) && change_finish(store, err);
}

/* ---- after it ---- */

static bool edit_log(const struct store *store, const struct change *change, struct error *err) {
    struct sink_log log = {0};
    struct sink_log_edit edit = edit_of(change);
    if (change->of_rejects)
        return true;
    return sink_log_open(&log, store->options.table, err) &&
           (!log.exists || sink_log_edit_apply(&log, &edit, err));
}

static bool finish_places(const struct store *store, const struct change *change,
                          struct error *err) {
    const struct exchange exchange = exchange_of(store, change);
    struct path_list directories = exchange_directories(&exchange);
    bool ok = true;
    for (size_t i = 0; ok && i < directories.count; i++)
        ok = exchange_finish(&exchange, directories.paths[i], i, err);
    path_list_deinit(&directories);
    return ok;
}

static bool close_record(const struct store *store, int64_t number, struct error *err) {
    const char *directory = store->checkpoint.changes.text;
    char name[48];
    (void)snprintf(name, sizeof name, "%" PRId64 ".open", number);
    return file_rename_new(file_join(directory, name).text,
                           file_join_number(directory, number).text, err) &&
           file_sync_directory(directory, err);
}

/* The upkeep of the sink log rests meanwhile: its draft would bring back what has left. */
static bool carry_out(struct store *store, const struct change *change, struct error *err) {
    bool opened = store->sink_log.interval > 0;
    if (opened)
        sink_log_upkeep_hold(&store->sink_log.upkeep);
    bool done = edit_log(store, change, err) && make_home(store, change, err) &&
                finish_places(store, change, err) &&
                table_sign_change(&store->table, change->number, err) &&
                close_record(store, change->number, err);
    if (opened)
        sink_log_upkeep_release(&store->sink_log.upkeep);
    if (!done)
        return error_wrap(err, "change %" PRId64 " of the table is recorded, but not finished",
                          change->number);
    discard_prepared(store, change->of_rejects, change->number);
    return true;
}

bool change_finish(struct store *store, struct error *err) {
    const char *directory = store->checkpoint.changes.text;
    scoped(scope_free) int64_t *numbers = NULL;
    size_t count;
    int there = file_exists(directory, NULL, err);
    // What has its name may have it for this process only, be it open or done.
    if (there <= 0 || !file_sync_directory(directory, err) ||
        !file_list_numbers(directory, ".open", &numbers, &count, err))
        return there == 0;
    for (size_t i = 0; i < count; i++) {
        struct change change;
        bool found, open;
        if (!change_read(store, numbers[i], &change, &found, &open, err))
            return false;
        bool done = !found || !open || carry_out(store, &change, err);
        change_deinit(&change);
        if (!done)
            return false;
    }
    return true;
}

/* ---- later ---- */

struct pins {
    const char *directory, *start; // of their names
    int64_t before_ms;             // of a modification
};

static bool sweep_pin(void *context, const char *name) {
    const struct pins *pins = context;
    if (strncmp(name, pins->start, strlen(pins->start)) != 0)
        return true;
    struct file_path path = file_join(pins->directory, name);
    struct file_status status;
    struct error ignored;
    if (file_find(path.text, &status, &ignored) == 1 &&
        file_modified_ms(&status) <= pins->before_ms)
        file_discard_tree(path.text);
    return true;
}

static bool sweep_pins(const struct store *store, int64_t before_ms, struct error *err) {
    for (int of_rejects = 0; of_rejects < 2; of_rejects++) {
        struct file_path aside = change_aside(store, of_rejects == 1);
        struct file_path reads = file_join(aside.text, "reads");
        struct pins pins = {reads.text, "", before_ms};
        struct pins probes = {aside.text, "probe-", before_ms}; // of processes that were killed
        if (file_list(reads.text, sweep_pin, &pins, err) < 0 ||
            file_list(aside.text, sweep_pin, &probes, err) < 0)
            return false;
    }
    return true;
}

/* *gone: what left with the change is not there any more. */
static bool sweep_left(const struct store *store, const struct change *change, int64_t before_ms,
                       bool *gone, struct error *err) {
    struct file_path home = home_of(store, change->of_rejects, change->number);
    struct file_status status;
    int there = file_find(home.text, &status, err);
    // The directory was last changed when the change was finished, perhaps long after the record.
    if (there == 1 && change->made_ms <= before_ms && file_modified_ms(&status) <= before_ms) {
        file_discard_tree(home.text);
        there = file_exists(home.text, NULL, err);
    }
    *gone = there == 0;
    return there >= 0;
}

struct dropped {
    struct resolved expired, accepted;
    int64_t *numbers; // owned
    size_t count;
};

/* A record that nobody needs any more is noted. */
static bool sweep_change(const struct store *store, int64_t number, int64_t before_ms,
                         int64_t oldest_manifest, struct dropped *dropped, struct error *err) {
    struct change change;
    bool found, open, gone = false;
    if (!change_read(store, number, &change, &found, &open, err))
        return false;
    bool ok = !found || open || sweep_left(store, &change, before_ms, &gone, err);
    if (ok && gone && change.batch_id < oldest_manifest) {
        dropped->numbers[dropped->count++] = number;
        if (change.kind != CHANGE_COMPACTION)
            resolved_add_all(change.kind == CHANGE_EXPIRY ? &dropped->expired : &dropped->accepted,
                             &change.gone);
    }
    change_deinit(&change);
    return ok;
}

static bool oldest_manifest_of(const struct store *store, int64_t *oldest, struct error *err) {
    scoped(scope_free) int64_t *batches = NULL;
    size_t count;
    if (!file_list_numbers(store->checkpoint.manifests.text, "", &batches, &count, err))
        return false;
    *oldest = count == 0 ? INT64_MAX : batches[0];
    return true;
}

/* First the offsets are durable elsewhere. */
static bool drop_records(const struct store *store, const struct dropped *dropped,
                         struct error *err) {
    const char *directory = store->checkpoint.changes.text;
    bool kept = false;
    if (dropped->count == 0)
        return true;
    if (!coverage_add_gone(store, &dropped->expired, &dropped->accepted, &kept, err))
        return false;
    if (!kept)
        return true; // there is no place for them yet
    for (size_t i = 0; i < dropped->count; i++)
        if (!file_remove(file_join_number(directory, dropped->numbers[i]).text, err))
            return false;
    return file_sync_directory(directory, err);
}

bool change_sweep(struct store *store, int64_t now_ms, int64_t grace_ms, struct error *err) {
    scoped(scope_free) int64_t *numbers = NULL;
    size_t count;
    int64_t oldest;
    int64_t pin_ms = grace_ms > PIN_LEAST_MS ? grace_ms : PIN_LEAST_MS;
    if (!sweep_pins(store, now_ms - pin_ms, err) || !changes_numbers(store, &numbers, &count, err))
        return false;
    struct dropped dropped = {.numbers = must_alloc(count + 1, sizeof *dropped.numbers)};
    bool ok = oldest_manifest_of(store, &oldest, err);
    // Numbers go up from the newest record, so that one stays. So does each that follows one that
    // stays: what a change has added may have left with a later one.
    bool may_drop = true;
    for (size_t i = 0; ok && i < count; i++) {
        may_drop = may_drop && i + 1 < count && dropped.count == i;
        ok = sweep_change(store, numbers[i], now_ms - grace_ms, may_drop ? oldest : INT64_MIN,
                          &dropped, err);
    }
    ok = ok && drop_records(store, &dropped, err);
    resolved_deinit(&dropped.expired);
    resolved_deinit(&dropped.accepted);
    free(dropped.numbers);
    return ok;
}
