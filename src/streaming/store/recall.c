/* recall.c: the newest file that can be read counts.
 *
 * The newest entry of a log may be damaged or half way to being taken back, so a few older ones are
 * tried behind it. They agree: a query never changes its topic, and `relocate` rewrites all
 * manifests. */
#include "streaming/store/recall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/text.h"
#include "streaming/offsets/offset_log.h"
#include "streaming/store/checkpoint.h"
#include "streaming/store/manifest.h"
#include "streaming/table/table.h"

enum { ENTRIES_TRIED = 3, PLAN_SIZE_MAX = 16 << 20 };

typedef bool take_fn(struct recalled *recalled, const char *text, size_t size);

static bool take_plan(struct recalled *recalled, const char *text, size_t size) {
    struct error ignored;
    struct offset_entry entry = {0};
    bool ok = offset_log_parse(text, size, &entry, &ignored);
    if (ok) {
        recalled->topic = entry.topic;
        entry.topic = NULL;
    }
    offset_entry_deinit(&entry);
    return ok;
}

static bool take_initial(struct recalled *recalled, const char *text, size_t size) {
    struct error ignored;
    struct offset_entry entry = {0};
    bool ok = offset_log_parse_initial(text, size, &entry, &ignored);
    if (ok) {
        recalled->topic = entry.topic;
        entry.topic = NULL;
    }
    offset_entry_deinit(&entry);
    return ok;
}

static bool take_manifest(struct recalled *recalled, const char *text, size_t size) {
    return manifest_parse_tables(text, size, recalled->query_id, &recalled->table,
                                 &recalled->rejects);
}

static bool take_file(struct recalled *recalled, struct file_path path, size_t size_max,
                      take_fn *take) {
    struct error ignored;
    scoped(scope_free) char *text = NULL;
    size_t size;
    return file_read(path.text, size_max, &text, &size, &ignored) && text != NULL &&
           take(recalled, text, size);
}

static bool take_newest(struct recalled *recalled, const struct file_path *log, size_t size_max,
                        take_fn *take) {
    struct error ignored;
    scoped(scope_free) int64_t *numbers = NULL;
    size_t count = 0;
    if (!file_list_numbers(log->text, "", &numbers, &count, &ignored))
        return false;
    for (size_t tried = 0; tried < count && tried < ENTRIES_TRIED; tried++)
        if (take_file(recalled, file_join_number(log->text, numbers[count - 1 - tried]), size_max,
                      take))
            return true;
    return false;
}

void checkpoint_recall(const char *root, struct recalled *recalled) {
    struct checkpoint checkpoint;
    *recalled = (struct recalled){0};
    if (strlen(root) > TABLE_ROOT_MAX)
        return; // opening it says so
    checkpoint_init(&checkpoint, root, "");
    if (!take_newest(recalled, &checkpoint.offsets, PLAN_SIZE_MAX, take_plan))
        (void)take_file(recalled, file_join_number(checkpoint.sources.text, 0), PLAN_SIZE_MAX,
                        take_initial);
    (void)take_newest(recalled, &checkpoint.manifests, MANIFEST_SIZE_MAX, take_manifest);
}

void recalled_deinit(struct recalled *recalled) {
    free(recalled->topic);
    free(recalled->table);
    free(recalled->rejects);
    *recalled = (struct recalled){0};
}

bool recalled_owns(const struct recalled *recalled, const char *root) {
    struct error ignored;
    struct table table;
    if (strlen(root) > TABLE_ROOT_MAX || !table_open(&table, root, &ignored))
        return false;
    bool owns = table.has_owner && strcmp(table.owner_query, recalled->query_id) == 0;
    table_close(&table);
    return owns;
}

/* What is seen of one level of a table. */
struct level {
    char *directory; // owned; the first of a partition value; NULL: there is none
    bool has_file;
};

static bool take_name(void *context, const char *name) {
    struct level *level = context;
    if (name[0] == '_' || name[0] == '.')
        return true;
    if (strchr(name, '=') != NULL)
        level->directory = text_copy(name);
    else if (text_ends_with(name, ".parquet"))
        level->has_file = true;
    return level->directory == NULL;
}

bool recall_partition_columns(const char *root, size_t most, char **names, size_t *count) {
    struct error ignored;
    struct file_path at;
    *count = 0;
    if (strlen(root) > TABLE_ROOT_MAX)
        return false;
    (void)snprintf(at.text, sizeof at.text, "%s", root);
    for (;; (*count)++) {
        struct level level = {0};
        (void)file_list(at.text, take_name, &level, &ignored);
        if (level.directory == NULL)
            return *count > 0 || level.has_file;
        scoped(scope_free) char *directory = level.directory;
        if (*count == most)
            break;
        names[*count] = text_format("%.*s", (int)strcspn(directory, "="), directory);
        at = file_join(at.text, directory);
    }
    while (*count > 0)
        free(names[--*count]);
    return false;
}
