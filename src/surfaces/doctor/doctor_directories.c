#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/disk/file.h"
#include "base/disk/filesystem.h"
#include "surfaces/doctor/doctor.h"

/* Of one table; the time that more of them take is better spent on the run that meets them. */
enum { DIRECTORIES_MAX = 10000 };

/* A walk over the directories that a query writes to. */
struct walk {
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
static bool look(struct walk *walk, const char *path) {
    struct filesystem_place place;
    if (!filesystem_place(path, &place))
        return false;
    if (!place.is_directory) {
        if (walk->files++ == 0)
            (void)snprintf(walk->first_file.text, sizeof walk->first_file.text, "%s", path);
        return false;
    }
    walk->looked_at++;
    if (!filesystem_is_writable(path) && walk->refused++ == 0) {
        walk->reason = errno;
        (void)snprintf(walk->first_refused.text, sizeof walk->first_refused.text, "%s", path);
    }
    if (!filesystem_is_one_place(&walk->home, &place) && walk->elsewhere++ == 0)
        (void)snprintf(walk->first_elsewhere.text, sizeof walk->first_elsewhere.text, "%s", path);
    return true;
}

static void descend(struct walk *walk);

static bool visit(void *context, const char *name) {
    struct walk *walk = context;
    struct file_path here = walk->at;
    if (name[0] == '.' || name[0] == '_' || strchr(name, '=') == NULL)
        return true;
    walk->full = walk->looked_at >= DIRECTORIES_MAX;
    if (walk->full || strlen(here.text) + strlen(name) + 2 > sizeof here.text)
        return !walk->full;
    walk->at = file_join(here.text, name);
    if (look(walk, walk->at.text)) {
        walk->depth--;
        descend(walk);
        walk->depth++;
    }
    walk->at = here;
    return !walk->full;
}

/* Calls itself once per partition column, whose number is a setting and small. */
static void descend(struct walk *walk) {
    struct error ignored; // what can't be listed is refused already
    if (walk->depth > 0)
        (void)file_list(walk->at.text, visit, walk, &ignored);
}

static void tell(const struct walk *walk, struct findings *findings) {
    if (walk->refused > 0)
        findings_fail(findings, EXIT_CODE_WRITE, findings_text("directories %s", walk->root),
                      findings_text("%" PRId64 " of %" PRId64
                                    " can't be written to by user %ld, such as '%s': %s",
                                    walk->refused, walk->looked_at, (long)geteuid(),
                                    walk->first_refused.text, strerror(walk->reason)),
                      findings_text("give them to that user: chown -R %ld '%s'", (long)geteuid(),
                                    walk->root));
    if (walk->elsewhere > 0)
        findings_fail(findings, EXIT_CODE_WRITE, findings_text("directories %s", walk->root),
                      findings_text("%" PRId64 " of %" PRId64
                                    " are on another file system or mount, such as '%s'",
                                    walk->elsewhere, walk->looked_at, walk->first_elsewhere.text),
                      findings_text("a batch's files are renamed into place, which can't leave a "
                                    "file system: move the directory back, and mount the whole of "
                                    "%s elsewhere if room is short",
                                    walk->setting));
    if (walk->files > 0)
        findings_fail(findings, EXIT_CODE_WRITE, findings_text("directories %s", walk->root),
                      findings_text("'%s' must be a directory", walk->first_file.text),
                      findings_text("move it away"));
    if (walk->refused == 0 && walk->elsewhere == 0 && walk->files == 0)
        findings_ok(findings, findings_text("directories %s", walk->root),
                    findings_text("%s%" PRId64 " looked at: writable, and on one file system",
                                  walk->full ? "the first " : "", walk->looked_at));
}

/* A directory that isn't there yet is made by the run, as doctor_check_disk() has tried. */
static void check_tree(const char *setting, const char *root, const char *home,
                       const char *const names[], size_t depth, struct findings *findings) {
    struct walk walk = {.setting = setting, .root = root, .depth = depth};
    if (!filesystem_place(file_join(root, home).text, &walk.home) &&
        !filesystem_place(root, &walk.home))
        return;
    (void)snprintf(walk.at.text, sizeof walk.at.text, "%s", root);
    if (!look(&walk, root))
        return;
    for (size_t i = 0; names[i] != NULL; i++)
        (void)look(&walk, file_join(root, names[i]).text);
    descend(&walk);
    tell(&walk, findings);
}

void doctor_check_directories(const struct config *config, struct findings *findings) {
    static const char *const of_table[] = {"_staging", "_spark_metadata", "_orphans", NULL};
    static const char *const of_checkpoint[] = {"sources",   "sources/0", "offsets", "commits",
                                                "manifests", "coverage",  NULL};
    for (size_t i = 0; streams[i] != NULL; i++) {
        if (!config_runs(config, streams[i]))
            continue;
        struct store_options store = config_store_options(config, streams[i]);
        check_tree("PROCESSED_DATA_PATH", store.table, "_staging", of_table,
                   store.partition_by_count, findings);
        check_tree("DATA_LAKE_PATH", store.rejects, "_staging", of_table, 0, findings);
        check_tree("CHECKPOINT_PATH", store.checkpoint, "", of_checkpoint, 0, findings);
        config_store_options_deinit(&store);
    }
}
