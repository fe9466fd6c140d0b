/* history.h: what a rewind needs to know of batches whose plans and manifests are gone, for
 * REWIND_RETENTION.
 *
 * offsets/, commits/ and manifests/ keep the newest CHECKPOINT_BATCHES_KEPT batches, because Spark
 * keeps no more and deletes the rest. What they say of a batch is noted in <checkpoint>/history/S
 * before they forget it: an entry of each (history_text.h). S is the first batch of the file's
 * slot; there are HISTORY_SLOT batches in a slot. A file that would have more than
 * HISTORY_FILE_RANGES ranges ends there, and S of the next one is the batch that it begins with:
 * with thousands of partitions, the batches of a slot are more than the memory has room for.
 *
 * Beyond the newest HISTORY_PLAIN_SLOTS slots, batches that were planned within
 * HISTORY_THIN_MS of the first of them become one entry, which has their sum and the end of the
 * last one ("batch"), and several slots share a file ("thinned"). So a week is at most 10,080
 * entries and those of 1,000 batches, no matter how short the trigger is: of about 150 bytes, and
 * 130 for each partition.
 *
 * The history is a convenience: what is damaged or missing is not known, is logged as a warning,
 * and keeps no query from running. Spark ignores the directory. A file is replaced as a whole. */
#ifndef STREAMING_HISTORY_HISTORY_H
#define STREAMING_HISTORY_HISTORY_H

#include "base/error.h"
#include "streaming/history/history_list.h"
#include "streaming/store/store.h"

enum {
    HISTORY_INTERVAL = 10,
    HISTORY_SLOT = 100,
    HISTORY_PLAIN_SLOTS = 10,
    HISTORY_FILE_RANGES = 10000, // read or written, each takes about 1.5 kB for a moment
};

/* All that is known, with what is not noted yet. A file that is damaged is left out, with a
 * warning. ERROR_RETRY: the disk; ERROR_STATE: the checkpoint is damaged. */
MUST_CHECK bool history_read(const struct store *store, struct history *history, struct error *err);

/* Takes in what the checkpoint has of committed batches and the history has not, and forgets what
 * is older than REWIND_RETENTION. Before anything is removed from the checkpoint that was not noted
 * yet. `at_start`: first forgets what is not of the checkpoint's batches, after a rewind by a
 * version without a history. What goes wrong is logged. */
void history_keep(const struct store *store, bool at_start);

/* After a batch: keeps every HISTORY_INTERVAL batches. */
void history_note(const struct store *store, int64_t batch_id);

/* Forgets the batches after this one. Repeatable. ERROR_RETRY: the disk. */
MUST_CHECK bool history_cut(const struct store *store, int64_t last, struct error *err);

#endif
