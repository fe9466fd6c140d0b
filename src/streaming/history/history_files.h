/* history_files.h: the files of history/, one per slot of batches (history_text.h says what is in
 * them). A file is replaced as a whole. One that is damaged counts as missing, with a warning.
 * ERROR_RETRY: the disk. */
#ifndef STREAMING_HISTORY_HISTORY_FILES_H
#define STREAMING_HISTORY_HISTORY_FILES_H

#include "base/error.h"
#include "streaming/history/history_list.h"
#include "streaming/store/store.h"

/* A warning of the query. */
void history_warn(const struct store *store, const char *what, const struct error *why);

/* The slots that have a file, ascending; owned by the caller. */
MUST_CHECK bool history_file_list(const struct store *store, int64_t **slots, size_t *count,
                                  struct error *err);

/* *found false: there is none, or it is damaged. */
MUST_CHECK bool history_file_read(const struct store *store, int64_t slot, struct history *history,
                                  bool *found, struct error *err);
MUST_CHECK bool history_file_write(const struct store *store, int64_t slot,
                                   const struct history *history, struct error *err);
MUST_CHECK bool history_file_remove(const struct store *store, int64_t slot, struct error *err);

/* All files. */
MUST_CHECK bool history_files_read(const struct store *store, struct history *history,
                                   struct error *err);

#endif
