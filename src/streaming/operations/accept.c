/* accept.c: the table as it is becomes the table as it should be.
 *
 * What the sink log, manifests and records of changes name is compared with the disk. A file that
 * is gone leaves the table. One of another size leaves, too, and comes back under a new name if it
 * can be read, with the rows that it has now; so does a file that the log does not list, if none of
 * its rows is in a listed file. Then it is counted which offsets of the committed batches are in no
 * file at all, and all of it is recorded as one change of the table (streaming/changes/change.h),
 * whose commit point is that of every change. Files of the rejects are a change of their own.
 *
 * A file that comes back has a second name in the directory of new files, so that the first one is
 * given up only after the commit point, where nothing depends on it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "base/system/uuid.h"
#include "base/text.h"
#include "streaming/changes/change_steps.h"
#include "streaming/changes/changes.h"
#include "streaming/operations/operations.h"
#include "streaming/recovery/recover.h"
#include "streaming/sink_log/sink_entry.h"
#include "streaming/store/store.h"
#include "streaming/store/table_types.h"
#include "streaming/table/origin_reader.h"
#include "streaming/table/path_list.h"
#include "streaming/table/set_aside.h"
#include "streaming/verify/losses.h"

enum { PAGE_SIZE_MAX = 64 << 20, BATCHES_NAMED_MAX = 10 };

static const struct set_aside_target orphans = {"_orphans", ".orphan"};

struct acceptance {
    const struct verify_options *options;
    struct store *store;
    bool dry_run;
    FILE *out;
    struct schema schema;
    struct verify_losses losses;
    struct changes changes;       // as they are before
    struct change table, rejects; // that will be made
    struct path_list sources;     // owned; of each file that comes, its path in the table
    struct path_set listed;       // of the sink log
    struct path_list unlisted;    // owned
    struct path_list joined;      // owned; of these, those that become part of the table
    struct resolved found;        // owned; the offsets in them
    struct examples gone, replaced, unreadable, refused;
};

/* ---- a file that can become part of the table ---- */

struct candidate {
    struct acceptance *acceptance;
    int64_t size, rows;
    bool has_other_types;
    int64_t lost, others; // rows whose offset is in no file, and the others
    struct resolved offsets;
};

static bool see_footer(void *context, int64_t size, const struct file_metadata *metadata) {
    struct candidate *candidate = context;
    struct type_text wanted;
    candidate->size = size;
    candidate->rows = metadata->rows;
    candidate->has_other_types =
        candidate->acceptance->options->store->stream != NULL &&
        table_types_differ(&candidate->acceptance->schema, metadata, &wanted) != NULL;
    return !candidate->has_other_types;
}

static void see_rows(void *context, const struct origin_rows *rows) {
    struct candidate *candidate = context;
    const struct acceptance *acceptance = candidate->acceptance;
    for (size_t i = 0; i < rows->count; i++) {
        int32_t incarnation = incarnations_of_row(&acceptance->losses.incarnations,
                                                  rows->processed->int64s[i] / 1000);
        int32_t partition = rows->partitions[i];
        int64_t offset = rows->offsets[i];
        bool is_lost =
            (resolved_has(&acceptance->losses.unmet, incarnation, partition, offset) ||
             resolved_has(&acceptance->losses.partial, incarnation, partition, offset)) &&
            !resolved_has(&acceptance->found, incarnation, partition, offset);
        candidate->lost += is_lost;
        candidate->others += !is_lost;
        (void)resolved_add(&candidate->offsets, incarnation, partition, offset);
    }
}

/* *usable: it can be read, and has the columns of the table. */
static bool read_candidate(struct candidate *candidate, const char *path, bool *usable,
                           struct error *err) {
    const struct table *table = &candidate->acceptance->store->table;
    const struct origin_visitor visitor = {
        .context = candidate, .wants_times = true, .begin = see_footer, .rows = see_rows};
    bool ok = origin_read(file_join(table->root.text, path).text, PAGE_SIZE_MAX, &visitor, err);
    *usable = ok && !candidate->has_other_types && candidate->rows > 0;
    return ok || err->kind == ERROR_STATE;
}

/* The directory of a path, and a new name in it. */
static char *new_path(const char *path) {
    char uuid[37];
    const char *slash = strrchr(path, '/');
    uuid_new(uuid);
    return text_format("%.*spart-00000-%s.c000.parquet",
                       slash == NULL ? 0 : (int)(slash - path) + 1, path, uuid);
}

/* `path` comes (back) under a new name. */
static void let_come(struct acceptance *acceptance, const char *path, int64_t modified_ms,
                     const struct candidate *candidate) {
    file_list_add(&acceptance->table.added,
                  (struct data_file){
                      .path = new_path(path),
                      .staged = text_format("%zu.accepted", acceptance->sources.count),
                      .size = candidate->size,
                      .rows = candidate->rows,
                      .modified_ms = modified_ms,
                  });
    path_list_add(&acceptance->sources, path);
}

/* ---- what should be there ---- */

static void let_leave(struct change *change, const char *path, int64_t size, int64_t modified_ms) {
    file_list_add(&change->left, (struct data_file){.path = text_copy(path),
                                                    .size = size > 0 ? size : 1,
                                                    .modified_ms = modified_ms});
}

static bool judge_resized(struct acceptance *acceptance, const char *path, int64_t modified_ms,
                          struct error *err) {
    struct candidate candidate = {.acceptance = acceptance};
    bool usable;
    if (!read_candidate(&candidate, path, &usable, err))
        return false;
    if (usable)
        let_come(acceptance, path, modified_ms, &candidate);
    resolved_deinit(&candidate.offsets);
    examples_add(usable ? &acceptance->replaced : &acceptance->unreadable, path,
                 usable ? "has another size" : "cannot be read");
    return true;
}

/* A file that must be there with a size. */
static bool judge_listed(struct acceptance *acceptance, bool of_rejects, const char *path,
                         int64_t size, int64_t modified_ms, struct error *err) {
    const struct store *store = acceptance->store;
    const struct table *table = of_rejects ? &store->rejects : &store->table;
    int64_t found_size = -1;
    int there = file_exists(file_join(table->root.text, path).text, &found_size, err);
    if (there < 0)
        return false;
    if (there == 1 && found_size == size)
        return true;
    let_leave(of_rejects ? &acceptance->rejects : &acceptance->table, path, size, modified_ms);
    if (there == 1 && !of_rejects)
        return judge_resized(acceptance, path, modified_ms, err);
    examples_add(there == 0 ? &acceptance->gone : &acceptance->unreadable, path,
                 there == 0 ? "is gone" : "has another size");
    return true;
}

static bool see_entry(void *context, struct json *line, struct error *err) {
    struct acceptance *acceptance = context;
    const struct store_options *options = &acceptance->store->options;
    struct sink_entry entry;
    if (!sink_entry_read(&entry, line, options->table, options->partition_by_count, err))
        return false;
    path_set_add(&acceptance->listed, entry.relative);
    bool ok = judge_listed(acceptance, false, entry.relative, entry.size, entry.modified_ms, err);
    sink_entry_deinit(&entry);
    return ok;
}

/* Files that a manifest names, of the rejects or of a table without a log. */
static bool see_named(struct acceptance *acceptance, bool of_rejects, const struct file_list *files,
                      struct error *err) {
    for (size_t i = 0; i < files->count; i++) {
        const struct data_file *file = &files->files[i];
        if (changes_fate(&acceptance->changes, of_rejects, file->path, NULL) == FILE_STAYED &&
            !judge_listed(acceptance, of_rejects, file->path, file->size, file->modified_ms, err))
            return false;
    }
    return true;
}

static bool see_manifests(struct acceptance *acceptance, struct error *err) {
    const struct store *store = acceptance->store;
    scoped(scope_free) int64_t *batches = NULL;
    size_t count;
    if (!file_list_numbers(store->checkpoint.manifests.text, "", &batches, &count, err))
        return false;
    for (size_t i = 0; i < count && batches[i] <= acceptance->losses.horizon; i++) {
        struct manifest manifest;
        if (!store_read_manifest(store, batches[i], &manifest, err))
            return false;
        bool ok = see_named(acceptance, true, &manifest.rejects, err) &&
                  (store->sink_log.exists || see_named(acceptance, false, &manifest.files, err));
        manifest_deinit(&manifest);
        if (!ok)
            return false;
    }
    return true;
}

static bool see_changes(struct acceptance *acceptance, struct error *err) {
    const struct changes *changes = &acceptance->changes;
    for (size_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->changes[i];
        if ((change->of_rejects || !acceptance->store->sink_log.exists) &&
            !see_named(acceptance, change->of_rejects, &change->added, err))
            return false;
    }
    return true;
}

/* ---- what should not be there ---- */

static bool note_unlisted(void *context, const char *path) {
    struct acceptance *acceptance = context;
    if (!path_set_has(&acceptance->listed, path))
        path_list_add(&acceptance->unlisted, path);
    return true;
}

static bool judge_unlisted(struct acceptance *acceptance, const char *path, struct error *err) {
    struct candidate candidate = {.acceptance = acceptance};
    struct file_status status;
    bool usable;
    int there = file_find(file_join(acceptance->store->table.root.text, path).text, &status, err);
    if (there <= 0)
        return there == 0;
    if (!read_candidate(&candidate, path, &usable, err))
        return false;
    if (!usable) {
        examples_add(&acceptance->refused, path, "cannot be read as a file of this table");
    } else if (candidate.others > 0) {
        examples_add(&acceptance->refused, path,
                     candidate.lost > 0 ? "has rows that are lost and rows that are not"
                                        : "has only rows that are in listed files, or in no batch");
    } else {
        let_come(acceptance, path, file_modified_ms(&status), &candidate);
        path_list_add(&acceptance->joined, path);
        resolved_add_all(&acceptance->found, &candidate.offsets);
    }
    resolved_deinit(&candidate.offsets);
    return true;
}

static bool see_unlisted(struct acceptance *acceptance, struct error *err) {
    const struct store *store = acceptance->store;
    if (!store->sink_log.exists)
        return true; // what lies there is part of the table
    (void)path_set_seal(&acceptance->listed);
    if (!table_each_file(&store->table, store->options.partition_by_count, note_unlisted,
                         acceptance, err))
        return false;
    path_list_sort(&acceptance->unlisted);
    for (size_t i = 0; i < acceptance->unlisted.count; i++)
        if (!judge_unlisted(acceptance, acceptance->unlisted.paths[i], err))
            return false;
    return true;
}

/* ---- the change ---- */

static int by_path(const void *a, const void *b) {
    const struct data_file *left = a, *right = b;
    return strcmp(left->path, right->path);
}

static void sort(struct file_list *list) {
    if (list->count > 1)
        qsort(list->files, list->count, sizeof *list->files, by_path);
}

/* Manifests and records can name a file twice. */
static void drop_doubles(struct file_list *list) {
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (kept > 0 && strcmp(list->files[kept - 1].path, list->files[i].path) == 0)
            free(list->files[i].path);
        else
            list->files[kept++] = list->files[i];
    list->count = kept;
}

static bool is_empty(const struct change *change) {
    return change->left.count + change->added.count == 0 && change->gone.count == 0;
}

static bool link_files(const struct acceptance *acceptance, const char *staging,
                       struct error *err) {
    for (size_t i = 0; i < acceptance->sources.count; i++) {
        struct file_path from =
            file_join(acceptance->store->table.root.text, acceptance->sources.paths[i]);
        scoped(scope_free) char *staged = text_format("%zu.accepted", i);
        if (!file_link(from.text, file_join(staging, staged).text, err))
            return false;
    }
    return true;
}

static bool publish(struct acceptance *acceptance, struct change *change, struct error *err) {
    struct store *store = acceptance->store;
    struct file_path staging;
    bool recorded = false;
    change->kind = CHANGE_ACCEPTANCE;
    change->batch_id = acceptance->losses.horizon;
    change->made_ms = clock_wall_ms();
    if (!change_begin(store, change->of_rejects, &change->number, &staging, err))
        return false;
    sort(&change->left);
    drop_doubles(&change->left);
    bool ok = (change->of_rejects || link_files(acceptance, staging.text, err));
    sort(&change->added);
    ok = ok && change_publish(store, change, &recorded, err);
    if (!ok && !recorded)
        change_discard(store, change->of_rejects, change->number);
    return ok;
}

/* Files that have joined under a new name have no use for the old one. */
static bool remove_old_names(const struct acceptance *acceptance, struct error *err) {
    const char *root = acceptance->store->table.root.text;
    for (size_t i = 0; i < acceptance->joined.count; i++) {
        bool moved;
        if (!set_aside(root, acceptance->joined.paths[i], &orphans, &moved, err) ||
            !set_aside_sync(root, acceptance->joined.paths[i], &orphans, err))
            return false;
    }
    return true;
}

static bool carry_out(struct acceptance *acceptance, struct error *err) {
    return (is_empty(&acceptance->table) ||
            (change_is_possible(acceptance->store, false, err) &&
             publish(acceptance, &acceptance->table, err) && remove_old_names(acceptance, err))) &&
           (is_empty(&acceptance->rejects) || (change_is_possible(acceptance->store, true, err) &&
                                               publish(acceptance, &acceptance->rejects, err)));
}

/* ---- what it prints ---- */

static void print_examples(FILE *out, const struct examples *examples, const char *what) {
    if (examples->count > 0)
        (void)fprintf(out, "  %s %s: %s%s\n", text_count(examples->count, "file").text, what,
                      examples->text, examples->count > 3 ? ", …" : "");
}

struct lost_print {
    FILE *out;
    const struct resolved *gone;
    bool incarnations;
};

/* "0: 12 offsets, from 5 to 99". */
static void print_partition(void *context, int32_t incarnation, int32_t partition) {
    const struct lost_print *print = context;
    int64_t first = 0, end = 0, last = 0;
    for (int64_t start = 0;
         resolved_next_run(print->gone, incarnation, partition, INT64_MAX, &start, &end);
         start = end) {
        first = last == 0 ? start : first;
        last = end;
    }
    (void)fprintf(print->out, "    partition %" PRId32, partition);
    if (print->incarnations)
        (void)fprintf(print->out, " of incarnation %" PRId32, incarnation);
    (void)fprintf(print->out, ": %s, from %" PRId64 " to %" PRId64 "\n",
                  text_count(resolved_count_of(print->gone, incarnation, partition), "offset").text,
                  first, last - 1);
}

/* The batches whose files left, as far as manifests name them. */
static bool print_batches(const struct acceptance *acceptance, struct error *err) {
    const struct store *store = acceptance->store;
    scoped(scope_free) int64_t *batches = NULL;
    size_t count, named = 0;
    struct path_set left = {0};
    if (!file_list_numbers(store->checkpoint.manifests.text, "", &batches, &count, err))
        return false;
    for (size_t i = 0; i < acceptance->table.left.count; i++)
        path_set_add(&left, acceptance->table.left.files[i].path);
    (void)path_set_seal(&left);
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        struct manifest manifest;
        ok = store_read_manifest(store, batches[i], &manifest, err);
        bool has = false;
        for (size_t j = 0; ok && j < manifest.files.count && !has; j++)
            has = path_set_has(&left, manifest.files.files[j].path);
        if (ok)
            manifest_deinit(&manifest);
        if (has && named++ < BATCHES_NAMED_MAX)
            (void)fprintf(acceptance->out, "%s%" PRId64, named == 1 ? "  Of batches: " : ", ",
                          batches[i]);
    }
    if (named > 0)
        (void)fprintf(acceptance->out, "%s\n", named > BATCHES_NAMED_MAX ? ", …" : "");
    path_set_deinit(&left);
    return ok;
}

static void print_lost(const struct acceptance *acceptance, int64_t unsure) {
    FILE *out = acceptance->out;
    const struct resolved *gone = &acceptance->table.gone;
    const struct verify_losses *losses = &acceptance->losses;
    if (gone->count == 0) {
        (void)fprintf(out, "  No offset is lost.\n");
        return;
    }
    (void)fprintf(out, "  %s %s:\n", acceptance->dry_run ? "Would be lost" : "Lost",
                  text_count(gone->count, "offset").text);
    struct lost_print print = {out, gone, losses->incarnations.count > 0};
    resolved_each_partition(gone, print_partition, &print);
    if (losses->rows > 0)
        (void)fprintf(out, "  With them, or of other records, %s\n",
                      text_count(losses->rows, "row").text);
    if (unsure > 0)
        (void)fprintf(out,
                      "  Of these offsets, up to %" PRId64
                      " never had a row (Kafka has no record there, or it has no row); which ones "
                      "is not known\n",
                      unsure);
    if (losses->duplicates > 0)
        (void)fprintf(out,
                      "  %s in more than one file; this command does not change that "
                      "(`esports-stream verify` names them)\n",
                      text_count(losses->duplicates, "offset is").text);
}

static bool report(const struct acceptance *acceptance, int64_t unsure, struct error *err) {
    FILE *out = acceptance->out;
    const struct store_options *options = &acceptance->store->options;
    (void)fprintf(out, "%s: '%s' %s taken as it is.\n", options->query, options->table,
                  acceptance->dry_run ? "would be" : "is now");
    print_examples(out, &acceptance->gone, acceptance->dry_run ? "would leave it" : "left it");
    print_examples(out, &acceptance->unreadable, "of another size that cannot be read");
    print_examples(out, &acceptance->replaced, "of another size, with the rows they have now");
    if (acceptance->joined.count > 0)
        (void)fprintf(out, "  %s that %s not listed, with rows that were missing, '%s'%s\n",
                      text_count((int64_t)acceptance->joined.count, "file").text,
                      acceptance->joined.count == 1 ? "was" : "were", acceptance->joined.paths[0],
                      acceptance->joined.count > 1 ? ", …" : "");
    print_examples(out, &acceptance->refused,
                   "that are not listed, and stay so: move them out of the table");
    if (!print_batches(acceptance, err))
        return false;
    print_lost(acceptance, unsure);
    return true;
}

/* ---- all of it ---- */

static bool look(struct acceptance *acceptance, int64_t *unsure, struct error *err) {
    struct store *store = acceptance->store;
    if (!sink_log_open(&store->sink_log, store->options.table, err) ||
        !store_check_root(store, err) ||
        !verify_find_losses(acceptance->options, &acceptance->losses, err))
        return false;
    if (!acceptance->losses.complete)
        return error_set(err, ERROR_STATE,
                         "the offsets that are in no file of '%s' are too scattered to be "
                         "recorded: restore the files from a backup, or rewind",
                         store->options.table);
    bool ok = changes_read(store, &acceptance->changes, err) &&
              (!store->sink_log.exists ||
               sink_log_each_entry(&store->sink_log, see_entry, acceptance, err)) &&
              see_manifests(acceptance, err) && see_changes(acceptance, err) &&
              see_unlisted(acceptance, err);
    if (ok)
        verify_losses_settle(&acceptance->losses, &acceptance->found, &acceptance->table.gone,
                             unsure);
    // Spark's batches lack offsets in any case: these alone do not change the table.
    bool changed = acceptance->table.left.count + acceptance->table.added.count +
                       acceptance->rejects.left.count >
                   0;
    if (ok && !changed && *unsure == acceptance->table.gone.count)
        resolved_deinit(&acceptance->table.gone);
    return ok;
}

static bool accept(struct acceptance *acceptance, struct error *err) {
    struct recovery recovery;
    bool settled;
    int64_t unsure = 0;
    if (!operation_recover(acceptance->store, acceptance->dry_run, &recovery, &settled,
                           acceptance->out, err))
        return false;
    recovery_deinit(&recovery);
    if (!settled)
        return true;
    if (!look(acceptance, &unsure, err))
        return false;
    if (is_empty(&acceptance->table) && is_empty(&acceptance->rejects)) {
        (void)fprintf(acceptance->out,
                      "%s: '%s' has all files that it should have: nothing to accept.\n",
                      acceptance->store->options.query, acceptance->store->options.table);
        print_examples(acceptance->out, &acceptance->refused,
                       "that are not listed, and stay so: move them out of the table");
        return true;
    }
    return (acceptance->dry_run || carry_out(acceptance, err)) && report(acceptance, unsure, err);
}

bool operation_accept(const struct verify_options *options, bool dry_run, FILE *out,
                      struct error *err) {
    struct acceptance acceptance = {
        .options = options, .dry_run = dry_run, .out = out, .rejects.of_rejects = true};
    if (!operation_open(options->store, dry_run, out, &acceptance.store, err))
        return false;
    if (options->store->stream != NULL)
        stream_schema(options->store->stream, &acceptance.schema);
    bool ok = accept(&acceptance, err);
    verify_losses_deinit(&acceptance.losses);
    changes_deinit(&acceptance.changes);
    change_deinit(&acceptance.table);
    change_deinit(&acceptance.rejects);
    path_list_deinit(&acceptance.sources);
    path_set_deinit(&acceptance.listed);
    path_list_deinit(&acceptance.unlisted);
    path_list_deinit(&acceptance.joined);
    resolved_deinit(&acceptance.found);
    store_close(acceptance.store);
    return ok;
}
