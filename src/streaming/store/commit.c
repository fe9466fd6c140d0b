#include "streaming/store/commit.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log/log.h"
#include "base/scope.h"
#include "streaming/store/coverage.h"
#include "streaming/store/store_parts.h"

/* Some thousand files of long names; more than that is not a manifest. */
enum { MANIFEST_SIZE_MAX = 256 << 20 };

static bool name_manifest(int64_t batch_id, const char *ending, char name[static 48]) {
    return snprintf(name, 48, "%" PRId64 "%s", batch_id, ending) > 0;
}

bool commit_publish(const struct store *store, const struct manifest *manifest, struct error *err) {
    struct manifest_origin origin = store_origin(store);
    size_t size;
    scoped(scope_free) char *text = manifest_print(manifest, &origin, &size);

    // What can't be read back could never be rolled forward: better no commit than that.
    struct manifest copy;
    if (!manifest_parse(text, size, manifest->batch_id, &origin, &copy, err))
        return error_wrap(err, "batch %" PRId64 " can't be committed", manifest->batch_id);
    manifest_deinit(&copy);

    if (!table_sync_staged(&store->table, manifest->batch_id, &manifest->files, err) ||
        !table_sync_staged(&store->rejects, manifest->batch_id, &manifest->rejects, err))
        return false;
    char name[48];
    (void)name_manifest(manifest->batch_id, "", name);
    return file_publish(store->checkpoint.manifests.text, name, text, size, err);
}

bool commit_read(const struct store *store, int64_t batch_id, struct manifest *manifest,
                 struct error *err) {
    struct file_path path = file_join_number(store->checkpoint.manifests.text, batch_id);
    struct manifest_origin origin = store_origin(store);
    scoped(scope_free) char *text = NULL;
    size_t size;
    if (!file_read(path.text, MANIFEST_SIZE_MAX, &text, &size, err))
        return false;
    if (text == NULL)
        return error_set(err, ERROR_STATE, "'%s' is missing: restore it from a backup", path.text);
    if (!manifest_parse(text, size, batch_id, &origin, manifest, err))
        return error_wrap(err, "'%s' can't be used (if it is damaged, restore it from a backup)",
                          path.text);
    return true;
}

static bool publish_table(struct store *store, const struct manifest *manifest, struct error *err) {
    return table_publish(&store->table, manifest->batch_id, &manifest->files, err);
}

static bool write_sink_log(struct store *store, const struct manifest *manifest,
                           struct error *err) {
    return !store->sink_log_on || manifest->of_spark ||
           sink_log_write(&store->sink_log, manifest->batch_id, &manifest->files, err);
}

static bool publish_rejects(struct store *store, const struct manifest *manifest,
                            struct error *err) {
    return table_publish(&store->rejects, manifest->batch_id, &manifest->rejects, err);
}

static bool write_commit(struct store *store, const struct manifest *manifest, struct error *err) {
    return manifest->of_spark ||
           checkpoint_write_commit(&store->checkpoint, manifest->batch_id, err);
}

static bool remove_staging(struct store *store, const struct manifest *manifest,
                           struct error *err) {
    return table_unstage(&store->table, manifest->batch_id, err) &&
           table_unstage(&store->rejects, manifest->batch_id, err);
}

/* Tidiness: what could not be folded now is folded ten batches later. */
static bool fold_manifests(struct store *store, const struct manifest *manifest,
                           struct error *err) {
    struct error why;
    (void)err;
    if (!coverage_fold(store, manifest->batch_id, &why))
        log_write(LOG_WARNING, store->options.query,
                  "Old manifests stay, they could not be folded into one file | batch_id=%" PRId64
                  " | error=%s",
                  manifest->batch_id, why.message);
    return true;
}

/* The order is a promise: a file is in place before a log names it, and a batch is in every log
 * before Spark's commit says that it is done. */
static const struct {
    const char *name;
    bool (*run)(struct store *store, const struct manifest *manifest, struct error *err);
} steps[] = {
    {"publish its files", publish_table},
    {"write its sink log entry", write_sink_log},
    {"publish its rejects", publish_rejects},
    {"write its commit", write_commit},
    {"remove its staging directory", remove_staging},
    {"fold old manifests", fold_manifests},
};

bool commit_roll_forward(struct store *store, const struct manifest *manifest, struct error *err) {
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (!steps[i].run(store, manifest, err))
            return error_wrap(err, "batch %" PRId64 " is committed; to %s", manifest->batch_id,
                              steps[i].name);
    return true;
}

static bool set_manifest_aside(const struct store *store, int64_t batch_id, struct error *err) {
    char name[48];
    (void)name_manifest(batch_id, ".overtaken", name);
    struct file_path from = file_join_number(store->checkpoint.manifests.text, batch_id);
    struct file_path to = file_join(store->checkpoint.manifests.text, name);
    return file_rename_new(from.text, to.text, err) &&
           file_sync_directory(store->checkpoint.manifests.text, err);
}

bool commit_take_back(const struct store *store, const struct manifest *manifest,
                      struct error *err) {
    if (!table_take_back(&store->table, &manifest->files, err) ||
        !table_take_back(&store->rejects, &manifest->rejects, err) ||
        !table_unstage(&store->table, manifest->batch_id, err) ||
        !table_unstage(&store->rejects, manifest->batch_id, err) ||
        !set_manifest_aside(store, manifest->batch_id, err))
        return error_wrap(err, "batch %" PRId64 " was run by Spark; to take our files back",
                          manifest->batch_id);
    return true;
}
