/* rewind_cut.c: coverage/ as it was when a batch was the newest, after later ones were folded.
 *
 * First all manifests are added to what is folded, then everything that history/ knows of later
 * batches is taken out again, the newest first. What is left must end where the plan of the batch
 * ends, or something is not known, and nothing is changed. The result is published under the number
 * of the batch before the newer file goes; both are there until then, and a second run makes the
 * same of the newer one. */
#include <inttypes.h>
#include <stdio.h>

#include "base/scope.h"
#include "streaming/operations/rewind_decide.h"
#include "streaming/store/coverage_cut.h"

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
    return file_replace(directory, name, text, size, err) &&
           file_remove(file_join_number(directory, rewind->folded).text, err) &&
           file_sync_directory(directory, err);
}

bool rewind_cut_coverage(struct rewind *rewind, struct error *err) {
    struct coverage coverage = {.through = -1};
    if (rewind->folded <= rewind->to_batch)
        return true;
    bool ok = (rewind->history.count > 0 || history_read(rewind->store, &rewind->history, err)) &&
              make(rewind, &coverage, err) && publish(rewind, &coverage, err);
    coverage_deinit(&coverage);
    return ok;
}
