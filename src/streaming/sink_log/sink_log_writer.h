/* sink_log_writer.h: log files written anew, line by line, for what an operator does to a table
 * (streaming/operations/). Everything is streamed. */
#ifndef STREAMING_SINK_LOG_SINK_LOG_WRITER_H
#define STREAMING_SINK_LOG_SINK_LOG_WRITER_H

#include <stdint.h>

#include "base/disk/file.h"
#include "base/error.h"

struct sink_log_writer {
    struct file_draft draft;
    char *buffer; // owned
    size_t used;
    int64_t entries;
};

/* Begins <directory>/<name>. */
MUST_CHECK bool sink_log_writer_open(struct sink_log_writer *writer, const char *directory,
                                     const char *name, struct error *err);
MUST_CHECK bool sink_log_writer_add(struct sink_log_writer *writer, const char *line,
                                    struct error *err);
MUST_CHECK bool sink_log_writer_replace(struct sink_log_writer *writer,
                                        struct error *err); // ends it, too
void sink_log_writer_discard(struct sink_log_writer *writer);

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
