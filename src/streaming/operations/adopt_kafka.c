/* adopt_kafka.c: the offsets of a checkpoint are taken for those of another Kafka cluster. */
#include <inttypes.h>
#include <string.h>

#include "streaming/operations/operations.h"
#include "streaming/store/kafka_note.h"
#include "streaming/store/store.h"

/* Where the next batch begins, so that it can be compared with the topic on the other cluster. */
static bool print_positions(const struct store *store, FILE *out, struct error *err) {
    int64_t committed;
    struct offset_entry starts = {0};
    if (!checkpoint_newest(&store->checkpoint.commits, &committed, err))
        return false;
    if (committed < 0) {
        (void)fprintf(out, "  No batch is committed yet.\n");
        return true;
    }
    if (!checkpoint_read_starts(&store->checkpoint, committed + 1, &starts, err))
        return false;
    (void)fprintf(out, "  Batch %" PRId64 " comes next. It reads topic %s from these offsets on:",
                  committed + 1, store->options.topic);
    for (size_t i = 0; i < starts.ends.count; i++)
        (void)fprintf(out, "%s partition %" PRId32 " from %" PRId64, i > 0 ? "," : "",
                      starts.ends.entries[i].partition, starts.ends.entries[i].offset);
    (void)fprintf(out, ". See that the records before them are the same there.\n");
    offset_entry_deinit(&starts);
    return true;
}

static bool adopt(const struct store *store, const char *id, bool dry_run, FILE *out,
                  struct error *err) {
    const char *checkpoint = store->options.checkpoint;
    char noted[KAFKA_CLUSTER_ID_MAX];
    if (!kafka_note_read(checkpoint, noted, err))
        return false;
    if (strcmp(noted, id) == 0) {
        (void)fprintf(out, "%s: '%s' is of Kafka cluster %s: nothing to do.\n",
                      store->options.query, checkpoint, id);
        return true;
    }
    if (!dry_run && !kafka_note_write(checkpoint, id, err))
        return false;
    (void)fprintf(out, "%s: the offsets in '%s' %s those of Kafka cluster %s (until now: %s).\n",
                  store->options.query, checkpoint, dry_run ? "would be" : "are", id,
                  noted[0] == '\0' ? "not noted" : noted);
    return print_positions(store, out, err);
}

bool operation_adopt_kafka(const struct store_options *options, const char *id, bool dry_run,
                           FILE *out, struct error *err) {
    struct store *store;
    if (id[0] == '\0' || strlen(id) >= KAFKA_CLUSTER_ID_MAX)
        return error_set(err, ERROR_CONFIG, "--cluster: want the id of a Kafka cluster");
    if (dry_run ? !store_open_to_read(options, &store, err) : !operation_open(options, &store, err))
        return false;
    bool ok = adopt(store, id, dry_run, out, err);
    store_close(store);
    return ok;
}
