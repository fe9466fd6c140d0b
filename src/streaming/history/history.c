/* history.c: slots of batches, noted while the checkpoint still has them.
 *
 * Each note replaces the newest file as a whole, so its slot bounds its size. Slots that are old
 * enough are thinned and moved into the thinned file before them. After a crash between the two
 * steps a slot is there twice, and readers drop what they have read already. Nothing here decides
 * whether a batch counts: a rewind compares the history with coverage/, and refuses what does not
 * fit. */
#include "streaming/history/history.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/scope.h"
#include "streaming/history/history_files.h"
#include "streaming/history/history_thin.h"

enum { FILE_ENTRIES_MAX = 6 * HISTORY_SLOT }; // of a file with thinned slots

/* ---- what the checkpoint has ---- */

static void take_plan(struct history_entry *entry, struct offset_entry *plan) {
    entry->first_ms = entry->last_ms = plan->timestamp_ms;
    entry->has_ends = true;
    entry->ends = plan->ends;
    entry->known_ends = plan->known_ends;
    plan->ends = plan->known_ends = (struct offsets){0};
}

static bool take_manifest(struct history_entry *entry, struct manifest *manifest,
                          struct error *err) {
    entry->incarnation = manifest->incarnation.number;
    entry->of_spark = manifest->of_spark;
    if (!entry->has_ends)
        entry->first_ms = entry->last_ms = manifest->timestamp_ms;
    entry->outcome.counts_rows = manifest->counts_rows;
    for (size_t i = 0; i < manifest->outcome_count; i++) {
        struct range_outcome outcome = manifest->outcomes[i];
        outcome.incarnation = entry->incarnation;
        if (!coverage_add(&entry->outcome, &outcome, err))
            return false;
    }
    resolved_add_all(&entry->outcome.replayed, &manifest->replayed);
    replay_counts_add_all(&entry->outcome.replay_counts, &manifest->replay_counts);
    return true;
}

/* What a note starts from. */
struct note {
    const struct store *store;
    struct history newest; // the newest file
    int64_t slot;          // its name; -1: there is none
    int64_t folded;        // the newest batch of coverage/
    bool only_read;        // all is in `newest`, and nothing is written
    bool changed;
};

/* Whether a batch without a manifest is Spark's. One of ours whose manifest is folded already says
 * nothing of what it took. */
static bool is_of_spark(const struct note *note, int64_t batch_id, bool *of_spark,
                        struct error *err) {
    enum commit_author author;
    *of_spark = batch_id > note->folded;
    if (*of_spark)
        return true;
    if (!checkpoint_commit_author(&note->store->checkpoint, batch_id, &author, err))
        return false;
    *of_spark = author == COMMIT_SPARKS;
    return true;
}

static bool has_manifest(const struct store *store, int64_t batch_id, bool *has,
                         struct error *err) {
    int there =
        file_exists(file_join_number(store->checkpoint.manifests.text, batch_id).text, NULL, err);
    *has = there == 1;
    return there >= 0;
}

static bool fill_outcome(const struct note *note, int64_t batch_id, struct history_entry *entry,
                         bool *known, struct error *err) {
    struct manifest manifest;
    const struct history *newest = &note->newest;
    if (!has_manifest(note->store, batch_id, known, err))
        return false;
    if (!*known) {
        entry->incarnation =
            newest->count == 0 ? 0 : newest->entries[newest->count - 1].incarnation;
        bool ok = is_of_spark(note, batch_id, &entry->of_spark, err);
        *known = entry->of_spark;
        return ok;
    }
    if (!store_read_manifest(note->store, batch_id, &manifest, err))
        return false;
    bool ok = take_manifest(entry, &manifest, err);
    manifest_deinit(&manifest);
    return ok;
}

/* *known false: nothing tells what the batch took. */
static bool read_batch(const struct note *note, int64_t batch_id, struct history_entry *entry,
                       bool *known, struct error *err) {
    struct offset_entry plan = {0};
    bool planned;
    *entry =
        (struct history_entry){.first = batch_id, .last = batch_id, .outcome = {.through = -1}};
    if (!checkpoint_read_offsets(&note->store->checkpoint, batch_id, &plan, &planned, err))
        return false;
    if (planned)
        take_plan(entry, &plan);
    offset_entry_deinit(&plan);
    bool ok = fill_outcome(note, batch_id, entry, known, err);
    *known = *known && (planned || !entry->of_spark);
    return ok;
}

/* The file before is complete. */
static bool go_to_slot(struct note *note, int64_t slot, struct error *err) {
    if (slot <= note->slot)
        return true;
    if (note->changed && !history_file_write(note->store, note->slot, &note->newest, err))
        return false;
    history_deinit(&note->newest);
    note->slot = slot;
    return true;
}

/* Of a new entry. If the newest file has no room for it, it begins another one. */
static int64_t slot_of(const struct note *note, const struct history_entry *entry) {
    bool fits = note->newest.count == 0 ||
                history_ranges(&note->newest) + entry->outcome.count <= HISTORY_FILE_RANGES;
    return fits ? entry->first / HISTORY_SLOT * HISTORY_SLOT : entry->first;
}

static bool add_batch(struct note *note, int64_t batch_id, struct error *err) {
    struct history_entry entry;
    bool known;
    bool ok = read_batch(note, batch_id, &entry, &known, err);
    if (!ok || !known) {
        history_entry_deinit(&entry);
        return ok;
    }
    ok = go_to_slot(note, slot_of(note, &entry), err);
    (void)history_add(&note->newest, entry);
    note->newest.thinned = false;
    note->changed = true;
    return ok;
}

/* The batches behind `known` that have a plan or a manifest. */
static bool list_batches(const struct store *store, int64_t known, int64_t committed,
                         int64_t **batches, size_t *count, struct error *err) {
    scoped(scope_free) int64_t *plans = NULL;
    scoped(scope_free) int64_t *manifests = NULL;
    size_t plan_count, manifest_count, plan = 0, manifest = 0;
    *count = 0;
    *batches = NULL;
    if (!file_list_numbers(store->checkpoint.offsets.text, "", &plans, &plan_count, err) ||
        !file_list_numbers(store->checkpoint.manifests.text, "", &manifests, &manifest_count, err))
        return false;
    *batches = must_alloc(plan_count + manifest_count + 1, sizeof **batches);
    while (plan < plan_count || manifest < manifest_count) {
        bool by_plan =
            manifest == manifest_count || (plan < plan_count && plans[plan] <= manifests[manifest]);
        int64_t batch = by_plan ? plans[plan] : manifests[manifest];
        plan += plan < plan_count && plans[plan] == batch;
        manifest += manifest < manifest_count && manifests[manifest] == batch;
        if (batch > known && batch <= committed)
            (*batches)[(*count)++] = batch;
    }
    return true;
}

static bool note_batches(struct note *note, int64_t committed, struct error *err) {
    int64_t *batches;
    size_t count;
    bool ok =
        list_batches(note->store, history_newest(&note->newest), committed, &batches, &count, err);
    for (size_t i = 0; ok && i < count; i++)
        ok = add_batch(note, batches[i], err);
    free(batches);
    return ok && (!note->changed || note->only_read ||
                  history_file_write(note->store, note->slot, &note->newest, err));
}

bool history_read(const struct store *store, struct history *history, struct error *err) {
    struct note note = {.store = store, .slot = INT64_MAX, .only_read = true};
    int64_t committed;
    bool ok = checkpoint_newest(&store->checkpoint.commits, &committed, err) &&
              checkpoint_newest(&store->checkpoint.coverage, &note.folded, err) &&
              history_files_read(store, &note.newest, err) && note_batches(&note, committed, err);
    *history = note.newest;
    if (!ok)
        history_deinit(history);
    return ok;
}

/* ---- forgetting ---- */

/* Whether a file of old slots is thinned already; a damaged one is left as it is. */
static bool is_thinned(const struct history *history, bool found) {
    return !found || history->thinned;
}

static bool fit_one_file(const struct history *to, const struct history *from) {
    size_t ranges = history_ranges(to) + history_ranges(from);
    // Of the same partitions, as a rule; then an entry that is joined adds none.
    if (to->count > 0 && from->count > 0 &&
        history_joins(&to->entries[to->count - 1], &from->entries[0]))
        ranges -= from->entries[0].outcome.count;
    return to->count + from->count <= FILE_ENTRIES_MAX && ranges <= HISTORY_FILE_RANGES;
}

/* A slot into the thinned file before it, if there is room. *before: that file, -1: there is none;
 * then the file that the slot is in. */
static bool thin_slot(const struct store *store, int64_t *before, int64_t slot, struct error *err) {
    struct history to = {0}, from = {0};
    bool has_to = false, has_from, joins = false;
    bool ok = history_file_read(store, slot, &from, &has_from, err) &&
              (*before < 0 || history_file_read(store, *before, &to, &has_to, err));
    if (ok && !is_thinned(&from, has_from)) {
        history_thin(&from);
        joins = has_to && to.thinned && fit_one_file(&to, &from);
        if (joins) {
            history_add_all(&to, &from);
            history_thin(&to);
        }
        ok = joins ? history_file_write(store, *before, &to, err) &&
                         history_file_remove(store, slot, err)
                   : history_file_write(store, slot, &from, err);
    }
    history_deinit(&to);
    history_deinit(&from);
    *before = joins ? *before : slot;
    return ok;
}

static bool thin(const struct store *store, int64_t newest_slot, struct error *err) {
    scoped(scope_free) int64_t *slots = NULL;
    size_t count;
    if (!history_file_list(store, &slots, &count, err))
        return false;
    while (count > 0 &&
           slots[count - 1] > newest_slot - (int64_t)HISTORY_PLAIN_SLOTS * HISTORY_SLOT)
        count--;
    // Most of the time it is the last one; after an error, or with many partitions, there are more.
    size_t first = count > HISTORY_PLAIN_SLOTS ? count - HISTORY_PLAIN_SLOTS : 0;
    int64_t before = first == 0 ? -1 : slots[first - 1];
    for (size_t i = first; i < count; i++)
        if (!thin_slot(store, &before, slots[i], err))
            return false;
    return true;
}

/* Whole files, the oldest first; a damaged one with those behind it. */
static bool expire(const struct store *store, int64_t before_ms, struct error *err) {
    scoped(scope_free) int64_t *slots = NULL;
    size_t count;
    if (!history_file_list(store, &slots, &count, err))
        return false;
    for (size_t i = 0, gone = 0; i < count; i++) {
        struct history part;
        bool found;
        if (!history_file_read(store, slots[i], &part, &found, err))
            return false;
        bool old = part.count > 0 && part.entries[part.count - 1].last_ms < before_ms;
        bool kept = part.count > 0 && !old;
        history_deinit(&part);
        if (kept)
            return true;
        for (; old && gone <= i; gone++)
            if (!history_file_remove(store, slots[gone], err))
                return false;
    }
    return true;
}

/* The newest first, so that what is left has no gap. */
bool history_cut(const struct store *store, int64_t last, struct error *err) {
    scoped(scope_free) int64_t *slots = NULL;
    size_t count;
    if (!history_file_list(store, &slots, &count, err))
        return false;
    for (bool done = false; count > 0 && !done; count--) {
        int64_t slot = slots[count - 1];
        struct history part;
        bool found;
        if (!history_file_read(store, slot, &part, &found, err))
            return false;
        size_t kept = part.count;
        while (kept > 0 && part.entries[kept - 1].last > last)
            kept--;
        done = kept == part.count && kept > 0;
        bool cut = kept < part.count;
        history_shorten(&part, kept);
        bool ok = !cut || (kept == 0 ? history_file_remove(store, slot, err)
                                     : history_file_write(store, slot, &part, err));
        history_deinit(&part);
        if (!ok)
            return false;
    }
    return true;
}

/* ---- a note ---- */

static bool begin_note(struct note *note, struct error *err) {
    const struct checkpoint *checkpoint = &note->store->checkpoint;
    bool found;
    return file_remove_drafts(checkpoint->history.text, err) &&
           checkpoint_newest(&checkpoint->coverage, &note->folded, err) &&
           checkpoint_newest(&checkpoint->history, &note->slot, err) &&
           (note->slot < 0 ||
            history_file_read(note->store, note->slot, &note->newest, &found, err));
}

/* Of one file, the newest first: the last batch that both know; or *last is before the file. */
static bool compare(const struct store *store, int64_t committed, const struct history *part,
                    int64_t *last, bool *same, struct error *err) {
    bool ok = true;
    for (size_t i = part->count; ok && !*same && i > 0; i--) {
        const struct history_entry *entry = &part->entries[i - 1];
        struct offset_entry plan = {0};
        bool found = false;
        ok = checkpoint_read_offsets(&store->checkpoint, entry->last, &plan, &found, err);
        *same = entry->last <= committed && (!found || plan.timestamp_ms == entry->last_ms);
        if (ok && !*same)
            *last = entry->first - 1;
        offset_entry_deinit(&plan);
    }
    return ok;
}

/* Forgets what is not of the checkpoint's batches. */
static bool cut_strange(const struct store *store, int64_t committed, struct error *err) {
    scoped(scope_free) int64_t *slots = NULL;
    size_t count;
    int64_t last = INT64_MAX;
    if (!history_file_list(store, &slots, &count, err))
        return false;
    for (bool same = false; !same && count > 0; count--) {
        struct history part;
        bool found;
        bool ok = history_file_read(store, slots[count - 1], &part, &found, err) &&
                  compare(store, committed, &part, &last, &same, err);
        history_deinit(&part);
        if (!ok)
            return false;
    }
    return last == INT64_MAX || history_cut(store, last, err);
}

static bool keep(const struct store *store, bool at_start, struct error *err) {
    const struct checkpoint *checkpoint = &store->checkpoint;
    struct note note = {.store = store, .slot = -1};
    int64_t committed;
    if (!checkpoint_newest(&checkpoint->commits, &committed, err) ||
        (at_start && !cut_strange(store, committed, err)))
        return false;
    bool ok = begin_note(&note, err);
    int64_t slot = note.slot;
    ok = ok && note_batches(&note, committed, err);
    int64_t newest_ms =
        note.newest.count == 0 ? 0 : note.newest.entries[note.newest.count - 1].last_ms;
    bool another = note.slot != slot || at_start;
    slot = note.slot;
    history_deinit(&note.newest);
    return ok && (!another || (thin(store, slot, err) &&
                               expire(store, newest_ms - store->options.rewind_retention_ms, err)));
}

void history_keep(const struct store *store, bool at_start) {
    struct error err = {0};
    if (store->options.rewind_retention_ms > 0 && !keep(store, at_start, &err))
        history_warn(store, "The history for rewind was not written; a later batch retries", &err);
}

void history_note(const struct store *store, int64_t batch_id) {
    if ((batch_id + 1) % HISTORY_INTERVAL == 0)
        history_keep(store, false);
}
