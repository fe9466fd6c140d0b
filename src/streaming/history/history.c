/* history.c: slots of batches, noted while the checkpoint still has them.
 *
 * Each note replaces the newest file as a whole, so its slot bounds its size. Slots that are old
 * enough are thinned and moved into the thinned file before them. After a crash between the two
 * steps a slot is there twice, and readers drop what they have read already. Nothing here decides
 * whether a batch counts: a rewind compares the history with coverage/, and refuses what does not
 * fit. */
#include "streaming/history/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "base/log/log.h"
#include "base/scope.h"
#include "streaming/store/disk_versions.h"
#include "streaming/store/range_json.h"

enum {
    FILE_SIZE_MAX = 512 << 20,
    FILE_ENTRIES_MAX = 6 * HISTORY_SLOT, // of one with thinned slots
};

static void entry_deinit(struct history_entry *entry) {
    offsets_deinit(&entry->ends);
    offsets_deinit(&entry->known_ends);
    coverage_deinit(&entry->outcome);
}

void history_deinit(struct history *history) {
    for (size_t i = 0; i < history->count; i++)
        entry_deinit(&history->entries[i]);
    free(history->entries);
    *history = (struct history){0};
}

/* Moves. */
static struct history_entry *add(struct history *history, struct history_entry entry) {
    if (history->count == history->capacity) {
        history->capacity = history->capacity == 0 ? 16 : 2 * history->capacity;
        history->entries =
            reallocarray(history->entries, history->capacity, sizeof *history->entries);
        check(history->entries != NULL);
    }
    history->entries[history->count] = entry;
    return &history->entries[history->count++];
}

/* Drops the entries from `count` on. */
static void shorten(struct history *history, size_t count) {
    while (history->count > count)
        entry_deinit(&history->entries[--history->count]);
}

static int64_t newest_of(const struct history *history) {
    return history->count == 0 ? -1 : history->entries[history->count - 1].last;
}

/* Moves the entries that are newer than those of `history`. */
static void add_all(struct history *history, struct history *more) {
    for (size_t i = 0; i < more->count; i++) {
        if (more->entries[i].first > newest_of(history))
            (void)add(history, more->entries[i]);
        else
            entry_deinit(&more->entries[i]);
    }
    more->count = 0;
    history_deinit(more);
}

const struct history_entry *history_find(const struct history *history, int64_t batch_id) {
    for (size_t i = history->count; i > 0; i--)
        if (history->entries[i - 1].last == batch_id && history->entries[i - 1].has_ends)
            return &history->entries[i - 1];
    return NULL;
}

static size_t range_count(const struct history *history) {
    size_t count = 0;
    for (size_t i = 0; i < history->count; i++)
        count += history->entries[i].outcome.count;
    return count;
}

/* ---- text ---- */

static struct json *print_ranges(const struct coverage *outcome) {
    struct json *ranges = json_new_array();
    for (size_t i = 0; i < outcome->count; i++)
        json_append(ranges, range_print(&outcome->ranges[i], outcome->counts_rows));
    return ranges;
}

static struct json *print_entry(const struct history_entry *entry) {
    struct json *object = json_new_object();
    json_put_int(object, "first", entry->first);
    json_put_int(object, "batch", entry->last);
    json_put_int(object, "firstMs", entry->first_ms);
    json_put_int(object, "timestampMs", entry->last_ms);
    if (entry->incarnation > 0)
        json_put_int(object, "incarnation", entry->incarnation);
    if (entry->has_ends)
        json_put(object, "ends", offsets_print(&entry->ends));
    if (entry->known_ends.count > 0)
        json_put(object, "knownEnds", offsets_print(&entry->known_ends));
    if (entry->of_spark)
        json_put_bool(object, "spark", true);
    if (entry->outcome.counts_rows)
        json_put_bool(object, "countsRows", true);
    if (entry->outcome.count > 0)
        json_put(object, "ranges", print_ranges(&entry->outcome));
    if (entry->outcome.replayed.count > 0) {
        json_put(object, "replayed", resolved_print(&entry->outcome.replayed));
        replay_counts_print(&entry->outcome.replay_counts, object);
    }
    return object;
}

char *history_print(const struct history *history, const struct manifest_origin *origin,
                    size_t *size) {
    struct json *object = json_new_object(), *entries = json_new_array();
    json_put_text(object, "query", origin->query_id);
    json_put_text(object, "topic", origin->topic);
    if (history->thinned)
        json_put_bool(object, "thinned", true);
    for (size_t i = 0; i < history->count; i++)
        json_append(entries, print_entry(&history->entries[i]));
    json_put(object, "entries", entries);
    char *text = json_print_versioned(object, HISTORY_VERSION, size);
    json_free(object);
    return text;
}

static bool parse_ranges(const struct json *ranges, struct history_entry *entry,
                         struct error *err) {
    for (size_t i = 0; i < json_count(ranges); i++) {
        struct range_outcome outcome;
        if (!range_parse(json_at(ranges, i), entry->outcome.counts_rows, &outcome))
            return error_set(err, ERROR_STATE, "the counts of batch %" PRId64 " do not add up",
                             entry->last);
        outcome.incarnation = entry->incarnation;
        if (!coverage_add(&entry->outcome, &outcome, err))
            return false;
    }
    return true;
}

static bool parse_replayed(const struct json *object, struct history_entry *entry,
                           struct error *err) {
    const struct json *replayed = json_member(object, "replayed");
    return replayed == NULL ||
           (resolved_parse(replayed, &entry->outcome.replayed, err) &&
            (replay_counts_parse(object, &entry->outcome.replayed, &entry->outcome.replay_counts) ||
             error_set(err, ERROR_STATE, "the counts of what was replayed do not add up")));
}

static bool parse_numbers(const struct json *object, struct history_entry *entry) {
    int64_t incarnation = 0;
    bool ok = json_member_int(object, "first", &entry->first) &&
              json_member_int(object, "batch", &entry->last) &&
              json_member_int(object, "firstMs", &entry->first_ms) &&
              json_member_int(object, "timestampMs", &entry->last_ms) && entry->first >= 0 &&
              entry->first <= entry->last &&
              (json_member(object, "incarnation") == NULL ||
               json_member_int(object, "incarnation", &incarnation)) &&
              incarnation >= 0 && incarnation <= INT32_MAX;
    entry->incarnation = (int32_t)incarnation;
    return ok;
}

static bool parse_entry(const struct json *object, struct history_entry *entry, struct error *err) {
    const struct json *ends = json_member(object, "ends"),
                      *known = json_member(object, "knownEnds");
    *entry = (struct history_entry){.has_ends = ends != NULL, .outcome = {.through = -1}};
    if (!parse_numbers(object, entry))
        return error_set(err, ERROR_STATE, "one of its entries is not described in full");
    (void)json_member_bool(object, "spark", &entry->of_spark);
    (void)json_member_bool(object, "countsRows", &entry->outcome.counts_rows);
    return (ends == NULL || offsets_parse(ends, &entry->ends, err)) &&
           (known == NULL || offsets_parse(known, &entry->known_ends, err)) &&
           parse_ranges(json_member(object, "ranges"), entry, err) &&
           parse_replayed(object, entry, err);
}

static bool is_text(const struct json *object, const char *name, const char *expected) {
    const char *text = json_member_text(object, name);
    return text != NULL && strcmp(text, expected) == 0;
}

static bool parse_object(const struct json *object, const struct manifest_origin *origin,
                         struct history *history, struct error *err) {
    const struct json *entries = json_member(object, "entries");
    if (!is_text(object, "query", origin->query_id) || !is_text(object, "topic", origin->topic) ||
        entries == NULL)
        return error_set(err, ERROR_STATE, "it belongs to another query or topic");
    (void)json_member_bool(object, "thinned", &history->thinned);
    for (size_t i = 0; i < json_count(entries); i++) {
        struct history_entry entry;
        bool ok = parse_entry(json_at(entries, i), &entry, err);
        if (ok && entry.first <= newest_of(history))
            ok = error_set(err, ERROR_STATE, "its entries are not in order");
        if (!ok) {
            entry_deinit(&entry);
            return false;
        }
        (void)add(history, entry);
    }
    return true;
}

bool history_parse(const char *text, size_t size, const struct manifest_origin *origin,
                   struct history *history, struct error *err) {
    int version;
    *history = (struct history){0};
    struct json *object = json_parse_versioned(text, size, HISTORY_VERSION, &version, err);
    if (object == NULL)
        return false;
    bool ok = parse_object(object, origin, history, err);
    json_free(object);
    if (!ok)
        history_deinit(history);
    return ok;
}

/* ---- thinning ---- */

static bool is_behind(const struct range_outcome *range, const struct coverage *outcome) {
    for (size_t i = 0; i < outcome->count; i++)
        if (outcome->ranges[i].range.partition == range->range.partition &&
            outcome->ranges[i].range.end > range->range.start)
            return false;
    return true;
}

static bool is_all_behind(const struct coverage *later, const struct coverage *outcome) {
    for (size_t i = 0; i < later->count; i++)
        if (!is_behind(&later->ranges[i], outcome))
            return false;
    return true;
}

/* Positions that move stay visible, as does whose batch it was. */
static bool belongs_to(const struct history_entry *to, const struct history_entry *entry) {
    return entry->first == to->last + 1 && entry->last_ms - to->first_ms < HISTORY_THIN_MS &&
           entry->last_ms >= to->first_ms && entry->incarnation == to->incarnation &&
           entry->known_ends.count == 0 && entry->has_ends && to->has_ends &&
           entry->of_spark == to->of_spark && is_all_behind(&entry->outcome, &to->outcome);
}

/* Moves. False: they don't go together, and both are as they were. */
static bool join(struct history_entry *to, struct history_entry *entry) {
    struct error ignored;
    if (!belongs_to(to, entry))
        return false;
    for (size_t i = 0; i < entry->outcome.count; i++)
        check(coverage_add(&to->outcome, &entry->outcome.ranges[i], &ignored));
    to->outcome.counts_rows = to->outcome.counts_rows || entry->outcome.counts_rows;
    resolved_add_all(&to->outcome.replayed, &entry->outcome.replayed);
    replay_counts_add_all(&to->outcome.replay_counts, &entry->outcome.replay_counts);
    offsets_deinit(&to->ends);
    to->ends = entry->ends;
    entry->ends = (struct offsets){0};
    to->last = entry->last;
    to->last_ms = entry->last_ms;
    entry_deinit(entry);
    return true;
}

void history_thin(struct history *history) {
    size_t kept = 0;
    for (size_t i = 0; i < history->count; i++)
        if (kept == 0 || !join(&history->entries[kept - 1], &history->entries[i]))
            history->entries[kept++] = history->entries[i];
    history->count = kept;
    history->thinned = true;
}

/* ---- files ---- */

static void warn(const struct store *store, const char *what, const struct error *why) {
    log_write(LOG_WARNING, store->options.query, "%s | error=%s", what, why->message);
}

/* *found false: there is none, or it is damaged. */
static bool read_file(const struct store *store, int64_t slot, struct history *history, bool *found,
                      struct error *err) {
    struct file_path path = file_join_number(store->checkpoint.history.text, slot);
    struct manifest_origin origin = store_origin(store);
    scoped(scope_free) char *text = NULL;
    size_t size;
    *history = (struct history){0};
    *found = false;
    if (!file_read(path.text, FILE_SIZE_MAX, &text, &size, err))
        return err->kind == ERROR_STATE;
    if (text == NULL)
        return true;
    *found = history_parse(text, size, &origin, history, err);
    if (*found)
        return true;
    (void)error_wrap(err, "'%s'", path.text);
    warn(store, "Some older batches are unknown: a rewind cannot undo them", err);
    return true;
}

static bool write_file(const struct store *store, int64_t slot, const struct history *history,
                       struct error *err) {
    const struct checkpoint *checkpoint = &store->checkpoint;
    struct manifest_origin origin = store_origin(store);
    char name[32];
    size_t size;
    (void)snprintf(name, sizeof name, "%" PRId64, slot);
    scoped(scope_free) char *text = history_print(history, &origin, &size);
    return file_make_directory_name(checkpoint->history.text, err) &&
           file_sync_directory(checkpoint->root.text, err) &&
           file_replace(checkpoint->history.text, name, text, size, err);
}

static bool remove_file(const struct store *store, int64_t slot, struct error *err) {
    return file_remove(file_join_number(store->checkpoint.history.text, slot).text, err);
}

static bool list(const struct store *store, int64_t **slots, size_t *count, struct error *err) {
    return file_list_numbers(store->checkpoint.history.text, "", slots, count, err);
}

/* The newest first, so that what is left has no gap. */
bool history_cut(const struct store *store, int64_t last, struct error *err) {
    scoped(scope_free) int64_t *slots = NULL;
    size_t count;
    if (!list(store, &slots, &count, err))
        return false;
    for (bool done = false; count > 0 && !done; count--) {
        int64_t slot = slots[count - 1];
        struct history part;
        bool found;
        if (!read_file(store, slot, &part, &found, err))
            return false;
        size_t kept = part.count;
        while (kept > 0 && part.entries[kept - 1].last > last)
            kept--;
        done = kept == part.count && kept > 0;
        bool cut = kept < part.count;
        shorten(&part, kept);
        bool ok = !cut ||
                  (kept == 0 ? remove_file(store, slot, err) : write_file(store, slot, &part, err));
        history_deinit(&part);
        if (!ok)
            return false;
    }
    return true;
}

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
    if (note->changed && !write_file(note->store, note->slot, &note->newest, err))
        return false;
    history_deinit(&note->newest);
    note->slot = slot;
    return true;
}

/* Of a new entry. If the newest file has no room for it, it begins another one. */
static int64_t slot_of(const struct note *note, const struct history_entry *entry) {
    bool fits = note->newest.count == 0 ||
                range_count(&note->newest) + entry->outcome.count <= HISTORY_FILE_RANGES;
    return fits ? entry->first / HISTORY_SLOT * HISTORY_SLOT : entry->first;
}

static bool add_batch(struct note *note, int64_t batch_id, struct error *err) {
    struct history_entry entry;
    bool known;
    bool ok = read_batch(note, batch_id, &entry, &known, err);
    if (!ok || !known) {
        entry_deinit(&entry);
        return ok;
    }
    ok = go_to_slot(note, slot_of(note, &entry), err);
    (void)add(&note->newest, entry);
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
    bool ok = list_batches(note->store, newest_of(&note->newest), committed, &batches, &count, err);
    for (size_t i = 0; ok && i < count; i++)
        ok = add_batch(note, batches[i], err);
    free(batches);
    return ok && (!note->changed || note->only_read ||
                  write_file(note->store, note->slot, &note->newest, err));
}

static bool read_files(const struct store *store, struct history *history, struct error *err) {
    scoped(scope_free) int64_t *slots = NULL;
    size_t count;
    *history = (struct history){0};
    if (!list(store, &slots, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct history part;
        bool found;
        if (!read_file(store, slots[i], &part, &found, err))
            return false;
        add_all(history, &part);
    }
    return true;
}

bool history_read(const struct store *store, struct history *history, struct error *err) {
    struct note note = {.store = store, .slot = INT64_MAX, .only_read = true};
    int64_t committed;
    bool ok = checkpoint_newest(&store->checkpoint.commits, &committed, err) &&
              checkpoint_newest(&store->checkpoint.coverage, &note.folded, err) &&
              read_files(store, &note.newest, err) && note_batches(&note, committed, err);
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
    size_t ranges = range_count(to) + range_count(from);
    // Of the same partitions, as a rule; then an entry that is joined adds none.
    if (to->count > 0 && from->count > 0 &&
        belongs_to(&to->entries[to->count - 1], &from->entries[0]))
        ranges -= from->entries[0].outcome.count;
    return to->count + from->count <= FILE_ENTRIES_MAX && ranges <= HISTORY_FILE_RANGES;
}

/* A slot into the thinned file before it, if there is room. *before: that file, -1: there is none;
 * then the file that the slot is in. */
static bool thin_slot(const struct store *store, int64_t *before, int64_t slot, struct error *err) {
    struct history to = {0}, from = {0};
    bool has_to = false, has_from, joins = false;
    bool ok = read_file(store, slot, &from, &has_from, err) &&
              (*before < 0 || read_file(store, *before, &to, &has_to, err));
    if (ok && !is_thinned(&from, has_from)) {
        history_thin(&from);
        joins = has_to && to.thinned && fit_one_file(&to, &from);
        if (joins) {
            add_all(&to, &from);
            history_thin(&to);
        }
        ok = joins ? write_file(store, *before, &to, err) && remove_file(store, slot, err)
                   : write_file(store, slot, &from, err);
    }
    history_deinit(&to);
    history_deinit(&from);
    *before = joins ? *before : slot;
    return ok;
}

static bool thin(const struct store *store, int64_t newest_slot, struct error *err) {
    scoped(scope_free) int64_t *slots = NULL;
    size_t count;
    if (!list(store, &slots, &count, err))
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
    if (!list(store, &slots, &count, err))
        return false;
    for (size_t i = 0, gone = 0; i < count; i++) {
        struct history part;
        bool found;
        if (!read_file(store, slots[i], &part, &found, err))
            return false;
        bool old = part.count > 0 && part.entries[part.count - 1].last_ms < before_ms;
        bool kept = part.count > 0 && !old;
        history_deinit(&part);
        if (kept)
            return true;
        for (; old && gone <= i; gone++)
            if (!remove_file(store, slots[gone], err))
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
           (note->slot < 0 || read_file(note->store, note->slot, &note->newest, &found, err));
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
    if (!list(store, &slots, &count, err))
        return false;
    for (bool same = false; !same && count > 0; count--) {
        struct history part;
        bool found;
        bool ok = read_file(store, slots[count - 1], &part, &found, err) &&
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
        warn(store, "The history for rewind was not written; a later batch retries", &err);
}

void history_note(const struct store *store, int64_t batch_id) {
    if ((batch_id + 1) % HISTORY_INTERVAL == 0)
        history_keep(store, false);
}
