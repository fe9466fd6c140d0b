/* sink_log_file.h: one file of the sink log as a stream: "v1", then a line of JSON per data file.
 * It may be a compact file of any size, so it is never held whole. */
#ifndef STREAMING_SINK_LOG_SINK_LOG_FILE_H
#define STREAMING_SINK_LOG_SINK_LOG_FILE_H

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

/* The same by its header and its last entry alone, whatever its size: sees what was cut off. */
MUST_CHECK bool sink_log_file_check_ends(const char *path, struct error *err);

/* Whether these are the last bytes of the file. */
MUST_CHECK bool sink_log_file_ends_with(const char *path, const char *bytes, size_t size,
                                        bool *same, struct error *err);

/* The last `size` bytes of a file that had at least as many when it was opened. */
MUST_CHECK bool sink_log_read_tail(const struct file_reader *file, char *bytes, size_t size,
                                   struct error *err);

/* One file as a stream; what is behind the header is read in pieces of a bounded size. */
struct sink_log_stream {
    struct file_reader file;
    int64_t next;      // what is read next
    char *bytes;       // owned
    size_t start, end; // what is read and not taken yet
    bool at_end;
};

/* A file on its way into a draft: everything behind its header, as it is, but for a newline at its
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

#endif
