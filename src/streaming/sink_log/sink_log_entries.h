/* sink_log_entries.h: the sink log's lines with all that they say, as of any batch; and log files
 * written anew, for what an operator does to a table (operations.h). Everything is streamed. */
#ifndef STREAMING_SINK_LOG_SINK_LOG_ENTRIES_H
#define STREAMING_SINK_LOG_SINK_LOG_ENTRIES_H

#include "base/json.h"
#include "streaming/sink_log/sink_log.h"
#include "streaming/sink_log/sink_log_file.h"

struct sink_entry {
    char *path;           // owned; absolute, as the disk has it
    const char *relative; // in `path`: the file's name and `depth` directories before it
    int64_t size;
    bool in_table; // `path` is `table`/`relative`
};

/* ERROR_STATE: no size, or a URI that is not a plain local file's. */
MUST_CHECK bool sink_entry_read(struct sink_entry *entry, const struct json *line,
                                const char *table, size_t depth, struct error *err);
void sink_entry_deinit(struct sink_entry *entry);

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

/* The file of a batch, whichever of N.compact and N is there; an empty text: neither is. */
MUST_CHECK bool sink_log_file_of(const struct sink_log *log, int64_t batch_id,
                                 struct file_path *path, struct error *err);

/* A log file that is made anew. */
struct log_draft {
    struct file_draft draft;
    char *buffer; // owned
    size_t used;
    int64_t entries;
};

MUST_CHECK bool log_draft_open(struct log_draft *draft, const char *directory, const char *name,
                               struct error *err);
MUST_CHECK bool log_draft_add(struct log_draft *draft, const char *line, struct error *err);
MUST_CHECK bool log_draft_replace(struct log_draft *draft, struct error *err); // ends it, too
void log_draft_discard(struct log_draft *draft);

/* Where a log whose newest batch is `last` keeps all its entries: in `holder`, a compact file if
 * there is one; the other batches from `first` on are empty. */
struct log_layout {
    int64_t first, holder, last;
    bool compact;
    char name[40]; // the holder's
};
struct log_layout log_layout_of(int64_t last, int64_t interval);

/* Writes the batches of a layout but the holder. */
MUST_CHECK bool log_layout_write_empty(const struct log_layout *layout, const char *directory,
                                       struct error *err);

#endif
