#include "streaming/history/history_text.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "streaming/store/disk_versions.h"
#include "streaming/store/range_json.h"

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
              json_member_ms(object, "firstMs", &entry->first_ms) &&
              json_member_ms(object, "timestampMs", &entry->last_ms) && entry->first >= 0 &&
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
        if (ok && entry.first <= history_newest(history))
            ok = error_set(err, ERROR_STATE, "its entries are not in order");
        if (!ok) {
            history_entry_deinit(&entry);
            return false;
        }
        (void)history_add(history, entry);
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
