/* rewind_cut.c: coverage/ and changes/ as if there had been no later batches.
 *
 * If later batches are folded, coverage is made as it was when the batch was the newest.
 * First all manifests are added to what is folded, then everything that history/ knows of later
 * batches is taken out again, the newest first. What is left must end where the plan of the batch
 * ends, or something is not known, and nothing is changed. The result is published under the number
 * of the batch before the newer file goes; both are there until then, and a second run makes the
 * same of the newer one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "streaming/changes/changes.h"
#include "streaming/history/coverage_cut.h"
#include "streaming/operations/rewind_cut.h"

static bool add_manifest(const struct rewind *rewind, int64_t batch_id, struct coverage *coverage,
                         struct error *err) {
    struct manifest manifest;
    if (!store_read_manifest(rewind->store, batch_id, &manifest, err))
        return false;
    bool ok = coverage_add_manifest(coverage, &manifest, err);
    manifest_deinit(&manifest);
    return ok;
}

static bool add_manifests(const struct rewind *rewind, struct coverage *coverage,
                          struct error *err) {
    scoped(scope_free) int64_t *batches = NULL;
    size_t count;
    if (!file_list_numbers(rewind->store->checkpoint.manifests.text, "", &batches, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (batches[i] > rewind->folded && batches[i] <= rewind->newest &&
            !add_manifest(rewind, batches[i], coverage, err))
            return false;
    return true;
}

static bool take_out_later(const struct rewind *rewind, struct coverage *coverage,
                           struct error *err) {
    const struct history *history = &rewind->history;
    for (size_t i = history->count; i > 0 && history->entries[i - 1].first > rewind->to_batch; i--)
        if (!coverage_take_out(coverage, &history->entries[i - 1].outcome, err))
            return false;
    return coverage_end_at(coverage, rewind->incarnation, &rewind->target.ends,
                           rewind->target.timestamp_ms, err);
}

/* Whether all batches after the target are known, each in its turn. What is missing can only be
 * Spark's if nothing was ever replayed: a replay takes no offsets that would be left over. */
static bool check_gaps(const struct rewind *rewind, const struct coverage *coverage,
                       struct error *err) {
    int64_t next = rewind->to_batch + 1;
    for (size_t i = 0; i < rewind->history.count; i++) {
        const struct history_entry *entry = &rewind->history.entries[i];
        if (entry->last <= rewind->to_batch)
            continue;
        if (entry->first != next && coverage->replayed.count > 0)
            return error_set(err, ERROR_STATE, "batches %" PRId64 " to %" PRId64 " are not known",
                             next, entry->first - 1);
        next = entry->last + 1;
    }
    return true;
}

/* ---- what has left the table ---- */

struct later {
    const struct rewind *rewind;
    struct resolved *gone;
    bool changed;
};

static void drop_partition(void *context, int32_t incarnation, int32_t partition) {
    struct later *later = context;
    const struct partition_offset *end = offsets_find(&later->rewind->target.ends, partition);
    if (incarnation == later->rewind->incarnation)
        resolved_drop_from(later->gone, incarnation, partition, end == NULL ? 0 : end->offset);
}

/* Rows that are made again have not left, neither of offsets that are read again nor of rejects
 * that are replayed again. */
static bool drop_later(const struct rewind *rewind, struct resolved *gone) {
    struct resolved copy = {0};
    struct later later = {.rewind = rewind, .gone = gone};
    int64_t before = gone->count;
    resolved_add_all(&copy, gone); // which is walked, while partitions go
    resolved_each_partition(&copy, drop_partition, &later);
    resolved_deinit(&copy);
    for (size_t i = rewind->history.count;
         i > 0 && rewind->history.entries[i - 1].first > rewind->to_batch; i--)
        resolved_drop_all(gone, &rewind->history.entries[i - 1].outcome.replayed);
    return gone->count < before;
}

/* ---- coverage ---- */

static bool make(const struct rewind *rewind, struct coverage *coverage, struct error *err) {
    bool found;
    if (!coverage_read(rewind->store, coverage, &found, err))
        return false;
    bool ok = add_manifests(rewind, coverage, err) && take_out_later(rewind, coverage, err) &&
              check_gaps(rewind, coverage, err);
    coverage->through = rewind->to_batch;
    return ok || error_wrap(err,
                            "it is not known what the batches after %" PRId64
                            " have added: choose a newer batch",
                            rewind->to_batch);
}

bool rewind_check_coverage(const struct rewind *rewind, struct error *err) {
    struct coverage coverage = {.through = -1};
    bool ok = rewind->folded <= rewind->to_batch || make(rewind, &coverage, err);
    coverage_deinit(&coverage);
    return ok;
}

static bool publish(const struct rewind *rewind, const struct coverage *coverage,
                    struct error *err) {
    const char *directory = rewind->store->checkpoint.coverage.text;
    struct manifest_origin origin = store_origin(rewind->store);
    char name[32];
    size_t size;
    (void)snprintf(name, sizeof name, "%" PRId64, coverage->through);
    scoped(scope_free) char *text = coverage_print(coverage, &origin, &size);
    if (!file_replace(directory, name, text, size, err))
        return false;
    return coverage->through == rewind->folded ||
           (file_remove(file_join_number(directory, rewind->folded).text, err) &&
            file_sync_directory(directory, err));
}

static bool cut_coverage(const struct rewind *rewind, struct error *err) {
    struct coverage coverage = {.through = -1};
    bool folded = rewind->folded > rewind->to_batch, found;
    bool ok = folded ? make(rewind, &coverage, err)
                     : coverage_read(rewind->store, &coverage, &found, err);
    bool expired = ok && drop_later(rewind, &coverage.expired);
    bool accepted = ok && drop_later(rewind, &coverage.accepted);
    if (ok && (folded || expired || accepted))
        ok = publish(rewind, &coverage, err);
    coverage_deinit(&coverage);
    return ok;
}

/* ---- changes ---- */

struct aside {
    struct path_set table, rejects; // owned
};

static bool add_aside(void *context, struct json *line, struct error *err) {
    struct aside *aside = context;
    const char *of = json_member_text(line, "aside");
    (void)err;
    if (of != NULL)
        path_set_add(strcmp(of, "rejects") == 0 ? &aside->rejects : &aside->table,
                     json_member_text(line, "path"));
    return true;
}

/* Drops the files that are not in the table any more. */
static bool drop_added(struct change *change, const struct aside *aside) {
    const struct path_set *set = change->of_rejects ? &aside->rejects : &aside->table;
    size_t kept = 0, before = change->added.count;
    for (size_t i = 0; i < before; i++) {
        struct data_file *file = &change->added.files[i];
        if (!path_set_has(set, file->path)) {
            change->added.files[kept++] = *file;
            continue;
        }
        free(file->path);
        free(file->staged);
    }
    change->added.count = kept;
    return kept < before;
}

static bool cut_change(const struct rewind *rewind, int64_t number, const struct aside *aside,
                       struct error *err) {
    struct manifest_origin origin = store_origin(rewind->store);
    struct change change;
    bool found, open;
    if (!change_read(rewind->store, number, &change, &found, &open, err))
        return false;
    bool ok = true;
    bool gone = found && drop_later(rewind, &change.gone);
    bool added = found && drop_added(&change, aside);
    if (!open && (gone || added)) {
        char name[32];
        size_t size;
        (void)snprintf(name, sizeof name, "%" PRId64, number);
        scoped(scope_free) char *text = change_print(&change, &origin, &size);
        ok = file_replace(rewind->store->checkpoint.changes.text, name, text, size, err);
    }
    change_deinit(&change);
    return ok;
}

/* What a record says must still be true. */
static bool cut_changes(const struct rewind *rewind, struct error *err) {
    const struct store *store = rewind->store;
    struct file_path intent = file_join(store->options.checkpoint, CHECKPOINT_REWIND);
    scoped(scope_free) int64_t *numbers = NULL;
    size_t count;
    struct aside aside = {0};
    bool found;
    if (!changes_numbers(store, &numbers, &count, err))
        return false;
    bool ok = count == 0 || sink_log_file_entries(intent.text, add_aside, &aside, &found, err);
    (void)path_set_seal(&aside.table);
    (void)path_set_seal(&aside.rejects);
    for (size_t i = 0; ok && i < count; i++)
        ok = cut_change(rewind, numbers[i], &aside, err);
    path_set_deinit(&aside.table);
    path_set_deinit(&aside.rejects);
    return ok;
}

bool rewind_cut(struct rewind *rewind, struct error *err) {
    return (rewind->history.count > 0 || history_read(rewind->store, &rewind->history, err)) &&
           cut_coverage(rewind, err) && cut_changes(rewind, err);
}
