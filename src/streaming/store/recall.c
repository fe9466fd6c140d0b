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

/* Keeps the first directory of a partition value. */
static bool take_directory(void *context, const char *name) {
    char **directory = context;
    if (name[0] == '_' || name[0] == '.' || strchr(name, '=') == NULL)
        return true;
    *directory = text_copy(name);
    return false;
}

size_t recall_partition_columns(const char *root, size_t most, char **names) {
    struct error ignored;
    struct file_path at;
    size_t count = 0;
    if (strlen(root) > TABLE_ROOT_MAX)
        return 0;
    (void)snprintf(at.text, sizeof at.text, "%s", root);
    for (;; count++) {
        scoped(scope_free) char *directory = NULL;
        (void)file_list(at.text, take_directory, &directory, &ignored);
        if (directory == NULL)
            return count;
        if (count == most)
            break;
        names[count] = text_format("%.*s", (int)strcspn(directory, "="), directory);
        at = file_join(at.text, directory);
    }
    while (count > 0)
        free(names[--count]);
    return 0;
}
