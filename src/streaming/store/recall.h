/* recall.h: what a checkpoint says of its query's topic, table and rejects, for read-only callers
 * that were not given them as settings. The topic is in the offset log, the rest in the manifests,
 * so both are known from the first committed batch on. */
#ifndef STREAMING_STORE_RECALL_H
#define STREAMING_STORE_RECALL_H

#include <stdbool.h>
#include <stddef.h>

struct recalled {
    char *topic;           // owned; NULL: not known
    char *table, *rejects; // owned; absolute paths; NULL: no manifest is there or can be read
    char query_id[37];     // of that manifest; "": none
};

/* What can't be read is not known: opening the checkpoint gives the error. Takes no lock. */
void checkpoint_recall(const char *root, struct recalled *recalled);
void recalled_deinit(struct recalled *recalled);

/* Whether the table at `root` is signed by that query. */
bool recalled_owns(const struct recalled *recalled, const char *root);

/* The partition columns that the directories of a table have, outermost first, as the first of each
 * level says; names[0] to names[*count - 1] are owned by the caller. *count 0: its files are in the
 * root. False: it has neither files nor such a directory, or more levels than `most`. */
bool recall_partition_columns(const char *root, size_t most, char **names, size_t *count);

#endif
