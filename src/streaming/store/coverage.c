/* coverage.c: ranges in order, neighbours joined; and the fold.
 *
 * A range goes where it belongs by incarnation, partition and start, and becomes part of the range
 * before it if it continues that. One that overlaps is refused: two batches would have taken the
 * same offsets, and the sums would hide it.
 *
 * A fold adds the oldest manifests to the newest coverage and publishes the sum under the number of
 * the last one. Only when that name is durable is what it stands for removed. So a crash leaves too
 * many files, never too few: readers take the newest coverage and the manifests after it, and the
 * next fold removes the rest. */
#include "streaming/store/coverage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "base/scope.h"
#include "streaming/store/disk_versions.h"
#include "streaming/store/range_json.h"

/* A range takes about 100 bytes: some millions of ranges, which no topic comes to. */
enum { COVERAGE_SIZE_MAX = 512 << 20 };

void coverage_deinit(struct coverage *coverage) {
    free(coverage->ranges);
    resolved_deinit(&coverage->replayed);
    resolved_deinit(&coverage->expired);
    resolved_deinit(&coverage->accepted);
    replay_counts_deinit(&coverage->replay_counts);
    incarnations_deinit(&coverage->incarnations);
    *coverage = (struct coverage){.through = -1};
}

/* ---- ranges ---- */

static bool comes_before(const struct range_outcome *a, const struct range_outcome *b) {
    if (a->incarnation != b->incarnation)
        return a->incarnation < b->incarnation;
    return a->range.partition != b->range.partition ? a->range.partition < b->range.partition
                                                    : a->range.start < b->range.start;
}

/* Where a range belongs: behind all that come before it. */
static size_t place_of(const struct coverage *coverage, const struct range_outcome *range) {
    size_t low = 0, high = coverage->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (comes_before(&coverage->ranges[middle], range))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert(struct coverage *coverage, size_t at, const struct range_outcome *outcome) {
    if (coverage->count == coverage->capacity) {
        coverage->capacity = coverage->capacity == 0 ? 16 : 2 * coverage->capacity;
        coverage->ranges =
            reallocarray(coverage->ranges, coverage->capacity, sizeof *coverage->ranges);
        check(coverage->ranges != NULL);
    }
    memmove(&coverage->ranges[at + 1], &coverage->ranges[at],
            (coverage->count - at) * sizeof *coverage->ranges);
    coverage->ranges[at] = *outcome;
    coverage->count++;
}

static bool is_beside(const struct range_outcome *a, const struct range_outcome *b) {
    return a->incarnation == b->incarnation && a->range.partition == b->range.partition;
}

static bool overlap(const struct range_outcome *a, const struct range_outcome *b) {
    return is_beside(a, b) && a->range.start < b->range.end && b->range.start < a->range.end;
}

/* Either all of a range is lost, or nothing of it. */
static bool continues(const struct range_outcome *first, const struct range_outcome *second) {
    return is_beside(first, second) && first->range.end == second->range.start &&
           (first->lost > 0) == (second->lost > 0);
}

static bool add_part(struct coverage *coverage, const struct range_outcome *part,
                     struct error *err) {
    size_t at = place_of(coverage, part);
    struct range_outcome *before = at > 0 ? &coverage->ranges[at - 1] : NULL;
    const struct range_outcome *behind = at < coverage->count ? &coverage->ranges[at] : NULL;
    if ((before != NULL && overlap(before, part)) || (behind != NULL && overlap(behind, part)))
        return error_set(err, ERROR_STATE,
                         "two batches contain offsets %" PRId64 " to %" PRId64
                         " of partition %" PRId32,
                         part->range.start, part->range.end - 1, part->range.partition);
    if (before != NULL && continues(before, part)) {
        before->range.end = part->range.end;
        range_outcome_add(before, part);
    } else {
        insert(coverage, at, part);
    }
    return true;
}

bool coverage_add(struct coverage *coverage, const struct range_outcome *outcome,
                  struct error *err) {
    // What is lost lies below the log start, so it is the range's beginning.
    struct range_outcome lost = {
        .range = outcome->range, .lost = outcome->lost, .incarnation = outcome->incarnation};
    struct range_outcome rest = *outcome;
    lost.range.end = rest.range.start = outcome->range.start + outcome->lost;
    rest.lost = 0;
    return (lost.lost == 0 || add_part(coverage, &lost, err)) &&
           (rest.range.start == rest.range.end || add_part(coverage, &rest, err));
}

/* What is known of the former incarnation and was never read. */
static bool add_lost(struct coverage *coverage, const struct incarnation_begin *begin,
                     struct error *err) {
    for (size_t i = 0; i < begin->former.count; i++) {
        struct partition_offset at = begin->former.entries[i];
        const struct partition_offset *end = offsets_find(&begin->known_ends, at.partition);
        if (end == NULL || end->offset <= at.offset)
            continue;
        const struct range_outcome lost = {.range = {at.partition, at.offset, end->offset},
                                           .lost = end->offset - at.offset,
                                           .incarnation = (int32_t)coverage->incarnations.count};
        if (!coverage_add(coverage, &lost, err))
            return false;
    }
    return true;
}

/* A manifest says how many incarnations began up to it, so one that is missing before it shows. */
static bool add_begun(struct coverage *coverage, const struct manifest *manifest,
                      struct error *err) {
    struct incarnations *incarnations = &coverage->incarnations;
    if (incarnations->count + manifest->begun.count != (size_t)manifest->incarnation.number)
        return error_set(err, ERROR_STATE,
                         "it counts %" PRId32
                         " earlier incarnations of the topic, but the manifests up to it count "
                         "%zu: restore the checkpoint from a backup",
                         manifest->incarnation.number, incarnations->count + manifest->begun.count);
    for (size_t i = 0; i < manifest->begun.count; i++) {
        struct incarnations one = {.begins = &manifest->begun.begins[i], .count = 1};
        if (!add_lost(coverage, one.begins, err))
            return false;
        incarnations_add_copies(incarnations, &one, manifest->batch_id);
    }
    return true;
}

bool coverage_add_manifest(struct coverage *coverage, const struct manifest *manifest,
                           struct error *err) {
    if (!add_begun(coverage, manifest, err))
        return false;
    for (size_t i = 0; i < manifest->outcome_count; i++) {
        struct range_outcome outcome = manifest->outcomes[i];
        outcome.incarnation = manifest->incarnation.number;
        if (!coverage_add(coverage, &outcome, err))
            return false;
    }
    coverage->counts_rows = coverage->counts_rows || manifest->counts_rows;
    resolved_add_all(&coverage->replayed, &manifest->replayed);
    replay_counts_add_all(&coverage->replay_counts, &manifest->replay_counts);
    // A batch's time shows which incarnation its rows belong to: a replay of older rejects is
    // noted.
    int32_t of = resolved_newest(&manifest->replayed);
    if (manifest->replayed.count > 0 && of != manifest->incarnation.number)
        incarnations_add_replay(&coverage->incarnations, manifest->timestamp_ms, of);
    return true;
}

/* ---- text ---- */

enum {
    VERSION_PLAIN = 1,
    VERSION_REPLAY = 2,
    VERSION_INCARNATION = 3,
    VERSION_ROWS = 4,
    VERSION_GONE = 5,
};

static struct json *print_range(const struct range_outcome *outcome, bool counts_rows) {
    struct json *object = range_print(outcome, counts_rows);
    if (outcome->incarnation > 0)
        json_put_int(object, "incarnation", outcome->incarnation);
    return object;
}

/* What version 5 has. False: nothing. */
static bool print_gone(const struct coverage *coverage, struct json *object) {
    if (coverage->expired.count == 0 && coverage->accepted.count == 0)
        return false;
    if (coverage->expired.count > 0)
        json_put(object, "expired", resolved_print(&coverage->expired));
    if (coverage->accepted.count > 0)
        json_put(object, "accepted", resolved_print(&coverage->accepted));
    json_put_bool(object, "countsRows", coverage->counts_rows);
    return true;
}

char *coverage_print(const struct coverage *coverage, const struct manifest_origin *origin,
                     size_t *size) {
    struct json *object = json_new_object(), *ranges = json_new_array();
    json_put_int(object, "through", coverage->through);
    json_put_text(object, "query", origin->query_id);
    json_put_text(object, "topic", origin->topic);
    for (size_t i = 0; i < coverage->count; i++)
        json_append(ranges, print_range(&coverage->ranges[i], coverage->counts_rows));
    json_put(object, "ranges", ranges);
    bool replay = coverage->replayed.count > 0;
    if (replay)
        json_put(object, "replayed", resolved_print(&coverage->replayed));
    if (replay && coverage->counts_rows)
        replay_counts_print(&coverage->replay_counts, object);
    bool begun = coverage->incarnations.count > 0;
    if (begun) {
        json_put(object, "incarnations", incarnations_print(&coverage->incarnations));
        json_put(object, "replays", incarnations_print_replays(&coverage->incarnations));
    }
    bool gone = print_gone(coverage, object);
    int version = gone                    ? VERSION_GONE
                  : coverage->counts_rows ? VERSION_ROWS
                  : begun                 ? VERSION_INCARNATION
                  : replay                ? VERSION_REPLAY
                                          : VERSION_PLAIN;
    char *text = json_print_versioned(object, version, size);
    json_free(object);
    return text;
}

static bool is_text(const struct json *object, const char *name, const char *expected) {
    const char *text = json_member_text(object, name);
    return text != NULL && strcmp(text, expected) == 0;
}

static bool parse_range(const struct json *object, const struct coverage *coverage,
                        struct range_outcome *outcome) {
    int64_t incarnation = 0;
    if (!range_parse(object, coverage->counts_rows, outcome))
        return false;
    if (json_member(object, "incarnation") != NULL &&
        !json_member_int(object, "incarnation", &incarnation))
        return false;
    outcome->incarnation = (int32_t)incarnation;
    // The first one is number 0 and has no begin: so many begins make one incarnation more.
    return incarnation >= 0 && (uint64_t)incarnation <= coverage->incarnations.count;
}

static bool parse_incarnations(const struct json *object, int version, struct coverage *coverage,
                               struct error *err) {
    const struct json *begins = json_member(object, "incarnations");
    if (version < VERSION_ROWS && (begins != NULL) != (version == VERSION_INCARNATION))
        return error_set(err, ERROR_STATE, "its incarnations do not match its version");
    return begins == NULL || (incarnations_parse(begins, &coverage->incarnations, err) &&
                              incarnations_parse_replays(json_member(object, "replays"),
                                                         &coverage->incarnations, err));
}

static bool parse_replayed(const struct json *object, int version, struct coverage *coverage,
                           struct error *err) {
    const struct json *replayed = json_member(object, "replayed");
    if (version < VERSION_INCARNATION && (replayed != NULL) != (version == VERSION_REPLAY))
        return error_set(err, ERROR_STATE,
                         "its list of replayed offsets does not match its version");
    if (replayed == NULL)
        return true;
    if (!resolved_parse(replayed, &coverage->replayed, err))
        return false;
    if (!coverage->counts_rows)
        replay_counts_add_plain(&coverage->replay_counts, &coverage->replayed);
    else if (!replay_counts_parse(object, &coverage->replayed, &coverage->replay_counts))
        return error_set(err, ERROR_STATE, "the counts of what was replayed do not add up");
    return true;
}

static bool parse_gone_list(const struct json *object, const char *name, struct resolved *list,
                            struct error *err) {
    const struct json *array = json_member(object, name);
    return array == NULL ||
           (resolved_parse(array, list, err) &&
            (list->count > 0 || error_set(err, ERROR_STATE, "its list \"%s\" is empty", name)));
}

static bool parse_gone(const struct json *object, int version, struct coverage *coverage,
                       struct error *err) {
    if (!parse_gone_list(object, "expired", &coverage->expired, err) ||
        !parse_gone_list(object, "accepted", &coverage->accepted, err))
        return false;
    bool gone = coverage->expired.count > 0 || coverage->accepted.count > 0;
    return gone == (version == VERSION_GONE) ||
           error_set(err, ERROR_STATE,
                     "its lists of offsets that left the table do not match its version");
}

static bool parse_object(const struct json *object, int version, int64_t through,
                         const struct manifest_origin *origin, struct coverage *coverage,
                         struct error *err) {
    const struct json *ranges = json_member(object, "ranges");
    if (!json_member_int(object, "through", &coverage->through) || coverage->through != through ||
        ranges == NULL)
        return error_set(err, ERROR_STATE, "its content does not match its name");
    if (!is_text(object, "query", origin->query_id) || !is_text(object, "topic", origin->topic))
        return error_set(err, ERROR_STATE, "it belongs to another query or topic");
    coverage->counts_rows = version == VERSION_ROWS;
    if (version == VERSION_GONE && !json_member_bool(object, "countsRows", &coverage->counts_rows))
        return error_set(err, ERROR_STATE, "it does not say whether it counts rows");
    if (!parse_incarnations(object, version, coverage, err))
        return false;
    for (size_t i = 0; i < json_count(ranges); i++) {
        struct range_outcome outcome;
        if (!parse_range(json_at(ranges, i), coverage, &outcome))
            return error_set(err, ERROR_STATE, "the counts of range %zu do not add up", i);
        if (!coverage_add(coverage, &outcome, err))
            return false;
    }
    return parse_replayed(object, version, coverage, err) &&
           parse_gone(object, version, coverage, err);
}

bool coverage_parse(const char *text, size_t size, int64_t through,
                    const struct manifest_origin *origin, struct coverage *coverage,
                    struct error *err) {
    int version;
    *coverage = (struct coverage){.through = -1};
    struct json *object = json_parse_versioned(text, size, COVERAGE_VERSION, &version, err);
    if (object == NULL)
        return false;
    bool ok = parse_object(object, version, through, origin, coverage, err);
    json_free(object);
    if (!ok)
        coverage_deinit(coverage);
    return ok;
}

/* ---- disk ---- */

static bool read_one(const struct store *store, int64_t through, struct coverage *coverage,
                     bool *found, struct error *err) {
    struct file_path path = file_join_number(store->checkpoint.coverage.text, through);
    struct manifest_origin origin = store_origin(store);
    scoped(scope_free) char *text = NULL;
    size_t size;
    *coverage = (struct coverage){.through = -1};
    if (!file_read(path.text, COVERAGE_SIZE_MAX, &text, &size, err))
        return false;
    *found = text != NULL;
    return text == NULL || coverage_parse(text, size, through, &origin, coverage, err) ||
           error_wrap(err, "'%s' cannot be used: restore it from a backup", path.text);
}

bool coverage_read(const struct store *store, struct coverage *coverage, bool *found,
                   struct error *err) {
    int64_t newest;
    *found = true;
    *coverage = (struct coverage){.through = -1};
    return checkpoint_newest(&store->checkpoint.coverage, &newest, err) &&
           (newest < 0 || read_one(store, newest, coverage, found, err));
}

/* Removes what is named by a number up to `last`. */
static bool remove_through(const struct file_path *directory, int64_t last, struct error *err) {
    scoped(scope_free) int64_t *numbers = NULL;
    size_t count;
    if (!file_list_numbers(directory->text, "", &numbers, &count, err))
        return false;
    for (size_t i = 0; i < count && numbers[i] <= last; i++)
        if (!file_remove(file_join_number(directory->text, numbers[i]).text, err))
            return false;
    return true;
}

/* What coverage/`through` stands for is removed, once its name is durable. */
static bool tidy(const struct checkpoint *checkpoint, int64_t through, struct error *err) {
    return through < 0 || (file_sync_directory(checkpoint->coverage.text, err) &&
                           remove_through(&checkpoint->manifests, through, err) &&
                           remove_through(&checkpoint->coverage, through - 1, err));
}

static bool add_manifest(const struct store *store, int64_t batch_id, struct coverage *coverage,
                         struct error *err) {
    struct manifest manifest;
    if (!store_read_manifest(store, batch_id, &manifest, err))
        return false;
    bool ok = coverage_add_manifest(coverage, &manifest, err) ||
              error_wrap(err, "'%s/%" PRId64 "'", store->checkpoint.manifests.text, batch_id);
    manifest_deinit(&manifest);
    coverage->through = batch_id;
    return ok;
}

static char *print_for(const struct store *store, const struct coverage *coverage, char name[32],
                       size_t *size) {
    struct manifest_origin origin = store_origin(store);
    (void)snprintf(name, 32, "%" PRId64, coverage->through);
    return coverage_print(coverage, &origin, size);
}

static bool publish(const struct store *store, const struct coverage *coverage, struct error *err) {
    const struct checkpoint *checkpoint = &store->checkpoint;
    char name[32];
    size_t size;
    scoped(scope_free) char *text = print_for(store, coverage, name, &size);
    return file_make_directory_name(checkpoint->coverage.text, err) &&
           file_sync_directory(checkpoint->root.text, err) &&
           file_publish(checkpoint->coverage.text, name, text, size, err) &&
           tidy(checkpoint, coverage->through, err);
}

/* Replaces the newest file by one that has at least the same content. */
static bool replace(const struct store *store, const struct coverage *coverage, struct error *err) {
    char name[32];
    size_t size;
    scoped(scope_free) char *text = print_for(store, coverage, name, &size);
    return file_replace(store->checkpoint.coverage.text, name, text, size, err);
}

bool coverage_add_gone(const struct store *store, const struct resolved *expired,
                       const struct resolved *accepted, bool *kept, struct error *err) {
    struct coverage coverage;
    bool found;
    *kept = expired->count == 0 && accepted->count == 0;
    if (*kept)
        return true;
    if (!coverage_read(store, &coverage, &found, err))
        return false;
    *kept = coverage.through >= 0;
    bool known = resolved_has_all(&coverage.expired, expired) &&
                 resolved_has_all(&coverage.accepted, accepted);
    resolved_add_all(&coverage.expired, expired);
    resolved_add_all(&coverage.accepted, accepted);
    bool ok = !*kept || (known ? file_sync_directory(store->checkpoint.coverage.text, err)
                               : replace(store, &coverage, err));
    coverage_deinit(&coverage);
    return ok;
}

static bool fold(const struct store *store, int64_t before, struct coverage *coverage,
                 struct error *err) {
    scoped(scope_free) int64_t *batches = NULL;
    size_t count;
    if (!file_list_numbers(store->checkpoint.manifests.text, "", &batches, &count, err))
        return false;
    // A merge delays the next batch; the rest is for the next ones.
    if (count > COVERAGE_FOLD_MAX)
        count = COVERAGE_FOLD_MAX;
    size_t folded = 0;
    for (; folded < count && batches[folded] < before; folded++)
        if (!add_manifest(store, batches[folded], coverage, err))
            return false;
    return folded == 0 || publish(store, coverage, err);
}

bool coverage_fold(const struct store *store, int64_t batch_id, struct error *err) {
    int64_t before = batch_id - CHECKPOINT_BATCHES_KEPT;
    if (before <= 0 || (batch_id + 1) % COVERAGE_INTERVAL != 0)
        return true;
    struct coverage coverage;
    bool found;
    if (!file_remove_drafts(store->checkpoint.coverage.text, err) ||
        !coverage_read(store, &coverage, &found, err))
        return false;
    // First what a fold has left that was killed before it had removed everything.
    bool ok =
        tidy(&store->checkpoint, coverage.through, err) && fold(store, before, &coverage, err);
    coverage_deinit(&coverage);
    return ok;
}
