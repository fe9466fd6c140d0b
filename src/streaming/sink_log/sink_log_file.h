/* sink_log_file.h: one file of the sink log as a stream: "v1", then a line of JSON per data file.
 * It may be a compact file of any size, so it is never held whole. */
#ifndef STREAMING_SINK_LOG_SINK_LOG_FILE_H
#define STREAMING_SINK_LOG_SINK_LOG_FILE_H

#include <stdint.h>

#include "base/disk/file.h"
#include "base/disk/open_file.h"
#include "base/error.h"
#include "base/json.h"

enum { SINK_LOG_HEADER_SIZE = 2 }; // "v1"

/* "N", or "N.compact". */
enum { SINK_LOG_NAME_MAX = 40 };
void sink_log_file_name(int64_t batch_id, bool compact, char name[static SINK_LOG_NAME_MAX]);

/* ERROR_STATE: missing, empty, or not a sink log by its header or by any of its entries. */
MUST_CHECK bool sink_log_file_check(const char *path, struct error *err);

/* The same by its header and its last entry alone, at any size: notices a truncated file. */
MUST_CHECK bool sink_log_file_check_ends(const char *path, struct error *err);

/* Whether these are the last bytes of the file. */
MUST_CHECK bool sink_log_file_ends_with(const char *path, const char *bytes, size_t size,
                                        bool *same, struct error *err);

/* One file as a stream; what is behind the header is read in pieces of a bounded size. */
struct sink_log_stream {
    struct file_reader file;
    int64_t next;      // what is read next
    char *bytes;       // owned
    size_t start, end; // what is read and not taken yet
    bool at_end;
};

/* A file on its way into a draft: everything after its header, as it is, without a newline at its
 * end. */
struct sink_log_copy {
    struct sink_log_stream stream;
    bool newline_held; // one that may turn out to be the last byte
};

/* ERROR_STATE: missing, empty, or not a sink log. */
MUST_CHECK bool sink_log_copy_open(struct sink_log_copy *copy, const char *path, struct error *err);

/* Appends the next piece, of *size bytes. After a failure the draft is of no use. */
MUST_CHECK bool sink_log_copy_step(struct sink_log_copy *copy, struct file_draft *draft,
                                   size_t *size, bool *done, struct error *err);
void sink_log_copy_close(struct sink_log_copy *copy);

/* An entry, whole, which has a `path`; it lives until the visitor returns. False: *err says why,
 * and the walk ends. */
typedef bool sink_log_entry_fn(void *context, struct json *entry, struct error *err);

/* Calls visit() for each entry. *found false: there is no such file. */
MUST_CHECK bool sink_log_file_entries(const char *path, sink_log_entry_fn *visit, void *context,
                                      bool *found, struct error *err);

/* Calls visit() with the `path` member of each entry, a URI. *found false: there is no such file.
 */
MUST_CHECK bool sink_log_file_each(const char *path, void (*visit)(void *context, const char *uri),
                                   void *context, bool *found, struct error *err);

/* The same with the line as it is written, which is not terminated. */
typedef bool sink_log_line_fn(void *context, const char *line, size_t size, const char *uri,
                              struct error *err);
MUST_CHECK bool sink_log_file_lines(const char *path, sink_log_line_fn *visit, void *context,
                                    bool *found, struct error *err);

/* ---- log files rewritten line by line ----
 *
 * For what an operator does to a table (streaming/operations/), and for its changes
 * (streaming/sink_log/sink_log_edit.h). Everything is streamed. */

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
MUST_CHECK bool sink_log_writer_add_bytes(struct sink_log_writer *writer, const char *line,
                                          size_t size, struct error *err);
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

/* ---- the end of a file, from a known entry on ----
 *
 * A compact file lists all files of the table, those of its own batch last: only they are read. */

/* The file's last entry as it is written, owned by the caller; NULL: it has none, or is not there.
 */
MUST_CHECK bool sink_log_last_line(const char *path, char **line, struct error *err);

/* Calls visit() for each entry behind the one that is written as `line`. *found false: there is no
 * such entry, or no such file. */
MUST_CHECK bool sink_log_entries_behind(const char *path, const char *line,
                                        sink_log_entry_fn *visit, void *context, bool *found,
                                        struct error *err);

#endif
