#include "streaming/operations/operations.h"

#include "base/disk/file.h"
#include "streaming/recovery/recover.h"
#include "streaming/store/checkpoint.h"
#include "streaming/store/checkpoint_notes.h"
#include "streaming/store/store.h"

/* Spark may still write, and what its last batches left out is not among the rejects yet: for a
 * start to settle. */
static bool check_no_cluster(const struct store_options *options, struct error *err) {
    struct run_note note;
    bool found;
    if (!run_note_read(options->checkpoint, &note, &found, err))
        return false;
    return !found ||
           error_set(err, ERROR_STATE,
                     "the query of '%s' runs on a Spark cluster, or did when its program was "
                     "killed: stop the query cleanly, or start it once, then try again",
                     options->checkpoint);
}

static bool open_to_look(const struct store_options *options, FILE *out, struct store **store,
                         struct error *err) {
    char holder[CHECKPOINT_HOLDER_MAX];
    bool locked;
    if (!checkpoint_holder(options->checkpoint, &locked, holder, err))
        return false;
    if (locked)
        (void)fprintf(out, "%s: the query is running (%s); stop it before you do this.\n",
                      options->query, holder);
    return store_open_to_read(options, store, err);
}

bool operation_check(const struct store_options *options, struct error *err) {
    int there = file_exists(options->checkpoint, NULL, err);
    if (there < 0)
        return false;
    if (there == 0)
        return error_set(err, ERROR_CONFIG,
                         "there is no checkpoint '%s': check CHECKPOINT_PATH, or choose the query "
                         "with --job",
                         options->checkpoint);
    return check_no_cluster(options, err);
}

bool operation_open(const struct store_options *options, bool dry_run, FILE *out,
                    struct store **store, struct error *err) {
    struct store_options ours = *options;
    ours.sink_log = SINK_LOG_AUTO; // what is on disk counts, not the setting of the next start
    if (!operation_check(options, err))
        return false;
    return dry_run ? open_to_look(&ours, out, store, err) : recovery_open(&ours, store, err);
}

bool operation_recover(struct store *store, bool dry_run, struct recovery *recovery, bool *settled,
                       FILE *out, struct error *err) {
    *settled = true;
    if (dry_run ? !recovery_preview(store, recovery, settled, err) : !recover(store, recovery, err))
        return false;
    for (size_t i = 0; i < recovery->note_count; i++)
        (void)fprintf(out, "%s: %s.\n", store->options.query, recovery->notes[i]);
    if (!*settled)
        (void)fprintf(
            out,
            "%s: the rest of the preview depends on this: start the query once, then try again.\n",
            store->options.query);
    return true;
}

enum { EXAMPLES_MAX = 3 };

void examples_add(struct examples *examples, const char *path, const char *what) {
    size_t room = sizeof examples->text - examples->used;
    if (examples->count++ >= EXAMPLES_MAX || room < 2)
        return;
    int length = snprintf(examples->text + examples->used, room, "%s'%s' %s",
                          examples->used > 0 ? ", " : "", path, what);
    if (length > 0 && (size_t)length < room)
        examples->used += (size_t)length;
    else
        examples->text[examples->used] = '\0';
}
