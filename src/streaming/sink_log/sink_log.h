/* sink_log.h: Spark's file sink log, <table>/_spark_metadata: which files of the table count.
 *
 *     N           "v1", then a line per file that batch N added
 *     N.compact   the same for all batches up to N, instead of N, when (N + 1) % interval == 0
 *
 * Spark reads the newest compact file and what follows it; every one of these must be there. The
 * interval is 10 for a new log and follows from the compact files of an old one, by Spark's rule.
 * A compact file is made by copying bytes, ahead of its batch
 * (streaming/sink_log/sink_log_upkeep.h), so that a table of a million files costs neither memory
 * nor time. ERROR_RETRY: the disk; ERROR_STATE: a log that is not what it should be. */
#ifndef STREAMING_SINK_LOG_SINK_LOG_H
#define STREAMING_SINK_LOG_SINK_LOG_H

#include "base/disk/file.h"
#include "base/error.h"
#include "core/file_list.h"
#include "streaming/sink_log/sink_log_file.h"
#include "streaming/sink_log/sink_log_upkeep.h"

enum { SINK_LOG_INTERVAL = 10 }; // spark.sql.streaming.fileSink.log.compactInterval

struct sink_log {
    struct file_path directory;
    const char *table; // borrowed; absolute path
    bool exists;       // the directory is there
    int64_t newest;    // the highest batch, -1: none
    int64_t newest_compact;
    int64_t interval;
    struct sink_log_upkeep upkeep;
};

/* Looks at the directory; creates nothing. A log that was written to needs sink_log_close(). */
MUST_CHECK bool sink_log_open(struct sink_log *log, const char *table, struct error *err);

/* Ends the upkeep's thread, if it was started (sink_log_upkeep_start()), and removes its draft. */
void sink_log_close(struct sink_log *log);

/* Sees that everything which Spark would read is there: the newest compact file, with its header
 * and its last entry, and what follows it, whole. */
MUST_CHECK bool sink_log_check(const struct sink_log *log, struct error *err);

/* Publishes batch `batch_id`, which must follow the newest; again is fine as long as it says the
 * same. */
MUST_CHECK bool sink_log_write(struct sink_log *log, int64_t batch_id,
                               const struct file_list *files, struct error *err);

/* Whether the log's batch names these files. */
enum sink_log_names {
    SINK_LOG_SILENT,       // the log has not come to this batch
    SINK_LOG_NAMES_THESE,  // these and no others
    SINK_LOG_NAMES_OTHERS, // none of these, but others: somebody else ran the batch
    SINK_LOG_NAMES_SOME,   // no writer leaves this behind
};
MUST_CHECK bool sink_log_compare(const struct sink_log *log, int64_t batch_id,
                                 const struct file_list *files, enum sink_log_names *names,
                                 struct error *err);

/* The same, of a batch that this program has committed. Its files may be listed among others, which
 * a change of the table has added to a compact file, or `adopt` to the newest file, or in the
 * newest compact file, if `adopt` has begun the log with one: then they are looked for by name, in
 * the whole log. SINK_LOG_NAMES_SOME: some of them are not listed. */
MUST_CHECK bool sink_log_confirm(const struct sink_log *log, int64_t batch_id,
                                 const struct file_list *files, enum sink_log_names *names,
                                 struct error *err);

/* Whether the batch has a compact file, and it equals what we would write for the files before it
 * and these: as long, and with these at its end. Reads no more than the end. */
MUST_CHECK bool sink_log_is_our_compact(const struct sink_log *log, int64_t batch_id,
                                        const struct file_list *files, bool *ours,
                                        struct error *err);

/* Sets listed[i] for each of the paths, relative to the table, that the log lists. Streams the
 * newest compact file and what follows it. All paths must lie equally deep. */
MUST_CHECK bool sink_log_find(const struct sink_log *log, const char *const *paths, size_t count,
                              bool *listed, struct error *err);

/* Whether the log lists all of these files. */
MUST_CHECK bool sink_log_has_all(const struct sink_log *log, const struct file_list *files,
                                 bool *all, struct error *err);

/* Removes drafts that a crash left. */
MUST_CHECK bool sink_log_sweep(const struct sink_log *log, struct error *err);

/* The interval by which a log continues: Spark's CompactibleFileStreamLog. `compact` ascending. */
int64_t sink_log_interval(const int64_t *compact, size_t count);

/* The newest batch with a compact file, by the interval, or 0: where a reader begins. */
int64_t sink_log_first(const struct sink_log *log);

/* N or N.compact, as the interval has it. */
struct file_path sink_log_path(const struct sink_log *log, int64_t batch_id);

/* "\n" and the JSON of each file, as they are in the log; owned by the caller. */
char *sink_log_print(const struct sink_log *log, const struct file_list *files, size_t *size);

/* The log as it was when `last` was its newest batch. False in *complete: a file of it is gone. */
MUST_CHECK bool sink_log_at(const struct sink_log *log, int64_t last, struct sink_log *then,
                            bool *complete, struct error *err);

/* Visits the lines of the newest compact file and of what follows it: each file once. ERROR_STATE:
 * a file of the log is missing or damaged. */
MUST_CHECK bool sink_log_each_entry(const struct sink_log *log, sink_log_entry_fn *visit,
                                    void *context, struct error *err);

/* Whether a file of the log begins with an entry that is not below the table: it was moved. */
MUST_CHECK bool sink_log_is_elsewhere(const struct sink_log *log, size_t depth, bool *elsewhere,
                                      struct error *err);

/* The same, and where the table was; an empty text: the log names files of this table. */
MUST_CHECK bool sink_log_other_root(const struct sink_log *log, size_t depth,
                                    struct file_path *other, struct error *err);

/* Whether this program wrote the log's newest file; there is one. Spark leaves a checksum next to
 * each file that it writes. */
MUST_CHECK bool sink_log_newest_is_ours(const struct sink_log *log, bool *ours, struct error *err);

/* The file of a batch, whichever of N.compact and N is there; an empty text: neither is. */
MUST_CHECK bool sink_log_file_of(const struct sink_log *log, int64_t batch_id,
                                 struct file_path *path, struct error *err);

#endif
