/* manifest.c: a manifest's text, written with the lowest version that says it all, and read
 * strictly.
 *
 * The lowest version, so that a program that knows no better reads what it understands and refuses
 * what it would get wrong. Strictly, because a roll-forward does what the manifest says: each range
 * must add up, rows in files must be the rows of ranges, and no path may lead out of its table. */
#include "streaming/store/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "base/scope.h"
#include "base/text.h"
#include "streaming/store/disk_versions.h"
#include "streaming/store/file_json.h"
#include "streaming/store/range_json.h"

void manifest_deinit(struct manifest *manifest) {
    file_list_deinit(&manifest->files);
    file_list_deinit(&manifest->rejects);
    free(manifest->outcomes);
    resolved_deinit(&manifest->replayed);
    replay_counts_deinit(&manifest->replay_counts);
    incarnations_deinit(&manifest->begun);
    *manifest = (struct manifest){0};
}

static struct json *print_files(const struct file_list *list) {
    struct json *array = json_new_array();
    for (size_t i = 0; i < list->count; i++)
        json_append(array, data_file_print(&list->files[i]));
    return array;
}

static struct json *print_ranges(const struct manifest *manifest) {
    struct json *array = json_new_array();
    for (size_t i = 0; i < manifest->outcome_count; i++)
        json_append(array, range_print(&manifest->outcomes[i], manifest->counts_rows));
    return array;
}

/* A batch is of a replay or of Spark's, never both; either may be of a later incarnation, so that
 * from VERSION_INCARNATION on the members themselves say which it is. */
enum {
    VERSION_PLAIN = 1,
    VERSION_REPLAY = 2,
    VERSION_SPARK = 3,
    VERSION_INCARNATION = 4,
    VERSION_ROWS = 5,
};

static int version_of(const struct manifest *manifest) {
    return manifest->counts_rows              ? VERSION_ROWS
           : manifest->incarnation.number > 0 ? VERSION_INCARNATION
           : manifest->of_spark               ? VERSION_SPARK
           : manifest->replayed.count > 0     ? VERSION_REPLAY
                                              : VERSION_PLAIN;
}

static struct json *print_incarnation(const struct manifest *manifest) {
    struct json *object = json_new_object();
    json_put_int(object, "number", manifest->incarnation.number);
    json_put_int(object, "sinceMs", manifest->incarnation.since_ms);
    json_put(object, "begun", incarnations_print(&manifest->begun));
    return object;
}

char *manifest_print(const struct manifest *manifest, const struct manifest_origin *origin,
                     size_t *size) {
    struct json *object = json_new_object();
    json_put_int(object, "batch", manifest->batch_id);
    json_put_int(object, "timestampMs", manifest->timestamp_ms);
    json_put_text(object, "query", origin->query_id);
    json_put_text(object, "topic", origin->topic);
    json_put_text(object, "table", origin->table);
    json_put_text(object, "rejectsTable", origin->rejects_table);
    json_put(object, "files", print_files(&manifest->files));
    json_put(object, "rejects", print_files(&manifest->rejects));
    json_put(object, "ranges", print_ranges(manifest));
    if (manifest->replayed.count > 0)
        json_put(object, "replayed", resolved_print(&manifest->replayed));
    if (manifest->replayed.count > 0 && manifest->counts_rows)
        replay_counts_print(&manifest->replay_counts, object);
    if (manifest->of_spark)
        json_put_text(object, "engine", "spark");
    if (manifest->incarnation.topic_id[0] != '\0')
        json_put_text(object, "topicId", manifest->incarnation.topic_id);
    if (manifest->incarnation.number > 0)
        json_put(object, "incarnation", print_incarnation(manifest));
    char *text = json_print_versioned(object, version_of(manifest), size);
    json_free(object);
    return text;
}

static bool parse_files(const struct json *array, struct file_list *list, struct error *err) {
    if (array == NULL)
        return error_set(err, ERROR_STATE, "it has no list of files");
    for (size_t i = 0; i < json_count(array); i++) {
        struct data_file file = {0};
        if (!data_file_parse(json_at(array, i), &file) || file.staged == NULL || file.rows == 0) {
            free(file.path);
            free(file.staged);
            return error_set(err, ERROR_STATE, "entry %zu of its list of files is incomplete", i);
        }
        file_list_add(list, file);
    }
    return true;
}

static bool parse_ranges(const struct json *array, int version, struct manifest *manifest,
                         struct error *err) {
    manifest->counts_rows = version == VERSION_ROWS;
    if (array == NULL)
        return error_set(err, ERROR_STATE, "it has no list of ranges");
    manifest->outcomes = must_alloc(json_count(array), sizeof *manifest->outcomes);
    for (size_t i = 0; i < json_count(array); i++) {
        if (!range_parse(json_at(array, i), manifest->counts_rows, &manifest->outcomes[i]))
            return error_set(err, ERROR_STATE, "the counts of range %zu do not add up", i);
        manifest->outcome_count++;
    }
    return true;
}

static bool parse_replayed(const struct json *object, int version, struct manifest *manifest,
                           struct error *err) {
    const struct json *array = json_member(object, "replayed");
    if (version < VERSION_INCARNATION && (array != NULL) != (version == VERSION_REPLAY))
        return error_set(err, ERROR_STATE,
                         "its list of replayed offsets does not match its version");
    if (array == NULL)
        return true;
    if (!resolved_parse(array, &manifest->replayed, err))
        return false;
    if (manifest->replayed.count == 0 || manifest->outcome_count > 0 || manifest->rejects.count > 0)
        return error_set(err, ERROR_STATE,
                         "its list of replayed offsets does not match its other content");
    if (!manifest->counts_rows)
        replay_counts_add_plain(&manifest->replay_counts, &manifest->replayed);
    else if (!replay_counts_parse(object, &manifest->replayed, &manifest->replay_counts))
        return error_set(err, ERROR_STATE, "the counts of what was replayed do not add up");
    return true;
}

static bool parse_engine(const struct json *object, int version, struct manifest *manifest,
                         struct error *err) {
    const char *engine = json_member_text(object, "engine");
    manifest->of_spark = engine != NULL;
    if ((version < VERSION_INCARNATION && manifest->of_spark != (version == VERSION_SPARK)) ||
        (version == VERSION_ROWS && manifest->of_spark) ||
        (engine != NULL && strcmp(engine, "spark") != 0))
        return error_set(err, ERROR_STATE, "its engine does not match its version");
    if (manifest->of_spark && (manifest->files.count > 0 || manifest->outcome_count > 0))
        return error_set(err, ERROR_STATE,
                         "it is marked as a batch of Spark, but lists files or counts");
    return true;
}

static bool parse_incarnation(const struct json *object, int version, struct manifest *manifest,
                              struct error *err) {
    const struct json *found = json_member(object, "incarnation");
    const char *topic_id = json_member_text(object, "topicId");
    struct incarnation *incarnation = &manifest->incarnation;
    if (topic_id != NULL)
        (void)snprintf(incarnation->topic_id, sizeof incarnation->topic_id, "%s", topic_id);
    if (version != VERSION_ROWS && (found != NULL) != (version == VERSION_INCARNATION))
        return error_set(err, ERROR_STATE, "its incarnation does not match its version");
    if (found == NULL)
        return true;
    int64_t number;
    if (!json_member_int(found, "number", &number) || number <= 0 || number > INT32_MAX ||
        !json_member_ms(found, "sinceMs", &incarnation->since_ms))
        return error_set(err, ERROR_STATE, "its incarnation of the topic cannot be read");
    incarnation->number = (int32_t)number;
    return incarnations_parse(json_member(found, "begun"), &manifest->begun, err);
}

struct range_outcome manifest_sum(const struct manifest *manifest) {
    struct range_outcome sum = replay_counts_sum(&manifest->replay_counts);
    for (size_t i = 0; i < manifest->outcome_count; i++)
        range_outcome_add(&sum, &manifest->outcomes[i]);
    return sum;
}

/* Rows in files against rows of ranges, or of rejects that were replayed; the same for rejects. */
static bool sums_agree(const struct manifest *manifest) {
    if (manifest->of_spark)
        return true; // it says nothing of ranges
    struct range_outcome sum = manifest_sum(manifest);
    int64_t rows = 0, rejects = 0;
    for (size_t i = 0; i < manifest->files.count; i++)
        count_add(&rows, manifest->files.files[i].rows);
    for (size_t i = 0; i < manifest->rejects.count; i++)
        count_add(&rejects, manifest->rejects.files[i].rows);
    return rows == sum.rows && rejects == sum.rejects;
}

static bool same_text(const struct json *object, const char *name, const char *expected,
                      const char *cure, struct error *err) {
    const char *text = json_member_text(object, name);
    if (text != NULL && strcmp(text, expected) == 0)
        return true;
    return error_set(err, ERROR_STATE, "%s (its \"%s\" is '%s', not '%s')", cure, name,
                     text == NULL ? "" : text, expected);
}

static bool same_origin(const struct json *object, const struct manifest_origin *origin,
                        struct error *err) {
    static const char moved[] = "if the lake was moved, run `esports-stream relocate`, or move "
                                "it back; if only the settings changed, set the paths back; "
                                "otherwise this checkpoint belongs to another table";
    return same_text(object, "query", origin->query_id,
                     "the checkpoint's files belong to two queries; restore them from one backup",
                     err) &&
           same_text(object, "topic", origin->topic, "set the topic back", err) &&
           same_text(object, "table", origin->table, moved, err) &&
           same_text(object, "rejectsTable", origin->rejects_table, moved, err);
}

static bool is_of_batch(const struct json *object, int64_t batch_id, struct manifest *manifest,
                        struct error *err) {
    return (json_member_int(object, "batch", &manifest->batch_id) &&
            manifest->batch_id == batch_id &&
            json_member_ms(object, "timestampMs", &manifest->timestamp_ms)) ||
           error_set(err, ERROR_STATE, "it is not the manifest of batch %lld", (long long)batch_id);
}

static bool parse_object(const struct json *object, int version, struct manifest *manifest,
                         struct error *err) {
    if (!parse_files(json_member(object, "files"), &manifest->files, err) ||
        !parse_files(json_member(object, "rejects"), &manifest->rejects, err) ||
        !parse_ranges(json_member(object, "ranges"), version, manifest, err) ||
        !parse_replayed(object, version, manifest, err) ||
        !parse_engine(object, version, manifest, err) ||
        !parse_incarnation(object, version, manifest, err))
        return false;
    if (!sums_agree(manifest))
        return error_set(err, ERROR_STATE, "the row counts of its files and its ranges differ");
    return true;
}

static bool set_damaged(struct error *err) {
    return error_wrap(err, "it cannot be used (if it is damaged, restore it from a backup)");
}

bool manifest_parse(const char *text, size_t size, int64_t batch_id,
                    const struct manifest_origin *origin, struct manifest *manifest,
                    struct error *err) {
    int version;
    *manifest = (struct manifest){0};
    struct json *object = json_parse_versioned(text, size, MANIFEST_VERSION, &version, err);
    if (object == NULL)
        return set_damaged(err);
    // What another origin says is not damage, and has a fix of its own.
    bool ok = (is_of_batch(object, batch_id, manifest, err) || set_damaged(err)) &&
              same_origin(object, origin, err) &&
              (parse_object(object, version, manifest, err) || set_damaged(err));
    json_free(object);
    if (!ok)
        manifest_deinit(manifest);
    return ok;
}

bool manifest_parse_tables(const char *text, size_t size, char query_id[static 37], char **table,
                           char **rejects) {
    int version;
    struct error ignored;
    struct json *object = json_parse_versioned(text, size, MANIFEST_VERSION, &version, &ignored);
    const char *query = json_member_text(object, "query");
    const char *path = json_member_text(object, "table");
    const char *rejects_path = json_member_text(object, "rejectsTable");
    bool ok = query != NULL && strlen(query) == 36 && path != NULL && rejects_path != NULL;
    if (ok) {
        (void)snprintf(query_id, 37, "%s", query);
        *table = text_copy(path);
        *rejects = text_copy(rejects_path);
    }
    json_free(object);
    return ok;
}

static bool names_tables(const struct json *object, const struct manifest_origin *origin) {
    const char *table = json_member_text(object, "table");
    const char *rejects = json_member_text(object, "rejectsTable");
    return table != NULL && rejects != NULL && strcmp(table, origin->table) == 0 &&
           strcmp(rejects, origin->rejects_table) == 0;
}

/* One that names our tables is left as it is: a relocation that was killed is run again. What is
 * changed must parse like any other before it is handed out. */
bool manifest_move(const char *text, size_t size, int64_t batch_id,
                   const struct manifest_origin *origin, char **moved, size_t *moved_size,
                   struct error *err) {
    int version;
    *moved = NULL;
    struct json *object = json_parse_versioned(text, size, MANIFEST_VERSION, &version, err);
    if (object == NULL)
        return false;
    bool ok = true;
    if (!names_tables(object, origin)) {
        struct manifest manifest = {0};
        json_put_text(object, "table", origin->table);
        json_put_text(object, "rejectsTable", origin->rejects_table);
        ok = is_of_batch(object, batch_id, &manifest, err) && same_origin(object, origin, err) &&
             parse_object(object, version, &manifest, err);
        *moved = ok ? json_print_versioned(object, version, moved_size) : NULL;
        manifest_deinit(&manifest);
    }
    json_free(object);
    return ok;
}

bool manifest_remove_topic_id(const char *text, size_t size, char **without, size_t *without_size,
                              struct error *err) {
    int version;
    *without = NULL;
    struct json *object = json_parse_versioned(text, size, MANIFEST_VERSION, &version, err);
    if (object == NULL)
        return false;
    if (json_remove(object, "topicId"))
        *without = json_print_versioned(object, version, without_size);
    json_free(object);
    return true;
}
