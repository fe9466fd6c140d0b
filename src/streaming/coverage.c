#include "streaming/coverage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "base/scope.h"
#include "streaming/commit.h"
#include "streaming/store_parts.h"

/* A range takes about 100 bytes: some millions of ranges, which no topic comes to. */
enum { COVERAGE_SIZE_MAX = 512 << 20 };

void coverage_deinit(struct coverage *coverage) {
    free(coverage->ranges);
    resolved_deinit(&coverage->replayed);
    *coverage = (struct coverage){.through = -1};
}

/* ---- ranges ---- */

static bool comes_before(const struct offset_range *a, const struct offset_range *b) {
    return a->partition != b->partition ? a->partition < b->partition : a->start < b->start;
}

/* Where a range belongs: behind all that come before it. */
static size_t place_of(const struct coverage *coverage, const struct offset_range *range) {
    size_t low = 0, high = coverage->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (comes_before(&coverage->ranges[middle].range, range))
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

static bool overlap(const struct offset_range *a, const struct offset_range *b) {
    return a->partition == b->partition && a->start < b->end && b->start < a->end;
}

/* Either all of a range is lost, or nothing of it. */
static bool continues(const struct range_outcome *first, const struct range_outcome *second) {
    return first->range.partition == second->range.partition &&
           first->range.end == second->range.start && (first->lost > 0) == (second->lost > 0);
}

static void extend(struct range_outcome *outcome, const struct range_outcome *by) {
    outcome->range.end = by->range.end;
    outcome->rows += by->rows;
    outcome->rejects += by->rejects;
    outcome->absent += by->absent;
    outcome->lost += by->lost;
}

static bool add_part(struct coverage *coverage, const struct range_outcome *part,
                     struct error *err) {
    size_t at = place_of(coverage, &part->range);
    struct range_outcome *before = at > 0 ? &coverage->ranges[at - 1] : NULL;
    const struct range_outcome *behind = at < coverage->count ? &coverage->ranges[at] : NULL;
    if ((before != NULL && overlap(&before->range, &part->range)) ||
        (behind != NULL && overlap(&behind->range, &part->range)))
        return error_set(err, ERROR_STATE,
                         "two batches took offsets %" PRId64 " to %" PRId64
                         " of partition %" PRId32,
                         part->range.start, part->range.end - 1, part->range.partition);
    if (before != NULL && continues(before, part))
        extend(before, part);
    else
        insert(coverage, at, part);
    return true;
}

bool coverage_add(struct coverage *coverage, const struct range_outcome *outcome,
                  struct error *err) {
    // What is lost lies below the log start, so it is the range's beginning.
    struct range_outcome lost = {.range = outcome->range, .lost = outcome->lost};
    struct range_outcome rest = *outcome;
    lost.range.end = rest.range.start = outcome->range.start + outcome->lost;
    rest.lost = 0;
    return (lost.lost == 0 || add_part(coverage, &lost, err)) &&
           (rest.range.start == rest.range.end || add_part(coverage, &rest, err));
}

/* ---- text ---- */

enum { VERSION_PLAIN = 1, VERSION_REPLAY = 2 };

char *coverage_print(const struct coverage *coverage, const struct manifest_origin *origin,
                     size_t *size) {
    struct json *object = json_new_object(), *ranges = json_new_array();
    json_put_int(object, "through", coverage->through);
    json_put_text(object, "query", origin->query_id);
    json_put_text(object, "topic", origin->topic);
    for (size_t i = 0; i < coverage->count; i++)
        json_append(ranges, manifest_print_range(&coverage->ranges[i]));
    json_put(object, "ranges", ranges);
    bool replay = coverage->replayed.count > 0;
    if (replay)
        json_put(object, "replayed", resolved_print(&coverage->replayed));
    char *text = json_print_versioned(object, replay ? VERSION_REPLAY : VERSION_PLAIN, size);
    json_free(object);
    return text;
}

static bool is_text(const struct json *object, const char *name, const char *expected) {
    const char *text = json_member_text(object, name);
    return text != NULL && strcmp(text, expected) == 0;
}

static bool parse_object(const struct json *object, int version, int64_t through,
                         const struct manifest_origin *origin, struct coverage *coverage,
                         struct error *err) {
    const struct json *ranges = json_member(object, "ranges");
    if (!json_member_int(object, "through", &coverage->through) || coverage->through != through ||
        ranges == NULL)
        return error_set(err, ERROR_STATE, "it is not what its name says");
    if (!is_text(object, "query", origin->query_id) || !is_text(object, "topic", origin->topic))
        return error_set(err, ERROR_STATE, "it is of another query or topic");
    for (size_t i = 0; i < json_count(ranges); i++) {
        struct range_outcome outcome;
        if (!manifest_parse_range(json_at(ranges, i), &outcome))
            return error_set(err, ERROR_STATE, "its range number %zu does not add up", i);
        if (!coverage_add(coverage, &outcome, err))
            return false;
    }
    const struct json *replayed = json_member(object, "replayed");
    if ((replayed != NULL) != (version == VERSION_REPLAY))
        return error_set(err, ERROR_STATE, "its version and its list of replayed offsets disagree");
    return replayed == NULL || resolved_parse(replayed, &coverage->replayed, err);
}

bool coverage_parse(const char *text, size_t size, int64_t through,
                    const struct manifest_origin *origin, struct coverage *coverage,
                    struct error *err) {
    int version;
    *coverage = (struct coverage){.through = -1};
    struct json *object = json_parse_versioned(text, size, VERSION_REPLAY, &version, err);
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
           error_wrap(err, "'%s' can't be used; restore it from a backup", path.text);
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
    if (!commit_read(store, batch_id, &manifest, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < manifest.outcome_count; i++)
        ok = coverage_add(coverage, &manifest.outcomes[i], err);
    resolved_add_all(&coverage->replayed, &manifest.replayed);
    manifest_deinit(&manifest);
    coverage->through = batch_id;
    return ok;
}

static bool publish(const struct store *store, const struct coverage *coverage, struct error *err) {
    const struct checkpoint *checkpoint = &store->checkpoint;
    struct manifest_origin origin = store_origin(store);
    char name[32];
    size_t size;
    (void)snprintf(name, sizeof name, "%" PRId64, coverage->through);
    scoped(scope_free) char *text = coverage_print(coverage, &origin, &size);
    return file_make_directory_name(checkpoint->coverage.text, err) &&
           file_sync_directory(checkpoint->root.text, err) &&
           file_publish(checkpoint->coverage.text, name, text, size, err) &&
           tidy(checkpoint, coverage->through, err);
}

static bool fold(const struct store *store, int64_t before, struct coverage *coverage,
                 struct error *err) {
    scoped(scope_free) int64_t *batches = NULL;
    size_t count;
    if (!file_list_numbers(store->checkpoint.manifests.text, "", &batches, &count, err))
        return false;
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
    bool ok =
        tidy(&store->checkpoint, coverage.through, err) && fold(store, before, &coverage, err);
    coverage_deinit(&coverage);
    return ok;
}
