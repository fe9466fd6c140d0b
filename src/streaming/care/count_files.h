/* count_files.h: counts the files of a table as its readers see them. */
#ifndef STREAMING_CARE_COUNT_FILES_H
#define STREAMING_CARE_COUNT_FILES_H

#include "base/error.h"
#include "streaming/report/file_counts.h"
#include "streaming/store/store.h"

/* With a sink log: the files that it lists, with the sizes that it says, so that no file is looked
 * at. Without one, and of the rejects: the files that lie there. Takes no lock; any thread.
 * `goes_on` is asked now and then: ERROR_STOPPED if it says no. ERROR_RETRY: the disk; ERROR_STATE:
 * a damaged log. */
MUST_CHECK bool count_files(const struct store *store, bool of_rejects, int64_t target_size,
                            bool (*goes_on)(void *context), void *context,
                            struct file_counts *counts, struct error *err);

#endif
