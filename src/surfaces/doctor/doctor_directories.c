#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/disk/file.h"
#include "base/disk/filesystem.h"
#include "base/scope.h"
#include "surfaces/doctor/doctor_checks.h"

/* Of one table; the time that more of them take is better spent on the run that meets them. */
enum { DIRECTORIES_MAX = 10000 };

/* A look at the directories below one that a query writes to. */
struct tree_look {
    const char *setting, *root;
    struct filesystem_place
        home; // where a batch's files are written, before they are renamed into place
    struct file_path at;
    size_t depth; // how many more directories down
    int64_t looked_at, refused, elsewhere, files;
    struct file_path first_refused, first_elsewhere, first_file;
    int reason; // errno of the first that is refused
    bool full;
};

/* One directory. False: it is none, or is not there (any more). */
static bool look(struct tree_look *tree, const char *path) {
    struct filesystem_place place;
    if (!filesystem_place(path, &place))
        return false;
    if (!place.is_directory) {
        if (tree->files++ == 0)
            (void)snprintf(tree->first_file.text, sizeof tree->first_file.text, "%s", path);
        return false;
    }
    tree->looked_at++;
    if (!filesystem_is_writable(path) && tree->refused++ == 0) {
        tree->reason = errno;
        (void)snprintf(tree->first_refused.text, sizeof tree->first_refused.text, "%s", path);
    }
    if (!filesystem_is_one_place(&tree->home, &place) && tree->elsewhere++ == 0)
        (void)snprintf(tree->first_elsewhere.text, sizeof tree->first_elsewhere.text, "%s", path);
    return true;
}

static void descend(struct tree_look *tree);

static bool visit(void *context, const char *name) {
    struct tree_look *tree = context;
    struct file_path here = tree->at;
    if (name[0] == '.' || name[0] == '_' || strchr(name, '=') == NULL)
        return true;
    tree->full = tree->looked_at >= DIRECTORIES_MAX;
    if (tree->full || strlen(here.text) + strlen(name) + 2 > sizeof here.text)
        return !tree->full;
    tree->at = file_join(here.text, name);
    if (look(tree, tree->at.text)) {
        tree->depth--;
        descend(tree);
        tree->depth++;
    }
    tree->at = here;
    return !tree->full;
}

/* Calls itself once per partition column, whose number is a setting and small. */
static void descend(struct tree_look *tree) {
    struct error ignored; // what can't be listed is refused already
    if (tree->depth > 0)
        (void)file_list(tree->at.text, visit, tree, &ignored);
}

static void tell_refused(const struct tree_look *tree, struct doctor_report *report) {
    scoped(scope_free) char *cure =
        doctor_text("give them to that user: chown -R %ld '%s'", (long)geteuid(), tree->root);
    doctor_fail(report, EXIT_CODE_WRITE, "directories", tree->root, cure,
                "%" PRId64 " of %" PRId64 " can't be written to by user %ld, such as '%s': %s",
                tree->refused, tree->looked_at, (long)geteuid(), tree->first_refused.text,
                strerror(tree->reason));
}

static void tell_elsewhere(const struct tree_look *tree, struct doctor_report *report) {
    scoped(scope_free) char *cure =
        doctor_text("a batch's files are renamed into place, which can't leave a file system: move "
                    "the directory back, and mount the whole of %s elsewhere if room is short",
                    tree->setting);
    doctor_fail(report, EXIT_CODE_WRITE, "directories", tree->root, cure,
                "%" PRId64 " of %" PRId64 " are on another file system or mount, such as '%s'",
                tree->elsewhere, tree->looked_at, tree->first_elsewhere.text);
}

static void tell(const struct tree_look *tree, struct doctor_report *report) {
    if (tree->refused > 0)
        tell_refused(tree, report);
    if (tree->elsewhere > 0)
        tell_elsewhere(tree, report);
    if (tree->files > 0)
        doctor_fail(report, EXIT_CODE_WRITE, "directories", tree->root, "move it away",
                    "'%s' must be a directory", tree->first_file.text);
    if (tree->refused == 0 && tree->elsewhere == 0 && tree->files == 0)
        doctor_ok(report, "directories", tree->root,
                  "%s%" PRId64 " looked at: writable, and on one file system",
                  tree->full ? "the first " : "", tree->looked_at);
}

/* A directory that isn't there yet is made by the run, as doctor_check_disk() has tried. */
static void check_tree(const char *setting, const char *root, const char *home,
                       const char *const names[], size_t depth, struct doctor_report *report) {
    struct tree_look tree = {.setting = setting, .root = root, .depth = depth};
    if (!filesystem_place(file_join(root, home).text, &tree.home) &&
        !filesystem_place(root, &tree.home))
        return;
    (void)snprintf(tree.at.text, sizeof tree.at.text, "%s", root);
    if (!look(&tree, root))
        return;
    for (size_t i = 0; names[i] != NULL; i++)
        (void)look(&tree, file_join(root, names[i]).text);
    descend(&tree);
    tell(&tree, report);
}

void doctor_check_directories(const struct config *config, struct doctor_report *report) {
    static const char *const of_table[] = {"_staging", "_spark_metadata", "_orphans", NULL};
    static const char *const of_checkpoint[] = {"sources",   "sources/0", "offsets", "commits",
                                                "manifests", "coverage",  NULL};
    for (size_t i = 0; streams[i] != NULL; i++) {
        if (!config_runs(config, streams[i]))
            continue;
        struct store_options store = config_store_options(config, streams[i]);
        check_tree("PROCESSED_DATA_PATH", store.table, "_staging", of_table,
                   store.partition_by_count, report);
        check_tree("DATA_LAKE_PATH", store.rejects, "_staging", of_table, 0, report);
        check_tree("CHECKPOINT_PATH", store.checkpoint, "", of_checkpoint, 0, report);
        config_store_options_deinit(&store);
    }
}
