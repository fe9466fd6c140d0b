#include "streaming/operations/operations.h"

#include "base/disk/file.h"
#include "streaming/recovery/recover.h"
#include "streaming/store/checkpoint_notes.h"
#include "streaming/store/store.h"

/* Spark may still write, and what its last batches left out is not among the rejects yet: for a
 * start to settle. */
static bool check_no_cluster(const struct store_options *options, struct error *err) {
    struct run_note note;
    bool found;
    if (!run_note_read(options->checkpoint, &note, &found, err))
        return false;
    return !found || error_set(err, ERROR_STATE,
                               "a Spark cluster runs the query of '%s', or did when its program "
                               "was killed: stop it in order, or start it once, and try again",
                               options->checkpoint);
}

bool operation_open(const struct store_options *options, struct store **store, struct error *err) {
    struct store_options ours = *options;
    ours.sink_log = SINK_LOG_AUTO; // what is on disk counts, not what the next start is told
    int there = file_exists(options->checkpoint, NULL, err);
    if (there < 0)
        return false;
    if (there == 0)
        return error_set(err, ERROR_CONFIG,
                         "there is no checkpoint '%s': check CHECKPOINT_PATH, or choose the query "
                         "with --job",
                         options->checkpoint);
    return check_no_cluster(options, err) && recovery_open(&ours, store, err);
}

bool operation_recover(struct store *store, struct recovery *recovery, FILE *out,
                       struct error *err) {
    if (!recover(store, recovery, err))
        return false;
    for (size_t i = 0; i < recovery->note_count; i++)
        (void)fprintf(out, "%s: %s.\n", store->options.query, recovery->notes[i]);
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
